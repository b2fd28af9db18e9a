// A range tombstone: every version of every key in [begin, end) that is older than `sequence` is
// absent for readers at or after it. docs/decisions/010-range-tombstones.md has the whole design.
//
//   encoded: varint sequence | length-prefixed begin | length-prefixed end
//
// Thread safety: plain values.
#ifndef ENGINES_LSM_RANGE_TOMBSTONE_H_
#define ENGINES_LSM_RANGE_TOMBSTONE_H_

#include <string>
#include <string_view>
#include <tuple>

#include "kv/base/bytes.h"
#include "kv/contract/options.h"
#include "kv/contract/record.h"

namespace kv {

struct RangeTombstone {
  std::string begin;
  std::string end;  // empty: no bound
  Sequence sequence = 0;

  friend bool operator==(const RangeTombstone&, const RangeTombstone&) = default;

  // The order in which the tree lists them: by begin, the newest of one place first.
  friend bool operator<(const RangeTombstone& a, const RangeTombstone& b) {
    return std::tie(a.begin, b.sequence, a.end) < std::tie(b.begin, a.sequence, b.end);
  }

  void AppendTo(std::string* to) const {
    AppendVarint64(to, sequence);
    AppendLengthPrefixed(to, begin);
    AppendLengthPrefixed(to, end);
  }

  // Takes one off the front of `from`; false, with `tombstone` unspecified, when there is none.
  static bool Take(std::string_view* from, RangeTombstone* tombstone) {
    std::string_view begin;
    std::string_view end;
    if (!TakeVarint64(from, &tombstone->sequence) || !TakeLengthPrefixed(from, &begin) ||
        !TakeLengthPrefixed(from, &end) || tombstone->sequence > kMaxSequence) {
      return false;
    }
    tombstone->begin = begin;
    tombstone->end = end;
    return end.empty() || begin < end;
  }
};

}  // namespace kv

#endif  // ENGINES_LSM_RANGE_TOMBSTONE_H_
