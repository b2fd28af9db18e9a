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
//   Expiry          expiry/              whether records can expire
//
// Life of a put: its key's stripe, shared (striping) -> the commit policy orders it, logs it, syncs
// it -> the active memtable -> visible. When the memtable is full it becomes immutable and a new
// one with a log of its own takes over; the flusher writes it out as a table of level 0, and the
// compactor merges tables downwards (store.h).
//
// Life of a get: enter the gate, load the view, load the newest sequence number; then the active
// memtable, the immutable ones, the tables of level 0 from the newest on, and one table of each
// deeper level. The first version found at or before the sequence number is the answer, be it a
// value, a tombstone, or expired.
//
// Models DurableEngine and OrderedEngine (kv/contract/engine.h).
// Thread safety: as the contract says.
// Not for: values of many megabytes (they are rewritten by each compaction; no separation yet).
#ifndef ENGINES_LSM_ENGINE_H_
#define ENGINES_LSM_ENGINE_H_

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

#include "engines/lsm/background.h"
#include "engines/lsm/journal.h"
#include "engines/lsm/recovery.h"
#include "engines/lsm/store.h"
#include "engines/lsm/table_search.h"
#include "engines/lsm/visible_cursor.h"
#include "kv/base/hash.h"
#include "kv/cache/concept.h"
#include "kv/commit/concept.h"
#include "kv/commit/steps.h"
#include "kv/compaction/concept.h"
#include "kv/compaction/manual.h"
#include "kv/compression/concept.h"
#include "kv/contract/engine.h"
#include "kv/expiry/concept.h"
#include "kv/filter/concept.h"
#include "kv/io/environment.h"
#include "kv/memtable/concept.h"
#include "kv/striping/concept.h"

namespace kv {

// What a composition must name. A slot that is missing or misspelled, or a policy that does not
// model its concept, is an error that names the slot.
template <typename P>
concept LsmParts = Memtable<typename P::Memtable> && Compaction<typename P::Compaction> &&
    Striping<typename P::Striping> && Commit<typename P::Commit> && Filter<typename P::Filter> &&
    Cache<typename P::Cache> && Compression<typename P::Compression> &&
    Compression<typename P::WalCompression> && Expiry<typename P::Expiry>;

template <LsmParts Parts, typename Env = SystemEnvironment>
class Lsm {
 public:
  using Environment = Env;
  using Snapshot = kv::Snapshot;

 private:
  using StoreType = Store<Parts, Env>;
  using Files = typename StoreType::Files;
  using View = typename StoreType::View;
  using Records = typename StoreType::Records;
  using RunCursor = typename StoreType::RunCursor;
  using Expiry = typename Parts::Expiry;

 public:
  using Cursor = VisibleCursor<Records, Expiry, std::shared_ptr<const View>>;

  static constexpr bool kDurable = true;
  static constexpr bool kOrdered = true;
  static constexpr bool kExpiry = Expiry::kEnabled;
  // Whether an acknowledged write survives a power failure.
  static constexpr bool kDurableOnReturn = Parts::Commit::kDurableOnReturn;

  // The same composition on other files, clock and threads.
  template <typename OtherEnvironment>
  using On = Lsm<Parts, OtherEnvironment>;

  static std::string Descriptor() {
    return fmt::format(
        R"({{"engine":"lsm","memtable":"{}","compaction":"{}","striping":"{}","commit":"{}",)"
        R"("filter":"{}","cache":"{}","compression":"{}","wal_compression":"{}",)"
        R"("expiry":"{}"}})",
        Parts::Memtable::kName, Parts::Compaction::kName, Parts::Striping::kName,
        Parts::Commit::kName, Parts::Filter::kName, Parts::Cache::kName, Parts::Compression::kName,
        Parts::WalCompression::kName, Expiry::kName);
  }

  // What a composition writes to disk: stores open under every composition with the same. The log's
  // compression is not part of it: each log names its own, and one that no WalCompression slot of
  // this composition reads is refused by itself. A log lives until the next flush.
  static std::string Format() {
    return fmt::format("lsm filter={} compression={} expiry={}", Parts::Filter::kName,
                       Parts::Compression::kName, Expiry::kName);
  }

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
    return Read([&](const View& view, Sequence at) { return GetAt(view, key, at, value); });
  }

  absl::Status Get(std::string_view key, std::string* value, const Snapshot& snapshot) {
    return Read(
        [&](const View& view, Sequence) { return GetAt(view, key, snapshot.sequence(), value); });
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    absl::Status status = Read([&](const View& view, Sequence at) {
      for (size_t i = 0; i < keys.size(); ++i) {
        statuses[i] = GetAt(view, keys[i], at, &values[i]);
      }
      return absl::OkStatus();
    });
    if (!status.ok()) std::ranges::fill(statuses, status);
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(CheckWrite(key, value, options));
    const auto guard = striping_.Share(HashKey(key));
    return CommitOne([&](WriteBatch& batch) { batch.Put(key, value, options.expires_at); });
  }

  absl::Status Delete(std::string_view key) {
    KV_RETURN_IF_ERROR(CheckWrite(key, {}, {}));
    const auto guard = striping_.Share(HashKey(key));
    return CommitOne([&](WriteBatch& batch) { batch.Delete(key); });
  }

  absl::Status Write(const WriteBatch& batch) {
    KV_RETURN_IF_ERROR(CheckOpen());
    if (batch.Empty()) return absl::OkStatus();
    if (batch.Bytes().size() > kMaxLogPayloadBytes) {
      return Invalid(
          fmt::format("batch of {} bytes is over {}", batch.Bytes().size(), kMaxLogPayloadBytes));
    }
    std::vector<uint64_t> hashes;
    hashes.reserve(batch.Count());
    absl::Status status;
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      hashes.push_back(HashKey(record.key));
      status.Update(CheckWrite(record.key, record.value, {.expires_at = record.expires_at}));
    });
    KV_RETURN_IF_ERROR(status);
    const auto guard = striping_.ShareAll(hashes);
    return Commit(batch);
  }

  // Deletes one key after the other, with the journal to itself.
  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(CheckWrite(begin, {}, {}));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    if (!end.empty() && end <= begin) return absl::OkStatus();
    const std::unique_lock alone(read_then_write_mutex_);
    absl::Status status;
    commit_.Exclusively([&] {
      WriteBatch deletes;
      Cursor cursor = NewCursor({.lower = std::string(begin), .upper = std::string(end)});
      for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) deletes.Delete(cursor.key());
      status = cursor.status();
      if (!status.ok() || deletes.Empty()) return;
      CommitRequest request{.entries = deletes.Bytes(), .count = deletes.Count()};
      CommitRequest* const group[] = {&request};
      constexpr CommitSync kSync =
          Parts::Commit::kSyncs ? CommitSync::kBeforePublish : CommitSync::kLater;
      status = CommitInSteps<kSync>(*journal_, group);
    });
    return status;
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    KV_RETURN_IF_ERROR(CheckOpen());
    absl::Status status = LoadInBatches(source, kKeptBatchBytes,
                                        [this](const WriteBatch& batch) { return Write(batch); });
    status.Update(Flush());
    return status;
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(CheckWrite(key, desired.value_or(""), options));
    counters().Add(LsmCounter::kCasAttempts);
    const std::shared_lock shared(read_then_write_mutex_);
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
    KV_RETURN_IF_ERROR(CommitOne([&](WriteBatch& batch) {
      if (desired) {
        batch.Put(key, *desired, options.expires_at);
      } else {
        batch.Delete(key);
      }
    }));
    return CasResult{.swapped = true};
  }

  absl::StatusOr<uint64_t> Count(std::string_view prefix) {
    KV_RETURN_IF_ERROR(CheckOpen());
    uint64_t count = 0;
    Cursor cursor = NewCursor({.lower = std::string(prefix), .upper = PrefixSuccessor(prefix)});
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++count;
    KV_RETURN_IF_ERROR(cursor.status());
    return count;
  }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    KV_RETURN_IF_ERROR(CheckWrite(key, {}, {.expires_at = expires_at}));
    const std::shared_lock shared(read_then_write_mutex_);
    const auto guard = striping_.Exclude(HashKey(key));
    std::string value;
    KV_RETURN_IF_ERROR(Get(key, &value));
    return CommitOne([&](WriteBatch& batch) { batch.Put(key, value, expires_at); });
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    uint64_t expires_at = kNeverExpires;
    KV_RETURN_IF_ERROR(Read([&](const View& view, Sequence at) {
      return WithLive(view, key, at, [&](const Record& record) { expires_at = record.expires_at; });
    }));
    return expires_at;
  }

  Snapshot TakeSnapshot() { return store_->TakeSnapshot(); }

  Cursor NewCursor(const CursorBounds& bounds = {}) {
    if (absl::Status status = CheckOpen(); !status.ok()) return Cursor(std::move(status));
    // The view first, then the sequence number (Store::Visible).
    std::shared_ptr<const View> view = store_->Share();
    const Sequence at = store_->Visible();
    return MakeCursor(std::move(view), bounds, at);
  }

  Cursor NewCursor(const CursorBounds& bounds, const Snapshot& snapshot) {
    if (absl::Status status = CheckOpen(); !status.ok()) return Cursor(std::move(status));
    return MakeCursor(store_->Share(), bounds, snapshot.sequence());
  }

  Statistics Stats() {
    Statistics statistics;
    CountInto(counters(), &statistics);
    const CacheCounters cached = store_->cache().Counters();
    statistics.cache_hits = cached.hits;
    statistics.cache_misses = cached.misses;
    AddGauges(*store_->Share(), &statistics);
    return statistics;
  }

  // Writes the memtables out as tables.
  absl::Status Flush() {
    KV_RETURN_IF_ERROR(CheckOpen());
    absl::Status status;
    commit_.Exclusively([&] { status = journal_->Rotate(); });
    while (status.ok() && !store_->Share()->immutable.empty()) status = store_->FlushOldest();
    return status;
  }

  absl::Status Compact() { return CompactRange({}, {}); }

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
    KV_RETURN_IF_ERROR(CheckOpen());
    KV_RETURN_IF_ERROR(store_->VerifyManifest());
    const std::shared_ptr<const View> view = store_->Share();
    for (const auto& level : view->version->levels) {
      for (const auto& file : level) KV_RETURN_IF_ERROR(file->Get().Verify());
    }
    return absl::OkStatus();
  }

  // Loads what a cursor shows into a store beside `directory`, which then takes its name.
  absl::Status Checkpoint(const std::string& directory) {
    KV_RETURN_IF_ERROR(CheckOpen());
    Files files = store_->environment().file_system;
    KV_RETURN_IF_ERROR(files.CreateDirectories(directory));
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> there, files.List(directory));
    if (!there.empty()) return absl::AlreadyExistsError(directory + " is not empty");
    const std::string part = directory + ".part";
    Cursor cursor = NewCursor();
    cursor.SeekToFirst();
    {
      KV_ASSIGN_OR_RETURN(const auto copy, Open({.directory = part, .error_if_exists = true},
                                                store_->environment()));
      KV_RETURN_IF_ERROR(copy->BulkLoad(cursor));
      KV_RETURN_IF_ERROR(copy->Close());
    }
    KV_RETURN_IF_ERROR(files.Rename(part, directory));
    const size_t slash = directory.find_last_of('/');
    return files.SyncDirectory(slash == std::string::npos ? "." : directory.substr(0, slash + 1));
  }

  absl::Status Close() {
    KV_RETURN_IF_ERROR(CheckOpen());
    closed_ = true;
    commit_.Stop();
    background_.reset();
    absl::Status status = journal_->Close();
    lock_.reset();
    return status;
  }

 private:
  static constexpr uint64_t kManualStepBytes = uint64_t{256} << 20;

  Lsm(typename Files::Lock lock, std::unique_ptr<StoreType> store,
      std::unique_ptr<LsmJournal<Parts, Env>> journal)
      : lock_(std::move(lock)), store_(std::move(store)), journal_(std::move(journal)) {
    if constexpr (Env::kBackgroundWork == BackgroundWork::kThreads) {
      background_ = std::make_unique<LsmBackground<Parts, Env>>(*store_);
    }
  }

  LsmCounters& counters() { return store_->counters(); }

  absl::Status CheckOpen() const {
    if (closed_) [[unlikely]]
      return absl::FailedPreconditionError("the store is closed");
    return absl::OkStatus();
  }

  absl::Status CheckWrite(std::string_view key, std::string_view value,
                          const PutOptions& options) const {
    KV_RETURN_IF_ERROR(CheckOpen());
    if (!kExpiry && options.expires_at != kNeverExpires) {
      return Invalid("this composition's Expiry part is none: keys cannot expire");
    }
    return CheckSizes(key, value);
  }

  void AddGauges(const View& view, Statistics* statistics) {
    auto count_memory = [&](const auto& memory) {
      statistics->memory_bytes += memory.table.MemoryBytes();
      statistics->live_bytes_estimate += memory.table.MemoryBytes();
      auto size = Files(store_->environment().file_system)
                      .OpenForRead(store_->names().Log(memory.log_number));
      if (size.ok()) statistics->disk_bytes += size->Size();
    };
    count_memory(*view.active);
    for (const auto& memory : view.immutable) count_memory(*memory);
    for (const auto& level : view.version->levels) {
      for (const auto& file : level) {
        statistics->live_bytes_estimate += file->Meta().raw_bytes;
        statistics->disk_bytes += file->Meta().bytes;
        statistics->memory_bytes += file->Get().MemoryBytes();
      }
    }
    statistics->memory_bytes += store_->cache().UsedBytes();
  }

  // --- Writing ---------------------------------------------------------------------------------

  // Commits what `fill(WriteBatch&)` puts in. One batch a thread, so that a put allocates nothing.
  template <typename Fill>
  absl::Status CommitOne(Fill&& fill) {
    thread_local WriteBatch batch;
    batch.Clear();
    std::forward<Fill>(fill)(batch);
    absl::Status status = Commit(batch);
    if (batch.Bytes().size() > kKeptBatchBytes) batch = WriteBatch();
    return status;
  }

  absl::Status Commit(const WriteBatch& batch) {
    CommitRequest request{.entries = batch.Bytes(), .count = batch.Count()};
    return commit_.Commit(*journal_, request);
  }

  // --- Reading ---------------------------------------------------------------------------------

  template <typename Reader>
  absl::Status Read(Reader&& reader) {
    KV_RETURN_IF_ERROR(CheckOpen());
    const auto guard = store_->Enter();
    const View& view = store_->Current();
    return std::forward<Reader>(reader)(view, store_->Visible());
  }

  absl::Status GetAt(const View& view, std::string_view key, Sequence at, std::string* value) {
    counters().Add(LsmCounter::kReads);
    return WithLive(view, key, at, [&](const Record& record) {
      counters().Add(LsmCounter::kReadHits);
      value->assign(record.value);
    });
  }

  // Calls use(const Record&) with the version of `key` that a reader at `at` sees; kNotFound when
  // it sees none.
  template <typename Use>
  absl::Status WithLive(const View& view, std::string_view key, Sequence at, Use&& use) {
    Record record;
    if (view.active->table.Get(key, at, &record)) return Answer(record, use);
    for (const auto& memory : view.immutable) {
      if (memory->table.Get(key, at, &record)) return Answer(record, use);
    }
    return SearchTables(*view.version, key, at, use);
  }

  template <typename Use>
  absl::Status Answer(const Record& record, Use&& use) {
    if (record.kind == RecordKind::kTombstone) return NotFound();
    if (record.expires_at != kNeverExpires &&
        Expiry::Expired(record.expires_at, store_->environment().clock.UnixMillis())) {
      return NotFound();
    }
    use(record);
    return absl::OkStatus();
  }

  Cursor MakeCursor(std::shared_ptr<const View> view, const CursorBounds& bounds, Sequence at) {
    Records records;
    records.Add(typename Parts::Memtable::Cursor(&view->active->table));
    for (const auto& memory : view->immutable) {
      records.Add(typename Parts::Memtable::Cursor(&memory->table));
    }
    const auto& levels = view->version->levels;
    for (size_t level = 0; level < levels.size(); ++level) {
      const std::span files = Within(std::span(levels[level]), bounds, level > 0);
      if (level > 0 && !files.empty()) records.Add(RunCursor(files));
      for (size_t i = 0; level == 0 && i < files.size(); ++i) {
        if (Overlaps(files[i]->Meta(), bounds)) records.Add(RunCursor(files.subspan(i, 1)));
      }
    }
    const uint64_t now = kExpiry ? store_->environment().clock.UnixMillis() : 0;
    return Cursor(std::move(records), bounds, at, now, std::move(view));
  }

  static bool Overlaps(const TableMeta& meta, const CursorBounds& bounds) {
    return meta.largest >= bounds.lower && (bounds.upper.empty() || meta.smallest < bounds.upper);
  }

  // Of a level whose files are in key order, those that hold keys within the bounds.
  template <typename FileSpan>
  static FileSpan Within(FileSpan files, const CursorBounds& bounds, bool ordered) {
    if (!ordered) return files;
    while (!files.empty() && !Overlaps(files.front()->Meta(), bounds)) files = files.subspan(1);
    while (!files.empty() && !Overlaps(files.back()->Meta(), bounds)) {
      files = files.first(files.size() - 1);
    }
    return files;
  }

  template <typename Use>
  absl::Status SearchTables(const typename StoreType::Tree& tree, std::string_view key, Sequence at,
                            Use&& use) {
    TableSearch<Parts, Files> search(key, at);
    search.Run(tree);
    search.CountIn(counters());
    if (search.answer() == TableAnswer::kFound) return Answer(search.record(), use);
    return search.answer() == TableAnswer::kError ? search.status() : NotFound();
  }

  static constexpr size_t kKeptBatchBytes = size_t{1} << 20;

  std::optional<typename Files::Lock> lock_;
  std::unique_ptr<StoreType> store_;
  std::unique_ptr<LsmJournal<Parts, Env>> journal_;
  std::shared_mutex read_then_write_mutex_;  // exclusive: no CompareAndSet is under way
  typename Parts::Striping striping_;
  typename Parts::Commit commit_;
  std::unique_ptr<LsmBackground<Parts, Env>> background_;
  bool closed_ = false;
};

}  // namespace kv

#endif  // ENGINES_LSM_ENGINE_H_
