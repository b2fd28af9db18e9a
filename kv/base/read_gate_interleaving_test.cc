// ReadGate: what a writer frees is seen by no reader, in every interleaving. With a stripe for each
// of the trial's threads.
#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/base/read_gate.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

struct Object {
  int value = 7;
};

// The use that the header shows.
class Subject {
 public:
  ~Subject() { delete current_.load(std::memory_order_relaxed); }

  void Read(Trial& trial) {
    const auto guard = gate_.Enter();
    Look(trial);
  }
  void ReadNested(Trial& trial) {
    const auto outer = gate_.Enter();
    { const auto inner = gate_.Enter(); }
    Look(trial);
  }
  void Replace() {
    Object* const old = current_.load(std::memory_order_relaxed);
    // release: for the object; Synchronize orders the rest.
    current_.store(new Object, std::memory_order_release);
    gate_.Synchronize();
    old->value = 0;
    delete old;
  }

 private:
  void Look(Trial& trial) const {
    // acquire: for the object.
    trial.Expect(current_.load(std::memory_order_acquire)->value == 7, "an object that lives");
  }

  ReadGate gate_;
  Atomic<Object*> current_{new Object};
};

Program Threads(std::string name, std::vector<void (*)(Subject&, Trial&)> bodies) {
  return {std::move(name), [bodies](Trial& trial) {
            Subject subject;
            std::vector<std::function<void()>> threads;
            for (const auto body : bodies) {
              threads.push_back([body, &subject, &trial] { body(subject, trial); });
            }
            trial.Run(std::move(threads));
          }};
}

std::vector<Program> Programs() {
  const auto reads = [](Subject& subject, Trial& trial) { subject.Read(trial); };
  const auto reads_twice = [](Subject& subject, Trial& trial) {
    subject.Read(trial);
    subject.Read(trial);
  };
  const auto nests = [](Subject& subject, Trial& trial) { subject.ReadNested(trial); };
  const auto replaces = [](Subject& subject, Trial&) { subject.Replace(); };
  const auto replaces_twice = [](Subject& subject, Trial&) {
    subject.Replace();
    subject.Replace();
  };
  return {
      Threads("a reader beside a writer", {reads, replaces}),
      Threads("a reader that comes again", {reads_twice, replaces}),
      Threads("a guard within a guard", {nests, replaces}),
      Threads("both phases", {reads, replaces_twice}),
      Threads("two readers", {reads, replaces, reads}),
  };
}

TEST(ReadGateInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs(),
                         {
                             // Of those who synchronize, of whom no program has two.
                             "ShardLock::lock compare_exchange acquire -> relaxed",
                             "ShardLock::unlock update release -> relaxed",
                         });
}

}  // namespace
}  // namespace kv
