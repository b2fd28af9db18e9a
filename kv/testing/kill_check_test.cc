// The kill test on stores of which it is known what it must find.
#include "kv/testing/kill_check.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/kill_point.h"
#include "kv/testing/kill_writer.h"
#include "kv/testing/reference_store.h"

namespace kv::testing {
namespace {

// Acknowledges what is in a buffer of the process.
struct HastyParts : SoundParts {
  static constexpr bool kSyncsEachWrite = false;
  static constexpr bool kBuffersWrites = true;
};

template <typename Parts>
using Store = ReferenceStore<SystemEnvironment, Parts>;

// By name, so that the writer process finds the same one.
Composition Named(std::string_view name) {
  if (name == "unsynced") return CompositionOf<Store<UnsyncedParts>>("unsynced");
  if (name == "hasty") return CompositionOf<Store<HastyParts>>("hasty");
  return CompositionOf<Store<SoundParts>>("sound");
}

std::vector<std::string> Check(std::string_view name, int kills) {
  return CheckKills(Named(name), {.kills = kills, .extra_arguments = {std::string(name)}}).failures;
}

TEST(KillCheckTest, PassesASoundStore) {
  const KillReport report = CheckKills(Named("sound"), {.kills = 60, .extra_arguments = {"sound"}});
  EXPECT_EQ(report.failures, std::vector<std::string>());
  EXPECT_EQ(report.kills, 60);
  EXPECT_TRUE(report.points.contains("after sync"));
  EXPECT_GE(report.points.size(), 4u);
}

TEST(KillPointTest, HasANameThatLeadsBackToIt) {
  for (const KillMoment moment : {KillMoment::kBefore, KillMoment::kAfter}) {
    for (size_t call = 0; call < KillPointCalls().size(); ++call) {
      const auto parsed = ParseKillPoint(ToString({.call = call, .moment = moment, .count = 12}));
      ASSERT_TRUE(parsed.has_value());
      EXPECT_EQ(parsed->call, call);
      EXPECT_EQ(parsed->moment, moment);
      EXPECT_EQ(parsed->count, 12u);
    }
  }
  for (const char* const wrong : {"", "-", "before", "before rename", "before rename 0",
                                  "before rename 3x", "during rename 3", "before flock 3"}) {
    EXPECT_FALSE(ParseKillPoint(wrong).has_value()) << wrong;
  }
}

TEST(KillCheckTest, PassesAStoreThatPromisesAPrefix) {
  EXPECT_EQ(Check("unsynced", 40), std::vector<std::string>());
}

TEST(KillCheckTest, RefusesAStoreThatAcknowledgesTooSoon) {
  const std::vector<std::string> failures = Check("hasty", 40);
  ASSERT_FALSE(failures.empty());
  EXPECT_NE(failures.front().find("operations were promised"), std::string::npos)
      << failures.front();
}

TEST(KillCheckTest, ValuesDescribeThemselves) {
  const std::string value = KillValue(7, 1, 42, 3, {1, 2, 3});
  const auto parts = ParseKillValue(7, 1, value);
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->number, 42u);
  EXPECT_EQ(parts->slot, 3u);
  EXPECT_EQ(parts->acknowledged, (KillCounts{1, 2, 3}));
  EXPECT_FALSE(ParseKillValue(7, 2, value).has_value()) << "another writer's";
  EXPECT_FALSE(ParseKillValue(7, 1, value + "x").has_value());
  EXPECT_FALSE(ParseKillValue(7, 1, "").has_value());
}

}  // namespace
}  // namespace kv::testing

int main(int argc, char** argv) {
  if (kv::testing::IsKillWriter(argc, argv)) {
    return kv::testing::RunKillWriter(kv::testing::Named(argv[argc - 1]), argc, argv);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
