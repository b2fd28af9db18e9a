#include "bench/coord/locked_peers.h"

#include <vector>

#include "bench/coord/cases.h"

namespace bench {

void AddLockedPeers(std::vector<MicroCase>* cases) {
  AddLoads<LockedDeque>(cases);
  AddLoads<SourceLocked>(cases);
  AddWake<LockedDeque>(cases);
}

}  // namespace bench
