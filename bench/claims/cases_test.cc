#include "bench/claims/cases.h"

#include <set>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace bench {
namespace {

void ExpectRuns(std::span<const MicroCase> cases) {
  ASSERT_FALSE(cases.empty());
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const MicroCase& one : cases) {
    SCOPED_TRACE(std::string(one.workload) + " " + std::string(one.system));
    EXPECT_TRUE(names.emplace(one.workload, one.system).second);
    EXPECT_FALSE(one.description.empty());
    const auto result =
        one.run({.threads = 2, .num = 300, .seed = 7, .directory = ::testing::TempDir()});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_GT(result->operations, 0u);
    EXPECT_GT(result->seconds, 0);
  }
}

TEST(Memtables, EveryCaseRuns) { ExpectRuns(MemtableCases()); }

TEST(Memtables, PutsAndGetsOfAllThreadsAreCounted) {
  const auto result =
      MemtableCases()[0].run({.threads = 3, .num = 100, .seed = 1, .directory = ""});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->operations, 600u);
}

TEST(TableIndex, EveryCaseRuns) { ExpectRuns(TableIndexCases()); }

TEST(TableIndex, AnUnwritableDirectoryIsAnError) {
  EXPECT_FALSE(
      TableIndexCases()[0].run({.num = 10, .seed = 1, .directory = "/nowhere/at/all"}).ok());
}

}  // namespace
}  // namespace bench
