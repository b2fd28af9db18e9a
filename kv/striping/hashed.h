// kStripes locks, chosen by the low bits of the key's hash: 64 bytes each.
//
// Keys of one stripe wait for one another's compare-and-sets. With t of them in flight the next
// write meets one with probability t / kStripes.
//
// Invariant: a batch holds its stripes as a set of bits and takes them in ascending order. Everyone
// else holds one stripe, so no circle of waiting can close.
//
// For: compare-and-sets from several threads: those of different keys share a sync.
// Not for: stores without compare-and-set from several threads (see single.h).
#ifndef KV_STRIPING_HASHED_H_
#define KV_STRIPING_HASHED_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "kv/base/policy_name.h"
#include "kv/striping/concept.h"
#include "kv/striping/stripe_lock.h"

namespace kv {

template <size_t kStripes = 256>
class HashedStripes {
  static_assert(std::has_single_bit(kStripes), "a stripe is chosen by masking the hash");
  static_assert(kStripes <= 4096, "a batch's guard has a bit for each stripe");

  using StripeSet = std::array<uint64_t, (kStripes + 63) / 64>;

 public:
  static constexpr std::string_view kName = kPolicyName<"hashed", kStripes>;

  class BatchGuard {
   public:
    BatchGuard(HashedStripes* stripes, std::span<const uint64_t> hashes) : stripes_(stripes) {
      for (const uint64_t hash : hashes) {
        const size_t stripe = StripeOf(hash);
        held_[stripe / 64] |= uint64_t{1} << (stripe % 64);
      }
      ForEachHeld([](StripeLock& lock) { lock.LockShared(); });
    }
    // Of every stripe: kStripes atomic additions, and as many to leave.
    explicit BatchGuard(HashedStripes* stripes) : stripes_(stripes) {
      for (size_t stripe = 0; stripe < kStripes; ++stripe) {
        held_[stripe / 64] |= uint64_t{1} << (stripe % 64);
      }
      ForEachHeld([](StripeLock& lock) { lock.LockShared(); });
    }
    BatchGuard(BatchGuard&& from) noexcept
        : stripes_(from.stripes_), held_(std::exchange(from.held_, StripeSet{})) {}
    BatchGuard& operator=(BatchGuard&&) = delete;
    ~BatchGuard() {
      ForEachHeld([](StripeLock& lock) { lock.UnlockShared(); });
    }

   private:
    // In ascending order.
    template <typename F>
    void ForEachHeld(F&& visit) {
      for (size_t word = 0; word < held_.size(); ++word) {
        for (uint64_t left = held_[word]; left != 0; left &= left - 1) {
          visit(stripes_->locks_[word * 64 + static_cast<size_t>(std::countr_zero(left))]);
        }
      }
    }

    HashedStripes* stripes_;
    StripeSet held_{};
  };

  [[nodiscard]] SharedStripeGuard Share(uint64_t key_hash) {
    return SharedStripeGuard(&locks_[StripeOf(key_hash)]);
  }
  [[nodiscard]] ExclusiveStripeGuard Exclude(uint64_t key_hash) {
    return ExclusiveStripeGuard(&locks_[StripeOf(key_hash)]);
  }
  [[nodiscard]] BatchGuard ShareAll(std::span<const uint64_t> hashes) {
    return BatchGuard(this, hashes);
  }
  [[nodiscard]] BatchGuard ShareEvery() { return BatchGuard(this); }

 private:
  static size_t StripeOf(uint64_t hash) { return hash % kStripes; }

  std::array<StripeLock, kStripes> locks_;
};

static_assert(Striping<HashedStripes<256>>);

}  // namespace kv

#endif  // KV_STRIPING_HASHED_H_
