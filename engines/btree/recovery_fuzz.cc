// Fuzzes the opening of a B+tree, one of whose files is any bytes, and the check of its pages.
//
// What comes in: TREE (headers, directory, page table, pages, values) or a log, as it is or with
// its checksums made right. What must hold: the store refuses to open, or a read is refused, with
// an error that names a file; a TREE whose checksums were made right goes through TreeVerifier, and
// where that finds nothing wrong, keys are in order, the same backwards, and found by Get; where it
// finds something, walks and searches come to an end. Where the bytes came as they are, a store
// that shows all of its keys shows what was written: a log may have lost its end, TREE nothing at
// all, and with that the store takes another write, and shows it too when it is opened again.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/btree/checksum_repair.h"
#include "engines/btree/engine.h"
#include "kv/commit/every_write.h"
#include "kv/expiry/none.h"
#include "kv/io/log_repair.h"
#include "kv/striping/single.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzed_store.h"
#include "kv/testing/fuzzing.h"
#include "kv/testing/short_history.h"

namespace kv::testing {
namespace {

constexpr size_t kPageBytes = 512;

struct Parts {
  using Pages = BtreePages<BtreeShape{.page_bytes = kPageBytes}>;
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Expiry = NoExpiry;
};

using StoreType = Btree<Parts, ExactEnvironment>;
using History =
    ShortHistory<HistoryShape{.keys = 32, .key_digits = 2, .value_step = 40, .large_value = 1500}>;

constexpr size_t kWrites = 90;
constexpr size_t kInPages = 81;  // of these
constexpr char kTree[] = "TREE";
const std::string kTreePath = FuzzedStore::kDirectory + "/TREE";

absl::StatusOr<std::unique_ptr<StoreType>> Open(const ExactFiles& files) {
  Options options = FuzzedStoreOptions();
  options.cache_bytes = 1;  // the smallest pool
  return StoreType::Open(options, {.file_system = files});
}

// A tree with values of their own, and a log with the last writes, which are not in its pages: the
// files of a store that was killed.
FuzzedStore MakeStore() {
  ExactFiles files;
  auto store = Open(files);
  RequireOk(store.status(), "a store cannot be made:");
  Require(History::WriteUntil(**store, 0, kInPages) == kInPages, "a write failed");
  RequireOk((*store)->Close(), "a store cannot be closed:");
  store = Open(files);
  RequireOk(store.status(), "a store does not open again:");
  Require(History::WriteUntil(**store, kInPages, kWrites) == kWrites, "a write failed");
  return FuzzedStore(files.Copy());
}

const FuzzedStore& Made() {
  static const FuzzedStore made = MakeStore();
  return made;
}

// Whether TreeVerifier finds nothing wrong.
bool Verifies(ExactFiles files) {
  const auto file = files.OpenForRead(kTreePath);
  RequireOk(file.status(), "there is no file:");
  const absl::Status status = btree::TreeVerifier<ExactFiles, kPageBytes>::Verify(*file, kTreePath);
  if (!status.ok()) RequireRefusal(status, kTreePath);
  return status.ok();
}

// Pages may be intact and wrong: what they show is anything, but not without end.
void RequireEnds(StoreType& store) {
  constexpr size_t kMost = 100'000;
  size_t shown = 0;
  auto cursor = store.NewCursor();
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    Require(++shown < kMost, "a walk does not end");
    std::string value;
    (void)store.Get(cursor.key(), &value);
  }
  for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) {
    Require(++shown < kMost, "a walk back does not end");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() { return Made().Seeds(); }

bool FuzzRun(std::string_view input) {
  static const Model written = History::StateAfter(kWrites);
  FuzzInput fuzzed(input);
  const std::string& name = Made().Name(fuzzed.choice);
  const auto log = btree::FileNames::ParseLog(name);
  if (fuzzed.repair && name == kTree) btree::RepairTree(kPageBytes, &fuzzed.bytes);
  if (fuzzed.repair && log) RepairLog(*log, &fuzzed.bytes);
  const ExactFiles files = Made().FilesWith(name, fuzzed.bytes);
  const auto store = Open(files);
  if (!store.ok()) {
    RequireRefusal(store.status(), FuzzedStore::kDirectory);
    return false;
  }
  // Reads trust pages that are intact; that they are also right is the verifier's to say.
  if (fuzzed.repair && name == kTree && !Verifies(files)) {
    RequireEnds(**store);
    return false;
  }
  const auto shown = ShownInOrder(**store, AlsoBy::kGet);
  if (!shown.ok()) {
    RequireRefusal(shown.status(), FuzzedStore::kDirectory);
    return false;
  }
  if (fuzzed.repair) return true;
  // The newest log of a store that was killed may end anywhere; of its pages nothing may be
  // missing.
  if (log) {
    Require(History::WritesIn(*shown, kInPages, kWrites) >= 0, "what is left is no prefix");
    return true;
  }
  Require(*shown == written, "a damaged store shows something else than was written");
  RequireGoesOn(**store, *shown, [&] { return Open(files); });
  return true;
}

}  // namespace kv::testing
