// LazyLeveledCompaction against testdata/lazy_leveled (golden.h says how those files read).

#include "kv/compaction/lazy_leveled.h"

#include "gtest/gtest.h"
#include "kv/compaction/golden.h"

namespace kv {
namespace {

using Policy = LazyLeveledCompaction<LazyLeveledShape{.l0_trigger = 4,
                                                      .l0_slow = 8,
                                                      .l0_stop = 16,
                                                      .runs = 2,
                                                      .tiers = 2,
                                                      .run_bytes = 40,
                                                      .file_bytes = 20,
                                                      .step_bytes = 40}>;

TEST(LazyLeveledCompaction, Golden) {
  CheckGolden<Policy>("kv/compaction/testdata/lazy_leveled", 10);
}

TEST(LazyLeveledCompaction, NameHasTheShape) {
  EXPECT_EQ(LazyLeveledCompaction<>::kName, "lazy_leveled<4,16,64,4,8,1,64M,16M,128M>");
  EXPECT_EQ(Policy::kName, "lazy_leveled<4,8,16,2,2,1,40,20,40>");
}

}  // namespace
}  // namespace kv
