#include "bench/remote_watch/outages.h"

#include <chrono>
#include <optional>

#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

using std::chrono::milliseconds;
using Outcome = StepResult::Outcome;

constexpr clients::Deadline kBegin{};

// A probe from `begin` to `end` milliseconds, whose step `failed` failed and let none follow.
ProbeResult Probe(int begin, int end, std::optional<Step> failed = std::nullopt) {
  ProbeResult probe;
  probe.begin = kBegin + milliseconds(begin);
  probe.end = kBegin + milliseconds(end);
  for (size_t i = 0; i < kSteps; ++i) {
    if (failed.has_value() && i == static_cast<size_t>(*failed)) {
      probe.steps[i] = {Outcome::kFailed, "no"};
      break;
    }
    probe.steps[i].outcome = Outcome::kWorked;
  }
  return probe;
}

TEST(Outages, NoneWhereAllWorks) {
  Outages outages;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(outages.Note(Probe(100 * i, 100 * i + 1)), Outages::Change::kNone);
  }
  outages.Finish();
  EXPECT_TRUE(outages.gaps().empty());
  EXPECT_EQ(outages.Longest(), nullptr);
  EXPECT_EQ(outages.probes(), 5u);
  EXPECT_EQ(outages.failed(), 0u);
  EXPECT_EQ(outages.TotalDown().count(), 0);
}

TEST(Outages, AGapIsFromTheFirstFailureToTheEndOfTheNextSuccess) {
  Outages outages;
  outages.Note(Probe(0, 1));
  EXPECT_EQ(outages.Note(Probe(100, 150, Step::kRead)), Outages::Change::kDown);
  EXPECT_TRUE(outages.is_down());
  EXPECT_EQ(outages.Note(Probe(200, 201, Step::kConnect)), Outages::Change::kNone);
  EXPECT_EQ(outages.Note(Probe(300, 301, Step::kWrite)), Outages::Change::kNone);
  EXPECT_EQ(outages.Note(Probe(400, 403)), Outages::Change::kUp);
  EXPECT_FALSE(outages.is_down());
  outages.Note(Probe(500, 501));
  outages.Finish();

  ASSERT_EQ(outages.gaps().size(), 1u);
  const Gap& gap = outages.gaps()[0];
  EXPECT_EQ(gap.begin, kBegin + milliseconds(100));
  EXPECT_EQ(gap.length(), milliseconds(303));
  EXPECT_TRUE(gap.over);
  EXPECT_EQ(gap.probes, 3u);
  EXPECT_EQ(gap.failures, (std::array<uint64_t, kSteps>{1, 1, 1, 0}));
  EXPECT_EQ(gap.errors.size(), 3u);
  EXPECT_EQ(gap.errors.at("read: no"), 1u);
  // Connecting failed from 200 to 301, reading from 100 to 301, writing to 403.
  EXPECT_EQ(gap.down[0], milliseconds(101));
  EXPECT_EQ(gap.down[1], milliseconds(201));
  EXPECT_EQ(gap.down[2], milliseconds(303));
  EXPECT_EQ(outages.TotalDown(Step::kRead), milliseconds(201));
  EXPECT_EQ(outages.failed(), 3u);
}

TEST(Outages, ReadsThatWorkAreNotDown) {
  Outages outages;
  outages.Note(Probe(0, 1, Step::kWrite));
  outages.Note(Probe(100, 101));
  EXPECT_EQ(outages.TotalDown(Step::kRead).count(), 0);
  EXPECT_EQ(outages.TotalDown(Step::kWrite), milliseconds(101));
}

TEST(Outages, OneThatIsNotOverCountsAsFarAsItWasSeen) {
  Outages outages;
  outages.Note(Probe(0, 1, Step::kConnect));
  outages.Note(Probe(100, 101));
  outages.Note(Probe(200, 201, Step::kConnect));
  outages.Note(Probe(300, 310, Step::kConnect));
  outages.Finish();
  ASSERT_EQ(outages.gaps().size(), 2u);
  EXPECT_FALSE(outages.gaps()[1].over);
  EXPECT_EQ(outages.gaps()[1].length(), milliseconds(110));
  EXPECT_EQ(outages.gaps()[1].down[2], milliseconds(110));
  EXPECT_EQ(outages.Longest(), &outages.gaps()[1]);
  EXPECT_EQ(outages.TotalDown(), milliseconds(211));
  EXPECT_EQ(outages.TotalDown(Step::kWrite), milliseconds(211));
}

TEST(Outages, ManyDifferentErrorsTakeNoMoreRoom) {
  Outages outages;
  for (int i = 0; i < 100; ++i) {
    ProbeResult probe = Probe(i, i + 1, Step::kConnect);
    probe.at(Step::kConnect).error = std::to_string(i);
    outages.Note(probe);
  }
  EXPECT_LE(outages.gaps()[0].errors.size(), 9u);
  EXPECT_EQ(outages.gaps()[0].errors.at("others"), 92u);
}

}  // namespace
}  // namespace bench::remote_watch
