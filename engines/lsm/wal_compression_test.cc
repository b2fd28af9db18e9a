// The WalCompression slot: what it saves, and which compositions read each other's logs.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engines/lsm/engine.h"
#include "engines/lsm/store_testing.h"
#include "kv/compression/zstd.h"
#include "kv/io/crash_points.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

struct PackedParts : SyncedParts {
  using WalCompression = ZstdCompression<ZstdShape{.level = 1}>;
};
struct PackedUnsyncedParts : UnsyncedParts {
  using WalCompression = ZstdCompression<ZstdShape{.level = 3}>;
};
using PackedStore = Lsm<PackedParts, SimulatedEnvironment>;
using PackedUnsyncedStore = Lsm<PackedUnsyncedParts, SimulatedEnvironment>;

Options OneMemtable() {
  Options options = StoreOptions();
  options.memtable_bytes = uint64_t{64} << 20;
  return options;
}

// Values as db_bench makes them with compression_ratio 0.5: fragments of 50 printable bytes, each
// followed by its copy.
class HalfCompressible {
 public:
  std::string Next(size_t size) {
    while (pool_.size() < size) {
      std::string half(50, ' ');
      for (char& c : half) c = static_cast<char>(' ' + random_.Below(95));
      pool_ += half + half;
    }
    std::string value = pool_.substr(0, size);
    pool_.erase(0, size);
    return value;
  }
  std::string Key() { return fmt::format("{:016}", random_.Below(10'000'000)); }

 private:
  testing::Random random_{301};
  std::string pool_;
};

// Percent of the log's bytes that compression saved over 640 puts.
double Saved(size_t value_bytes, size_t batch_size) {
  SimulatedFileSystem fs;
  auto store = OpenStore<PackedUnsyncedStore>(fs, OneMemtable());
  EXPECT_TRUE(store.ok()) << store.status();
  HalfCompressible source;
  for (size_t i = 0; i < 640; i += batch_size) {
    WriteBatch batch;
    for (size_t k = 0; k < batch_size; ++k) batch.Put(source.Key(), source.Next(value_bytes));
    EXPECT_TRUE((*store)->Write(batch).ok());
  }
  const Statistics statistics = (*store)->Stats();
  const auto raw = static_cast<double>(statistics.wal_raw_bytes);
  const double saved = 100 * (1 - static_cast<double>(statistics.wal_bytes) / raw);
  ::testing::Test::RecordProperty(fmt::format("saved_percent_{}_x{}", value_bytes, batch_size),
                                  fmt::format("{:.1f}", saved));
  return saved;
}

// Half of each value repeats the other half, and a printable byte holds 6.6 bits: no codec saves
// more than 59 % of these.
TEST(WalCompression, Saves) {
  EXPECT_EQ(Saved(20, 1), 0);  // too short to be tried
  EXPECT_GT(Saved(1024, 1), 40);
  EXPECT_GT(Saved(20, 64), 50);
  EXPECT_GT(Saved(1024, 64), 50);
}

TEST(WalCompression, LogWithoutACodecIsCountedAsItIs) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs, OneMemtable());
  ASSERT_TRUE(store.ok() && (*store)->Put("key", std::string(5000, 'x')).ok());
  EXPECT_EQ((*store)->Stats().wal_bytes, (*store)->Stats().wal_raw_bytes);
}

// What a crash left in logs, for stores that pack and stores that do not.
TEST(WalCompression, CompositionsReadEachOthersLogsWhereTheyCan) {
  SimulatedFileSystem plain;
  {
    auto store = OpenStore<SyncedStore>(plain, OneMemtable());
    ASSERT_TRUE(store.ok() && (*store)->Put("key", std::string(5000, 'x')).ok());
    plain = plain.Crash(0, CrashMode::kLoseUnsynced);
  }
  auto packed = OpenStore<PackedStore>(plain, OneMemtable());
  ASSERT_TRUE(packed.ok()) << packed.status();
  std::string value;
  EXPECT_TRUE((*packed)->Get("key", &value).ok());
  EXPECT_EQ(value, std::string(5000, 'x'));

  ASSERT_TRUE((*packed)->Put("key", std::string(5000, 'y')).ok());
  SimulatedFileSystem crashed = plain.Crash(0, CrashMode::kLoseUnsynced);
  const absl::Status refused = OpenStore<SyncedStore>(crashed, OneMemtable()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_TRUE(Names(refused, kStoreDirectory) && Names(refused, "codec 1")) << refused;
  // Refused, and left as it was.
  auto reopened = OpenStore<PackedStore>(crashed, OneMemtable());
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  EXPECT_TRUE((*reopened)->Get("key", &value).ok());
  EXPECT_EQ(value, std::string(5000, 'y'));
  // Flushed and closed, there is nothing packed left.
  ASSERT_TRUE((*reopened)->Put("key", std::string(5000, 'z')).ok());
  ASSERT_TRUE((*reopened)->Flush().ok() && (*reopened)->Close().ok());
  auto back = OpenStore<SyncedStore>(crashed, OneMemtable());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE((*back)->Get("key", &value).ok());
  EXPECT_EQ(value, std::string(5000, 'z'));
}

// Whatever the power failure leaves, what was acknowledged is there.
TEST(WalCompression, CrashesLoseNothing) {
  const auto put = [](PackedStore& store, int i) {
    return store.Put(fmt::format("key{}", i), std::string(600 + 100 * i, 'a'));
  };
  SimulatedFileSystem start;
  {
    auto store = OpenStore<PackedStore>(start);
    ASSERT_TRUE(store.ok() && (*store)->Close().ok());
  }
  const auto run = [&](SimulatedFileSystem fs) {
    int acknowledged = 0;
    auto store = OpenStore<PackedStore>(fs);
    while (store.ok() && acknowledged < 4 && put(**store, acknowledged).ok()) ++acknowledged;
    return acknowledged;
  };
  ForEachCrashPoint(start, 1, run,
                    [&](SimulatedFileSystem fs, int acknowledged, const std::string& label) {
                      auto store = OpenStore<PackedStore>(fs);
                      ASSERT_TRUE(store.ok()) << label << ": " << store.status();
                      for (int i = 0; i < acknowledged; ++i) {
                        std::string value;
                        EXPECT_TRUE((*store)->Get(fmt::format("key{}", i), &value).ok()) << label;
                        EXPECT_EQ(value, std::string(600 + 100 * i, 'a')) << label;
                      }
                    });
}

}  // namespace
}  // namespace kv
