// Checkpoints of whole stores: copies that live their own lives, every crash of making one, and
// directories that must not be touched.
#include "engines/lsm/checkpoint.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "kv/io/crash_points.h"
#include "kv/io/log_writer.h"

namespace kv {
namespace {

const std::string kCopy = "/copies/copy";

template <typename E>
auto OpenCopy(SimulatedFileSystem fs) {
  Options options = StoreOptions();
  options.directory = kCopy;
  options.create_if_missing = false;
  return OpenStore<E>(std::move(fs), options);
}

template <typename E>
class CheckpointTest : public ::testing::Test {};
using Stores = ::testing::Types<SyncedStore, UnsyncedStore, SeparatedStore>;
TYPED_TEST_SUITE(CheckpointTest, Stores);

TYPED_TEST(CheckpointTest, IsAStoreOfItsOwn) {
  SimulatedFileSystem fs;
  Options options = StoreOptions();
  for (const uint64_t memtable_bytes : {1, 1 << 20}) {
    SCOPED_TRACE(memtable_bytes);
    fs = SimulatedFileSystem();
    options.memtable_bytes = memtable_bytes;
    auto store = OpenStore<TypeParam>(fs, options);
    ASSERT_TRUE(store.ok());
    EXPECT_EQ(History::WriteUntil(**store, 0, 30), 30u);
    const auto snapshot = (*store)->TakeSnapshot();
    ASSERT_TRUE((*store)->DeleteRange("key2", "key4").ok());
    Model model = *Contents(**store);
    ASSERT_TRUE((*store)->Checkpoint(kCopy).ok());
    // Each goes its own way, down to files that one of them no longer needs.
    ASSERT_TRUE((*store)->DeleteRange("", "").ok());
    ASSERT_TRUE((*store)->Compact().ok());
    EXPECT_EQ(*Contents(**store), Model());
    for (int i = 0; i < 2; ++i) {
      auto copy = OpenCopy<TypeParam>(fs);
      ASSERT_TRUE(copy.ok()) << copy.status();
      EXPECT_EQ(*Contents(**copy), model);
      EXPECT_EQ((*copy)->Verify(), absl::OkStatus());
      model["key7"] = fmt::format("of the copy, {}", i);
      ASSERT_TRUE((*copy)->Put("key7", model["key7"]).ok());
      ASSERT_TRUE((*copy)->Compact().ok());
      ASSERT_TRUE((*copy)->Close().ok());
    }
    EXPECT_EQ(*Contents(**store), Model());
    EXPECT_EQ((*store)->Verify(), absl::OkStatus());
  }
}

TYPED_TEST(CheckpointTest, OfAnEmptyStore) {
  SimulatedFileSystem fs;
  auto store = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Checkpoint(kCopy).ok());
  auto copy = OpenCopy<TypeParam>(fs);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(*Contents(**copy), Model());
}

TYPED_TEST(CheckpointTest, RefusesADirectoryThatHoldsAnything) {
  SimulatedFileSystem fs;
  auto store = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(History::WriteUntil(**store, 0, 10), 10u);
  EXPECT_EQ((*store)->Checkpoint(kStoreDirectory).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ((*store)->Checkpoint("").code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE((*store)->Checkpoint(kCopy).ok());
  const std::vector<std::string> before = *fs.List(kCopy);
  EXPECT_EQ((*store)->Checkpoint(kCopy).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*fs.List(kCopy), before);
  EXPECT_EQ(*Contents(**store), History::StateAfter(10));
  ASSERT_TRUE((*store)->Close().ok());
  EXPECT_EQ((*store)->Checkpoint("/elsewhere").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(fs.Exists("/elsewhere"));
}

// The original is never touched, and the copy is whole or refused; and whole, once it was made.
TYPED_TEST(CheckpointTest, EveryCrashLeavesAWholeCopyOrNone) {
  constexpr size_t kWrites = 6;
  SimulatedFileSystem start;
  {
    auto store = OpenStore<TypeParam>(start);
    ASSERT_TRUE(store.ok());
    ASSERT_EQ(History::WriteUntil(**store, 0, kWrites), kWrites);
    ASSERT_TRUE((*store)->Close().ok());
  }
  size_t whole = 0;
  size_t refused = 0;
  const auto run = [](SimulatedFileSystem fs) {
    auto store = OpenStore<TypeParam>(fs);
    return store.ok() && (*store)->Checkpoint(kCopy).ok();
  };
  const auto check = [&](SimulatedFileSystem crashed, bool made, const std::string& label) {
    auto store = OpenStore<TypeParam>(crashed);
    ASSERT_TRUE(store.ok()) << label << ": " << store.status();
    EXPECT_EQ(*Contents(**store), History::StateAfter(kWrites)) << label;
    auto copy = OpenCopy<TypeParam>(crashed);
    if (!copy.ok()) {
      ++refused;
      EXPECT_FALSE(made) << label << ": " << copy.status() << "\n" << crashed.Trace();
      return;
    }
    ++whole;
    EXPECT_EQ(*Contents(**copy), History::StateAfter(kWrites)) << label;
    EXPECT_TRUE((*copy)->Verify().ok()) << label;
  };
  ForEachCrashPoint(start, 2, run, check);
  EXPECT_GT(whole, 10u);
  EXPECT_GT(refused, 50u);
}

// A failure of the disk leaves nothing behind that looks like a store, and the original goes on.
TYPED_TEST(CheckpointTest, FailureLeavesNoStore) {
  SimulatedFileSystem fs;
  auto store = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(History::WriteUntil(**store, 0, 10), 10u);
  ASSERT_TRUE((*store)->Flush().ok());
  // A link that is there already cannot be made; nobody sees it coming.
  const FileNames to(kCopy);
  ManifestState state = ReadManifest(fs, FileNames(kStoreDirectory))->state;
  state.levels.back().push_back({.number = 999'999});
  ASSERT_TRUE(PrepareCheckpoint(fs, kCopy).ok());
  EXPECT_FALSE(WriteCheckpoint<LogWriter<SimulatedFileSystem>>(fs, FileNames(kStoreDirectory), to,
                                                               state, true)
                   .ok());
  EXPECT_EQ(*fs.List(kCopy), std::vector<std::string>());
  EXPECT_TRUE((*store)->Checkpoint(kCopy).ok());
  EXPECT_EQ(*Contents(**store), History::StateAfter(10));
}

}  // namespace
}  // namespace kv
