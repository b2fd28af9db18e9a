// A small B+tree store on the simulated disk, for the tests in this folder: pages of 512 bytes and
// a pool of sixteen, so that a short history splits leaves, evicts pages and writes checkpoints.
//
// Thread safety: none.
#ifndef ENGINES_BTREE_STORE_TESTING_H_
#define ENGINES_BTREE_STORE_TESTING_H_

#include <memory>
#include <string>
#include <utility>

#include "engines/btree/engine.h"
#include "fmt/format.h"
#include "kv/commit/every_write.h"
#include "kv/commit/none.h"
#include "kv/expiry/absolute.h"
#include "kv/striping/single.h"
#include "kv/testing/short_history.h"
#include "kv/testing/simulated_environment.h"
#include "kv/testing/simulated_store.h"

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

using testing::kStoreDirectory;
using testing::Model;
using testing::Names;
using testing::SetContents;
using testing::SimulatedEnvironment;
using testing::Walk;
using SmallStore = Btree<SmallParts, SimulatedEnvironment>;
using SmallUnsyncedStore = Btree<SmallUnsyncedParts, SimulatedEnvironment>;

// Some values are larger than a page.
using History = testing::ShortHistory<testing::HistoryShape{
    .keys = 12, .key_digits = 2, .value_step = 40, .large_value = 1500}>;

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

}  // namespace kv::btree

#endif  // ENGINES_BTREE_STORE_TESTING_H_
