// Compiled once for each group of compositions, by the macros in suites.bzl: what they share, of
// the headers and of the engine, takes the compiler half as long as a composition, and is compiled
// once for the group. This is the one place in the tests where compositions are selected by a
// macro:
//
//   ASHLAR_COMPOSITIONS  a header that has them as CompositionsUnderTest, as an include path in
//                        quotes
//
// On both kinds of files in one file, for the same reason.
#include "kv/testing/composition_under_test.h"

#include ASHLAR_COMPOSITIONS

#include <stdexcept>
#include <string>
#include <tuple>

#include "kv/testing/engine_adapter.h"
#include "kv/testing/name_under_test.h"

namespace kv::testing {
namespace {

template <Engine E>
Composition OnSimulatedFiles(const std::string& name, const SimulatedEnvironment& environment) {
  if constexpr (DurableEngine<E>) {
    return CompositionOf<typename E::template On<SimulatedEnvironment>>(name, environment);
  } else {
    Composition composition = CompositionOf<E>(name);
    composition.open = [](const Options&) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
      return absl::UnimplementedError("a volatile composition has no files");
    };
    return composition;
  }
}

// make.operator()<E>() of the engine that NameUnderTest() names.
template <typename... C, typename Make>
Composition MakeNamed(const std::tuple<C...>*, Make make) {
  Composition made;
  const auto if_named = [&]<typename Candidate>() {
    if (Candidate::kName != NameUnderTest()) return false;
    made = make.template operator()<typename Candidate::Engine>();
    return true;
  };
  if ((if_named.template operator()<C>() || ...)) return made;
  throw std::logic_error(std::string("not compiled in: ") + NameUnderTest());
}

constexpr const CompositionsUnderTest* kCompiled = nullptr;

}  // namespace

Composition CompositionUnderTest() {
  return MakeNamed(kCompiled, []<Engine E>() { return CompositionOf<E>(NameUnderTest()); });
}

Composition SimulatedUnderTest(const SimulatedEnvironment& environment) {
  return MakeNamed(kCompiled,
                   [&]<Engine E>() { return OnSimulatedFiles<E>(NameUnderTest(), environment); });
}

}  // namespace kv::testing
