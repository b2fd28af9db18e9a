// One composition of each engine through the conformance suite, for the sanitizers (BUILD.bazel):
// in one file, since each sanitizer compiles everything once more.
#include "engines/compositions/btree.h"
#include "engines/compositions/log.h"
#include "engines/compositions/lsm_leveled.h"
#include "engines/compositions/memory.h"
#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"

namespace kv::testing {
namespace {

const bool kRegistered = RegisterConformance(CompositionOf<BtreeDurable>("btree")) &&
                         RegisterConformance(CompositionOf<Log>("log")) &&
                         RegisterConformance(CompositionOf<LsmLeveled>("lsm_leveled")) &&
                         RegisterConformance(CompositionOf<Memory>("memory"));

TEST(Sanitized, IsRegistered) { EXPECT_TRUE(kRegistered); }

}  // namespace
}  // namespace kv::testing
