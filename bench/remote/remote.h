// The program behind //bench:remote: flags, a server, rows, report.
#ifndef BENCH_REMOTE_REMOTE_H_
#define BENCH_REMOTE_REMOTE_H_

#include <cstdio>
#include <string>
#include <vector>

#include "bench/run.h"

namespace bench::remote {

// The whole program; `arguments` are without its name. Returns its exit status: 0; 1 when a run
// failed, was interrupted or may not be believed; 2 when the command line is wrong. Call it in the
// main thread.
int Main(const std::vector<std::string>& arguments, const BuildInfo& build, std::FILE* out,
         std::FILE* error);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_REMOTE_H_
