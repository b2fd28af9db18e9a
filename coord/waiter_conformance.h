// What every waiter must do (waiter_concept.h), as checks that return OK or say which promise was
// broken. A right waiter is never refused for being slow: `patience` is how long a wait that should
// end may take before the suite gives up on it.
//
// Memory order: the suite's own counts are seq_cst, as the concept asks of work.
// Thread safety: each check starts its own threads. Run them with ThreadSanitizer too.
#ifndef COORD_WAITER_CONFORMANCE_H_
#define COORD_WAITER_CONFORMANCE_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "coord/queue_conformance.h"
#include "coord/waiter_concept.h"
#include "kv/base/status.h"

namespace coord {

inline constexpr std::chrono::nanoseconds kWaitPatience = std::chrono::seconds(30);

// One thread: who is counted, and which notifications are kept.
template <Waiter W>
absl::Status CheckWaiterAlone() {
  using conformance::Failure;
  constexpr std::chrono::nanoseconds kShort = std::chrono::milliseconds(1);
  W waiter;
  if (waiter.Notify(1) != 0) return Failure("somebody was notified, and nobody waits");
  waiter.PrepareWait();
  if (waiter.Notify(5) != 1) return Failure("who announced itself was not notified");
  if (waiter.Notify(1) != 0) return Failure("notified twice");
  if (!waiter.WaitFor(kShort)) return Failure("a notification before the wait was lost");
  if (waiter.NotifyAll() != 0) return Failure("a wait that is over is counted");
  waiter.PrepareWait();
  waiter.CancelWait();
  if (waiter.NotifyAll() != 0) return Failure("a wait that was cancelled is counted");
  waiter.PrepareWait();
  if (waiter.NotifyAll() != 1) return Failure("NotifyAll left one out");
  waiter.CancelWait();
  waiter.PrepareWait();
  if (waiter.WaitFor(kShort)) return Failure("a notification of a cancelled wait was kept");
  if (waiter.NotifyAll() != 0) return Failure("a wait that gave up is counted");
  waiter.PrepareWait();
  waiter.PrepareWait();
  if (waiter.Notify(1) != 1) return Failure("Notify(1) notifies one");
  waiter.CancelWait();
  if (!waiter.WaitFor(kShort)) return Failure("who cancelled took another's notification");
  waiter.PrepareWait();
  static_cast<void>(waiter.Notify(1));
  waiter.Wait();
  return absl::OkStatus();
}

// Two threads that wait for one another in turn.
template <Waiter W>
absl::Status CheckWaiterHandOff(int rounds, std::chrono::nanoseconds patience) {
  W waiters[2];
  std::atomic<int> turn{0};
  std::atomic<bool> lost{false};
  const auto play = [&](int me) {
    for (int round = me; round < rounds && !lost; round += 2) {
      while (turn != round && !lost) {
        waiters[me].PrepareWait();
        if (turn == round) {
          waiters[me].CancelWait();
        } else if (!waiters[me].WaitFor(patience)) {
          lost = true;
        }
      }
      ++turn;
      waiters[1 - me].Notify(1);
    }
    waiters[1 - me].Notify(1);
  };
  std::thread other([&] { play(1); });
  play(0);
  other.join();
  if (lost) return conformance::Failure("a wake-up was lost");
  return absl::OkStatus();
}

// Items that several threads add, one by one and in batches, and several take.
template <Waiter W>
absl::Status CheckWaiterCrowd(int items, std::chrono::nanoseconds patience) {
  constexpr int kTakers = 3;
  W waiter;
  std::atomic<int> queued{0};
  std::atomic<int> left{2 * items};
  std::atomic<bool> lost{false};
  const auto take = [&] {
    int seen = queued;
    while (seen > 0 && !queued.compare_exchange_weak(seen, seen - 1)) {
    }
    return seen > 0;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kTakers; ++i) {
    threads.emplace_back([&] {
      while (left > 0 && !lost) {
        if (take()) {
          if (--left == 0) waiter.NotifyAll();
          continue;
        }
        waiter.PrepareWait();
        if (queued > 0 || left == 0 || lost) {
          waiter.CancelWait();
        } else if (!waiter.WaitFor(patience) && queued > 0) {
          lost = true;
          waiter.NotifyAll();
        }
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < items; ++i) {
      ++queued;
      waiter.Notify(1);
      if (i % 16 == 0) std::this_thread::yield();
    }
  });
  threads.emplace_back([&] {
    for (int i = 0; i < items; i += 2) {
      queued += std::min(2, items - i);
      waiter.Notify(2);
      if (i % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  });
  for (std::thread& thread : threads) thread.join();
  if (lost) return conformance::Failure("somebody slept through work");
  if (waiter.NotifyAll() != 0) return conformance::Failure("somebody is left waiting");
  return absl::OkStatus();
}

template <Waiter W>
absl::Status CheckWaiter() {
  KV_RETURN_IF_ERROR(CheckWaiterAlone<W>());
  KV_RETURN_IF_ERROR(CheckWaiterHandOff<W>(2'000, kWaitPatience));
  return CheckWaiterCrowd<W>(3'000, kWaitPatience);
}

}  // namespace coord

#endif  // COORD_WAITER_CONFORMANCE_H_
