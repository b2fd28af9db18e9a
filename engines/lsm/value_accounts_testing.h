// What tests of separated values share: the accounts of garbage, checked against a count of every
// pointer, and a history after which there is something to collect.
//
// Thread safety: none.
#ifndef ENGINES_LSM_VALUE_ACCOUNTS_TESTING_H_
#define ENGINES_LSM_VALUE_ACCOUNTS_TESTING_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engines/lsm/manifest.h"
#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "engines/lsm/table.h"
#include "fmt/format.h"
#include "kv/cache/none.h"

namespace kv {

inline const FileNames kNames(kStoreDirectory);

inline std::string Key(uint64_t i) { return fmt::format("key{}", i); }

// Of each value file, the bytes of the records that tables point to, pointer by pointer; and that
// every table says so of itself.
inline std::map<uint64_t, uint64_t> CountPointers(SimulatedFileSystem fs,
                                                  const ManifestState& state) {
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

inline std::set<uint64_t> ValueFilesOnDisk(SimulatedFileSystem fs) {
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

inline Options LargeMemtables() {
  Options options = StoreOptions();
  options.memtable_bytes = 1 << 20;
  return options;
}

inline constexpr size_t kFirst = 6;
inline constexpr size_t kThen = 4;

inline std::string ValueOf(size_t write) {
  return fmt::format("{}:{}", write, std::string(90, 'v'));
}

// Six values in one file, and then four of them overwritten.
template <typename E>
absl::Status WriteOne(E& store, size_t write) {
  return store.Put(Key(write % kFirst), ValueOf(write));
}

inline Model ModelAfter(size_t writes) {
  Model model;
  for (size_t i = 0; i < writes; ++i) model[Key(i % kFirst)] = ValueOf(i);
  return model;
}

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_ACCOUNTS_TESTING_H_
