// SlotStates: what each slot is doing, in one atomic word a slot, generation and phase together.
//
// The phases and what leads from one to another: slots_concept.h.
//
// Beside its phase a slot has an entry in the ready queue or none. States know no queue: they say
// when to push, and are told by Take of what was popped.
//
// Invariants:
//   1. A slot has at most one entry: who turns it on, which one thread does, pushes it; Take alone
//      turns it off. A slot that is withdrawn or removed keeps its entry until that is popped, and
//      where it becomes ready meanwhile, by whatever generation, that entry serves.
//   2. A slot of a generation is run by one thread at a time: Take is the only way into Running.
//   3. A registration that is answered kQueued or kMerged is followed by a run, which sees what the
//      registrant wrote before (fence_concept.h says how much of it), unless the slot is
//      unregistered, removed or stopped first. For the slot is then in a phase that leads out by
//      Take alone (Ready), or only by way of it.
//   4. Of a generation that is over nothing can be changed: every change compares the whole word.
//   5. The runs of a slot follow one another: each sees what the one before did. Remove sees what
//      all runs did that are over.
//
// Thread safety: all functions from any thread. Lock-free: a call is repeated only where another
// thread has changed the same slot. Complexity: one read-modify-write, or as the fence has it.
#ifndef COORD_SLOT_STATES_H_
#define COORD_SLOT_STATES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "coord/fence_concept.h"
#include "coord/index.h"
#include "coord/outcome.h"
#include "coord/slot_word.h"
#include "kv/base/atomic.h"

namespace coord {

class SlotStates {
 public:
  struct Answer {
    Outcome outcome = Outcome::kStale;
    bool push = false;  // the caller pushes the slot
  };
  using Removal = coord::Removal;

  explicit SlotStates(size_t slots)
      : slots_(slots), words_(std::make_unique<kv::Atomic<uint64_t>[]>(slots)) {
    // relaxed: whoever constructs a thing hands it to others.
    for (size_t i = 0; i < slots; ++i) {
      words_[i].store(SlotWord{.generation = 1}.Packed(), std::memory_order_relaxed);
    }
  }

  size_t size() const { return slots_; }

  // Begins a use of a free slot, which the caller alone has.
  Index Add(uint32_t slot) {
    uint64_t bits = words_[slot].load(std::memory_order_relaxed);
    for (;;) {
      SlotWord word = SlotWord::From(bits);
      word.phase = Phase::kIdle;
      // relaxed: continues the release sequences of Finish and Remove, and adds nothing of its own:
      // who gives the index to others gives them what was done before.
      if (words_[slot].compare_exchange_weak(bits, word.Packed(), std::memory_order_relaxed)) {
        return {slot, word.generation};
      }
    }
  }

  // Ends the use. kRunning: its run is not over; the Finish of that will be answered kStale.
  Removal Remove(Index index) {
    if (!Exists(index)) return Removal::kStale;
    uint64_t bits = Look(index);
    for (;;) {
      SlotWord word = SlotWord::From(bits);
      if (!word.Is(index)) return Removal::kStale;
      const bool running = word.phase == Phase::kRunning;
      // acquire: what runs did that are over. release: pairs with the look of a Finish that is too
      // late, whose caller may free what the slot had.
      if (words_[index.slot].compare_exchange_weak(
              bits, word.Next().Packed(), std::memory_order_acq_rel, std::memory_order_relaxed)) {
        return running ? Removal::kRunning : Removal::kIdle;
      }
    }
  }

  template <Fence F>
  Answer Register(Index index, F& fence) {
    if (!Exists(index)) [[unlikely]]
      return {};
    kv::Atomic<uint64_t>& at = words_[index.slot];
    uint64_t bits = Look(index);
    for (;;) {
      if (WillRun(bits, index)) {
        bits = fence.LoadAfterStores(at);
        if (WillRun(bits, index)) return {Outcome::kMerged, false};
        continue;
      }
      SlotWord word = SlotWord::From(bits);
      if (!word.Is(index)) return {};
      if (word.phase == Phase::kStopped) return {Outcome::kStopped, false};
      Answer answer{Outcome::kMerged, false};
      if (word.phase == Phase::kRunning) {
        word.notified = true;
      } else {
        answer = MakeReady(word);
      }
      // release: pairs with the acquire of Take.
      if (at.compare_exchange_weak(bits, word.Packed(), std::memory_order_release,
                                   std::memory_order_relaxed)) {
        return answer;
      }
    }
  }

  // Takes back what was registered and has not begun to run; whether there was something. A slot
  // that waits for a time or capacity goes on waiting.
  bool Unregister(Index index) {
    if (!Exists(index)) return false;
    uint64_t bits = Look(index);
    for (;;) {
      SlotWord word = SlotWord::From(bits);
      if (!word.Is(index)) return false;
      if (word.phase == Phase::kReady) {
        word.phase = Phase::kIdle;
      } else if (word.phase == Phase::kRunning && word.notified) {
        word.notified = false;
      } else {
        return false;
      }
      // relaxed: what others wrote for the run that is not to be stays with its release sequence.
      if (words_[index.slot].compare_exchange_weak(bits, word.Packed(),
                                                   std::memory_order_relaxed)) {
        return true;
      }
    }
  }

  // Of a slot that was popped: the run to begin, or nothing where it was withdrawn.
  std::optional<Index> Take(uint32_t slot) {
    kv::Atomic<uint64_t>& at = words_[slot];
    // relaxed: the exchange below sees the newest.
    uint64_t bits = at.load(std::memory_order_relaxed);
    for (;;) {
      SlotWord word = SlotWord::From(bits);
      const bool runs = word.phase == Phase::kReady;
      word.entry = false;
      if (runs) word.phase = Phase::kRunning;
      // acquire: pairs with the releases of Register, Resume, Fire and Finish, and with those of
      // the registrations that the fence made known.
      if (at.compare_exchange_weak(bits, word.Packed(), std::memory_order_acquire,
                                   std::memory_order_relaxed)) {
        return runs ? std::optional(Index{slot, word.generation}) : std::nullopt;
      }
    }
  }

  // The end of a run. `next`: kReady, kIdle, kAwaitsSignal, kAwaitsTime, kAwaitsCapacity, kStopped.
  // kQueued: it is ready again; kMerged: it is in `next`.
  Answer Finish(Index index, Phase next) {
    if (!Exists(index)) return {};
    // acquire, here and where the exchange fails: pairs with the release of Remove, for a caller
    // who is too late.
    uint64_t bits = words_[index.slot].load(std::memory_order_acquire);
    for (;;) {
      SlotWord word = SlotWord::From(bits);
      if (!word.Is(index) || word.phase != Phase::kRunning) return {};
      const bool again = next == Phase::kReady || (word.notified && CanBeSignalled(next)) ||
                         (word.resumed && next == Phase::kAwaitsCapacity);
      word.notified = word.resumed = false;
      word.phase = next;
      const Answer answer = again ? MakeReady(word) : Answer{Outcome::kMerged, false};
      // release: pairs with the acquire of the next Take, or of Remove.
      if (words_[index.slot].compare_exchange_weak(bits, word.Packed(), std::memory_order_release,
                                                   std::memory_order_acquire)) {
        return answer;
      }
    }
  }

  // The time has come that the slot waits for.
  Answer Fire(Index index) { return ResumeFrom(Phase::kAwaitsTime, index); }

  // There is capacity for the slot: it runs, if it waits for it or is about to; and if it does not,
  // its next run sees what the caller did before.
  Answer Resume(Index index) { return ResumeFrom(Phase::kAwaitsCapacity, index); }

  // For observers; it may have changed by now.
  std::optional<Phase> PhaseOf(Index index) const {
    if (!Exists(index)) return std::nullopt;
    const SlotWord word = SlotWord::From(Look(index));
    if (!word.Is(index)) return std::nullopt;
    return word.phase;
  }

 private:
  bool Exists(Index index) const { return index.slot < slots_; }

  // relaxed: what matters is ordered by the exchange behind it.
  uint64_t Look(Index index) const { return words_[index.slot].load(std::memory_order_relaxed); }

  // Phases in which a registration is all that a slot needs to run.
  static bool CanBeSignalled(Phase phase) {
    return phase == Phase::kIdle || phase == Phase::kAwaitsSignal;
  }

  static Answer MakeReady(SlotWord& word) {
    const bool push = !word.entry;
    word.phase = Phase::kReady;
    word.entry = true;
    return {Outcome::kQueued, push};
  }

  Answer ResumeFrom(Phase awaited, Index index) {
    if (!Exists(index)) return {};
    uint64_t bits = Look(index);
    for (;;) {
      SlotWord word = SlotWord::From(bits);
      if (!word.Is(index)) return {};
      if (word.phase == Phase::kStopped) return {Outcome::kStopped, false};
      Answer answer{Outcome::kMerged, false};
      if (word.phase == awaited) {
        answer = MakeReady(word);
      } else if (word.phase == Phase::kRunning && awaited == Phase::kAwaitsCapacity) {
        word.resumed = true;
      }
      // release: pairs with the acquire of Take, even where the word stays as it is.
      if (words_[index.slot].compare_exchange_weak(bits, word.Packed(), std::memory_order_release,
                                                   std::memory_order_relaxed)) {
        return answer;
      }
    }
  }

  const size_t slots_;
  const std::unique_ptr<kv::Atomic<uint64_t>[]> words_;
};

}  // namespace coord

#endif  // COORD_SLOT_STATES_H_
