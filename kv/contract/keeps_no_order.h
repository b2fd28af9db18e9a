// KeepsNoOrder: what an unordered engine answers when it is asked for a cursor or a snapshot: an
// error of the compiler, in words, instead of a member that is missing.
//
//   class HashMemory : public KeepsNoOrder<HashMemory<...>> { ... };
//
// Generic code does not come here: it asks E::kOrdered, or the concept OrderedEngine, first.
#ifndef KV_CONTRACT_KEEPS_NO_ORDER_H_
#define KV_CONTRACT_KEEPS_NO_ORDER_H_

#include "kv/contract/options.h"

namespace kv {

// E is the engine, with `kOrdered` false. Bodies are compiled where they are called, and only
// there.
template <typename E>
class KeepsNoOrder {
 public:
  void NewCursor(const CursorBounds& = {}) const { Refuse(); }
  template <typename Snapshot>
  void NewCursor(const CursorBounds&, const Snapshot&) const {
    Refuse();
  }
  void TakeSnapshot() const { Refuse(); }

 private:
  static void Refuse() {
    static_assert(E::kOrdered,
                  "a cursor or snapshot and an unordered engine contradict each other: hashing "
                  "(HashMemory, or a log with a hash index) keeps no order of keys to move along. "
                  "Compose an ordered engine: OrderedMemory, Lsm or a B+tree");
  }
};

}  // namespace kv

#endif  // KV_CONTRACT_KEEPS_NO_ORDER_H_
