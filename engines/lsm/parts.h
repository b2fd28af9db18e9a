// What a composition of the LSM engine must name, and what contradicts itself.
//
// A contradiction is a part that asks for what another one rules out, so that it can never happen.
// A poor choice is none: NoCache decompresses compressed blocks at every read, and a Cache beside
// mapped blocks that are not compressed stays empty; somebody may want to measure that. The headers
// of policies warn of it under "Not for".
//
// Thread safety: none needed; types only.
#ifndef ENGINES_LSM_PARTS_H_
#define ENGINES_LSM_PARTS_H_

#include "kv/cache/concept.h"
#include "kv/commit/concept.h"
#include "kv/compaction/concept.h"
#include "kv/compression/concept.h"
#include "kv/expiry/concept.h"
#include "kv/filter/concept.h"
#include "kv/memtable/concept.h"
#include "kv/reading/concept.h"
#include "kv/striping/concept.h"
#include "kv/values/concept.h"

namespace kv {

// A slot that is missing or misspelled, or a policy that does not model its concept, is an error
// that names the slot.
template <typename P>
concept LsmParts = Memtable<typename P::Memtable> && Compaction<typename P::Compaction> &&
    Striping<typename P::Striping> && Commit<typename P::Commit> && Filter<typename P::Filter> &&
    Cache<typename P::Cache> && Reading<typename P::Reading> && Expiry<typename P::Expiry> &&
    Values<typename P::Values> && Compression<typename P::Compression> &&
    Compression<typename P::WalCompression>;

// True, or an error that names the parts that contradict each other. It asks their capability
// constants, never their names.
template <LsmParts P>
consteval bool LsmPartsAgree() {
  // The log's records belong to no table that a dictionary could be stored in.
  static_assert(P::WalCompression::kDictionaryBytes == 0,
                "WalCompression and its dictionary contradict each other: dictionaries are trained "
                "on tables, for the Compression slot, and the log has none. Name a WalCompression "
                "without dictionary_bytes");
  if constexpr (requires { P::Compaction::kTtlGraceMillis; }) {
    static_assert(P::Compaction::kTtlGraceMillis == 0 || P::Expiry::kEnabled,
                  "Compaction and Expiry contradict each other: FifoCompaction with "
                  "ttl_grace_millis waits for files to expire, and with NoExpiry nothing does. "
                  "Name AbsoluteExpiry, or leave ttl_grace_millis out");
  }
  return true;
}

}  // namespace kv

#endif  // ENGINES_LSM_PARTS_H_
