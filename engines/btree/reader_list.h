// The sequence numbers that snapshots and cursors read at, so that pruning keeps what they see.
//
// Registering and listing exclude each other, and both read the newest visible sequence number
// inside: so a reader that a list misses is at or after that list's newest, and what the list made
// pruning keep is enough for it.
//
// Memory order: `visible` is stored with release when a group has been inserted, and loaded with
// acquire.
// Thread safety: any thread. A Snapshot must not outlive its list.
#ifndef ENGINES_BTREE_READER_LIST_H_
#define ENGINES_BTREE_READER_LIST_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

#include "engines/btree/pruning.h"
#include "kv/contract/record.h"

namespace kv::btree {

class ReaderList;

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
  friend class ReaderList;
  Snapshot(ReaderList* list, Sequence sequence) : list_(list), sequence_(sequence) {}

  ReaderList* list_;
  Sequence sequence_;
};

class ReaderList {
 public:
  // The newest sequence number that readers may see; it only grows.
  Sequence Visible() const { return visible_.load(std::memory_order_acquire); }
  void Publish(Sequence sequence) { visible_.store(sequence, std::memory_order_release); }

  Snapshot Take() {
    const std::lock_guard lock(mutex_);
    const Sequence sequence = Visible();
    sequences_.insert(sequence);
    return Snapshot(this, sequence);
  }

  // Another one of the same state.
  Snapshot Share(const Snapshot& snapshot) {
    const std::lock_guard lock(mutex_);
    sequences_.insert(snapshot.sequence());
    return Snapshot(this, snapshot.sequence());
  }

  Readers List(uint64_t now_unix_millis) const {
    const std::lock_guard lock(mutex_);
    return {.registered = {sequences_.begin(), sequences_.end()},
            .visible = Visible(),
            .now = now_unix_millis};
  }

 private:
  friend class Snapshot;

  void Release(Sequence sequence) {
    const std::lock_guard lock(mutex_);
    sequences_.erase(sequences_.find(sequence));
  }

  std::atomic<Sequence> visible_{0};
  mutable std::mutex mutex_;
  std::multiset<Sequence> sequences_;
};

inline Snapshot::~Snapshot() {
  if (list_ != nullptr) list_->Release(sequence_);
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_READER_LIST_H_
