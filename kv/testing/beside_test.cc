#include "kv/testing/beside.h"

#include <atomic>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_engine.h"

namespace kv::testing {
namespace {

// Memory order: the default, seq_cst.
TEST(RunBesideTest, GivesBothSidesTheirShare) {
  Stage stage(CompositionOf<ReferenceEngine>("Reference"));
  int steps = 0;
  std::atomic<int> reads = 0;
  const auto step = [&](int i) {
    EXPECT_EQ(i, steps++);
    // A real step takes so long that the readers come to theirs.
    while (reads.load() <= i) std::this_thread::yield();
  };
  RunBeside(stage, step, [&] { reads.fetch_add(1); }, {.steps = 100, .reads = 20});
  EXPECT_GE(steps, 100);
  EXPECT_GE(reads.load(), 2 * 20);
}

TEST(RunBesideTest, StopsAtTheFirstFailure) {
  Stage stage(CompositionOf<ReferenceEngine>("Reference"));
  int steps = 0;
  RunBeside(
      stage, [&](int i) { stage.Expect(++steps < 10, "step " + std::to_string(i)); }, [] {});
  EXPECT_EQ(steps, 10);
}

}  // namespace
}  // namespace kv::testing
