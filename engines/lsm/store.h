// The store under an LSM engine: which memtables and tables there are, on disk (manifest) and in
// memory (the published ReadView), and the two jobs that change it: flush and compaction.
//
// Locks, in the order in which they may be taken:
//   flush_mutex_, compaction_mutex_   one flush and one compaction at a time, each in whichever
//                                     thread asks for it
//   install_mutex_                    the manifest; held over its sync
//   mutex_                            pointers and lists; never held over I/O
// Readers take none of them: they enter the gate and load the view.
//
// Order of a change on disk: tables synced, directory synced, edit synced, view published, and only
// then files that the edit made obsolete given up (manifest.h, invariant 1).
//
// Thread safety: as each function says; readers from any thread.
#ifndef ENGINES_LSM_STORE_H_
#define ENGINES_LSM_STORE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/counters.h"
#include "engines/lsm/file_names.h"
#include "engines/lsm/level_cursor.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/merging_cursor.h"
#include "engines/lsm/run_writer.h"
#include "engines/lsm/snapshots.h"
#include "engines/lsm/version.h"
#include "kv/base/read_gate.h"
#include "kv/compaction/choice.h"
#include "kv/contract/options.h"

namespace kv {

template <typename Parts, typename Environment>
class Store {
 public:
  using Files = typename Environment::FileSystem;
  using Memtable = typename Parts::Memtable;
  using Memory = LoggedMemtable<Memtable>;
  using View = ReadView<Parts, Files>;
  using Tree = Version<Parts, Files>;
  using File = TableFile<Parts, Files>;
  using RunCursor = LevelCursor<Parts, Files>;
  using Records = MergingCursor<typename Memtable::Cursor, RunCursor>;
  using AddedFiles = std::vector<std::pair<size_t, std::shared_ptr<File>>>;

  // `state`: what the manifest will say, its tables already open in `tree`.
  Store(const Options& options, Environment environment, FileNames names, ManifestState state)
      : environment_(std::move(environment)),
        names_(std::move(names)),
        cache_(Parts::Cache::kEnabled ? options.cache_bytes : 0),
        snapshots_(visible_),
        state_(std::move(state)) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // --- Reading ---------------------------------------------------------------------------------

  ReadGate::Guard Enter() { return gate_.Enter(); }
  // The current view, for the life of a guard. seq_cst: after the guard's entry (read_gate.h).
  const View& Current() const { return *view_.load(std::memory_order_seq_cst); }
  // The current view, for as long as the caller keeps it.
  std::shared_ptr<const View> Share() {
    const auto guard = Enter();
    return Current().shared_from_this();
  }
  // Load a view before this, not after: a later view may lack versions that were overwritten since.
  // acquire: pairs with Publish(Sequence).
  Sequence Visible() const { return visible_.load(std::memory_order_acquire); }
  Snapshot TakeSnapshot() { return snapshots_.Take(); }

  // --- For the journal: one thread at a time ----------------------------------------------------

  // release: the memtable inserts up to `last` come first.
  void PublishSequence(Sequence last) { visible_.store(last, std::memory_order_release); }

  // Makes `fresh` the active memtable; the one before it waits to be flushed.
  void Rotate(std::shared_ptr<Memory> fresh) {
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<View>(*current_);
    next->immutable.insert(next->immutable.begin(), current_->active);
    next->active = std::move(fresh);
    Publish(std::move(next));
    changed_.notify_all();
  }

  // Waits until fewer than `limit` memtables wait to be flushed. Fails with the error that keeps
  // them from being flushed; the flush is tried again at the next call.
  absl::Status WaitForImmutableBelow(size_t limit) {
    std::unique_lock lock(mutex_);
    if (current_->immutable.size() >= limit && !flush_error_.ok()) {
      retry_flush_ = true;
      changed_.notify_all();
      return flush_error_;
    }
    changed_.wait(lock, [&] { return current_->immutable.size() < limit || !flush_error_.ok(); });
    return current_->immutable.size() < limit ? absl::OkStatus() : flush_error_;
  }

  uint64_t NewFileNumber() {
    const std::lock_guard lock(mutex_);
    return next_file_++;
  }

  // A log that is no longer needed, for its file to be used again.
  std::optional<uint64_t> TakeSpareLog() {
    const std::lock_guard lock(mutex_);
    if (spare_logs_.empty()) return std::nullopt;
    const uint64_t number = spare_logs_.back();
    spare_logs_.pop_back();
    return number;
  }

  void AddSpareLog(uint64_t number) {
    {
      const std::lock_guard lock(mutex_);
      if (spare_logs_.size() < kMaxSpareLogs) {
        spare_logs_.push_back(number);
        return;
      }
    }
    environment_.file_system.Remove(names_.Log(number)).IgnoreError();
  }

  // --- Jobs: from any thread --------------------------------------------------------------------

  // Writes the oldest immutable memtable out as a table of level 0. OK also if there is none.
  absl::Status FlushOldest() {
    const std::lock_guard flush_lock(flush_mutex_);
    const std::shared_ptr<const View> view = Share();
    if (view->immutable.empty()) return absl::OkStatus();
    const size_t oldest = view->immutable.size() - 1;
    const Memory& memory = *view->immutable[oldest];
    const Memory& newer = oldest == 0 ? *view->active : *view->immutable[oldest - 1];

    Records records;
    records.Add(typename Memtable::Cursor(&memory.table));
    absl::Status status = [&]() -> absl::Status {
      KV_ASSIGN_OR_RETURN(AddedFiles added,
                          WriteTables(records, 0, false, std::numeric_limits<uint64_t>::max()));
      ManifestEdit edit;
      edit.log_number = newer.log_number;
      edit.last_sequence = Visible();
      for (const auto& [level, file] : added) {
        counters_.Add(LsmCounter::kFlushBytes, file->Meta().bytes);
      }
      KV_RETURN_IF_ERROR(Install(std::move(edit), {}, added, true));
      counters_.Add(LsmCounter::kFlushes);
      AddSpareLog(memory.log_number);
      return absl::OkStatus();
    }();
    const std::lock_guard lock(mutex_);
    flush_error_ = status;
    retry_flush_ = false;
    changed_.notify_all();
    return status;
  }

  // Runs one compaction that `choose(const TreeShape&) -> std::optional<Choice>` asks for. False
  // when it asks for none.
  template <typename Choose>
  absl::StatusOr<bool> CompactOnce(Choose&& choose) {
    const std::lock_guard compaction_lock(compaction_mutex_);
    const std::shared_ptr<const Tree> tree = Share()->version;
    const std::optional<Choice> choice = choose(tree->Shape());
    if (!choice) return false;
    std::vector<std::shared_ptr<File>> inputs;
    std::vector<std::pair<size_t, uint64_t>> removed;
    uint64_t input_bytes = 0;
    const auto output_level = static_cast<size_t>(choice->output_level);
    for (const CompactionInput& input : choice->inputs) {
      const auto level = static_cast<size_t>(input.level);
      inputs.push_back(tree->Find(level, input.file));
      removed.emplace_back(level, input.file);
      input_bytes += inputs.back()->Meta().bytes;
    }
    AddedFiles added;
    if (choice->trivial_move) {
      for (const auto& file : inputs) added.emplace_back(output_level, file);
    } else {
      Records records;
      for (const auto& file : inputs) records.Add(RunCursor(std::span(&file, 1)));
      KV_ASSIGN_OR_RETURN(added, WriteTables(records, output_level, choice->bottommost,
                                             Parts::Compaction::kOutputFileBytes));
    }
    KV_RETURN_IF_ERROR(Install({}, removed, added, false));
    if (choice->trivial_move) {
      counters_.Add(LsmCounter::kTrivialMoves);
      return true;
    }
    counters_.Add(LsmCounter::kCompactions);
    counters_.Add(LsmCounter::kCompactionBytesRead, input_bytes);
    for (const auto& [level, file] : added) {
      counters_.Add(LsmCounter::kCompactionBytesWritten, file->Meta().bytes);
    }
    // Readers turn to the outputs now. The inputs' memory goes first, because removing their files
    // takes a while, and nobody wants both.
    for (const auto& file : inputs) file->Get().ReleaseMapping();
    for (const auto& file : inputs) {
      file->MarkObsolete();
      cache_.EraseFile(file->Meta().number);
    }
    return true;
  }

  // Reads the manifest back and checks it.
  absl::Status VerifyManifest() {
    const std::lock_guard install_lock(install_mutex_);
    KV_ASSIGN_OR_RETURN(const RecoveredManifest read,
                        ReadManifest(environment_.file_system, names_));
    if (!read.dropped_tail || !manifest_) return absl::OkStatus();
    return Corruption(read.path, *read.dropped_tail, "unreadable edit");
  }

  // Records in the manifest that the store was closed, with `log` sealed at `end`.
  absl::Status RecordCleanClose(uint64_t log, uint64_t end) {
    ManifestEdit edit;
    edit.clean_close = CleanClose{.log = log, .end = end};
    return Install(std::move(edit), {}, {}, false);
  }

  // --- Opening: before any other thread ---------------------------------------------------------

  // Opens the table that the manifest describes.
  absl::StatusOr<std::shared_ptr<File>> OpenTable(const TableMeta& meta) {
    const std::string path = names_.Table(meta.number);
    KV_ASSIGN_OR_RETURN(auto table,
                        (Table<Parts, Files>::Open(environment_.file_system, path, meta, &cache_)));
    return std::make_shared<File>(environment_.file_system, path, meta, std::move(table));
  }

  // `last` numbers the newest write; `next_file` is above every number on disk.
  void SetNumbers(Sequence last, uint64_t next_file) {
    const std::lock_guard lock(mutex_);
    next_file_ = next_file;
    PublishSequence(last);
  }

  // Publishes the first view.
  void SetView(std::shared_ptr<Memory> active, std::shared_ptr<const Tree> tree) {
    auto view = std::make_shared<View>();
    view->active = std::move(active);
    view->version = std::move(tree);
    const std::lock_guard lock(mutex_);
    PublishTree(std::move(view));
  }

  // Starts a manifest with the state as it is, plus `edit`.
  absl::Status StartManifest(const ManifestEdit& edit) {
    const std::lock_guard install_lock(install_mutex_);
    return WriteEdit(edit);
  }

  // Writes what readers still need of `records` into tables of about `file_bytes` each, opened and
  // synced with their directory, for `level`. On an error no file is left behind.
  absl::StatusOr<AddedFiles> WriteTables(Records& records, size_t level, bool bottommost,
                                         uint64_t file_bytes) {
    return RunWriter<Parts, Store>(*this, level, bottommost, file_bytes).Write(records);
  }

  // --- Shared state -----------------------------------------------------------------------------

  // Every sequence number that is or may be read at.
  std::vector<Sequence> ReadSequences() const { return snapshots_.List(); }
  // Whether background work should give up. relaxed: read inside mutex_, or as a hint.
  bool Stopping() const { return stopping_.load(std::memory_order_relaxed); }
  Environment& environment() { return environment_; }
  const FileNames& names() const { return names_; }
  LsmCounters& counters() { return counters_; }
  const LsmCounters& counters() const { return counters_; }
  const typename Parts::Cache& cache() const { return cache_; }
  // How far behind compaction is: 0 (not) to 1 (writes must crawl).
  double Debt() const { return debt_.load(std::memory_order_relaxed); }

  // For the background threads: waits until there is work, or the store is stopping (false). While
  // the last flush, whoever ran it, has failed, that is when somebody asks for another.
  bool WaitForFlush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return Stopping() || (!current_->immutable.empty() && (flush_error_.ok() || retry_flush_));
    });
    return !Stopping();
  }

  // `seen` is the number of the tree that the caller has looked at, and becomes the newest one's.
  bool WaitForNewTree(uint64_t* seen) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return Stopping() || tree_number_ != *seen; });
    *seen = tree_number_;
    return !Stopping();
  }

  void Stop() {
    const std::lock_guard lock(mutex_);
    // relaxed: as in Stopping().
    stopping_.store(true, std::memory_order_relaxed);
    changed_.notify_all();
  }

 private:
  static constexpr size_t kMaxSpareLogs = 1;
  static constexpr uint64_t kMaxManifestBytes = uint64_t{4} << 20;

  // Makes one change of the tree durable and visible. `drop_oldest`: the oldest immutable memtable
  // is in `added` now.
  absl::Status Install(ManifestEdit edit, const std::vector<std::pair<size_t, uint64_t>>& removed,
                       const AddedFiles& added, bool drop_oldest) {
    {
      const std::lock_guard install_lock(install_mutex_);
      edit.removed = removed;
      for (const auto& [level, file] : added) edit.added.emplace_back(level, file->Meta());
      {
        const std::lock_guard lock(mutex_);
        edit.next_file = next_file_;
      }
      KV_RETURN_IF_ERROR(WriteEdit(edit));
      const std::lock_guard lock(mutex_);
      auto next = std::make_shared<View>(*current_);
      next->version = current_->version->With(removed, added);
      if (drop_oldest) next->immutable.pop_back();
      PublishTree(std::move(next));
    }
    Reclaim();
    return absl::OkStatus();
  }

  // Makes the edit durable; install_mutex_ is held. After a failure the end of the manifest is
  // unknown, with or without the edit: both the old files and the new are kept, and the next edit
  // starts a new manifest.
  absl::Status WriteEdit(const ManifestEdit& edit) {
    ManifestState next = state_;
    KV_RETURN_IF_ERROR(next.Apply(edit));
    const bool append = manifest_ && manifest_->Bytes() <= kMaxManifestBytes;
    absl::Status status = append ? manifest_->Append(edit) : ReplaceManifest(&next);
    if (!status.ok()) {
      manifest_.reset();
      return status;
    }
    state_ = std::move(next);
    return absl::OkStatus();
  }

  absl::Status ReplaceManifest(ManifestState* state) {
    const uint64_t number = NewFileNumber();
    state->next_file = number + 1;
    KV_ASSIGN_OR_RETURN(auto manifest,
                        Manifest<Files>::Start(environment_.file_system, names_, number, *state));
    if (manifest_number_ != 0) {
      environment_.file_system.Remove(names_.Manifest(manifest_number_)).IgnoreError();
    }
    manifest_.emplace(std::move(manifest));
    manifest_number_ = number;
    return absl::OkStatus();
  }

  // mutex_ is held.
  void PublishTree(std::shared_ptr<const View> next) {
    // relaxed: a hint for the writers' pace.
    debt_.store(Parts::Compaction::WriteStallDebt(next->version->Shape()),
                std::memory_order_relaxed);
    ++tree_number_;
    Publish(std::move(next));
    changed_.notify_all();
  }

  // mutex_ is held. The old view lives on until no reader can be looking at it.
  void Publish(std::shared_ptr<const View> next) {
    if (current_ != nullptr) retired_.push_back(std::move(current_));
    current_ = std::move(next);
    // seq_cst: before the gate's look at its readers (read_gate.h, invariant 2).
    view_.store(current_.get(), std::memory_order_seq_cst);
  }

  void Reclaim() {
    std::vector<std::shared_ptr<const View>> retired;
    {
      const std::lock_guard lock(mutex_);
      retired.swap(retired_);
    }
    gate_.Synchronize();
  }

  Environment environment_;
  const FileNames names_;
  typename Parts::Cache cache_;
  LsmCounters counters_;
  ReadGate gate_;

  std::atomic<Sequence> visible_{0};
  SnapshotList snapshots_;
  std::atomic<double> debt_{0};
  std::atomic<bool> stopping_{false};

  std::mutex flush_mutex_;
  std::mutex compaction_mutex_;

  std::mutex install_mutex_;
  ManifestState state_;                      // guarded by install_mutex_
  std::optional<Manifest<Files>> manifest_;  // guarded by install_mutex_; none after a failure
  uint64_t manifest_number_ = 0;             // guarded by install_mutex_

  std::mutex mutex_;
  std::condition_variable changed_;                   // with mutex_
  std::shared_ptr<const View> current_;               // guarded by mutex_
  std::atomic<const View*> view_{nullptr};            // == current_.get()
  uint64_t tree_number_ = 0;                          // guarded by mutex_; of its versions
  std::vector<std::shared_ptr<const View>> retired_;  // guarded by mutex_
  uint64_t next_file_ = 1;                            // guarded by mutex_
  std::vector<uint64_t> spare_logs_;                  // guarded by mutex_
  absl::Status flush_error_;                          // guarded by mutex_
  bool retry_flush_ = false;                          // guarded by mutex_
};

}  // namespace kv

#endif  // ENGINES_LSM_STORE_H_
