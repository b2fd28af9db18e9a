#include "clients/poller.h"

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <vector>

#include "gtest/gtest.h"

namespace clients {
namespace {

TEST(Poller, TellsWhoCanBeReadAndWhoMayBeWritten) {
  auto poller = Poller::Create();
  ASSERT_TRUE(poller.ok()) << poller.status();
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  const Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  ASSERT_TRUE(poller->Add(ours.get(), 7).ok());
  std::vector<Poller::Ready> ready;
  ASSERT_TRUE(poller->Wait(Nanoseconds(0), &ready).ok());
  EXPECT_TRUE(ready.empty());

  Interest interest{.wanted_write = true};
  ASSERT_TRUE(poller->Change(ours.get(), 7, &interest).ok());
  ASSERT_TRUE(poller->Wait(std::chrono::hours(1), &ready).ok());
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].number, 7u);
  interest.wanted_write = false;
  ASSERT_TRUE(poller->Change(ours.get(), 7, &interest).ok());
  ASSERT_TRUE(poller->Wait(std::chrono::microseconds(50), &ready).ok());
  EXPECT_TRUE(ready.empty());

  ASSERT_EQ(send(theirs.get(), "x", 1, 0), 1);
  ASSERT_TRUE(poller->Wait(std::chrono::hours(1), &ready).ok());
  EXPECT_EQ(ready.size(), 1u);
}

TEST(Poller, WhatIsNoSocketIsAnError) {
  auto poller = Poller::Create();
  ASSERT_TRUE(poller.ok());
  EXPECT_FALSE(poller->Add(-1, 0).ok());
}

}  // namespace
}  // namespace clients
