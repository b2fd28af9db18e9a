// The state that the parts of a log-structured engine share: where the keys are (keydir.h), which
// segments there are, in memory and in the manifest.
//
//   active    the one segment that takes writes
//   rotated   segments that are full and not sealed yet, oldest first
//   sealed    in the order of their writes; what the manifest names
//
// Sealing makes a hint, names the segment in the manifest and maps it. (What merges do is in
// merge_job.h.)
//
// Locks, in the order in which they are taken: merge_mutex_ and move_mutex_ (merge_job.h),
// seal_mutex_, install_mutex_, mutex_; the index's come after all of them.
//
// Thread safety: from any thread, but for what is done at open.
#ifndef ENGINES_LOG_STORE_H_
#define ENGINES_LOG_STORE_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coord/jobs.h"
#include "engines/log/counters.h"
#include "engines/log/file_names.h"
#include "engines/log/hint.h"
#include "engines/log/keydir.h"
#include "engines/log/manifest.h"
#include "engines/log/segment.h"
#include "kv/base/status.h"
#include "kv/base/sticky_error.h"
#include "kv/contract/record.h"

namespace kv {

// What is done in the background (background.h).
enum class LogJob { kSeal, kMerge };
using LogJobs = coord::Jobs<LogJob, 2>;

template <typename Environment>
class LogStore {
 public:
  using Files = typename Environment::FileSystem;
  using KeydirType = Keydir<Files>;
  using SegmentType = Segment<Files>;
  using SegmentRef = std::shared_ptr<SegmentType>;

  LogStore(Environment environment, std::string directory, std::string format)
      : environment_(std::move(environment)),
        names_(std::move(directory)),
        format_(std::move(format)),
        keydir_(counters_) {}
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // The newest sequence number that is in the index. acquire: pairs with SetVisible.
  Sequence Visible() const { return visible_.load(std::memory_order_acquire); }
  // release: the index was changed before.
  void SetVisible(Sequence last) { visible_.store(last, std::memory_order_release); }

  // --- Segments ---------------------------------------------------------------------------------

  uint64_t NewNumber() {
    const std::lock_guard lock(mutex_);
    return next_number_++;
  }

  // Makes `fresh` the active segment; the one before it waits to be sealed. `fresh` may be null, at
  // Close.
  void Rotate(SegmentRef fresh) {
    const std::lock_guard lock(mutex_);
    if (active_ != nullptr) rotated_.push_back(std::move(active_));
    active_ = std::move(fresh);
    jobs_.Ask(LogJob::kSeal);
  }

  // Seals the oldest rotated segment. OK also if there is none.
  absl::Status SealOldest() {
    const std::lock_guard seal_lock(seal_mutex_);
    SegmentRef segment;
    {
      const std::lock_guard lock(mutex_);
      if (rotated_.empty()) return absl::OkStatus();
      segment = rotated_.front();
    }
    absl::Status status = Seal(segment);
    {
      const std::lock_guard lock(mutex_);
      seal_error_ = status;
      retry_seal_ = false;
      jobs_.Ask(LogJob::kSeal);  // the next one, which may have waited for this
      changed_.notify_all();
    }
    if (!status.ok()) return status;
    if (segment->Empty()) {
      Retire({segment});
    } else if (segment->Mapped()) {
      keydir_.Synchronize();
      segment->FreeWriter();
    }
    return absl::OkStatus();
  }

  absl::Status SealAll() {
    while (SealPending()) KV_RETURN_IF_ERROR(SealOldest());
    return absl::OkStatus();
  }

  // Waits until no segment waits to be sealed. Fails with the error that keeps it from being
  // sealed; that is tried again at the next call.
  absl::Status WaitForSealed() {
    std::unique_lock lock(mutex_);
    if (!rotated_.empty() && !seal_error_.ok()) {
      retry_seal_ = true;
      jobs_.Ask(LogJob::kSeal);
    }
    changed_.wait(lock, [&] { return rotated_.empty() || (!seal_error_.ok() && !retry_seal_); });
    return rotated_.empty() ? absl::OkStatus() : seal_error_;
  }
  bool SealPending() {
    const std::lock_guard lock(mutex_);
    return !rotated_.empty();
  }

  // Takes segments out that nothing names any more and the index does not point to: their files go
  // when nobody holds them. Outside the gate.
  void Retire(const std::vector<SegmentRef>& segments) {
    keydir_.Forget(segments);
    for (const SegmentRef& segment : segments) segment->MarkObsolete();
  }

  // Makes everything durable that has been published. For commit policies that do not.
  absl::Status MakeDurable() {
    const std::lock_guard seal_lock(seal_mutex_);  // so that no writer is freed
    std::vector<SegmentRef> unsealed;
    {
      const std::lock_guard lock(mutex_);
      unsealed.assign(rotated_.begin(), rotated_.end());
      if (active_ != nullptr) unsealed.push_back(active_);
    }
    for (const SegmentRef& segment : unsealed) {
      KV_RETURN_IF_ERROR(PoisonUnlessOk(segment->writer()->Sync()));
    }
    return absl::OkStatus();
  }

  // Every segment, oldest writes first, at one moment.
  std::vector<SegmentRef> AllSegments() {
    const std::lock_guard lock(mutex_);
    std::vector<SegmentRef> all = sealed_;
    all.insert(all.end(), rotated_.begin(), rotated_.end());
    if (active_ != nullptr) all.push_back(active_);
    return all;
  }
  std::vector<SegmentRef> SealedSegments() {
    const std::lock_guard lock(mutex_);
    return sealed_;
  }

  // Replaces `count` sealed segments from the one at `first` on by `output` (nothing if null),
  // durably. Merges come one at a time.
  absl::Status InstallMerge(size_t first, size_t count, SegmentRef output) {
    const std::lock_guard install_lock(install_mutex_);
    std::vector<SegmentRef> sealed = SealedSegments();
    const auto at = sealed.begin() + static_cast<ptrdiff_t>(first);
    const auto next = sealed.erase(at, at + static_cast<ptrdiff_t>(count));
    if (output != nullptr) sealed.insert(next, std::move(output));
    KV_RETURN_IF_ERROR(WriteManifest(sealed, 0));
    const std::lock_guard lock(mutex_);
    sealed_ = std::move(sealed);
    return absl::OkStatus();
  }

  // The manifest as it would be written now.
  SegmentManifest Manifest(const std::vector<SegmentRef>& sealed, size_t rotated_left_out) {
    const std::lock_guard lock(mutex_);
    SegmentManifest manifest{.format = format_,
                             .next_number = next_number_,
                             .last_sequence = sealed_sequence_,
                             .first_unsealed = 0,
                             .segments = {}};
    if (rotated_.size() > rotated_left_out) {
      manifest.first_unsealed = rotated_[rotated_left_out]->number();
    } else if (active_ != nullptr) {
      manifest.first_unsealed = active_->number();
    }
    for (const SegmentRef& segment : sealed) manifest.segments.push_back(segment->Sealed());
    return manifest;
  }

  // Adds to the gauges what the segments hold.
  void AddGauges(Statistics* statistics) {
    for (const SegmentRef& segment : SealedSegments()) {
      const uint64_t unneeded =
          std::min(segment->end, segment->Dead() + segment->summary.tombstone_bytes);
      statistics->live_bytes_estimate += segment->end - unneeded;
      statistics->disk_bytes += segment->end + segment->summary.entries * kHintEntryBytes;
    }
    const std::lock_guard seal_lock(seal_mutex_);  // so that no writer is freed
    const std::lock_guard lock(mutex_);
    const auto add = [&](SegmentType& segment) {
      if (segment.writer() == nullptr) return;
      statistics->memory_bytes += segment.writer()->Memory().size();
      statistics->disk_bytes += segment.writer()->WholeEnd();
      statistics->live_bytes_estimate +=
          segment.writer()->WholeEnd() - std::min(segment.writer()->WholeEnd(), segment.Dead());
    };
    for (const SegmentRef& segment : rotated_) add(*segment);
    if (active_ != nullptr) add(*active_);
  }

  // --- Opening: before any other thread ----------------------------------------------------------

  // `last` numbers the newest write, `next_number` is above every number on disk.
  void SetNumbers(Sequence last, uint64_t next_number) {
    const std::lock_guard lock(mutex_);
    next_number_ = next_number;
    sealed_sequence_ = last;
    SetVisible(last);
  }
  absl::Status AddSealed(SegmentRef segment) {
    KV_RETURN_IF_ERROR(keydir_.Add(segment.get()));
    const std::lock_guard lock(mutex_);
    sealed_.push_back(std::move(segment));
    return absl::OkStatus();
  }
  absl::Status WriteFirstManifest() {
    const std::lock_guard install_lock(install_mutex_);
    return WriteManifest(SealedSegments(), 0);
  }

  // --- For the background
  // -------------------------------------------------------------------------

  // What it is asked for: a seal when a segment waits for one, or when somebody wants another try;
  // a merge when another segment has been sealed.
  LogJobs& jobs() { return jobs_; }

  // Whether there is a segment to seal. While the last seal has failed, only when somebody has
  // asked for another.
  bool NeedsSeal() {
    const std::lock_guard lock(mutex_);
    return !rotated_.empty() && (seal_error_.ok() || retry_seal_);
  }
  // relaxed: as in Stopping.
  void Stop() { stopping_.store(true, std::memory_order_relaxed); }
  // relaxed: a hint for long jobs.
  bool Stopping() const { return stopping_.load(std::memory_order_relaxed); }

  // --- Shared state -----------------------------------------------------------------------------

  // After an error no write is taken any more, but for a want of space, which leaves all as it was.
  // Returns the first such error, or the want.
  absl::Status PoisonUnlessOk(absl::Status status) {
    return IsOutOfSpace(status) ? status : poison_.Keep(std::move(status));
  }
  absl::Status Poisoned() const { return poison_.Get(); }

  Environment& environment() { return environment_; }
  Files& files() { return environment_.file_system; }
  const SegmentFileNames& names() const { return names_; }
  const std::string& format() const { return format_; }
  LogCounters& counters() { return counters_; }
  KeydirType& keydir() { return keydir_; }
  // Merges come one at a time.
  std::mutex& merge_mutex() { return merge_mutex_; }
  // Held by a merge while records change places, and by whoever freezes the index together with
  // the list of segments.
  std::mutex& move_mutex() { return move_mutex_; }

  // How far merging is behind: 0 (not) to 1 (writes must crawl). relaxed: a hint.
  double Debt() const { return debt_.load(std::memory_order_relaxed); }
  void SetDebt(double debt) { debt_.store(debt, std::memory_order_relaxed); }

 private:
  // seal_mutex_ is held.
  absl::Status Seal(const SegmentRef& segment) {
    KV_RETURN_IF_ERROR(PoisonUnlessOk(segment->writer()->Sync()));
    segment->end = segment->writer()->WholeEnd();
    KV_ASSIGN_OR_RETURN(const std::string hint, MakeHint(segment->path(), segment->Bytes(),
                                                         segment->number(), segment->end));
    HintView view;
    view.Decode(hint, segment->number(), segment->end);
    segment->summary = SegmentSummary::Of(view);
    KV_RETURN_IF_ERROR(WriteWholeFile(files(), names_.Hint(segment->number()), hint));
    KV_RETURN_IF_ERROR(files().SyncDirectory(names_.Directory()));
    // Before merges and Verify find it, which are not in the gate: they must not be at the writer's
    // memory when it is freed. Where it cannot be mapped the memory stays.
    if (!segment->Mapped()) segment->Map().IgnoreError();
    {
      const std::lock_guard install_lock(install_mutex_);
      std::vector<SegmentRef> sealed = SealedSegments();
      if (!segment->Empty()) sealed.push_back(segment);
      {
        const std::lock_guard lock(mutex_);
        sealed_sequence_ = std::max(sealed_sequence_, segment->writer()->Last());
      }
      KV_RETURN_IF_ERROR(WriteManifest(sealed, 1));
      const std::lock_guard lock(mutex_);
      sealed_ = std::move(sealed);
      rotated_.pop_front();
      jobs_.Ask(LogJob::kMerge);
    }
    counters_.Add(LogCounter::kFlushes);
    counters_.Add(LogCounter::kFlushBytes, hint.size());
    return absl::OkStatus();
  }

  // install_mutex_ is held. After a failure either manifest may be in force: files of both are
  // kept.
  absl::Status WriteManifest(const std::vector<SegmentRef>& sealed, size_t rotated_left_out) {
    return ReplaceSegmentManifest(files(), names_, Manifest(sealed, rotated_left_out));
  }

  Environment environment_;
  const SegmentFileNames names_;
  const std::string format_;
  LogCounters counters_;
  KeydirType keydir_;
  std::atomic<Sequence> visible_{0};
  std::atomic<double> debt_{0};
  std::atomic<bool> stopping_{false};
  StickyError poison_{kReopenAdvice};

  LogJobs jobs_;

  std::mutex merge_mutex_;
  std::mutex seal_mutex_;
  std::mutex install_mutex_;
  std::mutex move_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;  // with mutex_
  SegmentRef active_;                // guarded by mutex_
  std::deque<SegmentRef> rotated_;   // guarded by mutex_
  std::vector<SegmentRef> sealed_;   // guarded by mutex_; changed under install_mutex_ only
  uint64_t next_number_ = 1;         // guarded by mutex_
  Sequence sealed_sequence_ = 0;     // guarded by mutex_
  absl::Status seal_error_;          // guarded by mutex_
  bool retry_seal_ = false;          // guarded by mutex_
};

}  // namespace kv

#endif  // ENGINES_LOG_STORE_H_
