#include "bench/remote/flags.h"

#include <cstdlib>
#include <set>

#include "bench/remote/load/load.h"
#include "bench/remote/suite.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

Flags Parsed(const std::vector<std::string>& arguments) {
  const ParsedFlags parsed = ParseFlags(arguments);
  EXPECT_FALSE(parsed.exit_status.has_value()) << parsed.error;
  return parsed.flags;
}

void ExpectRefused(const std::vector<std::string>& arguments, std::string_view why) {
  const ParsedFlags parsed = ParseFlags(arguments);
  EXPECT_EQ(parsed.exit_status, 2) << why;
  EXPECT_NE(parsed.error.find(why), std::string::npos) << parsed.error;
}

TEST(Flags, WithoutAnyARepresentativeSet) {
  const Flags flags = Parsed({});
  EXPECT_FALSE(flags.url.has_value());
  const auto rows = RowsFor(flags);
  double seconds = 0;
  std::set<std::string> names;
  for (const Row& row : rows) {
    seconds += row.seconds + row.warmup_seconds;
    names.insert(NameOf("", row));
  }
  EXPECT_LT(seconds, 50);  // and some for the data
  EXPECT_EQ(names.size(), rows.size());
  const Row& open = rows.back();
  ASSERT_TRUE(IsOpenLoop(open.schedule));
  EXPECT_EQ(open.load, rows.front().load);
  EXPECT_GT(open.seconds, rows.front().seconds);
  EXPECT_EQ(RowsFor(Parsed({"--duration=1s"})).back().seconds, 1);
  EXPECT_EQ(RowsFor(Parsed({"--requests=9"})).back().seconds, 0);
}

TEST(Flags, AllOfThem) {
  const Flags flags = Parsed({"--url=rediss://ann:pw@host:7000/2",
                              "--cacert=/ca.pem",
                              "--cert=/c.pem",
                              "--key=/k.pem",
                              "--server_name=other",
                              "--connect_timeout=1s",
                              "--command_timeout=2s",
                              "--reconnect_timeout=3s",
                              "--label=mine",
                              "--load=getset,list",
                              "--keys=10k",
                              "--prefix=p:",
                              "--value_size=100:3,1000-2000:1",
                              "--compressibility=25%",
                              "--seed=7",
                              "--connections=1,50",
                              "--threads=1",
                              "--pipeline=1,16",
                              "--rate=10k",
                              "--duration=10s",
                              "--requests=1M",
                              "--warmup=1s",
                              "--repetitions=3",
                              "--interval=100ms",
                              "--preload=no",
                              "--keep",
                              "--allow_errors",
                              "--operations",
                              "--json=/out.json",
                              "--hdr_log=/out.hlog"});
  EXPECT_EQ(flags.url->hosts[0].host, "host");
  EXPECT_EQ(flags.tls.ca_file, "/ca.pem");
  EXPECT_EQ(flags.tls.server_name, "other");
  EXPECT_TRUE(flags.tls.verify);
  EXPECT_EQ(flags.reconnect_timeout, 3);
  EXPECT_EQ(flags.load.keys, 10'000u);
  EXPECT_EQ(flags.load.prefix, "p:");
  EXPECT_EQ(flags.load.value_sizes.size(), 2u);
  EXPECT_EQ(flags.load.compressibility, 0.25);
  EXPECT_EQ(flags.load.seed, 7u);
  EXPECT_EQ(flags.schedule.pace, Pace::kConstant);
  EXPECT_EQ(flags.repetitions, 3);
  EXPECT_FALSE(flags.preload);
  EXPECT_TRUE(flags.keep && flags.allow_errors && flags.operations);
  const auto rows = RowsFor(flags);
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_EQ(rows[1].load, "getset");
  EXPECT_EQ(rows[1].connections, 1);
  EXPECT_EQ(rows[1].pipeline, 16);
  EXPECT_EQ(rows[1].seconds, 10);
  EXPECT_EQ(rows[1].warmup_seconds, 1);
  EXPECT_EQ(rows[1].requests, 1'000'000u);
  EXPECT_EQ(NameOf("x", rows[7]), "x/list/connections:50/pipeline:16");
}

TEST(Flags, ARowIsByTimeOrByCount) {
  const auto by_time = RowsFor(Parsed({"--load=getset"}));
  EXPECT_EQ(by_time[0].seconds, 3);
  EXPECT_EQ(by_time[0].requests, 0u);
  const auto by_count = RowsFor(Parsed({"--load=getset", "--requests=10"}));
  EXPECT_EQ(by_count[0].seconds, 0);
  EXPECT_EQ(by_count[0].warmup_seconds, 0);
  EXPECT_EQ(by_count[0].requests, 10u);
}

TEST(Flags, ASuiteIsItsRows) {
  const auto rows = RowsFor(Parsed({"--load=redis_benchmark"}));
  EXPECT_EQ(rows.size(), FindLoad("redis_benchmark")->rows.size());
}

TEST(Flags, Schedules) {
  const Flags ramp = Parsed({"--rate=1k..2k", "--duration=20s"});
  EXPECT_EQ(ramp.schedule.pace, Pace::kRamp);
  EXPECT_EQ(ramp.schedule.seconds, 20);
  EXPECT_EQ(Parsed({"--burst=5k:1,100:9"}).schedule.pace, Pace::kBurst);
  const Flags replay = Parsed({"--replay=/t.csv", "--pace=recorded", "--speed=2"});
  EXPECT_EQ(replay.schedule.pace, Pace::kRecorded);
  EXPECT_EQ(replay.schedule.speed, 2);
  EXPECT_EQ(replay.loads, std::vector<std::string>{"replay"});
  EXPECT_EQ(RowsFor(replay)[0].seconds, 0);
  ExpectRefused({"--rate=1k..2k"}, "--duration");
  ExpectRefused({"--rate=1k", "--burst=5k:1,100:9"}, "two schedules");
  ExpectRefused({"--pace=recorded"}, "--replay");
  ExpectRefused({"--replay=/t", "--pace=quickly"}, "quickly");
  ExpectRefused({"--replay=/t", "--pace=recorded", "--rate=1k"}, "schedule");
  ExpectRefused({"--replay=/t", "--speed=2"}, "--pace=recorded");
  ExpectRefused({"--load=replay"}, "--replay=FILE");
}

TEST(Flags, WhatIsWrongIsSaid) {
  ExpectRefused({"--lod=getset"}, "did you mean --load?");
  ExpectRefused({"--load=getst"}, "did you mean getset?");
  ExpectRefused({"--connections=0"}, "--connections");
  ExpectRefused({"--rate=fast"}, "not valid: fast");
  ExpectRefused({"--value_size=big"}, "--value_size");
  ExpectRefused({"--key_distribution=normal"}, "--key_distribution");
  ExpectRefused({"--read_ratio=2"}, "--read_ratio");
  ExpectRefused({"--threads=4", "--connections=2"}, "at least one");
  ExpectRefused({"--load=redis_incr", "--read_ratio=0.5"}, "redis_incr");
  ExpectRefused({"--key_file=/nosuch/keys"}, "/nosuch/keys");
  ExpectRefused({"--skip_bad_lines"}, "--replay");
}

TEST(Flags, AServerOfItsOwnOrAnothers) {
  EXPECT_EQ(Parsed({"--server=valkey", "--server_setting=io-threads=2",
                    "--server_setting=save=", "--flush"})
                .server_settings.size(),
            2u);
  ExpectRefused({"--url=redis://host", "--server=redis"}, "give one");
  ExpectRefused({"--url=redis://host", "--flush"}, "refused");
  ExpectRefused({"--url=redis://host", "--server_setting=save="}, "--server_setting");
  ExpectRefused({"--url=redis://host", "--cacert=/ca.pem"}, "rediss://");
  ExpectRefused({"--insecure"}, "rediss://");
  ExpectRefused({"--url=rediss://host", "--cert=/c.pem"}, "go together");
  ExpectRefused({"--server_setting=nonsense"}, "nonsense");
}

TEST(Flags, ABrokenUrlIsNotQuoted) {
  const ParsedFlags parsed = ParseFlags({"--url=redis://:hunter2@ho st"});
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_EQ(parsed.error.find("hunter2"), std::string::npos) << parsed.error;
  EXPECT_NE(parsed.error.find("--url"), std::string::npos) << parsed.error;
}

TEST(Flags, HelpAndList) {
  const ParsedFlags help = ParseFlags({"--help"});
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_NE(help.output.find("Examples:"), std::string::npos);
  const ParsedFlags list = ParseFlags({"--list"});
  EXPECT_EQ(list.exit_status, 0);
  for (const Load& load : Loads()) {
    EXPECT_NE(list.output.find(std::string(load.name) + " "), std::string::npos) << load.name;
  }
}

TEST(Flags, AnUnknownOneIsNotRepeatedWithItsPassword) {
  const ParsedFlags parsed = ParseFlags({"--ulr=redis://:secret@host"});
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_NE(parsed.error.find("unknown flag: --ulr; did you mean --url?"), std::string::npos);
  EXPECT_EQ(parsed.error.find("secret"), std::string::npos);
}

TEST(Flags, AUrlMayStandInTheEnvironment) {
  setenv("BENCH_REMOTE_FLAGS_TEST", "redis://:secret@host:7", 1);
  const ParsedFlags parsed = ParseFlags({"--url=env:BENCH_REMOTE_FLAGS_TEST"});
  ASSERT_FALSE(parsed.exit_status.has_value()) << parsed.error;
  EXPECT_EQ(parsed.flags.url->password, "secret");
  setenv("BENCH_REMOTE_FLAGS_TEST", "memcached://:secret@host", 1);
  const ParsedFlags wrong = ParseFlags({"--url=env:BENCH_REMOTE_FLAGS_TEST"});
  EXPECT_EQ(wrong.exit_status, 2);
  EXPECT_EQ(wrong.error.find("secret"), std::string::npos) << wrong.error;
  unsetenv("BENCH_REMOTE_FLAGS_TEST");
  const ParsedFlags absent = ParseFlags({"--url=env:BENCH_REMOTE_FLAGS_TEST"});
  EXPECT_NE(absent.error.find("BENCH_REMOTE_FLAGS_TEST"), std::string::npos) << absent.error;
}

TEST(Flags, AListJudgesTheOthers) {
  EXPECT_EQ(ParseFlags({"--load=getset", "--read_ratio=0.5", "--list"}).exit_status, 0);
  ExpectRefused({"--load=redis_incr", "--read_ratio=0.5", "--list"}, "redis_incr");
}

TEST(Flags, PathsAreTheCallers) {
  ::setenv("BUILD_WORKING_DIRECTORY", "/caller", 1);
  const Flags flags = Parsed({"--json=out.json", "--hdr_log=/out.hlog", "--server=./redis-server"});
  ::unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(flags.json, "/caller/out.json");
  EXPECT_EQ(flags.hdr_log, "/out.hlog");
  EXPECT_EQ(flags.server, "/caller/./redis-server");
}

}  // namespace
}  // namespace bench::remote
