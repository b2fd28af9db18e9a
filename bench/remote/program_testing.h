// Runs the program of //bench:remote inside a test, and keeps what it says.
//
// Thread safety: none; the main thread, as remote.h wants it.
#ifndef BENCH_REMOTE_PROGRAM_TESTING_H_
#define BENCH_REMOTE_PROGRAM_TESTING_H_

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/remote/remote.h"
#include "clients/local/process.h"
#include "nlohmann/json.hpp"

namespace bench::remote {

struct ProgramRun {
  int status = -1;
  std::string output;
  std::string error;

  bool Says(std::string_view text) const {
    return output.find(text) != std::string::npos || error.find(text) != std::string::npos;
  }
  // For the message of an assertion.
  std::string text() const { return output + "---\n" + error; }
};

inline ProgramRun RunProgram(const std::vector<std::string>& arguments) {
  char* output = nullptr;
  char* error = nullptr;
  size_t output_size = 0;
  size_t error_size = 0;
  std::FILE* const out = open_memstream(&output, &output_size);
  std::FILE* const err = open_memstream(&error, &error_size);
  const BuildInfo build{.compiler = "a compiler", .flags = "a test", .optimized = true};
  ProgramRun run;
  run.status = Main(arguments, build, out, err);
  std::fclose(out);
  std::fclose(err);
  run.output.assign(output, output_size);
  run.error.assign(error, error_size);
  std::free(output);
  std::free(error);
  return run;
}

// A discarded value where the file is no JSON.
inline nlohmann::json ReadJson(const std::string& path) {
  return nlohmann::json::parse(clients::local::ReadFile(path), nullptr,
                               /*allow_exceptions=*/false);
}

}  // namespace bench::remote

#endif  // BENCH_REMOTE_PROGRAM_TESTING_H_
