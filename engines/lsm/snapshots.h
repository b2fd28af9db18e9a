// The sequence numbers that are being read at, so that compaction keeps what they see.
//
// Taking a snapshot and listing them exclude each other, and both read the newest visible sequence
// number inside: so a snapshot that a list misses is at or after that list's newest, and what the
// list made compaction keep is enough for it.
//
// Whoever takes data away that a reader of the newest state would see (a policy that drops tables)
// holds off new snapshots meanwhile, so that none is taken between the look at the list and the
// change.
//
// Thread safety: any thread. A Snapshot must not outlive its list.
#ifndef ENGINES_LSM_SNAPSHOTS_H_
#define ENGINES_LSM_SNAPSHOTS_H_

#include <atomic>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "kv/contract/record.h"

namespace kv {

class SnapshotList;

// Keeps one state of the store readable while it lives.
class Snapshot {
 public:
  Snapshot(Snapshot&& other) noexcept
      : list_(std::exchange(other.list_, nullptr)), sequence_(other.sequence_) {}
  Snapshot& operator=(Snapshot&& other) noexcept {
    std::swap(list_, other.list_);
    std::swap(sequence_, other.sequence_);
    return *this;
  }
  ~Snapshot();

  Sequence sequence() const { return sequence_; }

 private:
  friend class SnapshotList;
  Snapshot(SnapshotList* list, Sequence sequence) : list_(list), sequence_(sequence) {}

  SnapshotList* list_;
  Sequence sequence_;
};

class SnapshotList {
 public:
  // `visible` is the newest sequence number that readers may see; it only grows.
  explicit SnapshotList(const std::atomic<Sequence>& visible) : visible_(visible) {}

  Snapshot Take() {
    const std::lock_guard taking(taking_mutex_);
    const std::lock_guard lock(mutex_);
    const Sequence sequence = Visible();
    sequences_.insert(sequence);
    return Snapshot(this, sequence);
  }

  // While this lock lives, Take() waits. Listing and releasing do not.
  std::unique_lock<std::mutex> HoldOff() { return std::unique_lock(taking_mutex_); }

  // Every sequence number that is or may be read at, ascending: those of the snapshots, and the
  // newest.
  std::vector<Sequence> List() const {
    const std::lock_guard lock(mutex_);
    std::vector<Sequence> list(sequences_.begin(), sequences_.end());
    list.push_back(Visible());
    return list;
  }

 private:
  friend class Snapshot;

  // acquire: pairs with the journal's release when it publishes a group.
  Sequence Visible() const { return visible_.load(std::memory_order_acquire); }
  void Release(Sequence sequence) {
    const std::lock_guard lock(mutex_);
    sequences_.erase(sequences_.find(sequence));
  }

  const std::atomic<Sequence>& visible_;
  std::mutex taking_mutex_;  // before mutex_
  mutable std::mutex mutex_;
  std::multiset<Sequence> sequences_;
};

inline Snapshot::~Snapshot() {
  if (list_ != nullptr) list_->Release(sequence_);
}

}  // namespace kv

#endif  // ENGINES_LSM_SNAPSHOTS_H_
