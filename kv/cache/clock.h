// A block cache with CLOCK eviction that takes no lock: not on a hit, not on an insert.
//
// A fixed table of sets of 15 slots; a block may lie in any slot of the set its key hashes to. Each
// slot is one cache line and has one atomic word, which says everything about it:
//
//   | 63 ..... 48 | 47 ... 32 | 31 ............... 0 |
//   | state       | warmth    | pins                 |
//
//   kEmpty      nothing here
//   kBusy       one thread fills or empties the slot; only it touches the other fields
//   kVisible    holds a block that lookups may find
//   kErased     holds a block that only handles still use; whoever unpins it last empties it
//
// Invariants:
//   1. The fields beside the word change only while the state is kBusy. A thread gets there by a
//      compare-exchange from kEmpty, or from kVisible or kErased with no pins.
//   2. A thread that added its pin while the state was kVisible may read the fields until it takes
//      the pin back. One that met another state reads nothing and takes the pin back.
//   3. Pins come and go in any state, so states are changed by arithmetic that leaves them alone.
//   4. A block's charge is reserved, within the capacity, before it is stored, and given back after
//      it was freed.
//
// A hit is one scan of the set's tags (one line), one pin (one line) and later one unpin; the first
// three hits of a block also warm it. CLOCK: a hand goes round the slots, cools the warm blocks and
// evicts the cold ones that are not pinned. New blocks start cold, so a scan displaces other cold
// blocks first.
//
// Charge: allocated bytes of the block and of malloc's header. The table (64 bytes for each 2 KiB
// of capacity) is charged at the start. Blocks below 2 KiB on average run out of slots before they
// run out of bytes, and a capacity below 30 KiB has no set and keeps nothing.
//
// Omits: resizing; admission policy; a bound on the sweep when most of the cache is pinned (an
// insert then hands its block back after having looked at every slot five times).
// For: hits on many threads, and loads of all kinds: second best on each trace of hit_ratio_test.cc
// and best where the popular blocks change (58.2 %; S3-FIFO 56.9 %, LRU 56.8 %).
// Not for: data that fits in memory uncompressed (map the file instead).
//
// The idea of pinning by an addition to a per-slot word is that of RocksDB's HyperClockCache.
#ifndef KV_CACHE_CLOCK_H_
#define KV_CACHE_CLOCK_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kv/base/atomic.h"
#include "kv/base/striped_counters.h"
#include "kv/base/thread_stripe.h"
#include "kv/cache/block.h"
#include "kv/cache/concept.h"

namespace kv {

class ClockCache {
  struct Slot;

 public:
  static constexpr std::string_view kName = "clock";
  static constexpr bool kEnabled = true;

  using Handle = BlockHandle<ClockCache, Slot>;

  explicit ClockCache(size_t capacity_bytes)
      : capacity_(capacity_bytes),
        set_count_(capacity_bytes / (kBytesPerSlot * kWays)),
        sets_(set_count_ == 0 ? nullptr : std::make_unique<Set[]>(set_count_)),
        used_(set_count_ * sizeof(Set)) {}

  ClockCache(const ClockCache&) = delete;
  ClockCache& operator=(const ClockCache&) = delete;

  Handle Lookup(uint64_t file, uint64_t offset) {
    Handle found = Find(file, offset);
    counters_.Add(found ? kHits : kMisses);
    return found;
  }

  Handle Insert(uint64_t file, uint64_t offset, std::string block) {
    if (Handle found = Find(file, offset)) return found;
    const size_t charge = BlockCharge(block);
    if (!Reserve(charge)) return Handle(std::move(block));
    const uint64_t hash = HashBlockKey(file, offset);
    Set& set = SetOf(hash);
    const size_t way = ClaimWay(set);
    if (way == kWays) {
      Release(charge);
      return Handle(std::move(block));
    }
    Slot& slot = set.slots[way];
    slot.file = file;
    slot.offset = offset;
    slot.block = std::move(block);
    SetTag(set, way, TagOf(hash));
    // release: publishes the fields above to the acquire of whoever pins the slot. The addition
    // goes from kBusy to kVisible, cold, with this handle's pin, beside pins that come and go.
    slot.word.fetch_add(kVisible - kBusy + kOnePin, std::memory_order_release);
    return Handle(this, &slot);
  }

  // Looks at every slot: for the rare deletion of a file, not for a hot path.
  void EraseFile(uint64_t file) {
    for (size_t i = 0; i < set_count_; ++i) {
      for (size_t way = 0; way < kWays; ++way) {
        Slot& slot = sets_[i].slots[way];
        if (!Pin(slot)) continue;
        if (slot.file == file) {
          // relaxed: changes who may find the block, publishes nothing. Our pin keeps the state
          // from becoming kBusy; another EraseFile may have been faster.
          uint64_t word = slot.word.load(std::memory_order_relaxed);
          while (StateOf(word) == kVisible &&
                 !slot.word.compare_exchange_weak(word, word - kVisible + kErased,
                                                  std::memory_order_relaxed)) {
          }
        }
        Unpin(&slot);
      }
    }
  }

  CacheCounters Counters() const {
    return {.hits = counters_.Sum(kHits), .misses = counters_.Sum(kMisses)};
  }

  // relaxed: a figure; it orders nothing.
  size_t UsedBytes() const { return used_.load(std::memory_order_relaxed); }
  size_t CapacityBytes() const { return capacity_; }

 private:
  friend Handle;

  static constexpr size_t kWays = kModelled ? 2 : 15;
  static constexpr size_t kBytesPerSlot = 2048;

  static constexpr uint64_t kOnePin = 1;
  static constexpr uint64_t kPins = 0xffff'ffff;
  static constexpr uint64_t kOneWarmth = uint64_t{1} << 32;
  static constexpr uint64_t kWarmth = 0xffff * kOneWarmth;
  // A block is as warm as this after three hits. Hits at the same moment may overshoot, each by
  // one, which the 16 bits have room for.
  static constexpr uint64_t kWarmest = 3 * kOneWarmth;
  static constexpr uint64_t kEmpty = 0;
  static constexpr uint64_t kBusy = uint64_t{1} << 48;
  static constexpr uint64_t kVisible = uint64_t{2} << 48;
  static constexpr uint64_t kErased = uint64_t{3} << 48;

  struct alignas(kCacheLineBytes) Slot {
    Atomic<uint64_t> word{kEmpty};
    uint64_t file = 0;
    uint64_t offset = 0;
    std::string block;
  };

  // A tag is 8 bits of the hash, never 0; 0 is a slot without a block. Tags are hints: only the
  // slot itself says what it holds.
  struct alignas(kCacheLineBytes) Set {
    std::array<Atomic<uint64_t>, 2> tags{};
    Atomic<uint32_t> hand{0};  // where the sweep for a free slot in this set goes on
    std::array<Slot, kWays> slots;
  };

  enum Counter : size_t { kHits, kMisses, kCounterCount };

  static uint64_t StateOf(uint64_t word) { return word & ~(kPins | kWarmth); }

  static uint64_t TagOf(uint64_t hash) { return (hash & 0xff) == 0 ? 1 : hash & 0xff; }

  Set& SetOf(uint64_t hash) { return sets_[(hash >> 32) * set_count_ >> 32]; }

  // Adds a pin. True when the block may be read and the pin is the caller's to take back.
  bool Pin(Slot& slot) {
    // relaxed: a first look, so that slots without a block are left alone.
    if (StateOf(slot.word.load(std::memory_order_relaxed)) != kVisible) return false;
    // acquire: pairs with the release in Insert(), so that the fields are there to read.
    const uint64_t before = slot.word.fetch_add(kOnePin, std::memory_order_acquire);
    if (StateOf(before) == kVisible) return true;
    Unpin(&slot);
    return false;
  }

  void Unpin(Slot* slot) {
    // release: pairs with the acquire in Claim(), so that our reads come before its changes.
    const uint64_t before = slot->word.fetch_sub(kOnePin, std::memory_order_release);
    if (StateOf(before) == kErased && (before & kPins) == kOnePin) [[unlikely]] {
      uint64_t word = before - kOnePin;
      if (Claim(*slot, word)) {
        // The tag stays as it is until the slot is filled again; it is a hint.
        FreeBlock(*slot);
        // release: pairs with the acquire in Claim() by whoever fills the slot next.
        slot->word.fetch_sub(kBusy, std::memory_order_release);
      }
    }
  }

  // From `word`, which has no pins unless it is kEmpty, to kBusy.
  static bool Claim(Slot& slot, uint64_t word) {
    const uint64_t busy = kBusy | (word & kPins);
    // acquire: pairs with the releases in Unpin() and wherever kBusy ends.
    return slot.word.compare_exchange_strong(word, busy, std::memory_order_acquire,
                                             std::memory_order_relaxed);
  }

  // The slot is ours (kBusy) and stays so.
  void FreeBlock(Slot& slot) {
    const size_t charge = BlockCharge(slot.block);
    std::string().swap(slot.block);
    Release(charge);
  }

  Handle Find(uint64_t file, uint64_t offset) {
    if (set_count_ == 0) return Handle();
    const uint64_t hash = HashBlockKey(file, offset);
    Set& set = SetOf(hash);
    const uint64_t wanted = TagOf(hash) * kLowestBits;
    for (size_t half = 0; half < set.tags.size(); ++half) {
      // relaxed: hints, see Set.
      uint64_t match = BytesThatAreZero(set.tags[half].load(std::memory_order_relaxed) ^ wanted);
      for (; match != 0; match &= match - 1) {
        Slot& slot = set.slots[half * 8 + static_cast<size_t>(std::countr_zero(match)) / 8];
        if (!Pin(slot)) continue;
        if (slot.file == file && slot.offset == offset) {
          Warm(slot);
          return Handle(this, &slot);
        }
        Unpin(&slot);
      }
    }
    return Handle();
  }

  static constexpr uint64_t kLowestBits = 0x0101'0101'0101'0101;
  static constexpr uint64_t kLowBits = 0x7f7f'7f7f'7f7f'7f7f;

  // The high bit of each byte that is zero, and no other bit: a false one could be that of the
  // 16th tag, which has no slot.
  static uint64_t BytesThatAreZero(uint64_t bytes) {
    return ~(((bytes & kLowBits) + kLowBits) | bytes | kLowBits);
  }

  // relaxed: warmth orders nothing.
  static void Warm(Slot& slot) {
    if ((slot.word.load(std::memory_order_relaxed) & kWarmth) < kWarmest) {
      slot.word.fetch_add(kOneWarmth, std::memory_order_relaxed);
    }
  }

  // The way's slot is ours (kBusy), so nobody else changes its tag.
  static void SetTag(Set& set, size_t way, uint64_t tag) {
    Atomic<uint64_t>& tags = set.tags[way / 8];
    const size_t shift = way % 8 * 8;
    const uint64_t old = (tags.load(std::memory_order_relaxed) >> shift) & 0xff;
    tags.fetch_xor((old ^ tag) << shift, std::memory_order_relaxed);
  }

  // One look of the CLOCK hand: true when the slot was cold and is now ours, without its block.
  bool CoolOrEvict(Slot& slot) {
    uint64_t word = slot.word.load(std::memory_order_relaxed);
    if (StateOf(word) != kVisible || (word & kPins) != 0) return false;
    if ((word & kWarmth) != 0) {
      // A failure means that the block is in use: it stays as warm as it is.
      slot.word.compare_exchange_strong(word, word - kOneWarmth, std::memory_order_relaxed);
      return false;
    }
    if (!Claim(slot, word)) return false;
    FreeBlock(slot);
    return true;
  }

  // A slot of the set that is now ours, or kWays when all of them are pinned.
  size_t ClaimWay(Set& set) {
    for (size_t way = 0; way < kWays; ++way) {
      const uint64_t word = set.slots[way].word.load(std::memory_order_relaxed);
      if (StateOf(word) == kEmpty && Claim(set.slots[way], word)) return way;
    }
    // Enough looks for the warmest block to cool down.
    for (size_t look = 0; look < 5 * kWays; ++look) {
      const size_t way = set.hand.fetch_add(1, std::memory_order_relaxed) % kWays;
      if (CoolOrEvict(set.slots[way])) return way;
    }
    return kWays;
  }

  // Takes `charge` bytes of the capacity, evicting until they are there; false when they cannot be.
  bool Reserve(size_t charge) {
    if (set_count_ == 0 || charge > capacity_ - set_count_ * sizeof(Set)) return false;
    // relaxed: a sum orders nothing.
    size_t used = used_.load(std::memory_order_relaxed);
    for (size_t looks = 0;;) {
      if (charge <= capacity_ - used) {
        if (used_.compare_exchange_weak(used, used + charge, std::memory_order_relaxed)) {
          return true;
        }
        continue;
      }
      // Enough looks for the warmest block to cool down, wherever it is.
      if (looks++ == 5 * kWays * set_count_) return false;
      MoveHand();
      used = used_.load(std::memory_order_relaxed);
    }
  }

  void Release(size_t charge) { used_.fetch_sub(charge, std::memory_order_relaxed); }

  void MoveHand() {
    const size_t at = hand_.fetch_add(1, std::memory_order_relaxed) % (kWays * set_count_);
    Set& set = sets_[at / kWays];
    Slot& slot = set.slots[at % kWays];
    if (!CoolOrEvict(slot)) return;
    SetTag(set, at % kWays, 0);
    // release: pairs with the acquire in Claim() by whoever fills the slot next.
    slot.word.fetch_sub(kBusy, std::memory_order_release);
  }

  const size_t capacity_;
  const size_t set_count_;
  const std::unique_ptr<Set[]> sets_;
  Atomic<size_t> used_;
  Atomic<size_t> hand_{0};
  StripedCounters<Counter, kCounterCount> counters_;
};

static_assert(Cache<ClockCache>);

}  // namespace kv

#endif  // KV_CACHE_CLOCK_H_
