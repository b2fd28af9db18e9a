// A small LSM store on the simulated disk, for the tests in this folder: memtables of a few records
// and tables of a few KiB, so that a short history rotates, flushes and compacts.
//
// The stores that several tests share are compiled once, behind AnyStore (store_testing.cc): an
// engine takes most of the time that a test of it takes to compile.
//
// Thread safety: none.
#ifndef ENGINES_LSM_STORE_TESTING_H_
#define ENGINES_LSM_STORE_TESTING_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
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
#include "kv/testing/any_store.h"
#include "kv/testing/short_history.h"
#include "kv/testing/simulated_environment.h"
#include "kv/testing/simulated_store.h"
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

using testing::kStoreDirectory;
using testing::Model;
using testing::Names;
using testing::SetContents;
using testing::SimulatedEnvironment;
using testing::Walk;

// Lsm<Parts, SimulatedEnvironment>, for the Parts that store_testing.cc names. A test of a store
// that only it needs opens the Lsm itself.
template <typename Parts>
class SharedStore : public testing::AnyStore {
 public:
  using Environment = SimulatedEnvironment;
  static constexpr bool kDurableOnReturn = Parts::Commit::kDurableOnReturn;

  using AnyStore::AnyStore;
  static std::string Format();
  static absl::StatusOr<std::unique_ptr<SharedStore>> Open(const Options& options,
                                                           const Environment& environment);
};

using SyncedStore = SharedStore<SyncedParts>;
using UnsyncedStore = SharedStore<UnsyncedParts>;

using History = testing::ShortHistory<testing::HistoryShape{.keys = 8, .value_step = 150}>;

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

// All that the store holds, by a cursor and by Get, which must agree.
template <typename E>
absl::StatusOr<Model> Contents(E& store) {
  KV_ASSIGN_OR_RETURN(Model model, Walk(store.NewCursor()));
  for (size_t i = 0; i < History::kKeys; ++i) {
    const std::string key = History::Key(i);
    std::string value;
    const absl::Status status = store.Get(key, &value);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    if (status.ok() != model.contains(key) || (status.ok() && model[key] != value)) {
      return absl::InternalError(fmt::format("Get and the cursor differ about {}", key));
    }
  }
  return model;
}

}  // namespace kv

#endif  // ENGINES_LSM_STORE_TESTING_H_
