// A small B+tree store on the simulated disk, for the tests in this folder: pages of 512 bytes and
// a pool of sixteen, so that a short history splits leaves, evicts pages and writes checkpoints.
//
// Thread safety: none.
#ifndef ENGINES_BTREE_STORE_TESTING_H_
#define ENGINES_BTREE_STORE_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "engines/btree/engine.h"
#include "fmt/format.h"
#include "kv/commit/every_write.h"
#include "kv/commit/none.h"
#include "kv/expiry/absolute.h"
#include "kv/striping/single.h"
#include "kv/testing/simulated_environment.h"

namespace kv::btree {

struct SmallParts {
  using Pages = BtreePages<BtreeShape{.page_bytes = 512}>;
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Expiry = AbsoluteExpiry;
};

struct SmallUnsyncedParts : SmallParts {
  using Commit = NoCommit;
};

// Writes pages that the others do not read.
struct OtherFormatParts : SmallParts {
  using Pages = BtreePages<BtreeShape{.page_bytes = 1024}>;
};

using testing::SimulatedEnvironment;
using SmallStore = Btree<SmallParts, SimulatedEnvironment>;
using SmallUnsyncedStore = Btree<SmallUnsyncedParts, SimulatedEnvironment>;

using Model = std::map<std::string, std::string>;

inline const std::string kStoreDirectory = "/store";
inline const std::string kTreePath = "/store/TREE";

inline Options SmallOptions() {
  Options options;
  options.directory = kStoreDirectory;
  options.cache_bytes = 1;  // the least that there is
  return options;
}

template <typename E = SmallStore>
absl::StatusOr<std::unique_ptr<E>> OpenStore(SimulatedFileSystem fs,
                                             const Options& options = SmallOptions()) {
  return E::Open(options, {.file_system = std::move(fs), .clock = {}});
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

// All that the store holds, by a cursor, of which every key must have the same value by Get.
template <typename E>
absl::StatusOr<Model> Contents(E& store) {
  KV_ASSIGN_OR_RETURN(Model model, Walk(store.NewCursor()));
  for (const auto& [key, value] : model) {
    std::string found;
    KV_RETURN_IF_ERROR(store.Get(key, &found));
    if (found != value) {
      return absl::InternalError(fmt::format("Get and the cursor differ about {}", key));
    }
  }
  return model;
}

// Write number `i` of the history that tests share: puts, overwrites and deletes of 12 keys, some
// of values that are larger than a page. Calls put(key, value) or remove(key).
template <typename Put, typename Remove>
auto WriteNumber(size_t i, Put&& put, Remove&& remove) {
  const std::string key = fmt::format("key{:02}", i * 5 % 12);
  if (i % 7 == 6) return remove(key);
  const size_t size = i % 9 == 4 ? 1500 : i % 3 * 40;
  return put(key, fmt::format("value{}{}", i, std::string(size, 'x')));
}

template <typename E>
absl::Status WriteNumber(E& store, size_t i) {
  return WriteNumber(
      i, [&](const std::string& key, const std::string& value) { return store.Put(key, value); },
      [&](const std::string& key) { return store.Delete(key); });
}

// The state after the first `writes` of them.
inline Model StateAfter(size_t writes) {
  Model model;
  for (size_t i = 0; i < writes; ++i) {
    WriteNumber(
        i, [&](const std::string& key, const std::string& value) { model[key] = value; },
        [&](const std::string& key) { model.erase(key); });
  }
  return model;
}

// The number of writes, from `from` to `to`, after which the state was `model`; or -1.
inline int64_t WritesIn(const Model& model, size_t from, size_t to) {
  for (size_t writes = from; writes <= to; ++writes) {
    if (StateAfter(writes) == model) return static_cast<int64_t>(writes);
  }
  return -1;
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

}  // namespace kv::btree

#endif  // ENGINES_BTREE_STORE_TESTING_H_
