#include "bench/remote/server_info.h"

#include <cstddef>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

// As they were recorded, with most fields left out.
constexpr std::string_view kRedis7 =
    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nio_threads_active:0\r\n\r\n"
    "# Clients\r\nconnected_clients:51\r\n\r\n"
    "# Memory\r\nused_memory:1022904\r\nused_memory_human:998.93K\r\nused_memory_rss:11010048\r\n"
    "allocator_allocated:1273896\r\nallocator_active:1638400\r\nallocator_resident:4390912\r\n"
    "mem_fragmentation_ratio:10.96\r\nlazyfree_pending_objects:4\r\n"
    "maxmemory_policy:noeviction\r\n\r\n"
    "# Stats\r\ntotal_commands_processed:12\r\nexpired_keys:2\r\nevicted_keys:3\r\n"
    "keyspace_hits:5\r\nkeyspace_misses:1\r\n\r\n"
    "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n"
    "# CPU\r\nused_cpu_sys:0.040000\r\nused_cpu_user:0.025461\r\n\r\n"
    "# Commandstats\r\n"
    "cmdstat_get:calls=6,usec=12,usec_per_call=2.00,rejected_calls=0,failed_calls=1\r\n"
    "cmdstat_config|get:calls=1,usec=31,usec_per_call=31.00,rejected_calls=0,failed_calls=0\r\n\r\n"
    "# Latencystats\r\nlatency_percentiles_usec_get:p50=1.003,p99=9.023,p99.9=9.215\r\n\r\n"
    "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=9000\r\ndb12:keys=4,expires=0,avg_ttl=0\r\n";

constexpr std::string_view kValkey8 =
    "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n"
    "server_mode:standalone\r\n\r\n# Memory\r\nused_memory:939520\r\nused_memory_rss:9863168\r\n"
    "# Stats\r\nkeyspace_hits:7\r\n# Replication\r\nrole:slave\r\nmaster_host:127.0.0.1\r\n"
    "# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:0.5\r\n"
    "# Keyspace\r\ndb0:keys=9,expires=0,avg_ttl=0\r\n";

TEST(ServerInfo, Redis7) {
  const ServerInfo info = ServerInfo::Parse(kRedis7);
  EXPECT_EQ(info.Product(), "redis");
  EXPECT_EQ(info.Version(), "7.0.15");
  EXPECT_FALSE(info.IsReplica());
  EXPECT_EQ(info.Keys(), 7u);
  EXPECT_EQ(info.Text("maxmemory_policy"), "noeviction");
  EXPECT_EQ(info.Number("used_memory"), 1022904);
  EXPECT_EQ(info.Number("used_memory_human"), std::nullopt);
  EXPECT_EQ(info.Number("absent"), std::nullopt);

  ASSERT_EQ(info.commands().size(), 2u);
  const CommandStatistics& get = info.commands().at("get");
  EXPECT_EQ(get.calls, 6u);
  EXPECT_EQ(get.micros, 12u);
  EXPECT_EQ(get.rejected, 0u);
  EXPECT_EQ(get.failed, 1u);
  ASSERT_EQ(info.latencies().size(), 1u);
  EXPECT_EQ(info.latencies().at("get").p50_micros, 1.003);
  EXPECT_EQ(info.latencies().at("get").p99_micros, 9.023);
  EXPECT_EQ(info.latencies().at("get").p999_micros, 9.215);
}

TEST(ServerInfo, Valkey8NamesItselfAndItsOwnVersion) {
  const ServerInfo info = ServerInfo::Parse(kValkey8);
  EXPECT_EQ(info.Product(), "valkey");
  EXPECT_EQ(info.Version(), "8.0.1");
  EXPECT_TRUE(info.IsReplica());
}

TEST(ServerInfo, GarbageIsNoZero) {
  for (const std::string& text :
       {std::string(), std::string("\r\n\r\n"), std::string("no colon"), std::string(":value"),
        std::string("# Memory:1\n"), std::string("\0\xff:\n", 4), std::string("a\nb\nc")}) {
    const ServerInfo info = ServerInfo::Parse(text);
    EXPECT_EQ(info.Number("used_memory"), std::nullopt);
    EXPECT_EQ(info.Product(), "unknown");
    EXPECT_EQ(info.Version(), "unknown");
    EXPECT_EQ(info.Keys(), 0u);
    EXPECT_TRUE(info.commands().empty());
  }
  const ServerInfo broken = ServerInfo::Parse(
      "used_memory:12x\nused_memory_rss:\nused_cpu_sys:nan\nused_cpu_user:1e999\n"
      "cmdstat_get:calls=,usec=3\ncmdstat_set:usec=3\ncmdstat_del\ncmdstat_x:=,=,,=\n"
      "latency_percentiles_usec_get:p50=a\nlatency_percentiles_usec_set:\n"
      "db0:keys=-1\ndb1:keys=99999999999999999999999\ndbx:keys=4\ndb:keys=4\n");
  EXPECT_FALSE(broken.empty());
  for (const char* field : {"used_memory", "used_memory_rss", "used_cpu_sys", "used_cpu_user"}) {
    EXPECT_EQ(broken.Number(field), std::nullopt) << field;
  }
  EXPECT_TRUE(broken.commands().empty());
  EXPECT_TRUE(broken.latencies().empty());
  EXPECT_EQ(broken.Keys(), 0u);
}

TEST(ServerInfo, EveryPrefixParses) {
  for (size_t size = 0; size <= kRedis7.size(); ++size) {
    const ServerInfo info = ServerInfo::Parse(kRedis7.substr(0, size));
    EXPECT_LE(info.Keys(), 7u);
    EXPECT_LE(info.commands().size(), 2u);
  }
}

TEST(ServerFigures, CountTheDataOnceAndEverybodysTime) {
  const std::vector<ServerInfo> nodes = {ServerInfo::Parse(kRedis7), ServerInfo::Parse(kValkey8)};
  const ServerFigures sum = Sum(nodes);
  EXPECT_EQ(sum.nodes, 2);
  EXPECT_EQ(sum.primaries, 1);
  EXPECT_EQ(sum.used_memory, 1022904);
  EXPECT_EQ(sum.pending_objects, 4);
  EXPECT_NEAR(sum.Fragmentation(), 10.76, 0.01);
  EXPECT_EQ(sum.keys, 7);
  EXPECT_EQ(sum.hits, 5);
  EXPECT_EQ(sum.misses, 1);
  EXPECT_EQ(sum.evicted, 3);
  EXPECT_EQ(sum.expired, 2);
  EXPECT_EQ(sum.clients, 51);
  EXPECT_NEAR(sum.cpu_seconds, 2.065461, 1e-9);
  EXPECT_EQ(Sum({}).Fragmentation(), 0);
}

TEST(ServerFigures, TheThreadThatRunsCommandsIsToldApartWhereItCanBe) {
  const std::vector<ServerInfo> nodes = {
      ServerInfo::Parse("used_cpu_sys:10\nused_cpu_user:20\nused_cpu_sys_main_thread:1\n"
                        "used_cpu_user_main_thread:2\n"),
      ServerInfo::Parse("used_cpu_sys:10\nused_cpu_user:20\n"), ServerInfo::Parse("")};
  EXPECT_EQ(CommandThreadSeconds(nodes), (std::vector<double>{3, 30, 0}));
}

TEST(CommandTable, WhatCameBetween) {
  const CommandTable before = {{"get", {10, 100, 1, 2}}, {"set", {5, 5, 0, 0}}, {"del", {9, 9}}};
  const CommandTable after = {
      {"get", {30, 150, 1, 3}}, {"set", {5, 5, 0, 0}}, {"del", {4, 4}}, {"ping", {1, 2, 0, 0}}};
  const CommandTable between = Between(before, after);
  ASSERT_EQ(between.size(), 3u);  // not SET, which nobody called
  EXPECT_EQ(between.at("get").calls, 20u);
  EXPECT_EQ(between.at("get").micros, 50u);
  EXPECT_EQ(between.at("get").rejected, 0u);
  EXPECT_EQ(between.at("get").failed, 1u);
  EXPECT_EQ(between.at("del").calls, 4u);  // it was reset meanwhile
  EXPECT_EQ(between.at("ping").calls, 1u);
}

TEST(CommandTable, OfAllNodes) {
  const std::vector<ServerInfo> nodes = {
      ServerInfo::Parse("cmdstat_get:calls=1,usec=2\nlatency_percentiles_usec_get:p50=1,p99=5\n"),
      ServerInfo::Parse("cmdstat_get:calls=10,usec=20\nlatency_percentiles_usec_get:p50=2,p99=4\n"
                        "cmdstat_set:calls=3,usec=3\n")};
  EXPECT_EQ(SumCommands(nodes).at("get").calls, 11u);
  EXPECT_EQ(SumCommands(nodes).at("get").micros, 22u);
  EXPECT_EQ(SumCommands(nodes).at("set").calls, 3u);
  EXPECT_EQ(WorstLatencies(nodes).at("get").p50_micros, 2);
  EXPECT_EQ(WorstLatencies(nodes).at("get").p99_micros, 5);
}

}  // namespace
}  // namespace bench::remote
