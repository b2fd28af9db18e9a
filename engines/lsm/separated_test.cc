// Stores that separate values: what counts as garbage, against a count of every pointer; that it is
// collected, whatever snapshots, cursors, crashes and failures come in between.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/engine.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "fmt/format.h"
#include "kv/cache/none.h"
#include "kv/io/crash_points.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;

const FileNames kNames(kStoreDirectory);

std::string Key(uint64_t i) { return fmt::format("key{}", i); }

// Of each value file, the bytes of the records that tables point to, pointer by pointer; and that
// every table says so of itself.
std::map<uint64_t, uint64_t> CountPointers(SimulatedFileSystem fs, const ManifestState& state) {
  std::map<uint64_t, uint64_t> live;
  NoCache cache(0);
  for (const auto& level : state.levels) {
    for (const TableMeta& meta : level) {
      auto table = Table<SeparatedParts, SimulatedFileSystem>::Open(fs, kNames.Table(meta.number),
                                                                    meta, &cache);
      EXPECT_TRUE(table.ok()) << table.status();
      std::map<uint64_t, uint64_t> of_table;
      Table<SeparatedParts, SimulatedFileSystem>::Cursor cursor(table->get());
      for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
        if (cursor.record().kind != RecordKind::kSeparated) continue;
        ValuePointer pointer;
        EXPECT_TRUE(ValuePointer::Parse(cursor.record().value, &pointer));
        of_table[pointer.file] += pointer.RecordBytes();
      }
      EXPECT_TRUE(cursor.status().ok()) << cursor.status();
      EXPECT_EQ(of_table.size(), meta.values.size());
      for (const ValueReference& reference : meta.values) {
        EXPECT_EQ(of_table[reference.file], reference.bytes);
        live[reference.file] += reference.bytes;
      }
    }
  }
  return live;
}

std::set<uint64_t> ValueFilesOnDisk(SimulatedFileSystem fs) {
  std::set<uint64_t> numbers;
  const std::vector<std::string> names = *fs.List(kStoreDirectory);
  for (const std::string& name : names) {
    if (const auto number = FileNames::ParseValues(name)) numbers.insert(*number);
  }
  return numbers;
}

// What the manifest, the disk and the statistics say of value files, against a count of pointers.
// With `collected`, that none has more garbage than is allowed. With `quiet`, that nobody reads
// what is no longer part of the tree, so that only the tree's files are on the disk.
template <typename E>
void CheckAccounts(SimulatedFileSystem fs, E& store, bool collected, bool quiet) {
  const auto manifest = ReadManifest(fs, kNames);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  const auto live = CountPointers(fs, manifest->state);
  uint64_t garbage = 0;
  std::set<uint64_t> numbers;
  for (const ValueFileMeta& meta : manifest->state.values) {
    numbers.insert(meta.number);
    const auto found = live.find(meta.number);
    ASSERT_NE(found, live.end()) << "file " << meta.number << " has nothing alive";
    ASSERT_LE(found->second, meta.RecordBytes());
    const uint64_t dead = meta.RecordBytes() - found->second;
    garbage += dead;
    if (collected) {
      EXPECT_LE(2 * dead, meta.RecordBytes()) << "file " << meta.number;
    }
  }
  EXPECT_EQ(numbers.size(), live.size()) << "tables point to files that the manifest lacks";
  const Statistics statistics = store.Stats();
  EXPECT_EQ(statistics.value_files, numbers.size());
  EXPECT_EQ(statistics.value_garbage_bytes, garbage);
  if (quiet) {
    EXPECT_EQ(ValueFilesOnDisk(fs), numbers);
  }
}

template <typename E>
absl::Status Step(Random& random, E& store, Model* model, size_t i) {
  const std::string key = Key(random.Below(8));
  const uint64_t what = random.Below(16);
  if (what == 0) {
    const std::string end = Key(random.Below(9));
    for (auto it = model->lower_bound(key); it != model->end() && it->first < end;) {
      it = model->erase(it);
    }
    return store.DeleteRange(key, end < key ? key : end);
  }
  if (what < 3) {
    model->erase(key);
    return store.Delete(key);
  }
  // Some are too short to be separated.
  const uint64_t size = random.OneIn(6) ? random.Below(4) : random.Below(300);
  std::string value = fmt::format("{}:", i) + std::string(size, static_cast<char>('a' + i % 26));
  if (size < 4) value.resize(size);
  (*model)[key] = value;
  return store.Put(key, value);
}

template <typename E>
Model Backwards(E& store) {
  Model model;
  auto cursor = store.NewCursor();
  for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) {
    model.emplace(cursor.key(), cursor.value());
  }
  EXPECT_TRUE(cursor.status().ok()) << cursor.status();
  return model;
}

template <typename E>
class SeparatedHistoryTest : public ::testing::Test {};
using Stores = ::testing::Types<SeparatedStore, SeparatedPreadStore>;
TYPED_TEST_SUITE(SeparatedHistoryTest, Stores);

TYPED_TEST(SeparatedHistoryTest, GarbageIsWhatNoTablePointsTo) {
  uint64_t moved = 0;
  for (uint64_t seed = 0; seed < 20 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SimulatedFileSystem fs;
    Options options = StoreOptions();
    options.memtable_bytes = random.OneIn(4) ? 1 : 20'000;
    auto opened = OpenStore<TypeParam>(fs, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    std::unique_ptr<TypeParam> store = *std::move(opened);
    Model model;
    std::vector<std::pair<typename TypeParam::Snapshot, Model>> snapshots;
    std::vector<std::pair<typename TypeParam::Cursor, Model>> cursors;
    for (size_t i = 0; i < 200 && !::testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE(i);
      ASSERT_TRUE(Step(random, *store, &model, i).ok());
      const uint64_t also = random.Below(30);
      if (also == 0) snapshots.emplace_back(store->TakeSnapshot(), model);
      if (also == 1 && !snapshots.empty()) snapshots.erase(snapshots.begin());
      if (also == 2) cursors.emplace_back(store->NewCursor(), model);
      if (also == 3 && !cursors.empty()) {
        EXPECT_EQ(*Walk(std::move(cursors.front().first)), cursors.front().second);
        cursors.erase(cursors.begin());
      }
      absl::Status status;
      if (also >= 4 && also < 8) status = store->Flush();
      if (also == 8) status = store->Compact();
      ASSERT_TRUE(status.ok()) << status;
      if (also == 9) {
        snapshots.clear();
        cursors.clear();
        moved += store->Stats().value_bytes_moved;
        ASSERT_TRUE(store->Close().ok());
        auto again = OpenStore<TypeParam>(fs, options);
        ASSERT_TRUE(again.ok()) << again.status();
        store = *std::move(again);
      }
      const auto contents = Contents(*store);
      ASSERT_TRUE(contents.ok()) << contents.status();
      ASSERT_EQ(*contents, model);
      EXPECT_EQ(Backwards(*store), model);
      EXPECT_EQ(*store->Count(""), model.size());
      for (const auto& [snapshot, then] : snapshots) {
        EXPECT_EQ(*Walk(store->NewCursor({}, snapshot)), then);
      }
      CheckAccounts(fs, *store, also == 8, cursors.empty());
    }
    for (auto& [cursor, then] : cursors) EXPECT_EQ(*Walk(std::move(cursor)), then);
    cursors.clear();
    snapshots.clear();
    EXPECT_EQ(store->Verify(), absl::OkStatus());
    ASSERT_TRUE(store->Compact().ok());
    CheckAccounts(fs, *store, true, true);
    EXPECT_EQ(*Contents(*store), model);
    moved += store->Stats().value_bytes_moved;
    // With nothing alive there is no file.
    ASSERT_TRUE(store->DeleteRange("", "").ok());
    ASSERT_TRUE(store->Compact().ok());
    EXPECT_EQ(ValueFilesOnDisk(fs), std::set<uint64_t>());
  }
  EXPECT_GT(moved, 0u);
}

// ---- Collecting, cut off at each operation.

Options LargeMemtables() {
  Options options = StoreOptions();
  options.memtable_bytes = 1 << 20;
  return options;
}

constexpr size_t kFirst = 6;
constexpr size_t kThen = 4;

std::string ValueOf(size_t write) { return fmt::format("{}:{}", write, std::string(90, 'v')); }

// Six values in one file, and then four of them overwritten.
template <typename E>
absl::Status WriteOne(E& store, size_t write) {
  return store.Put(Key(write % kFirst), ValueOf(write));
}

Model ModelAfter(size_t writes) {
  Model model;
  for (size_t i = 0; i < writes; ++i) model[Key(i % kFirst)] = ValueOf(i);
  return model;
}

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

// One operation fails while values are moved: nothing is lost, now or after the next open, and the
// next attempt succeeds.
TEST(SeparatedTest, FailuresWhileCollecting) {
  uint64_t skip = 0;
  for (;; ++skip) {
    SCOPED_TRACE(skip);
    SimulatedFileSystem fs;
    auto store = OpenStore<SeparatedUnsyncedStore>(fs, LargeMemtables());
    ASSERT_TRUE(store.ok());
    for (size_t i = 0; i < kFirst + kThen; ++i) {
      ASSERT_TRUE(WriteOne(**store, i).ok());
      if (i + 1 == kFirst) ASSERT_TRUE((*store)->Flush().ok());
    }
    ASSERT_TRUE((*store)->Flush().ok());
    fs.FailAfter(skip, Fault::kIoError, 1);
    const absl::Status status = (*store)->Compact();
    const bool struck = fs.faults_injected() > 0;
    EXPECT_EQ(*Contents(**store), ModelAfter(kFirst + kThen)) << status;
    {
      auto reopened = OpenStore<SeparatedUnsyncedStore>(fs.Crash(skip, CrashMode::kLoseUnsynced),
                                                        LargeMemtables());
      ASSERT_TRUE(reopened.ok()) << reopened.status();
      EXPECT_EQ(*Contents(**reopened), ModelAfter(kFirst + kThen));
      EXPECT_EQ((*reopened)->Verify(), absl::OkStatus());
    }
    if (!struck) {
      EXPECT_TRUE(status.ok()) << status;
      break;
    }
    ASSERT_TRUE((*store)->Compact().ok());
    CheckAccounts(fs, **store, true, false);
    EXPECT_EQ(*Contents(**store), ModelAfter(kFirst + kThen));
    EXPECT_EQ((*store)->Verify(), absl::OkStatus());
  }
  EXPECT_GT(skip, 5u);
}

TEST(SeparatedTest, SnapshotsAndCursorsKeepWhatTheySee) {
  SimulatedFileSystem fs;
  auto opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok());
  SeparatedStore& store = **opened;
  for (size_t i = 0; i < kFirst; ++i) ASSERT_TRUE(WriteOne(store, i).ok());
  ASSERT_TRUE(store.Flush().ok());
  const auto files = ValueFilesOnDisk(fs);
  {
    const auto snapshot = store.TakeSnapshot();
    for (size_t i = kFirst; i < 2 * kFirst; ++i) ASSERT_TRUE(WriteOne(store, i).ok());
    ASSERT_TRUE(store.Compact().ok());
    // What a snapshot needs is no garbage.
    EXPECT_EQ(store.Stats().value_garbage_bytes, 0u);
    EXPECT_EQ(*Walk(store.NewCursor({}, snapshot)), ModelAfter(kFirst));
  }
  auto cursor = store.NewCursor();
  cursor.SeekToFirst();
  ASSERT_TRUE(store.DeleteRange("", "").ok());
  ASSERT_TRUE(store.Compact().ok());
  EXPECT_EQ(store.Stats().value_files, 0u);
  EXPECT_NE(ValueFilesOnDisk(fs), std::set<uint64_t>());
  EXPECT_EQ(*Walk(std::move(cursor)), ModelAfter(2 * kFirst));
  EXPECT_EQ(ValueFilesOnDisk(fs), std::set<uint64_t>());
}

// A cursor that cannot have the value is not valid; what needs no value does not look for it.
TEST(SeparatedTest, DamagedValuesAreMissedOnlyByThoseWhoReadThem) {
  SimulatedFileSystem fs;
  auto opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok());
  for (size_t i = 0; i < kFirst; ++i) ASSERT_TRUE(WriteOne(**opened, i).ok());
  ASSERT_TRUE((*opened)->Close().ok());
  opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE((*opened)->Flush().ok());
  const std::string path = kNames.Values(*ValueFilesOnDisk(fs).begin());
  ASSERT_TRUE((*opened)->Close().ok());
  // In the value of key2.
  ASSERT_TRUE(fs.FlipBit(path, fs.Contents(path)->find("2:vvv"), 1).ok());
  opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok()) << opened.status();
  SeparatedStore& store = **opened;
  EXPECT_EQ(*store.Count(""), kFirst);
  std::string value;
  EXPECT_TRUE(store.Get(Key(1), &value).ok());
  const absl::Status status = store.Get(Key(2), &value);
  EXPECT_TRUE(absl::IsDataLoss(status) && Names(status, path)) << status;
  EXPECT_TRUE(absl::IsDataLoss(store.Verify()));
  auto cursor = store.NewCursor();
  size_t seen = 0;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++seen;
  EXPECT_EQ(seen, 2u);
  EXPECT_TRUE(absl::IsDataLoss(cursor.status())) << cursor.status();
  for (seen = 0, cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) ++seen;
  EXPECT_EQ(seen, 3u);
  EXPECT_TRUE(absl::IsDataLoss(cursor.status())) << cursor.status();
  cursor.Seek(Key(3));
  EXPECT_TRUE(cursor.Valid());
  EXPECT_EQ(cursor.value(), ValueOf(3));
  EXPECT_TRUE(cursor.status().ok()) << cursor.status();
}

// A store of inline values becomes one of separated values, and not the other way round.
TEST(SeparatedTest, OpensInlineStoresAndIsRefusedByThem) {
  SimulatedFileSystem fs;
  {
    auto store = OpenStore<SyncedStore>(fs);
    ASSERT_TRUE(store.ok());
    ASSERT_EQ(WriteUntil(**store, 0, 30), 30u);
    ASSERT_TRUE((*store)->Close().ok());
  }
  {
    auto store = OpenStore<SeparatedStore>(fs);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(*Contents(**store), StateAfter(30));
    ASSERT_EQ(WriteUntil(**store, 30, 60), 60u);
    EXPECT_EQ(*Contents(**store), StateAfter(60));
    EXPECT_GT((*store)->Stats().value_files, 0u);
    EXPECT_EQ((*store)->Verify(), absl::OkStatus());
    ASSERT_TRUE((*store)->Close().ok());
  }
  const absl::Status status = OpenStore<SyncedStore>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, "values=separated")) << status;
  EXPECT_EQ(SyncedStore::Format() + " values=separated", SeparatedStore::Format());
}

// Compaction copies pointers: what it writes does not grow with the values.
TEST(SeparatedTest, OverwritesAreNotCopiedByCompaction) {
  struct LargeFiles : SyncedParts {
    using Values = SeparatedValues<>;
  };
  const auto overwrite = [](auto& store) {
    for (size_t i = 0; i < 400; ++i) {
      EXPECT_TRUE(store.Put(Key(i * 7 % 40), std::string(4096, static_cast<char>(i))).ok());
    }
    return store.Stats();
  };
  Options options = StoreOptions();
  options.memtable_bytes = 100'000;
  SimulatedFileSystem inline_files;
  auto inline_store = OpenStore<UnsyncedStore>(inline_files, options);
  SimulatedFileSystem separated_files;
  auto separated_store = OpenStore<Lsm<LargeFiles, SimulatedEnvironment>>(separated_files, options);
  ASSERT_TRUE(inline_store.ok() && separated_store.ok());
  const Statistics inlined = overwrite(**inline_store);
  const Statistics separated = overwrite(**separated_store);
  EXPECT_LT(2 * separated.compaction_bytes_written, inlined.compaction_bytes_written);
  EXPECT_LT(separated.flush_bytes, inlined.flush_bytes * 11 / 10);
  // What is moved is written, and is counted as such.
  EXPECT_GE(separated.compaction_bytes_written, separated.value_bytes_moved);
}

}  // namespace
}  // namespace kv
