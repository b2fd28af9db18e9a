// Every check there is.
#include "kv/testing/conformance.h"
#include "kv/testing/script.h"

namespace kv::testing {

std::vector<Check> AllChecks() {
  std::vector<Check> all;
  for (const std::span<const Check> theme :
       {PointChecks(), BatchChecks(), RangeChecks(), BulkChecks(), CasChecks(), ExpiryChecks(),
        CursorChecks(), ConcurrencyChecks(), LinearizabilityChecks(), LifecycleChecks(),
        DurableChecks(), CheckpointChecks(), CorruptionChecks(), DefectChecks(), HistoryChecks()}) {
    all.insert(all.end(), theme.begin(), theme.end());
  }
  const std::vector<Check> scripts = ScriptChecks();
  all.insert(all.end(), scripts.begin(), scripts.end());
  return all;
}

}  // namespace kv::testing
