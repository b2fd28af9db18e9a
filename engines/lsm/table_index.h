// The index of a table: which data block may hold a key. table_format.h has the picture.
//
// In memory: an array of 8-byte heads of the separators after the prefix they all share, an array
// of where each block, its directory and its separator lie, and one blob of separators. Above the
// heads stand levels of every 16th of the level below, so that a search looks at two cache lines a
// level and no branch depends on the key; whole keys are compared only among equal heads. 25 bytes
// a block, and the separators' own bytes.
//
// Omits: a second level. Not for: tables of so many blocks that 30 bytes for each hurt.
// Thread safety: TableIndex is immutable once parsed; the builder has one user.
#ifndef ENGINES_LSM_TABLE_INDEX_H_
#define ENGINES_LSM_TABLE_INDEX_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/table_format.h"
#include "kv/base/bytes.h"

namespace kv {

// The shortest string in [last, next), where last <= next; `last` if they are equal.
inline std::string_view ShortestSeparator(std::string_view last, std::string_view next,
                                          std::string* buffer) {
  const size_t common = CommonPrefixLength(last, next);
  // Equal, or `last` begins `next`: nothing shorter is at or after it.
  if (common == last.size() || common == next.size()) return last;
  const auto byte = [last](size_t i) { return static_cast<unsigned char>(last[i]); };
  // Raising the first byte that differs gives at most a prefix of `next`. If that is the whole of
  // `next`, a later byte is raised instead: what comes before it keeps the result below.
  size_t raised = common;
  if (byte(common) + 1 == static_cast<unsigned char>(next[common]) && next.size() == common + 1) {
    do {
      ++raised;
    } while (raised < last.size() && byte(raised) == 0xff);
    if (raised == last.size()) return last;
  }
  buffer->assign(last.substr(0, raised + 1));
  buffer->back() = static_cast<char>(byte(raised) + 1);
  return *buffer;
}

class TableIndexBuilder {
 public:
  // The next block: its bytes in the file with the trailer, those of its directory, a multiple of
  // 8, and its separator.
  void Add(uint64_t stored_bytes, bool compressed, uint64_t directory_bytes,
           std::string_view separator) {
    const size_t shared = CommonPrefixLength(last_, separator);
    AppendVarint64(&bytes_, stored_bytes << 1 | static_cast<uint64_t>(compressed));
    AppendVarint64(&bytes_, directory_bytes / 8);
    AppendVarint64(&bytes_, shared);
    AppendLengthPrefixed(&bytes_, separator.substr(shared));
    last_.assign(separator);
    ++blocks_;
  }

  size_t Bytes() const { return bytes_.size(); }

  std::string Finish() const {
    std::string index;
    AppendVarint64(&index, blocks_);
    index += bytes_;
    return index;
  }

 private:
  std::string bytes_;
  std::string last_;
  uint64_t blocks_ = 0;
};

class TableIndex {
 public:
  struct Block {
    uint64_t offset;
    uint64_t stored_bytes;     // with the trailer
    uint64_t directory_begin;  // after the start of the directories
    uint64_t directory_bytes;
    bool compressed;
  };

  // Reads an index of blocks and directories that fill at most `limit` bytes together. False when
  // `bytes` are no such index.
  static bool Parse(std::string_view bytes, uint64_t limit, TableIndex* index) {
    uint64_t blocks;
    if (!TakeVarint64(&bytes, &blocks) || blocks == 0 || blocks > bytes.size()) return false;
    index->places_.reserve(WholeGroups(blocks) + 1);  // LowerBound prefetches by groups
    Place place{};
    std::string key;
    std::string& keys = index->separators_;
    for (uint64_t i = 0; i < blocks; ++i) {
      uint64_t stored;
      uint64_t directory;
      uint64_t shared;
      std::string_view suffix;
      if (!TakeVarint64(&bytes, &stored) || !TakeVarint64(&bytes, &directory) ||
          !TakeVarint64(&bytes, &shared) || !TakeLengthPrefixed(&bytes, &suffix)) {
        return false;
      }
      if (shared > key.size() || shared + suffix.size() > kMaxTableKeyBytes ||
          (i != 0 && suffix < std::string_view(key).substr(shared)) ||
          keys.size() + shared + suffix.size() > UINT32_MAX) {
        return false;
      }
      if (stored >> 1 <= kBlockTrailerBytes || stored >> 1 > limit || directory > limit / 8 ||
          (stored >> 1) + directory * 8 > limit || place.directory + directory > UINT32_MAX) {
        return false;
      }
      limit -= (stored >> 1) + directory * 8;
      key.resize(shared);
      key += suffix;
      keys += key;
      place.offset |= stored & 1;
      index->places_.push_back(place);
      place.offset = (place.offset >> 1 << 1) + (stored >> 1 << 1);
      place.directory += static_cast<uint32_t>(directory);
      place.separator = static_cast<uint32_t>(keys.size());
    }
    if (!bytes.empty()) return false;
    index->places_.push_back(place);
    index->TakeOutPrefix();
    return true;
  }

  size_t blocks() const { return places_.size() - 1; }

  Block block(size_t i) const {
    const Place& place = places_[i];
    const Place& next = places_[i + 1];
    return {.offset = place.offset >> 1,
            .stored_bytes = (next.offset >> 1) - (place.offset >> 1),
            .directory_begin = uint64_t{place.directory} * 8,
            .directory_bytes = uint64_t{next.directory - place.directory} * 8,
            .compressed = (place.offset & 1) != 0};
  }

  // Where the data blocks end.
  uint64_t data_bytes() const { return places_.back().offset >> 1; }
  uint64_t directories_bytes() const { return uint64_t{places_.back().directory} * 8; }

  std::string separator(size_t i) const { return prefix_ + std::string(Suffix(i)); }

  bool SeparatorEquals(size_t i, std::string_view key) const {
    return key.size() == prefix_.size() + Suffix(i).size() && key.starts_with(prefix_) &&
           key.ends_with(Suffix(i));
  }

  // The first block whose separator is at or after `key`: the only one that may hold it, except
  // that its older versions go on in the next where the separator equals the key. blocks() if
  // there is none. O(log blocks).
  size_t LowerBound(std::string_view key) const {
    const int order = key.substr(0, prefix_.size()).compare(prefix_);
    if (order != 0) [[unlikely]]
      return order < 0 ? 0 : blocks();
    const std::string_view rest = key.substr(prefix_.size());
    const uint64_t head = KeyHead(rest);
    size_t found = 0;
    for (size_t level = levels_.size(); level-- > 1;) {
      found = found * kFanout + CountBelow(&levels_[level][found * kFanout], head);
    }
    // The one place that will be needed is in these four lines: load them beside the heads.
    const Place* const group = places_.data() + found * kFanout;
    for (size_t i = 0; i < kFanout; i += 64 / sizeof(Place)) {
      __builtin_prefetch(group + i);
    }
    found = found * kFanout + CountBelow(&levels_[0][found * kFanout], head);
    if (found >= blocks()) [[unlikely]]
      return blocks();
    const std::vector<uint64_t>& heads = levels_[0];
    if (heads[found] != head) [[likely]]
      return found;
    const auto equal_end = std::upper_bound(heads.begin() + static_cast<ptrdiff_t>(found),
                                            heads.begin() + static_cast<ptrdiff_t>(blocks()), head);
    size_t end = static_cast<size_t>(equal_end - heads.begin());
    while (found < end) {
      const size_t middle = found + (end - found) / 2;
      if (Suffix(middle) < rest) {
        found = middle + 1;
      } else {
        end = middle;
      }
    }
    return found;
  }

  size_t MemoryBytes() const {
    size_t heads = 0;
    for (const std::vector<uint64_t>& level : levels_) heads += level.capacity();
    return heads * sizeof(uint64_t) + places_.capacity() * sizeof(Place) + separators_.capacity() +
           prefix_.capacity();
  }

 private:
  static constexpr size_t kFanout = 16;

  // Where a block begins, and with it where the one before ends.
  struct Place {
    uint64_t offset;     // << 1 | compressed
    uint32_t directory;  // in units of 8 bytes
    uint32_t separator;  // in separators_
  };

  std::string_view Suffix(size_t i) const {
    return {separators_.data() + places_[i].separator,
            places_[i + 1].separator - places_[i].separator};
  }

  // Moves what all separators begin with from the blob to prefix_, and makes the heads.
  void TakeOutPrefix() {
    const size_t blocks = places_.size() - 1;
    const size_t common = CommonPrefixLength(Suffix(0), Suffix(blocks - 1));
    prefix_ = Suffix(0).substr(0, common);
    std::string rest;
    rest.reserve(separators_.size() - blocks * common);
    levels_.emplace_back().reserve(WholeGroups(blocks));
    for (size_t i = 0; i < blocks; ++i) {
      const std::string_view suffix = Suffix(i).substr(common);
      levels_[0].push_back(KeyHead(suffix));
      places_[i].separator = static_cast<uint32_t>(rest.size());
      rest += suffix;
    }
    places_[blocks].separator = static_cast<uint32_t>(rest.size());
    separators_ = std::move(rest);
    for (;;) {
      std::vector<uint64_t>& level = levels_.back();
      level.resize(WholeGroups(level.size()), UINT64_MAX);
      if (level.size() == kFanout) break;
      std::vector<uint64_t> above;
      for (size_t i = kFanout - 1; i < level.size(); i += kFanout) above.push_back(level[i]);
      above.back() = UINT64_MAX;  // so that what is above all heads stays in the last group
      levels_.push_back(std::move(above));
    }
  }

  static size_t WholeGroups(size_t heads) { return (heads + kFanout - 1) / kFanout * kFanout; }

  // How many of a group of heads are below `head`. Each is less than the next or equal.
  static size_t CountBelow(const uint64_t* group, uint64_t head) {
    size_t count = 0;
    for (size_t i = 0; i < kFanout; ++i) count += group[i] < head ? 1 : 0;
    return count;
  }

  std::string prefix_;  // of every separator
  // levels_[0]: KeyHead of the rest of each separator; levels_[i + 1]: the last of each group of
  // kFanout in levels_[i]. Whole groups, filled up with UINT64_MAX. The last level is one group.
  std::vector<std::vector<uint64_t>> levels_;
  std::vector<Place> places_;  // one more for the end
  std::string separators_;     // the rests
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_INDEX_H_
