// Small stores that separate values of a few bytes, for tests: value files of a few KiB, so that a
// short history fills, collects and removes them.
#ifndef ENGINES_LSM_SEPARATED_TESTING_H_
#define ENGINES_LSM_SEPARATED_TESTING_H_

#include "engines/lsm/store_testing.h"
#include "kv/commit/none.h"
#include "kv/reading/pread.h"
#include "kv/values/separated.h"

namespace kv {

// Most values of the tests are separated, and the shortest are not.
struct SeparatedParts : SyncedParts {
  using Values = SeparatedValues<SeparatedShape{
      .min_bytes = 4, .max_garbage_percent = 50, .file_bytes = 1024}>;
};
struct SeparatedUnsyncedParts : SeparatedParts {
  using Commit = NoCommit;
};
struct SeparatedPreadParts : SeparatedParts {
  using Reading = PreadReading;
};

using SeparatedStore = SharedStore<SeparatedParts>;
using SeparatedUnsyncedStore = SharedStore<SeparatedUnsyncedParts>;
using SeparatedPreadStore = SharedStore<SeparatedPreadParts>;

}  // namespace kv

#endif  // ENGINES_LSM_SEPARATED_TESTING_H_
