// The test of some combinations of the matrix (matrix.bzl): the conformance suite, and a run of the
// lab at toy sizes. Both in one file, because the engine is most of what is compiled, and here it
// is compiled once. The build selects the combinations:
//
//   ASHLAR_COMBINATIONS  a header that has them as kv::Combinations, as an include path in quotes
#include ASHLAR_COMBINATIONS

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>

#include "bench/matrix/combination_subject.h"
#include "bench/run.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"

namespace {

constexpr std::string_view kBench = "bench";

// visit.operator()<C>() of each combination.
template <typename Visit>
void ForEachCombination(Visit&& visit) {
  [&visit]<typename... C>(const std::tuple<C...>*) {
    (visit.template operator()<C>(), ...);
  }(static_cast<const kv::Combinations*>(nullptr));
}

// The lab wants a process of its own: it is this program with other arguments first, `bench` and
// the name of the combination.
int BenchMain(std::string_view name, int argc, char** argv) {
  int status = EXIT_FAILURE;
  ForEachCombination([&]<typename C>() {
    if (name != C::kName) return;
    const auto subject =
        bench::CombinationSubject(kv::testing::CompositionOf<typename C::Engine>(C::kName));
    status = bench::Main(argc, argv, bench::ThisBuild("test"), *subject);
  });
  return status;
}

TEST(Bench, RunsAtToySizes) {
  ForEachCombination([]<typename C>() {
    const std::string command = fmt::format(
        "/proc/{}/exe {} {} --num=200 --threads=1,2 "
        "--workloads=fillrandom,readrandom,readseq,multireadrandom,cas,count,ycsb_a,deleterandom",
        getpid(), kBench, C::kName);
    const int status = std::system(command.c_str());
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << C::kName;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && argv[1] == kBench) return BenchMain(argv[2], argc - 2, argv + 2);
  testing::InitGoogleTest(&argc, argv);
  ForEachCombination([]<typename C>() {
    kv::testing::RegisterConformance(kv::testing::CompositionOf<typename C::Engine>(C::kName));
  });
  return RUN_ALL_TESTS();
}
