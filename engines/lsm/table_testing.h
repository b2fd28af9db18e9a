// What the tests of tables share: the parts they are built of, random histories, and a reference.
// For tests only.
#ifndef ENGINES_LSM_TABLE_TESTING_H_
#define ENGINES_LSM_TABLE_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engines/lsm/table.h"
#include "engines/lsm/table_builder.h"
#include "engines/lsm/table_meta.h"
#include "kv/base/hash.h"
#include "kv/cache/clock.h"
#include "kv/cache/none.h"
#include "kv/compression/none.h"
#include "kv/compression/zstd.h"
#include "kv/contract/record.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/filter/none.h"
#include "kv/reading/mmap.h"
#include "kv/reading/pread.h"

namespace kv {

template <typename FilterPart, typename CachePart, typename CompressionPart,
          typename ReadingPart = MmapReading>
struct TableParts {
  using Filter = FilterPart;
  using Cache = CachePart;
  using Compression = CompressionPart;
  using Reading = ReadingPart;
};

// Gives every table a dictionary, however small it is: its first bytes, as they are.
struct FirstBytesDictionary : ZstdCompression<> {
  static constexpr std::string_view kName = "first bytes";
  static constexpr size_t kDictionaryBytes = 200;

  struct Compressor : ZstdCompression<>::Compressor {
    using ZstdCompression<>::Compressor::Compressor;

    std::string Train(std::string_view samples, std::span<const size_t>) {
      std::string dictionary(samples.substr(0, kDictionaryBytes));
      EXPECT_TRUE(Use(dictionary));
      return dictionary;
    }
  };
};
static_assert(Compression<FirstBytesDictionary>);

using MappedParts = TableParts<BlockedBloomFilter<10>, NoCache, NoCompression>;
using BareParts = TableParts<NoFilter, NoCache, NoCompression>;
using CompressedParts = TableParts<BlockedBloomFilter<10>, ClockCache, ZstdCompression<>>;
using UncachedParts = TableParts<NoFilter, NoCache, FirstBytesDictionary>;
using PreadParts = TableParts<BlockedBloomFilter<10>, ClockCache, NoCompression, PreadReading>;
using PreadCompressedParts = TableParts<NoFilter, NoCache, ZstdCompression<>, PreadReading>;
using PreadDictionaryParts =
    TableParts<BlockedBloomFilter<10>, ClockCache, FirstBytesDictionary, PreadReading>;

using AllTableParts = testing::Types<MappedParts, BareParts, CompressedParts, UncachedParts,
                                     PreadParts, PreadCompressedParts, PreadDictionaryParts>;

// A record that owns its bytes.
struct OwnedRecord {
  std::string key;
  std::string value;
  Sequence sequence = 0;
  uint64_t expires_at = kNeverExpires;
  RecordKind kind = RecordKind::kValue;

  Record view() const { return {key, value, sequence, expires_at, kind}; }
};

// In internal order: a table's content in the plainest form.
using Records = std::vector<OwnedRecord>;

inline bool Before(const OwnedRecord& a, const OwnedRecord& b) {
  return CompareInternal(a.key, a.sequence, b.key, b.sequence) < 0;
}

// The first of `run` at or after (key, sequence).
inline size_t LowerBound(const Records& run, std::string_view key, Sequence sequence) {
  const auto found = std::partition_point(run.begin(), run.end(), [&](const OwnedRecord& record) {
    return CompareInternal(record.key, record.sequence, key, sequence) < 0;
  });
  return static_cast<size_t>(found - run.begin());
}

inline bool SameRecord(const Record& actual, const OwnedRecord& expected) {
  return actual == expected.view();
}

class RecordMaker {
 public:
  explicit RecordMaker(uint32_t seed) : random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  std::string Bytes(size_t size, uint64_t alphabet) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
      const uint64_t letter = Below(alphabet);
      // The ends of the range are where comparisons go wrong.
      byte = static_cast<char>(letter == 0 ? 0 : letter == 1 ? 0xff : letter + 'a' - 2);
    }
    return bytes;
  }

  // Keys that share prefixes, one of them empty, with NULs and 0xff.
  std::string Key() {
    if (Below(50) == 0) return std::string(Below(4), '\xff');
    std::string key;
    if (Below(2) == 0) key = "user/profile/";
    if (Below(4) == 0) key.append(Below(40), 'x');
    return key + Bytes(Below(7), 5);
  }

  // `keys` distinct keys with 1 to `most_versions` versions each.
  Records Make(size_t keys, uint64_t most_versions, uint64_t most_value) {
    std::set<std::string> names;
    while (names.size() < keys) names.insert(Key() + Bytes(Below(3), 20));
    return Versions(names, most_versions, most_value);
  }

  Records Versions(const std::set<std::string>& names, uint64_t most_versions,
                   uint64_t most_value) {
    Records run;
    for (const std::string& name : names) {
      std::set<Sequence> sequences;
      const uint64_t versions = 1 + Below(most_versions);
      while (sequences.size() < versions) sequences.insert(RandomSequence());
      for (const Sequence sequence : sequences) {
        OwnedRecord record{.key = name, .value = {}, .sequence = sequence};
        if (Below(5) == 0) {
          record.kind = RecordKind::kTombstone;
        } else {
          record.value = Bytes(Below(most_value + 1), 20);
        }
        if (Below(6) == 0) record.expires_at = 1 + Below(uint64_t{1} << 45);
        run.push_back(std::move(record));
      }
    }
    std::sort(run.begin(), run.end(), Before);
    return run;
  }

  // Of every encoded length, the largest included.
  Sequence RandomSequence() { return (random_() & kMaxSequence) >> Below(57); }

 private:
  std::mt19937_64 random_;
};

inline TableMeta MetaOf(const Records& run) {
  TableMeta meta;
  for (const OwnedRecord& record : run) meta.Count(record.view());
  meta.largest = run.back().key;
  return meta;
}

// A table file with its cache, opened.
template <typename Parts, typename Files>
struct OpenedTable {
  using TableType = Table<Parts, Files>;

  Files files;
  std::string path;
  TableMeta meta;
  std::unique_ptr<typename Parts::Cache> cache;
  std::unique_ptr<TableType> table;

  absl::Status Open() {
    table.reset();
    cache = std::make_unique<typename Parts::Cache>(size_t{4} << 20);
    auto opened = TableType::Open(files, path, meta, cache.get());
    if (opened.ok()) table = *std::move(opened);
    return opened.status();
  }
};

template <typename Parts, typename Files>
OpenedTable<Parts, Files> BuildTable(Files files, const std::string& path, const Records& run,
                                     size_t block_bytes, uint64_t number = 42) {
  OpenedTable<Parts, Files> result{
      .files = files, .path = path, .meta = {}, .cache = {}, .table = {}};
  auto builder =
      TableBuilder<Parts, Files>::Create(files, path, number, {.block_bytes = block_bytes});
  EXPECT_TRUE(builder.ok()) << builder.status();
  for (const OwnedRecord& record : run) {
    const absl::Status added = builder->Add(record.view());
    EXPECT_TRUE(added.ok()) << added;
  }
  auto meta = builder->Finish();
  EXPECT_TRUE(meta.ok()) << meta.status();
  if (meta.ok()) result.meta = *meta;
  return result;
}

// Asks `table` what `run` knows. Returns the first error it met, which must be damage that names
// the path; a wrong answer fails the test.
template <typename TableType>
absl::Status AskEverything(const TableType& table, const Records& run) {
  absl::Status first;
  const auto note = [&](const absl::Status& status) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(std::string(status.message()).find(table.path()), std::string::npos) << status;
    if (first.ok()) first = status;
  };
  typename TableType::Pin pin;
  for (size_t i = 0; i < run.size(); ++i) {
    const OwnedRecord& expected = run[i];
    const uint64_t hash = HashKey(expected.key);
    // At its own sequence, and just below it, where the next version of the key is, or nothing.
    for (const Sequence back : {Sequence{0}, Sequence{1}}) {
      if (back > expected.sequence) continue;
      const Sequence at = expected.sequence - back;
      const size_t answer = LowerBound(run, expected.key, at);
      const bool exists = answer < run.size() && run[answer].key == expected.key;
      Record found;
      absl::Status status;
      switch (table.Get(expected.key, hash, at, &found, &pin, &status)) {
        case TableAnswer::kError:
          note(status);
          break;
        case TableAnswer::kFound:
          EXPECT_TRUE(exists);
          if (exists) {
            EXPECT_TRUE(SameRecord(found, run[answer]));
          }
          break;
        case TableAnswer::kAbsent:
          EXPECT_FALSE(exists);
          break;
        case TableAnswer::kFiltered:
        case TableAnswer::kOutOfRange:
          ADD_FAILURE() << "a key of the table was denied";
          break;
      }
    }
  }
  typename TableType::Cursor cursor(&table);
  size_t i = 0;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next(), ++i) {
    EXPECT_TRUE(i < run.size() && SameRecord(cursor.record(), run[i])) << i;
  }
  if (!cursor.status().ok()) note(cursor.status());
  if (cursor.status().ok()) {
    EXPECT_EQ(i, run.size());
  }
  i = run.size();
  for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev(), --i) {
    EXPECT_TRUE(i > 0 && SameRecord(cursor.record(), run[i - 1])) << i;
  }
  if (!cursor.status().ok()) note(cursor.status());
  if (cursor.status().ok()) {
    EXPECT_EQ(i, 0u);
  }
  return first;
}

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_TESTING_H_
