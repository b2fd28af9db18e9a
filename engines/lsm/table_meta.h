// TableMeta: what the store knows of a sorted table without opening it.
//
// The builder returns it, the manifest stores it, and the reader checks the file against it, so a
// table that was swapped, cut or replaced by an older one of the same number does not pass.
//
//   fixed64 bytes | varint number, entries, tombstones, expiring, raw_bytes, min_sequence,
//   max_sequence, ranges_applied, earliest_expiry, latest_expiry | length-prefixed smallest,
//   largest | varint number of references to value files, and them (value_pointer.h)
//
// `bytes` is of fixed width because the file holds a copy of its own meta: the size of the copy
// must not depend on the size of the file.
//
// Thread safety: as a value.
#ifndef ENGINES_LSM_TABLE_META_H_
#define ENGINES_LSM_TABLE_META_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/lsm/value_pointer.h"
#include "kv/base/bytes.h"
#include "kv/contract/record.h"

namespace kv {

struct TableMeta {
  uint64_t number = 0;      // of the file; never used twice in a store
  uint64_t bytes = 0;       // of the file
  uint64_t entries = 0;     // records, tombstones included; at least 1
  uint64_t tombstones = 0;  // records of RecordKind::kTombstone
  uint64_t expiring = 0;    // records that expire one day
  uint64_t raw_bytes = 0;   // of keys and values, before any encoding, wherever the values are
  Sequence min_sequence = 0;
  Sequence max_sequence = 0;
  // No range tombstone up to this number hides any record of the table, whatever the records' own
  // numbers: compaction made those that no snapshot can tell apart 0.
  Sequence ranges_applied = 0;
  // Over the records that expire, Unix milliseconds; both kNeverExpires when none does.
  uint64_t earliest_expiry = kNeverExpires;
  uint64_t latest_expiry = kNeverExpires;
  std::string smallest;  // the first and the last user key, both included
  std::string largest;
  std::vector<ValueReference> values;  // to value files, ascending; one that is named is needed

  friend bool operator==(const TableMeta&, const TableMeta&) = default;

  // Takes in the next record of the table. `largest` is left to the caller, who has the last key
  // anyway, and `number` and `bytes` too.
  void Count(const Record& record) {
    if (entries == 0) {
      smallest = record.key;
      min_sequence = record.sequence;
    }
    ++entries;
    tombstones += record.kind == RecordKind::kTombstone ? 1 : 0;
    raw_bytes += record.key.size() + record.value.size();
    if (record.kind == RecordKind::kSeparated) CountPointer(record.value);
    min_sequence = std::min(min_sequence, record.sequence);
    max_sequence = std::max(max_sequence, record.sequence);
    if (record.expires_at != kNeverExpires) {
      ++expiring;
      latest_expiry = std::max(latest_expiry, record.expires_at);
      earliest_expiry = earliest_expiry == kNeverExpires
                            ? record.expires_at
                            : std::min(earliest_expiry, record.expires_at);
    }
  }

  // By when every record has expired, Unix milliseconds; 0 when one never does.
  uint64_t AllExpiredAt() const { return expiring == entries ? latest_expiry : 0; }

  void AppendTo(std::string* to) const {
    AppendFixed64(to, bytes);
    for (const uint64_t value : {number, entries, tombstones, expiring, raw_bytes, min_sequence,
                                 max_sequence, ranges_applied, earliest_expiry, latest_expiry}) {
      AppendVarint64(to, value);
    }
    AppendLengthPrefixed(to, smallest);
    AppendLengthPrefixed(to, largest);
    AppendVarint64(to, values.size());
    for (const ValueReference& reference : values) reference.AppendTo(to);
  }

  // Takes a meta off the front of `from`; false, with `meta` unspecified, when it is cut short.
  static bool Take(std::string_view* from, TableMeta* meta) {
    if (from->size() < sizeof meta->bytes) return false;
    meta->bytes = LoadFixed64(from->data());
    from->remove_prefix(sizeof meta->bytes);
    for (uint64_t* const value :
         {&meta->number, &meta->entries, &meta->tombstones, &meta->expiring, &meta->raw_bytes,
          &meta->min_sequence, &meta->max_sequence, &meta->ranges_applied, &meta->earliest_expiry,
          &meta->latest_expiry}) {
      if (!TakeVarint64(from, value)) return false;
    }
    std::string_view smallest;
    std::string_view largest;
    if (!TakeLengthPrefixed(from, &smallest) || !TakeLengthPrefixed(from, &largest)) return false;
    meta->smallest = smallest;
    meta->largest = largest;
    return TakeValues(from, meta);
  }

 private:
  // What is no pointer is refused by the builder, and found by Verify.
  void CountPointer(std::string_view value) {
    ValuePointer pointer;
    if (!ValuePointer::Parse(value, &pointer)) return;
    raw_bytes += pointer.bytes - value.size();
    AddReference(&values, {.file = pointer.file, .bytes = pointer.RecordBytes()});
  }

  static bool TakeValues(std::string_view* from, TableMeta* meta) {
    uint64_t count = 0;
    if (!TakeVarint64(from, &count) || count > from->size()) return false;
    meta->values.clear();
    for (; count > 0; --count) {
      ValueReference reference;
      if (!ValueReference::Take(from, &reference)) return false;
      if (!meta->values.empty() && meta->values.back().file >= reference.file) return false;
      meta->values.push_back(reference);
    }
    return true;
  }
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_META_H_
