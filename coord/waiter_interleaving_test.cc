// Park and SpinThenPark: nobody sleeps through work, and a notification is one waiter's, in every
// interleaving. Whoever sleeps for ever fails the run. (EventFd has the same counts,
// wait_counts.h.)
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "coord/park.h"
#include "coord/spin_then_park.h"
#include "coord/waiter_concept.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using kv::testing::interleaving::ExpectEveryOrderNeeded;
using kv::testing::interleaving::Explore;
using kv::testing::interleaving::FirstFailure;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Report;
using kv::testing::interleaving::Trial;

// Work that is counted. seq_cst: as the concept asks of work.
template <Waiter W>
class Subject {
 public:
  void Add(size_t notify = 1) {
    items_.fetch_add(1, std::memory_order_seq_cst);
    waiter_.Notify(notify);
  }
  void AddTwo() {
    items_.fetch_add(2, std::memory_order_seq_cst);
    waiter_.Notify(2);
  }

  bool TryTake() {
    int seen = items_.load(std::memory_order_seq_cst);
    while (seen > 0) {
      if (items_.compare_exchange_strong(seen, seen - 1, std::memory_order_seq_cst)) return true;
    }
    return false;
  }

  void Take() {
    while (!TryTake()) {
      waiter_.PrepareWait();
      if (items_.load(std::memory_order_seq_cst) > 0) {
        waiter_.CancelWait();
      } else {
        waiter_.Wait();
      }
    }
  }

  // Looks once, and waits for as long as the model has time: not at all.
  bool TakeInTime() {
    waiter_.PrepareWait();
    if (items_.load(std::memory_order_seq_cst) > 0) {
      waiter_.CancelWait();
    } else if (!waiter_.WaitFor(std::chrono::nanoseconds(1))) {
      return false;
    }
    return TryTake();
  }

  W waiter_;
  kv::Atomic<int> items_{0};
};

template <Waiter W>
Program Threads(std::string name, std::vector<void (*)(Subject<W>&)> bodies) {
  return {std::move(name), [bodies](Trial& trial) {
            Subject<W> subject;
            std::vector<std::function<void()>> threads;
            for (const auto body : bodies) {
              threads.push_back([body, &subject] { body(subject); });
            }
            trial.Run(std::move(threads));
            trial.Expect(subject.items_.load(std::memory_order_relaxed) == 0, "all work is taken");
            // Nobody waits: nobody can be notified.
            trial.Expect(subject.waiter_.NotifyAll() == 0, "nobody is left waiting");
          }};
}

template <Waiter W>
std::vector<Program> Programs() {
  using S = Subject<W>;
  const auto add = [](S& s) { s.Add(); };
  const auto add_twice = [](S& s) {
    s.Add();
    s.Add();
  };
  const auto add_two = [](S& s) { s.AddTwo(); };
  const auto take = [](S& s) { s.Take(); };
  const auto take_twice = [](S& s) {
    s.Take();
    s.Take();
  };
  return {
      Threads<W>("work beside a waiter", {add, take}),
      Threads<W>("work again, for a waiter that comes again", {add_twice, take_twice}),
      Threads<W>("work for two", {add_two, take, take}),
      Threads<W>("from two", {add, add, take_twice}),
      // Whatever one gives up waiting for, or gives back, the other gets.
      Threads<W>("a waiter without patience beside another", {add, take,
                                                              [](S& s) {
                                                                if (s.TakeInTime()) s.Add();
                                                              }}),
      // One waiter is let go and one is not: to wait for a notification is to wait.
      {"a notification is for one",
       [](Trial& trial) {
         S s;
         int woken = 0;
         s.waiter_.PrepareWait();
         s.waiter_.PrepareWait();
         s.Add();
         trial.Run({[&] {
                      s.waiter_.Wait();
                      ++woken;
                      s.waiter_.Notify(1);
                    },
                    [&] {
                      s.waiter_.Wait();
                      ++woken;
                      s.waiter_.Notify(1);
                    }});
         trial.Expect(woken == 2, "one wakes the other");
       }},
      {"ordinary memory",
       [](Trial& trial) {
         W waiter;
         int data = 0;
         waiter.PrepareWait();
         trial.Run({[&] {
                      data = 7;
                      waiter.Notify(1);
                    },
                    [&] {
                      waiter.Wait();
                      trial.Expect(data == 7, "what was done before Notify");
                    }});
       }},
  };
}

TEST(WaiterInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs<Park>());
}

TEST(WaiterInterleavingTest, SpinThenPark) {
  EXPECT_EQ(FirstFailure(kPlan, Programs<SpinThenPark<>>()), "");
}

// A waiter that looks for work before it announces itself.
class AnnouncesLate {
 public:
  static constexpr std::string_view kName = "announces late";
  void PrepareWait() {}
  void CancelWait() {}
  void Wait() {
    park_.PrepareWait();
    park_.Wait();
  }
  bool WaitFor(std::chrono::nanoseconds) { return true; }
  size_t Notify(size_t count) { return park_.Notify(count); }
  size_t NotifyAll() { return park_.NotifyAll(); }

 private:
  Park park_;
};

TEST(WaiterInterleavingTest, ALateAnnouncementLosesWakeUps) {
  const Report report = Explore(kPlan, Programs<AnnouncesLate>()[0].run);
  EXPECT_NE(report.failure.find("every thread waits"), std::string::npos) << report.failure;
}

}  // namespace
}  // namespace coord
