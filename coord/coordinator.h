// Coordinator: which of N things are ready, each at most once, handed out in batches to workers.
//
//   struct Parts {
//     using ReadyQueue = BitmapQueue;   // or LockedQueue
//     using Waiter = Park;              // or SpinThenPark<>, EventFd
//     using Fence = SymmetricFence;     // or AsymmetricFence
//     using Clock = kv::SystemClock;
//   };
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
//   3. An index whose slot was removed is stale: it changes nothing, whoever has the slot now.
//   4. A Drain hands out work if there is any that was registered before the call: entries of
//      slots that were withdrawn or removed do not count towards its batch.
//   5. Nobody sleeps in Wait while there is work for one who is awake to take, a timer is due, or
//      after Shutdown.
//   6. After s was registered at most BypassBound runs of slots registered later come first
//      (ready_queue_concept.h).
//
// Thread safety: all functions from any thread. Those of one slot's run are of the worker to whom
// Drain gave it: the one Finish.
// Complexity: named with each function; "a queue's push" is as its header has it. A push also costs
// a load, and where a worker sleeps, its waking (some microseconds).
// Omits: growth beyond the number of slots it was made for; priorities.
#ifndef COORD_COORDINATOR_H_
#define COORD_COORDINATOR_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
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
#include "coord/ready_queue_concept.h"
#include "coord/result.h"
#include "coord/slot_states.h"
#include "coord/timers.h"
#include "coord/waiter_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/clock.h"

namespace coord {

template <typename P>
concept CoordinatorParts = ReadyQueue<typename P::ReadyQueue> && Waiter<typename P::Waiter> &&
    Fence<typename P::Fence> && kv::Clock<typename P::Clock>;

struct CoordinatorOptions {
  size_t slots = 1024;          // that exist at a time; below 2^32
  size_t throughput_hint = 32;  // runs that a worker takes at a time
};

template <CoordinatorParts Parts>
class Coordinator {
 public:
  using Clock = typename Parts::Clock;
  using Waiter = typename Parts::Waiter;

  struct Failure {
    Index index;
    absl::Status error;
  };

  explicit Coordinator(CoordinatorOptions options, Clock clock = Clock())
      : throughput_hint_(std::max<size_t>(options.throughput_hint, 1)),
        states_(options.slots),
        queue_(options.slots),
        timers_(options.slots),
        clock_(std::move(clock)) {
    for (size_t slot = options.slots; slot > 0; --slot) {
      free_.push_back(static_cast<uint32_t>(slot - 1));
    }
  }
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // ---- Slots

  // A slot that is idle; none when all are in use. A lock.
  std::optional<Index> AddSlot() {
    uint32_t slot = 0;
    {
      const std::lock_guard lock(free_mutex_);
      if (free_.empty()) return std::nullopt;
      slot = free_.back();
      free_.pop_back();
    }
    return states_.Add(slot);
  }

  // The end of the index: it is not handed out from here on, and every call with it is stale.
  // kRunning: a worker is at it still, whose Finish will be answered kStale; what that worker uses
  // may be freed then, and otherwise now. A lock.
  SlotStates::Removal RemoveSlot(Index index) {
    const SlotStates::Removal removal = states_.Remove(index);
    // A slot whose generations are used up is not used again.
    if (removal != SlotStates::Removal::kStale &&
        index.generation != std::numeric_limits<uint32_t>::max()) {
      const std::lock_guard lock(free_mutex_);
      free_.push_back(index.slot);
    }
    return removal;
  }

  // For observers: it may have changed by now. None: stale.
  std::optional<Phase> PhaseOf(Index index) const { return states_.PhaseOf(index); }

  // ---- Registrants

  // The slot has something to do. A read-modify-write and a queue's push; of a slot that is queued
  // already, the fence's LoadAfterStores and nothing else.
  Outcome Register(Index index) {
    const SlotStates::Answer answer = Admit(index);
    if (answer.push) Push(index.slot);
    return answer.outcome;
  }

  // Register for each, with one push for all; how many have become ready.
  size_t RegisterBatch(std::span<const Index> indices) {
    size_t queued = 0;
    std::array<uint32_t, kChunk> slots;
    for (; !indices.empty(); indices = indices.subspan(std::min(kChunk, indices.size()))) {
      size_t count = 0;
      for (const Index index : indices.first(std::min(kChunk, indices.size()))) {
        const SlotStates::Answer answer = Admit(index);
        if (answer.outcome == Outcome::kQueued) ++queued;
        if (answer.push) slots[count++] = index.slot;
      }
      PushAll(std::span(slots).first(count));
    }
    return queued;
  }

  // Takes back what was registered and has not begun to run; whether there was something.
  // A read-modify-write.
  bool Unregister(Index index) {
    const bool withdrawn = states_.Unregister(index);
    if (withdrawn) tally_.Add(Count::kWithdrawn);
    return withdrawn;
  }

  // There is capacity for the slot: ends Suspended{Capacity}, also one that is about to begin. Not
  // a registration: of a slot that waits for nothing of the kind it makes nothing run. As Register.
  Outcome Resume(Index index) {
    const SlotStates::Answer answer = states_.Resume(index);
    if (answer.push) Push(index.slot);
    return answer.outcome;
  }

  // ---- Workers

  // Appends up to `max_batch` indices to `out`, each to be run by the caller and given to Finish;
  // how many. Timers that are due fire first. A read-modify-write a slot, a queue's Pop and the
  // fence's Heavy a call.
  size_t Drain(size_t max_batch, std::vector<Index>* out) {
    FireTimers();
    std::array<uint32_t, kChunk> popped;
    size_t taken = 0;
    while (taken < max_batch) {
      const size_t count = queue_.Pop(std::span(popped).first(std::min(kChunk, max_batch - taken)));
      if (count == 0) break;
      for (const uint32_t slot : std::span(popped).first(count)) {
        const std::optional<Index> index = states_.Take(slot);
        if (!index.has_value()) continue;
        out->push_back(*index);
        ++taken;
      }
    }
    if (taken > 0) fence_.Heavy();
    tally_.Add(taken > 0 ? Count::kDrained : Count::kEmptyDrains, taken > 0 ? taken : 1);
    return taken;
  }

  // The end of a run (result.h). kQueued: the slot is ready again; kStale: it was removed, and the
  // caller is the last who used it. A read-modify-write, and a queue's push or a timer where the
  // result wants one.
  Outcome Finish(Index index, const Result& result) {
    Note(index, result);
    // relaxed: a run that ends beside Shutdown may be queued once more.
    const Ending ending = EndingOf(result, !shut_down_.load(std::memory_order_relaxed));
    const SlotStates::Answer answer = states_.Finish(index, ending.next);
    if (answer.outcome == Outcome::kQueued) tally_.Add(Count::kRequeued);
    if (answer.outcome == Outcome::kStale) tally_.Add(Count::kStale);
    if (answer.push) Push(index.slot);
    if (answer.outcome == Outcome::kMerged && ending.next == Phase::kAwaitsTime) {
      SetTimer(index, ending.delay);
    }
    return answer.outcome;
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
    if (queue_.Empty() && !shut_down_.load(std::memory_order_seq_cst) && !IsTimerDue()) {
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

  SlotStates::Answer Admit(Index index) {
    // relaxed: a Register beside Shutdown is told the one or the other.
    if (shut_down_.load(std::memory_order_relaxed)) [[unlikely]] {
      tally_.Add(Count::kRefused);
      return {Outcome::kRefused, false};
    }
    const SlotStates::Answer answer = states_.Register(index, fence_);
    tally_.Add(CountOf(answer.outcome));
    return answer;
  }

  static Count CountOf(Outcome outcome) {
    switch (outcome) {
      case Outcome::kQueued:
        return Count::kRegistrations;
      case Outcome::kMerged:
        return Count::kDuplicates;
      case Outcome::kStale:
        return Count::kStale;
      case Outcome::kStopped:
      case Outcome::kRefused:
        break;
    }
    return Count::kRefused;
  }

  void Push(uint32_t slot) {
    queue_.Push(slot);
    Wake(waiter_.Notify(1));
  }
  void PushAll(std::span<const uint32_t> slots) {
    if (slots.empty()) return;
    queue_.PushBatch(slots);
    Wake(waiter_.Notify(slots.size()));
  }
  void Wake(size_t woken) {
    if (woken > 0) tally_.Add(Count::kWakes, woken);
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
    std::vector<uint32_t> slots;
    for (const Index index : due) {
      const SlotStates::Answer answer = states_.Fire(index);
      if (answer.outcome == Outcome::kQueued) tally_.Add(Count::kTimerFires);
      if (answer.push) slots.push_back(index.slot);
    }
    PushAll(slots);
  }

  const size_t throughput_hint_;
  kv::Atomic<bool> shut_down_{false};
  SlotStates states_;
  typename Parts::Fence fence_;
  typename Parts::ReadyQueue queue_;
  Waiter waiter_;
  Timers timers_;
  const Clock clock_;
  Tally tally_;
  std::mutex free_mutex_;
  std::vector<uint32_t> free_;  // guarded by free_mutex_
  mutable std::mutex failure_mutex_;
  std::optional<Failure> last_failure_;  // guarded by failure_mutex_
};

}  // namespace coord

#endif  // COORD_COORDINATOR_H_
