// ClockCache with one set of two slots: pins, evictions, inserts and erasures, in every
// interleaving.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/cache/clock.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::kBriefPlan;
using testing::interleaving::kSeesRaces;
using testing::interleaving::OrdersReport;
using testing::interleaving::Program;
using testing::interleaving::SurvivingOrders;
using testing::interleaving::Trial;

constexpr size_t kOneSet = 2 * 2048;

// Bytes that tell which block they are of, and whether they are all there.
std::string BlockOf(uint64_t file, uint64_t offset) {
  return "block " + std::to_string(file) + "/" + std::to_string(offset) + ".";
}

class Subject {
 public:
  Subject() : empty_(cache_.UsedBytes()) {}

  void Insert(Trial& trial, uint64_t file, uint64_t offset) {
    const auto handle = cache_.Insert(file, offset, BlockOf(file, offset));
    trial.Expect(handle && handle.bytes() == BlockOf(file, offset), "the block that was inserted");
  }
  void Lookup(Trial& trial, uint64_t file, uint64_t offset) {
    const auto handle = cache_.Lookup(file, offset);
    if (handle) trial.Expect(handle.bytes() == BlockOf(file, offset), "the block asked for");
  }
  void EraseFile(uint64_t file) { cache_.EraseFile(file); }

  // What is charged is what is found, once nobody holds anything.
  void ExpectCharges(Trial& trial) {
    size_t charged = empty_;
    for (uint64_t file = 0; file < 3; ++file) {
      for (uint64_t offset = 0; offset < 3; ++offset) {
        const auto handle = cache_.Lookup(file, offset);
        if (!handle) continue;
        charged += BlockCharge(BlockOf(file, offset));
      }
    }
    trial.Expect(cache_.UsedBytes() >= charged, "each block is charged");
    for (uint64_t file = 0; file < 3; ++file) cache_.EraseFile(file);
    trial.Expect(cache_.UsedBytes() == empty_, "nothing is charged when all is erased");
  }

 private:
  ClockCache cache_{kOneSet};
  const size_t empty_;
};

Program Threads(std::string name, std::vector<void (*)(Subject&, Trial&)> bodies) {
  return {std::move(name), [bodies](Trial& trial) {
            Subject subject;
            // So that the set is full.
            subject.Insert(trial, 0, 0);
            subject.Insert(trial, 1, 0);
            std::vector<std::function<void()>> threads;
            for (const auto body : bodies) {
              threads.push_back([body, &subject, &trial] { body(subject, trial); });
            }
            trial.Run(std::move(threads));
            subject.ExpectCharges(trial);
          }};
}

std::vector<Program> Programs() {
  const auto looks = [](Subject& subject, Trial& trial) { subject.Lookup(trial, 0, 0); };
  const auto looks_for_new = [](Subject& subject, Trial& trial) { subject.Lookup(trial, 0, 1); };
  const auto inserts = [](Subject& subject, Trial& trial) { subject.Insert(trial, 0, 1); };
  const auto inserts_other = [](Subject& subject, Trial& trial) { subject.Insert(trial, 0, 2); };
  const auto erases = [](Subject& subject, Trial&) { subject.EraseFile(0); };
  return {
      Threads("a lookup beside an eviction", {looks, inserts}),
      Threads("a lookup beside the insert of its block", {looks_for_new, inserts}),
      Threads("a lookup beside an erasure", {looks, erases}),
      Threads("an insert beside an erasure", {inserts, erases}),
      Threads("two inserts", {inserts, inserts_other}),
      Threads("two inserts of one block", {inserts, inserts}),
      Threads("two erasures beside each other", {erases, erases}),
      {"into an erased slot that is still read",
       [](Trial& trial) {
         Subject subject;
         subject.Insert(trial, 0, 0);
         trial.Run({[&] { subject.Lookup(trial, 0, 0); },
                    [&] {
                      subject.EraseFile(0);
                      subject.Insert(trial, 1, 1);
                      subject.Insert(trial, 1, 2);
                    }});
         subject.ExpectCharges(trial);
       }},
  };
}

TEST(ClockInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  const OrdersReport report = SurvivingOrders(kBriefPlan, Programs());
  EXPECT_EQ(report.failure, "");
  if (!kSeesRaces) GTEST_SKIP() << "without ThreadSanitizer, which sees races on blocks";
  EXPECT_EQ(report.survivors, (std::vector<std::string>{}));
}

}  // namespace
}  // namespace kv
