// The themes that have checks with threads, for programs that compile no others: a sanitizer
// compiles each once more.
#include "kv/testing/conformance.h"

namespace kv::testing {

std::vector<Check> AllChecks() {
  std::vector<Check> all;
  for (const std::span<const Check> theme :
       {BatchChecks(), CasChecks(), ConcurrencyChecks(), LinearizabilityChecks(), DurableChecks(),
        DefectChecks()}) {
    all.insert(all.end(), theme.begin(), theme.end());
  }
  return all;
}

}  // namespace kv::testing
