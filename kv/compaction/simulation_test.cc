// Compaction policies over streams of flushes, with write amplification, runs and space counted.
// Everything is counted, nothing is timed, so what one run says every run says.
//
// An entry is a byte. A flush has 64 of them, as 16 MiB would have; the shapes are the default ones
// at that scale (1 byte for 256 KiB). The headers' "For" lines have the figures that
// are printed here.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"
#include "kv/compaction/conformance.h"
#include "kv/compaction/fifo.h"
#include "kv/compaction/lazy_leveled.h"
#include "kv/compaction/leveled.h"
#include "kv/compaction/none.h"
#include "kv/compaction/tiered.h"
#include "kv/compaction/tree_model.h"

namespace kv {
namespace {

constexpr uint64_t kFlush = 64;

using Leveled =
    LeveledCompaction<LeveledShape{.level1_bytes = 4 * kFlush, .fanout = 10, .file_bytes = kFlush}>;
using Tiered = TieredCompaction<TieredShape{.run_bytes = 4 * kFlush, .file_bytes = 4 * kFlush}>;
using LazyLeveled = LazyLeveledCompaction<LazyLeveledShape{
    .run_bytes = 4 * kFlush, .file_bytes = kFlush, .step_bytes = 8 * kFlush}>;
using Fifo = FifoCompaction<FifoShape{.max_bytes = 100 * kFlush, .file_bytes = kFlush}>;

struct Measured {
  double write_amplification = 0;  // bytes written by flushes and compactions, per byte flushed
  double mean_runs = 0;            // that a read of the whole range asks, after a flush
  double mean_space = 0;           // bytes in the tree, per key that is present, second half
  uint64_t largest_merge = 0;      // bytes
  uint64_t most_bytes = 0;         // in the tree, after a flush
  uint64_t moves = 0;
};

uint64_t Runs(const TreeShape& shape) {
  uint64_t runs = 0;
  for (size_t level = 0; level < shape.levels.size(); ++level) {
    runs += level == 0 ? shape.levels[0].size() : shape.levels[level].empty() ? 0 : 1;
  }
  return runs;
}

uint64_t Bytes(const TreeShape& shape) {
  uint64_t bytes = 0;
  for (const auto& level : shape.levels) bytes += TotalBytes(level);
  return bytes;
}

// `flushes` of kFlush keys each: number `key(i)` for the i-th write. After each, all the choices
// that the policy has.
template <Compaction P, typename Key>
Measured Measure(uint64_t flushes, Key&& key) {
  TreeModel tree;
  Measured measured;
  uint64_t write = 0;
  for (uint64_t flush = 0; flush < flushes; ++flush) {
    std::map<std::string, bool> keys;
    while (keys.size() < kFlush) keys[fmt::format("{:08}", key(write++))] = false;
    tree.Flush(keys);
    while (const std::optional<Choice> choice = P::Choose(tree.Shape())) {
      const uint64_t before = tree.BytesMerged();
      tree.Start(*choice);
      tree.Apply(0, P::kOutputFileBytes);
      measured.largest_merge = std::max(measured.largest_merge, tree.BytesMerged() - before);
      measured.moves += choice->trivial_move;
    }
    const TreeShape shape = tree.Shape();
    measured.most_bytes = std::max(measured.most_bytes, Bytes(shape));
    measured.mean_runs += static_cast<double>(Runs(shape)) / static_cast<double>(flushes);
    if (flush >= flushes / 2) {
      measured.mean_space += static_cast<double>(Bytes(shape)) /
                             static_cast<double>(tree.LiveKeys()) /
                             static_cast<double>(flushes - flushes / 2);
    }
  }
  EXPECT_TRUE(tree.Check().ok());
  measured.write_amplification =
      1 + static_cast<double>(tree.BytesMerged()) / static_cast<double>(tree.BytesFlushed());
  fmt::print("{:20} write amplification {:5.2f}, runs {:6.2f}, space {:5.2f}, merge {}, moves {}\n",
             std::string_view(P::kName).substr(0, P::kName.find('<')), measured.write_amplification,
             measured.mean_runs, measured.mean_space, measured.largest_merge, measured.moves);
  return measured;
}

// Twice as many writes as keys: 16 GB at 16 MiB a flush, onto 8 GB.
constexpr uint64_t kFlushes = 1'000;
constexpr uint64_t kKeys = kFlushes * kFlush / 2;

auto RandomKeys() {
  return [random = std::mt19937_64(1)](uint64_t) mutable { return random() % kKeys; };
}

TEST(CompactionSimulation, RandomKeysTradeWritesForRunsAndSpace) {
  const Measured leveled = Measure<Leveled>(kFlushes, RandomKeys());
  const Measured lazy = Measure<LazyLeveled>(kFlushes, RandomKeys());
  const Measured tiered = Measure<Tiered>(kFlushes, RandomKeys());
  const Measured none = Measure<NoCompaction>(kFlushes, RandomKeys());

  EXPECT_EQ(none.write_amplification, 1);
  EXPECT_LT(tiered.write_amplification, 5);
  EXPECT_LT(lazy.write_amplification, 6);
  EXPECT_LT(tiered.write_amplification, lazy.write_amplification);
  EXPECT_LT(1.8 * lazy.write_amplification, leveled.write_amplification);
  EXPECT_LT(leveled.write_amplification, 13);

  EXPECT_LT(leveled.mean_runs, 5);
  EXPECT_LT(leveled.mean_runs, lazy.mean_runs);
  EXPECT_LT(lazy.mean_runs, tiered.mean_runs);
  EXPECT_LT(tiered.mean_runs, 8);
  EXPECT_GT(none.mean_runs, 100);

  EXPECT_LT(leveled.mean_space, 1.1);
  EXPECT_LT(leveled.mean_space, lazy.mean_space);
  EXPECT_LT(lazy.mean_space, 1.3);
  EXPECT_LT(lazy.mean_space, tiered.mean_space);
  EXPECT_LT(tiered.mean_space, 1.7);
  EXPECT_LT(tiered.mean_space, none.mean_space);

  // A slice is a fraction of the tree, a tier may be most of it.
  EXPECT_LT(lazy.largest_merge, kKeys / 3);
  EXPECT_LT(lazy.largest_merge, tiered.largest_merge);
}

TEST(CompactionSimulation, AscendingKeysAreNeverRewritten) {
  const auto next = [](uint64_t write) { return write; };
  for (const Measured& measured :
       {Measure<Leveled>(200, next), Measure<LazyLeveled>(200, next), Measure<Tiered>(200, next)}) {
    EXPECT_EQ(measured.write_amplification, 1);
    EXPECT_DOUBLE_EQ(measured.mean_space, 1);
    EXPECT_LT(measured.mean_runs, 7);
    EXPECT_GE(measured.moves, 200 - 4);
  }
}

TEST(CompactionSimulation, FifoHoldsTheNewestBytesAndNoMore) {
  const Measured fifo = Measure<Fifo>(300, RandomKeys());
  EXPECT_EQ(fifo.write_amplification, 1);
  EXPECT_LE(fifo.mean_runs, 100);
  EXPECT_LE(fifo.most_bytes, 100 * kFlush);
  EXPECT_GE(fifo.most_bytes, 99 * kFlush);
}

}  // namespace
}  // namespace kv
