#include "bench/coord/library_peers.h"

#include <vector>

#include "bench/coord/cases.h"

namespace bench {

void AddLibraryPeers(std::vector<MicroCase>* cases) {
  AddLoads<Moodycamel>(cases);
  AddLoads<Tbb>(cases);
  AddWake<MoodycamelBlocking>(cases);
}

}  // namespace bench
