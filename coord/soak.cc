#include "coord/soak.h"

#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coord/adaptive.h"
#include "coord/asymmetric_fence.h"
#include "coord/bitmap.h"
#include "coord/bitmap_slots.h"
#include "coord/conformance.h"
#include "coord/event_fd.h"
#include "coord/growing_ring.h"
#include "coord/locked.h"
#include "coord/park.h"
#include "coord/per_thread_rings.h"
#include "coord/ring.h"
#include "coord/ring_slots.h"
#include "coord/spin_then_park.h"
#include "coord/store_load_fence.h"
#include "coord/symmetric_fence.h"
#include "coord/work_stealing.h"
#include "kv/base/clock.h"

namespace coord {
namespace {

template <typename Q, typename W, typename F>
struct Parts {
  using ReadyQueue = Q;
  using Waiter = W;
  using Fence = F;
  using Clock = kv::SystemClock;
};

template <typename Q, typename W, typename F>
void Add(std::vector<SoakSubject>* all) {
  std::string name(Q::kName);
  for (const std::string_view part : {W::kName, F::kName}) name.append("/").append(part);
  all->push_back({std::move(name), CheckCoordinatorSoak<Parts<Q, W, F>>});
}

template <typename Q>
void AddAllOf(std::vector<SoakSubject>* all) {
  Add<Q, Park, SymmetricFence>(all);
  Add<Q, Park, AsymmetricFence>(all);
  Add<Q, SpinThenPark<>, SymmetricFence>(all);
  Add<Q, SpinThenPark<>, AsymmetricFence>(all);
  Add<Q, EventFd, SymmetricFence>(all);
  Add<Q, EventFd, AsymmetricFence>(all);
}

// States and queue in one.
template <typename S, typename W>
struct SlotsParts {
  using Slots = S;
  using Waiter = W;
  using Clock = kv::SystemClock;
};

template <typename S>
void AddSlots(std::vector<SoakSubject>* all, std::string_view fence) {
  const auto add = [&](std::string_view waiter, auto run) {
    std::string name(S::kName);
    for (const std::string_view part : {waiter, fence}) name.append("/").append(part);
    all->push_back({std::move(name), run});
  };
  add(Park::kName, CheckCoordinatorSoak<SlotsParts<S, Park>>);
  add(SpinThenPark<>::kName, CheckCoordinatorSoak<SlotsParts<S, SpinThenPark<>>>);
  add(EventFd::kName, CheckCoordinatorSoak<SlotsParts<S, EventFd>>);
}

constexpr int kFewestSteps = 200;
constexpr int kMostSteps = 8'000;

}  // namespace

std::span<const SoakSubject> SoakSubjects() {
  static const std::vector<SoakSubject> subjects = [] {
    std::vector<SoakSubject> all;
    AddSlots<RingSlots<>>(&all, "own");
    AddSlots<RingSlots<StoreLoadFence, Adaptive>>(&all, "own, over adaptive");
    AddSlots<BitmapSlots<SymmetricFence>>(&all, SymmetricFence::kName);
    AddSlots<BitmapSlots<AsymmetricFence>>(&all, AsymmetricFence::kName);
    AddAllOf<LockedQueue>(&all);
    AddAllOf<BitmapQueue>(&all);
    AddAllOf<RingQueue>(&all);
    AddAllOf<GrowingRing>(&all);
    AddAllOf<PerThreadRings>(&all);
    AddAllOf<WorkStealing>(&all);
    AddAllOf<Adaptive>(&all);
    return all;
  }();
  return subjects;
}

SoakOutcome RunSoak(const SoakPlan& plan, std::span<const SoakSubject> subjects,
                    const std::function<bool(const SoakOutcome&)>& between) {
  const auto start = std::chrono::steady_clock::now();
  SoakOutcome outcome;
  for (uint64_t round = 0; round < plan.rounds; ++round) {
    const std::chrono::duration<double> running = std::chrono::steady_clock::now() - start;
    if (running.count() >= plan.seconds) break;
    outcome.seed = plan.seed + round;
    std::mt19937_64 random(outcome.seed);
    const SoakSubject& subject = subjects[random() % subjects.size()];
    const auto steps = kFewestSteps + static_cast<int>(random() % (kMostSteps - kFewestSteps));
    outcome.subject = subject.name;
    outcome.status = subject.run(outcome.seed, steps);
    ++outcome.rounds;
    outcome.steps += static_cast<uint64_t>(steps) * conformance::kSoakRegistrants;
    if (!outcome.status.ok() || !between(outcome)) break;
  }
  return outcome;
}

}  // namespace coord
