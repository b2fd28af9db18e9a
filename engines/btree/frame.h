// A frame: a page in memory, with what readers and the writer need to know of it.
//
// Memory order: `version` is the sequence lock of a leaf (leaf.h). `dirty_epoch` is stored under
// the pool's mutex and loaded by the writer without it: only the writer makes a page dirty, and a
// stale value sends it to the slow path, which takes the mutex. `referenced` is a hint.
#ifndef ENGINES_BTREE_FRAME_H_
#define ENGINES_BTREE_FRAME_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engines/btree/page.h"
#include "kv/base/arena.h"
#include "kv/base/atomic.h"

namespace kv::btree {

struct alignas(64) Frame {
  Atomic<uint64_t> version{0};
  // Which checkpoint the page's changes belong to; 0: the file has them.
  Atomic<uint64_t> dirty_epoch{0};
  Atomic<bool> referenced{false};  // since the clock's hand passed
  bool pinned = false;             // the writer is using it: not evicted
  PageId id = 0;
  uint32_t units = 1;
  uint32_t loaded_at = 0;  // the pool's count of pages read in
  size_t resident_at = 0;  // in the pool's list
  uint64_t taken_in = 0;   // the checkpoint's own: the epoch in which it took the page
  Frame* next_free = nullptr;

  Page page() { return Page(reinterpret_cast<char*>(this + 1)); }

  // Relaxed, and only when it changes: readers of one page share its line.
  void Touch() {
    if (!referenced.load(std::memory_order_relaxed)) {
      referenced.store(true, std::memory_order_relaxed);
    }
  }
};
static_assert(sizeof(Frame) == 64);

// From page ids to frames: an array, so that a step down the tree is two loads and no hash. Null:
// not in memory. It grows by segments, which stay in place. Of a small store hardly any of it is
// resident: the arena's zeros are null pointers, and pages of it that nobody has come to cost
// nothing.
//
// Memory order: entries and segments are stored with release, after what they point at is complete,
// and loaded with acquire.
// Thread safety: Find from any thread; the others from one at a time.
class FrameTable {
 public:
  FrameTable() : segments_(NewArray<Entry*>(kSegments)) {}

  Frame* Find(PageId id) const {
    const Entry* const segment = segments_[id / kSegmentEntries].load(std::memory_order_acquire);
    if (segment == nullptr) [[unlikely]]
      return nullptr;
    return segment[id % kSegmentEntries].load(std::memory_order_acquire);
  }

  void Set(PageId id, Frame* frame) {
    Atomic<Entry*>& segment = segments_[id / kSegmentEntries];
    if (segment.load(std::memory_order_relaxed) == nullptr) {
      segment.store(NewArray<Frame*>(kSegmentEntries), std::memory_order_release);
    }
    segment.load(std::memory_order_relaxed)[id % kSegmentEntries].store(frame,
                                                                        std::memory_order_release);
  }

 private:
  using Entry = Atomic<Frame*>;
  // The arena maps a segment, 1 MiB, by itself, without huge pages.
  static constexpr size_t kSegmentEntries = kModelled ? 2 : size_t{1} << 17;
  static constexpr size_t kSegments = kModelled ? 2 : size_t{1} << 15;

  template <typename T>
  Atomic<T>* NewArray(size_t count) {
    return reinterpret_cast<Atomic<T>*>(memory_.Allocate(count * sizeof(Atomic<T>)));
  }

  Arena memory_;
  Atomic<Entry*>* const segments_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_FRAME_H_
