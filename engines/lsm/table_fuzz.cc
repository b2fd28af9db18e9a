// Fuzzes Table: any bytes as a sorted table, of which the manifest says what the table itself says.
//
// What comes in: a table file, as it is or with every checksum in it made right
// (checksum_repair.h); opened mapped and uncompressed, or read by pread, compressed with a
// dictionary, through a cache. What must hold: it is refused as damage that names the file; or it
// opens, and then cursors and reads find their way or say that a block is malformed. Where Verify()
// finds nothing wrong, they also agree: a cursor shows as many records as the properties say, in
// strict order, the same backwards, and each of them is found by Get and by Seek.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/lsm/checksum_repair.h"
#include "engines/lsm/table.h"
#include "engines/lsm/table_builder.h"
#include "fmt/format.h"
#include "kv/base/hash.h"
#include "kv/cache/clock.h"
#include "kv/cache/none.h"
#include "kv/compression/none.h"
#include "kv/compression/zstd.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/reading/mmap.h"
#include "kv/reading/pread.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

constexpr char kPath[] = "/store/000042.table";

struct MappedParts {
  using Filter = BlockedBloomFilter<10>;
  using Cache = NoCache;
  using Compression = NoCompression;
  using Reading = MmapReading;
};

// Gives every table a dictionary, however small it is: its first bytes, as they are.
struct FirstBytesDictionary : ZstdCompression<> {
  static constexpr std::string_view kName = "first bytes";
  static constexpr size_t kDictionaryBytes = 200;

  struct Compressor : ZstdCompression<>::Compressor {
    using ZstdCompression<>::Compressor::Compressor;

    std::string Train(std::string_view samples, std::span<const size_t>) {
      std::string dictionary(samples.substr(0, kDictionaryBytes));
      Require(Use(dictionary), "a dictionary cannot be used");
      return dictionary;
    }
  };
};

struct PackedParts {
  using Filter = BlockedBloomFilter<10>;
  using Cache = ClockCache;
  using Compression = FirstBytesDictionary;
  using Reading = PreadReading;
};

struct OwnedRecord {
  explicit OwnedRecord(const Record& record)
      : key(record.key),
        value(record.value),
        sequence(record.sequence),
        expires_at(record.expires_at),
        kind(record.kind) {}

  bool Is(const Record& record) const {
    return record == Record{key, value, sequence, expires_at, kind};
  }

  std::string key;
  std::string value;
  Sequence sequence;
  uint64_t expires_at;
  RecordKind kind;
};

// Keys with much in common, some with several versions, some gone, some with a value elsewhere.
template <typename Parts>
std::string MakeTable(size_t keys, size_t block_bytes) {
  ExactFiles files;
  auto builder =
      TableBuilder<Parts, ExactFiles>::Create(files, kPath, 42, {.block_bytes = block_bytes});
  RequireOk(builder.status(), "a table cannot be begun:");
  std::string pointer;
  ValuePointer{.file = 7, .offset = 28, .bytes = 300}.AppendTo(&pointer);
  for (size_t i = 0; i < keys; ++i) {
    const std::string key = fmt::format("user/{:03}{}", i, std::string(i % 9, 'k'));
    const std::string value = std::string(i % 40, static_cast<char>('a' + i % 3));
    for (Sequence sequence = 1 + i % 3; sequence > 0; --sequence) {
      Record record{.key = key, .value = value, .sequence = sequence << (i % 20)};
      if (i % 5 == 1) record.expires_at = 1'700'000'000'000 + i;
      if (i % 7 == 2) {
        record.kind = RecordKind::kTombstone;
        record.value = {};
      } else if (i % 7 == 4) {
        record.kind = RecordKind::kSeparated;
        record.value = pointer;
      }
      RequireOk(builder->Add(record), "a record cannot be added:");
    }
  }
  RequireOk(builder->Finish().status(), "a table cannot be finished:");
  return files.Contents(kPath);
}

template <typename TableType>
class TableCheck {
 public:
  explicit TableCheck(const TableType& table) : table_(table), verified_(table.Verify()) {
    if (!verified_.ok()) RequireRefusal(verified_, kPath);
  }

  // Whether the table is what Verify() finds nothing wrong with.
  bool Check() {
    std::vector<OwnedRecord> backwards;
    Walk([](auto& cursor) { cursor.SeekToFirst(); }, [](auto& cursor) { cursor.Next(); },
         &records_);
    Walk([](auto& cursor) { cursor.SeekToLast(); }, [](auto& cursor) { cursor.Prev(); },
         &backwards);
    if (verified_.ok() && !cut_) {
      Require(records_.size() == table_.meta().entries, "a cursor misses records");
      Require(backwards.size() == records_.size(), "a cursor shows other records backwards");
      for (size_t i = 0; i < records_.size(); ++i) {
        CheckRecord(i, backwards[records_.size() - 1 - i]);
      }
    }
    for (const OwnedRecord& record : records_) {
      Find(record.key, record.sequence);
      Find(record.key + "x", kMaxSequence);
    }
    Find("", kMaxSequence);
    Find("user/", kMaxSequence);
    Find("zzz", 0);
    return verified_.ok();
  }

 private:
  template <typename Start, typename Move>
  void Walk(Start start, Move move, std::vector<OwnedRecord>* records) {
    typename TableType::Cursor cursor(&table_);
    size_t bytes = 0;
    for (start(cursor); cursor.Valid(); move(cursor)) {
      bytes += cursor.record().key.size() + cursor.record().value.size();
      cut_ |= bytes > kMostBytes;
      if (cut_) return;
      records->emplace_back(cursor.record());
    }
    CheckError(cursor.status());
  }

  // Reads may fail where Verify() does, and only there.
  void CheckError(const absl::Status& status) const {
    if (status.ok()) return;
    RequireRefusal(status, kPath);
    Require(!verified_.ok(), "a table that Verify() passes cannot be read");
  }

  void CheckRecord(size_t i, const OwnedRecord& backwards) {
    const OwnedRecord& record = records_[i];
    Require(backwards.Is(
                Record{record.key, record.value, record.sequence, record.expires_at, record.kind}),
            "a cursor shows other records backwards");
    if (i > 0) {
      const OwnedRecord& before = records_[i - 1];
      Require(CompareInternal(before.key, before.sequence, record.key, record.sequence) < 0,
              "records are not in order");
    }
    typename TableType::Cursor cursor(&table_);
    cursor.Seek(record.key, record.sequence);
    Require(cursor.Valid() && record.Is(cursor.record()), "Seek does not find a record");
    const TableAnswer answer = Find(record.key, record.sequence);
    Require(answer == TableAnswer::kFound && record.Is(found_), "Get does not find a record");
  }

  TableAnswer Find(std::string_view key, Sequence at) {
    absl::Status status;
    const TableAnswer answer = table_.Get(key, HashKey(key), at, &found_, &pin_, &status);
    if (answer == TableAnswer::kError) CheckError(status);
    return answer;
  }

  // Of a malformed table, whose entries may lie over one another.
  static constexpr size_t kMostBytes = size_t{8} << 20;

  const TableType& table_;
  const absl::Status verified_;
  bool cut_ = false;
  std::vector<OwnedRecord> records_;
  Record found_;
  typename TableType::Pin pin_;
};

template <typename Parts>
bool Run(FuzzInput& fuzzed) {
  TableMeta meta{.bytes = fuzzed.bytes.size()};
  if (fuzzed.repair) {
    meta = RepairTable(&fuzzed.bytes);
  } else {
    TableFooter::Extent place;
    TableProperties properties;
    if (FindTableProperties(fuzzed.bytes, &place, &properties)) meta = properties.meta;
  }
  ExactFiles files;
  files.Set(kPath, fuzzed.bytes);
  typename Parts::Cache cache(size_t{64} << 10);
  const auto table = Table<Parts, ExactFiles>::Open(files, kPath, meta, &cache);
  if (!table.ok()) {
    RequireRefusal(table.status(), kPath);
    return false;
  }
  return TableCheck<Table<Parts, ExactFiles>>(**table).Check();
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  AddSeeds(0, MakeTable<MappedParts>(1, 4096), &seeds);
  AddSeeds(0, MakeTable<MappedParts>(40, 200), &seeds);
  AddSeeds(0, MakeTable<MappedParts>(60, 4096), &seeds);
  AddSeeds(1, MakeTable<PackedParts>(40, 300), &seeds);
  AddSeeds(1, MakeTable<PackedParts>(60, 2000), &seeds);
  return seeds;
}

bool FuzzRun(std::string_view input) {
  FuzzInput fuzzed(input);
  return fuzzed.choice % 2 == 0 ? Run<MappedParts>(fuzzed) : Run<PackedParts>(fuzzed);
}

}  // namespace kv::testing
