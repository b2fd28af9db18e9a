// One stripe for all keys: 64 bytes.
//
// For: stores without compare-and-set, or with one thread: batches of any size take one lock. It is
// the least, not the quickest: no load was found whose figures it betters (docs/policies.md).
// Not for: compare-and-sets from more than one thread; each one stops every write for as long as
// it lasts, a sync included (see hashed.h).
#ifndef KV_STRIPING_SINGLE_H_
#define KV_STRIPING_SINGLE_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "kv/striping/concept.h"
#include "kv/striping/stripe_lock.h"

namespace kv {

class SingleStripe {
 public:
  static constexpr std::string_view kName = "single";

  [[nodiscard]] SharedStripeGuard Share(uint64_t) { return SharedStripeGuard(&lock_); }
  [[nodiscard]] ExclusiveStripeGuard Exclude(uint64_t) { return ExclusiveStripeGuard(&lock_); }
  [[nodiscard]] SharedStripeGuard ShareAll(std::span<const uint64_t>) {
    return SharedStripeGuard(&lock_);
  }
  [[nodiscard]] SharedStripeGuard ShareEvery() { return SharedStripeGuard(&lock_); }

 private:
  StripeLock lock_;
};

static_assert(Striping<SingleStripe>);

}  // namespace kv

#endif  // KV_STRIPING_SINGLE_H_
