// The small measurements of //bench:claims.
#ifndef BENCH_CLAIMS_CASES_H_
#define BENCH_CLAIMS_CASES_H_

#include <span>

#include "bench/micro/micro.h"

namespace bench {

// Memtables and locked maps (memtables.cc).
std::span<const MicroCase> MemtableCases();

// A table's index, kept or decoded for each get (table_index.cc).
std::span<const MicroCase> TableIndexCases();

}  // namespace bench

#endif  // BENCH_CLAIMS_CASES_H_
