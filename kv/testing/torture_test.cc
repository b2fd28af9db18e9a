#include "kv/testing/torture.h"

#include <set>

#include "gtest/gtest.h"
#include "kv/testing/kill_writer.h"
#include "kv/testing/wrapped_engine.h"

namespace kv::testing {
namespace {

// ReferenceStore on either machine.
template <typename Parts>
TortureSubject StoreOf() {
  return {.composition = CompositionOf<ReferenceStore<SystemEnvironment, Parts>>("store"),
          .simulated = [](const SimulatedEnvironment& environment) {
            return CompositionOf<ReferenceStore<SimulatedEnvironment, Parts>>("store", environment);
          }};
}

bool GoOn(const TortureTally&) { return true; }

TEST(TortureTest, EveryLayerHasItsTurn) {
  const TortureOutcome outcome =
      Torture(StoreOf<SoundParts>(), {.seed = 5, .rounds = TortureLayers().size()}, GoOn);
  EXPECT_EQ(outcome.failures, std::vector<std::string>());
  EXPECT_EQ(outcome.tally.rounds, TortureLayers().size());
  EXPECT_EQ(outcome.tally.histories, 1u);
  EXPECT_GT(outcome.tally.concurrent_calls, 1000u);
  EXPECT_GT(outcome.tally.crashes, 50u);
  EXPECT_GT(outcome.tally.faults, 50u);
  EXPECT_GT(outcome.tally.refusals, 10u);
  EXPECT_GT(outcome.tally.flips, 100u);
  EXPECT_EQ(outcome.tally.kills, 20u);
}

TEST(TortureTest, VolatileCompositionsHaveNoCrashes) {
  const TortureSubject subject{.composition = CompositionOf<ReferenceEngine>("memory"),
                               .simulated = {}};
  const TortureOutcome outcome = Torture(subject, {.rounds = 4}, GoOn);
  EXPECT_EQ(outcome.failures, std::vector<std::string>());
  EXPECT_EQ(outcome.tally.rounds, 4u);
  EXPECT_EQ(outcome.tally.histories, 2u);
  EXPECT_EQ(outcome.tally.crashes + outcome.tally.kills, 0u);
}

TEST(TortureTest, StopsWhenAskedTo) {
  const TortureOutcome outcome =
      Torture(StoreOf<SoundParts>(), {.only = {"history"}},
              [](const TortureTally& tally) { return tally.rounds < 3; });
  EXPECT_EQ(outcome.tally.rounds, 3u);
  EXPECT_EQ(outcome.tally.histories, 3u);
  EXPECT_EQ(Torture(StoreOf<SoundParts>(), {.seconds = 0}, GoOn).tally.rounds, 0u);
}

struct Forgetful : SoundParts {
  static constexpr bool kSyncsEachWrite = false;
};

TEST(TortureTest, AFailureNamesItsLayerAndASeedThatReplaysIt) {
  const TortureSubject subject = StoreOf<Forgetful>();
  const TortureOutcome outcome = Torture(subject, {.seed = 7}, GoOn);
  ASSERT_FALSE(outcome.failures.empty());
  EXPECT_EQ(outcome.layer, "crash");
  const TortureOutcome replayed =
      Torture(subject, {.seed = outcome.seed, .rounds = 1, .only = {outcome.layer}}, GoOn);
  EXPECT_EQ(replayed.failures, outcome.failures);
}

}  // namespace
}  // namespace kv::testing

int main(int argc, char** argv) {
  if (kv::testing::IsKillWriter(argc, argv)) {
    return kv::testing::RunKillWriter(kv::testing::StoreOf<kv::testing::SoundParts>().composition,
                                      argc, argv);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
