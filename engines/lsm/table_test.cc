// A table answers as the run it was built of, through every path and for every composition.
#include "engines/lsm/table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engines/lsm/table_builder.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/table_testing.h"
#include "kv/base/hash.h"
#include "kv/contract/record.h"
#include "kv/io/posix.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

static_assert(RecordCursor<Table<MappedParts, PosixFileSystem>::Cursor>);
static_assert(RecordCursor<Table<CompressedParts, SimulatedFileSystem>::Cursor>);

template <typename Parts>
class TableTest : public testing::Test {
 protected:
  using Opened = OpenedTable<Parts, SimulatedFileSystem>;

  Opened Build(const Records& run, size_t block_bytes) {
    Opened opened = BuildTable<Parts>(files_, "/table", run, block_bytes);
    const absl::Status status = opened.Open();
    EXPECT_TRUE(status.ok()) << status;
    return opened;
  }

  SimulatedFileSystem files_;
};

TYPED_TEST_SUITE(TableTest, AllTableParts);

TYPED_TEST(TableTest, AnswersAsItsRun) {
  RecordMaker maker(1);
  for (const size_t block_bytes : {64, 300, 4096}) {
    for (const uint64_t versions : {1, 4}) {
      const Records run = maker.Make(400, versions, 60);
      auto opened = this->Build(run, block_bytes);
      ASSERT_NE(opened.table, nullptr);
      EXPECT_TRUE(AskEverything(*opened.table, run).ok());
      const absl::Status verified = opened.table->Verify();
      EXPECT_TRUE(verified.ok()) << verified;
      TableMeta meta = MetaOf(run);
      meta.number = opened.meta.number;
      meta.bytes = opened.meta.bytes;
      EXPECT_EQ(opened.meta, meta);
      EXPECT_EQ(this->files_.Contents("/table")->size(), meta.bytes);
    }
  }
}

TYPED_TEST(TableTest, AbsentKeysAreAbsent) {
  RecordMaker maker(2);
  const Records run = maker.Make(300, 2, 20);
  auto opened = this->Build(run, 200);
  typename Table<TypeParam, SimulatedFileSystem>::Pin pin;
  int filtered = 0;
  int asked = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = maker.Key() + maker.Bytes(maker.Below(4), 20);
    const size_t place = LowerBound(run, key, kMaxSequence);
    if (place < run.size() && run[place].key == key) continue;
    Record found;
    absl::Status status;
    const TableAnswer answer =
        opened.table->Get(key, HashKey(key), kMaxSequence, &found, &pin, &status);
    EXPECT_EQ(answer == TableAnswer::kOutOfRange, key < run[0].key || key > run.back().key);
    EXPECT_TRUE(answer == TableAnswer::kOutOfRange || answer == TableAnswer::kFiltered ||
                answer == TableAnswer::kAbsent);
    asked += answer != TableAnswer::kOutOfRange;
    filtered += answer == TableAnswer::kFiltered;
  }
  EXPECT_GT(asked, 1000);
  if (TypeParam::Filter::kEnabled) {
    EXPECT_GT(filtered, asked * 9 / 10);
  }
}

TYPED_TEST(TableTest, SeeksAndTurnsAsItsRun) {
  RecordMaker maker(3);
  const Records run = maker.Make(300, 5, 30);
  auto opened = this->Build(run, 256);
  typename Table<TypeParam, SimulatedFileSystem>::Cursor cursor(opened.table.get());
  EXPECT_FALSE(cursor.Valid());
  for (int i = 0; i < 4000; ++i) {
    std::string key = maker.Below(2) == 0 ? run[maker.Below(run.size())].key : maker.Key();
    if (maker.Below(4) == 0) key.push_back('\0');
    const Sequence sequence = maker.Below(3) == 0   ? kMaxSequence
                              : maker.Below(2) == 0 ? run[maker.Below(run.size())].sequence
                                                    : maker.RandomSequence();
    size_t place = LowerBound(run, key, sequence);
    cursor.Seek(key, sequence);
    for (uint64_t moves = maker.Below(40); place < run.size(); --moves) {
      ASSERT_TRUE(cursor.Valid());
      ASSERT_TRUE(SameRecord(cursor.record(), run[place]));
      if (moves == 0) break;
      if (maker.Below(2) == 0) {
        cursor.Next();
        ++place;
      } else {
        cursor.Prev();
        --place;  // before the first is beyond the last
      }
    }
    if (place >= run.size()) {
      ASSERT_FALSE(cursor.Valid());
    }
    ASSERT_TRUE(cursor.status().ok());
  }
}

// Binary search by sequence must find its way among blocks that hold one key only.
TYPED_TEST(TableTest, VersionsOfOneKeySpanManyBlocks) {
  Records run;
  for (const char* const key : {"a", "hot", "hot\x01", "z"}) {
    for (Sequence sequence = key == std::string_view("hot") ? 3000 : 1; sequence > 0; --sequence) {
      run.push_back(
          {.key = key, .value = std::string(sequence % 30, 'v'), .sequence = sequence * 2});
    }
  }
  auto opened = this->Build(run, 256);
  EXPECT_GT(opened.table->blocks(), 100u);
  EXPECT_TRUE(AskEverything(*opened.table, run).ok());
  EXPECT_TRUE(opened.table->Verify().ok());
  typename Table<TypeParam, SimulatedFileSystem>::Cursor cursor(opened.table.get());
  for (Sequence at = 0; at <= 6002; ++at) {
    const size_t place = LowerBound(run, "hot", at);
    cursor.Seek("hot", at);
    ASSERT_TRUE(cursor.Valid());
    ASSERT_TRUE(SameRecord(cursor.record(), run[place]));
  }
}

TYPED_TEST(TableTest, TakesLargeKeysAndValues) {
  RecordMaker maker(4);
  std::set<std::string> names{"", std::string(kMaxTableKeyBytes, '\0'),
                              std::string(kMaxTableKeyBytes, '\xff')};
  for (int i = 0; i < 20; ++i) names.insert(std::string(60'000, 'k') + maker.Bytes(5000, 20));
  Records run = maker.Versions(names, 2, 2000);
  for (int i = 0; i < 5; ++i) {
    OwnedRecord& record = run[maker.Below(run.size())];
    record.kind = RecordKind::kValue;
    record.value = maker.Bytes((size_t{1} << 20) + maker.Below(1 << 20), 20);
  }
  for (const size_t block_bytes : {4096, 1 << 20}) {
    auto opened = this->Build(run, block_bytes);
    EXPECT_TRUE(AskEverything(*opened.table, run).ok());
    const absl::Status verified = opened.table->Verify();
    EXPECT_TRUE(verified.ok()) << verified;
  }
}

TYPED_TEST(TableTest, HoldsASingleEmptyRecord) {
  const Records run{{.key = "", .value = ""}};
  auto opened = this->Build(run, 4096);
  EXPECT_TRUE(AskEverything(*opened.table, run).ok());
  EXPECT_TRUE(opened.table->Verify().ok());
}

// The library's promise: a table is read by any number of threads, first touches included.
TYPED_TEST(TableTest, IsReadByManyThreads) {
  RecordMaker maker(5);
  const Records run = maker.Make(2000, 3, 40);
  auto opened = this->Build(run, 512);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      typename Table<TypeParam, SimulatedFileSystem>::Pin pin;
      for (size_t i = 0; i < run.size(); ++i) {
        const OwnedRecord& expected = run[(i * 7 + static_cast<size_t>(t)) % run.size()];
        Record found;
        absl::Status status;
        ASSERT_EQ(opened.table->Get(expected.key, HashKey(expected.key), expected.sequence, &found,
                                    &pin, &status),
                  TableAnswer::kFound);
        ASSERT_TRUE(SameRecord(found, expected));
      }
      typename Table<TypeParam, SimulatedFileSystem>::Cursor cursor(opened.table.get());
      size_t count = 0;
      for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++count;
      ASSERT_EQ(count, run.size());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TYPED_TEST(TableTest, ReportsItsMemory) {
  RecordMaker maker(6);
  Records run;
  for (int i = 0; i < 20'000; ++i) {
    run.push_back({.key = fmt::format("{:016}", i), .value = maker.Bytes(100, 20), .sequence = 1});
  }
  auto opened = this->Build(run, 4096);
  const size_t bytes = opened.table->MemoryBytes() - sizeof *opened.table;
  size_t index_bytes = opened.meta.raw_bytes / 100;
  if (TypeParam::Compression::kDictionaryBytes != 0) index_bytes += 32'000;  // digested
  if (TypeParam::Reading::kMapped) {
    EXPECT_LT(bytes, index_bytes);
  } else {
    // Directories at 3.5 bytes an entry, the filter at 10 bits.
    EXPECT_GT(bytes, run.size() * 3);
    EXPECT_LT(bytes, index_bytes + run.size() * 5);
  }
}

TYPED_TEST(TableTest, CountsBlocksAndOffsets) {
  Records run;
  for (int i = 0; i < 1000; ++i) run.push_back({.key = fmt::format("{:05}", i), .sequence = 1});
  auto opened = this->Build(run, 256);
  const auto& table = *opened.table;
  EXPECT_EQ(table.ApproximateOffset(""), 0u);
  uint64_t before = 0;
  for (const OwnedRecord& record : run) {
    const uint64_t offset = table.ApproximateOffset(record.key);
    EXPECT_GE(offset, before);
    before = offset;
  }
  EXPECT_GT(table.ApproximateOffset("1"), before);
  EXPECT_EQ(table.CountBlocksIn("", "1"), table.blocks());
  EXPECT_EQ(table.CountBlocksIn("5", "5"), 0u);
  EXPECT_EQ(table.CountBlocksIn("00000", "000001"), 1u);
}

// The path that production takes: a real file, mapped, and a cursor's values outliving its moves.
TEST(PosixTableTest, ValuesOfMappedBlocksLiveAsLongAsTheTable) {
  const std::string path = testing::TempDir() + "/posix_table_test";
  RecordMaker maker(7);
  const Records run = maker.Make(3000, 2, 100);
  auto opened = BuildTable<MappedParts>(PosixFileSystem(), path, run, 4096);
  ASSERT_TRUE(opened.Open().ok());
  EXPECT_TRUE(AskEverything(*opened.table, run).ok());
  std::vector<std::string_view> values;
  {
    Table<MappedParts, PosixFileSystem>::Cursor cursor(opened.table.get());
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      values.push_back(cursor.record().value);
    }
  }
  ASSERT_EQ(values.size(), run.size());
  for (size_t i = 0; i < run.size(); ++i) EXPECT_EQ(values[i], run[i].value);
  EXPECT_TRUE(PosixFileSystem().Remove(path).ok());
}

// A filter is advice: a table written with another one is read without.
TEST(TablePartsTest, AnotherFilterIsNotAsked) {
  SimulatedFileSystem files;
  const Records run = RecordMaker(8).Make(200, 1, 20);
  auto written = BuildTable<MappedParts>(files, "/table", run, 256);
  using Other = TableParts<BlockedBloomFilter<16>, NoCache, NoCompression>;
  auto table = Table<Other, SimulatedFileSystem>::Open(files, "/table", written.meta, nullptr);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(AskEverything(**table, run).ok());
}

TEST(TablePartsTest, AnotherCompressionIsRefusedByName) {
  SimulatedFileSystem files;
  const Records run = RecordMaker(9).Make(200, 1, 20);
  auto written = BuildTable<CompressedParts>(files, "/table", run, 4096);
  auto table =
      Table<MappedParts, SimulatedFileSystem>::Open(files, "/table", written.meta, nullptr);
  EXPECT_TRUE(absl::IsFailedPrecondition(table.status()));
  const std::string message(table.status().message());
  EXPECT_NE(message.find("/table"), std::string::npos);
  EXPECT_NE(message.find("zstd"), std::string::npos);
}

TEST(TablePartsTest, UncompressedTablesAreReadWithAnyCompression) {
  SimulatedFileSystem files;
  const Records run = RecordMaker(10).Make(200, 1, 20);
  auto written = BuildTable<MappedParts>(files, "/table", run, 256);
  ClockCache cache(1 << 20);
  auto table =
      Table<CompressedParts, SimulatedFileSystem>::Open(files, "/table", written.meta, &cache);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(AskEverything(**table, run).ok());
}

TEST(TableMetaTest, SurvivesTheManifest) {
  TableMeta meta = MetaOf(RecordMaker(13).Make(50, 3, 10));
  meta.number = 7;
  meta.bytes = uint64_t{1} << 40;
  std::string bytes;
  meta.AppendTo(&bytes);
  const size_t size = bytes.size();
  bytes += "rest";
  std::string_view from = bytes;
  TableMeta taken;
  ASSERT_TRUE(TableMeta::Take(&from, &taken));
  EXPECT_EQ(taken, meta);
  EXPECT_EQ(from, "rest");
  for (size_t cut = 0; cut < size; ++cut) {
    from = std::string_view(bytes).substr(0, cut);
    EXPECT_FALSE(TableMeta::Take(&from, &taken)) << cut;
  }
}

}  // namespace
}  // namespace kv
