// A record: one version of one key. The currency of write batches, logs, memtables and tables.
//
// Order (the internal order): by key, bytewise ascending; among versions of one key by sequence
// number, descending, so that the newest comes first. (key, sequence) is unique in a store.
#ifndef KV_CONTRACT_RECORD_H_
#define KV_CONTRACT_RECORD_H_

#include <compare>
#include <concepts>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "kv/base/bytes.h"

namespace kv {

// Numbers writes in the order in which they take effect; 0 is before all of them.
using Sequence = uint64_t;
inline constexpr Sequence kMaxSequence = (Sequence{1} << 56) - 1;

// On disk: never renumber.
enum class RecordKind : uint8_t {
  kTombstone = 0,  // the key is absent from this sequence number on
  kValue = 1,      // the key has this value
  // Every key in [key, value) is absent from this sequence number on; an empty `value` is no bound.
  // Stands in logs only: memtables and tables hold records of keys.
  kRangeTombstone = 2,
  // As kValue, but `value` is a pointer to where the value is. Stands in tables only: readers of an
  // engine meet the value itself.
  kSeparated = 3,
};

// `expires_at` of a record that never expires.
inline constexpr uint64_t kNeverExpires = 0;

struct Record {
  std::string_view key;
  std::string_view value;  // empty for a tombstone; what RecordKind says for the others
  Sequence sequence = 0;
  uint64_t expires_at = kNeverExpires;  // Unix milliseconds
  RecordKind kind = RecordKind::kValue;

  friend bool operator==(const Record&, const Record&) = default;
};

// The internal order of (key, sequence) pairs: negative when (a, a_sequence) comes first.
inline int CompareInternal(std::string_view a, Sequence a_sequence, std::string_view b,
                           Sequence b_sequence) {
  const int order = CompareBytes(a, b);
  if (order != 0) return order;
  return a_sequence > b_sequence ? -1 : a_sequence < b_sequence ? 1 : 0;
}

// A cursor over records in internal order: what memtables, blocks and tables offer, and what a
// merge takes and offers again.
//
// Starts invalid. Seek(key, sequence) goes to the first record at or after that pair in the
// internal order. Next and Prev need Valid(); moving off either end makes the cursor invalid, and
// so does an error, which status() then holds. record() is a view: its bytes live until the next
// move, or as long as what the cursor reads from where the model says so.
//
// Thread safety: one thread at a time for each cursor.
template <typename C>
concept RecordCursor = requires(C& cursor, const C& constant, std::string_view key,
                                Sequence sequence) {
  { constant.Valid() } -> std::same_as<bool>;
  cursor.SeekToFirst();
  cursor.SeekToLast();
  cursor.Seek(key, sequence);
  cursor.Next();
  cursor.Prev();
  { constant.record() } -> std::convertible_to<const Record&>;
  { constant.status() } -> std::convertible_to<absl::Status>;
};

}  // namespace kv

#endif  // KV_CONTRACT_RECORD_H_
