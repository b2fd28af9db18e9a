// The loads of the coordinators' bench. Each is a function of a ReadySet and a MicroPlan; `num` is
// the number of slots of each registering thread, and `threads` how many of these there are.
//
//   source_cycle       the source document's benchmark: threads that are made within the timing,
//                      each registers its slots in order; then one drain of all. A new set each
//                      round, made before it. Operations are slots.
//   register, duplicate, drain, finish
//                      one thread: what each of the calls costs, a slot; batches of 64
//   steady             persistent threads, each of which registers 64 of its slots in an order of
//                      its own, then drains 64 of anybody's and finishes them. Operations are
//                      registrations.
//   duplicates_25, _50, _75
//                      the same, where that many of 100 registrations are of slots that have just
//                      been registered
//   batches            the same with one call for 64 neighbouring slots, and, where there is one,
//   one
//                      for the ends of their runs
//   hot_set            the same, of 64 slots that all threads share, at random
//   reregistration     all threads drain, and each run wants another one. Operations are runs.
//   one_worker         the threads register while one other drains. Operations are runs.
//
// What is not measured: the runs themselves, which are empty; more processors than the machine has.
//
// Each run ends with a check that every slot is handed out once more, when all are registered.
#ifndef BENCH_COORD_WORKLOADS_H_
#define BENCH_COORD_WORKLOADS_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/coord/ready_set.h"
#include "bench/cycle_clock.h"
#include "bench/micro/micro.h"
#include "bench/random.h"
#include "bench/start_line.h"
#include "fmt/format.h"

namespace bench {

inline constexpr size_t kBatch = 64;

inline absl::Status LostSlots(uint64_t queued, uint64_t drained) {
  return absl::InternalError(
      fmt::format("{} slots were queued, and {} handed out", queued, drained));
}

// Whether each slot is handed out once after it was registered, with nobody else at work: none has
// been lost on the way.
template <ReadySet S>
absl::Status CheckNoneIsLost(S& set, size_t slots) {
  std::vector<Index> batch;
  const auto drain = [&] {
    batch.clear();
    size_t drained = 0;
    for (size_t begin = 0; set.Drain(kBatch, &batch) > 0; begin = batch.size()) {
      for (const Index index : std::span(batch).subspan(begin)) set.Finish(index);
      drained = batch.size();
    }
    return drained;
  };
  drain();
  for (size_t slot = 0; slot < slots; ++slot) set.Register(set.At(static_cast<uint32_t>(slot)));
  const size_t drained = drain();
  return drained == slots ? absl::OkStatus() : LostSlots(slots, drained);
}

template <ReadySet S>
std::vector<Index> SlotsOf(const S& set, size_t begin, size_t count) {
  std::vector<Index> slots;
  slots.reserve(count);
  for (size_t i = 0; i < count; ++i) slots.push_back(set.At(static_cast<uint32_t>(begin + i)));
  return slots;
}

template <ReadySet S>
absl::StatusOr<MicroResult> SourceCycle(const MicroPlan& plan) {
  const auto threads = static_cast<size_t>(plan.threads);
  const CycleClock& clock = CycleClock::Get();
  MicroResult result;
  do {
    auto set = std::make_unique<S>(threads * plan.num);
    const std::vector<Index> slots = SlotsOf(*set, 0, threads * plan.num);
    std::vector<Index> batch;
    const uint64_t begin = clock.Now();
    std::vector<std::thread> registrants;
    for (size_t me = 0; me < threads; ++me) {
      registrants.emplace_back([&, me] {
        for (const Index index : std::span(slots).subspan(me * plan.num, plan.num)) {
          set->Register(index);
        }
      });
    }
    for (std::thread& registrant : registrants) registrant.join();
    set->Drain(slots.size(), &batch);
    result.seconds += clock.ToSeconds(clock.Now() - begin);
    if (batch.size() != slots.size()) return LostSlots(slots.size(), batch.size());
    result.operations += slots.size();
  } while (result.seconds < plan.seconds);
  return result;
}

// ---- What a call costs

enum class Call { kRegister, kDuplicate, kDrain, kFinish };

template <ReadySet S, Call kCall>
absl::StatusOr<MicroResult> CostOf(const MicroPlan& plan) {
  const CycleClock& clock = CycleClock::Get();
  S set(plan.num);
  const std::vector<Index> slots = SlotsOf(set, 0, plan.num);
  std::vector<Index> batch;
  batch.reserve(kBatch);
  // Where there is but one thread, the C library leaves the atomics out of a mutex.
  StartLine line(1);
  std::thread other([&line] { line.Wait(); });
  const uint64_t begin_of_all = clock.Now();
  uint64_t ticks = 0;
  MicroResult result;
  absl::Status status;
  const auto timed = [&](bool counts, const auto& work) {
    const uint64_t begin = clock.Now();
    work();
    if (counts) ticks += clock.Elapsed(begin, clock.Now());
  };
  do {
    for (size_t i = 0; i < slots.size(); i += kBatch) {
      const auto some = std::span(slots).subspan(i, std::min(kBatch, slots.size() - i));
      for (const Call call : {Call::kRegister, Call::kDuplicate}) {
        timed(call == kCall, [&] {
          for (const Index index : some) set.Register(index);
        });
      }
    }
    size_t drained = 0;
    for (size_t count = 1; count > 0; drained += count) {
      batch.clear();
      timed(Call::kDrain == kCall, [&] { count = set.Drain(kBatch, &batch); });
      timed(Call::kFinish == kCall, [&] {
        for (const Index index : batch) set.Finish(index);
      });
    }
    if (drained != slots.size()) status = LostSlots(slots.size(), drained);
    result.operations += slots.size();
  } while (status.ok() && clock.ToSeconds(clock.Now() - begin_of_all) < plan.seconds);
  result.seconds = clock.ToSeconds(ticks);
  line.Start();
  other.join();
  if (!status.ok()) return status;
  return result;
}

// ---- Persistent threads

// Runs `work(thread, line)` in each thread until the time is over; it returns its operations.
template <ReadySet S, typename Work>
absl::StatusOr<MicroResult> RunThreads(const MicroPlan& plan, int threads, S& set, size_t slots,
                                       const Work& work) {
  StartLine line(threads);
  std::atomic<uint64_t> operations{0};
  std::vector<std::thread> all;
  for (int me = 0; me < threads; ++me) {
    all.emplace_back([&, me] {
      line.Wait();
      // relaxed: read behind the threads' end.
      operations.fetch_add(work(me, line), std::memory_order_relaxed);
    });
  }
  const CycleClock& clock = CycleClock::Get();
  const uint64_t begin = line.Start();
  std::this_thread::sleep_for(std::chrono::duration<double>(std::max(plan.seconds, 1e-3)));
  line.Stop();
  for (std::thread& thread : all) thread.join();
  const MicroResult result{.operations = operations,
                           .seconds = clock.ToSeconds(clock.Now() - begin)};
  const absl::Status status = CheckNoneIsLost(set, slots);
  if (!status.ok()) return status;
  return result;
}

// Which slots a thread registers, 64 at a time.
struct Mix {
  size_t duplicates = 0;  // of 64
  size_t hot = 0;         // slots that all threads share; 0: each has its own
  bool batches = false;   // one call for all; of neighbours
};

class Registrations {
 public:
  Registrations(const MicroPlan& plan, const Mix& mix, int thread, std::vector<Index> slots)
      : mix_(mix), slots_(std::move(slots)), random_(plan.seed + static_cast<uint64_t>(thread)) {
    if (mix.batches) return;
    for (size_t i = slots_.size(); i > 1; --i) {
      std::swap(slots_[i - 1], slots_[random_.Uniform(i)]);
    }
  }

  std::span<const Index> Next() {
    const size_t fresh = std::min(kBatch - mix_.duplicates, slots_.size());
    if (next_ + fresh > slots_.size()) next_ = 0;
    if (mix_.duplicates == 0 && mix_.hot == 0) {
      next_ += fresh;
      return std::span(slots_).subspan(next_ - fresh, fresh);
    }
    mixed_.clear();
    for (size_t i = 0; i < kBatch; ++i) {
      if (mix_.hot > 0) {
        mixed_.push_back(slots_[random_.Uniform(slots_.size())]);
      } else {
        mixed_.push_back(slots_[next_ + i % fresh]);
      }
    }
    next_ += fresh;
    return mixed_;
  }

 private:
  const Mix mix_;
  std::vector<Index> slots_;
  std::vector<Index> mixed_;
  Random random_;
  size_t next_ = 0;
};

// Drains a batch and ends its runs, one after the other or with one call; how many.
template <ReadySet S>
size_t DrainOnce(S& set, std::vector<Index>* batch, bool ends_at_once = false) {
  batch->clear();
  const size_t count = set.Drain(kBatch, batch);
  if (ends_at_once) {
    set.FinishBatch(*batch);
  } else {
    for (const Index index : *batch) set.Finish(index);
  }
  return count;
}

template <ReadySet S>
absl::StatusOr<MicroResult> Steady(const MicroPlan& plan, const Mix& mix) {
  const size_t own = mix.hot > 0 ? mix.hot : plan.num;
  const size_t slots = mix.hot > 0 ? mix.hot : plan.num * static_cast<size_t>(plan.threads);
  S set(slots);
  return RunThreads(plan, plan.threads, set, slots, [&](int me, const StartLine& line) {
    const size_t begin = mix.hot > 0 ? 0 : static_cast<size_t>(me) * own;
    Registrations registrations(plan, mix, me, SlotsOf(set, begin, own));
    std::vector<Index> batch;
    batch.reserve(kBatch);
    uint64_t operations = 0;
    do {
      const std::span<const Index> some = registrations.Next();
      if (mix.batches) {
        set.RegisterBatch(some);
      } else {
        for (const Index index : some) set.Register(index);
      }
      operations += some.size();
      DrainOnce(set, &batch, mix.batches);
    } while (!line.Stopped());
    return operations;
  });
}

template <ReadySet S, size_t kDuplicates, size_t kHot = 0, bool kBatches = false>
absl::StatusOr<MicroResult> SteadyOf(const MicroPlan& plan) {
  return Steady<S>(plan, {.duplicates = kDuplicates, .hot = kHot, .batches = kBatches});
}

template <ReadySet S>
absl::StatusOr<MicroResult> Reregistration(const MicroPlan& plan) {
  S set(plan.num);
  set.RegisterBatch(SlotsOf(set, 0, plan.num));
  return RunThreads(plan, plan.threads, set, plan.num, [&](int, const StartLine& line) {
    std::vector<Index> batch;
    batch.reserve(kBatch);
    uint64_t operations = 0;
    do {
      batch.clear();
      set.Drain(kBatch, &batch);
      for (const Index index : batch) set.FinishAgain(index);
      operations += batch.size();
    } while (!line.Stopped());
    return operations;
  });
}

template <ReadySet S>
absl::StatusOr<MicroResult> OneWorker(const MicroPlan& plan) {
  const size_t slots = plan.num * static_cast<size_t>(plan.threads);
  S set(slots);
  const auto worker = [&](const StartLine& line) {
    std::vector<Index> batch;
    batch.reserve(kBatch);
    uint64_t operations = 0;
    // However short the time: each registrant has something for it.
    while (!line.Stopped() || operations == 0) {
      const size_t count = DrainOnce(set, &batch);
      if (count == 0) std::this_thread::yield();
      operations += count;
    }
    return operations;
  };
  const auto registrant = [&](int me, const StartLine& line) {
    Registrations registrations(plan, {}, me,
                                SlotsOf(set, static_cast<size_t>(me) * plan.num, plan.num));
    do {
      size_t queued = 0;
      for (const Index index : registrations.Next()) queued += set.Register(index) ? 1 : 0;
      // The worker is behind by all slots.
      if (queued == 0) std::this_thread::yield();
    } while (!line.Stopped());
    return uint64_t{0};
  };
  return RunThreads(plan, plan.threads + 1, set, slots, [&](int me, const StartLine& line) {
    return me == plan.threads ? worker(line) : registrant(me, line);
  });
}

}  // namespace bench

#endif  // BENCH_COORD_WORKLOADS_H_
