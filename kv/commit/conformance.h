// What every commit policy must do (kv/commit/concept.h), as checks on a journal that watches it.
// Each returns OK, or says which promise was broken, so that broken policies can be shown to fail.
#ifndef KV_COMMIT_CONFORMANCE_H_
#define KV_COMMIT_CONFORMANCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kv/base/status.h"
#include "kv/commit/concept.h"

namespace kv {

// Numbers, "syncs" and "applies" in memory, and notes the first broken promise.
class WatchfulJournal {
 public:
  // The sync number `fail_sync` (from 1) fails, and everything after it.
  explicit WatchfulJournal(uint64_t fail_sync = std::numeric_limits<uint64_t>::max())
      : fail_sync_(fail_sync) {}

  absl::Status Reserve(CommitGroup) {
    const Inside inside(*this, "Reserve");
    return error_;
  }

  absl::Status Log(CommitGroup group) {
    const Inside inside(*this, "Log");
    for (CommitRequest* request : group) {
      request->first = next_;
      next_ += request->count;
      logged_.insert(request);
    }
    return error_;
  }

  absl::Status Sync() {
    const Inside inside(*this, "Sync");
    if (++syncs_ >= fail_sync_) error_ = absl::UnavailableError("planted sync failure");
    if (error_.ok()) synced_ = next_ - 1;
    return error_;
  }

  void Apply(CommitGroup group) {
    const Inside inside(*this, "Apply");
    if (!error_.ok()) Note("Apply after a failed sync");
    for (CommitRequest* request : group) {
      if (logged_.erase(request) == 0) Note("Apply of a request that was not logged");
      if (request->first != applied_ + 1) Note("Apply out of order");
      if (must_sync_ && request->first > synced_) Note("Apply before Sync");
      applied_ += request->count;
    }
  }

  void RequireSync() { must_sync_ = true; }
  // Only when no writer is at work.
  uint64_t Applied() const { return applied_; }
  uint64_t Syncs() const { return syncs_; }
  // Whether the request's entries are visible; from the writer that committed it.
  bool IsApplied(const CommitRequest& request) const {
    const std::lock_guard lock(mutex_);
    return request.first != 0 && request.first <= applied_;
  }
  absl::Status Verdict() const {
    const std::lock_guard lock(mutex_);
    return verdict_;
  }
  void Note(std::string what) {
    const std::lock_guard lock(note_mutex_);
    if (verdict_.ok()) verdict_ = absl::InternalError(what);
  }

 private:
  // Notices two threads in the journal at once. It yields inside, to give them the chance.
  class Inside {
   public:
    Inside(WatchfulJournal& journal, const char* call) : journal_(journal) {
      // acq_rel: a policy must order the calls; this only looks whether it did.
      if (journal_.inside_.exchange(true, std::memory_order_acq_rel)) {
        journal_.Note(std::string("two threads in the journal, one in ") + call);
      }
      std::this_thread::yield();
      journal_.mutex_.lock();
    }
    ~Inside() {
      journal_.mutex_.unlock();
      // release: pairs with the exchange of whoever comes in next.
      journal_.inside_.store(false, std::memory_order_release);
    }

   private:
    WatchfulJournal& journal_;
  };

  const uint64_t fail_sync_;
  bool must_sync_ = false;
  std::atomic<bool> inside_{false};
  mutable std::mutex mutex_;  // so that a broken policy is reported and not a crash
  std::mutex note_mutex_;
  absl::Status verdict_;
  absl::Status error_;
  Sequence next_ = 1;
  Sequence synced_ = 0;
  Sequence applied_ = 0;
  uint64_t syncs_ = 0;
  std::set<const CommitRequest*> logged_;
};

// `threads` writers commit `writes` requests each.
template <typename C>
absl::Status CheckCommitOrder(int threads, int writes) {
  C commit;
  WatchfulJournal journal;
  if (C::kDurableOnReturn) journal.RequireSync();
  std::vector<std::thread> writers;
  for (int thread = 0; thread < threads; ++thread) {
    writers.emplace_back([&, thread] {
      Sequence last = 0;
      for (int i = 0; i < writes; ++i) {
        CommitRequest request{.entries = "entries", .count = 1 + static_cast<uint64_t>(thread % 3)};
        if (!commit.Commit(journal, request).ok()) journal.Note("Commit failed for no reason");
        if (!journal.IsApplied(request)) journal.Note("Commit returned before Apply");
        if (request.first <= last) journal.Note("a writer's requests changed places");
        last = request.first;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  KV_RETURN_IF_ERROR(journal.Verdict());
  uint64_t expected = 0;
  for (int thread = 0; thread < threads; ++thread) {
    expected += static_cast<uint64_t>(writes) * (1 + static_cast<uint64_t>(thread % 3));
  }
  if (journal.Applied() != expected) return absl::InternalError("requests were lost");
  return absl::OkStatus();
}

// The `fail_sync`th sync fails under `threads` writers: who got OK was applied, who was not applied
// got the error, and nobody hangs.
template <typename C>
absl::Status CheckFailedSync(int threads, uint64_t fail_sync) {
  C commit;
  WatchfulJournal journal(fail_sync);
  journal.RequireSync();
  std::atomic<uint64_t> acknowledged{0};
  std::vector<std::thread> writers;
  for (int thread = 0; thread < threads; ++thread) {
    writers.emplace_back([&] {
      int refused = 0;
      // Two writes after the first refusal: those must be refused too.
      while (refused < 3) {
        CommitRequest request{.entries = "entries", .count = 1};
        if (!commit.Commit(journal, request).ok()) {
          ++refused;
          if (journal.IsApplied(request)) journal.Note("an applied request was refused");
          continue;
        }
        if (refused > 0) journal.Note("a write was acknowledged after a failed sync");
        if (!journal.IsApplied(request)) journal.Note("a write was acknowledged, but not applied");
        // relaxed: read after join.
        acknowledged.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  KV_RETURN_IF_ERROR(journal.Verdict());
  if (acknowledged.load(std::memory_order_relaxed) != journal.Applied()) {
    return absl::InternalError("acknowledged and applied writes differ in number");
  }
  return absl::OkStatus();
}

// Exclusively() runs alone.
template <typename C>
absl::Status CheckExclusively(int threads, int rounds) {
  C commit;
  WatchfulJournal journal;
  uint64_t unguarded = 0;  // thread sanitizer and the final count watch this
  std::vector<std::thread> callers;
  for (int thread = 0; thread < threads; ++thread) {
    callers.emplace_back([&, thread] {
      for (int i = 0; i < rounds; ++i) {
        if (thread % 2 == 0) {
          commit.Exclusively([&] {
            ++unguarded;
            if (!journal.Reserve({}).ok()) journal.Note("Reserve failed");
          });
        } else {
          CommitRequest request{.entries = "entries", .count = 1};
          if (!commit.Commit(journal, request).ok()) journal.Note("Commit failed for no reason");
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  KV_RETURN_IF_ERROR(journal.Verdict());
  if (unguarded != static_cast<uint64_t>((threads + 1) / 2) * static_cast<uint64_t>(rounds)) {
    return absl::InternalError("two threads were in Exclusively at once");
  }
  return absl::OkStatus();
}

template <typename C>
absl::Status CheckCommit() {
  KV_RETURN_IF_ERROR(CheckCommitOrder<C>(1, 200));
  KV_RETURN_IF_ERROR(CheckCommitOrder<C>(8, 200));
  KV_RETURN_IF_ERROR(CheckExclusively<C>(4, 100));
  if (C::kDurableOnReturn) {
    KV_RETURN_IF_ERROR(CheckFailedSync<C>(1, 3));
    KV_RETURN_IF_ERROR(CheckFailedSync<C>(8, 5));
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_COMMIT_CONFORMANCE_H_
