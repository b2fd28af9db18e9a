// What a composition of the log engine must name, and what it must not.
//
// Thread safety: none needed; types only.
#ifndef ENGINES_LOG_PARTS_H_
#define ENGINES_LOG_PARTS_H_

#include "kv/commit/concept.h"
#include "kv/expiry/concept.h"
#include "kv/merge/concept.h"
#include "kv/striping/concept.h"

namespace kv {

// A slot that is missing or misspelled, or a policy that does not model its concept, is an error
// that names the slot.
template <typename P>
concept LogParts = Striping<typename P::Striping> && Commit<typename P::Commit> &&
    Expiry<typename P::Expiry> && Merge<typename P::Merge>;

// Slots of engines that keep their keys in order. Whoever names one wants something that a log of
// records cannot give, and would otherwise get a store in which it has no effect.
template <typename P>
concept NamesASortedSlot = requires {
  typename P::Memtable;
}
|| requires { typename P::Compaction; }
|| requires { typename P::Filter; };

// Slots of engines that read blocks. Records are read where the file is mapped, one at a time.
template <typename P>
concept NamesABlockSlot = requires {
  typename P::Cache;
}
|| requires { typename P::Compression; }
|| requires { typename P::WalCompression; };

// True, or an error that says what does not fit together.
template <LogParts P>
consteval bool LogPartsAgree() {
  static_assert(!NamesASortedSlot<P>,
                "LogStructured keeps no order: it has no slots Memtable, Compaction or Filter, no "
                "cursors and no snapshots; take Lsm for those");
  static_assert(!NamesABlockSlot<P>,
                "LogStructured reads records, not blocks: it has no slots Cache, Compression or "
                "WalCompression; take Lsm for those");
  return true;
}

}  // namespace kv

#endif  // ENGINES_LOG_PARTS_H_
