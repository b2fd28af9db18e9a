// The conformance suite over both memory engines, with a clock that the checks turn.
#include "kv/testing/conformance.h"

#include "engines/memory/test_parts.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/testing/engine_adapter.h"

namespace kv::testing {
namespace {

template <Engine E>
Composition OnManualClock(std::string name) {
  ManualClock clock;
  Composition composition = CompositionOf<E>(std::move(name));
  composition.open = [clock](const Options& options) { return Erase<E>(E::Open(options, clock)); };
  composition.unix_millis = [clock] { return clock.UnixMillis(); };
  composition.manual_clock = true;
  composition.advance_millis = [clock](uint64_t millis) mutable { clock.AdvanceMillis(millis); };
  return composition;
}

const bool kRegistered =
    RegisterConformance(OnManualClock<HashMemory<ShardedParts, ManualClock>>("memory")) &&
    RegisterConformance(OnManualClock<OrderedMemory<TreeParts, ManualClock>>("memory_ordered")) &&
    RegisterConformance(CompositionOf<OneShard>("one_shard")) &&
    RegisterConformance(CompositionOf<OnSkipList>("skip_list"));

TEST(MemoryConformance, IsRegistered) { EXPECT_TRUE(kRegistered); }

}  // namespace
}  // namespace kv::testing
