// A small LSM store on the simulated disk, for the tests in this folder: memtables of a few records
// and tables of a few KiB, so that a short history rotates, flushes and compacts.
//
// Thread safety: none.
#ifndef ENGINES_LSM_STORE_TESTING_H_
#define ENGINES_LSM_STORE_TESTING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/engine.h"
#include "fmt/format.h"
#include "kv/cache/none.h"
#include "kv/commit/every_write.h"
#include "kv/commit/none.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/filter/none.h"
#include "kv/memtable/skip_list.h"
#include "kv/reading/mmap.h"
#include "kv/striping/single.h"
#include "kv/testing/simulated_environment.h"
#include "kv/values/inline.h"

namespace kv {

struct SyncedParts {
  using Memtable = SkipListMemtable;
  using Compaction = LeveledCompaction<LeveledShape{.l0_trigger = 2,
                                                    .l0_slow = 1000,
                                                    .l0_stop = 2000,
                                                    .level1_bytes = 4096,
                                                    .fanout = 3,
                                                    .file_bytes = 2048}>;
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Filter = BlockedBloomFilter<10>;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

struct UnsyncedParts : SyncedParts {
  using Commit = NoCommit;
};

// Writes tables that the others do not read.
struct OtherFormatParts : SyncedParts {
  using Filter = NoFilter;
};

using testing::SimulatedEnvironment;
using SyncedStore = Lsm<SyncedParts, SimulatedEnvironment>;
using UnsyncedStore = Lsm<UnsyncedParts, SimulatedEnvironment>;

using Model = std::map<std::string, std::string>;

inline const std::string kStoreDirectory = "/store";

inline Options StoreOptions() {
  Options options;
  options.directory = kStoreDirectory;
  options.memtable_bytes = 1;  // each write finds the memtable of the one before it full
  return options;
}

template <typename E>
absl::StatusOr<std::unique_ptr<E>> OpenStore(SimulatedFileSystem fs,
                                             const Options& options = StoreOptions()) {
  return E::Open(options, {.file_system = std::move(fs), .clock = {}});
}

// Write number `i` of the history that tests share: puts, overwrites and deletes of 8 keys.
template <typename E>
absl::Status WriteNumber(E& store, size_t i) {
  const std::string key = fmt::format("key{}", i * 5 % 8);
  if (i % 7 == 6) return store.Delete(key);
  return store.Put(key, fmt::format("value{}{}", i, std::string(i % 3 * 150, 'x')));
}

// The state after the first `writes` of them.
inline Model StateAfter(size_t writes) {
  struct Target {
    absl::Status Put(const std::string& key, const std::string& value) {
      model[key] = value;
      return absl::OkStatus();
    }
    absl::Status Delete(const std::string& key) {
      model.erase(key);
      return absl::OkStatus();
    }
    Model model;
  } target;
  for (size_t i = 0; i < writes; ++i) WriteNumber(target, i).IgnoreError();
  return std::move(target.model);
}

template <typename C>
absl::StatusOr<Model> Walk(C cursor) {
  Model model;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    model.emplace(cursor.key(), cursor.value());
  }
  KV_RETURN_IF_ERROR(cursor.status());
  return model;
}

// All that the store holds, by a cursor and by Get, which must agree.
template <typename E>
absl::StatusOr<Model> Contents(E& store) {
  KV_ASSIGN_OR_RETURN(Model model, Walk(store.NewCursor()));
  for (size_t i = 0; i < 8; ++i) {
    const std::string key = fmt::format("key{}", i);
    std::string value;
    const absl::Status status = store.Get(key, &value);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    if (status.ok() != model.contains(key) || (status.ok() && model[key] != value)) {
      return absl::InternalError(fmt::format("Get and the cursor differ about {}", key));
    }
  }
  return model;
}

// The number of writes after which the state was `model`, at least `from` and at most `to`; or -1.
inline int64_t WritesIn(const Model& model, size_t from, size_t to) {
  for (size_t writes = from; writes <= to; ++writes) {
    if (StateAfter(writes) == model) return static_cast<int64_t>(writes);
  }
  return -1;
}

// The history up to write number `end`, from `begin` on. Stops at the first error.
template <typename E>
size_t WriteUntil(E& store, size_t begin, size_t end) {
  while (begin < end && WriteNumber(store, begin).ok()) ++begin;
  return begin;
}

inline bool Names(const absl::Status& status, const std::string& what) {
  return std::string(status.message()).find(what) != std::string::npos;
}

// Writes a whole file, durably.
inline void SetContents(SimulatedFileSystem fs, const std::string& path, const std::string& bytes) {
  auto file = fs.Create(path);
  if (file.ok()) file->Append(bytes).IgnoreError();
  if (file.ok()) file->Sync().IgnoreError();
  fs.SyncDirectory(kStoreDirectory).IgnoreError();
}

}  // namespace kv

#endif  // ENGINES_LSM_STORE_TESTING_H_
