// Fuzzes the opening of an LSM store, one of whose files is any bytes.
//
// What comes in: CURRENT, a manifest, a log (with compressed records and a range tombstone) or a
// table, as it is, or with the checksums of the first three made right. What must hold: the store
// refuses to open, or a read is refused, with an error that names a file; otherwise keys are in
// order. Where the bytes came as they are, nothing is made right that was damaged: a store that
// shows all of its keys shows exactly what was written, takes another write, and shows it too when
// it is opened again. Values that have files of their own are left to value_file_fuzz.cc.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/lsm/checksum_repair.h"
#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/every_write.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/compression/zstd.h"
#include "kv/expiry/none.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/io/log_repair.h"
#include "kv/memtable/skip_list.h"
#include "kv/reading/mmap.h"
#include "kv/striping/single.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzed_store.h"
#include "kv/testing/fuzzing.h"
#include "kv/testing/short_history.h"
#include "kv/values/inline.h"

namespace kv::testing {
namespace {

struct Parts {
  using Memtable = SkipListMemtable;
  using Compaction = LeveledCompaction<LeveledShape{.l0_trigger = 2,
                                                    .l0_slow = 1000,
                                                    .l0_stop = 2000,
                                                    .level1_bytes = 4096,
                                                    .fanout = 3,
                                                    .file_bytes = 1024}>;
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Filter = BlockedBloomFilter<10>;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = ZstdCompression<>;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = NoExpiry;
};

using StoreType = Lsm<Parts, ExactEnvironment>;
using History = ShortHistory<HistoryShape{.keys = 14, .key_digits = 2, .value_step = 90}>;

absl::StatusOr<std::unique_ptr<StoreType>> Open(const ExactFiles& files, uint64_t memtable_bytes) {
  Options options = FuzzedStoreOptions();
  options.memtable_bytes = memtable_bytes;
  return StoreType::Open(options, {.file_system = files});
}

constexpr uint64_t kRoomy = uint64_t{1} << 20;

// Closed, with tables on two levels, and a log that holds what came last.
FuzzedStore MakeStore() {
  ExactFiles files;
  size_t writes = 0;
  for (const uint64_t memtable_bytes : {uint64_t{1}, kRoomy}) {
    auto store = Open(files, memtable_bytes);
    RequireOk(store.status(), "a store cannot be made:");
    if (memtable_bytes == kRoomy) {
      RequireOk((*store)->DeleteRange("key03", "key05"), "a range cannot be deleted:");
      RequireOk((*store)->Put("long", std::string(800, 'l')), "a value cannot be put:");
    }
    const size_t end = writes + 25;
    writes = History::WriteUntil(**store, writes, end);
    Require(writes == end, "a write failed");
    RequireOk((*store)->Close(), "a store cannot be closed:");
  }
  return FuzzedStore(std::move(files));
}

const FuzzedStore& Made() {
  static const FuzzedStore made = MakeStore();
  return made;
}

Model WhatWasWritten() {
  auto store = Open(Made().Files(), kRoomy);
  RequireOk(store.status(), "the store cannot be opened:");
  auto shown = ShownInOrder(**store, AlsoBy::kGet);
  RequireOk(shown.status(), "the store cannot be read:");
  Require(shown->size() > 8 && shown->contains("long"), "the store holds next to nothing");
  return *std::move(shown);
}

void Repair(std::string_view name, std::string* bytes) {
  if (name == "CURRENT") RepairCurrent(bytes);
  if (const auto number = FileNames::ParseManifest(name)) RepairManifest(*number, bytes);
  if (const auto number = FileNames::ParseLog(name)) RepairLog(*number, bytes);
}

}  // namespace

std::vector<std::string> FuzzSeeds() { return Made().Seeds(); }

bool FuzzRun(std::string_view input) {
  static const Model written = WhatWasWritten();
  FuzzInput fuzzed(input);
  const std::string& name = Made().Name(fuzzed.choice);
  if (fuzzed.repair) Repair(name, &fuzzed.bytes);
  const ExactFiles files = Made().FilesWith(name, fuzzed.bytes);
  const auto store = Open(files, kRoomy);
  if (!store.ok()) {
    RequireRefusal(store.status(), FuzzedStore::kDirectory);
    return false;
  }
  const absl::Status verified = (*store)->Verify();
  if (!verified.ok()) RequireRefusal(verified, FuzzedStore::kDirectory);
  // A manifest that puts tables where they do not belong is past the checksums, and no order holds.
  if (fuzzed.repair && FileNames::ParseManifest(name)) return verified.ok();
  const auto shown = ShownInOrder(**store, fuzzed.repair ? AlsoBy::kCursorOnly : AlsoBy::kGet);
  if (!shown.ok()) {
    RequireRefusal(shown.status(), FuzzedStore::kDirectory);
    return false;
  }
  if (fuzzed.repair) return verified.ok();
  Require(*shown == written, "a damaged store shows something else than was written");
  if (verified.ok()) RequireGoesOn(**store, *shown, [&] { return Open(files, kRoomy); });
  return verified.ok();
}

}  // namespace kv::testing
