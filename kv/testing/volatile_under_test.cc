// What a composition without files has in place of simulated_under_test.cc, so that the same main
// can be linked with either.
#include "absl/status/status.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/simulated_under_test.h"

namespace kv::testing {

Composition SimulatedUnderTest(const SimulatedEnvironment&) {
  Composition composition = CompositionUnderTest();
  composition.open = [](const Options&) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
    return absl::UnimplementedError("a volatile composition has no files");
  };
  return composition;
}

}  // namespace kv::testing
