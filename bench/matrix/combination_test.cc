// The test of one combination of the matrix (matrix.bzl): the conformance suite, and a run of the
// lab at toy sizes. Both in one file, because the engine is most of what is compiled, and here it
// is compiled once. The build selects the combination, as in bench/bench_main.cc:
//
//   ASHLAR_HEADER  its header, as an include path in quotes
//   ASHLAR_TYPE    its type, without the namespace
//   ASHLAR_NAME    its name, as a string
#include ASHLAR_HEADER

#include <sys/wait.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/engine_subject.h"
#include "bench/run.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"

namespace {

constexpr std::string_view kBench = "bench";

// The lab wants a process of its own: it is this program with another first argument.
int BenchMain(int argc, char** argv) {
  bench::EngineSubject<kv::ASHLAR_TYPE> subject(ASHLAR_NAME);
  return bench::Main(argc, argv, bench::ThisBuild("test"), subject);
}

TEST(Bench, RunsAtToySizes) {
  const std::string command = fmt::format(
      "/proc/{}/exe {} --num=200 --threads=1,2 "
      "--workloads=fillrandom,readrandom,readseq,multireadrandom,cas,count,ycsb_a,deleterandom",
      getpid(), kBench);
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == kBench) return BenchMain(argc - 1, argv + 1);
  testing::InitGoogleTest(&argc, argv);
  kv::testing::RegisterConformance(kv::testing::CompositionOf<kv::ASHLAR_TYPE>(ASHLAR_NAME));
  return RUN_ALL_TESTS();
}
