#include "clients/slot_map.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// Builds replies as a server sends them.
std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}
std::string Integer(int number) { return ":" + std::to_string(number) + "\r\n"; }
std::string Array(const std::vector<std::string>& elements) {
  std::string bytes = "*" + std::to_string(elements.size()) + "\r\n";
  for (const std::string& element : elements) bytes += element;
  return bytes;
}

std::string Shard(const std::vector<std::string>& slots, const std::vector<std::string>& nodes) {
  return Array({Bulk("slots"), Array(slots), Bulk("nodes"), Array(nodes)});
}

// With the fields of Redis 7.0, in its order.
std::string Node(const std::string& endpoint, int port, std::string_view role,
                 std::string_view health) {
  return Array({Bulk("id"), Bulk("e10b7051d6bf2d5febd39a2be297bbaea6084111"), Bulk("port"),
                Integer(port), Bulk("ip"), Bulk("10.0.0.1"), Bulk("endpoint"), endpoint,
                Bulk("role"), Bulk(role), Bulk("replication-offset"), Integer(72156),
                Bulk("health"), Bulk(health)});
}

absl::StatusOr<SlotMap> ParseShards(std::string_view bytes, bool tls = false) {
  ReplyReader reader;
  Reply reply;
  EXPECT_TRUE(reader.Feed(bytes).ok());
  EXPECT_TRUE(*reader.Next(&reply)) << bytes;
  return SlotMap::ParseShards(reply.root(), kAsked, tls);
}

TEST(Shards, OfTwoPrimariesAndAReplica) {
  const auto map = ParseShards(Array(
      {Shard({Integer(0), Integer(99), Integer(300), Integer(300)},
             {Node(Bulk("r"), 8, "replica", "online"), Node(Bulk("a"), 7, "master", "online")}),
       Shard({Bulk("200"), Bulk("299")}, {Node(Bulk(""), 9, "master", "online")})}));
  ASSERT_TRUE(map.ok()) << map.status();
  const HostPort a{"a", 7};
  const HostPort asked{"asked", 9};
  EXPECT_EQ(*map->OwnerOf(0), a);
  EXPECT_EQ(*map->OwnerOf(99), a);
  EXPECT_EQ(map->OwnerOf(100), nullptr);
  EXPECT_EQ(*map->OwnerOf(200), asked);
  EXPECT_EQ(*map->OwnerOf(299), asked);
  EXPECT_EQ(*map->OwnerOf(300), a);
  EXPECT_EQ(map->OwnerOf(301), nullptr);
  EXPECT_EQ(map->nodes().size(), 3u);
  EXPECT_TRUE(map->ServesAny());
}

// Before its replica has taken over, and after: the dead primary may stand in the map of either.
TEST(Shards, AFailedNodeIsLeftOut) {
  for (const std::string_view failed : {"fail", "failed"}) {
    const std::string dead = Node(Bulk("dead"), 7, "master", failed);
    const auto before = ParseShards(Array(
        {Shard({Integer(0), Integer(16383)}, {dead, Node(Bulk("r"), 8, "replica", "online")})}));
    ASSERT_TRUE(before.ok()) << before.status();
    EXPECT_FALSE(before->ServesAny());
    EXPECT_EQ(before->nodes(), (std::vector<HostPort>{{"r", 8}}));
    const auto after = ParseShards(Array(
        {Shard({Integer(0), Integer(16383)}, {dead, Node(Bulk("r"), 8, "master", "online")})}));
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ(*after->OwnerOf(16383), (HostPort{"r", 8}));
    EXPECT_EQ(after->nodes().size(), 1u);
  }
}

TEST(Shards, TheHostThatCounts) {
  for (const auto& [endpoint, host] : {std::pair{Bulk("name"), "name"},
                                       {std::string("$-1\r\n"), "asked"},
                                       {Bulk("?"), "10.0.0.1"}}) {
    const auto map = ParseShards(
        Array({Shard({Integer(0), Integer(0)}, {Node(endpoint, 7, "master", "online")})}));
    ASSERT_TRUE(map.ok()) << map.status();
    EXPECT_EQ(map->OwnerOf(0)->host, host);
  }
}

TEST(Shards, ThePortThatCounts) {
  const std::string both =
      Array({Bulk("port"), Integer(7), Bulk("tls-port"), Integer(8), Bulk("endpoint"), Bulk("a"),
             Bulk("role"), Bulk("master"), Bulk("health"), Bulk("online")});
  const std::string plain = Node(Bulk("b"), 7, "master", "online");
  const std::string bytes =
      Array({Shard({Integer(0), Integer(0)}, {both}), Shard({Integer(1), Integer(1)}, {plain})});
  EXPECT_EQ(ParseShards(bytes, false)->OwnerOf(0)->port, 7);
  EXPECT_EQ(ParseShards(bytes, false)->OwnerOf(1)->port, 7);
  EXPECT_EQ(ParseShards(bytes, true)->OwnerOf(0)->port, 8);
  EXPECT_EQ(ParseShards(bytes, true)->OwnerOf(1), nullptr);
}

TEST(Shards, ANodeAloneServesNothing) {
  const auto map = ParseShards(Array({Shard({}, {Node(Bulk(""), 7, "master", "online")})}));
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_FALSE(map->ServesAny());
  EXPECT_EQ(map->nodes().size(), 1u);
}

TEST(Shards, OtherRepliesAreRefused) {
  const std::string node = Node(Bulk("a"), 7, "master", "online");
  for (const std::string& bytes : std::vector<std::string>{
           "+OK\r\n", "*1\r\n:1\r\n", Array({Array({})}), Array({Array({Bulk("slots")})}),
           Array({Array({Bulk("slots"), Array({}), Bulk("nodes"), Bulk("none")})}),
           Array({Array({Integer(1), Array({}), Bulk("nodes"), Array({})})}),
           Array({Shard({Integer(0)}, {node})}),
           Array({Shard({Integer(0), Integer(16384)}, {node})}),
           Array({Shard({Integer(6), Integer(5)}, {node})}),
           Array({Shard({Bulk("0x"), Integer(5)}, {node})}),
           Array({Shard({Integer(0), Integer(5)}, {Node(Bulk("a"), 0, "master", "online")})}),
           Array({Shard({Integer(0), Integer(5)}, {Node(Bulk("a"), 65536, "master", "online")})}),
           Array({Shard({Integer(0), Integer(5)}, {Node(Integer(1), 7, "master", "online")})}),
           Array({Shard({Integer(0), Integer(5)}, {Array({Bulk("port"), Integer(7)})})})}) {
    const auto map = ParseShards(bytes);
    ASSERT_FALSE(map.ok()) << bytes;
    EXPECT_TRUE(absl::IsInternal(map.status())) << map.status();
  }
}

// Gives these replies, one to each command.
ExchangeCommands Scripted(std::vector<std::string>* commands, std::vector<std::string> replies) {
  return [commands, replies](std::string_view bytes, std::span<Reply> into) -> absl::Status {
    if (commands->size() == replies.size()) return absl::UnavailableError("lost");
    ReplyReader reader;
    EXPECT_TRUE(reader.Feed(replies[commands->size()]).ok());
    EXPECT_TRUE(*reader.Next(&into[0]));
    commands->emplace_back(bytes);
    return absl::OkStatus();
  };
}

TEST(AskForSlots, BySlotsWhereShardsIsRefused) {
  const std::string slots = "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$1\r\na\r\n:7\r\n";
  for (const std::string refusal :
       {"-ERR Unknown subcommand or wrong number of arguments for 'SHARDS'. Try CLUSTER HELP.\r\n",
        "-NOPERM this user has no permissions to run the 'cluster|shards' command\r\n"}) {
    std::vector<std::string> commands;
    const auto map = AskForSlots(Scripted(&commands, {refusal, slots}), kAsked, false);
    ASSERT_TRUE(map.ok()) << map.status();
    EXPECT_EQ(map->OwnerOf(0)->host, "a");
    ASSERT_EQ(commands.size(), 2u);
    EXPECT_NE(commands[1].find("SLOTS"), std::string::npos);
  }
}

TEST(AskForSlots, Fails) {
  std::vector<std::string> commands;
  const std::string refusal = "-ERR This instance has cluster support disabled\r\n";
  const auto refused = AskForSlots(Scripted(&commands, {refusal, refusal}), kAsked, false);
  EXPECT_EQ(refused.status().message(), "asked:1: ERR This instance has cluster support disabled");
  for (size_t replies = 0; replies < 2; ++replies) {
    commands.clear();
    const auto lost =
        AskForSlots(Scripted(&commands, std::vector<std::string>(replies, refusal)), kAsked, false);
    EXPECT_TRUE(absl::IsUnavailable(lost.status())) << lost.status();
  }
  commands.clear();
  // What cannot be read is not asked for in another way: it would not be told.
  const auto malformed = AskForSlots(Scripted(&commands, {"+OK\r\n"}), kAsked, false);
  EXPECT_TRUE(absl::IsInternal(malformed.status())) << malformed.status();
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
