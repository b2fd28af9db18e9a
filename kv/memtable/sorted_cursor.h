// SortedMemtableCursor<M>: the cursor of a memtable that has no order: it collects the records when
// it is positioned, and sorts them.
//
// Contract: RecordCursor (kv/contract/record.h), as kv/memtable/concept.h narrows it, of an M with
//
//   M::Entries()            a count; what was counted before a call of ForEach is visited by it
//   M::ForEach(visit)       visit(const Entry*) for each record, in no order; entries never die
//
// Positioning again sorts again only when there are more entries than there were. Moves are O(1).
// Cost: 16 bytes a record while the cursor lives, O(n log n) to position: with the walk that
// follows, 5 times what the walk of BPlusTreeMemtable takes at 1 M records.
//
// Thread safety: one thread for each cursor, beside inserts.
#ifndef KV_MEMTABLE_SORTED_CURSOR_H_
#define KV_MEMTABLE_SORTED_CURSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "kv/base/bytes.h"
#include "kv/contract/record.h"
#include "kv/memtable/entry.h"

namespace kv {

template <typename M>
class SortedMemtableCursor {
 public:
  explicit SortedMemtableCursor(const M* memtable) : memtable_(memtable) {}

  bool Valid() const { return at_ < sorted_.size(); }
  const Record& record() const { return record_; }
  absl::Status status() const { return absl::OkStatus(); }

  void SeekToFirst() {
    Collect();
    Arrive(0);
  }
  void SeekToLast() {
    Collect();
    Arrive(sorted_.size() - 1);  // of none: past the end, too
  }
  void Seek(std::string_view key, Sequence sequence) {
    Collect();
    const auto place = std::partition_point(
        sorted_.begin(), sorted_.end(),
        [&](const Sorted& sorted) { return sorted.entry->Compare(key, sequence) < 0; });
    Arrive(static_cast<size_t>(place - sorted_.begin()));
  }
  void Next() { Arrive(at_ + 1); }
  void Prev() { Arrive(at_ - 1); }

 private:
  // The head of the key behind the prefix that all keys share orders most pairs.
  struct Sorted {
    uint64_t head;
    const Entry* entry;
  };

  void Collect() {
    const size_t entries = memtable_->Entries();
    if (entries == collected_) return;
    collected_ = entries;
    sorted_.clear();
    sorted_.reserve(entries);
    std::string_view prefix;
    memtable_->ForEach([&](const Entry* entry) {
      const std::string_view key = entry->key();
      prefix = sorted_.empty() ? key : prefix.substr(0, CommonPrefixLength(prefix, key));
      sorted_.push_back({0, entry});
    });
    for (Sorted& sorted : sorted_) sorted.head = KeyHead(sorted.entry->key().substr(prefix.size()));
    std::sort(sorted_.begin(), sorted_.end(), [](const Sorted& a, const Sorted& b) {
      if (a.head != b.head) return a.head < b.head;
      return a.entry->Compare(b.entry->key(), b.entry->sequence()) < 0;
    });
  }

  void Arrive(size_t at) {
    at_ = at;
    if (at >= sorted_.size()) return;
    constexpr size_t kAhead = 12;
    if (at + kAhead < sorted_.size()) __builtin_prefetch(sorted_[at + kAhead].entry);
    record_ = sorted_[at].entry->record();
  }

  const M* memtable_;
  std::vector<Sorted> sorted_;
  size_t collected_ = 0;  // entries that were counted before sorted_ was filled
  size_t at_ = 0;
  Record record_;
};

}  // namespace kv

#endif  // KV_MEMTABLE_SORTED_CURSOR_H_
