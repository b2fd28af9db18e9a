// Btree: an ordered, durable B+tree with a buffer pool, composed from Parts.
//
//   slot       concept              decides
//   Pages      engines/btree/shape  how large a page is, and which values have extents of their own
//   Striping   kv/striping/         what compare-and-set excludes
//   Commit     kv/commit/           when a write is durable
//   Expiry     kv/expiry/           whether records can expire
//
// Life of a put: its key's stripe, shared (striping) -> the commit policy orders it, logs it, syncs
// it (one sync; the pages are not touched on disk) -> into its leaf in memory -> visible. When a
// good part of the pool has changed, a checkpoint begins: the changed pages go to new places in the
// file, beside reads and writes, and then one header makes them the state of the store
// (checkpoint.h).
//
// Life of a get: load the newest sequence number; enter the gate; from the root to the leaf through
// the table of pages, without locks; the first version of the key at or before the sequence number
// is the answer, be it a value, a tombstone, or expired (tree.h).
//
// Models DurableEngine and OrderedEngine (kv/contract/engine.h).
// Thread safety: as the contract says.
// Not for: random writes over much more than the pool holds (each rewrites a page at the next
// checkpoint: see lsm_leveled.h).
#ifndef ENGINES_BTREE_ENGINE_H_
#define ENGINES_BTREE_ENGINE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/btree/background.h"
#include "engines/btree/journal.h"
#include "engines/btree/leaf_cursor.h"
#include "engines/btree/reads.h"
#include "engines/btree/recovery.h"
#include "engines/btree/shape.h"
#include "engines/btree/store.h"
#include "engines/btree/verify.h"
#include "engines/btree/writes.h"
#include "kv/base/hash.h"
#include "kv/commit/concept.h"
#include "kv/contract/engine.h"
#include "kv/contract/sorted_source.h"
#include "kv/contract/visible_cursor.h"
#include "kv/expiry/call_check.h"
#include "kv/expiry/concept.h"
#include "kv/io/environment.h"
#include "kv/striping/concept.h"

namespace kv {

// What a composition must name. A slot that is missing or misspelled, or a policy that does not
// model its concept, is an error that names the slot.
template <typename P>
concept BtreeParts = Pages<typename P::Pages> && Striping<typename P::Striping> &&
    Commit<typename P::Commit> && Expiry<typename P::Expiry>;

template <BtreeParts Parts, typename Env = SystemEnvironment>
class Btree {
 public:
  using Environment = Env;
  using Snapshot = btree::Snapshot;

 private:
  using StoreType = btree::Store<Parts, Env>;
  using Files = typename StoreType::Files;
  using Records = btree::LeafCursor<typename StoreType::TreeType>;
  using Expiry = typename Parts::Expiry;
  using WritesType = btree::Writes<Parts, Env>;
  using Counter = btree::BtreeCounter;

 public:
  using Cursor = VisibleCursor<Records, Expiry, std::optional<Snapshot>>;

  static constexpr bool kDurable = true;
  static constexpr bool kOrdered = true;
  static constexpr bool kExpiry = Expiry::kEnabled;
  // Whether an acknowledged write survives a power failure.
  static constexpr bool kDurableOnReturn = Parts::Commit::kDurableOnReturn;

  // The same composition on other files, clock and threads.
  template <typename OtherEnvironment>
  using On = Btree<Parts, OtherEnvironment>;

  static std::string Descriptor() {
    return fmt::format(
        R"({{"engine":"btree","pages":"{}","striping":"{}","commit":"{}","expiry":"{}"}})",
        Parts::Pages::kName, Parts::Striping::kName, Parts::Commit::kName, Expiry::kName);
  }

  // What a composition writes to disk: stores open under every composition with the same.
  static std::string Format() {
    return fmt::format("btree pages={} expiry={}", Parts::Pages::kBytes, Expiry::kName);
  }

  static absl::StatusOr<std::unique_ptr<Btree>> Open(const Options& options,
                                                     const Env& environment = Env()) {
    if (options.directory.empty()) return Invalid("Options::directory is empty");
    Files files = environment.file_system;
    if (options.create_if_missing) {
      KV_RETURN_IF_ERROR(files.CreateDirectories(options.directory));
    } else if (!files.Exists(options.directory)) {
      return absl::NotFoundError(
          fmt::format("{} does not exist, and create_if_missing is off", options.directory));
    }
    KV_ASSIGN_OR_RETURN(auto lock, files.LockFile(btree::FileNames(options.directory).Lock()));
    KV_ASSIGN_OR_RETURN(auto recovered,
                        (btree::Recovery<Parts, Env>::Run(options, environment, Format())));
    return std::unique_ptr<Btree>(
        new Btree(std::move(lock), std::move(recovered.store), std::move(recovered.journal)));
  }

  Btree(const Btree&) = delete;
  Btree& operator=(const Btree&) = delete;
  ~Btree() { Close().IgnoreError(); }

  absl::Status Get(std::string_view key, std::string* value) {
    KV_RETURN_IF_ERROR(check_.Open());
    return CountRead(reads_.Get(key, value));
  }

  absl::Status Get(std::string_view key, std::string* value, const Snapshot& snapshot) {
    KV_RETURN_IF_ERROR(check_.Open());
    return CountRead(reads_.GetAt(key, snapshot, value));
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    absl::Status status = check_.Open();
    if (status.ok()) status = reads_.MultiGet(keys, values, statuses);
    if (!status.ok()) std::ranges::fill(statuses, status);
    counters().Add(Counter::kReads, keys.size());
    counters().Add(Counter::kReadHits, static_cast<uint64_t>(std::ranges::count_if(
                                           statuses, [](const auto& each) { return each.ok(); })));
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, value, options.expires_at));
    const auto guard = striping_.Share(HashKey(key));
    return writes_.One([&](WriteBatch& batch) { batch.Put(key, value, options.expires_at); });
  }

  absl::Status Delete(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    const auto guard = striping_.Share(HashKey(key));
    return writes_.One([&](WriteBatch& batch) { batch.Delete(key); });
  }

  absl::Status Write(const WriteBatch& batch) {
    KV_RETURN_IF_ERROR(check_.Open());
    if (batch.Empty()) return absl::OkStatus();
    std::vector<uint64_t> hashes;
    hashes.reserve(batch.Count());
    KV_RETURN_IF_ERROR(
        check_.Batch(batch, [&](const Record& record) { hashes.push_back(HashKey(record.key)); }));
    const auto guard = striping_.ShareAll(hashes);
    return writes_.Commit(batch);
  }

  // Deletes one key after the other, with the journal to itself.
  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(check_.Read(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    if (!end.empty() && end <= begin) return absl::OkStatus();
    const std::unique_lock alone(read_then_write_mutex_);
    // What has expired too: it would be back when the clock is set back.
    constexpr uint64_t kBeforeAnythingExpires = 0;
    return writes_.DeleteAll([&] {
      return MakeCursorAt(kBeforeAnythingExpires,
                          {.lower = std::string(begin), .upper = std::string(end)},
                          btree::Values::kSkip, [&] { return store_->readers().Take(); });
    });
  }

  // The tree fills its pages when keys come in order, so this is a series of batches.
  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    KV_RETURN_IF_ERROR(check_.Open());
    absl::Status status = LoadInBatches(source, WritesType::kBatchBytes,
                                        [this](const WriteBatch& batch) { return Write(batch); });
    status.Update(Flush());
    return status;
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, desired.value_or(""), options.expires_at));
    counters().Add(Counter::kCasAttempts);
    const std::shared_lock shared(read_then_write_mutex_);
    const auto guard = striping_.Exclude(HashKey(key));
    std::string current;
    absl::Status found = Get(key, &current);
    const bool absent = absl::IsNotFound(found);
    if (!found.ok() && !absent) return found;
    if (absent == expected.has_value() || (!absent && current != *expected)) {
      counters().Add(Counter::kCasFailures);
      CasResult result;
      if (!absent) result.current = std::move(current);
      return result;
    }
    KV_RETURN_IF_ERROR(writes_.One([&](WriteBatch& batch) {
      if (desired) {
        batch.Put(key, *desired, options.expires_at);
      } else {
        batch.Delete(key);
      }
    }));
    return CasResult{.swapped = true};
  }

  absl::StatusOr<uint64_t> Count(std::string_view prefix) {
    KV_RETURN_IF_ERROR(check_.Open());
    uint64_t count = 0;
    Cursor cursor = MakeCursor({.lower = std::string(prefix), .upper = PrefixSuccessor(prefix)},
                               btree::Values::kSkip, [&] { return store_->readers().Take(); });
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++count;
    KV_RETURN_IF_ERROR(cursor.status());
    return count;
  }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    KV_RETURN_IF_ERROR(check_.Expire(key, expires_at));
    const std::shared_lock shared(read_then_write_mutex_);
    const auto guard = striping_.Exclude(HashKey(key));
    std::string value;
    KV_RETURN_IF_ERROR(Get(key, &value));
    return writes_.One([&](WriteBatch& batch) { batch.Put(key, value, expires_at); });
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Open());
    uint64_t expires_at = kNeverExpires;
    KV_RETURN_IF_ERROR(reads_.ExpiresAt(key, &expires_at));
    return expires_at;
  }

  Snapshot TakeSnapshot() { return store_->readers().Take(); }

  Cursor NewCursor(const CursorBounds& bounds = {}) {
    return MakeCursor(bounds, btree::Values::kRead, [&] { return store_->readers().Take(); });
  }

  Cursor NewCursor(const CursorBounds& bounds, const Snapshot& snapshot) {
    return MakeCursor(bounds, btree::Values::kRead,
                      [&] { return store_->readers().Share(snapshot); });
  }

  Statistics Stats() {
    Statistics statistics;
    CountInto(counters(), &statistics);
    auto& pool = store_->pool();
    statistics.cache_misses = pool.Misses();
    // Each read and each write looks for one leaf; inner pages are left out on both sides.
    const uint64_t looked = statistics.reads + statistics.writes;
    statistics.cache_hits = looked - std::min(looked, statistics.cache_misses);
    statistics.memory_bytes = pool.ResidentUnits() * Parts::Pages::kBytes;
    store_->AddGauges(&statistics);
    return statistics;
  }

  // Makes everything written so far durable: in the log.
  absl::Status Flush() {
    KV_RETURN_IF_ERROR(check_.Open());
    return writes_.Flush();
  }

  absl::Status Compact() { return CompactRange({}, {}); }

  // Drops what nobody needs from the leaves of [begin, end), joins small ones, and writes
  // checkpoints until the file is about as short as it can be. An empty `end` is no bound.
  absl::Status CompactRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(check_.Open());
    KV_RETURN_IF_ERROR(writes_.Tidy(begin, end));
    do {
      KV_RETURN_IF_ERROR(writes_.Checkpoint());
    } while (store_->WantsVacuum());
    return absl::OkStatus();
  }

  // Reads every page of the last checkpoint.
  absl::Status Verify() {
    KV_RETURN_IF_ERROR(check_.Open());
    return store_->Verify();
  }

  // A checkpoint, and a copy of its file: pages change their places, but those of the last
  // checkpoint are not written over, so the file is copied while reads and writes go on.
  absl::Status Checkpoint(const std::string& directory) {
    KV_RETURN_IF_ERROR(check_.Open());
    Files files = store_->environment().file_system;
    KV_RETURN_IF_ERROR(files.CreateDirectories(directory));
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> there, files.List(directory));
    if (!there.empty()) {
      return absl::AlreadyExistsError(
          fmt::format("{} is not empty: it holds {}", directory, there.front()));
    }
    KV_RETURN_IF_ERROR(writes_.Checkpoint());
    return store_->CopyTo(directory);
  }

  absl::Status Close() {
    KV_RETURN_IF_ERROR(check_.Close());
    writes_.Stop();
    background_.reset();
    absl::Status status = writes_.Close();
    lock_.reset();
    return status;
  }

 private:
  Btree(typename Files::Lock lock, std::unique_ptr<StoreType> store,
        std::unique_ptr<btree::Journal<Parts, Env>> journal)
      : lock_(std::move(lock)),
        store_(std::move(store)),
        journal_(std::move(journal)),
        reads_(*store_),
        writes_(*store_, *journal_) {
    if constexpr (Env::kBackgroundWork == BackgroundWork::kThreads) {
      background_ = std::make_unique<btree::Background<StoreType>>(*store_);
    }
  }

  btree::BtreeCounters& counters() { return store_->counters(); }

  absl::Status CountRead(absl::Status status) {
    counters().Add(Counter::kReads);
    if (status.ok()) counters().Add(Counter::kReadHits);
    return status;
  }

  template <typename Register>
  Cursor MakeCursor(const CursorBounds& bounds, btree::Values values, Register&& reader) {
    const uint64_t now = kExpiry ? store_->environment().clock.UnixMillis() : 0;
    return MakeCursorAt(now, bounds, values, std::forward<Register>(reader));
  }

  template <typename Register>
  Cursor MakeCursorAt(uint64_t now, const CursorBounds& bounds, btree::Values values,
                      Register&& reader) {
    absl::Status status = check_.Open();
    if (status.ok()) status = store_->CheckWhole();
    if (!status.ok()) return Cursor(std::move(status));
    std::optional<Snapshot> snapshot(std::forward<Register>(reader)());
    const Sequence at = snapshot->sequence();
    return Cursor(Records(&store_->tree(), at, values), NoRanges(), bounds, at, now,
                  std::move(snapshot));
  }

  CallCheck<Expiry> check_;
  std::optional<typename Files::Lock> lock_;
  std::unique_ptr<StoreType> store_;
  std::unique_ptr<btree::Journal<Parts, Env>> journal_;
  btree::Reads<StoreType> reads_;
  std::shared_mutex read_then_write_mutex_;  // exclusive: no CompareAndSet is under way
  typename Parts::Striping striping_;
  WritesType writes_;
  std::unique_ptr<btree::Background<StoreType>> background_;
};

}  // namespace kv

#endif  // ENGINES_BTREE_ENGINE_H_
