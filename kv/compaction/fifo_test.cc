// FifoCompaction against testdata/fifo (golden.h says how those files read).

#include "kv/compaction/fifo.h"

#include "gtest/gtest.h"
#include "kv/compaction/golden.h"

namespace kv {
namespace {

using Policy = FifoCompaction<FifoShape{.max_bytes = 100, .ttl_grace_millis = 10}>;

TEST(FifoCompaction, Golden) { CheckGolden<Policy>("kv/compaction/testdata/fifo", 9); }

TEST(FifoCompaction, NameHasTheShape) {
  EXPECT_EQ(FifoCompaction<>::kName, "fifo<1G,0,64M>");
  EXPECT_EQ(Policy::kName, "fifo<100,10,64M>");
}

}  // namespace
}  // namespace kv
