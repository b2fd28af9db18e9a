#include "bench/remote_watch/flags.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

TEST(Flags, Defaults) {
  const ParsedFlags parsed = ParseFlags({});
  ASSERT_FALSE(parsed.exit_status.has_value()) << parsed.error;
  EXPECT_FALSE(parsed.flags.url.has_value());
  EXPECT_FALSE(parsed.flags.persistence);
  EXPECT_EQ(parsed.flags.interval_seconds, 0.1);
  EXPECT_EQ(parsed.flags.duration_seconds, 0);
}

TEST(Flags, OfAWatch) {
  const ParsedFlags parsed = ParseFlags(
      {"--url=rediss://ann:secret@host:7000/2", "--interval=50ms", "--duration=2m", "--timeout",
       "300ms", "--connect_timeout=2", "--keys=10k", "--keep_keys", "--insecure", "--sni=name"});
  ASSERT_FALSE(parsed.exit_status.has_value()) << parsed.error;
  const Flags& flags = parsed.flags;
  EXPECT_EQ(flags.url->hosts[0].port, 7000);
  EXPECT_EQ(flags.url->user, "ann");
  EXPECT_EQ(flags.interval_seconds, 0.05);
  EXPECT_EQ(flags.duration_seconds, 120);
  EXPECT_EQ(flags.timeout_seconds, 0.3);
  EXPECT_EQ(flags.connect_timeout_seconds, 2);
  EXPECT_EQ(flags.keys, 10'000u);
  EXPECT_TRUE(flags.keep_keys);
  EXPECT_FALSE(flags.tls.verify);
  EXPECT_EQ(flags.tls.server_name, "name");
}

TEST(Flags, OfThePersistenceTest) {
  const ParsedFlags parsed =
      ParseFlags({"--persistence", "--server=valkey", "--policy=rdb,always", "--rounds=5",
                  "--pipeline=64", "--write_seconds=3", "--value_size=1k", "--seed=7"});
  ASSERT_FALSE(parsed.exit_status.has_value()) << parsed.error;
  const Flags& flags = parsed.flags;
  ASSERT_EQ(flags.policies.size(), 2u);
  EXPECT_EQ(flags.policies[1]->name, "always");
  EXPECT_TRUE(flags.policies[1]->keeps_all);
  EXPECT_EQ(flags.server, "valkey");
  EXPECT_EQ(flags.rounds, 5);
  EXPECT_EQ(flags.pipeline, 64u);
  EXPECT_EQ(flags.value_size, 1000u);
}

TEST(Flags, HelpAndExamples) {
  const ParsedFlags parsed = ParseFlags({"--help"});
  EXPECT_EQ(parsed.exit_status, 0);
  EXPECT_NE(parsed.output.find("--persistence"), std::string::npos);
  EXPECT_NE(parsed.output.find("Exit status"), std::string::npos);
}

TEST(Flags, WhatIsWrongIsNamed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--url=http://host"}, "--url"},
      {{"--url="}, "--url"},
      {{"--server=memcached"}, "neither redis nor valkey"},
      {{"--interval=0"}, "--interval"},
      {{"--duration=soon"}, "--duration"},
      {{"--keys=0"}, "from 1"},
      {{"--policy=rdb,aof", "--persistence"}, "aof"},
      {{"--policy=", "--persistence"}, "--policy"},
      {{"--policy=rdb,none"}, "one --policy"},
      {{"--url=redis://h", "--policy=rdb"}, "--policy is for a local server"},
      {{"--url=redis://h", "--persistence"}, "not with --url"},
      {{"--url=redis://h", "--server=redis"}, "--server is for a local server"},
      {{"--intervall=1s"}, "did you mean --interval?"},
      {{"redis://host"}, "no flag"},
  };
  for (const auto& [arguments, words] : cases) {
    const ParsedFlags parsed = ParseFlags(arguments);
    EXPECT_EQ(parsed.exit_status, 2) << arguments[0];
    EXPECT_NE(parsed.error.find(words), std::string::npos) << arguments[0] << ": " << parsed.error;
  }
}

TEST(Flags, NoMessageHasThePassword) {
  for (const std::string argument : {"--url=redis://:secret@host:x", "--urll=redis://:secret@host",
                                     "--url=secret@host", "redis://:secret@host"}) {
    EXPECT_EQ(ParseFlags({argument}).error.find("secret"), std::string::npos) << argument;
  }
}

TEST(Flags, PathsAreTheCallers) {
  ::setenv("BUILD_WORKING_DIRECTORY", "/there", 1);
  EXPECT_EQ(ParseFlags({"--json=out.json"}).flags.json, "/there/out.json");
  EXPECT_EQ(ParseFlags({"--json=/abs.json"}).flags.json, "/abs.json");
  ::unsetenv("BUILD_WORKING_DIRECTORY");
}

}  // namespace
}  // namespace bench::remote_watch
