// The small stores that separate values, on the machine's files: for the suites of compositions.
#ifndef ENGINES_LSM_SEPARATED_SMALL_TESTING_H_
#define ENGINES_LSM_SEPARATED_SMALL_TESTING_H_

#include "engines/lsm/engine.h"
#include "engines/lsm/separated_testing.h"
#include "kv/commit/group.h"

namespace kv {

struct SeparatedGroupParts : SeparatedParts {
  using Commit = GroupCommit<>;
};

using LsmSeparatedSmall = Lsm<SeparatedGroupParts>;
using LsmSeparatedSmallPread = Lsm<SeparatedPreadParts>;

}  // namespace kv

#endif  // ENGINES_LSM_SEPARATED_SMALL_TESTING_H_
