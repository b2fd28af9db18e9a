// The checks of faults and known bugs, on a store that is right and on stores with one bug each.
#include "kv/testing/fault_check.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/known_bugs.h"
#include "kv/testing/reference_store.h"
#include "kv/testing/wrapped_engine.h"

namespace kv::testing {
namespace {

template <typename Parts>
Composition StoreOn(const SimulatedEnvironment& environment) {
  return CompositionOf<ReferenceStore<SimulatedEnvironment, Parts>>("store", environment);
}

// The sound store with the bug of `Broken`, which is made of it.
template <typename Broken>
Composition BrokenOn(const SimulatedEnvironment& environment) {
  Composition composition = StoreOn<SoundParts>(environment);
  composition.open = [open = composition.open](
                         const Options& options) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
    KV_ASSIGN_OR_RETURN(auto store, open(options));
    return std::make_unique<Broken>(std::move(store));
  };
  return composition;
}

constexpr FaultPlan kPlan = {.seed = 1, .steps = 40, .moments = 30};
const std::vector<std::string> kNone;

TEST(FaultCheckTest, PassesASoundStore) {
  EXPECT_EQ(CheckReadFaults(StoreOn<SoundParts>, kPlan), kNone);
  EXPECT_EQ(CheckSyncFaults(StoreOn<SoundParts>, kPlan), kNone);
  EXPECT_EQ(CheckManifestFaults(StoreOn<SoundParts>, kPlan), kNone);
  EXPECT_EQ(CheckFollowers(StoreOn<SoundParts>, kPlan), kNone);
  EXPECT_EQ(CheckClockJumps(StoreOn<SoundParts>, {.seed = 1, .steps = 200, .moments = 5}), kNone);
  EXPECT_EQ(CheckLongReaders(StoreOn<SoundParts>), kNone);
}

TEST(FaultCheckTest, PassesAStoreThatPromisesAPrefix) {
  EXPECT_EQ(CheckReadFaults(StoreOn<UnsyncedParts>, kPlan), kNone);
  EXPECT_EQ(CheckSyncFaults(StoreOn<UnsyncedParts>, kPlan), kNone);
  EXPECT_EQ(CheckManifestFaults(StoreOn<UnsyncedParts>, kPlan), kNone);
}

// What cannot be read is taken for a store that is not there, and a new one is made.
Composition BeginsAnewWhenItCannotRead(const SimulatedEnvironment& environment) {
  Composition composition = StoreOn<SoundParts>(environment);
  composition.open = [open = composition.open,
                      files = environment.file_system](const Options& options) mutable {
    auto store = open(options);
    if (!absl::IsUnavailable(store.status())) return store;
    files.Remove(options.directory + "/log").IgnoreError();
    return open(options);
  };
  return composition;
}

TEST(FaultCheckTest, RefusesAnUnreadableStoreTakenForNone) {
  EXPECT_NE(CheckReadFaults(BeginsAnewWhenItCannotRead, kPlan), kNone);
}

class AnswersNotFound : public Wrapped {
 public:
  explicit AnswersNotFound(std::unique_ptr<AnyEngine> store) : Wrapped(std::move(store)) {}
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    const absl::Status status = inner_.Put(key, value, options);
    return status.ok() ? status : absl::NotFoundError(status.message());
  }
};

TEST(FaultCheckTest, RefusesErrorsOfAnotherKind) {
  EXPECT_NE(CheckSyncFaults(BrokenOn<AnswersNotFound>, kPlan), kNone);
}

// fsync is tried again with the next write, and believed.
struct GoesOnAfterErrors : SoundParts {
  static constexpr bool kStopsAfterErrors = false;
};

TEST(FaultCheckTest, RefusesToGoOnAfterAFailedSync) {
  EXPECT_NE(CheckSyncFaults(StoreOn<GoesOnAfterErrors>, kPlan), kNone);
  EXPECT_NE(CheckManifestFaults(StoreOn<GoesOnAfterErrors>, kPlan), kNone);
}

class HandsOutOk : public Wrapped {
 public:
  explicit HandsOutOk(std::unique_ptr<AnyEngine> store) : Wrapped(std::move(store)) {}
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    const absl::Status status = inner_.Put(key, value, options);
    const bool follows = !key.starts_with('0');
    return follows ? absl::OkStatus() : status;
  }
};

TEST(FaultCheckTest, RefusesAnErrorThatStaysWithTheLeader) {
  EXPECT_NE(CheckFollowers(BrokenOn<HandsOutOk>, kPlan), kNone);
}

class ForgetsExpiry : public Wrapped {
 public:
  explicit ForgetsExpiry(std::unique_ptr<AnyEngine> store) : Wrapped(std::move(store)) {}
  absl::Status Put(std::string_view key, std::string_view value, const PutOptions&) override {
    return inner_.Put(key, value, PutOptions{});
  }
};

// What has expired no longer hides what was there before it.
class ShowsOlderValues : public Wrapped {
 public:
  explicit ShowsOlderValues(std::unique_ptr<AnyEngine> store) : Wrapped(std::move(store)) {}
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    std::string older;
    if (inner_.Get(key, &older).ok()) older_[std::string(key)] = older;
    return inner_.Put(key, value, options);
  }
  absl::Status Delete(std::string_view key) override {
    older_.erase(std::string(key));
    return inner_.Delete(key);
  }
  absl::Status Get(std::string_view key, std::string* value) override {
    const absl::Status status = inner_.Get(key, value);
    const auto older = older_.find(std::string(key));
    if (!absl::IsNotFound(status) || older == older_.end()) return status;
    *value = older->second;
    return absl::OkStatus();
  }

 private:
  std::map<std::string, std::string> older_;
};

TEST(FaultCheckTest, RefusesWrongExpiryAfterAJump) {
  constexpr FaultPlan kJumps = {.seed = 1, .steps = 200, .moments = 3};
  EXPECT_NE(CheckClockJumps(BrokenOn<ForgetsExpiry>, kJumps), kNone);
  EXPECT_NE(CheckClockJumps(BrokenOn<ShowsOlderValues>, kJumps), kNone);
}

// The checksums of its records do not say of which log they are. It begins a new file each time, so
// that does no harm; where the blocks of the old one come back, it would.
TEST(FaultCheckTest, RefusesRecordsThatMayBeOfAnotherLog) {
  const std::vector<std::string> failures = CheckStaleTails(StoreOn<SoundParts>, 1, 100);
  ASSERT_FALSE(failures.empty());
  EXPECT_EQ(failures.front(), "a stale tail is taken for data");
}

class PinsEverything : public Wrapped {
 public:
  explicit PinsEverything(std::unique_ptr<AnyEngine> store) : Wrapped(std::move(store)) {}
  std::unique_ptr<AnySnapshot> TakeSnapshot() override {
    pinned_ = true;
    return inner_.TakeSnapshot();
  }
  std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds,
                                       const AnySnapshot* snapshot) override {
    pinned_ = true;
    return inner_.NewCursor(bounds, snapshot);
  }
  absl::Status Compact() override { return pinned_ ? absl::OkStatus() : inner_.Compact(); }

 private:
  bool pinned_ = false;
};

TEST(FaultCheckTest, RefusesReadersThatPinEverything) {
  EXPECT_NE(CheckLongReaders(BrokenOn<PinsEverything>), kNone);
}

}  // namespace
}  // namespace kv::testing
