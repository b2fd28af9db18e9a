// The program //bench:remote_watch: flags, the watch or the persistence test, reports, exit status.
//
// Thread safety: to be called once, from the main thread, which starts servers and takes signals.
#ifndef BENCH_REMOTE_WATCH_PROGRAM_H_
#define BENCH_REMOTE_WATCH_PROGRAM_H_

#include <atomic>
#include <string>
#include <vector>

namespace bench::remote_watch {

enum ExitStatus : int {
  kKept = 0,    // no acknowledged write was lost
  kLost = 1,    // some were, or could not be read back at the end
  kUsage = 2,   // the command line is wrong
  kNotRun = 3,  // it could not start: no server answers, or a file cannot be written
};

// `arguments` without the program's name. `interrupted` ends it early, with its report.
int Main(const std::vector<std::string>& arguments, const std::string& compilation_mode,
         const std::atomic<bool>& interrupted);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_PROGRAM_H_
