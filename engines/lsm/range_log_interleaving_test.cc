// RangeLog: questions beside inserts, in every interleaving.
#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/range_log.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/contract/record.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kBriefPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// A log, and the newest number that readers may see, as the tree publishes it.
struct Subject {
  RangeLog log;
  Atomic<Sequence> visible{0};

  void Insert(std::string_view begin, std::string_view end, Sequence sequence) {
    log.Insert(begin, end, sequence);
    visible.store(sequence, std::memory_order_release);
  }
  Sequence Newest(std::string_view key) const { return log.NewestAt(key, kMaxSequence); }
};

// With the tombstones 1 .. `before` over ["a", "c").
Program Beside(std::string name, Sequence before, std::function<void(Subject&)> write,
               std::function<void(Subject&, Trial&)> read) {
  return {std::move(name), [=](Trial& trial) {
            Subject subject;
            for (Sequence i = 1; i <= before; ++i) subject.Insert("a", "c", i);
            trial.Run({[&] { write(subject); }, [&] { read(subject, trial); }});
          }};
}

std::vector<Program> Programs() {
  return {
      Beside(
          "the first one", 0, [](Subject& subject) { subject.Insert("a", "c", 1); },
          [](Subject& subject, Trial& trial) {
            if (subject.log.empty()) return;
            trial.Expect(subject.Newest("b") == 1, "what it says that it has");
          }),
      Beside(
          "one that becomes visible", 0, [](Subject& subject) { subject.Insert("a", "c", 1); },
          [](Subject& subject, Trial& trial) {
            if (subject.visible.load(std::memory_order_acquire) == 0) return;
            trial.Expect(subject.Newest("b") == 1, "what is visible");
          }),
      Beside(
          "two runs that become one", 1, [](Subject& subject) { subject.Insert("b", "d", 2); },
          [](Subject& subject, Trial& trial) {
            const Sequence first = subject.Newest("b");
            trial.Expect(first == 1 || first == 2, "the old one or the new one");
            trial.Expect(subject.Newest("b") >= first, "what was seen is seen again");
            trial.Expect(subject.log.NewestAt("b", 1) == 1, "the old one as of then");
          }),
      Beside(
          "three runs that become one, and another", 3,
          [](Subject& subject) {
            subject.Insert("b", "d", 4);
            subject.Insert("b", "d", 5);
          },
          [](Subject& subject, Trial& trial) {
            const Sequence newest = subject.Newest("c");
            trial.Expect(newest == 0 || newest == 4 || newest == 5, "none or one of the new ones");
            trial.Expect(subject.log.NewestAt("a", 2) == 2, "an old one as of then");
          }),
      Beside(
          "an index that is looked at while it is replaced", 1,
          [](Subject& subject) { subject.Insert("a", "c", 2); },
          [](Subject& subject, Trial& trial) {
            Sequence newest = 0;
            subject.log.ForEachIndex([&](const RangeIndex& index) {
              subject.visible.load(std::memory_order_relaxed);  // the writer may go on meanwhile
              newest = index.NewestAt("b", kMaxSequence);
            });
            trial.Expect(newest == 1 || newest == 2, "an index that lives");
          }),
  };
}

TEST(RangeLogInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kBriefPlan, Programs());
}

}  // namespace
}  // namespace kv
