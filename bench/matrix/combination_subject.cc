#include "bench/matrix/combination_subject.h"

#include <utility>

#include "absl/status/statusor.h"
#include "bench/engine_subject.h"
#include "kv/testing/any_store.h"

namespace bench {

using kv::testing::AnyStore;

std::unique_ptr<Subject> CombinationSubject(const kv::testing::Composition& combination) {
  return std::make_unique<EngineSubject<AnyStore>>(
      Capabilities{.name = combination.name,
                   .descriptor = combination.descriptor,
                   .durable = combination.has.durable,
                   .ordered = combination.has.ordered,
                   .expiry = combination.has.expiry,
                   .compaction = combination.has.durable},
      [open = combination.open](
          const kv::Options& options) -> absl::StatusOr<std::unique_ptr<AnyStore>> {
        auto engine = open(options);
        if (!engine.ok()) return std::move(engine).status();
        return std::make_unique<AnyStore>(*std::move(engine));
      });
}

}  // namespace bench
