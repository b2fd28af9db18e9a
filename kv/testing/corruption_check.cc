#include "kv/testing/corruption_check.h"

#include <algorithm>
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
// Of the zeros that are put ahead of a log's records, one in so many.
constexpr uint64_t kBlankBytes = 16 << 10;

class CorruptionChecker {
 public:
  CorruptionChecker(const SimulatedFactory& factory, const CorruptionPlan& plan)
      : factory_(factory),
        plan_(plan),
        steps_(MakeCrashSteps(plan.history_seed, plan.steps)),
        random_(plan.history_seed ^ 3),
        intact_(plan.history_seed) {}

  CorruptionReport Run() {
    MakeStore();
    const auto names = intact_.List(kStoreDirectory);
    if (!names.ok()) Fail("the store cannot be listed: " + names.status().ToString());
    if (!report_.failures.empty()) return std::move(report_);
    for (const std::string& name : *names) Sweep(fmt::format("{}/{}", kStoreDirectory, name));
    return std::move(report_);
  }

 private:
  void MakeStore() {
    const auto engine = On(factory_, intact_).open(Stage::SmallOptions(kStoreDirectory));
    if (!engine.ok()) return Fail("Open: " + engine.status().ToString());
    for (const CrashStep& step : steps_) {
      if (step.kind == CrashStepKind::kCheckpoint) continue;
      const absl::Status status = PerformCrashStep(**engine, step);
      if (!status.ok()) return Fail("a step: " + status.ToString());
    }
    const absl::Status status =
        plan_.end == StoreEnd::kClosed ? (*engine)->Close() : (*engine)->Flush();
    if (!status.ok()) return Fail("the end: " + status.ToString());
    intact_ = intact_.Crash(0, CrashMode::kKeepAll);
  }

  void Sweep(const std::string& path) {
    const absl::StatusOr<std::string> bytes = intact_.Contents(path);
    if (!bytes.ok()) return;  // a directory
    const uint64_t size = bytes->size();
    const uint64_t phase = random_.Below(plan_.stride);
    uint64_t zeros_end = 0;  // of the run of zeros that `at` is in
    for (uint64_t at = 0; at < size && report_.failures.size() < kMaxFailures; ++at) {
      if (at >= zeros_end) zeros_end = std::min(bytes->find_first_not_of('\0', at), size);
      const bool end = at < plan_.ends || size - at <= plan_.ends;
      const bool blank = !end && zeros_end - at > kBlankBytes;
      if (end || blank || at % plan_.stride == phase) Flip(path, at);
      if (blank) at += kBlankBytes - 1;
    }
  }

  void Flip(const std::string& path, uint64_t at) {
    const auto bit = static_cast<unsigned>(random_.Below(8));
    SimulatedFileSystem files = intact_.Crash(0, CrashMode::kKeepAll);
    flip_ = fmt::format("bit {} of byte {} of {}", bit, at, path);
    ++report_.flips;
    if (const absl::Status status = files.FlipBit(path, at, bit); !status.ok()) {
      return Fail(status.ToString());
    }
    const Composition composition = On(factory_, files);
    const auto engine = composition.open(Stage::SmallOptions(kStoreDirectory));
    if (!engine.ok()) return ExpectRefusal(engine.status(), "Open");
    CheckReads(composition, **engine);
  }

  void CheckReads(const Composition& composition, AnyEngine& engine) {
    Contents found;
    std::vector<uint64_t> unread;
    for (uint64_t number = 0; number < kCrashKeys; ++number) {
      auto value = Lookup(engine, CrashKey(number));
      if (!value.ok()) {
        ExpectRefusal(value.status(), "Get");
        unread.push_back(number);
      } else if (*value) {
        found[CrashKey(number)] = **std::move(value);
      }
    }
    Contents last = steps_.back().after;
    for (const uint64_t number : unread) last.erase(CrashKey(number));
    if (found == last || (unread.empty() && MayBeTorn(composition, found))) return;
    Fail(fmt::format("{} keys are found, {} are refused, and that is no state of the history",
                     found.size(), unread.size()));
  }

  // Whether `found` is what is left when the last write is taken for one that was torn; or, where
  // writes are not synced one by one, when any number of them are.
  bool MayBeTorn(const Composition& composition, const Contents& found) const {
    for (size_t n = steps_.size(); n > 0; --n) {
      const CrashStep& step = steps_[n - 1];
      const Contents before = n == 1 ? Contents() : steps_[n - 2].after;
      if (found == before) return true;
      if (std::ranges::find(step.within, found) != step.within.end()) return true;
      if (before != step.after && composition.has.durable_on_return) return false;
    }
    return false;
  }

  void ExpectRefusal(const absl::Status& status, std::string_view call) {
    ++report_.refused;
    const bool named = status.message().find(kStoreDirectory) != std::string::npos;
    if (named && (absl::IsDataLoss(status) || absl::IsFailedPrecondition(status))) return;
    Fail(fmt::format("{} does not say which file is damaged: {}", call, status.ToString()));
  }

  void Fail(std::string_view what) {
    if (report_.failures.size() >= kMaxFailures) return;
    report_.failures.push_back(
        fmt::format("history seed {}, {}: {}", plan_.history_seed, flip_, what));
  }

  const SimulatedFactory& factory_;
  const CorruptionPlan& plan_;
  const std::vector<CrashStep> steps_;
  Random random_;
  SimulatedFileSystem intact_;
  CorruptionReport report_;
  std::string flip_ = "no bit";
};

}  // namespace

CorruptionReport CheckCorruption(const SimulatedFactory& factory, const CorruptionPlan& plan) {
  return CorruptionChecker(factory, plan).Run();
}

}  // namespace kv::testing
