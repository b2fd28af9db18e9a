// Walks over all entries of a hash table and holds keys against a prefix: what counting and
// deleting by range have instead of order.
//
// Thread safety: the tables must stay as they are meanwhile: frozen, or their shards locked.
// Cost: one look at each slot; the entries are fetched ahead, so their misses overlap.
#ifndef ENGINES_MEMORY_HASH_SCAN_H_
#define ENGINES_MEMORY_HASH_SCAN_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engines/memory/entry.h"
#include "engines/memory/hash_table.h"
#include "kv/base/bytes.h"

namespace kv::memory_internal {

// Calls `visit(const Entry&)` with each entry of `tables`, the expired with them.
//
// Slots in use and empty ones come at random, so they are told apart without a branch, which would
// be mispredicted: the words are gathered, then visited with the fetches ahead of them.
template <typename Visit>
[[gnu::always_inline]] inline void ForEachEntry(std::span<const HashTable> tables, Visit&& visit) {
  constexpr size_t kGathered = 128;
  constexpr size_t kStep = 64;
  constexpr size_t kAhead = 32;
  // Behind the words of this turn stand some of the turn before, which it does no harm to fetch.
  std::array<Word, kGathered + kStep + kAhead> words{};
  size_t t = 0;
  size_t begin = 0;  // the slot of tables[t] where the next turn goes on
  while (t < tables.size()) {
    size_t found = 0;
    while (t < tables.size() && found < kGathered) {
      // The processor foresees the slots of a table, but not where the next table is.
      if (begin == 0 && t + 1 < tables.size()) tables[t + 1].PrefetchSlots(kStep);
      const HashTable table = tables[t];
      const size_t end = std::min(begin + kStep, table.capacity());
      for (size_t i = begin; i < end; ++i) {
        const Word word = table.Peek(i);
        words[found] = word;
        found += word > kTombstone ? 1 : 0;  // no batch is under way, so it is not a Pending
      }
      const bool last = end == table.capacity();
      t += last ? 1 : 0;
      begin = last ? 0 : end;
    }
    for (size_t i = 0; i < kAhead; ++i) __builtin_prefetch(EntryOf(words[i]));
    for (size_t i = 0; i < found; ++i) {
      __builtin_prefetch(EntryOf(words[i + kAhead]));
      visit(*EntryOf(words[i]));
    }
  }
}

// A prefix that entries' keys are held against, the first eight bytes in one comparison.
class EntryPrefix {
 public:
  explicit EntryPrefix(std::string_view prefix)
      : prefix_(prefix), head_(std::min(prefix.size(), sizeof(uint64_t))) {
    std::array<char, sizeof(uint64_t)> want{};
    std::array<char, sizeof(uint64_t)> mask{};
    prefix.copy(want.data(), head_);
    std::fill_n(mask.begin(), head_, '\xff');
    want_ = LoadFixed64(want.data());
    mask_ = LoadFixed64(mask.data());
  }

  bool IsOf(const Entry& entry) const {
    const std::string_view key = entry.key();
    const bool head = (((entry.KeyHead() ^ want_) & mask_) == 0) & (key.size() >= prefix_.size());
    if (prefix_.size() <= head_) return head;
    return head && key.substr(head_).starts_with(prefix_.substr(head_));
  }

 private:
  std::string_view prefix_;
  size_t head_;
  uint64_t want_;
  uint64_t mask_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_HASH_SCAN_H_
