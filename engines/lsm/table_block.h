// A data block, its directory, and the searches in them.
//
// A block is nothing but entries:
//
//   entry         varint shared | varint unshared | varint value bytes | varint tag |
//                 u64 expires_at, only if the tag says so | unshared bytes of key | value
//                 tag = sequence << 2 | expires << 1 | KindBit. They are in internal order.
//                 Every 16th entry is a restart: it has its whole key, and the 15 after it share
//                 their first bytes with it (not with their neighbour), so that any entry is read
//                 from two places and going backwards costs what going forwards does.
//                 `shared` is the whole common prefix of the two keys.
//
// What finds an entry is its directory. The directories of all blocks lie side by side in another
// part of the file, and are never compressed: they are 3.5 bytes an entry, so they stay in the
// processor's caches where blocks do not, and a Get waits for memory once, at the entry.
//
//   +---+--------+--------------+---------+-------+
//   | n | prefix | fingerprints | offsets | heads |
//   +---+--------+--------------+---------+-------+
//
//   n, prefix     u32 each: entries (at least 1); the first bytes that all keys have in common
//   fingerprints  n bytes: BlockFingerprint(HashKey(key)) of each entry
//   offsets       n of u16, or of u32 for a block above 64 KiB: where entries begin
//   heads         for each restart, u64: KeyHead of its key after `prefix` bytes
//
// Fingerprints and offsets are filled up with zeros to a multiple of 8 bytes. A Get asks the
// fingerprints; a Seek asks the heads, then halves within 16 entries.
//
// Bounds: bytes that a checksum vouches for may still be malformed (a bug, a fuzzer). Every entry
// is checked when it is decoded, so nothing outside the bytes given is read; the answers are then
// unspecified, or the operation says that the block is malformed.
//
// Not for: random reads of compressed blocks without a cache; each decompresses a whole block.
// Thread safety: a view of immutable bytes.
#ifndef ENGINES_LSM_TABLE_BLOCK_H_
#define ENGINES_LSM_TABLE_BLOCK_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engines/lsm/block_entry.h"
#include "kv/base/bytes.h"
#include "kv/contract/record.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace kv {

inline constexpr size_t kBlockRestartInterval = 16;

// Of HashKey(key). Not the bits that choose a filter's block.
inline uint8_t BlockFingerprint(uint64_t key_hash) { return static_cast<uint8_t>(key_hash); }

inline size_t BlockRestarts(size_t entries) {
  return (entries + kBlockRestartInterval - 1) / kBlockRestartInterval;
}

// A larger block has offsets of 32 bits.
inline constexpr size_t kMaxNarrowBlockBytes = size_t{64} << 10;

inline constexpr size_t RoundUpTo8(size_t bytes) { return (bytes + 7) / 8 * 8; }

inline size_t BlockDirectoryBytes(size_t entries, size_t block_bytes) {
  const bool wide = block_bytes > kMaxNarrowBlockBytes;
  return 2 * sizeof(uint32_t) + RoundUpTo8(entries) +
         RoundUpTo8(entries * (wide ? sizeof(uint32_t) : sizeof(uint16_t))) +
         BlockRestarts(entries) * sizeof(uint64_t);
}

// Where a block's bytes are.
struct BlockBytes {
  std::string_view contents;
  std::string_view directory;
};

class BlockView {
 public:
  enum class Outcome : uint8_t { kAbsent, kFound, kMalformed };

  BlockView() = default;

  // False when `bytes` cannot be a block and its directory.
  static bool Parse(const BlockBytes& bytes, BlockView* view) {
    constexpr size_t kCounts = 2 * sizeof(uint32_t);
    if (bytes.directory.size() < kCounts || bytes.contents.size() > UINT32_MAX) return false;
    const char* const directory = bytes.directory.data();
    const size_t entries = LoadFixed32(directory);
    if (entries == 0 ||
        BlockDirectoryBytes(entries, bytes.contents.size()) != bytes.directory.size()) {
      return false;
    }
    view->begin_ = bytes.contents.data();
    view->entries_bytes_ = static_cast<uint32_t>(bytes.contents.size());
    view->entries_ = static_cast<uint32_t>(entries);
    view->prefix_ = LoadFixed32(directory + sizeof(uint32_t));
    view->wide_ = bytes.contents.size() > kMaxNarrowBlockBytes;
    view->fingerprints_ = directory + kCounts;
    view->offsets_ = view->fingerprints_ + RoundUpTo8(entries);
    view->heads_ = directory + bytes.directory.size() - BlockRestarts(entries) * sizeof(uint64_t);
    return true;
  }

  size_t entries() const { return entries_; }
  size_t prefix_bytes() const { return prefix_; }
  uint64_t head(size_t restart) const { return LoadFixed64(heads_ + restart * sizeof(uint64_t)); }
  const char* end() const { return begin_ + entries_bytes_; }
  uint8_t fingerprint(size_t entry) const { return static_cast<uint8_t>(fingerprints_[entry]); }
  // Whether what only fills up the directory is zeros, as it is in a well-formed one.
  bool PaddingIsZero() const {
    const char* const offsets_end =
        offsets_ + entries_ * (wide_ ? sizeof(uint32_t) : sizeof(uint16_t));
    return std::all_of(fingerprints_ + entries_, offsets_, [](char c) { return c == 0; }) &&
           std::all_of(offsets_end, heads_, [](char c) { return c == 0; });
  }

  // Whether `at` is where the block ends, and where entry `index` begins.
  bool AtEnd(const char* at) const { return at == end(); }
  bool Begins(size_t index, const char* at) const { return at == begin_ + Offset(index); }

  // Decodes the entry at `from`; false when it does not lie within the entries.
  bool Decode(const char* from, BlockEntry* entry) const {
    const char* const end = this->end();
    if (end - from >= kHeaderWords && (LoadFixed32(from) & 0x808080) == 0) [[likely]] {
      const uint32_t sizes = LoadFixed32(from);
      entry->shared = sizes & 0x7f;
      entry->unshared = sizes >> 8 & 0x7f;
      entry->value_bytes = sizes >> 16 & 0x7f;
      from = LoadTag(from + 3, end, &entry->tag);
    } else {
      from = DecodeSizes(from, end, entry);
      if (from == nullptr) [[unlikely]]
        return false;
      from =
          end - from >= 8 ? LoadTag(from, end, &entry->tag) : LoadVarint64(from, end, &entry->tag);
    }
    if (from == nullptr) [[unlikely]]
      return false;
    entry->expires_at = kNeverExpires;
    if (entry->tag & kBlockTagExpires) {
      if (end - from < 8) [[unlikely]]
        return false;
      entry->expires_at = LoadFixed64(from);
      from += sizeof(uint64_t);
    }
    entry->suffix = from;
    const uint64_t room = static_cast<uint64_t>(end - from);
    if (entry->value_bytes > room || entry->unshared > room - entry->value_bytes) [[unlikely]] {
      return false;
    }
    entry->value = from + entry->unshared;
    return true;
  }

  bool DecodeAt(size_t index, BlockEntry* entry) const {
    const size_t offset = Offset(index);
    return offset < entries_bytes_ && Decode(begin_ + offset, entry);
  }

  // The newest version of `key` in this block with sequence <= `at`. `*found` gets all but the key.
  Outcome Find(std::string_view key, uint8_t fingerprint, Sequence at, Record* found) const {
    for (size_t base = 0; base < entries_; base += kMatchWidth) {
      for (uint64_t matches = Matches(base, fingerprint); matches != 0; matches &= matches - 1) {
        const size_t index = base + static_cast<size_t>(std::countr_zero(matches));
        // The entry, its restart and its value are three lines to wait for: wait once.
        __builtin_prefetch(begin_ + Offset(index / kBlockRestartInterval * kBlockRestartInterval));
        __builtin_prefetch(begin_ + Offset(index) + 64);
        BlockEntry entry;
        if (!DecodeAt(index, &entry)) [[unlikely]]
          return Outcome::kMalformed;
        if (entry.shared + entry.unshared != key.size() || entry.shared > key.size() ||
            std::memcmp(key.data() + entry.shared, entry.suffix, entry.unshared) != 0) {
          continue;
        }
        if (entry.shared != 0) {
          std::string_view restart;
          if (!RestartKey(index / kBlockRestartInterval, &restart) || restart.size() < entry.shared)
              [[unlikely]] {
            return Outcome::kMalformed;
          }
          if (std::memcmp(key.data(), restart.data(), entry.shared) != 0) continue;
        }
        if (entry.sequence() > at) continue;
        entry.FillExceptKey(found);
        return Outcome::kFound;
      }
    }
    return Outcome::kAbsent;
  }

  // Starts loading the lines that Find() waits for. Changes no answer, and may be asked of a block
  // whose checksum has not been looked at.
  void PrefetchEntry(uint8_t fingerprint) const {
    const uint64_t matches = Matches(0, fingerprint);
    if (matches == 0) return;
    const auto index = static_cast<size_t>(std::countr_zero(matches));
    PrefetchAt(Offset(index / kBlockRestartInterval * kBlockRestartInterval));
    PrefetchAt(Offset(index));
    PrefetchAt(Offset(index) + 64);
  }

  // Sets `*index` to the first entry at or after (key, sequence), entries() if there is none.
  // False when the block is malformed.
  bool LowerBound(std::string_view key, Sequence sequence, size_t* index) const {
    std::string_view restart;
    if (!RestartKey(0, &restart) || restart.size() < prefix_) return false;
    const int order = key.substr(0, prefix_).compare(restart.substr(0, prefix_));
    if (order != 0) {
      *index = order < 0 ? 0 : entries_;
      return true;
    }
    // Restarts below `first` are before the key by their heads; those from `last` on after it.
    const uint64_t head = KeyHead(key.substr(prefix_));
    const size_t restarts = BlockRestarts(entries_);
    size_t first = CountHeads(restarts, [head](uint64_t other) { return other < head; });
    size_t last = first;
    while (last < restarts && this->head(last) == head) {
      BlockEntry entry;
      if (!DecodeAt(last * kBlockRestartInterval, &entry) || entry.shared != 0) return false;
      if (CompareInternal({entry.suffix, entry.unshared}, entry.sequence(), key, sequence) >= 0) {
        break;
      }
      ++last;
    }
    // The answer is in the interval of the last restart before the key, or is the next restart.
    if (last == 0) {
      *index = 0;
      return true;
    }
    return LowerBoundInInterval(last - 1, key, sequence, index);
  }

  // Sets `*order` as CompareInternal(the entry, (key, sequence)). False when it is malformed.
  bool Compare(size_t index, std::string_view key, Sequence sequence, int* order) const {
    BlockEntry entry;
    std::string_view restart;
    if (!DecodeAt(index, &entry) || !RestartKey(index / kBlockRestartInterval, &restart) ||
        entry.shared > restart.size()) {
      return false;
    }
    *order = restart.substr(0, entry.shared).compare(key.substr(0, entry.shared));
    if (*order == 0) {
      *order = CompareInternal({entry.suffix, entry.unshared}, entry.sequence(),
                               key.substr(entry.shared), sequence);
    }
    return true;
  }

  bool RestartKey(size_t restart, std::string_view* key) const {
    BlockEntry entry;
    if (!DecodeAt(restart * kBlockRestartInterval, &entry) || entry.shared != 0) return false;
    *key = std::string_view(entry.suffix, entry.unshared);
    return true;
  }

 private:
  // What the fast path of Decode() loads, whatever the entry's size: three sizes and 8 bytes.
  static constexpr ptrdiff_t kHeaderWords = 3 + sizeof(uint64_t);

  size_t Offset(size_t index) const {
    if (wide_) [[unlikely]]
      return LoadFixed32(offsets_ + index * sizeof(uint32_t));
    uint16_t offset;
    std::memcpy(&offset, offsets_ + index * sizeof offset, sizeof offset);
    return offset;
  }

  // As an integer, because a damaged offset makes no pointer into the block.
  void PrefetchAt(size_t offset) const {
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(begin_) + offset));
  }

  static const char* DecodeSizes(const char* from, const char* end, BlockEntry* entry) {
    uint64_t shared;
    uint64_t unshared;
    from = LoadVarint64(from, end, &shared);
    if (from == nullptr) return nullptr;
    from = LoadVarint64(from, end, &unshared);
    if (from == nullptr || (shared | unshared) > UINT32_MAX) return nullptr;
    entry->shared = static_cast<uint32_t>(shared);
    entry->unshared = static_cast<uint32_t>(unshared);
    return LoadVarint64(from, end, &entry->value_bytes);
  }

  // Varints of up to 8 bytes without a branch for each byte: sequence numbers take 3-5. Loads 8
  // bytes.
  static const char* LoadTag(const char* from, const char* end, uint64_t* tag) {
    const uint64_t word = LoadFixed64(from);
    const uint64_t stops = ~word & 0x8080808080808080;
    if ((word & 0x80) == 0) {
      *tag = word & 0x7f;
      return from + 1;
    }
    if (stops == 0) [[unlikely]]
      return LoadVarint64(from, end, tag);
    // The bits up to and with the first stop bit, and of them the 7 value bits of each byte.
    uint64_t bits = word & (stops ^ (stops - 1)) & 0x7f7f7f7f7f7f7f7f;
    bits = (bits & 0x007f007f007f007f) | (bits & 0x7f007f007f007f00) >> 1;
    bits = (bits & 0x00003fff00003fff) | (bits & 0x3fff00003fff0000) >> 2;
    *tag = (bits & 0x000000000fffffff) | (bits & 0x0fffffff00000000) >> 4;
    return from + static_cast<size_t>(std::countr_zero(stops)) / 8 + 1;
  }

  static constexpr size_t kMatchWidth = 64;

  // Bit i: entry `base` + i has the fingerprint. One mask for all entries of a usual block, because
  // a loop over narrower ones would leave where it ends to the branch predictor.
  uint64_t Matches(size_t base, uint8_t fingerprint) const {
    const char* const from = fingerprints_ + base;
    uint64_t equal = 0;
    size_t i = 0;
#if defined(__SSE2__)
    // What follows the fingerprints belongs to the directory too, and there are at least 8 bytes of
    // offsets, so whole groups of 16 may be loaded. Only `entries_` of the bits count.
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(fingerprint));
    const auto match = [&](size_t at) {
      const __m128i group = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
      const int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(group, wanted));
      return static_cast<uint64_t>(static_cast<uint32_t>(mask)) << at;
    };
    if (heads_ - from >= static_cast<ptrdiff_t>(kMatchWidth)) [[likely]] {
      equal = match(0) | match(16) | match(32) | match(48);
    } else {
      for (; base + i < entries_; i += 16) equal |= match(i);
    }
#else
    for (; i < kMatchWidth && base + i < entries_; ++i) {
      equal |= static_cast<uint64_t>(static_cast<uint8_t>(from[i]) == fingerprint) << i;
    }
#endif
    const size_t left = entries_ - base;
    return left >= kMatchWidth ? equal : equal & ((uint64_t{1} << left) - 1);
  }

  // How many heads come before the first that fails `before`, which holds for a prefix of them.
  template <typename Before>
  size_t CountHeads(size_t restarts, Before before) const {
    size_t low = 0;
    size_t high = restarts;
    while (high - low > 8) {
      const size_t middle = low + (high - low) / 2;
      (before(head(middle)) ? low : high) = middle;
    }
    while (low < high && before(head(low))) ++low;
    return low;
  }

  bool LowerBoundInInterval(size_t restart, std::string_view key, Sequence sequence,
                            size_t* index) const {
    size_t low = restart * kBlockRestartInterval;
    size_t high = low + kBlockRestartInterval < entries_ ? low + kBlockRestartInterval : entries_;
    std::string_view base;
    if (!RestartKey(restart, &base)) return false;
    const size_t common = CommonPrefixLength(base, key);
    ++low;  // the restart is before the key
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      BlockEntry entry;
      if (!DecodeAt(middle, &entry)) return false;
      // An entry that shares more with the restart than the key does lies on the restart's side of
      // the key; one that shares less left the restart upwards before the key did.
      int order = entry.shared > common ? -1 : 1;
      if (entry.shared == common) {
        order = CompareInternal({entry.suffix, entry.unshared}, entry.sequence(),
                                key.substr(common), sequence);
      }
      (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
    }
    *index = low;
    return true;
  }

  const char* begin_ = nullptr;
  const char* fingerprints_ = nullptr;
  const char* offsets_ = nullptr;
  const char* heads_ = nullptr;
  uint32_t entries_bytes_ = 0;
  uint32_t entries_ = 0;
  uint32_t prefix_ = 0;
  bool wide_ = false;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_BLOCK_H_
