// The one main of every bench binary. The build selects the composition (bench.bzl); nowhere else
// is there such a macro.
//
//   ASHLAR_HEADER  its header, as an include path in quotes
//   ASHLAR_TYPE    its type, without the namespace
//   ASHLAR_NAME    its name in engines.bzl, as a string
//
// ASHLAR_COMPILATION_MODE selects nothing: it is the -c of the build, as a string, for reports.
#include ASHLAR_HEADER

#include "bench/engine_subject.h"
#include "bench/run.h"

int main(int argc, char** argv) {
  bench::EngineSubject<kv::ASHLAR_TYPE> subject(ASHLAR_NAME);
  return bench::Main(argc, argv, bench::ThisBuild(ASHLAR_COMPILATION_MODE), subject);
}
