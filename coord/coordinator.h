// Coordinator: which of N things are ready, each at most once, handed out in batches to workers.
//
//   struct Parts {
//     using Slots = RingSlots<>;  // or BitmapSlots<SymmetricFence>
//     using Waiter = Park;        // or SpinThenPark<>, EventFd
//     using Clock = kv::SystemClock;
//   };
//   // In the place of Slots, for states with a queue beside them (queued_slots.h):
//   //   using ReadyQueue = PerThreadRings;  // or one of the others in docs/coordinators.md
//   //   using Fence = SymmetricFence;       // or AsymmetricFence
//   Coordinator<Parts> coordinator({.slots = 1024});
//
//   registrant:  put a message into the mailbox;  coordinator.Register(index);
//   worker:      coordinator.Drain(coordinator.throughput_hint(), &batch);
//                for each index: read its mailbox;  coordinator.Finish(index, result);
//                if there were none: coordinator.Wait();
//
// What it promises:
//   1. A registration that is accepted (kQueued, kMerged) is followed by a run of the slot that
//      sees what the registrant did before, unless the slot is unregistered, removed or stopped
//      meanwhile; while the slot waits for a time or for capacity, by the run after that.
//      How much it sees of ordinary memory the fence says (fence_concept.h).
//   2. A slot is run by one worker at a time, from Drain to Finish, and each run sees what the ones
//      before it did.
//   3. An index whose slot was removed is stale: it changes nothing, whoever has the slot now. (How
//      exactly that holds for a call that runs beside the removal, the header of the slots says.)
//   4. A Drain hands out work if there is any that was registered before the call: entries of
//      slots that were withdrawn or removed do not count towards its batch.
//   5. Nobody sleeps in Wait while there is work for one who is awake to take, a timer is due, or
//      after Shutdown.
//   6. After s was registered at most BypassBound runs of slots registered later come first
//      (slots_concept.h).
//
// Thread safety: all functions from any thread. Those of one slot's run are of the worker to whom
// Drain gave it: the one Finish.
// Complexity: that of the slots' functions of the same names, in their header. Where a slot becomes
// ready that costs a load on top, and where a worker sleeps, its waking (some microseconds).
// Omits: growth beyond the number of slots it was made for; priorities.
#ifndef COORD_COORDINATOR_H_
#define COORD_COORDINATOR_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "coord/ending.h"
#include "coord/fence_concept.h"
#include "coord/index.h"
#include "coord/metrics.h"
#include "coord/outcome.h"
#include "coord/queued_slots.h"
#include "coord/ready_queue_concept.h"
#include "coord/result.h"
#include "coord/slot_word.h"
#include "coord/slots_concept.h"
#include "coord/timers.h"
#include "coord/waiter_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/clock.h"

namespace coord {

// The slots that parts name, or those that their queue and fence make.
template <typename P>
struct SlotsOfParts;
template <typename P>
requires Slots<typename P::Slots>
struct SlotsOfParts<P> {
  using Type = typename P::Slots;
};
template <typename P>
requires ReadyQueue<typename P::ReadyQueue> && Fence<typename P::Fence>
struct SlotsOfParts<P> {
  using Type = QueuedSlots<typename P::ReadyQueue, typename P::Fence>;
};

template <typename P>
concept CoordinatorParts = Slots<typename SlotsOfParts<P>::Type> && Waiter<typename P::Waiter> &&
    kv::Clock<typename P::Clock>;

struct CoordinatorOptions {
  size_t slots = 1024;          // that exist at a time; below 2^32
  size_t throughput_hint = 32;  // runs that a worker takes at a time
};

template <CoordinatorParts Parts>
class Coordinator {
 public:
  using Clock = typename Parts::Clock;
  using Slots = typename SlotsOfParts<Parts>::Type;
  using Waiter = typename Parts::Waiter;

  struct Failure {
    Index index;
    absl::Status error;
  };

  explicit Coordinator(CoordinatorOptions options, Clock clock = Clock())
      : throughput_hint_(std::max<size_t>(options.throughput_hint, 1)),
        slots_(options.slots),
        timers_(options.slots),
        clock_(std::move(clock)) {}
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // ---- Slots

  // A slot that is idle; none when all are in use. A lock.
  std::optional<Index> AddSlot() { return slots_.Add(); }

  // The end of the index: it is not handed out from here on, and every call with it is stale.
  // kRunning: a worker is at it still, or has just been given it; one Finish with the index will be
  // answered kStale, and what the worker uses may be freed then, and otherwise now. Whether the
  // slot can be added again before that Finish the slots say. A lock.
  Removal RemoveSlot(Index index) { return slots_.Remove(index); }

  // For observers: it may have changed by now. None: stale.
  std::optional<Phase> PhaseOf(Index index) const { return slots_.PhaseOf(index); }

  // ---- Registrants

  // The slot has something to do.
  Outcome Register(Index index) {
    if (IsRefusing()) [[unlikely]] {
      tally_.Add(Count::kRefused);
      return Outcome::kRefused;
    }
    const Outcome outcome = slots_.Register(index);
    tally_.Add(CountOf(outcome));
    if (outcome == Outcome::kQueued) Notify(1);
    return outcome;
  }

  // Register for each, which is less work for neighbouring slots; how many have become ready.
  size_t RegisterBatch(std::span<const Index> indices) {
    size_t queued = 0;
    for (; !indices.empty(); indices = indices.subspan(std::min(kChunk, indices.size()))) {
      const std::span<const Index> chunk = indices.first(std::min(kChunk, indices.size()));
      if (IsRefusing()) [[unlikely]] {
        tally_.Add(Count::kRefused, chunk.size());
        continue;
      }
      const Outcomes outcomes = slots_.RegisterBatch(chunk);
      for (const Outcome outcome :
           {Outcome::kQueued, Outcome::kMerged, Outcome::kStale, Outcome::kStopped}) {
        if (outcomes[outcome] > 0) tally_.Add(CountOf(outcome), outcomes[outcome]);
      }
      Notify(outcomes[Outcome::kQueued]);
      queued += outcomes[Outcome::kQueued];
    }
    return queued;
  }

  // Takes back what was registered and has not begun to run; whether there was something.
  bool Unregister(Index index) {
    const bool withdrawn = slots_.Unregister(index);
    if (withdrawn) tally_.Add(Count::kWithdrawn);
    return withdrawn;
  }

  // There is capacity for the slot: ends Suspended{Capacity}, also one that is about to begin. Not
  // a registration: of a slot that waits for nothing of the kind it makes nothing run.
  Outcome Resume(Index index) {
    const Outcome outcome = slots_.Resume(index);
    if (outcome == Outcome::kQueued) Notify(1);
    return outcome;
  }

  // ---- Workers

  // Fills `out` from its beginning with indices, each to be run by the caller and given to Finish;
  // how many. Timers that are due fire first. The slots' Take and the fence's Heavy.
  size_t Drain(std::span<Index> out) {
    FireTimers();
    const size_t taken = slots_.Take(out);
    HandOut(taken);
    return taken;
  }

  // The same; appends up to `max_batch`, and allocates only what there is to append.
  size_t Drain(size_t max_batch, std::vector<Index>* out) {
    FireTimers();
    std::array<Index, kChunk> chunk;
    size_t taken = 0;
    size_t count = kChunk;
    while (count == kChunk && taken < max_batch) {
      count = slots_.Take(std::span(chunk).first(std::min(kChunk, max_batch - taken)));
      out->insert(out->end(), chunk.begin(), chunk.begin() + static_cast<ptrdiff_t>(count));
      taken += count;
    }
    HandOut(taken);
    return taken;
  }

  // The end of a run (result.h). kQueued: the slot is ready again; kStale: it was removed, and the
  // caller is the last who used it.
  Outcome Finish(Index index, const Result& result) {
    const auto* completed = std::get_if<Completed>(&result);
    if (completed != nullptr && !completed->ready_hint) [[likely]] {
      const Outcome outcome = slots_.Finish(index, Phase::kIdle);
      return outcome == Outcome::kMerged ? outcome : Ended(outcome);
    }
    if (completed == nullptr && !std::holds_alternative<Yielded>(result)) {
      return FinishOtherwise(index, result);
    }
    // relaxed: a run that ends beside Shutdown may be queued once more.
    const bool goes_on = !shut_down_.load(std::memory_order_relaxed);
    return Ended(slots_.Finish(index, goes_on ? Phase::kReady : Phase::kIdle));
  }

  // Finish(index, Completed{}) for each, which is less work for neighbouring slots. For callers who
  // need not know which of them were removed meanwhile; how many are ready again.
  size_t FinishBatch(std::span<const Index> indices) {
    const Outcomes outcomes = slots_.FinishBatch(indices);
    const size_t queued = outcomes[Outcome::kQueued];
    if (queued > 0) {
      tally_.Add(Count::kRequeued, queued);
      Notify(queued);
    }
    if (outcomes[Outcome::kStale] > 0) tally_.Add(Count::kStale, outcomes[Outcome::kStale]);
    return queued;
  }

  // Returns when there may be something to drain, or at once after Shutdown.
  void Wait() { WaitFor(std::chrono::nanoseconds::max()); }

  // The same; false if nothing came before `longest` was over.
  bool WaitFor(std::chrono::nanoseconds longest) {
    if (!Arm()) return true;
    const std::optional<std::chrono::nanoseconds> timer = UntilTimer();
    if (!timer.has_value() && longest == std::chrono::nanoseconds::max()) {
      waiter_.Wait();
      return true;
    }
    const bool timer_first = timer.has_value() && *timer <= longest;
    return waiter_.WaitFor(timer_first ? *timer : longest) || timer_first;
  }

  // For loops that wait in a way of their own (event_fd.h). True: there is nothing to do, and
  // the waiter is told when there is, until Disarm; UntilTimer is how long to wait at most.
  bool Arm() {
    waiter_.PrepareWait();
    // seq_cst: pairs with the store in Shutdown.
    if (slots_.Empty() && !shut_down_.load(std::memory_order_seq_cst) && !IsTimerDue()) {
      tally_.Add(Count::kParks);
      return true;
    }
    waiter_.CancelWait();
    return false;
  }
  void Disarm() { waiter_.CancelWait(); }

  // Until the next timer is due; none: there is none.
  std::optional<std::chrono::nanoseconds> UntilTimer() const {
    const uint64_t deadline = timers_.NextDeadline();
    if (deadline == Timers::kNever) return std::nullopt;
    const uint64_t now = clock_.MonotonicNanos();
    return std::chrono::nanoseconds(deadline > now ? deadline - now : 0);
  }

  // How many a worker had best ask Drain for: many enough to share the cost of a call, few enough
  // to leave some to others. As it was configured.
  size_t throughput_hint() const { return throughput_hint_; }

  // ---- The end

  // Registrations are refused from here on, and nobody waits any more. What was registered before
  // is drained once; a run that was notified is run again, one that would merely like to is not.
  // Slots that wait for a time or capacity are left waiting. A Register beside this call
  // may be accepted when no worker is left: let registrants end first, or drain once more.
  void Shutdown() {
    // seq_cst: pairs with the load in Arm.
    shut_down_.store(true, std::memory_order_seq_cst);
    waiter_.NotifyAll();
  }

  // acquire: who sees it sees what was registered before.
  bool is_shut_down() const { return shut_down_.load(std::memory_order_acquire); }

  // ---- Observers

  // Not a snapshot; exact when nothing runs beside it. A sum over threads for each.
  Metrics metrics() const { return tally_.All(); }

  // The last run that failed. A lock.
  std::optional<Failure> last_failure() const {
    const std::lock_guard lock(failure_mutex_);
    return last_failure_;
  }

  Waiter& waiter() { return waiter_; }

 private:
  static constexpr size_t kChunk = 64;

  bool IsRefusing() const {
    // relaxed: a Register beside Shutdown is told the one or the other.
    return shut_down_.load(std::memory_order_relaxed);
  }

  // Out of line, both: what a call saves on the stack are stores, and the exchange in Finish would
  // wait for them.
  [[gnu::noinline]] Outcome Ended(Outcome outcome) {
    if (outcome == Outcome::kStale) tally_.Add(Count::kStale);
    if (outcome == Outcome::kQueued) {
      tally_.Add(Count::kRequeued);
      Notify(1);
    }
    return outcome;
  }
  [[gnu::noinline]] Outcome FinishOtherwise(Index index, const Result& result) {
    Note(index, result);
    // relaxed: a run that ends beside Shutdown may be queued once more.
    const Ending ending = EndingOf(result, !shut_down_.load(std::memory_order_relaxed));
    const Outcome outcome = Ended(slots_.Finish(index, ending.next));
    if (outcome == Outcome::kMerged && ending.next == Phase::kAwaitsTime) {
      SetTimer(index, ending.delay);
    }
    return outcome;
  }

  static Count CountOf(Outcome outcome) {
    static constexpr std::array<Count, kOutcomes> kCounts{
        Count::kRegistrations, Count::kDuplicates, Count::kStale, Count::kRefused, Count::kRefused};
    return kCounts[static_cast<size_t>(outcome)];
  }

  // Behind what made slots ready.
  void Notify(size_t slots) {
    if (slots > 0) Wake(waiter_.Notify(slots));
  }
  void Wake(size_t woken) {
    if (woken > 0) tally_.Add(Count::kWakes, woken);
  }

  void HandOut(size_t taken) {
    if (taken > 0) slots_.BeginRuns();
    tally_.Add(taken > 0 ? Count::kDrained : Count::kEmptyDrains, taken > 0 ? taken : 1);
  }

  void Note(Index index, const Result& result) {
    if (const auto* suspended = std::get_if<Suspended>(&result)) {
      tally_.AddSuspension(suspended->reason);
    } else if (const auto* failed = std::get_if<Failed>(&result)) {
      tally_.Add(Count::kFailures);
      const std::lock_guard lock(failure_mutex_);
      last_failure_ = Failure{index, failed->error};
    }
  }

  void SetTimer(Index index, std::chrono::nanoseconds delay) {
    const auto nanos = static_cast<uint64_t>(std::max<int64_t>(delay.count(), 0));
    // Those who sleep until a later deadline, or without one, have to look again.
    if (timers_.Set(index, clock_.MonotonicNanos() + nanos)) Wake(waiter_.NotifyAll());
  }

  bool IsTimerDue() const {
    const uint64_t deadline = timers_.NextDeadline();
    return deadline != Timers::kNever && deadline <= clock_.MonotonicNanos();
  }

  void FireTimers() {
    if (!IsTimerDue()) [[likely]]
      return;
    std::vector<Index> due;
    timers_.PopDue(clock_.MonotonicNanos(), &due);
    size_t fired = 0;
    for (const Index index : due) fired += slots_.Fire(index) == Outcome::kQueued ? 1 : 0;
    if (fired > 0) tally_.Add(Count::kTimerFires, fired);
    Notify(fired);
  }

  const size_t throughput_hint_;
  kv::Atomic<bool> shut_down_{false};
  Slots slots_;
  Waiter waiter_;
  Timers timers_;
  const Clock clock_;
  Tally tally_;
  mutable std::mutex failure_mutex_;
  std::optional<Failure> last_failure_;  // guarded by failure_mutex_
};

}  // namespace coord

#endif  // COORD_COORDINATOR_H_
