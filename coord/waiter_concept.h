// Waiter: how a worker without work waits for some.
//
//   worker:    PrepareWait();  if there is work: CancelWait(), else Wait();
//   registrant:  make work known;  Notify(1);
//
// What a model promises, beyond the signatures:
//
//   No lost wake-up. Of a thread that calls PrepareWait and then looks for work, and one that makes
//   work known and then calls Notify: either the look sees the work, or the Wait behind it returns
//   on account of that Notify, or of an earlier one whose waiter has yet to return and look. "Makes
//   known" and "looks" are sequentially consistent operations on atomics, or under one lock.
//   Counted. Notify(n) lets n waiters return, or all where there are fewer; whoever has been
//   notified and not returned yet is not notified again. A Wait that was not notified does not
//   return.
//   A notification is kept: one that comes between PrepareWait and Wait lets Wait return at once.
//   Order. What was done before Notify happens before what follows the Wait that it ended.
//   Cheap where it matters. Notify is one load while nobody waits, or everybody who waits has been
//   notified.
//
// Each PrepareWait is followed by one CancelWait, Wait or WaitFor of the same thread.
//
// Thread safety: all functions from any thread; at most 1023 threads wait.
#ifndef COORD_WAITER_CONCEPT_H_
#define COORD_WAITER_CONCEPT_H_

#include <chrono>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace coord {

template <typename W>
concept Waiter = std::default_initializable<W> &&
    requires(W& waiter, size_t count, std::chrono::nanoseconds longest) {
  { W::kName } -> std::convertible_to<std::string_view>;
  { waiter.PrepareWait() } -> std::same_as<void>;
  // Where all who wait have been notified it takes the notification of one along.
  { waiter.CancelWait() } -> std::same_as<void>;
  { waiter.Wait() } -> std::same_as<void>;
  // Whether it was notified before the time was over.
  { waiter.WaitFor(longest) } -> std::same_as<bool>;
  // How many have been notified by this call.
  { waiter.Notify(count) } -> std::same_as<size_t>;
  { waiter.NotifyAll() } -> std::same_as<size_t>;
};

}  // namespace coord

#endif  // COORD_WAITER_CONCEPT_H_
