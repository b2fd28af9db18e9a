#include "bench/remote/drive/routes.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

constexpr uint16_t kThird = 16384 / 3;

clients::HostPort NodeAt(uint16_t port) { return {"h", port}; }

// Each port serves an equal part of the slots.
clients::SlotMap MapOf(const std::vector<uint16_t>& ports) {
  clients::SlotMap map;
  for (size_t slot = 0; slot < clients::kSlots; ++slot) {
    map.SetOwner(static_cast<uint16_t>(slot), NodeAt(ports[slot * ports.size() / clients::kSlots]));
  }
  return map;
}

void OpenAll(Routes& routes) {
  for (size_t i = 0; i < routes.size(); ++i) {
    if (!routes.link(i).is_open) routes.Opened(routes.link(i));
  }
}

Flight At(uint16_t slot) { return {.since = {}, .slot = slot}; }

TEST(FlightQueue, KeepsTheOrderWhileItGrows) {
  FlightQueue queue(true);
  uint16_t sent = 0;
  uint16_t answered = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < round; ++i) {
      queue.Push({.since = {}, .operation = sent}, fmt::format("command {}", sent));
      ++sent;
    }
    for (int i = 0; i < round - 1; ++i) {
      ASSERT_EQ(queue.front().operation, answered);
      ASSERT_EQ(queue.front_command(), fmt::format("command {}", answered));
      queue.Pop();
      ++answered;
    }
    ASSERT_EQ(queue.size(), static_cast<size_t>(sent - answered));
  }
  while (!queue.empty()) queue.Pop();
  EXPECT_EQ(queue.size(), 0u);
}

TEST(Routes, OneServerTakesTurns) {
  Routes routes(2, {}, 0);
  routes.AddLinks(3);
  EXPECT_EQ(routes.Pick(0), kNobody);
  OpenAll(routes);
  EXPECT_EQ(routes.capacity(), 6u);
  std::multiset<size_t> picked;
  for (int i = 0; i < 6; ++i) {
    const size_t number = routes.Pick(0);
    ASSERT_NE(number, kNobody);
    picked.insert(number);
    routes.Sent(routes.link(number));
  }
  EXPECT_EQ(picked, (std::multiset<size_t>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(routes.Pick(0), kNobody);
  EXPECT_EQ(routes.outstanding(), 6u);
  routes.Answered(routes.link(1));
  EXPECT_EQ(routes.Pick(0), 1u);
  routes.Closed(routes.link(1));
  EXPECT_EQ(routes.Pick(0), kNobody);
  EXPECT_EQ(routes.outstanding(), 4u);
  EXPECT_EQ(routes.capacity(), 4u);
}

TEST(Routes, ConnectionsAreSpreadOverThePrimaries) {
  Routes routes(1, {}, 0, MapOf({1, 2, 3}));
  routes.AddLinks(8);
  EXPECT_EQ(routes.serving_nodes(), 3u);
  for (size_t node = 0; node < 3; ++node) EXPECT_GE(routes.node(node).links.size(), 2u);
  EXPECT_EQ(routes.node(routes.NodeOf(0)).address, NodeAt(1));
  EXPECT_EQ(routes.node(routes.NodeOf(kThird + 10)).address, NodeAt(2));
  EXPECT_EQ(routes.node(routes.NodeOf(16383)).address, NodeAt(3));
  EXPECT_TRUE(routes.Spread().empty());
}

TEST(Routes, WhatHasNoKeyTakesTurnsWhereThereIsRoom) {
  Routes routes(1, {}, 0, MapOf({1, 2, 3}));
  routes.AddLinks(3);
  OpenAll(routes);
  std::set<size_t> nodes;
  for (int i = 0; i < 3; ++i) {
    const size_t node = routes.NodeOf(kAnySlot);
    nodes.insert(node);
    routes.Sent(routes.link(routes.Pick(node)));
  }
  EXPECT_EQ(nodes.size(), 3u);
  EXPECT_EQ(routes.Pick(routes.NodeOf(kAnySlot)), kNobody);
}

TEST(Routes, LostConnectionsAndParkedCommandsFollowTheSlots) {
  Routes routes(4, {}, 0, MapOf({1, 2, 3}));
  routes.AddLinks(6);
  OpenAll(routes);
  const size_t dead = routes.NodeOf(0);
  const std::vector<size_t> lost = routes.node(dead).links;
  for (const size_t number : lost) routes.Closed(routes.link(number));
  routes.Park(dead, {.flight = At(0), .command = "a"});
  routes.Park(dead, {.flight = At(0), .command = "asked", .ask = true});
  EXPECT_EQ(routes.outstanding(), 2u);

  routes.SetMap(MapOf({4, 2, 3}));
  const size_t successor = routes.NodeOf(0);
  EXPECT_EQ(routes.node(successor).address, NodeAt(4));
  ASSERT_EQ(routes.node(successor).parked.size(), 1u);
  EXPECT_EQ(routes.node(successor).parked.front().command, "a");
  ASSERT_EQ(routes.node(dead).parked.size(), 1u);  // it was sent there, whoever serves the slot
  EXPECT_EQ(routes.Unpark(dead).command, "asked");
  EXPECT_TRUE(routes.Spread().empty());
  EXPECT_EQ(routes.node(successor).links, lost);
  EXPECT_TRUE(routes.node(dead).links.empty());
  OpenAll(routes);
  EXPECT_NE(routes.Pick(successor), kNobody);
}

TEST(Routes, ANewNodeGetsAConnectionOfItsOwn) {
  Routes routes(1, {}, 0, MapOf({1}));
  routes.AddLinks(2);
  OpenAll(routes);
  const size_t node = routes.SetOwner(7, NodeAt(9));
  EXPECT_EQ(routes.NodeOf(7), node);
  EXPECT_EQ(routes.Spread(), std::vector<size_t>{2});
  EXPECT_EQ(routes.node(node).links, std::vector<size_t>{2});
  EXPECT_TRUE(routes.Spread().empty());
}

TEST(Routes, ASlotThatNobodyServesHasANodeThatSaysSo) {
  clients::SlotMap map;
  map.SetOwner(5, NodeAt(1));
  Routes routes(1, {}, 0, map);
  EXPECT_EQ(routes.node(routes.NodeOf(6)).address, NodeAt(1));
}

}  // namespace
}  // namespace bench::remote
