// Versions of one key, newest first: what a memtable keeps that finds keys by something else than
// the internal order (HashMemtable, ArtMemtable).
//
//   head -> [ older | Entry ] -> [ older | Entry ] -> null        sequence numbers descend
//
// The head is a word of the table, which may have tag bits of its own; so it is not in here.
//
// Invariants:
//   1. A version is written whole before anything leads to it, and is never removed.
//   2. `older` changes only to a version that belongs between the two.
//
// Memory order: `older` and heads are stored with release after the version behind them is
// complete, and loaded with acquire.
//
// Thread safety: one thread inserts, any number read beside it.
// Complexity: O(versions newer than the one asked for).
#ifndef KV_MEMTABLE_VERSION_CHAIN_H_
#define KV_MEMTABLE_VERSION_CHAIN_H_

#include <atomic>
#include <cstddef>
#include <new>

#include "kv/base/atomic.h"
#include "kv/contract/record.h"
#include "kv/memtable/entry.h"

namespace kv {

class ChainedVersion {
 public:
  // What Write needs at an 8-byte aligned address.
  static size_t Bytes(const Record& record) {
    return sizeof(ChainedVersion) + Entry::Bytes(record);
  }

  static ChainedVersion* Write(char* to, const Record& record) {
    Entry::Write(to + sizeof(ChainedVersion), record);
    return new (to) ChainedVersion;
  }

  const Entry* entry() const { return reinterpret_cast<const Entry*>(this + 1); }
  // acquire: pairs with the release of SetOlder.
  const ChainedVersion* older() const { return older_.load(std::memory_order_acquire); }
  void SetOlder(const ChainedVersion* older) { older_.store(older, std::memory_order_release); }

  // The newest version from `head` on with a sequence of at most `at`, or null.
  static const ChainedVersion* Find(const ChainedVersion* head, Sequence at) {
    while (head != nullptr && head->entry()->sequence() > at) head = head->older();
    return head;
  }

  // Puts `fresh` into the chain behind `head`, which is newer.
  static void InsertBehind(const ChainedVersion* head, ChainedVersion* fresh) {
    const Sequence sequence = fresh->entry()->sequence();
    const ChainedVersion* newer = head;
    const ChainedVersion* older = head->older();
    while (older != nullptr && older->entry()->sequence() > sequence) {
      newer = older;
      older = older->older();
    }
    fresh->SetOlder(older);
    const_cast<ChainedVersion*>(newer)->SetOlder(fresh);
  }

 private:
  Atomic<const ChainedVersion*> older_{nullptr};
};

}  // namespace kv

#endif  // KV_MEMTABLE_VERSION_CHAIN_H_
