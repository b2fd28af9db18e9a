// A journal in memory that notes the first broken promise of the policy that drives it
// (kv/commit/concept.h): calls that overlap where they must not, steps left out or out of order,
// requests published before they are durable or after an error.
//
// It has room for a few groups at a time, so that policies that leave Reserve out must ask.
//
// Thread safety: all functions may be called from many threads; the policy's mistakes are noted and
// do no harm.
#ifndef KV_COMMIT_WATCHFUL_JOURNAL_H_
#define KV_COMMIT_WATCHFUL_JOURNAL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "kv/base/clock.h"
#include "kv/base/status.h"
#include "kv/commit/concept.h"

namespace kv {

enum class BackgroundThreads { kAllowed, kForbidden };

template <BackgroundThreads kThreads = BackgroundThreads::kAllowed>
class WatchfulJournal {
 public:
  static constexpr bool kBackgroundThreads = kThreads == BackgroundThreads::kAllowed;

  // The sync number `fail_sync` (from 1) fails, and everything after it. Reserve makes room for
  // `groups`.
  explicit WatchfulJournal(uint64_t fail_sync = std::numeric_limits<uint64_t>::max(),
                           int groups = 5)
      : fail_sync_(fail_sync), groups_(groups) {}

  uint64_t MonotonicNanos() const { return clock_.MonotonicNanos(); }

  bool HasRoom(CommitGroup) {
    const Inside inside(*this, Call::kOther, "HasRoom");
    const std::lock_guard lock(mutex_);
    return error_.ok() && room_ > 0;
  }

  absl::Status Reserve(CommitGroup) {
    const Inside inside(*this, Call::kReserve, "Reserve");
    const std::lock_guard lock(mutex_);
    if (error_.ok() && published_ + 1 != next_)
      Note("Reserve before all that is logged is published");
    if (error_.ok() && room_ == 0) room_ = groups_;
    return error_;
  }

  absl::Status Log(CommitGroup group) {
    const Inside inside(*this, Call::kOther, "Log");
    const std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(error_);
    if (full_ == Full::kAtLog) return Shortage();
    if (room_ == 0) {
      Note("Log without room");
    } else {
      --room_;
    }
    for (CommitRequest* request : group) {
      request->first = next_;
      next_ += request->count;
      logged_.push_back(request);
    }
    return error_;
  }

  absl::Status WriteOut() {
    const Inside inside(*this, Call::kOther, "WriteOut");
    const std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(error_);
    if (full_ == Full::kAtWriteOut) return Shortage();
    if (must_sync_ && durable_ < handed_out_ && handed_out_ + 1 < next_) {
      Note("WriteOut before the bytes ahead are durable");
    }
    handed_out_ = next_ - 1;
    return error_;
  }

  absl::Status Sync() {
    const Inside inside(*this, Call::kSync, "Sync");
    const Sequence covered = [this] {
      const std::lock_guard lock(mutex_);
      return handed_out_;
    }();
    std::this_thread::yield();  // others log and write out meanwhile
    const std::lock_guard lock(mutex_);
    if (++syncs_ == fail_sync_) error_ = absl::UnavailableError("planted sync failure");
    if (syncs_ > fail_sync_) Note("Sync after a failed sync");
    if (error_.ok()) durable_ = covered;
    return error_;
  }

  void Insert(CommitGroup group) {
    const Inside inside(*this, Call::kOther, "Insert");
    const std::lock_guard lock(mutex_);
    for (const CommitRequest* request : group) {
      if (logged_.empty() || logged_.front() != request) {
        Note("Insert of a request that was not logged, or out of order");
        continue;
      }
      logged_.pop_front();
      inserted_.push_back(request);
    }
  }

  void Publish(CommitGroup group) {
    const Inside inside(*this, Call::kOther, "Publish");
    const std::lock_guard lock(mutex_);
    if (must_sync_ && !error_.ok()) Note("Publish after a failed sync");
    for (const CommitRequest* request : group) {
      if (inserted_.empty() || inserted_.front() != request) {
        Note("Publish of a request that was not inserted, or out of order");
        continue;
      }
      inserted_.pop_front();
      if (must_sync_ && request->first + request->count - 1 > durable_) Note("Publish before Sync");
      published_ = request->first + request->count - 1;
    }
  }

  // What is published must be durable, and nothing handed out beside what is not.
  void RequireSync() { must_sync_ = true; }
  // From now on, each call is a broken promise.
  void ForbidCalls() {
    const std::lock_guard lock(watch_mutex_);
    forbidden_ = true;
  }
  // Where the journal finds no space, from now on.
  enum class Full { kNowhere, kAtLog, kAtWriteOut };
  void SetFull(Full full) {
    const std::lock_guard lock(mutex_);
    full_ = full;
  }
  void AdvanceMillis(uint64_t millis) { clock_.AdvanceMillis(millis); }

  Sequence Published() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }
  Sequence Durable() const {
    const std::lock_guard lock(mutex_);
    return durable_;
  }
  uint64_t Syncs() const {
    const std::lock_guard lock(mutex_);
    return syncs_;
  }
  // Whether the request's entries are visible; from the writer that committed it.
  bool IsPublished(const CommitRequest& request) const {
    return request.first != 0 && request.first <= Published();
  }
  absl::Status Verdict() const {
    const std::lock_guard lock(note_mutex_);
    return verdict_;
  }
  void Note(std::string_view what) {
    const std::lock_guard lock(note_mutex_);
    if (verdict_.ok()) verdict_ = absl::InternalError(ToAbsl(what));
  }

 private:
  enum class Call { kReserve, kSync, kOther };

  static absl::Status Shortage() { return absl::ResourceExhaustedError("planted want of space"); }

  // Notices calls that overlap. It yields inside, to give them the chance.
  class Inside {
   public:
    Inside(WatchfulJournal& journal, Call call, const char* name) : journal_(journal), call_(call) {
      {
        const std::lock_guard lock(journal_.watch_mutex_);
        if (journal_.forbidden_) journal_.Note(std::string(name) + " after Stop");
        const bool excluded = call == Call::kSync ? journal_.excluding_sync_ : journal_.inside_ > 0;
        const bool meets_sync = call != Call::kOther && journal_.syncing_ > 0;
        if (excluded || meets_sync) journal_.Note(std::string("overlap in ") + name);
        ++(call == Call::kSync ? journal_.syncing_ : journal_.inside_);
        if (call == Call::kReserve) journal_.excluding_sync_ = true;
      }
      std::this_thread::yield();
    }
    ~Inside() {
      const std::lock_guard lock(journal_.watch_mutex_);
      --(call_ == Call::kSync ? journal_.syncing_ : journal_.inside_);
      if (call_ == Call::kReserve) journal_.excluding_sync_ = false;
    }

   private:
    WatchfulJournal& journal_;
    const Call call_;
  };

  const uint64_t fail_sync_;
  bool must_sync_ = false;
  ManualClock clock_;

  std::mutex watch_mutex_;
  int inside_ = 0;               // guarded by watch_mutex_, as the next three
  int syncing_ = 0;              // threads in Sync
  bool excluding_sync_ = false;  // a thread is in Reserve
  bool forbidden_ = false;

  mutable std::mutex note_mutex_;
  absl::Status verdict_;  // guarded by note_mutex_

  mutable std::mutex mutex_;  // guards what follows
  absl::Status error_;
  Full full_ = Full::kNowhere;
  const int groups_;
  int room_ = 0;
  Sequence next_ = 1;
  Sequence handed_out_ = 0;
  Sequence durable_ = 0;
  Sequence published_ = 0;
  uint64_t syncs_ = 0;
  std::deque<const CommitRequest*> logged_;    // and not inserted yet
  std::deque<const CommitRequest*> inserted_;  // and not published yet
};

static_assert(Journal<WatchfulJournal<>>);

}  // namespace kv

#endif  // KV_COMMIT_WATCHFUL_JOURNAL_H_
