#include "kv/testing/fault_check.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "kv/base/sticky_error.h"
#include "kv/io/crash_points.h"
#include "kv/testing/crash_history.h"
#include "kv/testing/file_order.h"
#include "kv/testing/possible_states.h"
#include "kv/testing/random.h"
#include "kv/testing/simulated_store.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

constexpr size_t kMaxFailures = 5;
// Each write that failed doubles what is possible.
constexpr size_t kMostStates = 64;
constexpr int kMostRefusals = 8;

// A hook for as long as this lives: one that holds the disk would hold it for ever.
class ScopedHook {
 public:
  ScopedHook(SimulatedFileSystem files, SimulatedFileSystem::Hook hook) : files_(std::move(files)) {
    files_.SetHook(std::move(hook));
  }
  ~ScopedHook() { files_.SetHook({}); }
  ScopedHook(const ScopedHook&) = delete;
  ScopedHook& operator=(const ScopedHook&) = delete;

 private:
  SimulatedFileSystem files_;
};

// One history on one machine.
class FaultRun {
 public:
  enum class Middle { kGoesOn, kReopens };

  FaultRun(const SimulatedFactory& factory, const FaultPlan& plan, std::string label)
      : steps_(MakeCrashSteps(plan.seed, plan.steps)),
        label_(std::move(label)),
        files_(plan.seed),
        factory_(factory),
        composition_(On(factory, files_)),
        states_(composition_.has.durable_on_return) {}

  SimulatedFileSystem files() const { return files_; }
  std::vector<std::string>& failures() { return failures_; }
  bool poisoned() const { return poison_.has_value(); }

  void Run(Middle middle) {
    if (!Open()) return;
    int refusals = 0;
    for (size_t i = 0; i < steps_.size() && failures_.empty(); ++i) {
      at_ = fmt::format("step {}", i);
      if (middle == Middle::kReopens && i == steps_.size() / 2 && !Reopen()) return;
      const absl::Status status = Perform(steps_[i]);
      Judge(steps_[i], status);
      if (!status.ok() && ++refusals == kMostRefusals) break;
      if (states_.size() > kMostStates) break;
      Probe(i);
    }
  }

  // The faults are over: everything is there, in the open store and in what crashes leave of it.
  void CheckWhatIsThere() {
    if (!failures_.empty()) return;
    at_ = "at the end";
    uint64_t faults = files_.faults_injected();
    absl::StatusOr<Contents> found = ReadCrashKeys(composition_, *engine_);
    while (!found.ok() && files_.faults_injected() > faults) {  // another, of a few in a row
      CheckError(found.status(), "a read");
      faults = files_.faults_injected();
      found = ReadCrashKeys(composition_, *engine_);
    }
    if (!found.ok()) return Fail("reads fail: " + found.status().ToString());
    if (!states_.Allows(*found)) return Fail("the open store shows what it cannot hold");
    CheckCrashes("");
    engine_.reset();
    CheckCrashes(", closed");
  }

  void CheckNoFileIsUsedAfterItsSyncFailed() {
    const auto violations = CheckFileOrder(recorder_.Events(), composition_.has.durable_on_return);
    for (const std::string& text : TextsOf(FileRule::kFailedSyncIsFinal, violations)) Fail(text);
  }

 private:
  void Fail(std::string_view what) {
    if (failures_.size() < kMaxFailures) {
      failures_.push_back(fmt::format("{}, {}: {}", label_, at_, what));
    }
  }

  // Faults end, so it opens in the end.
  bool Open() {
    constexpr int kAttempts = 6;
    absl::Status status;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      auto engine = composition_.open(Stage::SmallOptions(kStoreDirectory));
      status = engine.status();
      if (!status.ok()) {
        CheckError(status, "Open");
        continue;
      }
      engine_ = *std::move(engine);
      recorder_.Mark(Milestone::kOpened, kStoreDirectory);
      opened_at_ = files_.operations();
      poison_.reset();
      return true;
    }
    Fail("the store does not open: " + status.ToString());
    return false;
  }

  bool Reopen() {
    const absl::Status closed = engine_->Close();
    if (!closed.ok()) CheckError(closed, "Close");
    engine_.reset();
    states_.Reopened(closed.ok());
    return Open();
  }

  absl::Status Perform(const CrashStep& step) {
    if (step.kind != CrashStepKind::kCas) return PerformCrashStep(*engine_, step);
    // What is there is not known for certain.
    Record record;
    std::string_view bytes = step.writes.Bytes();
    WriteBatch::TakeEntry(&bytes, &record);
    return engine_->Put(record.key, record.value);
  }

  static bool IsPlainWrite(const CrashStep& step) {
    return step.kind == CrashStepKind::kPut || step.kind == CrashStepKind::kBatch ||
           step.kind == CrashStepKind::kCas;
  }

  void Judge(const CrashStep& step, const absl::Status& status) {
    if (poison_ && IsPlainWrite(step)) {
      if (status.ok()) return Fail("a write is acknowledged although a sync of the log failed");
      if (!Names(status, kReopenAdvice)) {
        Fail("the error does not say what to do: " + status.ToString());
      }
      return;  // refused: it must not be there later
    }
    if (status.ok()) return states_.Succeeded(step);
    CheckError(status, "the step");
    if (!poison_) states_.Failed(step);
    NoteALogWhoseSyncFailed(status);
  }

  void NoteALogWhoseSyncFailed(const absl::Status& status) {
    for (const FileEvent& event : recorder_.Events()) {
      if (event.number > opened_at_ && event.failed && event.operation == FileOperation::kSync &&
          RoleOfFile(event.path) == FileRole::kLog && event.path.starts_with(kStoreDirectory)) {
        poison_ = status;
      }
    }
  }

  void CheckError(const absl::Status& status, std::string_view what) {
    const bool named = Names(status, kStoreDirectory) || Names(status, "/copy");
    if (absl::IsNotFound(status) || absl::IsDataLoss(status) || absl::IsInternal(status) ||
        !named) {
      Fail(fmt::format("{} answers {}", what, status.ToString()));
    }
  }

  // A few reads, each of which is right or fails.
  void Probe(size_t i) {
    for (const uint64_t number : {i, i * 7 + 3}) {
      const std::string key = CrashKey(number % kCrashKeys);
      const auto found = Lookup(*engine_, key);
      if (!found.ok()) {
        CheckError(found.status(), "Get");
      } else if (!states_.Allows(key, *found)) {
        Fail(fmt::format("Get {} is {}", key, ShowFound(*found)));
      }
    }
    if (i % 4 != 0) return;
    if (const auto count = engine_->Count(""); !count.ok()) CheckError(count.status(), "Count");
    if (!composition_.has.ordered) return;
    const auto scanned = Scan(*engine_->NewCursor());
    if (!scanned.ok()) {
      CheckError(scanned.status(), "a scan");
    } else if (!states_.Allows(*scanned)) {
      Fail("a scan shows what the store cannot hold");
    }
  }

  void CheckCrashes(std::string_view more) {
    ForEachCrash(files_, 1, [&](SimulatedFileSystem crashed, const std::string& how) {
      if (failures_.size() >= kMaxFailures) return;
      at_ = how + std::string(more);
      const Composition later = On(factory_, crashed);
      const auto engine = later.open(Stage::SmallOptions(kStoreDirectory));
      if (!engine.ok()) return Fail("the store does not open: " + engine.status().ToString());
      const auto found = ReadCrashKeys(later, **engine);
      if (!found.ok()) return Fail(found.status().ToString());
      if (!states_.AllowsAfterCrash(*found)) return Fail("the store shows what it cannot hold");
      absl::Status status = (*engine)->Verify();
      if (status.ok()) status = (*engine)->Put(kAfterTheCrash, "1");
      if (status.ok()) status = (*engine)->Flush();
      if (!status.ok()) Fail(status.ToString());
    });
  }

  const std::vector<CrashStep> steps_;
  const std::string label_;
  SimulatedFileSystem files_;
  const SimulatedFactory& factory_;
  const Composition composition_;
  FileRecorder recorder_{files_};
  PossibleStates states_;
  std::unique_ptr<AnyEngine> engine_;
  uint64_t opened_at_ = 0;
  std::optional<absl::Status> poison_;  // a sync of the log failed since the last Open
  std::string at_ = "at the start";
  std::vector<std::string> failures_;
};

// How many operations of a sound run `counts` holds for.
uint64_t OperationsOfARun(const SimulatedFactory& factory, const FaultPlan& plan,
                          FaultRun::Middle middle,
                          const std::function<bool(FileOperation, const std::string&)>& counts,
                          std::vector<std::string>* failures) {
  FaultRun run(factory, plan, fmt::format("seed {}, no fault", plan.seed));
  uint64_t count = 0;
  const ScopedHook hook(run.files(), [&](FileOperation operation, const std::string& path) {
    count += counts(operation, path) ? 1 : 0;
  });
  run.Run(middle);
  *failures = std::move(run.failures());
  if (count == 0) failures->push_back("there is nothing in the history that could fail");
  return count;
}

// Calls fail_at(n) for the places of the plan until there are failures.
std::vector<std::string> AtEachPlace(const FaultPlan& plan, uint64_t places,
                                     std::vector<std::string> failures,
                                     const std::function<std::vector<std::string>(uint64_t)>& at) {
  Random random(plan.seed ^ 3);
  for (uint64_t i = 0; i < std::min(plan.moments, places) && failures.empty(); ++i) {
    failures = at(plan.moments < places ? random.Below(places) : i);
  }
  return failures;
}

}  // namespace

std::vector<std::string> CheckReadFaults(const SimulatedFactory& factory, const FaultPlan& plan) {
  std::vector<std::string> failures;
  const uint64_t reads = OperationsOfARun(
      factory, plan, FaultRun::Middle::kReopens,
      [](FileOperation operation, const std::string&) { return !IsCounted(operation); }, &failures);
  return AtEachPlace(plan, reads, std::move(failures), [&](uint64_t n) {
    FaultRun run(factory, plan, fmt::format("seed {}, an I/O error at read {}", plan.seed, n));
    run.files().FailAfter(n, Fault::kReadError, /*times=*/n % 3 == 0 ? 3 : 1);
    run.Run(FaultRun::Middle::kReopens);
    run.CheckWhatIsThere();
    return std::move(run.failures());
  });
}

std::vector<std::string> CheckSyncFaults(const SimulatedFactory& factory, const FaultPlan& plan) {
  std::vector<std::string> failures;
  const uint64_t syncs = OperationsOfARun(
      factory, plan, FaultRun::Middle::kGoesOn,
      [](FileOperation operation, const std::string&) { return operation == FileOperation::kSync; },
      &failures);
  bool poisoned = false;
  failures = AtEachPlace(plan, syncs, std::move(failures), [&](uint64_t n) {
    FaultRun run(factory, plan, fmt::format("seed {}, sync {} fails", plan.seed, n));
    run.files().FailAfter(n, Fault::kSyncFailure);
    run.Run(FaultRun::Middle::kGoesOn);
    run.CheckWhatIsThere();
    run.CheckNoFileIsUsedAfterItsSyncFailed();
    poisoned |= run.poisoned();
    return std::move(run.failures());
  });
  if (failures.empty() && !poisoned) failures.push_back("no sync of a log failed");
  return failures;
}

std::vector<std::string> CheckManifestFaults(const SimulatedFactory& factory,
                                             const FaultPlan& plan) {
  const auto is_step = [](FileOperation operation, const std::string& path) {
    if (operation == FileOperation::kSyncDirectory) return true;
    // Of a rename, what it leads to.
    const size_t to = path.find(" to ");
    const FileRole role = RoleOfFile(to == std::string::npos ? path : path.substr(to + 4));
    return IsCounted(operation) && (role == FileRole::kManifest || role == FileRole::kTemporary);
  };
  std::vector<std::string> failures;
  const uint64_t steps =
      OperationsOfARun(factory, plan, FaultRun::Middle::kGoesOn, is_step, &failures);
  return AtEachPlace(plan, steps, std::move(failures), [&](uint64_t n) {
    FaultRun run(factory, plan, fmt::format("seed {}, manifest step {} fails", plan.seed, n));
    uint64_t seen = 0;
    const ScopedHook hook(run.files(), [&, files = run.files()](FileOperation operation,
                                                                const std::string& path) mutable {
      if (is_step(operation, path) && seen++ == n) files.FailAfter(0, Fault::kIoError);
    });
    run.Run(FaultRun::Middle::kGoesOn);
    run.CheckWhatIsThere();
    return std::move(run.failures());
  });
}

std::vector<std::string> CheckFollowers(const SimulatedFactory& factory, const FaultPlan& plan) {
  constexpr size_t kWriters = 4;
  constexpr size_t kWrites = 30;
  const auto key_of = [](size_t writer, size_t i) { return fmt::format("{}.{}", writer, i); };
  const auto value_of = [](size_t writer, size_t i) {
    return fmt::format("{} of {}", i, writer) + std::string(200, 'v');
  };
  return AtEachPlace(plan, 3 * kWrites, {}, [&](uint64_t n) {
    std::vector<std::string> failures;
    const Fault fault = n % 3 == 0   ? Fault::kSyncFailure
                        : n % 3 == 1 ? Fault::kIoError
                                     : Fault::kShortWrite;
    SimulatedFileSystem files(n);
    const Composition composition = On(factory, files);
    const auto engine = composition.open(Stage::SmallOptions(kStoreDirectory));
    if (!engine.ok()) return std::vector{engine.status().ToString()};
    files.FailAfter(n / 3, fault);
    std::vector<size_t> acknowledged(kWriters);
    std::vector<std::thread> writers;
    for (size_t writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        size_t& mine = acknowledged[writer];
        while (mine < kWrites &&
               (*engine)->Put(key_of(writer, mine), value_of(writer, mine)).ok()) {
          ++mine;
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    ForEachCrash(files, 1, [&](SimulatedFileSystem crashed, const std::string& how) {
      const Composition later = On(factory, crashed);
      const auto reopened = later.open(Stage::SmallOptions(kStoreDirectory));
      if (!reopened.ok()) return failures.push_back(how + ": " + reopened.status().ToString());
      for (size_t writer = 0; writer < kWriters; ++writer) {
        for (size_t i = 0; i < acknowledged[writer]; ++i) {
          const auto found = Lookup(**reopened, key_of(writer, i));
          if (found.ok() && *found == value_of(writer, i)) continue;
          if (failures.size() < kMaxFailures) {
            failures.push_back(fmt::format("place {}, {}: write {} of writer {} was acknowledged",
                                           n, how, i, writer));
          }
        }
      }
    });
    return failures;
  });
}

}  // namespace kv::testing
