// Adaptive: a bitmap for what one thread pushes, and rings as soon as there are more; which of the
// two is told by what is seen of them, while it runs.
//
//                          another pushes
//    alone(t) ────────────────────────────────► several ◄───────────┐
//   t: bitmap                                   all: rings          │ another pushes
//       ▲                                          │ a period ends  │ (rings)
//       │ t pushes                                 ▼                │
//    offered(t) ◄──────── watched(t) ◄──────── watched(nobody)      │
//       │  a period ends      │  t pushes (rings)                   │
//       └─────────────────────┴─────────────────────────────────────┘
//
// It begins as offered(whoever comes first). A period begins with `several`, and with `watched`;
// it ends when one worker has popped kPeriod entries in it, or as many as there are slots. So one
// thread that is alone comes back to the bitmap behind one to two periods, and two that take turns
// within a period stay with the rings.
//
// Invariants:
//   1. The state says where to push, never whether there is something. A Pop and Empty look at
//      both queues, but for the bitmap where the state says that it is drained.
//   2. The thread t alone, by a push of its own, changes the state to alone(t), which is not
//      drained. So t needs no more than a load to know that it has the bitmap.
//   3. `drained` is set by a Pop that has found no bit in all of the bitmap, in one exchange with a
//      state that it has loaded before, and that was not alone. A push into the bitmap that may
//      come behind that look loads the state once more, finds it changed, and takes `drained` away
//      with a new version, so that an exchange which is still to come fails, too.
//   4. A worker pops from the queue that is behind, up to kTurn entries: its lead is how many it
//      has popped from the rings less those from the bitmap, but for what it took of the one
//      because the other had nothing. So that is kTurn at most, either way. Workers without a
//      number of their own share a lead.
//
// The bypass bound: let m be the larger bound of the two queues. Of the queue that s is in, up to m
// later entries go first, and slots - 1 earlier ones. While s is there a worker finds something
// there whenever that queue is behind; so of the other all workers hand out no more than of this
// one, the 2 kTurn by which each lead may change, and what they were about to take when s was
// pushed, up to all slots each.
//
// For: one registrant or several, which is not known before the program runs, where that one is to
// have the bitmap. What it is worth stands in docs/coordinators.md.
// Not for: speed (work_stealing.h alone is as fast or faster, for one registrant as for several); a
// small bypass bound; order. Threads without a number of their own are never taken to be alone.
//
// Thread safety: any thread; lock-free as the rings are. Complexity: a push is that of its queue
// and one or, of the bitmap, two loads of a line that nobody writes while nothing changes; a Pop
// that of a queue and a load, or of both. A change of the state is an exchange; behind one there is
// one look at all of the bitmap. Memory: that of both, and 4 KiB.
#ifndef COORD_ADAPTIVE_H_
#define COORD_ADAPTIVE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "coord/bitmap.h"
#include "coord/ready_queue_concept.h"
#include "coord/work_stealing.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

// `Rings`: WorkStealing or PerThreadRings, for what several threads push.
template <ReadyQueue Rings>
class AdaptiveOver {
 public:
  static constexpr std::string_view kName = "adaptive";
  // Entries that one worker pops in a period: some milliseconds, so that a thread which has the
  // processor for a time slice is not taken to be alone. As many as there are slots, if these are
  // more, so that a look at all of the bitmap in each does not count.
  static constexpr size_t kPeriod = kv::kModelled ? 1 : size_t{1} << 18;
  // Threads that may be alone, and workers with a lead of their own.
  static constexpr size_t kOwners = kv::kModelled ? 3 : 63;

  enum class Mode {
    kBitmap,  // one thread pushes, into the bitmap; there may be something in the rings still
    kBoth,    // pushes go to the rings, and there may be something in the bitmap still
    kRings,   // the bitmap is known to be empty
  };

  explicit AdaptiveOver(size_t slots)
      : period_(kv::kModelled ? kPeriod : std::max(kPeriod, slots)),
        bitmap_(slots),
        rings_(slots) {}

  // kPublish: as OwnerRing has it. (A push into the bitmap is always seq_cst.)
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void Push(uint32_t slot) {
    const size_t me = kv::ThreadNumber();
    if (!HasBitmap(me)) {
      rings_.template Push<kPublish>(slot);
      return;
    }
    bitmap_.Push(slot);
    LookAgain(me);
  }

  // kPublish: the same.
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void PushBatch(std::span<const uint32_t> slots) {
    if (slots.empty()) return;
    const size_t me = kv::ThreadNumber();
    if (!HasBitmap(me)) {
      rings_.template PushBatch<kPublish>(slots);
      return;
    }
    bitmap_.PushBatch(slots);
    LookAgain(me);
  }

  size_t Pop(std::span<uint32_t> out) {
    if (out.empty()) return 0;
    // seq_cst: pairs with Decide and Reopen: either this sees that the bitmap is in use, or whoever
    // pushed into it sees what the caller changed before. And with LookAgain.
    uint64_t state = state_.load(std::memory_order_seq_cst);
    const size_t count = IsDrained(state) ? rings_.Pop(out) : PopFair(out, &state);
    if (count > 0) CountPopped(state, count);
    return count;
  }

  bool Empty() const {
    // seq_cst: as in Pop.
    return (IsDrained(state_.load(std::memory_order_seq_cst)) || bitmap_.Empty()) && rings_.Empty();
  }

  static constexpr size_t BypassBound(size_t slots, size_t poppers) {
    const size_t of_one =
        std::max(BitmapQueue::BypassBound(slots, poppers), Rings::BypassBound(slots, poppers));
    return 2 * of_one + slots + poppers * (slots + 2 * kTurn);
  }

  // For tests and metrics: it may have changed by now.
  Mode mode() const {
    // relaxed: see above.
    const uint64_t state = state_.load(std::memory_order_relaxed);
    if (KindOf(state) == kAlone) return Mode::kBitmap;
    return IsDrained(state) ? Mode::kRings : Mode::kBoth;
  }

 private:
  // The state:  version (32 bits) | unused | drained (1) | kind (2) | thread (16)
  // A thread is its number and 1, or 0 for none. Each period has a version of its own, and so has
  // what follows a push into the bitmap that came late; so a state that is no longer alone is none
  // that was there before the bitmap was used.
  static constexpr uint64_t kVersion = uint64_t{1} << 32;
  static constexpr uint64_t kDrained = uint64_t{1} << 18;
  static constexpr uint64_t kThread = (uint64_t{1} << 16) - 1;
  enum Kind : uint64_t {
    kOffered = uint64_t{0} << 16,
    kAlone = uint64_t{1} << 16,
    kSeveral = uint64_t{2} << 16,
    kWatched = uint64_t{3} << 16,
  };
  static constexpr uint64_t kKind = kWatched;

  static constexpr uint64_t kTurn = kv::kModelled ? 1 : 64;

  static Kind KindOf(uint64_t state) { return static_cast<Kind>(state & kKind); }
  static uint64_t ThreadOf(uint64_t state) { return state & kThread; }
  static bool IsDrained(uint64_t state) { return (state & kDrained) != 0; }
  // Kind and thread.
  static uint64_t WhoOf(uint64_t state) { return state & (kKind | kThread); }
  static uint64_t With(uint64_t state, uint64_t who) { return (state & ~(kKind | kThread)) | who; }

  struct alignas(kv::kCacheLineBytes) Worker {  // all of it its thread's
    int64_t lead = 0;                           // invariant 4
    uint64_t period = 0;                        // its version
    size_t popped = 0;                          // in the period
  };

  // Whether a push of the thread goes into the bitmap.
  bool HasBitmap(size_t me) {
    // relaxed: of its own part a thread sees the newest, and others' are looked at behind the push.
    const uint64_t who = WhoOf(state_.load(std::memory_order_relaxed));
    if (who == (kAlone | (me + 1))) return true;
    if (who == kSeveral || who == (kWatched | (me + 1))) [[likely]]
      return false;
    return Decide(me);
  }

  // The same, where the push changes the state.
  [[gnu::noinline]] bool Decide(size_t me) {
    // relaxed, also where the exchange fails: it decides.
    uint64_t seen = state_.load(std::memory_order_relaxed);
    uint64_t next = AfterPush(seen, me);
    // seq_cst: pairs with the loads in Pop and Empty, and in LookAgain.
    while (next != seen && !state_.compare_exchange_weak(seen, next, std::memory_order_seq_cst,
                                                         std::memory_order_relaxed)) {
      next = AfterPush(seen, me);
    }
    return KindOf(next) == kAlone;
  }

  static uint64_t AfterPush(uint64_t state, size_t me) {
    const Kind kind = KindOf(state);
    const uint64_t thread = me < kOwners ? me + 1 : 0;
    const bool first = thread != 0 && ThreadOf(state) == 0;
    const bool same = thread != 0 && ThreadOf(state) == thread;
    if (kind == kSeveral || (kind != kOffered && same)) return state;
    if (kind == kOffered && (first || same)) return With(state & ~kDrained, kAlone | thread);
    if (kind == kWatched && first) return With(state, kWatched | thread);
    // A period begins.
    return With(state, kSeveral) + kVersion;
  }

  // Behind a push into the bitmap.
  void LookAgain(size_t me) {
    // seq_cst: pairs with Decide, and with the loads in Pop: either this sees that another thread
    // pushes, or a Pop that sees it, and then looks at the bitmap, sees what was pushed.
    if (WhoOf(state_.load(std::memory_order_seq_cst)) != (kAlone | (me + 1))) [[unlikely]]
      Reopen();
  }

  [[gnu::noinline]] void Reopen() {
    // relaxed, also where the exchange fails: it decides.
    uint64_t seen = state_.load(std::memory_order_relaxed);
    // seq_cst: pairs with the loads in Pop and Empty.
    while (!state_.compare_exchange_weak(seen, (seen & ~kDrained) + kVersion,
                                         std::memory_order_seq_cst, std::memory_order_relaxed)) {
    }
  }

  // From the queue that is behind; where that has nothing, from the other.
  size_t PopFair(std::span<uint32_t> out, uint64_t* state) {
    const size_t me = kv::ThreadNumber();
    // relaxed: a thread sees what it has added itself; that is enough for the bound.
    const int64_t lead = me < kOwners ? workers_[me].lead : lead_.load(std::memory_order_relaxed);
    const std::span<uint32_t> turn = out.first(std::min<size_t>(out.size(), kTurn));
    const bool from_rings = lead <= 0;
    const size_t count = from_rings ? rings_.Pop(turn) : PopBitmap(turn, state);
    if (count == 0) return from_rings ? PopBitmap(out, state) : rings_.Pop(out);
    const auto step = static_cast<int64_t>(count) * (from_rings ? 1 : -1);
    if (me < kOwners) {
      workers_[me].lead += step;
    } else {
      // relaxed: as above.
      lead_.fetch_add(step, std::memory_order_relaxed);
    }
    return count;
  }

  size_t PopBitmap(std::span<uint32_t> out, uint64_t* state) {
    const size_t count = bitmap_.Pop(out);
    if (count == 0) MarkDrained(state);
    return count;
  }

  // Behind a look at all of the bitmap, before which the state was loaded.
  void MarkDrained(uint64_t* state) {
    if (KindOf(*state) == kAlone) return;
    uint64_t seen = *state;
    // relaxed: who sees it takes nothing from it. Where it fails, the next look tells.
    if (state_.compare_exchange_strong(seen, seen | kDrained, std::memory_order_relaxed)) {
      *state |= kDrained;
    }
  }

  void CountPopped(uint64_t state, size_t count) {
    const Kind kind = KindOf(state);
    const size_t me = kv::ThreadNumber();
    if (kind == kAlone || kind == kOffered || me >= kOwners) return;
    Worker& worker = workers_[me];
    const uint64_t period = state / kVersion;
    worker.popped = count + (worker.period == period ? worker.popped : 0);
    worker.period = period;
    if (worker.popped < period_) return;
    worker.popped = 0;
    EndPeriod(state);
  }

  [[gnu::noinline]] void EndPeriod(uint64_t state) {
    uint64_t next = state;
    if (KindOf(state) == kSeveral) {
      next = With(state, kWatched) + kVersion;
    } else if (ThreadOf(state) != 0) {
      next = With(state, kOffered | ThreadOf(state));
    }
    if (next == state) return;
    // relaxed: a hint to those who push. Where it fails, another period is awaited.
    state_.compare_exchange_strong(state, next, std::memory_order_relaxed);
  }

  const size_t period_;
  BitmapQueue bitmap_;
  Rings rings_;
  std::array<Worker, kOwners> workers_;
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> state_{kOffered | kDrained};
  alignas(kv::kCacheLineBytes) kv::Atomic<int64_t> lead_{0};  // of all other workers
};

using Adaptive = AdaptiveOver<WorkStealing>;

static_assert(ReadyQueue<Adaptive>);

}  // namespace coord

#endif  // COORD_ADAPTIVE_H_
