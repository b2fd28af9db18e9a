// The Cache suite over the reference, then over the models, and over caches that it must refuse.

#include "kv/cache/conformance.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/cache/archetype.h"
#include "kv/cache/clock.h"
#include "kv/cache/concept.h"
#include "kv/cache/lru.h"
#include "kv/cache/none.h"
#include "kv/cache/s3_fifo.h"
#include "kv/cache/sharded.h"

namespace kv {
namespace {

template <typename C>
class CacheConformanceTest : public testing::Test {};

// The least that ShardedCache needs of an order.
class FirstInFirstOut {
 public:
  static constexpr std::string_view kName = "first_in_first_out";
  static constexpr size_t StructureBytes(size_t) { return 0; }

  FirstInFirstOut(size_t, size_t) {}

  void Added(CachedBlock* block) { queue_.AddNewest(block); }
  void Hit(CachedBlock*) {}
  CachedBlock* TakeVictim() {
    CachedBlock* const victim = queue_.oldest();
    queue_.Remove(victim);
    return victim;
  }
  void Removed(CachedBlock* block) { queue_.Remove(block); }

 private:
  BlockQueue queue_;
};

struct NoOrderName : FirstInFirstOut {
  using FirstInFirstOut::FirstInFirstOut;
  static constexpr int kName = 0;
};
struct NoStructureFigure : FirstInFirstOut {
  using FirstInFirstOut::FirstInFirstOut;
  static void StructureBytes(size_t);
};
struct VictimIsNoBlock : FirstInFirstOut {
  using FirstInFirstOut::FirstInFirstOut;
  void TakeVictim();
};
struct WantsNoSizes : FirstInFirstOut {
  WantsNoSizes() : FirstInFirstOut(0, 0) {}
};

static_assert(CacheOrder<FirstInFirstOut>);
static_assert(!CacheOrder<int>);
static_assert(!CacheOrder<NoOrderName>);
static_assert(!CacheOrder<NoStructureFigure>);
static_assert(!CacheOrder<VictimIsNoBlock>);
static_assert(!CacheOrder<WantsNoSizes>);

using Caches = testing::Types<CacheArchetype, NoCache, ClockCache, LruCache, S3FifoCache,
                              ShardedCache<FirstInFirstOut>>;
TYPED_TEST_SUITE(CacheConformanceTest, Caches);

TYPED_TEST(CacheConformanceTest, Answers) {
  for (const uint64_t seed : {1, 2, 3}) {
    const absl::Status status = CheckCacheAnswers<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TYPED_TEST(CacheConformanceTest, Bound) {
  const absl::Status status = CheckCacheBound<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(CacheConformanceTest, Handles) {
  const absl::Status status = CheckCacheHandles<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(CacheConformanceTest, Concurrent) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    const absl::Status status = CheckCacheConcurrent<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << status;
  }
}

// ---- Caches that the suite refuses.

struct IgnoresTheFile : CacheArchetype {
  using CacheArchetype::CacheArchetype;
  Handle Lookup(uint64_t, uint64_t offset) { return CacheArchetype::Lookup(0, offset); }
  Handle Insert(uint64_t, uint64_t offset, std::string block) {
    return CacheArchetype::Insert(0, offset, std::move(block));
  }
};

struct NeverEvicts : CacheArchetype {
  explicit NeverEvicts(size_t capacity) : CacheArchetype(size_t{1} << 40), told_(capacity) {}
  size_t UsedBytes() const { return 0; }
  size_t CapacityBytes() const { return told_; }
  size_t told_;
};

struct ForgetsEverything : NoCache {
  using NoCache::NoCache;
  static constexpr bool kEnabled = true;
};

struct EraseIsIgnored : CacheArchetype {
  using CacheArchetype::CacheArchetype;
  void EraseFile(uint64_t) {}
};

struct OneBlockForEveryKey : CacheArchetype {
  using CacheArchetype::CacheArchetype;
  Handle Lookup(uint64_t, uint64_t) { return CacheArchetype::Lookup(0, 0); }
  Handle Insert(uint64_t, uint64_t, std::string block) {
    EraseFile(0);
    return CacheArchetype::Insert(0, 0, std::move(block));
  }
};

// Evicts what a handle still holds.
struct ReusesBuffers : NoCache {
  using NoCache::NoCache;
  class Handle {
   public:
    Handle() = default;
    explicit Handle(const std::string* block) : block_(block) {}
    Handle(Handle&& from) noexcept : block_(std::exchange(from.block_, nullptr)) {}
    Handle& operator=(Handle&& from) noexcept {
      block_ = std::exchange(from.block_, nullptr);
      return *this;
    }
    explicit operator bool() const { return block_ != nullptr; }
    std::string_view bytes() const { return *block_; }

   private:
    const std::string* block_ = nullptr;
  };
  Handle Lookup(uint64_t, uint64_t) { return Handle(); }
  Handle Insert(uint64_t, uint64_t, std::string block) {
    std::string& buffer = buffers_[next_++ % buffers_.size()];
    buffer = std::move(block);
    return Handle(&buffer);
  }

 private:
  std::array<std::string, 64> buffers_;
  size_t next_ = 0;
};

TEST(CacheSuite, RefusesBrokenCaches) {
  EXPECT_FALSE(CheckCacheAnswers<IgnoresTheFile>(1).ok());
  EXPECT_FALSE(CheckCacheBound<NeverEvicts>(1).ok());
  EXPECT_FALSE(CheckCacheAnswers<ForgetsEverything>(1).ok());
  EXPECT_FALSE(CheckCacheAnswers<EraseIsIgnored>(1).ok());
  EXPECT_FALSE(CheckCacheHandles<ReusesBuffers>().ok());
  EXPECT_FALSE(CheckCacheConcurrent<OneBlockForEveryKey>(1).ok());
}

// ---- Types that the concept refuses.

struct WithoutCapacity : CacheArchetype {
  WithoutCapacity() : CacheArchetype(1) {}
};
struct HandsOutStrings : CacheArchetype {
  using CacheArchetype::CacheArchetype;
  std::string Lookup(uint64_t, uint64_t) { return ""; }
};
static_assert(!Cache<WithoutCapacity>);
static_assert(!Cache<HandsOutStrings>);

// ---- ClockCache.

// A working set that is hit stays while blocks that are read once pass by.
TEST(ClockCache, ResistsScans) {
  ClockCache cache(size_t{4} << 20);
  for (uint64_t i = 0; i < 200; ++i) cache.Insert(1, i, std::string(4'000, 'w'));
  for (uint64_t scanned = 0; scanned < 20'000; ++scanned) {
    cache.Insert(2, scanned, std::string(4'000, 's'));
    if (scanned % 4 == 0) cache.Lookup(1, scanned / 4 % 200);
  }
  size_t kept = 0;
  for (uint64_t i = 0; i < 200; ++i) kept += cache.Lookup(1, i) ? 1 : 0;
  EXPECT_GT(kept, 190u);
}

TEST(ClockCache, FillsItsCapacity) {
  ClockCache cache(size_t{4} << 20);
  for (uint64_t i = 0; i < 4'000; ++i) cache.Insert(1, i, std::string(4'000, 'x'));
  EXPECT_GT(cache.UsedBytes(), (size_t{4} << 20) - 8'192);
}

TEST(ClockCache, SecondInsertGetsTheFirstBlock) {
  ClockCache cache(size_t{1} << 20);
  const ClockCache::Handle first = cache.Insert(1, 2, std::string(100, 'x'));
  const ClockCache::Handle second = cache.Insert(1, 2, std::string(100, 'x'));
  EXPECT_EQ(first.bytes().data(), second.bytes().data());
}

TEST(ClockCache, AllPinnedHandsBlocksBack) {
  ClockCache cache(size_t{64} << 10);
  std::vector<ClockCache::Handle> handles;
  for (uint64_t i = 0; i < 100; ++i) handles.push_back(cache.Insert(1, i, std::string(4'000, 'x')));
  EXPECT_LE(cache.UsedBytes(), cache.CapacityBytes());
  EXPECT_EQ(handles.back().bytes(), std::string(4'000, 'x'));
  EXPECT_FALSE(cache.Lookup(1, 99));
  EXPECT_TRUE(cache.Lookup(1, 0));
}

}  // namespace
}  // namespace kv
