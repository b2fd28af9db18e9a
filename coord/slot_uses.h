// SlotUses: a word for each slot with the generation of its use, and with what the bits of
// bitmap_slots.h do not tell: what it waits for, where it is parked; whether it was resumed, while
// it runs; and how its last run ended, for observers.
//
// The words are those of slot_word.h. A phase that is kIdle or kAwaitsSignal says that the bits
// know; a use that is over keeps its generation until the next one begins, and is kFree.
//
// Thread safety: any thread; Begin and End, which alone change a generation, one at a time.
// Complexity: constant; a load, or a read-modify-write.
#ifndef COORD_SLOT_USES_H_
#define COORD_SLOT_USES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "coord/index.h"
#include "coord/slot_word.h"
#include "kv/base/atomic.h"

namespace coord {

class SlotUses {
 public:
  // What became of the end of a run that would wait.
  enum class Waiting : uint8_t { kYes, kResumed, kRemoved };

  explicit SlotUses(size_t slots) : words_(std::make_unique<kv::Atomic<uint64_t>[]>(slots)) {}

  // relaxed: what orders the uses of a slot is its leaf; and what is changed is compared.
  uint64_t Look(uint32_t slot) const { return words_[slot].load(std::memory_order_relaxed); }

  // What registrations and most ends of runs ask, without taking the word apart.
  static bool Is(uint64_t use, Index index) {
    return use >> 32 == index.generation && (use & SlotWord::kPhase) != kFree;
  }
  static bool IsIdle(uint64_t use, Index index) {
    return use == (uint64_t{index.generation} << 32 | kIdle);
  }
  static Phase PhaseOf(uint64_t use) { return static_cast<Phase>(use & SlotWord::kPhase); }
  // Phases of slots that are parked.
  static bool IsWait(Phase phase) {
    return phase == Phase::kAwaitsTime || phase == Phase::kAwaitsCapacity ||
           phase == Phase::kStopped;
  }
  // Of a slot that runs also where it was removed since.
  static uint32_t GenerationOf(uint64_t use) { return static_cast<uint32_t>(use >> 32); }

  Index Begin(uint32_t slot) {
    const SlotWord use{.generation = GenerationOf(Look(slot)) + 1, .phase = Phase::kIdle};
    // relaxed: the leaf is released behind it.
    words_[slot].store(use.Packed(), std::memory_order_relaxed);
    return {slot, use.generation};
  }
  void End(Index index) {
    // relaxed: who has to see it takes the lock, or sees what the leaf releases later.
    words_[index.slot].store(Over(index), std::memory_order_relaxed);
  }
  // Behind End, and before the next Begin.
  bool IsOver(Index index) const { return Look(index.slot) == Over(index); }

  // How a run has ended that waits for nothing; false: there is none that could end so.
  bool Note(Index index, Phase phase) {
    uint64_t bits = Look(index.slot);
    SlotWord use;
    do {
      use = SlotWord::From(bits);
      if (!use.Is(index) || IsWait(use.phase)) return false;
      use.phase = phase;
      use.resumed = false;
      // acquire: pairs with the release in Flag; the release of the leaf passes it on.
    } while (!words_[index.slot].compare_exchange_weak(
        bits, use.Packed(), std::memory_order_acquire, std::memory_order_relaxed));
    return true;
  }

  // The slot has been parked, for `phase`.
  Waiting WaitFor(Index index, Phase phase) {
    uint64_t bits = Look(index.slot);
    SlotWord use;
    bool resumed = false;
    do {
      use = SlotWord::From(bits);
      if (!use.Is(index)) return Waiting::kRemoved;
      resumed = use.resumed && phase == Phase::kAwaitsCapacity;
      use.phase = resumed ? Phase::kIdle : phase;
      use.resumed = false;
      // release: pairs with the acquire in Claim. acquire: with the release in Flag.
    } while (!words_[index.slot].compare_exchange_weak(
        bits, use.Packed(), std::memory_order_acq_rel, std::memory_order_relaxed));
    return resumed ? Waiting::kResumed : Waiting::kYes;
  }

  // Takes a slot that waits from others who would end its wait. `use`: as it was seen, and where
  // this fails as it is now.
  bool Claim(Index index, uint64_t& use) {
    // acquire: pairs with the release in WaitFor; the slot is then seen to be parked.
    return words_[index.slot].compare_exchange_weak(use, uint64_t{index.generation} << 32 | kIdle,
                                                    std::memory_order_acquire,
                                                    std::memory_order_relaxed);
  }

  // The slot does not wait for capacity, but may be about to; `use` as in Claim. A wait for a time
  // is compared, and left as it is.
  bool Flag(Index index, uint64_t& use) {
    SlotWord flagged = SlotWord::From(use);
    flagged.resumed = flagged.phase != Phase::kAwaitsTime;
    // release: pairs with the acquires in Note and WaitFor.
    return words_[index.slot].compare_exchange_weak(
        use, flagged.Packed(), std::memory_order_release, std::memory_order_relaxed);
  }

 private:
  static uint64_t Over(Index index) {
    return SlotWord{.generation = index.generation, .phase = Phase::kFree}.Packed();
  }

  static constexpr auto kFree = static_cast<uint64_t>(Phase::kFree);
  static constexpr auto kIdle = static_cast<uint64_t>(Phase::kIdle);

  const std::unique_ptr<kv::Atomic<uint64_t>[]> words_;
};

}  // namespace coord

#endif  // COORD_SLOT_USES_H_
