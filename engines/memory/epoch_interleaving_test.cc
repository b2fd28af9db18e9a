// Epochs: reclaiming beside readers, in every interleaving. The third thread of a trial finds no
// slot of its own and shares a count (kThreadSlots, where it is modelled).
#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engines/memory/epoch.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv::memory_internal {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

struct Object {
  int value = 7;
};

// One object at a time that readers look at.
class Subject {
 public:
  ~Subject() {
    for (Object* object : kept_) delete object;
    delete current_.load(std::memory_order_relaxed);
  }

  void Read(Trial& trial) {
    const auto guard = epochs_.Enter();
    Look(trial);
  }
  void ReadNested(Trial& trial) {
    const auto outer = epochs_.Enter();
    Look(trial);
    { const auto inner = epochs_.Enter(); }
    Look(trial);
  }

  // As a writer does: unlinks the object and frees it when it is safe, perhaps not now.
  void Replace() {
    Object* const old = Unlink();
    const Epochs::Ticket ticket = epochs_.Advance();
    FreeIfPassed(ticket, old);
  }
  // Looks again for as long as it takes.
  void ReplaceAndWait() {
    Object* const old = Unlink();
    const Epochs::Ticket ticket = epochs_.Advance();
    while (!epochs_.Passed(ticket)) GiveWay();
    Free(old);
  }
  // A later look at an older ticket, as Limbo has it.
  void ReplaceTwice() {
    Object* const first = Unlink();
    const Epochs::Ticket ticket = epochs_.Advance();
    Object* const second = Unlink();
    FreeIfPassed(ticket, first);
    FreeIfPassed(epochs_.Advance(), second);
  }

 private:
  void Look(Trial& trial) const {
    // acquire: pairs with Unlink, for the object that it puts there.
    trial.Expect(current_.load(std::memory_order_acquire)->value == 7, "an object that lives");
  }
  Object* Unlink() {
    Object* const old = current_.load(std::memory_order_relaxed);
    current_.store(new Object, std::memory_order_release);
    return old;
  }
  void FreeIfPassed(Epochs::Ticket ticket, Object* object) {
    if (epochs_.Passed(ticket)) {
      Free(object);
    } else {
      kept_.push_back(object);
    }
  }
  static void Free(Object* object) {
    object->value = 0;
    delete object;
  }

  Epochs epochs_;
  Atomic<Object*> current_{new Object};
  std::vector<Object*> kept_;  // the writer's
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
  const auto waits = [](Subject& subject, Trial&) { subject.ReplaceAndWait(); };
  const auto replaces_twice = [](Subject& subject, Trial&) { subject.ReplaceTwice(); };
  const auto does_nothing = [](Subject&, Trial&) {};
  return {
      Threads("a reader beside a writer", {reads, replaces}),
      Threads("a reader that comes again", {reads_twice, replaces}),
      Threads("a writer that waits", {reads, waits}),
      Threads("a guard within a guard", {nests, replaces}),
      Threads("an older ticket", {reads, replaces_twice}),
      Threads("a reader without a slot", {replaces, does_nothing, reads}),
      Threads("a reader without a slot that is waited for", {waits, does_nothing, reads}),
      Threads("two readers", {replaces, reads, reads}),
  };
}

TEST(EpochInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs());
}

}  // namespace
}  // namespace kv::memory_internal
