// Collecting garbage of separated values, cut off at each operation, and with each one failing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "engines/lsm/value_accounts_testing.h"
#include "kv/io/crash_points.h"

namespace kv {
namespace {

struct Progress {
  size_t acknowledged = 0;
  size_t flushed = 0;
  uint64_t moved = 0;
};

template <typename E>
Progress Collect(SimulatedFileSystem fs) {
  Progress progress;
  auto store = OpenStore<E>(fs, LargeMemtables());
  if (!store.ok()) return progress;
  for (const size_t end : {kFirst, kFirst + kThen}) {
    while (progress.acknowledged < end && WriteOne(**store, progress.acknowledged).ok()) {
      ++progress.acknowledged;
    }
    if (!(*store)->Flush().ok()) return progress;
    progress.flushed = progress.acknowledged;
  }
  (*store)->Compact().IgnoreError();
  progress.moved = (*store)->Stats().value_bytes_moved;
  return progress;
}

template <typename E>
class CollectingCrashTest : public ::testing::Test {};
using CrashStores = ::testing::Types<SeparatedStore, SeparatedUnsyncedStore>;
TYPED_TEST_SUITE(CollectingCrashTest, CrashStores);

TYPED_TEST(CollectingCrashTest, LosesNothing) {
  EXPECT_GT(Collect<TypeParam>(SimulatedFileSystem()).moved, 0u);
  const auto check = [&](SimulatedFileSystem crashed, const Progress& progress,
                         const std::string& label) {
    if (this->HasFailure()) return;
    auto store = OpenStore<TypeParam>(crashed, LargeMemtables());
    ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << crashed.Trace();
    const auto contents = Contents(**store);
    ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
    bool found = false;
    const size_t from = TypeParam::kDurableOnReturn ? progress.acknowledged : progress.flushed;
    for (size_t i = from; i <= std::min(progress.acknowledged + 1, kFirst + kThen); ++i) {
      found |= ModelAfter(i) == *contents;
    }
    EXPECT_TRUE(found) << label << "\n" << crashed.Trace();
    EXPECT_EQ((*store)->Verify(), absl::OkStatus()) << label;
    CheckAccounts(crashed, **store, false, true);
    ASSERT_TRUE((*store)->Compact().ok()) << label;
    CheckAccounts(crashed, **store, true, true);
    EXPECT_EQ(*Contents(**store), *contents) << label;
  };
  EXPECT_GT(ForEachCrashPoint(SimulatedFileSystem(), 1, Collect<TypeParam>, check), 100u);
}

// One operation fails while values are flushed and moved: nothing is lost, now or after the next
// open, and where the store still takes work, the next attempt succeeds.
TEST(CollectingTest, EachOperationMayFail) {
  size_t healed = 0;
  uint64_t skip = 0;
  for (bool struck = true; struck && !::testing::Test::HasFailure(); ++skip) {
    SCOPED_TRACE(skip);
    SimulatedFileSystem fs;
    auto store = OpenStore<SeparatedStore>(fs, LargeMemtables());
    ASSERT_TRUE(store.ok());
    for (size_t i = 0; i < kFirst + kThen; ++i) {
      ASSERT_TRUE(WriteOne(**store, i).ok());
      if (i + 1 != kFirst) continue;
      ASSERT_TRUE((*store)->Flush().ok());
    }
    fs.FailAfter(skip, Fault::kIoError, 1);
    absl::Status status = (*store)->Flush();
    status.Update((*store)->Compact());
    struck = fs.faults_injected() > 0;
    EXPECT_TRUE(struck || status.ok()) << status;
    EXPECT_EQ(*Contents(**store), ModelAfter(kFirst + kThen)) << status;
    {
      auto reopened =
          OpenStore<SeparatedStore>(fs.Crash(skip, CrashMode::kLoseUnsynced), LargeMemtables());
      ASSERT_TRUE(reopened.ok()) << reopened.status();
      EXPECT_EQ(*Contents(**reopened), ModelAfter(kFirst + kThen));
      EXPECT_EQ((*reopened)->Verify(), absl::OkStatus());
    }
    if (!(*store)->Compact().ok()) continue;
    healed += !status.ok();
    CheckAccounts(fs, **store, true, false);
    EXPECT_GT((*store)->Stats().value_bytes_moved, 0u);
    EXPECT_EQ(*Contents(**store), ModelAfter(kFirst + kThen));
    EXPECT_EQ((*store)->Verify(), absl::OkStatus());
  }
  EXPECT_GT(skip, 20u);
  EXPECT_GT(healed, 5u);
}

}  // namespace
}  // namespace kv
