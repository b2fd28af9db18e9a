// Lsm: a log-structured merge tree, composed from Parts.
//
//   slot            concept (kv/...)     decides
//   Memtable        memtable/            how the newest writes are kept in memory
//   Compaction      compaction/          which tables are merged next
//   Striping        striping/            what compare-and-set excludes
//   Commit          commit/              when a write is durable
//   Filter          filter/              which tables a point read may skip
//   Cache           cache/               which uncompressed blocks stay in memory
//   Compression     compression/         how blocks are stored
//   WalCompression  compression/         how the log's records are stored
//   Reading         reading/             how the bytes of tables are read
//   Values          values/              which values lie in files of their own
//   Expiry          expiry/              whether records can expire
//
// Life of a put: its key's stripe, shared (striping) -> the commit policy orders it, logs it, syncs
// it -> the active memtable -> visible. When the memtable is full it becomes immutable and a new
// one with a log of its own takes over; the flusher writes it out as a table of level 0, and the
// compactor merges tables downwards (store.h).
//
// Life of a get: enter the gate, load the view, load the newest sequence number, and go from the
// newest records to the oldest (reader.h).
//
// A range delete is one record, whatever it deletes (range_tombstone.h); a bulk load writes tables
// directly (bulk_load.h); a checkpoint is made of hard links (checkpoint.h). Where the Values part
// separates large values, tables have pointers to them (tree_values.h, value_work.h).
//
// Models DurableEngine and OrderedEngine (kv/contract/engine.h). Thread safety: as they say.
// Not for: values of many megabytes (each is held in memory whole, and written twice or more).
#ifndef ENGINES_LSM_ENGINE_H_
#define ENGINES_LSM_ENGINE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/background.h"
#include "engines/lsm/bulk_load.h"
#include "engines/lsm/checkpoint.h"
#include "engines/lsm/descriptor.h"
#include "engines/lsm/journal.h"
#include "engines/lsm/parts.h"
#include "engines/lsm/reader.h"
#include "engines/lsm/recovery.h"
#include "engines/lsm/store.h"
#include "engines/lsm/value_verify.h"
#include "kv/base/hash.h"
#include "kv/commit/batches.h"
#include "kv/commit/concept.h"
#include "kv/compaction/manual.h"
#include "kv/contract/engine.h"
#include "kv/contract/visible_cursor.h"
#include "kv/expiry/call_check.h"
#include "kv/io/environment.h"

namespace kv {

template <LsmParts Parts, typename Env = SystemEnvironment>
class Lsm {
  static_assert(LsmPartsAgree<Parts>());

 public:
  using Environment = Env;
  using Snapshot = kv::Snapshot;

 private:
  using StoreType = Store<Parts, Env>;
  using Journal = LsmJournal<Parts, Env>;
  using Reader = LsmReader<Parts, Env>;
  using Files = typename StoreType::Files;
  using View = typename StoreType::View;
  using Expiry = typename Parts::Expiry;

 public:
  using Cursor = typename Reader::Cursor;

  static constexpr bool kDurable = true;
  static constexpr bool kOrdered = true;
  static constexpr bool kExpiry = Expiry::kEnabled;
  // Whether an acknowledged write survives a power failure.
  static constexpr bool kDurableOnReturn = Parts::Commit::kDurableOnReturn;

  // The same composition on other files, clock and threads.
  template <typename OtherEnvironment>
  using On = Lsm<Parts, OtherEnvironment>;

  static std::string Descriptor() { return LsmDescriptor<Parts>(); }
  // Stores open under every composition with the same.
  static std::string Format() { return LsmFormat<Parts>(); }

  static absl::StatusOr<std::unique_ptr<Lsm>> Open(const Options& options,
                                                   const Env& environment = Env()) {
    if (options.directory.empty()) return Invalid("Options::directory is empty");
    Files files = environment.file_system;
    if (options.create_if_missing) {
      KV_RETURN_IF_ERROR(files.CreateDirectories(options.directory));
    } else if (!files.Exists(options.directory)) {
      return absl::NotFoundError(
          fmt::format("{} does not exist, and create_if_missing is off", options.directory));
    }
    KV_RETURN_IF_ERROR((Recovery<Parts, Env>::CheckPlace(options, environment)));
    KV_ASSIGN_OR_RETURN(auto lock, files.LockFile(FileNames(options.directory).Lock()));
    KV_ASSIGN_OR_RETURN(auto recovered,
                        (Recovery<Parts, Env>::Run(options, environment, Format())));
    return std::unique_ptr<Lsm>(
        new Lsm(std::move(lock), std::move(recovered.store), std::move(recovered.journal)));
  }

  Lsm(const Lsm&) = delete;
  Lsm& operator=(const Lsm&) = delete;
  ~Lsm() { Close().IgnoreError(); }

  absl::Status Get(std::string_view key, std::string* value) {
    KV_RETURN_IF_ERROR(check_.Open());
    return reader_.Get(key, std::nullopt, AssignTo(value));
  }

  absl::Status Get(std::string_view key, std::string* value, const Snapshot& snapshot) {
    KV_RETURN_IF_ERROR(check_.Open());
    return reader_.Get(key, snapshot.sequence(), AssignTo(value));
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    if (absl::Status status = check_.Open(); !status.ok()) {
      std::ranges::fill(statuses, status);
    } else {
      reader_.MultiGet(keys, values, statuses);
    }
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, value, options.expires_at));
    const auto guard = striping_.Share(HashKey(key));
    return CommitOne(commit_, *journal_,
                     [&](WriteBatch& batch) { batch.Put(key, value, options.expires_at); });
  }

  absl::Status Delete(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    const auto guard = striping_.Share(HashKey(key));
    return CommitOne(commit_, *journal_, [&](WriteBatch& batch) { batch.Delete(key); });
  }

  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(check_.Read(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    if (!IsBefore(begin, end)) return absl::OkStatus();
    // It writes to every key in the range: a compare-and-set of any of them must not be torn.
    const auto guard = striping_.ShareEvery();
    std::string entry;
    WriteBatch::AppendRangeTombstone(&entry, begin, end);
    CommitRequest request{.entries = entry, .count = 1};
    return commit_.Commit(*journal_, request);
  }

  absl::Status Write(const WriteBatch& batch) {
    KV_RETURN_IF_ERROR(check_.Open());
    if (batch.Empty()) return absl::OkStatus();
    if (batch.Bytes().size() > kMaxLogPayloadBytes) {
      return Invalid(
          fmt::format("batch of {} bytes is over {}", batch.Bytes().size(), kMaxLogPayloadBytes));
    }
    std::vector<uint64_t> hashes;
    hashes.reserve(batch.Count());
    KV_RETURN_IF_ERROR(
        check_.Batch(batch, [&](const Record& record) { hashes.push_back(HashKey(record.key)); }));
    const auto guard = striping_.ShareAll(hashes);
    return CommitBatch(commit_, *journal_, batch);
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    const auto check = [this](const Record& record) {
      return check_.Put(record.key, record.value, record.expires_at);
    };
    KV_RETURN_IF_ERROR(check_.Open());
    std::optional<std::string> last;
    absl::Status status;
    for (bool more = true; more && status.ok();) {
      const auto guard = striping_.ShareEvery();  // as DeleteRange
      commit_.Exclusively(
          [&] { status = LoadChunk(*store_, *journal_, source, &last, check, &more); });
    }
    return status;
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, desired.value_or(""), options.expires_at));
    counters().Add(LsmCounter::kCasAttempts);
    const auto guard = striping_.Exclude(HashKey(key));
    std::string current;
    absl::Status found = Get(key, &current);
    const bool absent = absl::IsNotFound(found);
    if (!found.ok() && !absent) return found;
    if (absent == expected.has_value() || (!absent && current != *expected)) {
      counters().Add(LsmCounter::kCasFailures);
      CasResult result;
      if (!absent) result.current = std::move(current);
      return result;
    }
    KV_RETURN_IF_ERROR(CommitOne(commit_, *journal_, [&](WriteBatch& batch) {
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
    const CursorBounds bounds{.lower = std::string(prefix), .upper = PrefixSuccessor(prefix)};
    return reader_.Count(bounds);
  }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    KV_RETURN_IF_ERROR(check_.Expire(key, expires_at));
    const auto guard = striping_.Exclude(HashKey(key));
    std::string value;
    KV_RETURN_IF_ERROR(Get(key, &value));
    return CommitOne(commit_, *journal_,
                     [&](WriteBatch& batch) { batch.Put(key, value, expires_at); });
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Open());
    uint64_t expires_at = kNeverExpires;
    KV_RETURN_IF_ERROR(reader_.Get(key, std::nullopt,
                                   [&](const Record& record) { expires_at = record.expires_at; }));
    return expires_at;
  }

  Snapshot TakeSnapshot() { return store_->TakeSnapshot(); }

  Cursor NewCursor(const CursorBounds& bounds = {}) {
    if (absl::Status status = check_.Open(); !status.ok()) return Cursor(std::move(status));
    return reader_.NewCursor(bounds, std::nullopt);
  }

  Cursor NewCursor(const CursorBounds& bounds, const Snapshot& snapshot) {
    if (absl::Status status = check_.Open(); !status.ok()) return Cursor(std::move(status));
    return reader_.NewCursor(bounds, snapshot.sequence());
  }

  Statistics Stats() {
    Statistics statistics;
    CountInto(counters(), &statistics);
    const CacheCounters cached = store_->cache().Counters();
    statistics.cache_hits = cached.hits;
    statistics.cache_misses = cached.misses;
    store_->AddGauges(&statistics);
    return statistics;
  }

  // Writes the memtables out as tables.
  absl::Status Flush() {
    KV_RETURN_IF_ERROR(check_.Open());
    absl::Status status;
    commit_.Exclusively([&] { status = journal_->Rotate(); });
    return status.ok() ? store_->FlushAll() : status;
  }

  absl::Status Compact() { return CompactRange({}, {}); }

  // Also drops and rewrites what the range tombstones of the tree ask for, wherever they are, so
  // that only those that snapshots need are left.
  absl::Status CompactRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(Flush());
    for (;;) {
      KV_ASSIGN_OR_RETURN(const bool more, store_->CompactOnce([&](const TreeShape& shape) {
        return ManualChoice(shape, begin, end, kManualStepBytes);
      }));
      if (!more) return absl::OkStatus();
    }
  }

  absl::Status Verify() {
    KV_RETURN_IF_ERROR(check_.Open());
    KV_RETURN_IF_ERROR(store_->VerifyManifest());
    const std::shared_ptr<const View> view = store_->Share();
    for (const auto& level : view->version->levels) {
      for (const auto& file : level) KV_RETURN_IF_ERROR(file->Get().Verify());
    }
    if constexpr (Parts::Values::kSeparates) return VerifyValues(*view->version);
    return absl::OkStatus();
  }

  // The state at the end of a flush: tables hold every write up to then, in order, and no other, so
  // no log needs to be copied.
  absl::Status Checkpoint(const std::string& directory) {
    KV_RETURN_IF_ERROR(check_.Open());
    Files& files = store_->environment().file_system;
    KV_RETURN_IF_ERROR(PrepareCheckpoint(files, directory));
    KV_RETURN_IF_ERROR(Flush());
    auto [state, view] = store_->Capture();
    return WriteCheckpoint<typename Journal::Writer>(files, store_->names(), FileNames(directory),
                                                     std::move(state), Journal::kSyncedLog);
  }

  absl::Status Close() {
    KV_RETURN_IF_ERROR(check_.Close());
    commit_.Stop();
    background_.reset();
    absl::Status status = journal_->Close();
    lock_.reset();
    return status;
  }

 private:
  static constexpr uint64_t kManualStepBytes = uint64_t{256} << 20;

  Lsm(typename Files::Lock lock, std::unique_ptr<StoreType> store, std::unique_ptr<Journal> journal)
      : lock_(std::move(lock)),
        store_(std::move(store)),
        journal_(std::move(journal)),
        reader_(*store_) {
    if constexpr (Env::kBackgroundWork == BackgroundWork::kThreads) {
      background_ = std::make_unique<LsmBackground<Parts, Env>>(*store_);
    }
  }

  static auto AssignTo(std::string* value) {
    return [value](const Record& record) { value->assign(record.value); };
  }

  LsmCounters& counters() { return store_->counters(); }

  CallCheck<Expiry> check_;
  std::optional<typename Files::Lock> lock_;
  std::unique_ptr<StoreType> store_;
  std::unique_ptr<Journal> journal_;
  Reader reader_;
  typename Parts::Striping striping_;
  typename Parts::Commit commit_;
  std::unique_ptr<LsmBackground<Parts, Env>> background_;
};

}  // namespace kv

#endif  // ENGINES_LSM_ENGINE_H_
