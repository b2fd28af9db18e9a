#include "coord/soak.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace coord {
namespace {

bool GoOn(const SoakOutcome&) { return true; }

TEST(SoakTest, EveryCompositionPassesARound) {
  std::set<std::string> names;
  for (const SoakSubject& subject : SoakSubjects()) {
    names.insert(subject.name);
    const absl::Status status = subject.run(/*seed=*/7, /*steps=*/100);
    EXPECT_TRUE(status.ok()) << subject.name << ": " << status;
  }
  EXPECT_EQ(names.size(), 54u);
}

// Fails at one of its seeds.
class Recorder {
 public:
  explicit Recorder(uint64_t fails_at) : fails_at_(fails_at) {}
  std::vector<SoakSubject> Subjects() {
    std::vector<SoakSubject> subjects;
    for (const std::string name : {"a", "b", "c"}) {
      subjects.push_back({name, [this, name](uint64_t seed, int steps) {
                            rounds.emplace_back(name + std::to_string(seed), steps);
                            return seed == fails_at_ ? absl::DataLossError("lost")
                                                     : absl::OkStatus();
                          }});
    }
    return subjects;
  }

  std::vector<std::pair<std::string, int>> rounds;

 private:
  const uint64_t fails_at_;
};

TEST(SoakTest, TheSeedOfARoundReplaysIt) {
  Recorder recorder(/*fails_at=*/25);
  const SoakOutcome outcome = RunSoak({.seed = 10}, recorder.Subjects(), GoOn);
  EXPECT_EQ(outcome.status.message(), "lost");
  EXPECT_EQ(outcome.rounds, 16u);
  EXPECT_EQ(outcome.seed, 25u);
  EXPECT_EQ(outcome.subject + "25", recorder.rounds.back().first);
  Recorder again(/*fails_at=*/25);
  RunSoak({.seed = outcome.seed, .rounds = 1}, again.Subjects(), GoOn);
  ASSERT_EQ(again.rounds.size(), 1u);
  EXPECT_EQ(again.rounds[0], recorder.rounds.back());
}

TEST(SoakTest, EndsWhenItIsTold) {
  Recorder recorder(/*fails_at=*/0);
  EXPECT_EQ(RunSoak({.rounds = 3}, recorder.Subjects(), GoOn).rounds, 3u);
  EXPECT_EQ(RunSoak({.seconds = 0}, recorder.Subjects(), GoOn).rounds, 0u);
  const auto stop = [](const SoakOutcome& outcome) { return outcome.rounds < 2; };
  EXPECT_EQ(RunSoak({}, recorder.Subjects(), stop).rounds, 2u);
}

}  // namespace
}  // namespace coord
