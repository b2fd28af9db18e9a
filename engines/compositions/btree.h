// Ordered and crash-safe, read in place: an acknowledged write is on the disk, in a log; a get is
// one walk down a tree of pages in memory. Writers that come together share a sync.
//
// For: data that is read more than it is written, point by point and in ranges; stores of which the
// working set fits in Options::cache_bytes.
// Not for: random writes over far more than that (lsm_leveled.h writes less), or data that can be
// loaded again (btree_unsynced.h).
#ifndef ENGINES_COMPOSITIONS_BTREE_H_
#define ENGINES_COMPOSITIONS_BTREE_H_

#include "engines/btree/engine.h"
#include "kv/commit/group.h"
#include "kv/expiry/absolute.h"
#include "kv/striping/hashed.h"

namespace kv {

struct BtreeDurableParts {
  using Pages = BtreePages<>;
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using Expiry = AbsoluteExpiry;
};

using BtreeDurable = Btree<BtreeDurableParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_BTREE_H_
