// What every coordinator must do, whatever its parts (coordinator.h), as checks that return OK or
// say which promise was broken.
//
//   CheckCoordinatorAlone<Parts>()        one thread: each promise by itself
//   CheckCoordinatorSoak<Parts>(seed, n)  registrants and a worker pool do anything, n times each
//
// Memory order: what registrants and runs exchange is relaxed, so that the coordinator has to
// provide the order; a run's own mark is no atomic. Flags of the suite have the default.
// Thread safety: each check starts its own threads. Run them with ThreadSanitizer too.
#ifndef COORD_CONFORMANCE_H_
#define COORD_CONFORMANCE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "coord/coordinator.h"
#include "coord/index.h"
#include "coord/outcome.h"
#include "coord/queue_conformance.h"
#include "coord/result.h"
#include "coord/worker_pool.h"
#include "kv/base/status.h"

namespace coord {

template <CoordinatorParts Parts>
absl::Status CheckCoordinatorAlone() {
  using conformance::Failure;
  constexpr size_t kSlots = 100;
  Coordinator<Parts> coordinator({.slots = kSlots});
  std::vector<Index> all;
  while (const auto index = coordinator.AddSlot()) all.push_back(*index);
  if (all.size() != kSlots) return Failure("there are as many slots as were asked for");
  std::vector<Index> batch;
  if (coordinator.Drain(10, &batch) != 0) return Failure("something to drain in a new coordinator");

  // Each once, however often it is registered.
  coordinator.RegisterBatch(all);
  if (coordinator.RegisterBatch(all) != 0) return Failure("queued twice");
  for (const Index index : all) {
    if (coordinator.Register(index) != Outcome::kMerged) return Failure("queued twice");
  }
  while (const size_t count = coordinator.Drain(7, &batch)) {
    if (count > 7) return Failure("more than was asked for");
  }
  if (batch.size() != all.size()) return Failure("each is handed out once");
  for (const Index index : batch) {
    if (coordinator.Finish(index, Completed{}) != Outcome::kMerged) return Failure("it is idle");
  }

  // The ends of a batch of runs, of which one was registered meanwhile.
  coordinator.RegisterBatch(all);
  std::vector<Index> runs(kSlots + 1);
  if (coordinator.Drain(std::span(runs)) != kSlots) return Failure("a drain leaves some");
  runs.pop_back();
  coordinator.Register(runs[kSlots / 2]);
  if (coordinator.FinishBatch(runs) != 1) return Failure("one of them is to run again");
  if (coordinator.FinishBatch(runs) != 0) return Failure("a run ended twice");
  if (coordinator.Drain(std::span(runs)) != 1) return Failure("it was lost");
  coordinator.Finish(runs[0], Completed{});

  // Entries that are over do not eat the batch.
  coordinator.RegisterBatch(all);
  for (size_t i = 0; i + 1 < kSlots; ++i) {
    if (i % 2 == 0) coordinator.Unregister(all[i]);
    if (i % 2 == 1) coordinator.RemoveSlot(all[i]);
  }
  batch.clear();
  if (coordinator.Drain(1, &batch) != 1 || batch[0] != all.back()) {
    return Failure("a drain came back without the one that was left");
  }
  if (coordinator.Drain(1, &batch) != 0) return Failure("what was withdrawn is handed out");

  // Registered while it runs: it runs again, and not before it has ended.
  coordinator.Register(all.back());
  if (coordinator.Drain(1, &batch) != 0) return Failure("one slot runs twice at once");
  if (coordinator.Finish(all.back(), Completed{}) != Outcome::kQueued)
    return Failure("it was lost");
  if (coordinator.Drain(1, &batch) != 1) return Failure("a wake-up was lost");

  // A wait with something to do does not wait, nor one that nobody needs any more.
  coordinator.Finish(all.back(), Yielded{});
  coordinator.Wait();
  if (coordinator.Drain(1, &batch) != 1) return Failure("what yields is queued again");
  coordinator.Finish(all.back(), Stopped{});
  if (coordinator.WaitFor(std::chrono::milliseconds(1))) return Failure("a wait without a reason");
  coordinator.Shutdown();
  coordinator.Wait();
  if (coordinator.Register(all[0]) != Outcome::kRefused) return Failure("registered after the end");
  return absl::OkStatus();
}

namespace conformance {

// One use of a slot.
struct Life {
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> seen{0};  // by a run
  int runs = 0;                   // the coordinator orders them
  std::atomic<bool> running{false};
};

inline constexpr size_t kSoakRegistrants = 3;

// Registrants, each with slots of its own to remove and all slots to do anything else with.
template <CoordinatorParts Parts>
class Soak {
 public:
  static constexpr size_t kSlots = 24;
  static constexpr size_t kRegistrants = kSoakRegistrants;
  static constexpr uint32_t kLives = 64;  // of a slot

  explicit Soak(uint64_t seed) : seed_(seed) {
    for (size_t i = 0; i < kSlots; ++i) {
      const Index index = *coordinator_.AddSlot();
      current_[index.slot].store(index.generation);
    }
  }

  absl::Status Run(int steps) {
    WorkerPool pool(coordinator_, 2, [this](Index index) { return RunOnce(index); });
    std::vector<std::thread> registrants;
    for (size_t me = 0; me < kRegistrants; ++me) {
      registrants.emplace_back([this, me, steps] { Registrant(me, steps); });
    }
    for (std::thread& registrant : registrants) registrant.join();
    pool.Stop();
    if (twice_) return Failure("a slot ran twice at once");
    if (lost_) return Failure("a registration was never run");
    if (stale_) return Failure("a slot that is in use was stale");
    return absl::OkStatus();
  }

 private:
  Life& LifeOf(Index index) { return lives_[index.slot * (kLives + 1) + index.generation]; }
  Index Current(size_t slot) const { return {static_cast<uint32_t>(slot), current_[slot].load()}; }

  Result RunOnce(Index index) {
    Life& life = LifeOf(index);
    // relaxed, here and below: the coordinator has to order runs and messages.
    if (life.running.exchange(true, std::memory_order_relaxed)) twice_ = true;
    const uint64_t sent = life.sent.load(std::memory_order_relaxed);
    life.seen.store(sent, std::memory_order_relaxed);
    const int what = ++life.runs + static_cast<int>(index.slot);
    life.running.store(false, std::memory_order_relaxed);
    switch (what % 12) {
      case 0:
        return Yielded{};
      case 1:
        return Suspended{SuspendReason::kRateLimit, After{std::chrono::microseconds(what % 90)}};
      case 2:
        return Suspended{SuspendReason::kBackpressure, Capacity{}};
      case 3:
        return Suspended{SuspendReason::kAwaitsExternal, Signal{}};
      case 4:
        return Failed{absl::UnavailableError("try again"), std::chrono::microseconds(20)};
      case 5:
        return Failed{absl::InternalError("do not")};
      case 6:
        if (what % 48 == 6) return Stopped{};
        return Completed{.ready_hint = true};
      default:
        return Completed{};
    }
  }

  // Sends a message; its number.
  uint64_t Send(Index index, Outcome* outcome) {
    const uint64_t number = LifeOf(index).sent.fetch_add(1, std::memory_order_relaxed) + 1;
    *outcome = coordinator_.Register(index);
    return number;
  }

  // Until a run has seen the message, or its slot was stopped or given up.
  void Await(Index index, uint64_t number) {
    for (int turns = 0; LifeOf(index).seen.load(std::memory_order_relaxed) < number; ++turns) {
      if (lost_ || Current(index.slot) != index) return;
      if (coordinator_.PhaseOf(index) == Phase::kStopped) return;
      // Whoever waits for capacity is given some: nobody else may be left to do so.
      if (turns % 16 == 0) coordinator_.Resume(index);
      if (turns < 100) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (turns > kPatience) lost_ = true;
    }
  }

  // Only the owner of a slot ends its use.
  void UseAgain(Index index) {
    if (index.generation == kLives) return;
    // So that it gets the slot back that it gave up; if a run has it still, when that is over.
    const std::lock_guard lock(use_mutex_);
    if (coordinator_.RemoveSlot(index) == Removal::kStale) stale_ = true;
    std::optional<Index> next = coordinator_.AddSlot();
    for (int turns = 0; !next.has_value() && !lost_; ++turns) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      next = coordinator_.AddSlot();
      if (turns > kPatience) lost_ = true;
    }
    if (!next.has_value()) return;
    if (next != Index{index.slot, index.generation + 1}) stale_ = true;
    current_[next->slot].store(next->generation);
  }

  void Registrant(size_t me, int steps) {
    std::mt19937_64 random(seed_ * kRegistrants + me);
    Outcome outcome = Outcome::kStale;
    for (int step = 0; step < steps && !lost_; ++step) {
      const Index index = Current(random() % kSlots);
      switch (random() % 16) {
        case 0:
          // Whatever is withdrawn, be it another's, is sent again.
          coordinator_.Unregister(index);
          Send(index, &outcome);
          break;
        case 1:
          coordinator_.Resume(index);
          break;
        case 2: {
          std::array<Index, 5> several;
          for (Index& one : several) one = Current(random() % kSlots);
          for (const Index one : several) {
            LifeOf(one).sent.fetch_add(1, std::memory_order_relaxed);
          }
          coordinator_.RegisterBatch(several);
          break;
        }
        case 3: {
          const Index own = Current(random() % (kSlots / kRegistrants) * kRegistrants + me);
          if (random() % 8 == 0 || coordinator_.PhaseOf(own) == Phase::kStopped) UseAgain(own);
          break;
        }
        case 4:
        case 5: {
          const uint64_t number = Send(index, &outcome);
          if (outcome == Outcome::kQueued || outcome == Outcome::kMerged) Await(index, number);
          break;
        }
        default:
          Send(index, &outcome);
      }
    }
    // At the end each of its own once more.
    for (size_t slot = me; slot < kSlots; slot += kRegistrants) {
      const Index index = Current(slot);
      const uint64_t number = Send(index, &outcome);
      if (outcome == Outcome::kQueued || outcome == Outcome::kMerged) Await(index, number);
    }
  }

  static constexpr int kPatience = 60'000;

  const uint64_t seed_;
  Coordinator<Parts> coordinator_{{.slots = kSlots, .throughput_hint = 4}};
  std::vector<Life> lives_ = std::vector<Life>(kSlots * (kLives + 1));
  std::mutex use_mutex_;
  std::array<std::atomic<uint32_t>, kSlots> current_{};  // generations
  std::atomic<bool> twice_{false};
  std::atomic<bool> lost_{false};
  std::atomic<bool> stale_{false};
};

}  // namespace conformance

template <CoordinatorParts Parts>
absl::Status CheckCoordinatorSoak(uint64_t seed, int steps) {
  return std::make_unique<conformance::Soak<Parts>>(seed)->Run(steps);
}

}  // namespace coord

#endif  // COORD_CONFORMANCE_H_
