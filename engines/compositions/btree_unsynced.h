// As btree.h, but a write returns when it is in memory: what a crash leaves is a prefix of the
// history, from the last Flush or checkpoint on.
//
// For: data that can be loaded again, bulk loads before a store goes into service under btree.h,
// which opens it.
// Not for: data whose writer believes OK.
#ifndef ENGINES_COMPOSITIONS_BTREE_UNSYNCED_H_
#define ENGINES_COMPOSITIONS_BTREE_UNSYNCED_H_

#include "engines/btree/engine.h"
#include "kv/commit/none.h"
#include "kv/expiry/absolute.h"
#include "kv/striping/hashed.h"

namespace kv {

struct BtreeUnsyncedParts {
  using Pages = BtreePages<>;
  using Striping = HashedStripes<256>;
  using Commit = NoCommit;
  using Expiry = AbsoluteExpiry;
};

using BtreeUnsynced = Btree<BtreeUnsyncedParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_BTREE_UNSYNCED_H_
