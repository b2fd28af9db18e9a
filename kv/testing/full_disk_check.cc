#include "kv/testing/full_disk_check.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/crash_points.h"
#include "kv/testing/crash_history.h"
#include "kv/testing/random.h"
#include "kv/testing/simulated_store.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

constexpr size_t kMaxFailures = 5;
constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// A disk that can be told to be full after so many more operations.
class FillingDisk {
 public:
  explicit FillingDisk(uint64_t seed) : files_(seed) {
    files_.SetHook([this](FileOperation operation, const std::string&) {
      if (!IsCounted(operation) || full_ || left_ == kUnlimited) return;
      if (left_-- > 0) return;
      files_.SetCapacity(files_.UsedBytes() + slack_);
      full_ = true;
      left_ = kUnlimited;
      ++fillings_;
    });
  }
  ~FillingDisk() { files_.SetHook({}); }
  FillingDisk(const FillingDisk&) = delete;
  FillingDisk& operator=(const FillingDisk&) = delete;

  SimulatedFileSystem& files() { return files_; }
  bool full() const { return full_; }
  // Neither full nor about to be.
  bool Idle() const { return !full_ && left_ == kUnlimited; }
  uint64_t fillings() const { return fillings_; }

  // With room for `slack` bytes then.
  void FillAfter(uint64_t operations, uint64_t slack) {
    left_ = operations;
    slack_ = slack;
  }
  void Empty() {
    left_ = kUnlimited;
    full_ = false;
    files_.SetCapacity(kUnlimited);
  }

 private:
  SimulatedFileSystem files_;
  uint64_t left_ = kUnlimited;  // operations until it is full
  uint64_t slack_ = 0;
  bool full_ = false;
  uint64_t fillings_ = 0;
};

class FullDiskChecker {
 public:
  FullDiskChecker(const SimulatedFactory& factory, const CrashPlan& plan)
      : factory_(factory),
        plan_(plan),
        steps_(MakeCrashSteps(plan.history_seed, plan.steps, CrashValues::kSomeLarge)),
        random_(plan.history_seed ^ 2) {}

  FullDiskReport Run() {
    FillingDisk never(plan_.history_seed);
    RunHistory(never, "never full");
    const uint64_t operations = never.files().operations();
    const uint64_t moments = std::min(plan_.moments, operations);
    for (uint64_t i = 0; i < moments && report_.failures.size() < kMaxFailures; ++i) {
      const uint64_t moment = plan_.moments < operations ? random_.Below(operations) : i;
      FillingDisk disk(plan_.history_seed);
      const uint64_t slack = SomeSlack();
      disk.FillAfter(moment, slack);
      RunHistory(disk, fmt::format("full after {} operations but for {} bytes", moment, slack));
      report_.fillings += disk.fillings();
    }
    return std::move(report_);
  }

 private:
  // Little or nothing: what is refused is a write here and a file there.
  uint64_t SomeSlack() { return random_.OneIn(2) ? 0 : random_.Below(8000); }

  void RunHistory(FillingDisk& disk, const std::string& label) {
    label_ = label;
    const Composition composition = On(factory_, disk.files());
    auto engine = composition.open(Stage::SmallOptions(kStoreDirectory));
    if (!engine.ok() && disk.full()) {
      if (!ExpectShortage(engine.status(), disk, "Open")) return;
      disk.Empty();
      engine = composition.open(Stage::SmallOptions(kStoreDirectory));
    }
    if (!engine.ok()) return Fail("Open: " + engine.status().ToString(), disk);
    size_t promised = 0;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (!Take(i, promised, composition, **engine, disk)) return;
      if (composition.has.durable_on_return || steps_[i].Syncs()) promised = i + 1;
    }
    disk.Empty();
    if (const absl::Status status = (*engine)->Close(); !status.ok()) {
      return Fail("Close: " + status.ToString(), disk);
    }
    engine = composition.open(Stage::SmallOptions(kStoreDirectory));
    if (!engine.ok()) return Fail("a second Open: " + engine.status().ToString(), disk);
    ExpectStates(composition, **engine, steps_.size(), steps_.size(), nullptr, disk, "at the end");
    if (const absl::Status status = (*engine)->Verify(); !status.ok()) {
      Fail("Verify at the end: " + status.ToString(), disk);
    }
  }

  // Performs step `i`, if need be again when there is room. `promised` steps survive a power loss.
  bool Take(size_t i, size_t promised, const Composition& composition, AnyEngine& engine,
            FillingDisk& disk) {
    CrashStep step = steps_[i];
    for (int attempt = 0;; ++attempt) {
      const bool had_room = !disk.full();
      const absl::Status status = PerformCrashStep(engine, step);
      const std::string what = fmt::format("step {}, attempt {}", i, attempt);
      if (status.ok()) break;
      if (had_room && !disk.full()) {
        Fail(fmt::format("{} is refused although there is room: {}", what, status.ToString()),
             disk);
        return false;
      }
      if (!ExpectShortage(status, disk, what)) return false;
      ++report_.refusals;
      if (!ExpectStates(composition, engine, i, i, &step, disk, what + " was refused") ||
          !ExpectRecovery(composition, promised, i, &step, disk, what + " was refused, then")) {
        return false;
      }
      // A copy that was cut short is in the way of the next.
      if (step.kind == CrashStepKind::kCheckpoint) step.copy += "'";
      if (attempt >= 1 || random_.OneIn(2)) disk.Empty();
      if (!disk.full() && random_.OneIn(2) &&
          !ExpectNothingComesAlong(composition, promised, i, step, engine, disk)) {
        return false;
      }
    }
    // While it is full some steps find what they need.
    if (disk.full() && random_.OneIn(8)) disk.Empty();
    if (disk.fillings() > 0 && disk.Idle()) disk.FillAfter(random_.Below(60), SomeSlack());
    return true;
  }

  // Another write, which changes nothing, does not bring back what was refused.
  bool ExpectNothingComesAlong(const Composition& composition, size_t promised, size_t done,
                               const CrashStep& refused, AnyEngine& engine, FillingDisk& disk) {
    absl::Status status = engine.Delete(kAfterTheCrash);
    if (status.ok()) status = engine.Flush();
    const std::string what = fmt::format("step {} was refused, then another write,", done);
    if (!status.ok()) {
      Fail(fmt::format("{} is refused: {}", what, status.ToString()), disk);
      return false;
    }
    return ExpectRecovery(composition, std::max(promised, done), done, &refused, disk, what);
  }

  bool ExpectShortage(const absl::Status& status, FillingDisk& disk, std::string_view what) {
    const bool says_so = IsOutOfSpace(status) && status.message().find('/') != std::string::npos;
    if (!says_so) Fail(fmt::format("{}: on a full disk: {}", what, status.ToString()), disk);
    return says_so;
  }

  // The store shows the state after some number of steps from `least` to `most`, or one that
  // `refused` may have left.
  bool ExpectStates(const Composition& composition, AnyEngine& engine, size_t least, size_t most,
                    const CrashStep* refused, FillingDisk& disk, std::string_view what) {
    const absl::StatusOr<Contents> found = ReadCrashKeys(composition, engine);
    if (!found.ok()) {
      Fail(fmt::format("{}: reading: {}", what, found.status().ToString()), disk);
      return false;
    }
    static const Contents* const empty = new Contents();
    for (size_t n = least; n <= most; ++n) {
      if (*found == (n == 0 ? *empty : steps_[n - 1].after)) return true;
    }
    if (refused != nullptr && std::find(refused->within.begin(), refused->within.end(), *found) !=
                                  refused->within.end()) {
      return true;
    }
    Fail(fmt::format("{}: the store shows no state after {} to {} steps", what, least, most), disk);
    return false;
  }

  // The power fails, and the store is opened on a disk with room.
  bool ExpectRecovery(const Composition& composition, size_t promised, size_t done,
                      const CrashStep* refused, FillingDisk& disk, const std::string& what) {
    for (const CrashMode mode : {CrashMode::kLoseUnsynced, CrashMode::kKeepAll}) {
      SimulatedFileSystem crashed = disk.files().Crash(random_.Next(), mode);
      crashed.SetCapacity(kUnlimited);
      const auto engine = On(factory_, crashed).open(Stage::SmallOptions(kStoreDirectory));
      const std::string when = fmt::format("{} a crash, mode {}", what, ToString(mode));
      if (!engine.ok()) {
        Fail(fmt::format("{}: Open: {}", when, engine.status().ToString()), disk);
        return false;
      }
      if (!ExpectStates(composition, **engine, promised, done, refused, disk, when)) return false;
    }
    return true;
  }

  void Fail(std::string_view what, FillingDisk& disk) {
    if (report_.failures.size() >= kMaxFailures) return;
    report_.failures.push_back(
        fmt::format("history seed {}, {}: {}", plan_.history_seed, label_, what));
    // The end of the trace once: where it went wrong is near.
    if (report_.failures.size() > 1) return;
    const std::string trace = disk.files().Trace();
    constexpr size_t kShown = 4000;
    report_.failures.back() += "\n" + trace.substr(trace.size() - std::min(trace.size(), kShown));
  }

  const SimulatedFactory& factory_;
  const CrashPlan& plan_;
  const std::vector<CrashStep> steps_;
  Random random_;
  FullDiskReport report_;
  std::string label_;
};

}  // namespace

FullDiskReport CheckFullDisk(const SimulatedFactory& factory, const CrashPlan& plan) {
  return FullDiskChecker(factory, plan).Run();
}

}  // namespace kv::testing
