#include "kv/base/read_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace kv {
namespace {

struct Object {
  static constexpr uint64_t kAlive = 0x600d;
  ~Object() {
    // Not atomic: thread sanitizer reports a reader that is still there.
    alive = 0;
    also_alive = 0;
  }
  uint64_t alive = kAlive;
  uint64_t also_alive = kAlive;
};

TEST(ReadGateTest, SynchronizeWithoutReadersReturns) {
  ReadGate gate;
  for (int i = 0; i < 5; ++i) gate.Synchronize();
  { const auto guard = gate.Enter(); }
  gate.Synchronize();
}

TEST(ReadGateTest, SynchronizeWaitsForAGuardAndNestedGuards) {
  ReadGate gate;
  std::atomic<bool> entered = false;
  std::atomic<bool> leaving = false;
  std::thread reader([&] {
    const auto outer = gate.Enter();
    { const auto inner = gate.Enter(); }
    entered = true;
    // Long enough for a Synchronize that does not wait to be caught, on some runs.
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    leaving = true;
  });
  while (!entered) std::this_thread::yield();
  gate.Synchronize();
  EXPECT_TRUE(leaving);
  reader.join();
}

TEST(ReadGateTest, ReadersThatComeWithoutEndDoNotStarveSynchronize) {
  ReadGate gate;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      // Each holds its next guard before it gives up the one before.
      std::unique_ptr<ReadGate::Guard> guard;
      while (!stop) {
        std::unique_ptr<ReadGate::Guard> next(new ReadGate::Guard(gate.Enter()));
        guard.swap(next);
      }
    });
  }
  for (int i = 0; i < 100; ++i) gate.Synchronize();
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(ReadGateTest, NoReaderSeesAReclaimedObject) {
  constexpr int kReaders = 4;
  constexpr int kWriters = 2;
  constexpr int kReplacements = 1000;
  ReadGate gate;
  std::atomic<Object*> current{new Object};
  std::atomic<int> writing = kWriters;
  std::atomic<uint64_t> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&] {
      while (writing > 0) {
        const auto guard = gate.Enter();
        const Object* const object = current.load(std::memory_order_seq_cst);
        if (object->alive != Object::kAlive) ++wrong;
        std::this_thread::yield();
        if (object->also_alive != Object::kAlive) ++wrong;
      }
    });
  }
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&] {
      for (int replaced = 0; replaced < kReplacements; ++replaced) {
        const std::unique_ptr<Object> old(current.exchange(new Object));
        gate.Synchronize();
      }
      --writing;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  delete current.load();
}

}  // namespace
}  // namespace kv
