// A whole file as a string: what a load is told by a file of the user's.
//
// Thread safety: a pure function of the file. Complexity: linear; the file is held in memory.
#ifndef BENCH_REMOTE_LOAD_TEXT_FILE_H_
#define BENCH_REMOTE_LOAD_TEXT_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace bench::remote {

// Errors name the path: kNotFound where there is nothing, others by errno.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_TEXT_FILE_H_
