#include "bench/claims/cases.h"

#include <vector>

namespace bench {

std::vector<MicroCase> MicroCases() {
  std::vector<MicroCase> cases;
  for (const auto& some : {MemtableCases(), TableIndexCases()}) {
    cases.insert(cases.end(), some.begin(), some.end());
  }
  return cases;
}

}  // namespace bench
