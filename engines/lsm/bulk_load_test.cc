// Bulk loading of whole stores: against a std::map, beside everything that was there before, with
// every crash, and with sources that go wrong.
#include "engines/lsm/bulk_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/manifest.h"
#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "kv/io/crash_points.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;

std::string Key(uint64_t i) { return fmt::format("key{}", i); }

struct Source {
  using Entry = std::pair<std::string, std::string>;

  explicit Source(std::vector<Entry> from) : entries(std::move(from)) {}
  explicit Source(const Model& from) : entries(from.begin(), from.end()) {}

  bool Valid() const { return at < std::min(entries.size(), fails_at); }
  void Next() { ++at; }
  std::string_view key() const { return entries[at].first; }
  std::string_view value() const { return entries[at].second; }
  absl::Status status() const {
    return at >= fails_at ? absl::DataLossError("the source fails") : absl::OkStatus();
  }

  std::vector<Entry> entries;
  size_t at = 0;
  size_t fails_at = SIZE_MAX;
};

struct ExpiringSource : Source {
  using Source::Source;
  uint64_t expires_at() const { return expiry; }
  uint64_t expiry = 1;
};

static_assert(SortedSource<Source> && SortedSource<ExpiringSource>);

Model SomeEntries(size_t count, const std::string& value) {
  Model model;
  for (size_t i = 0; i < count; ++i) model[fmt::format("load{:05}", i)] = value;
  return model;
}

// Of each level, how many tables.
std::vector<size_t> TablesIn(SimulatedFileSystem fs) {
  const auto manifest = ReadManifest(fs, FileNames(kStoreDirectory));
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  std::vector<size_t> tables;
  if (manifest.ok()) {
    for (const auto& level : manifest->state.levels) tables.push_back(level.size());
  }
  return tables;
}

TEST(BulkLoadTest, WritesTablesAndNoLog) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  const Model entries = SomeEntries(500, std::string(50, 'v'));
  Source source(entries);
  ASSERT_TRUE((*store)->BulkLoad(source).ok());
  EXPECT_EQ(*Walk((*store)->NewCursor()), entries);
  const Statistics statistics = (*store)->Stats();
  EXPECT_EQ(statistics.wal_bytes, 0u);
  EXPECT_EQ(statistics.writes, 500u);
  const std::vector<size_t> tables = TablesIn(fs);
  ASSERT_GE(tables.size(), 2u);
  EXPECT_EQ(tables[0], 0u);
  EXPECT_GT(tables[1], 5u);
  // What overlaps nothing joins the others at the bottom.
  Model more = {{"a", "1"}, {"b", "2"}};
  Source next(more);
  ASSERT_TRUE((*store)->BulkLoad(next).ok());
  EXPECT_EQ(TablesIn(fs)[0], 0u);
  more.insert(entries.begin(), entries.end());
  EXPECT_EQ(*Walk((*store)->NewCursor()), more);
  EXPECT_TRUE((*store)->Verify().ok());
}

TEST(BulkLoadTest, IsNewerThanWhatWasThereAndOlderThanWhatComes) {
  SimulatedFileSystem fs;
  Options options = StoreOptions();
  options.memtable_bytes = 1 << 20;
  auto store = OpenStore<SyncedStore>(fs, options);
  ASSERT_TRUE(store.ok());
  for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE((*store)->Put(Key(i), "before").ok());
  ASSERT_TRUE((*store)->Compact().ok());
  ASSERT_TRUE((*store)->Put(Key(3), "in the memtable").ok());
  ASSERT_TRUE((*store)->DeleteRange(Key(4), Key(6)).ok());
  const auto snapshot = (*store)->TakeSnapshot();
  auto cursor = (*store)->NewCursor();
  Source source(Model{{Key(3), "loaded"}, {Key(4), "loaded"}, {Key(5), "loaded"}});
  ASSERT_TRUE((*store)->BulkLoad(source).ok());
  Model model = {{Key(0), "before"}, {Key(1), "before"}, {Key(2), "before"}, {Key(3), "loaded"},
                 {Key(4), "loaded"}, {Key(5), "loaded"}, {Key(6), "before"}, {Key(7), "before"}};
  EXPECT_EQ(*Contents(**store), model);
  const Model before = {{Key(0), "before"}, {Key(1), "before"},          {Key(2), "before"},
                        {Key(6), "before"}, {Key(3), "in the memtable"}, {Key(7), "before"}};
  EXPECT_EQ(*Walk((*store)->NewCursor({}, snapshot)), before);
  EXPECT_EQ(*Walk(std::move(cursor)), before);
  ASSERT_TRUE((*store)->Put(Key(3), "after").ok());
  ASSERT_TRUE((*store)->DeleteRange(Key(5), Key(6)).ok());
  model[Key(3)] = "after";
  model.erase(Key(5));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(*Contents(**store), model);
    ASSERT_TRUE((*store)->Compact().ok());
  }
  EXPECT_EQ(*Walk((*store)->NewCursor({}, snapshot)), before);
}

TEST(BulkLoadTest, StopsWhereTheSourceIsWrong) {
  for (const std::string wrong : {"b", "a", "out of order: a", "fails", "long"}) {
    SimulatedFileSystem fs;
    auto store = OpenStore<SyncedStore>(fs);
    ASSERT_TRUE(store.ok());
    std::vector<Source::Entry> entries = {{"a", "1"}, {"b", "2"}, {wrong, "3"}, {"z", "4"}};
    if (wrong == "fails" || wrong == "long") entries[2].first = "c";
    if (wrong == "long") entries[2].first = std::string(kMaxKeyBytes + 1, 'c');
    if (wrong == "out of order: a") entries[2].first = "a\x01";
    Source source(entries);
    if (wrong == "fails") source.fails_at = 2;
    const absl::Status status = (*store)->BulkLoad(source);
    EXPECT_EQ(status.code(),
              wrong == "fails" ? absl::StatusCode::kDataLoss : absl::StatusCode::kInvalidArgument)
        << wrong;
    if (wrong == "out of order: a") {
      EXPECT_TRUE(Names(status, "\"a\\x01\" after \"b\"")) << status;
    }
    EXPECT_EQ(*Walk((*store)->NewCursor()), (Model{{"a", "1"}, {"b", "2"}})) << wrong;
    // They are durable as those of a load that went well.
    auto again = OpenStore<SyncedStore>(fs.Crash(0, CrashMode::kLoseUnsynced));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*Walk((*again)->NewCursor()), (Model{{"a", "1"}, {"b", "2"}})) << wrong;
    ASSERT_TRUE((*store)->Put("c", "5").ok()) << "the store goes on";
  }
}

TEST(BulkLoadTest, EmptyAndClosed) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  Source none(Model{});
  EXPECT_TRUE((*store)->BulkLoad(none).ok());
  Source failed(Model{{"a", "1"}});
  failed.fails_at = 0;
  EXPECT_EQ((*store)->BulkLoad(failed).code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE((*store)->Close().ok());
  EXPECT_EQ((*store)->BulkLoad(none).code(), absl::StatusCode::kFailedPrecondition);
}

// An entry that has expired hides what was there, as a put of it would.
TEST(BulkLoadTest, HonoursExpiry) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put("a", "old").ok());
  ExpiringSource gone(Model{{"a", "1"}});
  ASSERT_TRUE((*store)->BulkLoad(gone).ok());
  ExpiringSource stays(Model{{"b", "2"}});
  stays.expiry = uint64_t{1} << 62;
  ASSERT_TRUE((*store)->BulkLoad(stays).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(*Walk((*store)->NewCursor()), (Model{{"b", "2"}}));
    EXPECT_EQ(*(*store)->ExpiresAt("b"), uint64_t{1} << 62);
    ASSERT_TRUE((*store)->Compact().ok());
  }
}

TEST(BulkLoadTest, LoadsFromAStoreIntoItself) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(History::WriteUntil(**store, 0, 40), 40u);
  auto cursor = (*store)->NewCursor();
  cursor.SeekToFirst();
  ASSERT_TRUE((*store)->BulkLoad(cursor).ok());
  EXPECT_EQ(*Contents(**store), History::StateAfter(40));
}

TEST(BulkLoadTest, HistoriesReadAsAMap) {
  for (uint64_t seed = 0; seed < 60 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SimulatedFileSystem fs;
    Options options = StoreOptions();
    options.memtable_bytes = random.OneIn(2) ? 1 : 20'000;
    auto opened = OpenStore<SyncedStore>(fs, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    auto store = *std::move(opened);
    Model model;
    for (size_t i = 0; i < 150; ++i) {
      const std::string key = Key(random.Below(8));
      const std::string value = fmt::format("{}-{}", i, std::string(random.Below(3) * 200, 'x'));
      absl::Status status;
      switch (random.Below(8)) {
        case 0: {
          Model load;
          for (uint64_t k = random.Below(8); k < 8; k += 1 + random.Below(3)) load[Key(k)] = value;
          Source source(load);
          status = store->BulkLoad(source);
          for (const auto& [loaded, unused] : load) model[loaded] = value;
          break;
        }
        case 1: {
          const std::string end = Key(random.Below(9));
          status = store->DeleteRange(key, end);
          std::erase_if(model, [&](const auto& e) { return e.first >= key && e.first < end; });
          break;
        }
        case 2:
          status = store->Delete(key);
          model.erase(key);
          break;
        case 3:
          if (random.OneIn(4)) status = store->Compact();
          if (random.OneIn(8)) {
            ASSERT_TRUE(store->Close().ok());
            auto again = OpenStore<SyncedStore>(fs, options);
            ASSERT_TRUE(again.ok()) << again.status();
            store = *std::move(again);
          }
          break;
        default:
          status = store->Put(key, value);
          model[key] = value;
      }
      ASSERT_TRUE(status.ok()) << status;
      const auto contents = Contents(*store);
      ASSERT_TRUE(contents.ok()) << contents.status();
      ASSERT_EQ(*contents, model) << "after step " << i;
    }
    EXPECT_EQ(store->Verify(), absl::OkStatus());
  }
}

template <typename E>
class BulkLoadCrashTest : public ::testing::Test {};
using Stores = ::testing::Types<SyncedStore, UnsyncedStore, SeparatedStore>;
TYPED_TEST_SUITE(BulkLoadCrashTest, Stores);

// A crash leaves a prefix of the history; what was there when a load returned stays, whatever the
// commit policy.
TYPED_TEST(BulkLoadCrashTest, LoadsAreDurableAndTakenInOrder) {
  const Model entries = SomeEntries(60, std::string(100, 'v'));
  const auto run = [&](SimulatedFileSystem fs) {
    auto store = OpenStore<TypeParam>(fs);
    if (!store.ok()) return 0;
    if (!(*store)->Put("a", "1").ok()) return 0;
    Source source(entries);
    if (!(*store)->BulkLoad(source).ok()) return 1;
    (*store)->Put("b", "2").IgnoreError();
    return 2;
  };
  const auto check = [&](SimulatedFileSystem crashed, int done, const std::string& label) {
    auto store = OpenStore<TypeParam>(crashed);
    ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << crashed.Trace();
    const Model there = *Walk((*store)->NewCursor());
    const bool put = there.contains("a");
    size_t loaded = 0;
    while (there.contains(fmt::format("load{:05}", loaded))) ++loaded;
    EXPECT_EQ(there.size(), loaded + put + there.contains("b")) << label << ": a hole";
    EXPECT_TRUE(put || loaded == 0) << label;
    EXPECT_TRUE(loaded == entries.size() || (loaded == 0 && !there.contains("b") && done < 2))
        << label << ": " << loaded;
    EXPECT_TRUE((*store)->Verify().ok()) << label;
  };
  EXPECT_GT(ForEachCrashPoint(SimulatedFileSystem(), 2, run, check), 100u);
}

}  // namespace
}  // namespace kv
