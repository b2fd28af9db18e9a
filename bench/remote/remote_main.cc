// bazel run //bench:remote -- --help
//
// ASHLAR_COMPILATION_MODE is the -c of the build, as a string, for reports.
#include <cstdio>
#include <string>
#include <vector>

#include "bench/remote/remote.h"
#include "bench/run.h"

int main(int argc, char** argv) {
  return bench::remote::Main(std::vector<std::string>(argv + 1, argv + argc),
                             bench::ThisBuild(ASHLAR_COMPILATION_MODE), stdout, stderr);
}
