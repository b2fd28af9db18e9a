#include "bench/coord/cases.h"

namespace bench {

std::vector<MicroCase> MicroCases() {
  std::vector<MicroCase> cases;
  AddOurs(&cases);
  AddLockedPeers(&cases);
  AddLibraryPeers(&cases);
  AddSourcePeers(&cases);
  return cases;
}

}  // namespace bench
