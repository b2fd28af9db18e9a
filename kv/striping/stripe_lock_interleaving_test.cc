// StripeLock: sharers beside an excluder, in every interleaving, without the spinning. Excluders
// queue at a std::mutex, so a trial has one thread of them.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/striping/stripe_lock.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// What the lock guards is no atomic: who lacks the order of holders has a race.
struct Subject {
  StripeLock lock;
  int first = 0;
  int second = 0;

  void Share(Trial& trial) {
    const SharedStripeGuard guard(&lock);
    trial.Expect(first == second, "a sharer sees what an excluder left");
  }
  void Exclude() {
    const ExclusiveStripeGuard guard(&lock);
    ++first;
    ++second;
  }
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
  const auto shares = [](Subject& subject, Trial& trial) { subject.Share(trial); };
  const auto shares_twice = [](Subject& subject, Trial& trial) {
    subject.Share(trial);
    subject.Share(trial);
  };
  const auto excludes = [](Subject& subject, Trial&) { subject.Exclude(); };
  const auto excludes_twice = [](Subject& subject, Trial&) {
    subject.Exclude();
    subject.Exclude();
  };
  return {
      Threads("a sharer beside an excluder", {shares, excludes}),
      Threads("a sharer that comes again", {shares_twice, excludes}),
      Threads("two phases", {shares, excludes_twice}),
      Threads("two phases beside a sharer that comes again", {shares_twice, excludes_twice}),
      Threads("two sharers", {shares, excludes, shares}),
  };
}

TEST(StripeLockInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs(),
                         {
                             // Before it sleeps, a waiting thread looks at the newest count here,
                             // as it does at a futex, so it misses no departure whatever it has
                             // loaded. C++ promises less: the orders are kept for what it says.
                             "StripeLock::UnlockShared update seq_cst -> acq_rel",
                             "StripeLock::UnlockShared update seq_cst -> release",
                             // Whoever has waited loads again.
                             "StripeLock::WaitForPhase load acquire #2 -> relaxed",
                             // As above.
                             "StripeLock::WaitForSharers load seq_cst -> acquire",
                             // Whoever has waited loads again.
                             "StripeLock::WaitForSharers load seq_cst #2 -> acquire",
                             "StripeLock::WaitForSharers load seq_cst #2 -> relaxed",
                         });
}

}  // namespace
}  // namespace kv
