// Fuzzes the opening of a log-structured store, one of whose files is any bytes.
//
// What comes in: the manifest, a segment, a segment that a merge wrote or a hint, as it is or with
// its checksums made right. What must hold: the store refuses to open, or a read is refused, with
// an error that names a file. Where the bytes came as they are, each key shows what was written or
// is refused; and if nothing is refused, the store takes another write, and shows it too when it is
// opened again.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/log/checksum_repair.h"
#include "engines/log/engine.h"
#include "kv/commit/every_write.h"
#include "kv/expiry/none.h"
#include "kv/merge/dead_ratio.h"
#include "kv/striping/single.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzed_store.h"
#include "kv/testing/fuzzing.h"
#include "kv/testing/short_history.h"

namespace kv::testing {
namespace {

struct Parts {
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Expiry = NoExpiry;
  using Merge = DeadRatioMerge<DeadRatioShape{.min_dead_fraction = 0.3, .small_run = 3}>;
};

using StoreType = LogStructured<Parts, ExactEnvironment>;
using History = ShortHistory<HistoryShape{.keys = 12, .key_digits = 2, .value_step = 150}>;

constexpr size_t kWrites = 60;
constexpr char kLater[] = "later";

absl::StatusOr<std::unique_ptr<StoreType>> Open(const ExactFiles& files) {
  Options options = FuzzedStoreOptions();
  options.memtable_bytes = 1;  // the smallest segments, which about twenty writes fill
  return StoreType::Open(options, {.file_system = files});
}

// Closed, with segments that were written and such as were merged.
FuzzedStore MakeStore() {
  ExactFiles files;
  auto store = Open(files);
  RequireOk(store.status(), "a store cannot be made:");
  Require(History::WriteUntil(**store, 0, kWrites / 2) == kWrites / 2, "a write failed");
  RequireOk((*store)->Compact(), "a store cannot be compacted:");
  Require(History::WriteUntil(**store, kWrites / 2, kWrites) == kWrites, "a write failed");
  RequireOk((*store)->Close(), "a store cannot be closed:");
  return FuzzedStore(std::move(files));
}

const FuzzedStore& Made() {
  static const FuzzedStore made = MakeStore();
  return made;
}

void Repair(const std::string& name, std::string* bytes) {
  using Names = SegmentFileNames;
  if (name == "SEGMENTS") RepairHintOrManifest(0, bytes);
  if (const auto number = Names::Parse(name, Names::kWrittenSuffix)) RepairSegment(*number, bytes);
  if (const auto number = Names::Parse(name, Names::kMergedSuffix)) RepairSegment(*number, bytes);
  if (const auto number = Names::Parse(name, Names::kHintSuffix)) {
    RepairHintOrManifest(*number, bytes);
  }
}

// Whether the store answers for every key, and counts as many as it has. With `written`, each
// answer is what is there.
bool AnswersAll(StoreType& store, const Model* written) {
  bool all = true;
  std::vector<std::string> keys = {kLater, "", "key"};
  for (size_t i = 0; i < History::kKeys; ++i) keys.push_back(History::Key(i));
  uint64_t there = 0;
  for (const std::string& key : keys) {
    std::string value;
    const absl::Status status = store.Get(key, &value);
    const bool answered = status.ok() || absl::IsNotFound(status);
    if (!answered) RequireRefusal(status, FuzzedStore::kDirectory);
    all &= answered;
    there += status.ok() ? 1 : 0;
    if (written == nullptr || !answered) continue;
    const auto expected = written->find(key);
    Require(status.ok() == (expected != written->end()), "a key comes or goes with damage");
    Require(!status.ok() || value == expected->second, "a damaged value is shown");
  }
  const auto count = store.Count("");
  if (!count.ok()) RequireRefusal(count.status(), FuzzedStore::kDirectory);
  if (written != nullptr && all && count.ok()) Require(*count == there, "the count is another");
  return all && count.ok();
}

// The store takes a write, and has it when it is opened again.
void CheckGoesOn(StoreType& store, const ExactFiles& files, Model written) {
  RequireOk(store.Put(kLater, "value"), "a store that opened takes no write:");
  RequireOk(store.Close(), "a store that opened cannot be closed:");
  written[kLater] = "value";
  const auto again = Open(files);
  RequireOk(again.status(), "a store that opened does not open again:");
  Require(AnswersAll(**again, &written), "a store that was read cannot be read again");
}

}  // namespace

std::vector<std::string> FuzzSeeds() { return Made().Seeds(); }

bool FuzzRun(std::string_view input) {
  static const Model written = History::StateAfter(kWrites);
  FuzzInput fuzzed(input);
  const std::string& name = Made().Name(fuzzed.choice);
  if (fuzzed.repair) Repair(name, &fuzzed.bytes);
  const ExactFiles files = Made().FilesWith(name, fuzzed.bytes);
  const auto store = Open(files);
  if (!store.ok()) {
    RequireRefusal(store.status(), FuzzedStore::kDirectory);
    return false;
  }
  const absl::Status verified = (*store)->Verify();
  if (!verified.ok()) RequireRefusal(verified, FuzzedStore::kDirectory);
  const bool all = AnswersAll(**store, fuzzed.repair ? nullptr : &written);
  if (all && verified.ok() && !fuzzed.repair) CheckGoesOn(**store, files, written);
  return all && verified.ok();
}

}  // namespace kv::testing
