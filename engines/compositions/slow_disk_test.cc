// A disk on which background work is far slower than the log: writers are held back for as long as
// that takes, the store says so in its statistics, and nothing else changes. One composition of
// each engine, with threads; what a debt of background work costs a write is tested where it is
// decided (kv/commit/stalls_test.cc, kv/compaction and kv/merge conformance).
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "engines/compositions/btree.h"
#include "engines/compositions/log.h"
#include "engines/compositions/lsm_leveled.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/io/environment.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

struct ThreadedEnvironment {
  using FileSystem = SimulatedFileSystem;
  using Clock = SystemClock;
  static constexpr BackgroundWork kBackgroundWork = BackgroundWork::kThreads;
  FileSystem file_system;
  Clock clock;
};

template <typename E>
class SlowDiskTest : public ::testing::Test {};

using Engines = ::testing::Types<LsmLeveled::On<ThreadedEnvironment>, Log::On<ThreadedEnvironment>,
                                 BtreeDurable::On<ThreadedEnvironment>>;
TYPED_TEST_SUITE(SlowDiskTest, Engines);

std::string Key(int i) { return fmt::format("key{:03}", i * 37 % 100); }
std::string Value(int i) { return fmt::format("{} {}", i, std::string(400, 'v')); }

TYPED_TEST(SlowDiskTest, StallsAreReportedAndNothingIsLost) {
  constexpr int kWrites = 600;
  SimulatedFileSystem files;
  files.SetHook([](FileOperation operation, const std::string& path) {
    const bool log = path.ends_with(".log") || path.ends_with(".segment");
    if (log || !IsCounted(operation)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  Options options;
  options.directory = "/store";
  options.memtable_bytes = 16 << 10;
  options.cache_bytes = 64 << 10;
  auto engine = TypeParam::Open(options, {.file_system = files, .clock = {}});
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_EQ((*engine)->Stats().stalls, 0u);
  const uint64_t start = SystemClock().MonotonicNanos();
  for (int i = 0; i < kWrites; ++i) ASSERT_TRUE((*engine)->Put(Key(i), Value(i)).ok());
  const uint64_t nanos = SystemClock().MonotonicNanos() - start;
  const Statistics statistics = (*engine)->Stats();
  EXPECT_GT(statistics.stalls, 0u);
  EXPECT_GT(statistics.stall_nanos, 0u);
  // There is one writer, and it cannot have waited for longer than it took.
  EXPECT_LE(statistics.stall_nanos, nanos);
  std::string value;
  for (int i = kWrites - 100; i < kWrites; ++i) {
    ASSERT_TRUE((*engine)->Get(Key(i), &value).ok());
    EXPECT_EQ(value, Value(i));
  }
  ASSERT_TRUE((*engine)->Close().ok());
  files.SetHook({});
}

}  // namespace
}  // namespace kv
