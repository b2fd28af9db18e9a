// The durable checks of the suite on the store that is simple enough to be right, on both kinds of
// files and under both kinds of commit policy.
#include "kv/testing/reference_store.h"

#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/simulated_environment.h"

namespace kv::testing {
namespace {

[[maybe_unused]] const bool kOnPosixFiles =
    RegisterConformance(CompositionOf<ReferenceStore<>>("ReferenceStore"));

[[maybe_unused]] const bool kUnsynced = RegisterConformance(
    CompositionOf<ReferenceStore<SystemEnvironment, UnsyncedParts>>("UnsyncedReferenceStore"));

[[maybe_unused]] const bool kSimulated =
    RegisterConformance(CompositionOf<ReferenceStore<SimulatedEnvironment>>(
        "SimulatedReferenceStore", SimulatedEnvironment{}));

}  // namespace
}  // namespace kv::testing
