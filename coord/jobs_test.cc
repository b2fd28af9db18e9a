#include "coord/jobs.h"

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace coord {
namespace {

enum class Job { kFirst, kSecond, kThird };
using TestJobs = Jobs<Job, 3>;

TEST(Jobs, WhatIsAskedForIsDoneAfterwards) {
  TestJobs jobs;
  int work = 0;  // guarded by nothing: the job itself orders it
  std::atomic<int> seen{0};
  JobThreads threads(jobs, 2, [&](Job job) -> Result {
    if (job == Job::kSecond) seen = work;
    return Completed{};
  });
  for (int i = 1; i <= 1000; ++i) {
    work = i;
    jobs.Ask(Job::kSecond);
    while (seen != i) std::this_thread::yield();
  }
}

TEST(Jobs, OfTwoThreadsOneIsFreeWhileTheOtherIsBusy) {
  TestJobs jobs;
  std::atomic<bool> let_go{false};
  std::atomic<int> done{0};
  JobThreads threads(jobs, 2, [&](Job job) -> Result {
    if (job == Job::kFirst) let_go.wait(false);
    ++done;
    return Completed{};
  });
  jobs.Ask(Job::kFirst);
  jobs.Ask(Job::kSecond);
  while (done < 1) std::this_thread::yield();
  jobs.Ask(Job::kThird);
  while (done < 2) std::this_thread::yield();
  let_go = true;
  let_go.notify_all();
  threads.Stop();
  EXPECT_EQ(done, 3);
}

TEST(Jobs, NoJobRunsTwiceAtOnceAndNoneIsForgotten) {
  TestJobs jobs;
  std::array<std::atomic<int>, 3> asked{};
  std::array<std::atomic<int>, 3> seen{};
  std::array<std::atomic<int>, 3> running{};
  JobThreads threads(jobs, 3, [&](Job job) -> Result {
    const auto which = static_cast<size_t>(job);
    EXPECT_EQ(++running[which], 1);
    seen[which] = asked[which].load();
    --running[which];
    return Completed{};
  });
  std::vector<std::thread> askers;
  for (int asker = 0; asker < 2; ++asker) {
    askers.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) {
        const auto which = static_cast<size_t>(i % 3);
        ++asked[which];
        jobs.Ask(static_cast<Job>(which));
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  threads.Stop();
  for (size_t job = 0; job < 3; ++job) EXPECT_EQ(seen[job], asked[job]);
}

TEST(Jobs, AreKeptUntilThereAreThreads) {
  TestJobs jobs;
  jobs.Ask(Job::kThird);
  jobs.Ask(Job::kThird);
  std::atomic<int> runs{0};
  JobThreads threads(jobs, 1, [&](Job job) -> Result {
    EXPECT_EQ(job, Job::kThird);
    ++runs;
    return Completed{};
  });
  threads.Stop();
  EXPECT_EQ(runs, 1);
}

TEST(Jobs, RunAgainByThemselvesWhereTheySaySo) {
  TestJobs jobs;
  std::atomic<int> runs{0};
  JobThreads threads(jobs, 2, [&](Job job) -> Result {
    if (job == Job::kFirst) jobs.Ask(Job::kSecond);
    if (job == Job::kSecond) ++runs;
    return Suspended{.resume_on = After{std::chrono::milliseconds(1)}};
  });
  jobs.Ask(Job::kFirst);
  while (runs < 5) std::this_thread::yield();
}

}  // namespace
}  // namespace coord
