// Arenas: alignment, zero-filling, growth and figures; and threads that allocate at once.

#include "kv/base/arena.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace kv {
namespace {

using Block = std::pair<char*, size_t>;

bool Aligned(const char* data, size_t alignment) {
  return reinterpret_cast<uintptr_t>(data) % alignment == 0;
}

bool AllBytesAre(const Block& block, char byte) {
  return std::all_of(block.first, block.first + block.second,
                     [byte](char at) { return at == byte; });
}

// Each block is filled with a byte of its own; if two overlapped, the later fill would show.
template <typename A>
std::vector<Block> AllocateAndFill(A* arena, uint64_t seed, int blocks, size_t most) {
  std::mt19937_64 random(seed);
  std::vector<Block> taken;
  for (int i = 0; i < blocks; ++i) {
    const size_t bytes = random() % 8 == 0 ? random() % most : random() % 200;
    const Block block{arena->Allocate(bytes), bytes};
    EXPECT_TRUE(Aligned(block.first, 8));
    EXPECT_TRUE(AllBytesAre(block, 0));
    if (bytes > 0) std::memset(block.first, static_cast<int>((seed + i) % 255 + 1), bytes);
    taken.push_back(block);
  }
  return taken;
}

void ExpectFilled(const std::vector<Block>& blocks, uint64_t seed) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_TRUE(AllBytesAre(blocks[i], static_cast<char>((seed + i) % 255 + 1))) << i;
  }
}

template <typename A>
class ArenaTest : public testing::Test {};
using Arenas = testing::Types<Arena, ConcurrentArena>;
TYPED_TEST_SUITE(ArenaTest, Arenas);

TYPED_TEST(ArenaTest, NewArenaHoldsNothing) {
  const TypeParam arena;
  EXPECT_EQ(arena.BytesUsed(), 0u);
  EXPECT_EQ(arena.BytesReserved(), 0u);
}

TYPED_TEST(ArenaTest, BlocksAreAlignedZeroedAndApart) {
  TypeParam arena;
  ExpectFilled(AllocateAndFill(&arena, 1, 3000, 20'000), 1);
}

TYPED_TEST(ArenaTest, EmptyRequestsGetAddressesOfTheirOwn) {
  TypeParam arena;
  char* const first = arena.Allocate(0);
  EXPECT_NE(first, arena.Allocate(0));
}

TYPED_TEST(ArenaTest, SizesAroundTheLimits) {
  TypeParam arena;
  std::vector<Block> blocks;
  for (const size_t limit : {size_t{64} << 10, size_t{512} << 10, size_t{2} << 20}) {
    for (const size_t bytes : {limit - 32, limit - 24, limit - 8, limit - 1, limit, limit + 1}) {
      blocks.emplace_back(arena.Allocate(bytes), bytes);
      std::memset(blocks.back().first, static_cast<int>(blocks.size()), bytes);
    }
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_TRUE(AllBytesAre(blocks[i], static_cast<char>(i + 1))) << blocks[i].second;
  }
}

TYPED_TEST(ArenaTest, FiguresGrowWithUse) {
  TypeParam arena;
  size_t sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    arena.Allocate(104);
    sum += 104;
    EXPECT_GE(arena.BytesUsed(), sum);
  }
  // Ends of chunks are at most a few per cent.
  EXPECT_LE(arena.BytesUsed(), sum + sum / 20);
  EXPECT_GE(arena.BytesReserved(), arena.BytesUsed());
  EXPECT_LE(arena.BytesReserved(), sum + sum / 20 + (size_t{2} << 20));
}

TYPED_TEST(ArenaTest, LargeRequestsDoNotEndTheChunk) {
  TypeParam arena;
  char* const before = arena.Allocate(8);
  arena.Allocate(size_t{3} << 20);
  EXPECT_EQ(arena.Allocate(8), before + 8);
  EXPECT_GE(arena.BytesUsed(), size_t{3} << 20);
}

TEST(SingleWriterArenaTest, AlignsToMoreThanEight) {
  Arena arena;
  std::mt19937_64 random(2);
  std::vector<Block> blocks;
  for (int i = 0; i < 2000; ++i) {
    arena.Allocate(random() % 100);
    const size_t alignment = size_t{8} << random() % 10;
    const size_t bytes = random() % 3000;
    blocks.emplace_back(arena.AllocateAligned(bytes, alignment), bytes);
    EXPECT_TRUE(Aligned(blocks.back().first, alignment));
    EXPECT_TRUE(AllBytesAre(blocks.back(), 0));
    if (bytes > 0) std::memset(blocks.back().first, i % 255 + 1, bytes);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_TRUE(AllBytesAre(blocks[i], static_cast<char>(i % 255 + 1))) << i;
  }
}

TEST(ConcurrentArenaTest, ThreadsGetBlocksApart) {
  ConcurrentArena arena;
  std::vector<std::vector<Block>> taken(4);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < taken.size(); ++i) {
    threads.emplace_back([&, i] { taken[i] = AllocateAndFill(&arena, i, 2000, 20'000); });
  }
  size_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const size_t used = arena.BytesUsed();
    EXPECT_GE(used, last);
    last = used;
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t i = 0; i < taken.size(); ++i) ExpectFilled(taken[i], i);
}

}  // namespace
}  // namespace kv
