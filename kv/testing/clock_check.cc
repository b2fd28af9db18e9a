#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "kv/io/crash_points.h"
#include "kv/testing/fault_check.h"
#include "kv/testing/random.h"
#include "kv/testing/simulated_store.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

constexpr size_t kMaxFailures = 5;
constexpr uint64_t kKeys = 10;
constexpr uint64_t kMinute = 60'000;

// The newest write of a key.
struct Written {
  std::string value;
  uint64_t expires_at = kNeverExpires;
  uint64_t latest_clock = 0;  // seen since it was written
};

class ClockRun {
 public:
  ClockRun(const SimulatedFactory& factory, uint64_t seed, int steps)
      : factory_(factory), random_(seed), seed_(seed), steps_(steps) {
    environment_.file_system = SimulatedFileSystem(seed);
    start_ = now_ = environment_.clock.UnixMillis();
  }

  std::vector<std::string> Run() {
    composition_ = factory_(environment_);
    if (!Open()) return failures_;
    for (step_ = 0; step_ < steps_ && failures_.empty(); ++step_) {
      TakeAStep();
      if (failures_.empty()) Check(*engine_);
    }
    ExpectOk(engine_->Verify(), "Verify");
    ExpectOk(engine_->Flush(), "Flush");
    if (failures_.empty()) CheckCrashes();
    return std::move(failures_);
  }

 private:
  void Fail(std::string_view what) {
    if (failures_.size() >= kMaxFailures) return;
    failures_.push_back(fmt::format("seed {}, step {}, clock {}: {}", seed_, step_, now_, what));
  }

  void ExpectOk(const absl::Status& status, std::string_view what) {
    if (!status.ok()) Fail(fmt::format("{}: {}", what, status.ToString()));
  }

  bool Open() {
    auto engine = composition_.open(Stage::SmallOptions(kStoreDirectory));
    ExpectOk(engine.status(), "Open");
    if (engine.ok()) engine_ = *std::move(engine);
    return engine.ok();
  }

  void Jump() {
    const uint64_t times[] = {0,
                              1,
                              start_ - 24 * 60 * kMinute,
                              start_,
                              start_ + random_.Below(240) * kMinute,
                              start_ + random_.Below(240) * kMinute,
                              uint64_t{1} << 63,
                              UINT64_MAX};
    now_ = times[random_.Below(std::size(times))];
    environment_.clock.SetUnixMillis(now_);
    for (auto& [key, written] : written_) {
      written.latest_clock = std::max(written.latest_clock, now_);
    }
  }

  uint64_t SomeExpiry() {
    if (!composition_.has.expiry || random_.OneIn(2)) return kNeverExpires;
    return random_.OneIn(12) ? UINT64_MAX : start_ + random_.Below(240) * kMinute;
  }

  // Large enough for flushes to come by themselves now and then.
  std::string SomeValue() {
    return fmt::format("step {} ", step_) + random_.Bytes(random_.Below(900));
  }

  void TakeAStep() {
    const std::string key = fmt::format("key{}", random_.Below(kKeys));
    const uint64_t roll = random_.Below(100);
    if (roll < 25) return Jump();
    if (roll < 60) {
      const Written written{SomeValue(), SomeExpiry(), now_};
      ExpectOk(engine_->Put(key, written.value, {.expires_at = written.expires_at}), "Put");
      written_[key] = written;
    } else if (roll < 66) {
      ExpectOk(engine_->Delete(key), "Delete");
      written_.erase(key);
    } else if (roll < 68) {
      // Of what has expired too: it does not come back with the clock.
      ExpectOk(engine_->DeleteRange(key, ""), "DeleteRange");
      written_.erase(written_.lower_bound(key), written_.end());
    } else if (roll < 76) {
      Swap(key);
    } else if (roll < 82) {
      SetExpiry(key);
    } else if (roll < 90) {
      ExpectOk(engine_->Flush(), "Flush");
    } else if (roll < 96) {
      ExpectOk(engine_->Compact(), "Compact");
    } else {
      ExpectOk(engine_->Close(), "Close");
      engine_.reset();
      if (!Open()) return;
    }
  }

  // The clock stands still, so what a read finds a swap finds too.
  void Swap(const std::string& key) {
    const auto found = Lookup(*engine_, key);
    if (!found.ok()) return Fail(found.status().ToString());
    const Written written{SomeValue(), SomeExpiry(), now_};
    const auto result =
        engine_->CompareAndSet(key, *found, written.value, {.expires_at = written.expires_at});
    ExpectOk(result.status(), "CompareAndSet");
    if (result.ok() && !result->swapped) Fail("CompareAndSet does not find what Get does");
    written_[key] = written;
  }

  void SetExpiry(const std::string& key) {
    if (!composition_.has.expiry) return;
    const auto found = Lookup(*engine_, key);
    if (!found.ok()) return Fail(found.status().ToString());
    const uint64_t expires_at = SomeExpiry();
    const absl::Status status = engine_->ExpireAt(key, expires_at);
    if (found->has_value() ? !status.ok() : !absl::IsNotFound(status)) {
      Fail(fmt::format("ExpireAt of {}: {}", ShowFound(*found), status.ToString()));
    }
    if (found->has_value()) written_[key] = {**found, expires_at, now_};
  }

  // What must be there, may be, and may not.
  void CheckKey(const std::string& key, const std::optional<std::string>& found) {
    const auto it = written_.find(key);
    const bool newest = found && it != written_.end() && *found == it->second.value;
    if (found && !newest) {
      return Fail(fmt::format("{} is {}, which is not its newest value", key, ShowFound(found)));
    }
    if (it == written_.end()) return;
    const Written& written = it->second;
    const bool expires = written.expires_at != kNeverExpires;
    if (expires && written.expires_at <= now_) {
      if (found) Fail(fmt::format("{} is there after {}", key, written.expires_at));
    } else if (!found && !(expires && written.expires_at <= written.latest_clock)) {
      Fail(fmt::format("{} is gone; it expires at {}", key, written.expires_at));
    }
  }

  void Check(AnyEngine& engine) {
    Contents contents;
    for (uint64_t i = 0; i < kKeys; ++i) {
      const std::string key = fmt::format("key{}", i);
      const auto found = Lookup(engine, key);
      if (!found.ok()) return Fail(found.status().ToString());
      CheckKey(key, *found);
      if (*found) contents[key] = **found;
    }
    const auto count = engine.Count("");
    ExpectOk(count.status(), "Count");
    if (count.ok() && *count != contents.size()) Fail("Count and Get disagree");
    if (!composition_.has.ordered) return;
    const auto scanned = Scan(*engine.NewCursor());
    ExpectOk(scanned.status(), "a scan");
    if (scanned.ok() && *scanned != contents) Fail("a scan and Get disagree");
  }

  void CheckCrashes() {
    ForEachCrash(
        environment_.file_system, 1, [&](SimulatedFileSystem crashed, const std::string& how) {
          SimulatedEnvironment environment;
          environment.file_system = crashed;
          environment.clock.SetUnixMillis(now_);
          const auto engine = factory_(environment).open(Stage::SmallOptions(kStoreDirectory));
          ExpectOk(engine.status(), how);
          if (engine.ok()) Check(**engine);
        });
  }

  const SimulatedFactory& factory_;
  Random random_;
  const uint64_t seed_;
  const int steps_;
  SimulatedEnvironment environment_;
  Composition composition_;
  uint64_t start_;
  uint64_t now_;
  int step_ = 0;
  std::unique_ptr<AnyEngine> engine_;
  std::map<std::string, Written> written_;
  std::vector<std::string> failures_;
};

}  // namespace

std::vector<std::string> CheckClockJumps(const SimulatedFactory& factory, const FaultPlan& plan) {
  std::vector<std::string> failures;
  for (uint64_t i = 0; i < plan.moments && failures.empty(); ++i) {
    failures = ClockRun(factory, plan.seed + i, plan.steps).Run();
  }
  return failures;
}

}  // namespace kv::testing
