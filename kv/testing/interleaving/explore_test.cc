// The model allows what C++ allows, and nothing else: litmus tests of the literature, each with the
// orders that forbid an outcome and with weaker ones that do not.
#include "kv/testing/interleaving/explore.h"

#include <set>
#include <tuple>

#include "gtest/gtest.h"
#include "kv/testing/interleaving/atomic.h"
#include "kv/testing/interleaving/barrier.h"

namespace kv::testing::interleaving {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kAcqRel = std::memory_order_acq_rel;
constexpr auto kSeqCst = std::memory_order_seq_cst;

// Every outcome that `program` reaches; it returns one.
template <typename Program>
auto Outcomes(Program&& program, int preemptions = 3) {
  std::set<decltype(program(std::declval<Trial&>()))> outcomes;
  const Report report =
      Explore({.preemptions = preemptions}, [&](Trial& trial) { outcomes.insert(program(trial)); });
  EXPECT_TRUE(report.complete) << report.failure;
  return outcomes;
}

using Pair = std::pair<int, int>;

// ---- Message passing ----

auto MessagePassing(std::memory_order publishes, std::memory_order looks) {
  return Outcomes([=](Trial& trial) {
    Atomic<int> data = 0;
    Atomic<int> ready = 0;
    Pair seen;
    trial.Run({[&] {
                 data.store(1, kRelaxed);
                 ready.store(1, publishes);
               },
               [&] {
                 seen.first = ready.load(looks);
                 seen.second = data.load(kRelaxed);
               }});
    return seen;
  });
}

TEST(ExploreTest, AMessageArrivesWithItsFlag) {
  const std::set<Pair> all = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
  const std::set<Pair> sound = {{0, 0}, {0, 1}, {1, 1}};
  EXPECT_EQ(MessagePassing(kRelease, kAcquire), sound);
  EXPECT_EQ(MessagePassing(kSeqCst, kSeqCst), sound);
  EXPECT_EQ(MessagePassing(kRelaxed, kAcquire), all);
  EXPECT_EQ(MessagePassing(kRelease, kRelaxed), all);
}

auto MessagePassingByFences(std::memory_order first, std::memory_order second) {
  return Outcomes([=](Trial& trial) {
    Atomic<int> data = 0;
    Atomic<int> ready = 0;
    Pair seen;
    trial.Run({[&] {
                 data.store(1, kRelaxed);
                 Fence(first);
                 ready.store(1, kRelaxed);
               },
               [&] {
                 seen.first = ready.load(kRelaxed);
                 Fence(second);
                 seen.second = data.load(kRelaxed);
               }});
    return seen;
  });
}

TEST(ExploreTest, AMessageArrivesByFences) {
  EXPECT_EQ(MessagePassingByFences(kRelease, kAcquire).count({1, 0}), 0u);
  EXPECT_EQ(MessagePassingByFences(kSeqCst, kSeqCst).count({1, 0}), 0u);
  EXPECT_EQ(MessagePassingByFences(kAcquire, kAcquire).count({1, 0}), 1u);
  EXPECT_EQ(MessagePassingByFences(kRelease, kRelease).count({1, 0}), 1u);
}

// ---- Store buffering ----

auto StoreBuffering(std::memory_order stores, std::memory_order loads, bool fences) {
  return Outcomes([=](Trial& trial) {
    Atomic<int> x = 0;
    Atomic<int> y = 0;
    Pair seen;
    trial.Run({[&] {
                 x.store(1, stores);
                 if (fences) Fence(kSeqCst);
                 seen.first = y.load(loads);
               },
               [&] {
                 y.store(1, stores);
                 if (fences) Fence(kSeqCst);
                 seen.second = x.load(loads);
               }});
    return seen;
  });
}

TEST(ExploreTest, OneOfTwoSeesTheOther) {
  const Pair neither = {0, 0};
  EXPECT_EQ(StoreBuffering(kSeqCst, kSeqCst, false).count(neither), 0u);
  EXPECT_EQ(StoreBuffering(kRelaxed, kRelaxed, true).count(neither), 0u);
  EXPECT_EQ(StoreBuffering(kRelease, kAcquire, false).count(neither), 1u);
  EXPECT_EQ(StoreBuffering(kSeqCst, kAcquire, false).count(neither), 1u);
  EXPECT_EQ(StoreBuffering(kRelease, kSeqCst, false).count(neither), 1u);
}

// One of the two sides has plain operations and nothing else.
TEST(ExploreTest, ABarrierOnEverybodyIsAFenceForTheOther) {
  const auto outcomes = [](bool barrier) {
    return Outcomes([barrier](Trial& trial) {
      Atomic<int> x = 0;
      Atomic<int> y = 0;
      Pair seen;
      trial.Run({[&] {
                   x.store(1, kRelaxed);
                   seen.first = y.load(kRelaxed);
                 },
                 [&] {
                   y.store(1, kRelaxed);
                   if (barrier) ProcessBarrier()();
                   if (!barrier) Fence(kSeqCst);
                   seen.second = x.load(kRelaxed);
                 }});
      return seen;
    });
  };
  EXPECT_EQ(outcomes(true), (std::set<Pair>{{0, 1}, {1, 0}, {1, 1}}));
  EXPECT_EQ(outcomes(false), (std::set<Pair>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

// ---- Coherence ----

TEST(ExploreTest, AThreadSeesALocationGoForward) {
  const auto outcomes = Outcomes([](Trial& trial) {
    Atomic<int> x = 0;
    Pair seen;
    trial.Run({[&] {
                 x.store(1, kRelaxed);
                 x.store(2, kRelaxed);
               },
               [&] {
                 seen.first = x.load(kRelaxed);
                 seen.second = x.load(kRelaxed);
               }});
    return seen;
  });
  EXPECT_EQ(outcomes, (std::set<Pair>{{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}}));
}

TEST(ExploreTest, AThreadSeesWhatItWrote) {
  const auto outcomes = Outcomes([](Trial& trial) {
    Atomic<int> x = 0;
    int seen = 0;
    trial.Run({[&] {
                 x.store(1, kRelaxed);
                 seen = x.load(kRelaxed);
               },
               [&] { x.store(2, kRelaxed); }});
    return seen;
  });
  EXPECT_EQ(outcomes, (std::set<int>{1, 2}));
}

// ---- Independent reads of independent writes ----

auto IndependentReads(std::memory_order order) {
  return Outcomes(
      [=](Trial& trial) {
        Atomic<int> x = 0;
        Atomic<int> y = 0;
        Pair one;
        Pair other;
        trial.Run({[&] { x.store(1, order); }, [&] { y.store(1, order); },
                   [&] {
                     one.first = x.load(order == kRelease ? kAcquire : order);
                     one.second = y.load(order == kRelease ? kAcquire : order);
                   },
                   [&] {
                     other.first = y.load(order == kRelease ? kAcquire : order);
                     other.second = x.load(order == kRelease ? kAcquire : order);
                   }});
        return std::make_pair(one, other);
      },
      /*preemptions=*/2);
}

TEST(ExploreTest, ReadersAgreeOnOneOrderIfItIsSequentiallyConsistent) {
  const std::pair<Pair, Pair> disagree = {{1, 0}, {1, 0}};
  EXPECT_EQ(IndependentReads(kSeqCst).count(disagree), 0u);
  EXPECT_EQ(IndependentReads(kRelease).count(disagree), 1u);
}

// ---- Read-modify-writes ----

TEST(ExploreTest, NoIncrementIsLost) {
  const auto outcomes = Outcomes([](Trial& trial) {
    Atomic<int> x = 0;
    const auto add = [&] {
      x.fetch_add(1, kRelaxed);
      int seen = x.load(kRelaxed);
      while (!x.compare_exchange_weak(seen, seen + 1, kRelaxed)) {
      }
    };
    trial.Run({add, add});
    return x.load(kRelaxed);
  });
  EXPECT_EQ(outcomes, std::set<int>{4});
}

TEST(ExploreTest, LoadAndStoreLoseIncrements) {
  const auto outcomes = Outcomes([](Trial& trial) {
    Atomic<int> x = 0;
    const auto add = [&] { x.store(x.load(kSeqCst) + 1, kSeqCst); };
    trial.Run({add, add});
    return x.load();
  });
  EXPECT_EQ(outcomes, (std::set<int>{1, 2}));
}

TEST(ExploreTest, AReleaseSequenceGoesThroughReadModifyWrites) {
  const auto outcomes = [](bool stores) {
    return Outcomes([=](Trial& trial) {
      Atomic<int> data = 0;
      Atomic<int> flag = 0;
      Pair seen;
      trial.Run({[&] {
                   data.store(1, kRelaxed);
                   flag.store(1, kRelease);
                 },
                 [&] {
                   int one = 1;
                   if (stores) {
                     if (flag.load(kRelaxed) == 1) flag.store(2, kRelaxed);
                   } else {
                     flag.compare_exchange_strong(one, 2, kRelaxed);
                   }
                 },
                 [&] {
                   seen.first = flag.load(kAcquire);
                   seen.second = data.load(kRelaxed);
                 }});
      return seen;
    });
  };
  EXPECT_EQ(outcomes(false).count({2, 0}), 0u);
  EXPECT_EQ(outcomes(true).count({2, 0}), 1u) << "a plain store ends it";
}

TEST(ExploreTest, OnlyASuccessfulExchangeReleases) {
  const auto outcomes = Outcomes([](Trial& trial) {
    Atomic<int> data = 0;
    Atomic<int> lock = 0;
    int both = 0;
    const auto enter = [&] {
      int free = 0;
      if (!lock.compare_exchange_strong(free, 1, kAcqRel, kRelaxed)) return;
      data.store(data.load(kRelaxed) + 1, kRelaxed);
      ++both;
      lock.store(0, kRelease);
    };
    trial.Run({enter, enter});
    return std::make_pair(both, data.load(kRelaxed));
  });
  EXPECT_EQ(outcomes, (std::set<Pair>{{1, 1}, {2, 2}}));
}

// ---- Waiting ----

TEST(ExploreTest, AWaitingThreadGoesOnWhenAnotherHasStored) {
  const auto outcomes = Outcomes([](Trial& trial) {
    Atomic<int> data = 0;
    Atomic<int> ready = 0;
    int seen = -1;
    trial.Run({[&] {
                 while (ready.load(kAcquire) == 0) Yield();
                 seen = data.load(kRelaxed);
               },
               [&] {
                 data.store(7, kRelaxed);
                 ready.store(1, kRelease);
               }});
    return seen;
  });
  EXPECT_EQ(outcomes, std::set<int>{7});
}

TEST(ExploreTest, WaitingForEachOtherIsAFailure) {
  const Report report = Explore({}, [](Trial& trial) {
    Atomic<int> x = 0;
    Atomic<int> y = 0;
    trial.Run({[&] {
                 int rounds = 0;
                 while (y.load(kAcquire) == 0 && ++rounds < 100) Yield();
                 x.store(1, kRelease);
               },
               [&] {
                 int rounds = 0;
                 while (x.load(kAcquire) == 0 && ++rounds < 100) Yield();
                 y.store(1, kRelease);
               }});
  });
  EXPECT_NE(report.failure.find("every thread waits"), std::string::npos) << report.failure;
}

TEST(ExploreTest, ARunWithoutEndIsAFailure) {
  const Report report = Explore({.most_steps = 1000}, [](Trial& trial) {
    Atomic<int> x = 0;
    trial.Run({[&] {
      for (int i = 0; i < 1500 && x.load(kRelaxed) == 0; ++i) {
      }
    }});
  });
  EXPECT_NE(report.failure.find("without end"), std::string::npos) << report.failure;
}

// ---- The report ----

TEST(ExploreTest, AFailureTellsWhatTheThreadsDid) {
  const Report report = Explore({}, [](Trial& trial) {
    Atomic<int> data = 0;
    Atomic<int> ready = 0;
    trial.Run({[&] {
                 data.store(1, kRelaxed);
                 ready.store(1, kRelaxed);
               },
               [&] {
                 if (ready.load(kAcquire) == 0) return;
                 trial.Expect(data.load(kRelaxed) == 1, "the message has arrived");
               }});
  });
  EXPECT_FALSE(report.complete);
  EXPECT_NE(report.failure.find("the message has arrived\n"), std::string::npos);
  EXPECT_NE(report.failure.find("thread 1: "), std::string::npos) << report.failure;
  EXPECT_NE(report.failure.find("load acquire sees store 1 of 1"), std::string::npos);
  EXPECT_NE(report.failure.find("load relaxed sees store 0 of 1"), std::string::npos);
}

TEST(ExploreTest, PreemptionsAreBounded) {
  const auto runs = [](int preemptions) {
    return Explore({.preemptions = preemptions},
                   [](Trial& trial) {
                     Atomic<int> x = 0;
                     const auto add = [&] {
                       for (int i = 0; i < 3; ++i) x.fetch_add(1, kRelaxed);
                     };
                     trial.Run({add, add});
                     trial.Expect(x.load() == 6, "six");
                   })
        .runs;
  };
  EXPECT_EQ(runs(0), 2u);
  EXPECT_GT(runs(1), runs(0));
  EXPECT_GT(runs(2), runs(1));
}

TEST(ExploreTest, ObjectsThatOutliveARunKeepTheirValue) {
  Atomic<int> kept = 5;
  uint64_t runs = 0;
  const Report report = Explore({}, [&](Trial& trial) {
    ++runs;
    trial.Expect(kept.load() == 5, "what it was");
    trial.Run({[&] { kept.store(6, kRelaxed); }, [&] { kept.store(7, kRelaxed); }});
    kept.store(5);
  });
  EXPECT_TRUE(report.complete) << report.failure;
  EXPECT_EQ(kept.load(), 5);
  EXPECT_EQ(report.runs, runs);
}

}  // namespace
}  // namespace kv::testing::interleaving
