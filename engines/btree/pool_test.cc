// The buffer pool: pages are evicted and come back, changed ones stay until they are written, and
// reads go on while a checkpoint writes and pages come and go.
#include "engines/btree/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engines/btree/checkpoint.h"
#include "engines/btree/store_testing.h"
#include "kv/testing/random.h"

namespace kv::btree {
namespace {

constexpr size_t kBytes = 512;
using SmallPool = Pool<SimulatedFileSystem, kBytes>;
using SmallCheckpoint = CheckpointWriter<SimulatedFileSystem, kBytes>;

// A pool of sixteen frames over an empty file, with its checkpoints.
class PoolTest : public ::testing::Test {
 protected:
  PoolTest() {
    EXPECT_TRUE(fs_.CreateDirectories("/d").ok());
    auto writable = fs_.Create("/d/TREE");
    auto readable = fs_.OpenForRead("/d/TREE");
    pool_ = std::make_unique<SmallPool>(*std::move(readable), "/d/TREE", 1);
    Image image;
    image.header.page_bytes = kBytes;
    image.space.Mark({0, kFirstPlace});
    pool_->SetPlaces({});
    checkpoint_ = std::make_unique<SmallCheckpoint>(*std::move(writable), *pool_, std::move(image));
  }

  // A new page that holds `value`.
  PageId Add(const std::string& value) {
    const std::lock_guard lock(pool_->mutex());
    const PageId id = pool_->NewIdLocked();
    Fill(id, value);
    return id;
  }

  void Fill(PageId id, const std::string& value) {
    Frame* const frame = pool_->NewFrameLocked(id, 1);
    frame->page().Initialize(id, 1, kBytes, PageKind::kLeaf, 0);
    const std::vector<LeafItem> items = {{.key = "key", .value = value, .sequence = 1}};
    FillLeaf(frame->page(), items, 0, 0);
    pool_->ReplaceLocked(frame);
  }

  std::string Value(PageId id) {
    for (;;) {
      {
        const auto guard = pool_->Enter();
        if (Frame* const frame = pool_->Find(id); frame != nullptr) {
          return std::string(frame->page().item(0).value);
        }
      }
      const absl::Status status = pool_->Load(id);
      if (!status.ok()) return std::string(status.message());
    }
  }

  ChangeSet Cut() {
    const std::lock_guard lock(pool_->mutex());
    return pool_->CutLocked();
  }
  absl::Status Checkpoint() { return checkpoint_->Write({.changes = Cut()}); }

  SimulatedFileSystem fs_;
  std::unique_ptr<SmallPool> pool_;
  std::unique_ptr<SmallCheckpoint> checkpoint_;
};

TEST_F(PoolTest, EvictsCleanPagesUnderPressureAndReadsThemBack) {
  std::vector<PageId> ids;
  for (int i = 0; i < 300; ++i) {
    ids.push_back(Add(fmt::format("value{}", i)));
    if (i % 10 == 9) {
      ASSERT_TRUE(Checkpoint().ok());
    }
  }
  // The budget is sixteen; the newest, and what is changed, come on top.
  EXPECT_LE(pool_->ResidentUnits(), 100u);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(Value(ids[i]), fmt::format("value{}", i));
    EXPECT_LE(pool_->ResidentUnits(), 100u);
  }
  EXPECT_GT(pool_->Misses(), 300u);
}

TEST_F(PoolTest, NeverEvictsWhatTheFileDoesNotHave) {
  std::vector<PageId> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(Add(fmt::format("value{}", i)));
  EXPECT_EQ(pool_->ResidentUnits(), 300u) << "there is no place to read them back from";
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(Value(ids[i]), fmt::format("value{}", i));
  EXPECT_EQ(pool_->Misses(), 0u);
}

TEST_F(PoolTest, NeverEvictsAPinnedPage) {
  const PageId pinned = Add("pinned");
  ASSERT_TRUE(Checkpoint().ok());
  Frame* const frame = pool_->Find(pinned);
  frame->pinned = true;
  for (int i = 0; i < 300; ++i) {
    Add("other");
    if (i % 10 == 9) {
      ASSERT_TRUE(Checkpoint().ok());
    }
    ASSERT_EQ(pool_->Find(pinned), frame);
  }
  frame->pinned = false;
  for (int i = 0; i < 300; ++i) {
    Add("other");
    if (i % 10 == 9) {
      ASSERT_TRUE(Checkpoint().ok());
    }
  }
  EXPECT_EQ(pool_->Find(pinned), nullptr);
  EXPECT_EQ(Value(pinned), "pinned");
}

TEST_F(PoolTest, WhatChangesAfterTheCutIsNotInTheCheckpoint) {
  const PageId id = Add("old");
  ChangeSet changes = Cut();
  {
    const std::lock_guard lock(pool_->mutex());
    Frame* const frozen = pool_->Find(id);
    Frame* const writable = pool_->WritableLocked(frozen);
    EXPECT_NE(writable, frozen) << "a frozen page is copied";
    EXPECT_EQ(pool_->WritableLocked(writable), writable);
    Fill(id, "new");
  }
  EXPECT_EQ(Value(id), "new");
  ASSERT_TRUE(checkpoint_->Write({.changes = std::move(changes)}).ok());
  EXPECT_EQ(Value(id), "new") << "and stays in memory";
  const Extent at = checkpoint_->pages()[id];
  alignas(64) char bytes[kBytes];
  ASSERT_TRUE(
      SmallPool::ReadPage(pool_->file(), "/d/TREE", id, at, pool_->Generation(), bytes).ok());
  EXPECT_EQ(Page(bytes).item(0).value, "old");
  ASSERT_TRUE(Checkpoint().ok());
  EXPECT_NE(checkpoint_->pages()[id].place, at.place) << "nothing is written over";
}

// What was written in the meantime is in memory only; a freed place must not be used before the
// header that does not need it any more is in force.
TEST_F(PoolTest, APlaceIsUsedAgainOnlyWhenAHeaderThatDoesNotNeedItIsDurable) {
  const PageId id = Add("one");
  ASSERT_TRUE(Checkpoint().ok());
  const Place first = checkpoint_->pages()[id].place;
  bool header_written = false;
  bool header_durable = false;
  bool reused_early = false;
  fs_.SetHook([&](FileOperation operation, const std::string&) {
    if (operation == FileOperation::kSync && header_written) header_durable = true;
    // The header is what is written between the two syncs.
    if (operation == FileOperation::kSync) header_written = true;
  });
  const std::string before = fs_.Contents("/d/TREE")->substr(first * kBytes, kBytes);
  {
    const std::lock_guard lock(pool_->mutex());
    pool_->FreeIdLocked(id);
  }
  for (int i = 0; i < 20; ++i) Add("other");
  ASSERT_TRUE(Checkpoint().ok());
  EXPECT_TRUE(header_durable);
  reused_early = fs_.Contents("/d/TREE")->substr(first * kBytes, kBytes) != before;
  EXPECT_FALSE(reused_early) << "the checkpoint wrote over what the one before it leads to";
  fs_.SetHook({});
  for (int i = 0; i < 20; ++i) Add("more");
  ASSERT_TRUE(Checkpoint().ok());
  EXPECT_NE(fs_.Contents("/d/TREE")->substr(first * kBytes, kBytes), before) << "now it is free";
}

TEST_F(PoolTest, AFreedPageIsNowhere) {
  const PageId id = Add("gone");
  ASSERT_TRUE(Checkpoint().ok());
  {
    const std::lock_guard lock(pool_->mutex());
    pool_->FreeIdLocked(id);
  }
  EXPECT_EQ(pool_->Find(id), nullptr);
  EXPECT_TRUE(absl::IsNotFound(pool_->Load(id)));
  EXPECT_EQ(Add("next"), id) << "ids are used again";
  EXPECT_EQ(Value(id), "next");
}

// On real files and threads: readers find every value whole while pages are evicted, read in again
// and written by checkpoints, and large values move.
struct ThreadedParts : SmallUnsyncedParts {};
TEST(ConcurrentPoolTest, ReadsGoOnBesideCheckpointsAndEviction) {
  using Store = Btree<ThreadedParts>;
  const std::string directory = ::testing::TempDir() + "/btree_pool_test";
  std::filesystem::remove_all(directory);
  Options options;
  options.directory = directory;
  options.cache_bytes = 1;
  auto opened = Store::Open(options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Store& store = **opened;
  constexpr uint64_t kKeys = 400;
  const auto key_of = [](uint64_t i) { return fmt::format("key{:04}", i); };
  const auto value_of = [](uint64_t i, uint64_t round) {
    return fmt::format("{:04}/{}/{}", i, round, std::string(i % 16 == 0 ? 1200 : i % 50, 'x'));
  };
  for (uint64_t i = 0; i < kKeys; ++i) ASSERT_TRUE(store.Put(key_of(i), value_of(i, 0)).ok());
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> readers;
  for (uint64_t thread = 0; thread < 3; ++thread) {
    readers.emplace_back([&, thread] {
      kv::testing::Random random(thread);
      // relaxed: only says when to stop, and counts.
      while (!stop.load(std::memory_order_relaxed)) {
        const uint64_t i = random.Below(kKeys);
        std::string value;
        const absl::Status status = store.Get(key_of(i), &value);
        bool good = status.ok() && value.starts_with(fmt::format("{:04}/", i));
        std::string what = good ? "" : fmt::format("Get: {} {}", status.ToString(), value);
        if (random.OneIn(50)) {
          uint64_t count = 0;
          auto cursor = store.NewCursor();
          for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
            good = good && cursor.value().substr(0, 4) == cursor.key().substr(3);
            ++count;
          }
          good = good && count == kKeys && cursor.status().ok();
          what += fmt::format("; {} keys, {}", count, cursor.status().ToString());
        }
        // relaxed: figures, read after join.
        if (!good) {
          wrong.fetch_add(1, std::memory_order_relaxed);
          ADD_FAILURE() << what;
        }
        reads.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (uint64_t round = 1; round <= 12; ++round) {
    for (uint64_t i = 0; i < kKeys; ++i) {
      ASSERT_TRUE(store.Put(key_of(i * 7 % kKeys), value_of(i * 7 % kKeys, round)).ok());
    }
    ASSERT_TRUE(store.Compact().ok());
  }
  stop.store(true, std::memory_order_relaxed);  // as above
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_GT(reads.load(), 0u);
  EXPECT_GT(store.Stats().cache_misses, 100u);
  EXPECT_TRUE(store.Verify().ok());
  EXPECT_TRUE(store.Close().ok());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace kv::btree
