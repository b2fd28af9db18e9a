#include "engines/lsm/store_testing.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "engines/lsm/engine.h"
#include "engines/lsm/separated_testing.h"
#include "kv/testing/engine_adapter.h"

namespace kv {

template <typename Parts>
std::string SharedStore<Parts>::Format() {
  return Lsm<Parts, SimulatedEnvironment>::Format();
}

template <typename Parts>
absl::StatusOr<std::unique_ptr<SharedStore<Parts>>> SharedStore<Parts>::Open(
    const Options& options, const Environment& environment) {
  using Store = Lsm<Parts, SimulatedEnvironment>;
  auto store = Store::Open(options, environment);
  if (!store.ok()) return std::move(store).status();
  return std::make_unique<SharedStore>(
      std::make_unique<testing::EngineAdapter<Store>>(*std::move(store)));
}

template class SharedStore<SyncedParts>;
template class SharedStore<UnsyncedParts>;
template class SharedStore<SeparatedParts>;
template class SharedStore<SeparatedUnsyncedParts>;
template class SharedStore<SeparatedPreadParts>;

}  // namespace kv
