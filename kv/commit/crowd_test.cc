#include "kv/commit/crowd.h"

#include <thread>

#include "gtest/gtest.h"

namespace kv {
namespace {

TEST(CrowdTest, ReturnsWhenThoseExpectedHaveCome) {
  Crowd crowd;
  crowd.Met(3);
  crowd.SetWaiting(1);
  std::thread others([&] { crowd.SetWaiting(3); });
  crowd.AwaitExpected();
  others.join();
  crowd.AwaitExpected();  // all there
}

TEST(CrowdTest, ReturnsWhenNobodyComes) {
  Crowd crowd;
  crowd.AwaitExpected();
  crowd.Met(1);
  crowd.SetWaiting(1);
  crowd.AwaitExpected();
  crowd.Met(1'000'000);
  crowd.AwaitExpected();
}

}  // namespace
}  // namespace kv
