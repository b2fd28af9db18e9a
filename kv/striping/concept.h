// Striping: keeps a compare-and-set from being torn apart by other writes of its key.
//
// A put or delete takes its key's stripe shared: writes among themselves are ordered by the commit
// policy and need no lock. A compare-and-set takes it exclusive, so that between its comparison and
// its write no other write of the key takes effect. A batch takes the stripes of all its keys
// shared, at once.
//
// What a model promises, beyond the signatures:
//
//   Exclusion. While a guard of Exclude(h) lives, no other guard of h lives: not of Share(h), not
//   of Exclude(h), not of a ShareAll() that names h. Hashes that differ may exclude one another
//   too.
//   Sharing. Guards of Share(), ShareAll() and ShareEvery() never exclude one another; they only
//   wait for guards of Exclude(), held or waited for.
//   Everything. ShareEvery() is a ShareAll() that names every hash there is: for a write of keys
//   that are not known one by one, such as the deletion of a range.
//   Batches. ShareAll() takes every stripe of its hashes once, whatever the order and repetition of
//   the hashes, so batches and other callers never deadlock. `hashes` need not outlive the call.
//   Order. What was done under a guard happens before what is done under a later guard that it
//   excludes.
//   Fairness. Sharers that come and go without end do not starve an excluder, nor do excluders
//   starve a sharer. Excluders among themselves are served in no promised order.
//   Waiting. A guard may be held across an fdatasync (milliseconds), so waiting parks the thread.
//   Thread safety. All functions may be called from many threads. A guard is released by the
//   thread that got it, and a thread that holds one must not ask for another: a waiting excluder
//   blocks new sharers, so asking twice deadlocks. Guards must not outlive the striping.
//
// Omits: try-lock, upgrade from shared to exclusive, exclusion over several keys.
#ifndef KV_STRIPING_CONCEPT_H_
#define KV_STRIPING_CONCEPT_H_

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace kv {

// Holds its stripes from the call that returned it until it is destroyed.
template <typename G>
concept StripeGuard = std::destructible<G> && !std::copy_constructible<G>;

template <typename S>
concept Striping = std::default_initializable<S> &&
    requires(S& stripes, uint64_t key_hash, std::span<const uint64_t> hashes) {
  { S::kName } -> std::same_as<const std::string_view&>;
  { stripes.Share(key_hash) } -> StripeGuard;
  { stripes.Exclude(key_hash) } -> StripeGuard;
  { stripes.ShareAll(hashes) } -> StripeGuard;
  { stripes.ShareEvery() } -> StripeGuard;
};

}  // namespace kv

#endif  // KV_STRIPING_CONCEPT_H_
