// Atomic: std::atomic as the model of explore.h sees it. Outside a trial it is a plain variable.
//
// Thread safety: of one thread; the threads of a trial are fibers.
// Memory order: that of the program, which the model obeys.
#ifndef KV_TESTING_INTERLEAVING_ATOMIC_H_
#define KV_TESTING_INTERLEAVING_ATOMIC_H_

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "kv/testing/interleaving/machine.h"

namespace kv::testing::interleaving {

template <typename T>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr auto kSeqCst = std::memory_order_seq_cst;

 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  Atomic() : Atomic(T{}) {}
  Atomic(T value) : values_{value} {}  // NOLINT: as std::atomic
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order = kSeqCst) const {
    const Hidden hidden;
    Enter();
    return values_[location_.Load(order)];
  }

  void store(T value, std::memory_order order = kSeqCst) {
    const Hidden hidden;
    Enter();
    location_.Store(order);
    Keep(value);
  }

  T exchange(T value, std::memory_order order = kSeqCst) {
    return Update(order, [value](T) { return value; });
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) {
    const Hidden hidden;
    Enter();
    const T seen = values_[location_.Newest()];
    const bool stores = std::memcmp(&seen, &expected, sizeof(T)) == 0;
    location_.Exchange(stores ? success : failure, stores);
    if (stores) {
      Keep(desired);
    } else {
      expected = seen;
    }
    return stores;
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = kSeqCst) {
    return compare_exchange_strong(expected, desired, order, OfFailure(order));
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure) {
    return compare_exchange_strong(expected, desired, success, failure);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order = kSeqCst) {
    return compare_exchange_strong(expected, desired, order);
  }

  T fetch_add(std::ptrdiff_t by, std::memory_order order = kSeqCst) {
    return Update(order, [by](T value) { return static_cast<T>(value + static_cast<T>(by)); });
  }
  T fetch_sub(std::ptrdiff_t by, std::memory_order order = kSeqCst) {
    return Update(order, [by](T value) { return static_cast<T>(value - static_cast<T>(by)); });
  }
  T fetch_or(T bits, std::memory_order order = kSeqCst) requires std::integral<T> {
    return Update(order, [bits](T value) { return static_cast<T>(value | bits); });
  }
  T fetch_and(T bits, std::memory_order order = kSeqCst) requires std::integral<T> {
    return Update(order, [bits](T value) { return static_cast<T>(value & bits); });
  }

  operator T() const { return load(); }  // NOLINT: as std::atomic
  T operator=(T value) {                 // NOLINT: as std::atomic
    store(value);
    return value;
  }

 private:
  static std::memory_order OfFailure(std::memory_order order) {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    return order == std::memory_order_release ? std::memory_order_relaxed : order;
  }

  void Enter() const {
    if (location_.Enter() && values_.size() > 1) values_ = {values_.back()};
  }

  // Behind a store: in a trial each has its value, outside there is one.
  void Keep(T value) {
    if (values_.size() == location_.last()) {
      values_.push_back(value);
    } else {
      values_.back() = value;
    }
  }

  template <typename F>
  T Update(std::memory_order order, F&& change) {
    const Hidden hidden;
    Enter();
    const T seen = values_[location_.Newest()];
    location_.Exchange(order, true);
    Keep(change(seen));
    return seen;
  }

  // mutable: a load has a place in the history of the object, too.
  mutable Location location_;
  mutable std::vector<T> values_;
};

inline void Fence(std::memory_order order) {
  const Hidden hidden;
  if (Machine* const machine = Machine::Current()) machine->Fence(order);
}

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_ATOMIC_H_
