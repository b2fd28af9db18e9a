#include "clients/slot_map.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace clients {
namespace {

const HostPort kAsked{"asked", 1};

absl::StatusOr<SlotMap> Parse(std::string_view bytes) {
  ReplyReader reader;
  Reply reply;
  EXPECT_TRUE(reader.Feed(bytes).ok());
  EXPECT_TRUE(*reader.Next(&reply)) << bytes;
  return SlotMap::Parse(reply.root(), kAsked);
}

TEST(SlotMap, OfTwoPrimariesAndAReplica) {
  const auto map = Parse(
      "*2\r\n"
      "*4\r\n:0\r\n:99\r\n*3\r\n$1\r\na\r\n:7\r\n$2\r\nid\r\n*2\r\n$1\r\nr\r\n:8\r\n"
      "*3\r\n:200\r\n:16383\r\n*2\r\n$0\r\n\r\n:9\r\n");
  ASSERT_TRUE(map.ok()) << map.status();
  const HostPort a{"a", 7};
  const HostPort asked{"asked", 9};
  EXPECT_EQ(*map->OwnerOf(0), a);
  EXPECT_EQ(*map->OwnerOf(99), a);
  EXPECT_EQ(map->OwnerOf(100), nullptr);
  EXPECT_EQ(map->OwnerOf(199), nullptr);
  EXPECT_EQ(*map->OwnerOf(200), asked);
  EXPECT_EQ(*map->OwnerOf(16383), asked);
  EXPECT_EQ(map->nodes().size(), 3u);
}

TEST(SlotMap, OneSlotMoves) {
  auto map = Parse("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$1\r\na\r\n:7\r\n");
  ASSERT_TRUE(map.ok());
  map->SetOwner(5, {"b", 8});
  EXPECT_EQ(map->OwnerOf(5)->host, "b");
  EXPECT_EQ(map->OwnerOf(4)->host, "a");
  map->SetOwner(5, {"a", 7});
  EXPECT_EQ(map->nodes().size(), 2u);
}

TEST(SlotMap, AnEmptyOneOwnsNothing) {
  const auto map = Parse("*0\r\n");
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->OwnerOf(0), nullptr);
}

TEST(SlotMap, OtherRepliesAreRefused) {
  for (const std::string_view bytes : {"+OK\r\n", "*1\r\n:1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n",
                                       "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:7\r\n",
                                       "*1\r\n*3\r\n:-1\r\n:5\r\n*2\r\n$1\r\na\r\n:7\r\n",
                                       "*1\r\n*3\r\n:6\r\n:5\r\n*2\r\n$1\r\na\r\n:7\r\n",
                                       "*1\r\n*3\r\n:0\r\n:5\r\n*1\r\n$1\r\na\r\n",
                                       "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\na\r\n:65536\r\n",
                                       "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n:1\r\n:7\r\n"}) {
    const auto map = Parse(bytes);
    ASSERT_FALSE(map.ok()) << bytes;
    EXPECT_TRUE(absl::IsInternal(map.status())) << map.status();
  }
}

TEST(Redirection, IsRead) {
  const auto moved = ParseRedirection("MOVED 3999 10.0.0.1:6381", kAsked);
  ASSERT_TRUE(moved.has_value());
  EXPECT_FALSE(moved->ask);
  EXPECT_EQ(moved->slot, 3999);
  EXPECT_EQ(moved->node, (HostPort{"10.0.0.1", 6381}));
  const auto ask = ParseRedirection("ASK 0 ::1:7", kAsked);
  ASSERT_TRUE(ask.has_value());
  EXPECT_TRUE(ask->ask);
  EXPECT_EQ(ask->node, (HostPort{"::1", 7}));
  EXPECT_EQ(ParseRedirection("MOVED 1 :7", kAsked)->node, (HostPort{"asked", 7}));
}

TEST(Redirection, WhatIsNone) {
  for (const std::string_view error :
       {"", "ERR no", "MOVED", "MOVED ", "MOVED 1", "MOVED 1 ", "MOVED 1 host", "MOVED 16384 h:1",
        "MOVED x h:1", "MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536", "MOVED -1 h:1", "ASK :1"}) {
    EXPECT_FALSE(ParseRedirection(error, kAsked).has_value()) << error;
  }
}

}  // namespace
}  // namespace clients
