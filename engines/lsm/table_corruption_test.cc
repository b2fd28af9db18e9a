// Damage is reported with path and offset, or harmless; it never changes an answer.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "engines/lsm/table.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/table_testing.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

void Replace(SimulatedFileSystem files, const std::string& path, std::string_view bytes) {
  auto file = files.Create(path);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Append(bytes).ok());
}

void ExpectNamesPathAndOffset(const absl::Status& status) {
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  const std::string message(status.message());
  EXPECT_NE(message.find("/table"), std::string::npos) << message;
  EXPECT_NE(message.find("offset"), std::string::npos) << message;
}

template <typename Parts>
class TableCorruptionTest : public testing::Test {
 protected:
  TableCorruptionTest()
      : run_(RecordMaker(1).Make(60, 3, 25)),
        opened_(BuildTable<Parts>(files_, "/table", run_, 300)),
        bytes_(*files_.Contents("/table")) {}

  // Opens and asks what there is. Returns the first error.
  absl::Status Read() {
    absl::Status status = opened_.Open();
    if (status.ok()) {
      status = AskEverything(*opened_.table, run_);
      EXPECT_EQ(opened_.table->Verify().ok(), status.ok());
    }
    return status;
  }

  SimulatedFileSystem files_;
  Records run_;
  OpenedTable<Parts, SimulatedFileSystem> opened_;
  const std::string bytes_;
};

TYPED_TEST_SUITE(TableCorruptionTest, AllTableParts);

TYPED_TEST(TableCorruptionTest, EveryFlippedByteIsReported) {
  ASSERT_TRUE(this->Read().ok());
  for (size_t i = 0; i < this->bytes_.size(); ++i) {
    SCOPED_TRACE(i);
    std::string damaged = this->bytes_;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    Replace(this->files_, "/table", damaged);
    ExpectNamesPathAndOffset(this->Read());
    if (testing::Test::HasFailure()) return;
  }
}

TYPED_TEST(TableCorruptionTest, EveryTruncationIsReported) {
  for (size_t size = 0; size < this->bytes_.size(); ++size) {
    Replace(this->files_, "/table", std::string_view(this->bytes_).substr(0, size));
    ExpectNamesPathAndOffset(this->opened_.Open());
    // A manifest that agrees with the wrong size must not help.
    auto other = BuildTable<TypeParam>(SimulatedFileSystem(), "/table", this->run_, 300);
    if (size % 64 != 0) continue;
    other.files = this->files_;
    other.meta.bytes = size;
    ExpectNamesPathAndOffset(other.Open());
    if (testing::Test::HasFailure()) return;
  }
}

TYPED_TEST(TableCorruptionTest, ExtensionsAreReported) {
  Replace(this->files_, "/table", this->bytes_ + std::string(1, '\0'));
  ExpectNamesPathAndOffset(this->opened_.Open());
  Replace(this->files_, "/table", this->bytes_ + this->bytes_);
  ExpectNamesPathAndOffset(this->opened_.Open());
}

// Another table's file under this name, intact in itself.
TYPED_TEST(TableCorruptionTest, AnotherTableIsReported) {
  auto other = BuildTable<TypeParam>(SimulatedFileSystem(), "/table", this->run_, 300, 43);
  ASSERT_EQ(other.meta.bytes, this->bytes_.size());
  Replace(this->files_, "/table", *other.files.Contents("/table"));
  ExpectNamesPathAndOffset(this->opened_.Open());
}

TYPED_TEST(TableCorruptionTest, AManifestThatDiffersIsReported) {
  for (int field = 0; field < 10; ++field) {
    auto other = BuildTable<TypeParam>(this->files_, "/table", this->run_, 300);
    uint64_t* const numbers[] = {
        &other.meta.number,       &other.meta.bytes,           &other.meta.entries,
        &other.meta.tombstones,   &other.meta.raw_bytes,       &other.meta.min_sequence,
        &other.meta.max_sequence, &other.meta.earliest_expiry, &other.meta.latest_expiry};
    if (field < 9) {
      ++*numbers[field];
    } else {
      other.meta.largest += 'x';
    }
    ExpectNamesPathAndOffset(other.Open());
  }
}

// Two blocks of equal size, each with its checksum, in each other's place.
TYPED_TEST(TableCorruptionTest, MisplacedBlocksAreReported) {
  Records run;
  for (int i = 0; i < 40; ++i) {
    run.push_back({.key = fmt::format("{:04}", i), .value = std::string(20, 'v'), .sequence = 1});
  }
  auto opened = BuildTable<TypeParam>(this->files_, "/table", run, 64);
  ASSERT_TRUE(opened.Open().ok());
  const TableIndex::Block first = opened.table->index().block(0);
  const TableIndex::Block second = opened.table->index().block(1);
  ASSERT_EQ(first.stored_bytes, second.stored_bytes);
  std::string bytes = *this->files_.Contents("/table");
  std::swap_ranges(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(first.stored_bytes),
                   bytes.begin() + static_cast<ptrdiff_t>(second.offset));
  Replace(this->files_, "/table", bytes);
  ASSERT_TRUE(opened.Open().ok());
  ExpectNamesPathAndOffset(AskEverything(*opened.table, run));
  ExpectNamesPathAndOffset(opened.table->Verify());
}

TYPED_TEST(TableCorruptionTest, ANewerVersionIsNamed) {
  std::string newer = this->bytes_;
  const size_t footer = newer.size() - TableFooter::kBytes;
  StoreFixed64(newer.data() + footer + 64, kTableVersionWithDictionary + 1);
  StoreFixed64(newer.data() + footer + 80,
               Checksum(std::string_view(newer).substr(footer, TableFooter::kBytes - 8),
                        BlockSeed(this->opened_.meta.number, footer)));
  Replace(this->files_, "/table", newer);
  const absl::Status status = this->opened_.Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(std::string(status.message()).find("/table"), std::string::npos);
  EXPECT_NE(std::string(status.message()).find("version 4"), std::string::npos) << status;
  EXPECT_NE(std::string(status.message()).find("versions 2 and 3"), std::string::npos) << status;
}

// Bytes that a checksum vouches for, but that no builder wrote: nothing is read out of bounds (the
// sanitizers judge) and whatever goes wrong ends in a status.
TYPED_TEST(TableCorruptionTest, ChecksummedNonsenseIsHarmless) {
  RecordMaker maker(2);
  int malformed = 0;
  ASSERT_TRUE(this->opened_.Open().ok());
  const uint64_t number = this->opened_.meta.number;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = this->bytes_;
    ASSERT_TRUE(this->opened_.table != nullptr);
    const TableIndex& index = this->opened_.table->index();
    const size_t chosen = maker.Below(index.blocks());
    const TableIndex::Block place = index.block(chosen);
    const size_t directory = index.data_bytes() + place.directory_begin;
    for (uint64_t edits = 1 + maker.Below(4); edits > 0; --edits) {
      const size_t at = maker.Below(2) == 0
                            ? place.offset + maker.Below(place.stored_bytes - kBlockTrailerBytes)
                            : directory + maker.Below(place.directory_bytes);
      const uint64_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, maker.Below(256)};
      bytes[at] = static_cast<char>(interesting[maker.Below(6)]);
    }
    const size_t covered = place.stored_bytes - sizeof(uint64_t);
    const uint64_t seed = Checksum(std::string_view(bytes).substr(directory, place.directory_bytes),
                                   BlockSeed(number, place.offset));
    StoreFixed64(bytes.data() + place.offset + covered,
                 Checksum(std::string_view(bytes).substr(place.offset, covered), seed));
    Replace(this->files_, "/table", bytes);
    OpenedTable<TypeParam, SimulatedFileSystem> opened{
        this->files_, "/table", this->opened_.meta, {}, {}};
    ASSERT_TRUE(opened.Open().ok());
    typename Table<TypeParam, SimulatedFileSystem>::Pin pin;
    typename Table<TypeParam, SimulatedFileSystem>::Cursor cursor(opened.table.get());
    uint64_t sum = 0;
    const auto use = [&sum](const Record& record) {
      sum += HashKey(record.key) + HashKey(record.value);
    };
    for (const OwnedRecord& record : this->run_) {
      const uint64_t hash = HashKey(record.key);
      // What a batch of gets looks at ahead of the checksums.
      size_t block = 0;
      opened.table->PrefetchFilter(hash);
      if (opened.table->Locate(record.key, hash, &block) == TableAnswer::kFound) {
        opened.table->PrefetchBlock(block);
        opened.table->PrefetchEntry(block, hash);
      }
      Record found;
      absl::Status status;
      const TableAnswer answer =
          opened.table->Get(record.key, hash, record.sequence, &found, &pin, &status);
      if (answer == TableAnswer::kFound) use(found);
      EXPECT_EQ(answer == TableAnswer::kError, !status.ok());
      cursor.Seek(record.key, record.sequence);
      if (cursor.Valid()) use(cursor.record());
    }
    size_t moves = 0;
    for (cursor.SeekToFirst(); cursor.Valid() && moves < 10'000; cursor.Next(), ++moves) {
      use(cursor.record());
    }
    for (cursor.SeekToLast(); cursor.Valid() && moves < 20'000; cursor.Prev(), ++moves) {
      use(cursor.record());
    }
    // Another value is as good as the one before; what breaks the structure is found.
    const absl::Status verified = opened.table->Verify();
    EXPECT_TRUE(verified.ok() || absl::IsDataLoss(verified)) << verified;
    malformed += !verified.ok();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(malformed, 1000);
}

}  // namespace
}  // namespace kv
