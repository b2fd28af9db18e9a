#include "kv/base/striped_counters.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "kv/base/thread_stripe.h"

namespace kv {
namespace {

enum class Counter : size_t { kApples, kPears, kCount };
using Counters = StripedCounters<Counter, static_cast<size_t>(Counter::kCount)>;

TEST(StripedCountersTest, StartAtZeroAndCountApart) {
  Counters counters;
  EXPECT_EQ(counters.Sum(Counter::kApples), 0u);
  counters.Add(Counter::kApples);
  counters.Add(Counter::kApples, 41);
  EXPECT_EQ(counters.Sum(Counter::kApples), 42u);
  EXPECT_EQ(counters.Sum(Counter::kPears), 0u);
}

// More threads than there are stripes, so some share one.
TEST(StripedCountersTest, SumsAreExactOnceTheThreadsHaveStopped) {
  constexpr uint64_t kThreads = 40;
  constexpr uint64_t kRounds = 2000;
  Counters counters;
  std::atomic<bool> stop = false;
  std::thread watcher([&] {
    uint64_t last = 0;
    while (!stop) {
      const uint64_t sum = counters.Sum(Counter::kPears);
      EXPECT_GE(sum, last);
      EXPECT_LE(sum, kThreads * kRounds * 3);
      last = sum;
    }
  });
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (uint64_t round = 0; round < kRounds; ++round) {
        counters.Add(Counter::kApples);
        counters.Add(Counter::kPears, 3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  watcher.join();
  EXPECT_EQ(counters.Sum(Counter::kApples), kThreads * kRounds);
  EXPECT_EQ(counters.Sum(Counter::kPears), kThreads * kRounds * 3);
}

TEST(ThreadStripeTest, ThreadsThatRunAtOnceHaveNumbersOfTheirOwn) {
  EXPECT_EQ(ThreadNumber(), ThreadNumber());
  std::vector<size_t> numbers(10);
  std::barrier all_have_one(static_cast<std::ptrdiff_t>(numbers.size()));
  std::vector<std::thread> threads;
  for (size_t& number : numbers) {
    threads.emplace_back([&] {
      number = ThreadNumber();
      all_have_one.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<size_t>(numbers.begin(), numbers.end()).size(), numbers.size());
}

TEST(ThreadStripeTest, NumbersOfThreadsThatHaveEndedAreGivenAgain) {
  std::set<size_t> numbers = {ThreadNumber()};
  for (int i = 0; i < 3'000; ++i) {
    size_t number = 0;
    std::thread([&number] { number = ThreadNumber(); }).join();
    numbers.insert(number);
  }
  EXPECT_EQ(numbers.size(), 2u);
}

}  // namespace
}  // namespace kv
