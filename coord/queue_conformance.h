// What every ready queue must do (ready_queue_concept.h), as checks that return OK or say which
// promise was broken, so that broken queues can be shown to fail. What a queue may overlook
// beside other threads is for its interleaving test.
//
// Thread safety: each check starts its own threads. Run them with ThreadSanitizer too.
// Memory order: the suite's own flags have the default, seq_cst, or none that would hide a missing
// order of the queue: the counts of a slot are no atomics.
#ifndef COORD_QUEUE_CONFORMANCE_H_
#define COORD_QUEUE_CONFORMANCE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "coord/ready_queue_concept.h"
#include "kv/base/status.h"

namespace coord {

namespace conformance {

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(kv::ToAbsl(what));
}

}  // namespace conformance

// One thread: what is pushed is popped, once, however it is pushed and however much is asked for.
template <ReadyQueue Q>
absl::Status CheckQueueAlone(size_t slots) {
  using conformance::Failure;
  Q queue(slots);
  std::mt19937_64 random(slots);
  std::vector<uint32_t> all(slots);
  std::iota(all.begin(), all.end(), 0);
  std::vector<uint32_t> out(slots);
  if (!queue.Empty() || queue.Pop(out) != 0) return Failure("a new queue is not empty");
  for (int round = 0; round < 50; ++round) {
    if (round % 3 != 0) std::shuffle(all.begin(), all.end(), random);
    const std::span<const uint32_t> chosen = std::span(all).first(1 + random() % slots);
    if (round % 2 == 0) {
      queue.PushBatch(chosen);
    } else {
      for (const uint32_t slot : chosen) queue.Push(slot);
    }
    if (queue.Pop(std::span(out).first(0)) != 0) return Failure("Pop gives what was not asked for");
    std::vector<uint32_t> popped;
    while (popped.size() < chosen.size()) {
      if (queue.Empty()) return Failure("Empty while there is something");
      const size_t most = 1 + random() % slots;
      const size_t count = queue.Pop(std::span(out).first(most));
      if (count == 0) return Failure("Pop finds nothing while there is something");
      if (count > most) return Failure("Pop gives more than was asked for");
      popped.insert(popped.end(), out.begin(), out.begin() + static_cast<ptrdiff_t>(count));
    }
    std::vector<uint32_t> expected(chosen.begin(), chosen.end());
    std::sort(expected.begin(), expected.end());
    std::sort(popped.begin(), popped.end());
    if (popped != expected) return Failure("what is popped is not what was pushed");
    if (!queue.Empty() || queue.Pop(out) != 0) return Failure("a drained queue is not empty");
  }
  return absl::OkStatus();
}

// One thread: slots that are always pushed again do not keep others waiting beyond the bound.
template <ReadyQueue Q>
absl::Status CheckQueueFairness(size_t slots) {
  Q queue(slots);
  std::mt19937_64 random(slots);
  std::vector<uint64_t> pushed(slots, 0);  // when; 0: it is not queued
  std::vector<size_t> bypassed(slots, 0);
  const size_t bound = Q::BypassBound(slots, 1);
  uint64_t time = 0;
  const auto push = [&](uint32_t slot) {
    queue.Push(slot);
    pushed[slot] = ++time;
    bypassed[slot] = 0;
  };
  for (uint32_t slot = 0; slot < slots; ++slot) push(slot);
  std::vector<uint32_t> out(slots);
  std::vector<uint32_t> resting;
  for (int round = 0; round < 3'000; ++round) {
    const size_t count = queue.Pop(std::span(out).first(1 + random() % std::min<size_t>(slots, 5)));
    for (const uint32_t slot : std::span(out).first(count)) {
      for (size_t other = 0; other < slots; ++other) {
        if (pushed[other] == 0 || pushed[other] >= pushed[slot]) continue;
        if (++bypassed[other] > bound) return conformance::Failure("bypassed too often");
      }
      pushed[slot] = 0;
    }
    // Most are pushed again at once, some a little later.
    for (const uint32_t slot : std::span(out).first(count)) {
      if (random() % 8 == 0) {
        resting.push_back(slot);
      } else {
        push(slot);
      }
    }
    if (resting.size() > slots / 4) {
      for (const uint32_t slot : resting) push(slot);
      resting.clear();
    }
  }
  return absl::OkStatus();
}

// Several threads that pop and push again, until each slot was popped `rounds` times.
template <ReadyQueue Q>
absl::Status CheckQueueTogether(size_t slots, int rounds, int patience_turns = 50'000'000) {
  constexpr int kThreads = 3;
  struct Slot {
    int count = 0;  // the queue orders it
    std::atomic<bool> held{false};
  };
  Q queue(slots);
  std::vector<Slot> all(slots);
  std::atomic<size_t> unfinished{slots};
  std::atomic<bool> twice{false};
  std::atomic<int> patience{patience_turns};
  std::vector<std::thread> threads;
  for (int me = 0; me < kThreads; ++me) {
    threads.emplace_back([&, me] {
      std::vector<uint32_t> out(7);
      for (size_t slot = static_cast<size_t>(me); slot < slots; slot += kThreads) {
        queue.Push(static_cast<uint32_t>(slot));
      }
      while (unfinished > 0 && !twice && patience > 0) {
        const size_t popped = queue.Pop(out);
        if (popped == 0) {
          --patience;
          std::this_thread::yield();
        }
        std::vector<uint32_t> again;
        for (const uint32_t slot : std::span(out).first(popped)) {
          if (all[slot].held.exchange(true, std::memory_order_relaxed)) twice = true;
          const int count = ++all[slot].count;
          // relaxed: what orders two holders is the queue.
          all[slot].held.store(false, std::memory_order_relaxed);
          if (count < rounds) {
            again.push_back(slot);
          } else {
            --unfinished;
          }
        }
        if (again.size() % 2 == 0) {
          queue.PushBatch(again);
        } else {
          for (const uint32_t slot : again) queue.Push(slot);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (twice) return conformance::Failure("two threads were given one slot");
  if (unfinished > 0) return conformance::Failure("a slot got lost");
  for (const Slot& slot : all) {
    if (slot.count != rounds) return conformance::Failure("a slot was popped too often");
  }
  if (!queue.Empty()) return conformance::Failure("a drained queue is not empty");
  return absl::OkStatus();
}

namespace conformance {

// When one entry was pushed and popped, as ticks of one clock that stood before and behind each
// call. `pop_begin` is of the call that handed it out.
struct Passage {
  uint64_t push_begin = 0;
  uint64_t push_end = 0;
  uint64_t pop_begin = 0;
  uint64_t pop_end = 0;
};

// Whether more than `bound` entries were certainly pushed behind one and certainly popped before.
inline bool IsBypassed(const std::vector<Passage>& passages, size_t bound) {
  std::vector<uint64_t> ends;
  for (const Passage& passage : passages) ends.push_back(passage.pop_end);
  std::sort(ends.begin(), ends.end());
  const auto until = [&ends](uint64_t time) {
    return std::lower_bound(ends.begin(), ends.end(), time) - ends.begin();
  };
  return std::any_of(passages.begin(), passages.end(), [&](const Passage& one) {
    // How many were popped meanwhile is quickly told, and seldom enough.
    if (one.pop_begin < one.push_end) return false;
    if (static_cast<size_t>(until(one.pop_begin) - until(one.push_end)) <= bound) return false;
    const auto later = [&one](const Passage& other) {
      return other.push_begin > one.push_end && other.pop_end < one.pop_begin;
    };
    return static_cast<size_t>(std::count_if(passages.begin(), passages.end(), later)) > bound;
  });
}

}  // namespace conformance

// Several threads that pop and push again, for so long that a slot which is always passed by would
// be passed by too often; each with a part of the slots in the beginning.
template <ReadyQueue Q>
absl::Status CheckQueueFairnessTogether(size_t slots) {
  using conformance::Passage;
  constexpr size_t kThreads = 3;
  const size_t bound = Q::BypassBound(slots, kThreads);
  const size_t pops = bound + 10 * slots + 1'000;
  Q queue(slots);
  // acq_rel: what has a later tick has happened later.
  std::atomic<uint64_t> clock{1};
  const auto tick = [&clock] { return clock.fetch_add(1, std::memory_order_acq_rel); };
  std::atomic<size_t> popped{0};
  struct Log {
    std::vector<std::pair<size_t, uint64_t>> push_ends;  // by number
    std::vector<std::pair<size_t, Passage>> passages;
  };
  struct Queued {
    size_t number = 0;
    uint64_t push_begin = 0;
  };
  std::vector<Log> logs(kThreads + 1);
  std::vector<Queued> queued(slots);  // the queue orders it
  std::atomic<size_t> numbers{0};
  const auto push = [&](Log& log, uint32_t slot) {
    const size_t number = numbers.fetch_add(1, std::memory_order_relaxed);
    queued[slot] = {number, tick()};
    queue.Push(slot);
    log.push_ends.emplace_back(number, tick());
  };
  const auto pop = [&](Log& log, std::span<uint32_t> out) {
    const uint64_t begin = tick();
    const std::span<const uint32_t> got = out.first(queue.Pop(out));
    const uint64_t end = tick();
    for (const uint32_t slot : got) {
      log.passages.emplace_back(queued[slot].number,
                                Passage{queued[slot].push_begin, 0, begin, end});
    }
    popped.fetch_add(got.size(), std::memory_order_relaxed);
    return got;
  };
  std::vector<std::thread> threads;
  for (size_t me = 0; me < kThreads; ++me) {
    threads.emplace_back([&, me] {
      std::mt19937_64 random(me);
      std::vector<uint32_t> out(slots);
      for (size_t slot = me; slot < slots; slot += kThreads) {
        push(logs[me], static_cast<uint32_t>(slot));
      }
      while (popped.load(std::memory_order_relaxed) < pops) {
        const auto room = std::span(out).first(1 + random() % std::min<size_t>(slots, 5));
        const std::span<const uint32_t> got = pop(logs[me], room);
        if (got.empty()) std::this_thread::yield();
        for (const uint32_t slot : got) push(logs[me], slot);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<uint32_t> out(slots);
  while (!pop(logs[kThreads], out).empty()) {
  }

  std::vector<Passage> passages(numbers.load(std::memory_order_relaxed));
  for (const Log& log : logs) {
    for (const auto& [number, passage] : log.passages) passages[number] = passage;
  }
  for (const Log& log : logs) {
    for (const auto& [number, time] : log.push_ends) passages[number].push_end = time;
  }
  if (conformance::IsBypassed(passages, bound)) return conformance::Failure("bypassed too often");
  return absl::OkStatus();
}

template <ReadyQueue Q>
absl::Status CheckQueue() {
  for (const size_t slots : {1, 2, 63, 64, 65, 200, 4'096, 4'097, 9'000}) {
    KV_RETURN_IF_ERROR(CheckQueueAlone<Q>(slots));
  }
  for (const size_t slots : {1, 2, 64, 65, 200}) KV_RETURN_IF_ERROR(CheckQueueFairness<Q>(slots));
  for (const size_t slots : {1, 5, 100}) KV_RETURN_IF_ERROR(CheckQueueTogether<Q>(slots, 300));
  for (const size_t slots : {1, 7, 70}) KV_RETURN_IF_ERROR(CheckQueueFairnessTogether<Q>(slots));
  return absl::OkStatus();
}

}  // namespace coord

#endif  // COORD_QUEUE_CONFORMANCE_H_
