// The program around a Subject: flags, rows, Google Benchmark, report.
#ifndef BENCH_RUN_H_
#define BENCH_RUN_H_

#include <string>
#include <string_view>

#include "bench/plan.h"

namespace bench {

// How the caller, and with it the engine, was compiled.
struct BuildInfo {
  std::string compiler;
  std::string flags;
  bool optimized = false;
  bool asserts = false;
};

// Inline on purpose: it describes the file that calls it, not the library. `compilation_mode` is
// what Bazel was told with -c.
inline BuildInfo ThisBuild(std::string_view compilation_mode) {
  BuildInfo build;
#if defined(__clang__)
  build.compiler = "Clang " __clang_version__;
#elif defined(__GNUC__)
  build.compiler = "GCC " __VERSION__;
#endif
#if defined(__OPTIMIZE__)
  build.optimized = true;
#endif
#if !defined(NDEBUG)
  build.asserts = true;
#endif
  build.flags = "bazel -c " + std::string(compilation_mode) + ", ";
  build.flags += build.optimized ? "optimized" : "-O0";
  build.flags += build.asserts ? ", asserts on" : ", NDEBUG";
#if defined(__SANITIZE_ADDRESS__)
  build.flags += ", AddressSanitizer";
#endif
#if defined(__SANITIZE_THREAD__)
  build.flags += ", ThreadSanitizer";
#endif
#if defined(__AVX2__)
  build.flags += ", AVX2";
#endif
  return build;
}

// The whole program; returns its exit status: 0, 1 when a run failed or a read was wrong, 2 when
// the command line is wrong. Call it once, before any thread is started.
int Main(int argc, char** argv, const BuildInfo& build, Subject& subject);

}  // namespace bench

#endif  // BENCH_RUN_H_
