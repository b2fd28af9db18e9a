// What the threads of an LSM engine share: which memtables and tables there are, on disk (the
// manifest) and in memory (the published ReadView), and the one way to change it (Install).
//
// Locks, in the order in which they may be taken, after those of the jobs (store.h):
//   HoldOffSnapshots while a policy's tables are dropped
//   install_mutex_   the manifest; held over its sync
//   mutex_           pointers and lists; never held over I/O
// Readers take none of them: they enter the gate and load the view.
//
// Order of a change on disk: tables synced, directory synced, edit synced, view published, and only
// then files that the edit made obsolete given up (manifest.h, invariant 1).
//
// Thread safety: as each function says; readers from any thread.
#ifndef ENGINES_LSM_SHARED_STATE_H_
#define ENGINES_LSM_SHARED_STATE_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/jobs.h"
#include "engines/lsm/catalog.h"
#include "engines/lsm/counters.h"
#include "engines/lsm/file_names.h"
#include "engines/lsm/level_cursor.h"
#include "engines/lsm/merging_cursor.h"
#include "engines/lsm/range_work.h"
#include "engines/lsm/snapshots.h"
#include "engines/lsm/tree_ranges.h"
#include "engines/lsm/version.h"
#include "kv/base/read_gate.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"
#include "kv/contract/options.h"
#include "kv/contract/statistics.h"

namespace kv {

// What is done in the background (background.h).
enum class LsmJob { kFlush, kCompact, kLook };
using LsmJobs = coord::Jobs<LsmJob, 3>;

template <typename Parts, typename Environment>
class SharedState {
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
  using RemovedFiles = std::vector<std::pair<size_t, uint64_t>>;  // level and number

  // `state`: what the manifest will say, its tables already open in `tree`.
  SharedState(const Options& options, Environment environment, FileNames names, ManifestState state)
      : environment_(std::move(environment)),
        names_(std::move(names)),
        cache_(Parts::Cache::kEnabled ? options.cache_bytes : 0),
        snapshots_(visible_),
        catalog_(std::move(state)) {}
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

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
    jobs_.Ask(LsmJob::kFlush);
  }

  // Waits until fewer than `limit` memtables wait to be flushed. Fails with the error that keeps
  // them from being flushed; the flush is tried again at the next call.
  absl::Status WaitForImmutableBelow(size_t limit) {
    std::unique_lock lock(mutex_);
    if (current_->immutable.size() >= limit && !flush_error_.ok()) {
      retry_flush_ = true;
      jobs_.Ask(LsmJob::kFlush);
    }
    changed_.wait(lock, [&] {
      return current_->immutable.size() < limit || (!flush_error_.ok() && !retry_flush_);
    });
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

  // --- The manifest: from any thread -----------------------------------------------------------

  // What the manifest says now, and a view that keeps the tables it names from being removed.
  std::pair<ManifestState, std::shared_ptr<const View>> Capture() {
    const std::lock_guard install_lock(install_mutex_);
    return {catalog_.state(), Share()};
  }

  // Reads the manifest back and checks it.
  absl::Status VerifyManifest() {
    const std::lock_guard install_lock(install_mutex_);
    return catalog_.Verify(environment_.file_system, names_);
  }

  // Records in the manifest that the store was closed, with `log` sealed at `end`.
  absl::Status RecordCleanClose(uint64_t log, uint64_t end) {
    ManifestEdit edit;
    edit.clean_close = CleanClose{.log = log, .end = end};
    return Install(std::move(edit), {}, {}, nullptr);
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

  // The range tombstones of `tree`, and those of `flushed`, if it is not null, that the tables of
  // `tree` need.
  std::shared_ptr<const TreeRanges> RangesOf(const Tree& tree, const Memory* flushed) const {
    std::shared_ptr<const TreeRanges> ranges = tree.ranges;
    if (flushed != nullptr && !flushed->ranges.empty()) {
      ranges = ranges->With(flushed->ranges.Tombstones(), ReadSequences());
    }
    return WithoutIdleRanges(std::move(ranges), tree);
  }

  // --- Shared state -----------------------------------------------------------------------------

  // Every sequence number that is or may be read at, ascending; the last is the newest of all.
  std::vector<Sequence> ReadSequences() const { return snapshots_.List(); }
  // No snapshot is taken while this lock lives.
  std::unique_lock<std::mutex> HoldOffSnapshots() { return snapshots_.HoldOff(); }
  // Whether background work should give up. relaxed: a hint.
  bool Stopping() const { return stopping_.load(std::memory_order_relaxed); }
  Environment& environment() { return environment_; }
  const FileNames& names() const { return names_; }
  LsmCounters& counters() { return counters_; }
  const LsmCounters& counters() const { return counters_; }
  const typename Parts::Cache& cache() const { return cache_; }

  // Adds what memtables, logs, manifest, tables and cache take up. Waits for an edit of the
  // manifest that is under way.
  void AddGauges(Statistics* statistics) {
    {
      const std::lock_guard install_lock(install_mutex_);
      statistics->disk_bytes += catalog_.ManifestBytes();
    }
    const std::shared_ptr<const View> view = Share();
    const auto add = [statistics](const Memory& memory) {
      statistics->memory_bytes += memory.MemoryBytes();
      statistics->live_bytes_estimate += memory.UserBytes();
      statistics->disk_bytes += memory.LogBytes();
    };
    add(*view->active);
    for (const auto& memory : view->immutable) add(*memory);
    for (const auto& level : view->version->levels) {
      for (const auto& file : level) {
        statistics->live_bytes_estimate += file->Meta().raw_bytes;
        statistics->disk_bytes += file->Meta().bytes;
        statistics->memory_bytes += file->Get().MemoryBytes();
      }
    }
    if constexpr (Parts::Values::kSeparates) {
      for (const auto& use : view->version->values->uses()) {
        ++statistics->value_files;
        statistics->value_garbage_bytes += use.Sizes().garbage;
        statistics->disk_bytes += use.file->meta().bytes;
      }
    }
    statistics->memory_bytes += cache_.UsedBytes();
  }

  // How far behind compaction is: 0 (not) to 1 (writes must crawl).
  double Debt() const { return debt_.load(std::memory_order_relaxed); }

  // For the background: what it is asked for. A flush when a memtable waits for one, or when
  // somebody wants another try; a compaction when there is a new tree.
  LsmJobs& jobs() { return jobs_; }

  // Whether there is a memtable to flush. While the last flush, whoever ran it, has failed, only
  // when somebody has asked for another.
  bool NeedsFlush() {
    const std::lock_guard lock(mutex_);
    return !current_->immutable.empty() && (flush_error_.ok() || retry_flush_);
  }

  void Stop() {
    // relaxed: as in Stopping().
    stopping_.store(true, std::memory_order_relaxed);
  }

 protected:
  TreeShape Shape(const Tree& tree) const { return tree.Shape(environment_.clock.UnixMillis()); }

  // Makes one change of the tree durable and visible. `flushed`: the oldest immutable memtable,
  // which is in `added` now, or null.
  absl::Status Install(ManifestEdit edit, const RemovedFiles& removed, const AddedFiles& added,
                       const Memory* flushed) {
    {
      const std::lock_guard install_lock(install_mutex_);
      const std::shared_ptr<const View> before = Share();
      auto tree = std::make_shared<Tree>(before->version->With(removed, added));
      tree->ranges = RangesOf(*tree, flushed);
      before->version->ranges->Difference(*tree->ranges, &edit);
      if constexpr (Parts::Values::kSeparates) {
        tree->values->Difference(catalog_.state().values, &edit);
      }
      edit.removed = removed;
      for (const auto& [level, file] : added) edit.added.emplace_back(level, file->Meta());
      {
        const std::lock_guard lock(mutex_);
        edit.next_file = next_file_;
      }
      KV_RETURN_IF_ERROR(WriteEdit(edit));
      if constexpr (Parts::Values::kSeparates) before->version->values->GiveUpAllBut(*tree->values);
      const std::lock_guard lock(mutex_);
      auto next = std::make_shared<View>(*current_);
      next->version = std::move(tree);
      if (flushed != nullptr) next->immutable.pop_back();
      PublishTree(std::move(next));
    }
    Reclaim();
    return absl::OkStatus();
  }

  // Removes files that are no longer part of the tree, once nobody reads them. Readers turn to what
  // took their place now: the files' memory goes first, because removing them takes a while.
  void GiveUp(const std::vector<std::shared_ptr<File>>& files) {
    for (const auto& file : files) file->Get().ReleaseMapping();
    for (const auto& file : files) {
      file->MarkObsolete();
      cache_.EraseFile(file->Meta().number);
    }
  }

  // What came of the last flush, for those who wait for it.
  void FlushEnded(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    flush_error_ = status;
    retry_flush_ = false;
    jobs_.Ask(LsmJob::kFlush);  // the next one, which may have waited for this
    changed_.notify_all();
  }

 private:
  static constexpr size_t kMaxSpareLogs = 1;

  // install_mutex_ is held.
  absl::Status WriteEdit(const ManifestEdit& edit) {
    return catalog_.Write(environment_.file_system, names_, edit,
                          [this] { return NewFileNumber(); });
  }

  // mutex_ is held.
  void PublishTree(std::shared_ptr<const View> next) {
    const double debt = std::max(Parts::Compaction::WriteStallDebt(Shape(*next->version)),
                                 RangeDebt(next->version->ranges->size()));
    // relaxed: a hint for the writers' pace.
    debt_.store(debt, std::memory_order_relaxed);
    Publish(std::move(next));
    jobs_.Ask(LsmJob::kCompact);
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

  LsmJobs jobs_;

  std::mutex install_mutex_;
  Catalog<Files> catalog_;  // guarded by install_mutex_

  std::mutex mutex_;
  std::condition_variable changed_;                   // with mutex_
  std::shared_ptr<const View> current_;               // guarded by mutex_
  std::atomic<const View*> view_{nullptr};            // == current_.get()
  std::vector<std::shared_ptr<const View>> retired_;  // guarded by mutex_
  uint64_t next_file_ = 1;                            // guarded by mutex_
  std::vector<uint64_t> spare_logs_;                  // guarded by mutex_
  absl::Status flush_error_;                          // guarded by mutex_
  bool retry_flush_ = false;                          // guarded by mutex_
};

}  // namespace kv

#endif  // ENGINES_LSM_SHARED_STATE_H_
