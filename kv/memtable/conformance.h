// Conformance suite of the Memtable concept: everything in concept.h that a compiler cannot check.
//
//   absl::Status CheckMemtable<M>(seed)            all of the below that apply to M
//   absl::Status CheckMemtableSequential<M>(seed)  what one thread can see
//   absl::Status CheckMemtableConcurrent<M>(seed)  readers beside one inserter; several inserters
//
// Each builds memtables of its own, is repeatable from its seed (but for the interleaving of
// threads), and hands back the first failure in words, so that a test can also assert that a broken
// memtable is refused. The expected answers come from MemtableArchetype, or from the keys
// themselves where threads race.
//
// A race shows only when threads do meet. Of five faults put into the protocol between
// inserter and readers of BPlusTreeMemtable, one run of the concurrent check found three; on the
// same machine when busier, with half the records, one of those three. So a pass is evidence, and
// what the code rests on is the argument in its header.
//
// Bounded: some 20,000 records in each memtable, and seconds at most a check; under a thread
// sanitizer ten times that.
#ifndef KV_MEMTABLE_CONFORMANCE_H_
#define KV_MEMTABLE_CONFORMANCE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kv/base/status.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/conformance_concurrent.h"  // IWYU pragma: export
#include "kv/memtable/conformance_sequential.h"  // IWYU pragma: export

namespace kv {

template <Memtable M>
absl::Status CheckMemtable(uint64_t seed) {
  KV_RETURN_IF_ERROR(CheckMemtableSequential<M>(seed));
  return CheckMemtableConcurrent<M>(seed);
}

}  // namespace kv

#endif  // KV_MEMTABLE_CONFORMANCE_H_
