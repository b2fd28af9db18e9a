// Which rows a run has: every load with every number of connections and every pipeline, and without
// loads a representative set of them.
//
// Thread safety: pure functions.
#ifndef BENCH_REMOTE_SUITE_H_
#define BENCH_REMOTE_SUITE_H_

#include <vector>

#include "bench/remote/flags.h"
#include "bench/remote/row.h"

namespace bench::remote {

// Of loads that there are. The names of its rows differ, but for loads that are there twice.
std::vector<Row> RowsFor(const Flags& flags);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_SUITE_H_
