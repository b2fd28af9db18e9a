// Memtable: the sorted, in-memory, insert-only table that takes an engine's newest writes until
// they are flushed. A slot of the LSM engine; models:
//
//   BPlusTreeMemtable   the default: quick at everything with one inserter
//   SkipListMemtable    any number of inserters
//   ArtMemtable         a radix tree: quicker gets than the B+tree, slower scans
//   HashMemtable        the quickest gets; no order until it is flushed
//
// What the compiler cannot check, and the conformance suite does:
//
//   Insert(record)      Copies key and value; the caller's bytes may go afterwards. (key, sequence)
//                       pairs are unique: inserting one twice is undefined. A record never changes
//                       and is never removed before the memtable is destroyed. A tombstone is a
//                       record like any other. Keys up to 64 KiB, values up to 256 MiB, any bytes,
//                       either may be empty; sequence <= kMaxSequence.
//   Get(key, at, out)   The newest version of `key` with sequence <= `at`, tombstones included;
//                       false, and *out untouched, when there is none. Expiry is not judged here.
//                       The views in *out live as long as the memtable.
//   Cursor(&memtable)   A RecordCursor in internal order. The views in record() live as long as the
//                       memtable, not only until the next move; the cursor itself must not outlive
//                       it. Beside inserts it meets every record whose insert returned before the
//                       cursor was positioned (Seek*), possibly later ones, each whole, and in
//                       strictly ascending (Prev: descending) order. status() is always OK. Merges
//                       move cursors that were not positioned yet, and keep the reference that
//                       record() returns until the next move.
//   kOrdered            Whether positioning a cursor is cheap: O(log n) or the length of the key.
//                       Where false, it may take O(n log n) and memory for each record, so that
//                       only a flush and whole counts can afford it; all that a cursor promises
//                       holds all the same.
//   MemoryBytes()       Bytes occupied by records and structure, for the flush trigger; cheap to
//                       ask; never falls.
//   Entries()           Records inserted.
//
// Thread safety: Insert runs in one thread at a time, or in any number where kConcurrentInsert;
// everything const runs in any thread at any time, beside Insert, and takes no lock. An insert
// that returned before a read began (one happens before the other) is seen by that read.
// Construction and destruction are exclusive.
//
// A sequence number alone does not hide a half-written batch from readers: an engine publishes the
// last sequence that may be read after the inserts, and reads at that.
#ifndef KV_MEMTABLE_CONCEPT_H_
#define KV_MEMTABLE_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <string_view>

#include "kv/contract/record.h"

namespace kv {

template <typename M>
concept MemtableNamed = requires {
  { M::kName } -> std::same_as<const std::string_view&>;
};

template <typename M>
concept MemtableInserts = requires(M& memtable, const Record& record) {
  { M::kConcurrentInsert } -> std::same_as<const bool&>;
  { M::kOrdered } -> std::same_as<const bool&>;
  { memtable.Insert(record) } -> std::same_as<void>;
};

template <typename M>
concept MemtableReads = requires(const M& memtable, std::string_view key, Sequence at,
                                 Record* found) {
  { memtable.Get(key, at, found) } -> std::same_as<bool>;
};

template <typename M>
concept MemtableIterates = RecordCursor<typename M::Cursor> &&
    std::constructible_from<typename M::Cursor, const M*> &&
    std::move_constructible<typename M::Cursor> && requires(const typename M::Cursor& cursor) {
  { cursor.record() } -> std::same_as<const Record&>;
};

template <typename M>
concept MemtableMeasured = requires(const M& memtable) {
  { memtable.MemoryBytes() } -> std::same_as<size_t>;
  { memtable.Entries() } -> std::same_as<size_t>;
};

template <typename M>
concept Memtable = std::default_initializable<M> && MemtableNamed<M> && MemtableInserts<M> &&
    MemtableReads<M> && MemtableIterates<M> && MemtableMeasured<M>;

}  // namespace kv

#endif  // KV_MEMTABLE_CONCEPT_H_
