// The kill test of the composition that this is linked with; and, when it is executed again with
// kKillWriterFlag, the writer that it kills.
#include <string>

#include "gtest/gtest.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/kill_check.h"
#include "kv/testing/kill_writer.h"
#include "kv/testing/sizes.h"

namespace kv::testing {
namespace {

TEST(KillTest, NoAcknowledgedWriteIsLost) {
  const Composition composition = CompositionUnderTest();
  const KillReport report = CheckKills(
      composition,
      {.seed = kKills.first_seed, .kills = static_cast<int>(kKills.moments * TestScale())});
  for (const std::string& failure : report.failures) {
    ADD_FAILURE() << composition.name << ": " << failure;
  }
  EXPECT_FALSE(report.points.empty()) << "no writer came to a kill point";
}

}  // namespace
}  // namespace kv::testing

int main(int argc, char** argv) {
  if (kv::testing::IsKillWriter(argc, argv)) {
    return kv::testing::RunKillWriter(kv::testing::CompositionUnderTest(), argc, argv);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
