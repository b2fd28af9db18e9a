// Subjects of orders_test.cc: each with orders of which it is known whether they are needed.
//
// Memory order: beside each.
// Thread safety: as far as the orders go.
#ifndef KV_TESTING_INTERLEAVING_ORDERS_SUBJECTS_H_
#define KV_TESTING_INTERLEAVING_ORDERS_SUBJECTS_H_

#include <array>
#include <atomic>
#include <cstddef>

#include "kv/testing/interleaving/atomic.h"

namespace kv::testing::interleaving {

class Mailbox {
 public:
  // The two pair with each other.
  void Send(int message) {
    message_.store(message, std::memory_order_relaxed);
    sent_.store(true, std::memory_order_release);
  }
  int Receive() {
    return sent_.load(std::memory_order_acquire) ? message_.load(std::memory_order_relaxed) : -1;
  }

 private:
  Atomic<int> message_{0};
  Atomic<bool> sent_{false};
};

// The same with a message that is no atomic.
class Parcel {
 public:
  void Send(int message) {
    message_ = message;
    sent_.store(true, std::memory_order_release);
  }
  int Receive() { return sent_.load(std::memory_order_acquire) ? message_ : -1; }

 private:
  int message_ = 0;
  Atomic<bool> sent_{false};
};

class Counter {
 public:
  void Add() {
    // Neither is needed: an addition is one step whatever its order, and nothing reads the flag.
    count_.fetch_add(1, std::memory_order_seq_cst);
    added_.store(true, std::memory_order_release);
  }
  int Value() const { return count_.load(std::memory_order_relaxed); }

 private:
  Atomic<int> count_{0};
  Atomic<bool> added_{false};
};

// Dekker's: both are needed in full.
class Flags {
 public:
  // Raises the flag of `mine`; whether the other one is up.
  bool Raise(size_t mine) {
    flags_[mine].store(true, std::memory_order_seq_cst);
    return flags_[1 - mine].load(std::memory_order_seq_cst);
  }

 private:
  std::array<Atomic<bool>, 2> flags_{};
};

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_ORDERS_SUBJECTS_H_
