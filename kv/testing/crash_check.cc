#include "kv/testing/crash_check.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "kv/io/crash_points.h"
#include "kv/testing/crash_history.h"
#include "kv/testing/random.h"
#include "kv/testing/simulated_store.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

constexpr size_t kMaxFailures = 5;

// How far a run came, in steps.
struct Progress {
  size_t promised = 0;  // survive every crash
  size_t returned = 0;  // with OK
  size_t begun = 0;
};

class CrashChecker {
 public:
  CrashChecker(const SimulatedFactory& factory, const CrashPlan& plan)
      : factory_(factory),
        plan_(plan),
        steps_(MakeCrashSteps(plan.history_seed, plan.steps)),
        random_(plan.history_seed ^ 1) {}

  CrashReport CutPowerEverywhere() {
    const uint64_t operations = OperationsOfAWholeRun();
    std::vector<uint64_t> moments;
    for (uint64_t n = 0; n <= operations; ++n) moments.push_back(n);
    while (moments.size() > plan_.moments) {
      moments.erase(moments.begin() + static_cast<ptrdiff_t>(random_.Below(moments.size())));
    }
    for (const uint64_t moment : moments) {
      SimulatedFileSystem files(plan_.history_seed);
      files.CutPowerAfter(moment);
      const Progress progress = Run(files);
      CheckEveryCrash(files, progress, fmt::format("power cut after {} operations", moment));
      if (report_.failures.size() >= kMaxFailures) break;
    }
    return std::move(report_);
  }

  CrashReport FailEverywhere() {
    const uint64_t operations = OperationsOfAWholeRun();
    for (const auto& [fault, name] :
         {std::pair(Fault::kIoError, "an I/O error"), std::pair(Fault::kNoSpace, "a full disk"),
          std::pair(Fault::kShortWrite, "a short write"),
          std::pair(Fault::kSyncFailure, "a failed sync")}) {
      for (uint64_t i = 0; i < std::min(plan_.moments, operations); ++i) {
        const uint64_t count = plan_.moments < operations ? random_.Below(operations) : i;
        SimulatedFileSystem files(plan_.history_seed);
        files.FailAfter(count, fault, /*times=*/random_.OneIn(2) ? 1 : UINT64_MAX);
        const Progress progress = Run(files);
        CheckEveryCrash(files, progress, fmt::format("{} after {} that could be", name, count));
        if (report_.failures.size() >= kMaxFailures) return std::move(report_);
      }
    }
    return std::move(report_);
  }

 private:
  // Until the first error. The engine is destroyed, not closed.
  Progress Run(SimulatedFileSystem& files) {
    Progress progress;
    const Composition composition = On(factory_, files);
    const auto engine = composition.open(Stage::SmallOptions(kStoreDirectory));
    if (!engine.ok()) return progress;
    for (size_t i = 0; i < steps_.size(); ++i) {
      progress.begun = i + 1;
      const CrashStep& step = steps_[i];
      const absl::Status status = PerformCrashStep(**engine, step);
      if (absl::IsInternal(status)) Fail(fmt::format("step {}: {}", i, status.ToString()), files);
      if (!status.ok()) break;
      if (composition.has.durable_on_return || step.Syncs()) progress.promised = i + 1;
      progress.returned = i + 1;
    }
    return progress;
  }

  uint64_t OperationsOfAWholeRun() {
    SimulatedFileSystem files(plan_.history_seed);
    const Progress progress = Run(files);
    if (progress.promised == 0 || progress.begun != steps_.size()) {
      Fail("the history does not run to its end on a sound disk", files);
    }
    return files.operations();
  }

  void CheckEveryCrash(const SimulatedFileSystem& files, const Progress& progress,
                       const std::string& moment) {
    ForEachCrash(files, plan_.seeds, [&](SimulatedFileSystem crashed, const std::string& how) {
      if (report_.failures.size() >= kMaxFailures) return;
      const std::string label = moment + ", " + how;
      // Now and then the power goes again while the store is being opened.
      if (random_.OneIn(4)) {
        SimulatedFileSystem again = crashed.Crash(0, CrashMode::kKeepAll);
        const uint64_t operations = random_.Below(12);
        again.CutPowerAfter(operations);
        On(factory_, again).open(Stage::SmallOptions(kStoreDirectory)).status().IgnoreError();
        const uint64_t seed = random_.Next();
        for (const CrashMode mode : kAllCrashModes) {
          CheckRecovery(again.Crash(seed, mode), progress,
                        fmt::format("{}, and again after {} operations of Open, mode {}, seed {}",
                                    label, operations, ToString(mode), seed));
        }
      }
      CheckRecovery(crashed, progress, label);
    });
  }

  void CheckRecovery(SimulatedFileSystem files, const Progress& progress,
                     const std::string& label) {
    const auto fail = [&](std::string_view what) {
      Fail(fmt::format("{}; {} steps promised, {} begun: {}", label, progress.promised,
                       progress.begun, what),
           files);
    };
    ++report_.crashes;
    const Composition composition = On(factory_, files);
    // First, so that what a copy does to files that are also the original's is seen below.
    CheckCopies(composition, progress, fail);
    auto engine = composition.open(Stage::SmallOptions(kStoreDirectory));
    if (!engine.ok()) return fail(engine.status().ToString());
    absl::StatusOr<Contents> found = ReadCrashKeys(composition, **engine);
    if (!found.ok()) return fail(found.status().ToString());
    if (!IsAPromisedState(*found, progress)) return fail(Describe(*found));
    if (const absl::Status status = (*engine)->Verify(); !status.ok()) {
      return fail(status.ToString());
    }
    // It goes on as any store does.
    WriteBatch batch;
    batch.Put(kAfterTheCrash, "1");
    batch.Delete("key00");
    absl::Status status = (*engine)->Write(batch);
    if (status.ok() && !composition.has.durable_on_return) status = (*engine)->Flush();
    if (!status.ok()) return fail("a write after recovery: " + status.ToString());
    engine->reset();
    const Composition later = On(factory_, files.Crash(0, CrashMode::kLoseUnsynced));
    const auto reopened = later.open(Stage::SmallOptions(kStoreDirectory));
    if (!reopened.ok()) return fail("a second Open: " + reopened.status().ToString());
    found->erase("key00");
    (*found)[std::string(kAfterTheCrash)] = "1";
    const absl::StatusOr<Contents> kept = ReadCrashKeys(later, **reopened);
    if (!kept.ok() || *kept != *found) fail("what was written after recovery is gone");
  }

  // A copy whose Checkpoint returned is there and holds the state of its step; the one that was
  // under way is refused or holds that state too. The newest are always looked at, older ones
  // sometimes.
  template <typename FailWith>
  void CheckCopies(const Composition& composition, const Progress& progress, FailWith&& fail) {
    int newer = 0;
    for (size_t i = progress.begun; i > 0; --i) {
      const CrashStep& step = steps_[i - 1];
      if (step.kind != CrashStepKind::kCheckpoint) continue;
      if (newer++ > 0 && !random_.OneIn(6)) continue;
      Options options = Stage::SmallOptions(step.copy);
      options.create_if_missing = false;
      auto engine = composition.open(options);
      const std::string what = fmt::format("the copy made in step {}: ", i - 1);
      if (!engine.ok()) {
        if (i <= progress.returned) fail(what + engine.status().ToString());
        continue;
      }
      const absl::StatusOr<Contents> found = ReadCrashKeys(composition, **engine);
      if (!found.ok()) {
        fail(what + found.status().ToString());
      } else if (*found != step.after) {
        fail(what + Describe(*found));
      } else if (const absl::Status status = (*engine)->Verify(); !status.ok()) {
        fail(what + status.ToString());
      }
      // And it is a store that takes writes.
      if (const absl::Status status = (*engine)->DeleteRange("", ""); !status.ok()) {
        fail(what + status.ToString());
      }
    }
  }

  // The state after n steps, where n = 0 is the empty store.
  const Contents& StateAfter(size_t n) const {
    static const Contents* const empty = new Contents();
    return n == 0 ? *empty : steps_[n - 1].after;
  }

  bool IsAPromisedState(const Contents& found, const Progress& progress) const {
    for (size_t n = progress.promised; n <= progress.begun; ++n) {
      if (StateAfter(n) == found) return true;
    }
    // A BulkLoad that did not return leaves a prefix of its entries.
    if (progress.begun == progress.returned) return false;
    const std::vector<Contents>& within = steps_[progress.begun - 1].within;
    return std::find(within.begin(), within.end(), found) != within.end();
  }

  std::string Describe(const Contents& found) const {
    for (size_t n = 0; n <= steps_.size(); ++n) {
      if (StateAfter(n) == found) return fmt::format("the store shows the state after {}", n);
    }
    std::string text = "the store shows no state of the history:";
    for (const auto& [key, value] : found) {
      text += fmt::format(" {} of {};", key, value.substr(0, value.find(' ', 5)));
    }
    return text;
  }

  void Fail(std::string_view what, const SimulatedFileSystem& files) {
    if (report_.failures.size() >= kMaxFailures) return;
    report_.failures.push_back(fmt::format("history seed {}, {}", plan_.history_seed, what));
    // The end of the trace once: where it went wrong is near.
    if (report_.failures.size() > 1) return;
    const std::string trace = files.Trace();
    constexpr size_t kShown = 4000;
    report_.failures.back() += "\n" + trace.substr(trace.size() - std::min(trace.size(), kShown));
  }

  const SimulatedFactory& factory_;
  const CrashPlan& plan_;
  const std::vector<CrashStep> steps_;
  Random random_;
  CrashReport report_;
};

}  // namespace

CrashReport CheckCrashes(const SimulatedFactory& factory, const CrashPlan& plan) {
  return CrashChecker(factory, plan).CutPowerEverywhere();
}

CrashReport CheckFaults(const SimulatedFactory& factory, const CrashPlan& plan) {
  return CrashChecker(factory, plan).FailEverywhere();
}

}  // namespace kv::testing
