// Memory for pages: frames, the table that finds them, and which of them go when there is no room.
//
// Pages without changes may be evicted, by a clock with a second chance for what was touched; inner
// pages go last. The budget is soft: changed pages stay until they are written.
//
// Invariants:
//   1. Readers use frames within a guard of the gate, and a frame that was taken out of the table
//      is used again only after Synchronize. So nobody looks at a frame that has become another
//      page.
//   2. Nobody takes the pool's mutex within a guard: Synchronize is called with the mutex held.
//
// Memory order: the counts are figures, for judgement and statistics: relaxed.
// Thread safety: functions whose name ends in Locked want the pool's mutex; the others are for any
// thread.
#ifndef ENGINES_BTREE_FRAMES_H_
#define ENGINES_BTREE_FRAMES_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "engines/btree/frame.h"
#include "engines/btree/page.h"
#include "kv/base/arena.h"
#include "kv/base/read_gate.h"

namespace kv::btree {

template <size_t kPageBytes>
class Frames {
 public:
  // `budget_bytes` of memory, about.
  explicit Frames(uint64_t budget_bytes)
      : budget_units_(std::max<uint64_t>(budget_bytes / kPageBytes, kMinBudgetUnits)) {}
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;
  ~Frames() {
    for (Frame* frame : residents_) RecycleLocked(frame);
    for (Frame* frame : limbo_) RecycleLocked(frame);
  }

  ReadGate::Guard Enter() { return gate_.Enter(); }
  Frame* Find(PageId id) const { return table_.Find(id); }
  uint64_t budget_units() const { return budget_units_; }
  uint64_t ResidentUnits() const { return resident_units_.load(std::memory_order_relaxed); }
  uint64_t Evictions() const { return evictions_.load(std::memory_order_relaxed); }

  // A frame for a page of `units`, in no table yet and not initialized. May evict clean pages.
  Frame* NewLocked(PageId id, uint32_t units) {
    if (units > 1 || free_ == nullptr) MakeRoomLocked();
    Frame* frame;
    if (units > 1) {
      void* const memory =
          ::operator new (sizeof(Frame) + units * kPageBytes, std::align_val_t{alignof(Frame)});
      frame = new (memory) Frame();
    } else if (free_ != nullptr) {
      frame = std::exchange(free_, free_->next_free);
    } else {
      frame = new (arena_.AllocateAligned(sizeof(Frame) + kPageBytes, alignof(Frame))) Frame();
    }
    frame->id = id;
    frame->units = units;
    frame->taken_in = 0;
    frame->pinned = false;
    frame->loaded_at = loads_ - kFreshLoads;
    // relaxed: nobody else has the frame.
    frame->dirty_epoch.store(0, std::memory_order_relaxed);
    return frame;
  }

  // Readers find the frame from here on; who had its id before is the caller's to take out.
  void PublishLocked(Frame* frame) {
    table_.Set(frame->id, frame);
    frame->resident_at = residents_.size();
    residents_.push_back(frame);
    resident_units_.fetch_add(frame->units, std::memory_order_relaxed);
  }
  // The same for one that was just read in.
  void PublishLoadedLocked(Frame* frame) {
    frame->referenced.store(true, std::memory_order_relaxed);  // a hint
    frame->loaded_at = ++loads_;
    PublishLocked(frame);
  }

  // `id` leads nowhere from here on.
  void UnpublishLocked(PageId id) { table_.Set(id, nullptr); }

  // Takes a frame off the list of residents; it is the caller's.
  void TakeOutLocked(Frame* frame) {
    residents_[frame->resident_at] = residents_.back();
    residents_[frame->resident_at]->resident_at = frame->resident_at;
    residents_.pop_back();
    resident_units_.fetch_sub(frame->units, std::memory_order_relaxed);
  }

  // Gives up a frame that is in no table any more, but may still be looked at.
  void RetireLocked(Frame* frame) { limbo_.push_back(frame); }

  // Gives up a frame that nobody sees.
  void RecycleLocked(Frame* frame) {
    if (frame->units > 1) {
      ::operator delete (frame, std::align_val_t{alignof(Frame)});
    } else {
      frame->next_free = std::exchange(free_, frame);
    }
  }

 private:
  static constexpr uint64_t kMinBudgetUnits = 16;
  static constexpr size_t kReclaimBatch = 64;
  // The newest pages stay, whatever the budget: who needs several at once, and reads one in after
  // the other, must find the first when the last is there.
  static constexpr uint32_t kFreshLoads = 32;

  // Sees to it that a frame may be allocated within the budget, if clean pages make that possible.
  void MakeRoomLocked() {
    if (limbo_.size() >= kReclaimBatch) return ReclaimLocked();
    if (ResidentUnits() < budget_units_) return;
    EvictLocked(std::clamp<size_t>(budget_units_ / 32, 1, kReclaimBatch));
    if (!limbo_.empty()) ReclaimLocked();
  }

  void ReclaimLocked() {
    gate_.Synchronize();
    for (Frame* frame : limbo_) RecycleLocked(frame);
    limbo_.clear();
  }

  void EvictLocked(size_t count) {
    size_t evicted = 0;
    for (size_t steps = 3 * residents_.size(); steps > 0 && evicted < count; --steps) {
      if (hand_ >= residents_.size()) hand_ = 0;
      if (residents_.empty()) return;
      Frame* const frame = residents_[hand_];
      const bool inner = frame->page().kind() == PageKind::kInner;
      if (frame->dirty_epoch.load(std::memory_order_relaxed) != 0 || frame->pinned ||
          (inner && steps > residents_.size()) || loads_ - frame->loaded_at < kFreshLoads ||
          frame->referenced.exchange(false, std::memory_order_relaxed)) {  // a hint
        ++hand_;
        continue;
      }
      UnpublishLocked(frame->id);
      TakeOutLocked(frame);  // the last one takes its place under the hand
      RetireLocked(frame);
      ++evicted;
    }
    evictions_.fetch_add(evicted, std::memory_order_relaxed);
  }

  const uint64_t budget_units_;
  ReadGate gate_;
  FrameTable table_;
  std::atomic<uint64_t> resident_units_{0};
  std::atomic<uint64_t> evictions_{0};

  // What follows is guarded by the pool's mutex.
  std::vector<Frame*> residents_;
  size_t hand_ = 0;
  uint32_t loads_ = kFreshLoads;
  std::vector<Frame*> limbo_;  // out of the table, perhaps still looked at
  Frame* free_ = nullptr;
  Arena arena_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_FRAMES_H_
