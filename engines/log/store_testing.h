// A small log-structured store on the simulated disk, for the tests in this folder: segments of a
// few KiB, so that a short history rotates, seals and merges.
//
// Thread safety: none.
#ifndef ENGINES_LOG_STORE_TESTING_H_
#define ENGINES_LOG_STORE_TESTING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "engines/log/engine.h"
#include "fmt/format.h"
#include "kv/commit/every_write.h"
#include "kv/commit/none.h"
#include "kv/expiry/absolute.h"
#include "kv/expiry/none.h"
#include "kv/io/simulated.h"
#include "kv/merge/dead_ratio.h"
#include "kv/striping/single.h"
#include "kv/testing/simulated_environment.h"

namespace kv {

struct SyncedParts {
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Expiry = AbsoluteExpiry;
  using Merge = DeadRatioMerge<DeadRatioShape{.min_dead_fraction = 0.3, .small_run = 3}>;
};

struct UnsyncedParts : SyncedParts {
  using Commit = NoCommit;
};

// Writes segments that the others do not read.
struct OtherFormatParts : SyncedParts {
  using Expiry = NoExpiry;
};

using testing::SimulatedEnvironment;
using SyncedStore = LogStructured<SyncedParts, SimulatedEnvironment>;
using UnsyncedStore = LogStructured<UnsyncedParts, SimulatedEnvironment>;
using OtherFormatStore = LogStructured<OtherFormatParts, SimulatedEnvironment>;

using Model = std::map<std::string, std::string>;

inline constexpr size_t kHistoryKeys = 12;
inline const std::string kStoreDirectory = "/store";

inline std::string HistoryKey(size_t i) { return fmt::format("key{:02}", i); }

inline Options StoreOptions() {
  Options options;
  options.directory = kStoreDirectory;
  options.memtable_bytes = 1;  // the smallest segments, which about ten writes fill
  return options;
}

template <typename E>
absl::StatusOr<std::unique_ptr<E>> OpenStore(SimulatedFileSystem fs,
                                             const Options& options = StoreOptions()) {
  return E::Open(options, {.file_system = std::move(fs), .clock = {}});
}

// Write number `i` of the history that tests share: puts, overwrites, deletes, and puts that have
// expired when they are made, which hide what was there before as a delete does.
template <typename E>
absl::Status WriteNumber(E& store, size_t i) {
  const std::string key = HistoryKey(i * 5 % kHistoryKeys);
  if (i % 7 == 6) return store.Delete(key);
  const std::string value = fmt::format("value{}{}", i, std::string(i % 3 * 300, 'x'));
  return store.Put(key, value, {.expires_at = i % 11 == 5 ? 1 : kNeverExpires});
}

// The state after the first `writes` of them.
inline Model StateAfter(size_t writes) {
  struct Target {
    absl::Status Put(const std::string& key, const std::string& value, const PutOptions& options) {
      if (options.expires_at == 1) return Delete(key);
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

// All that the store holds, by Get, with which Count must agree.
template <typename E>
absl::StatusOr<Model> Contents(E& store) {
  Model model;
  for (size_t i = 0; i < kHistoryKeys; ++i) {
    std::string value;
    const absl::Status status = store.Get(HistoryKey(i), &value);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    if (status.ok()) model[HistoryKey(i)] = value;
  }
  KV_ASSIGN_OR_RETURN(const uint64_t count, store.Count("key"));
  if (count != model.size()) {
    return absl::InternalError(fmt::format("Get finds {} keys, Count {}", model.size(), count));
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

#endif  // ENGINES_LOG_STORE_TESTING_H_
