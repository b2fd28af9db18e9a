#include "bench/coord/source_peers.h"

#include <vector>

#include "bench/coord/cases.h"

namespace bench {

void AddSourcePeers(std::vector<MicroCase>* cases) {
  AddLoads<SourceV1>(cases);
  AddLoads<SourceV2>(cases);
}

}  // namespace bench
