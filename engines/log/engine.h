// LogStructured: an append-only log of records with an index in memory (the Bitcask family),
// composed from Parts.
//
//   slot       concept (kv/...)   decides
//   Striping   striping/          what compare-and-set excludes
//   Commit     commit/            when a write is durable
//   Expiry     expiry/            whether records can expire
//   Merge      merge/             which segments are rewritten next
//
// Life of a put: its key's stripe, shared -> the commit policy orders it, appends it to the active
// segment, syncs it -> the index points at it: visible. A full segment gets a hint and is mapped;
// the merger rewrites segments in which much is dead.
//
// Life of a get: enter the gate; one line of the index gives the one place where the record can be;
// the record's lines give key, checksum and value. A key that is absent costs the line of the
// index.
//
// Memory: 12 to 16 bytes a key (index.h), whatever the keys' size, and two segments. Space on disk:
// see the Merge part; with DeadRatioMerge's default at most twice the live records, besides the two
// newest segments and tombstones that hide something.
//
// Cost: Get one to two cache misses and the copy. Put one record's bytes appended; durable: one
// sync, shared by a group. Overwriting reads the old record's key. Count(prefix) and DeleteRange
// read every key of the store. Open reads 16 bytes a record; a store that was not closed, the
// records of the last segments too.
//
// Models DurableEngine, not OrderedEngine (kv/contract/engine.h). Thread safety: as they say.
// For: point reads and writes of data larger than memory whose keys' index fits into it.
// Not for: range reads; very small values, where the index costs more than the data.
// Source: Sheehy and Smith, "Bitcask: A Log-Structured Hash Table for Fast Key/Value Data", 2010.
#ifndef ENGINES_LOG_ENGINE_H_
#define ENGINES_LOG_ENGINE_H_

#include <algorithm>
#include <cstddef>
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

#include "engines/log/background.h"
#include "engines/log/checkpoint.h"
#include "engines/log/journal.h"
#include "engines/log/parts.h"
#include "engines/log/reader.h"
#include "engines/log/recovery.h"
#include "engines/log/store.h"
#include "engines/log/verify.h"
#include "kv/commit/batches.h"
#include "kv/contract/engine.h"
#include "kv/contract/keeps_no_order.h"
#include "kv/contract/sorted_source.h"
#include "kv/expiry/call_check.h"
#include "kv/io/environment.h"

namespace kv {

template <LogParts Parts, typename Env = SystemEnvironment>
class LogStructured : public KeepsNoOrder<LogStructured<Parts, Env>> {
  static_assert(LogPartsAgree<Parts>());

 public:
  using Environment = Env;

 private:
  using StoreType = LogStore<Env>;
  using Files = typename StoreType::Files;
  using SegmentRef = typename StoreType::SegmentRef;
  using Expiry = typename Parts::Expiry;

 public:
  static constexpr bool kDurable = true;
  static constexpr bool kOrdered = false;
  static constexpr bool kExpiry = Expiry::kEnabled;
  // Whether an acknowledged write survives a power failure.
  static constexpr bool kDurableOnReturn = Parts::Commit::kDurableOnReturn;
  static constexpr uint64_t kMaxBatchBytes = uint64_t{1} << 30;  // of a segment

  // The same composition on other files, clock and threads.
  template <typename OtherEnvironment>
  using On = LogStructured<Parts, OtherEnvironment>;

  static std::string Descriptor() {
    return fmt::format(
        R"({{"engine":"log","striping":"{}","commit":"{}","expiry":"{}","merge":"{}"}})",
        Parts::Striping::kName, Parts::Commit::kName, Expiry::kName, Parts::Merge::kName);
  }

  // What a composition writes to disk: stores open under every composition with the same.
  static std::string Format() { return fmt::format("log expiry={}", Expiry::kName); }

  static absl::StatusOr<std::unique_ptr<LogStructured>> Open(const Options& options,
                                                             const Env& environment = Env()) {
    if (options.directory.empty()) return Invalid("Options::directory is empty");
    Files files = environment.file_system;
    if (options.create_if_missing) {
      KV_RETURN_IF_ERROR(files.CreateDirectories(options.directory));
    } else if (!files.Exists(options.directory)) {
      return absl::NotFoundError(
          fmt::format("{} does not exist, and create_if_missing is off", options.directory));
    }
    KV_ASSIGN_OR_RETURN(auto lock, files.LockFile(SegmentFileNames(options.directory).Lock()));
    const uint64_t segment_bytes = SegmentBytes(options);
    KV_ASSIGN_OR_RETURN(auto recovered, (LogRecovery<Parts, Env>::Run(options, environment,
                                                                      Format(), segment_bytes)));
    return std::unique_ptr<LogStructured>(new LogStructured(
        std::move(lock), std::move(recovered.store), std::move(recovered.journal), segment_bytes));
  }

  LogStructured(const LogStructured&) = delete;
  LogStructured& operator=(const LogStructured&) = delete;
  ~LogStructured() { Close().IgnoreError(); }

  absl::Status Get(std::string_view key, std::string* value) {
    KV_RETURN_IF_ERROR(check_.Open());
    counters().Add(LogCounter::kReads);
    return reader_.Get(key, [&](const Record& record) {
      counters().Add(LogCounter::kReadHits);
      value->assign(record.value);
    });
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    if (absl::Status status = check_.Open(); !status.ok()) {
      std::ranges::fill(statuses, status);
      return;
    }
    reader_.MultiGet(keys, values, statuses);
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, value, options.expires_at));
    const auto guard = striping_.Share(LogKeyHash(key));
    return CommitOne(commit_, *journal_,
                     [&](WriteBatch& batch) { batch.Put(key, value, options.expires_at); });
  }

  absl::Status Delete(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    const auto guard = striping_.Share(LogKeyHash(key));
    return CommitOne(commit_, *journal_, [&](WriteBatch& batch) { batch.Delete(key); });
  }

  absl::Status Write(const WriteBatch& batch) {
    KV_RETURN_IF_ERROR(check_.Open());
    if (batch.Empty()) return absl::OkStatus();
    std::vector<uint64_t> hashes;
    hashes.reserve(batch.Count());
    uint64_t bytes = 0;
    KV_RETURN_IF_ERROR(check_.Batch(batch, [&](const Record& record) {
      hashes.push_back(LogKeyHash(record.key));
      bytes += LogEntryBytes(record);
    }));
    KV_RETURN_IF_ERROR(CheckBatchBytes(bytes));
    const auto guard = striping_.ShareAll(hashes);
    return CommitBatch(commit_, *journal_, batch);
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, desired.value_or(""), options.expires_at));
    counters().Add(LogCounter::kCasAttempts);
    const std::shared_lock shared(read_then_write_mutex_);
    const auto guard = striping_.Exclude(LogKeyHash(key));
    std::string current;
    absl::Status found = reader_.Get(key, [&](const Record& record) { current = record.value; });
    const bool absent = absl::IsNotFound(found);
    if (!found.ok() && !absent) return found;
    if (absent == expected.has_value() || (!absent && current != *expected)) {
      counters().Add(LogCounter::kCasFailures);
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
    return CasResult{.swapped = true, .current = std::nullopt};
  }

  // Reads every key of the store.
  absl::StatusOr<uint64_t> Count(std::string_view prefix) {
    KV_RETURN_IF_ERROR(check_.Open());
    uint64_t count = 0;
    KV_RETURN_IF_ERROR(reader_.ForEach(
        [&](const Record& record) { count += record.key.starts_with(prefix) ? 1 : 0; }));
    return count;
  }

  // Rewrites the value with the new instant of expiry.
  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    KV_RETURN_IF_ERROR(check_.Expire(key, expires_at));
    const std::shared_lock shared(read_then_write_mutex_);
    const auto guard = striping_.Exclude(LogKeyHash(key));
    std::string value;
    KV_RETURN_IF_ERROR(reader_.Get(key, [&](const Record& record) { value = record.value; }));
    return CommitOne(commit_, *journal_,
                     [&](WriteBatch& batch) { batch.Put(key, value, expires_at); });
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Open());
    uint64_t expires_at = kNeverExpires;
    KV_RETURN_IF_ERROR(
        reader_.Get(key, [&](const Record& record) { expires_at = record.expires_at; }));
    return expires_at;
  }

  // Reads every key of the store while other writes wait, and deletes those in [begin, end) as one
  // group; kInvalidArgument when there are so many that their tombstones take over kMaxBatchBytes.
  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(check_.Read(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    if (!end.empty() && end <= begin) return absl::OkStatus();
    const std::unique_lock alone(read_then_write_mutex_);
    absl::Status status;
    commit_.Exclusively([&] { status = DeleteRangeAlone(begin, end); });
    return status;
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    KV_RETURN_IF_ERROR(check_.Open());
    absl::Status status = LoadInBatches(source, kLoadBatchBytes,
                                        [this](const WriteBatch& batch) { return Write(batch); });
    status.Update(Flush());
    return status;
  }

  Statistics Stats() {
    Statistics statistics;
    CountInto(counters(), &statistics);
    statistics.memory_bytes = store_->keydir().index().MemoryBytes();
    store_->AddGauges(&statistics);
    return statistics;
  }

  absl::Status Flush() {
    KV_RETURN_IF_ERROR(check_.Open());
    KV_RETURN_IF_ERROR(store_->Poisoned());
    // Where writes return when they are durable there is nothing left to do.
    if constexpr (kDurableOnReturn) {
      return absl::OkStatus();
    } else {
      return store_->MakeDurable();
    }
  }

  // Seals what has been written and rewrites every segment that has something dead in it.
  absl::Status Compact() {
    KV_RETURN_IF_ERROR(check_.Open());
    KV_RETURN_IF_ERROR(SealActive([] {}));
    return MergeJob<Parts, Env>(*store_, segment_bytes_).RunManually();
  }

  absl::Status Verify() {
    KV_RETURN_IF_ERROR(check_.Open());
    return VerifyStore(*store_);
  }

  // Begins a segment, which is the instant whose state is kept, and links those before it.
  absl::Status Checkpoint(const std::string& directory) {
    KV_RETURN_IF_ERROR(check_.Open());
    std::vector<SegmentRef> segments;
    KV_RETURN_IF_ERROR(SealActive([&] {
      segments = store_->AllSegments();
      segments.pop_back();  // the new one
    }));
    return LinkCheckpoint(*store_, directory, std::move(segments));
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
  static constexpr uint64_t kLeastSegmentBytes = uint64_t{4} << 10;
  static constexpr uint64_t kMostSegmentBytes = uint64_t{512} << 20;
  static constexpr size_t kLoadBatchBytes = size_t{1} << 20;

  LogStructured(typename Files::Lock lock, std::unique_ptr<StoreType> store,
                std::unique_ptr<SegmentJournal<Parts, Env>> journal, uint64_t segment_bytes)
      : segment_bytes_(segment_bytes),
        lock_(std::move(lock)),
        store_(std::move(store)),
        reader_(*store_),
        journal_(std::move(journal)) {
    if constexpr (Env::kBackgroundWork == BackgroundWork::kThreads) {
      background_ = std::make_unique<LogBackground<Parts, Env>>(*store_, segment_bytes_);
    }
  }

  // Two segments may be in memory: the one that is written and the one that is being sealed.
  static uint64_t SegmentBytes(const Options& options) {
    return std::clamp(options.memtable_bytes / 2, kLeastSegmentBytes, kMostSegmentBytes);
  }

  LogCounters& counters() { return store_->counters(); }

  static absl::Status CheckBatchBytes(uint64_t bytes) {
    if (bytes <= kMaxBatchBytes) return absl::OkStatus();
    return Invalid(fmt::format("batch of {} bytes is over {}", bytes, kMaxBatchBytes));
  }

  // With the journal alone.
  absl::Status DeleteRangeAlone(std::string_view begin, std::string_view end) {
    WriteBatch batch;
    uint64_t bytes = 0;
    KV_RETURN_IF_ERROR(reader_.ForEachUndeleted([&](const Record& record) {
      if (record.key < begin || (!end.empty() && record.key >= end)) return;
      batch.Delete(record.key);
      bytes += LogEntryBytes(record.key.size(), 0, false);
    }));
    if (batch.Empty()) return absl::OkStatus();
    KV_RETURN_IF_ERROR(CheckBatchBytes(bytes));
    return CommitAlone<typename Parts::Commit>(*journal_, batch);
  }

  // Begins a new segment, calls at_instant() before anything is written to it, and seals those
  // before it.
  template <typename AtInstant>
  absl::Status SealActive(AtInstant&& at_instant) {
    absl::Status status;
    commit_.Exclusively([&] {
      if (!journal_->ActiveIsEmpty()) status = journal_->Rotate();
      at_instant();
    });
    KV_RETURN_IF_ERROR(status);
    return store_->SealAll();
  }

  CallCheck<Expiry> check_;
  const uint64_t segment_bytes_;
  std::optional<typename Files::Lock> lock_;
  std::unique_ptr<StoreType> store_;
  LogReader<Expiry, Env> reader_;
  std::unique_ptr<SegmentJournal<Parts, Env>> journal_;
  std::shared_mutex read_then_write_mutex_;  // exclusive: no CompareAndSet is under way
  typename Parts::Striping striping_;
  typename Parts::Commit commit_;
  std::unique_ptr<LogBackground<Parts, Env>> background_;
};

}  // namespace kv

#endif  // ENGINES_LOG_ENGINE_H_
