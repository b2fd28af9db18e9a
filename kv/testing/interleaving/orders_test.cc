// What is needed is told from what is not: litmus tests, of which the orders that matter are known.
//
// The subjects stand in a file of their own, since places within a file of tests are not weakened.
#include "kv/testing/interleaving/orders.h"

#include <string>
#include <type_traits>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "kv/testing/interleaving/orders_subjects.h"
#include "kv/testing/interleaving/plans.h"
#include "kv/testing/interleaving/seam.h"

namespace kv::testing::interleaving {
namespace {

using Strings = std::vector<std::string>;

static_assert(kModelled);
static_assert(std::is_same_v<kv::Atomic<int>, Atomic<int>>);

TEST(OrdersTest, BothHalvesOfAMessageAreNeeded) {
  const OrdersReport report =
      SurvivingOrders(kPlan, {{"message", [](Trial& trial) {
                                 Mailbox box;
                                 int seen = -1;
                                 trial.Run({[&] { box.Send(7); }, [&] { seen = box.Receive(); }});
                                 trial.Expect(seen == -1 || seen == 7, "nothing, or the message");
                               }}});
  EXPECT_EQ(report.failure, "");
  EXPECT_GT(report.runs, 2u);
  EXPECT_EQ(report.weakened, 2u);
  EXPECT_EQ(report.caught, 2u);
  EXPECT_EQ(report.survivors, Strings{});
}

TEST(OrdersTest, ARaceOnOrdinaryMemoryIsNoticed) {
  if (!kSeesRaces) GTEST_SKIP() << "without ThreadSanitizer";
  const OrdersReport report = SurvivingOrders(
      kPlan, {{"parcel", [](Trial& trial) {
                 Parcel parcel;
                 int seen = -1;
                 trial.Run({[&] { parcel.Send(7); }, [&] { seen = parcel.Receive(); }});
                 trial.Expect(seen == -1 || seen == 7, "nothing, or the parcel");
               }}});
  EXPECT_EQ(report.failure, "");
  EXPECT_EQ(report.caught, 2u);
  EXPECT_EQ(report.survivors, Strings{});
}

std::vector<Program> TwoAdditions() {
  return {{"counter", [](Trial& trial) {
             Counter counter;
             trial.Run({[&] { counter.Add(); }, [&] { counter.Add(); }});
             trial.Expect(counter.Value() == 2, "two");
           }}};
}

TEST(OrdersTest, SequentialConsistencyThatNothingNeedsSurvivesAndSoDoesARelease) {
  const OrdersReport report = SurvivingOrders(kPlan, TwoAdditions());
  EXPECT_EQ(report.failure, "");
  EXPECT_EQ(report.caught, 0u);
  EXPECT_EQ(report.survivors, (Strings{
                                  "Counter::Add update seq_cst -> acq_rel",
                                  "Counter::Add update seq_cst -> acquire",
                                  "Counter::Add update seq_cst -> release",
                                  "Counter::Add update seq_cst -> relaxed",
                                  "Counter::Add store release -> relaxed",
                              }));
}

TEST(OrdersTest, OfTheOrdersOnlyThoseOfThePartsAreWeakened) {
  const OrdersReport report = SurvivingOrders(kPlan, TwoAdditions(), {"Counter::Add store"});
  EXPECT_EQ(report.failure, "");
  EXPECT_EQ(report.weakened, 1u);
  EXPECT_EQ(report.survivors, Strings{"Counter::Add store release -> relaxed"});
}

TEST(OrdersTest, APartWithoutOrdersIsReported) {
  const OrdersReport report = SurvivingOrders(kPlan, TwoAdditions(), {"Counter::", "Gone::"});
  EXPECT_EQ(report.failure, "no order has a name that begins with \"Gone::\"");
  EXPECT_EQ(report.weakened, 0u);
}

TEST(OrdersTest, ASurvivorThatIsNotKeptFailsTheTest) {
  if (!kSeesRaces) GTEST_SKIP() << "without ThreadSanitizer";
  const std::string survivor = "Counter::Add store release -> relaxed";
  ExpectEveryOrderNeeded(kPlan, TwoAdditions(), {survivor}, {"Counter::Add store"});
  EXPECT_NONFATAL_FAILURE(
      ExpectEveryOrderNeeded(kPlan, TwoAdditions(), /*kept=*/{}, {"Counter::Add store"}), survivor);
}

TEST(OrdersTest, SequentialConsistencyThatIsNeededDoesNotSurvive) {
  const OrdersReport report = SurvivingOrders(
      kPlan, {{"flags", [](Trial& trial) {
                 Flags flags;
                 bool first = false;
                 bool second = false;
                 trial.Run({[&] { first = flags.Raise(0); }, [&] { second = flags.Raise(1); }});
                 trial.Expect(first || second, "one of two sees the other");
               }}});
  EXPECT_EQ(report.failure, "");
  EXPECT_EQ(report.caught, 2u);
  EXPECT_EQ(report.survivors, Strings{});
}

TEST(OrdersTest, AProgramThatFailsAsItIsIsReported) {
  const OrdersReport report = SurvivingOrders(kPlan, {{"wrong", [](Trial& trial) {
                                                         Counter counter;
                                                         trial.Run({[&] { counter.Add(); }});
                                                         trial.Expect(counter.Value() == 2, "two");
                                                       }}});
  EXPECT_NE(report.failure.find("wrong: two"), std::string::npos) << report.failure;
  EXPECT_EQ(report.weakened, 0u);
}

TEST(OrdersTest, NamesAreShort) {
  EXPECT_EQ(ShortName("void kv::ShardLock::lock()"), "ShardLock::lock");
  EXPECT_EQ(ShortName("kv::ReadGate::Guard::Guard(kv::Atomic<long unsigned int>&)"),
            "Guard::Guard");
  EXPECT_EQ(ShortName("static void kv::Node::Set(kv::Atomic<U>&, U) [with U = const kv::Entry*]"),
            "Node::Set");
  EXPECT_EQ(ShortName("bool kv::a::SlotNode<kSlots>::full() const [with long unsigned int kSlots = "
                      "4]"),
            "SlotNode::full");
  EXPECT_EQ(ShortName("int Free()"), "Free");
}

}  // namespace
}  // namespace kv::testing::interleaving
