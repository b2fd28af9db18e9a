// The conformance suite over the peers: one that did less than the contract asks would be no
// measure of an engine that does it.
#include "bench/peers/locked_maps.h"

#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"

namespace kv::testing {
namespace {

const bool kRegistered =
    RegisterConformance(CompositionOf<peers::ShardedHashMap>("sharded_hash_map")) &&
    RegisterConformance(CompositionOf<peers::LockedOrderedMap>("locked_ordered_map"));

TEST(Peers, AreRegistered) { EXPECT_TRUE(kRegistered); }

}  // namespace
}  // namespace kv::testing
