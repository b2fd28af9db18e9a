// What most programs have: a deque behind a mutex. With a flag for each slot, the best that can be
// done so; and with a hash set, as the source document's "locked" coordinator has it.
#ifndef BENCH_COORD_LOCKED_PEERS_H_
#define BENCH_COORD_LOCKED_PEERS_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "bench/coord/ready_set.h"

namespace bench {

// Which slots are queued, guarded by the lock of its owner.
class QueuedFlags {
 public:
  explicit QueuedFlags(size_t slots) : queued_(slots) {}
  bool Insert(Index index) {
    const bool inserted = queued_[index.slot] == 0;
    queued_[index.slot] = 1;
    return inserted;
  }
  void Erase(Index index) { queued_[index.slot] = 0; }

 private:
  std::vector<uint8_t> queued_;
};

class QueuedHashSet {
 public:
  explicit QueuedHashSet(size_t) {}
  bool Insert(Index index) { return queued_.insert(Key(index)).second; }
  void Erase(Index index) { queued_.erase(Key(index)); }

 private:
  static uint64_t Key(Index index) { return uint64_t{index.generation} << 32 | index.slot; }
  std::unordered_set<uint64_t> queued_;
};

template <typename Queued>
class LockedPeer : public PlainSlots {
 public:
  explicit LockedPeer(size_t slots) : queued_(slots) {}

  bool Register(Index index) { return RegisterBatch({&index, 1}) == 1; }

  size_t RegisterBatch(std::span<const Index> indices) {
    size_t count = 0;
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      for (const Index index : indices) {
        if (!queued_.Insert(index)) continue;
        deque_.push_back(index);
        ++count;
      }
      wake = count > 0 && sleepers_ > 0;
    }
    if (wake) wakes_.notify_one();
    return count;
  }

  size_t Drain(size_t max, std::vector<Index>* out) {
    const std::lock_guard lock(mutex_);
    const size_t count = std::min(max, deque_.size());
    for (size_t i = 0; i < count; ++i) {
      queued_.Erase(deque_.front());
      out->push_back(deque_.front());
      deque_.pop_front();
    }
    return count;
  }

  void FinishAgain(Index index) { Register(index); }

  void Wait() {
    std::unique_lock lock(mutex_);
    ++sleepers_;
    wakes_.wait(lock, [this] { return !deque_.empty() || shut_down_; });
    --sleepers_;
  }
  void Shutdown() {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
    wakes_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::deque<Index> deque_;  // this and what follows: guarded by mutex_
  Queued queued_;
  size_t sleepers_ = 0;
  bool shut_down_ = false;
};

class LockedDeque : public LockedPeer<QueuedFlags> {
 public:
  static constexpr std::string_view kName = "mutex_deque";
  using LockedPeer::LockedPeer;
};

class SourceLocked : public LockedPeer<QueuedHashSet> {
 public:
  static constexpr std::string_view kName = "source_locked";
  using LockedPeer::LockedPeer;
};

}  // namespace bench

#endif  // BENCH_COORD_LOCKED_PEERS_H_
