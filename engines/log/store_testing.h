// A small log-structured store on the simulated disk, for the tests in this folder: segments of a
// few KiB, so that a short history rotates, seals and merges.
//
// Thread safety: none.
#ifndef ENGINES_LOG_STORE_TESTING_H_
#define ENGINES_LOG_STORE_TESTING_H_

#include <cstddef>
#include <cstdint>
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
#include "kv/testing/short_history.h"
#include "kv/testing/simulated_environment.h"
#include "kv/testing/simulated_store.h"

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

using testing::kStoreDirectory;
using testing::Model;
using testing::Names;
using testing::SetContents;
using testing::SimulatedEnvironment;
using SyncedStore = LogStructured<SyncedParts, SimulatedEnvironment>;
using UnsyncedStore = LogStructured<UnsyncedParts, SimulatedEnvironment>;
using OtherFormatStore = LogStructured<OtherFormatParts, SimulatedEnvironment>;

using History = testing::ShortHistory<testing::HistoryShape{
    .keys = 12, .key_digits = 2, .value_step = 300, .some_expired = true}>;

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

// All that the store holds, by Get, with which Count must agree.
template <typename E>
absl::StatusOr<Model> Contents(E& store) {
  Model model;
  for (size_t i = 0; i < History::kKeys; ++i) {
    std::string value;
    const absl::Status status = store.Get(History::Key(i), &value);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    if (status.ok()) model[History::Key(i)] = value;
  }
  KV_ASSIGN_OR_RETURN(const uint64_t count, store.Count("key"));
  if (count != model.size()) {
    return absl::InternalError(fmt::format("Get finds {} keys, Count {}", model.size(), count));
  }
  return model;
}

}  // namespace kv

#endif  // ENGINES_LOG_STORE_TESTING_H_
