// TieredCompaction against testdata/tiered (golden.h says how those files read).

#include "kv/compaction/tiered.h"

#include "gtest/gtest.h"
#include "kv/compaction/golden.h"

namespace kv {
namespace {

using Policy = TieredCompaction<TieredShape{.l0_trigger = 4,
                                            .l0_slow = 8,
                                            .l0_stop = 16,
                                            .runs = 2,
                                            .tiers = 3,
                                            .run_bytes = 40,
                                            .file_bytes = 20}>;

TEST(TieredCompaction, Golden) { CheckGolden<Policy>("kv/compaction/testdata/tiered", 20); }

TEST(TieredCompaction, NameHasTheShape) {
  EXPECT_EQ(TieredCompaction<>::kName, "tiered<4,16,64,4,8,64M,64M>");
  EXPECT_EQ(Policy::kName, "tiered<4,8,16,2,3,40,20>");
}

}  // namespace
}  // namespace kv
