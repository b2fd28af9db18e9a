// Explore: runs a small concurrent program in every interleaving, and with every value that the C++
// memory model lets its loads see.
//
//   const Report report = Explore({}, [](Trial& trial) {
//     Atomic<int> data = 0, ready = 0;                     // of atomic.h
//     trial.Run({[&] { data.store(1, relaxed); ready.store(1, release); },
//                [&] { if (ready.load(acquire) == 1) trial.Expect(data.load(relaxed) == 1, "");
//                }});
//   });
//
// The threads of a trial are fibers of one thread, which change at atomic operations alone
// (machine.h).
// Whenever there is a choice (which thread goes on, which store a load sees), the first run takes
// the first alternative, and the runs after it the others, depth first. What is bounded is the
// number of preemptions: changes of thread that nothing forces. Few suffice for nearly all bugs
// (Musuvathi and Qadeer, Iterative Context Bounding, PLDI 2007).
//
// The memory model: each location keeps its stores in the order in which they were executed, which
// is their modification order. A load sees any store that is not older than one that it or its
// thread has seen there, nor than one that happens before it. What happens before what follows
// from release and acquire, fences, release sequences and thread creation, by vector clocks.
// Sequentially consistent fences and operations are ordered by one clock of their own.
// Where the model stops: a store never comes before one that was executed earlier (no 2+2W), loads
// see no stores of the future (no load buffering), compare_exchange never fails spuriously, and
// nobody wakes from a wait without a notification.
//
// Under ThreadSanitizer the model tells it what happens before what, and of nothing else: so races
// on ordinary memory (and uses of atomics before they are constructed, or after they are gone) are
// found in every interleaving that is run, and are failures. Targets are best built with it.
//
// orders.h weakens the orders of a program, one after the other, to see which of them it needs.
//
// Thread safety: one Explore at a time in a process.
#ifndef KV_TESTING_INTERLEAVING_EXPLORE_H_
#define KV_TESTING_INTERLEAVING_EXPLORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kv::testing::interleaving {

struct Plan {
  int preemptions = 2;
  uint64_t most_runs = 2'000'000;
  // Operations of one run after which it is taken for one that never ends.
  uint64_t most_steps = 20'000;
};

struct Report {
  uint64_t runs = 0;
  bool complete = false;  // every interleaving within the bound was run
  // Of the first run that failed, with all that its threads did; ThreadSanitizer writes what it has
  // found to stderr.
  std::string failure;
};

class Machine;

// One run of the program.
class Trial {
 public:
  explicit Trial(Machine& machine) : machine_(machine) {}

  // Runs the threads to their ends. What was done before happens before all that they do, and all
  // that happens before what follows. At most once in a trial.
  void Run(std::vector<std::function<void()>> threads);

  // Records a failure where `holds` is false. The run goes on to its end.
  void Expect(bool holds, std::string_view what);

 private:
  Machine& machine_;
};

// Stops at the first run that fails.
Report Explore(const Plan& plan, const std::function<void(Trial&)>& program);

// For a loop that waits for another thread: the caller goes on when another one has stored
// something, and then sees what is newest. Outside Trial::Run it does nothing.
void Yield();

// The place of the running thread among those of Trial::Run, from 1 on; 0 outside of it.
size_t ThreadNumber();

// Each number below `count`, in runs of their own; 0 outside of Trial::Run.
size_t Choose(size_t count);

// Whether races on ordinary memory are seen.
#ifdef __SANITIZE_THREAD__
inline constexpr bool kSeesRaces = true;
#else
inline constexpr bool kSeesRaces = false;
#endif

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_EXPLORE_H_
