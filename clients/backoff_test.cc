#include "clients/backoff.h"

#include <chrono>
#include <set>

#include "gtest/gtest.h"

namespace clients {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToItsCapAndStaysAboveHalf) {
  Backoff backoff({.shortest = milliseconds(10), .longest = milliseconds(100)}, 1);
  for (const int ceiling : {10, 20, 40, 80, 100, 100, 100}) {
    const Nanoseconds wait = backoff.Next();
    EXPECT_LE(wait, milliseconds(ceiling));
    EXPECT_GE(wait, milliseconds(ceiling) / 2);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), milliseconds(10));
}

TEST(Backoff, DoesNotOverflow) {
  Backoff backoff({.shortest = milliseconds(1), .longest = Nanoseconds::max() / 2}, 1);
  for (int i = 0; i < 200; ++i) EXPECT_GT(backoff.Next().count(), 0);
}

TEST(Backoff, ClientsDoNotComeBackTogether) {
  std::set<int64_t> waits;
  for (int seed = 0; seed < 100; ++seed) waits.insert(Backoff({}, seed).Next().count());
  EXPECT_GT(waits.size(), 90u);
}

}  // namespace
}  // namespace clients
