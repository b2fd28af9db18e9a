// Atomic, AtomicRef: std::atomic and std::atomic_ref as the model of explore.h sees them.
//
// An Atomic is its value and nothing else, of the same size and as trivial to destroy: the stores
// of a run are the machine's. So it may lie in an arena, and zeros are one. Outside of Trial::Run
// it is a plain variable.
//
// Each operation knows where it stands in the source, so that orders.h can weaken it there.
//
// Thread safety: of one thread; the threads of a trial are fibers.
// Memory order: that of the program, which the model obeys.
#ifndef KV_TESTING_INTERLEAVING_ATOMIC_H_
#define KV_TESTING_INTERLEAVING_ATOMIC_H_

#include <atomic>
#include <concepts>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <type_traits>

#include "kv/testing/interleaving/machine.h"
#include "kv/testing/interleaving/orders.h"

namespace kv::testing::interleaving {

// The operations of Self, whose Address() is where the value is.
template <typename T, typename Self>
class AtomicOperations {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(Bits));
  using Order = std::memory_order;
  using Where = std::source_location;
  static constexpr auto kSeqCst = std::memory_order_seq_cst;

 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  T load(Order order = kSeqCst, Where where = Where::current()) const {
    Machine* const machine = Machine::Running();
    if (machine == nullptr) return *At();
    Touch(At(), sizeof(T));
    const Hidden hidden;
    const Order now = OrderAt(Operation::kLoad, order, where);
    return ToValue(Enter(*machine, now == kSeqCst, where).Load(now));
  }

  void store(T value, Order order = kSeqCst, Where where = Where::current()) {
    Machine* const machine = Machine::Running();
    if (machine == nullptr) {
      *At() = value;
      return;
    }
    Touch(At(), sizeof(T));
    const Hidden hidden;
    const Order now = OrderAt(Operation::kStore, order, where);
    Enter(*machine, true, where).Store(now, ToBits(value));
    *At() = value;
  }

  T exchange(T value, Order order = kSeqCst, Where where = Where::current()) {
    return Update(order, where, [value](T) { return value; });
  }

  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure,
                               Where where = Where::current()) {
    const bool model = Machine::Running() != nullptr;
    return Compare(expected, desired,
                   model ? OrderAt(Operation::kCompareExchange, success, where) : success,
                   model ? OrderAt(Operation::kFailure, failure, where) : failure, where);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = kSeqCst,
                               Where where = Where::current()) {
    const bool model = Machine::Running() != nullptr;
    const Order now = model ? OrderAt(Operation::kCompareExchange, order, where) : order;
    return Compare(expected, desired, now, OfFailure(now), where);
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure,
                             Where where = Where::current()) {
    return compare_exchange_strong(expected, desired, success, failure, where);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = kSeqCst,
                             Where where = Where::current()) {
    return compare_exchange_strong(expected, desired, order, where);
  }

  T fetch_add(T by, Order order = kSeqCst,
              Where where = Where::current()) requires std::integral<T> {
    return Update(order, where, [by](T value) { return static_cast<T>(value + by); });
  }
  T fetch_sub(T by, Order order = kSeqCst,
              Where where = Where::current()) requires std::integral<T> {
    return Update(order, where, [by](T value) { return static_cast<T>(value - by); });
  }
  T fetch_or(T bits, Order order = kSeqCst,
             Where where = Where::current()) requires std::integral<T> {
    return Update(order, where, [bits](T value) { return static_cast<T>(value | bits); });
  }
  T fetch_and(T bits, Order order = kSeqCst,
              Where where = Where::current()) requires std::integral<T> {
    return Update(order, where, [bits](T value) { return static_cast<T>(value & bits); });
  }
  T fetch_xor(T bits, Order order = kSeqCst,
              Where where = Where::current()) requires std::integral<T> {
    return Update(order, where, [bits](T value) { return static_cast<T>(value ^ bits); });
  }

  void wait(T old, Order order = kSeqCst, Where where = Where::current()) const {
    while (ToBits(load(order, where)) == ToBits(old)) {
      Machine* const machine = Machine::Running();
      if (machine == nullptr) std::abort();  // nobody else is there to wake it
      const Hidden hidden;
      machine->Park(At(), ToBits(old));
    }
  }
  void notify_one() { Notify(false); }
  void notify_all() { Notify(true); }

  operator T() const { return load(); }  // NOLINT: as std::atomic

 private:
  static Order OfFailure(Order order) {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    return order == std::memory_order_release ? std::memory_order_relaxed : order;
  }

  static Bits ToBits(T value) {
    Bits bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
  }
  static T ToValue(Bits bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  T* At() const { return static_cast<const Self*>(this)->Address(); }

  Location& Enter(Machine& machine, bool acts, const Where& where) const {
    return machine.Enter(At(), ToBits(*At()), acts, where);
  }

  template <typename F>
  T Update(Order order, const Where& where, F&& change) {
    Machine* const machine = Machine::Running();
    if (machine == nullptr) {
      const T seen = *At();
      *At() = change(seen);
      return seen;
    }
    Touch(At(), sizeof(T));
    const Hidden hidden;
    const Order now = OrderAt(Operation::kUpdate, order, where);
    Location& location = Enter(*machine, true, where);
    const T seen = ToValue(location.newest());
    const T fresh = change(seen);
    const Bits bits = ToBits(fresh);
    location.Exchange(now, &bits);
    *At() = fresh;
    return seen;
  }

  bool Compare(T& expected, T desired, Order success, Order failure, const Where& where) {
    Machine* const machine = Machine::Running();
    if (machine == nullptr) {
      const bool equal = ToBits(*At()) == ToBits(expected);
      (equal ? *At() : expected) = equal ? desired : *At();
      return equal;
    }
    Touch(At(), sizeof(T));
    const Hidden hidden;
    Location& location = Enter(*machine, true, where);
    const Bits seen = location.newest();
    const bool equal = seen == ToBits(expected);
    const Bits bits = ToBits(desired);
    location.Exchange(equal ? success : failure, equal ? &bits : nullptr);
    (equal ? *At() : expected) = equal ? desired : ToValue(seen);
    return equal;
  }

  void Notify(bool all) {
    Machine* const machine = Machine::Running();
    if (machine == nullptr) return;
    const Hidden hidden;
    machine->Notify(At(), all);
  }
};

template <typename T>
class Atomic : public AtomicOperations<T, Atomic<T>> {
 public:
  constexpr Atomic() : Atomic(T{}) {}
  constexpr Atomic(T value) : value_(value) {  // NOLINT: as std::atomic
    if (!std::is_constant_evaluated()) Begin();
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;
  T operator=(T value) {  // NOLINT: as std::atomic
    this->store(value);
    return value;
  }

  T* Address() const { return &value_; }

 private:
  // What was known of another one at its place is forgotten.
  void Begin() {
    if (Machine* const machine = Machine::Running()) {
      const Hidden hidden;
      machine->Forget(&value_);
    }
  }

  mutable T value_;  // the newest
};

template <typename T>
class AtomicRef : public AtomicOperations<T, AtomicRef<T>> {
 public:
  explicit AtomicRef(T& value) : value_(&value) {}
  T* Address() const { return value_; }

 private:
  T* value_;
};

inline void Fence(std::memory_order order,
                  std::source_location where = std::source_location::current()) {
  const Hidden hidden;
  if (Machine* const machine = Machine::Running()) {
    machine->Fence(OrderAt(Operation::kFence, order, where));
  }
}

static_assert(sizeof(Atomic<char>) == 1 && sizeof(Atomic<void*>) == sizeof(void*));
static_assert(std::is_trivially_destructible_v<Atomic<int>>);

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_ATOMIC_H_
