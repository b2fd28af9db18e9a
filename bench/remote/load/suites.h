// The loads of other tools, as they define them: redis-benchmark and memtier, YCSB, Twitter's
// clusters. What they are called is load.h's.
//
// Thread safety: pure functions; the names and descriptions that they give live as long as the
// program.
#ifndef BENCH_REMOTE_LOAD_SUITES_H_
#define BENCH_REMOTE_LOAD_SUITES_H_

#include <vector>

#include "bench/remote/load/load.h"

namespace bench::remote {

// redis_benchmark and redis_benchmark_literal, with their rows; memtier.
std::vector<Load> RedisBenchmarkLoads();
std::vector<Load> YcsbLoads();
std::vector<Load> TwitterLoads();

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_SUITES_H_
