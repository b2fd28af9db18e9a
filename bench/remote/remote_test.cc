#include "bench/remote/remote.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bench/remote/program_testing.h"
#include "clients/connection.h"
#include "clients/local/server.h"
#include "clients/local/server_cluster.h"
#include "fmt/format.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Connection;
using clients::local::Server;
using clients::local::TemporaryDirectory;

std::string UrlOf(const Server& server) {
  return fmt::format("--url=redis://127.0.0.1:{}", server.port());
}

int64_t KeysOf(const Server& server) {
  auto connection = Connection::Open(server.connect_options());
  if (!connection.ok()) return -1;
  const auto reply = connection->Run({"DBSIZE"});
  return reply.ok() ? reply->integer() : -1;
}

TEST(Remote, WithoutAUrlAServerOfItsOwn) {
  for (const std::string product : {"redis", "valkey"}) {
    const ProgramRun run = RunProgram({"--server=" + product, "--load=getset,list", "--keys=500",
                                       "--elements=20", "--requests=2k", "--operations"});
    if (!clients::local::ServerProgram(product).ok()) {
      EXPECT_EQ(run.status, 1) << run.text();
      EXPECT_TRUE(run.Says("not installed")) << run.text();
      continue;
    }
    EXPECT_EQ(run.status, 0) << run.text();
    EXPECT_EQ(run.error, "");
    EXPECT_TRUE(run.output.starts_with(product + " ")) << run.text();
    for (const char* words : {"\ngetset ", "\nlist ", "\n  GET ", "\n  LRANGE_10 ", "server: get ",
                              "started for this run", "closed loop", "memory per key of getset"}) {
      EXPECT_TRUE(run.Says(words)) << words << run.text();
    }
  }
}

TEST(Remote, TheJsonHasARowForEachRepetitionAndOperation) {
  const TemporaryDirectory directory;
  const std::string json = directory.path() + "/out.json";
  const std::string log = directory.path() + "/out.hlog";
  const ProgramRun run = RunProgram({"--server=redis", "--load=getset", "--keys=500",
                                     "--requests=2k", "--connections=2,4", "--repetitions=2",
                                     "--label=mine", "--json=" + json, "--hdr_log=" + log});
  ASSERT_EQ(run.status, 0) << run.text();
  const auto document = ReadJson(json);
  ASSERT_FALSE(document.is_discarded());
  std::map<std::string, int> rows;
  for (const auto& row : document["benchmarks"]) {
    ++rows[row["name"]];
    EXPECT_GT(row["ops"], 0);
    EXPECT_EQ(row["errors"], 0);
    if (row.contains("valid")) {
      EXPECT_EQ(row["valid"], 1);
      EXPECT_EQ(row["ops"], 2000);
      EXPECT_GT(row["used_memory_bytes"], 0);
      EXPECT_GT(row["memory_per_key_bytes"], 0);
    }
  }
  const std::map<std::string, int> wanted = {
      {"mine/getset/connections:2", 2},     {"mine/getset/GET/connections:2", 2},
      {"mine/getset/SET/connections:2", 2}, {"mine/getset/connections:4", 2},
      {"mine/getset/GET/connections:4", 2}, {"mine/getset/SET/connections:4", 2}};
  EXPECT_EQ(rows, wanted);
  EXPECT_EQ(document["context"]["server"], "redis");
  EXPECT_EQ(document["context"]["maxmemory"], "0");
  EXPECT_EQ(document["context"]["persistence"], "save ''; appendonly no");
  EXPECT_EQ(document["context"]["invalid"], nlohmann::json::object());
  ASSERT_EQ(document["series"].size(), 4u);
  // What the server counted is what was sent.
  const auto commands = document["series"][0]["commands"];
  EXPECT_EQ(commands["get"]["calls"].get<int>() + commands["set"]["calls"].get<int>(), 2000);
  EXPECT_TRUE(document["series"][0]["latencies"].contains("get"));

  const std::string text = clients::local::ReadFile(log);
  EXPECT_TRUE(text.starts_with("#[")) << text;
  size_t lines = 0;
  for (size_t at = 0; (at = text.find("\nTag=mine/getset/", at)) != std::string::npos; ++at) {
    ++lines;
  }
  EXPECT_EQ(lines, 8u);  // 2 operations, 2 rows, 2 repetitions
}

TEST(Remote, LeavesAServerAsItFoundIt) {
  auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto connection = Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE(connection->Run({"SET", "somebodys", "value"}).ok());
  const std::vector<std::string> arguments = {UrlOf(*server), "--load=getset,hash", "--keys=100",
                                              "--elements=10", "--requests=1000"};
  const ProgramRun run = RunProgram(arguments);
  EXPECT_EQ(run.status, 0) << run.text();
  EXPECT_EQ(KeysOf(*server), 1);
  EXPECT_EQ(connection->Run({"GET", "somebodys"})->text(), "value");

  const auto with = [&](const std::string& more) {
    return RunProgram({UrlOf(*server), "--load=getset", "--keys=100", "--requests=1000", more});
  };
  EXPECT_EQ(with("--keep").status, 0);
  EXPECT_EQ(KeysOf(*server), 101);
  // On the data that are there, and then without them.
  EXPECT_EQ(with("--preload=no").status, 0);
  EXPECT_EQ(KeysOf(*server), 1);
  const ProgramRun missing = with("--preload=no");
  EXPECT_EQ(missing.status, 1) << missing.text();
  EXPECT_TRUE(missing.Says("INVALID")) << missing.text();
  EXPECT_TRUE(missing.Says("hit")) << missing.text();
}

TEST(Remote, OpenLoop) {
  const ProgramRun run = RunProgram({"--server=redis", "--load=getset", "--keys=100", "--rate=500",
                                     "--duration=500ms", "--warmup=0"});
  // On a machine that is busy with others the schedule may slip, which is then said.
  EXPECT_TRUE(run.status == 0 || run.Says("INVALID")) << run.text();
  EXPECT_TRUE(run.Says("\ngetset @500/s ")) << run.text();
  EXPECT_TRUE(run.Says("planned time")) << run.text();
}

TEST(Remote, UnixSocketPasswordAndTls) {
  auto by_socket = Server::Start({.unix_socket = true, .password = "s3cret"});
  ASSERT_TRUE(by_socket.ok()) << by_socket.status();
  const std::vector<std::string> load = {"--load=getset", "--keys=100", "--requests=1000"};
  const auto run_at = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), load.begin(), load.end());
    return RunProgram(arguments);
  };
  const ProgramRun socket = run_at({"--url=unix://:s3cret@" + by_socket->url().path});
  EXPECT_EQ(socket.status, 0) << socket.text();
  EXPECT_FALSE(socket.Says("s3cret")) << socket.text();

  auto tls = Server::Start({.tls_names = "IP:127.0.0.1"});
  ASSERT_TRUE(tls.ok()) << tls.status();
  const std::string url = fmt::format("--url=rediss://127.0.0.1:{}", tls->port());
  const ProgramRun trusted = run_at({url, "--cacert=" + tls->certificates().authority});
  EXPECT_EQ(trusted.status, 0) << trusted.text();
  const ProgramRun unknown = run_at({url});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_TRUE(unknown.Says("certificate")) << unknown.text();
}

TEST(Remote, ACluster) {
  auto cluster = clients::local::ServerCluster::Start();
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  const ProgramRun run =
      RunProgram({fmt::format("--url=redis+cluster://127.0.0.1:{}", cluster->node(0).port()),
                  "--load=getset,redis_mset", "--keys=300", "--requests=2k", "--connections=6"});
  EXPECT_EQ(run.status, 0) << run.text();
  EXPECT_TRUE(run.Says("cluster of 6 nodes")) << run.text();
  int64_t left = 0;
  for (size_t i = 0; i < clients::local::ServerCluster::kPrimaries; ++i) {
    left += cluster->connection(i).Run({"DBSIZE"})->integer();
  }
  EXPECT_EQ(left, 0);
}

TEST(Remote, Replay) {
  const TemporaryDirectory directory;
  const std::string trace = directory.path() + "/trace.csv";
  std::ofstream(trace) << "0,k1,2,100,1,set,0\n1,k1,2,0,1,get,0\n2,k2,2,0,1,get,0\n"
                          "5,k1,2,0,2,delete,0\n";
  const ProgramRun run = RunProgram({"--server=redis", "--replay=" + trace});
  EXPECT_EQ(run.status, 0) << run.text();
  EXPECT_TRUE(run.Says("\nreplay ")) << run.text();
  std::ofstream(trace, std::ios::app) << "7,k1,2,0,2,frobnicate,0\n";
  const ProgramRun bad = RunProgram({"--server=redis", "--replay=" + trace});
  EXPECT_EQ(bad.status, 1);
  EXPECT_TRUE(bad.Says("trace.csv:5")) << bad.text();
  const ProgramRun skipped =
      RunProgram({"--server=redis", "--replay=" + trace, "--skip_bad_lines"});
  EXPECT_EQ(skipped.status, 0) << skipped.text();
  EXPECT_TRUE(skipped.Says("bad lines left out: 1")) << skipped.text();
}

TEST(Remote, AnInterruptKeepsWhatWasMeasured) {
  auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  // When the load is under way, and not by the clock.
  std::atomic<bool> interrupted = false;
  std::thread interrupter([&] {
    auto connection = Connection::Open(server->connect_options());
    while (connection.ok()) {
      const auto info = connection->Run({"INFO", "commandstats"});
      if (info.ok() && info->text().find("cmdstat_get:") != std::string_view::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    interrupted = true;
    ::kill(::getpid(), SIGINT);
  });
  const ProgramRun run = RunProgram(
      {UrlOf(*server), "--load=getset,list", "--keys=100", "--duration=1h", "--warmup=0"});
  interrupter.join();
  EXPECT_TRUE(interrupted);
  EXPECT_EQ(run.status, 1);
  EXPECT_TRUE(run.Says("\ngetset ")) << run.text();
  EXPECT_FALSE(run.Says("\nlist ")) << run.text();
  EXPECT_TRUE(run.Says("interrupted")) << run.text();
  EXPECT_EQ(KeysOf(*server), 0);
}

TEST(Remote, FilesThatCannotBeWritten) {
  for (const std::string flag : {"--json", "--hdr_log"}) {
    const ProgramRun run =
        RunProgram({"--server=redis", "--load=getset", "--requests=10", flag + "=/nosuch/out"});
    EXPECT_EQ(run.status, 1);
    EXPECT_TRUE(run.Says("/nosuch/out")) << run.text();
  }
}

TEST(Remote, Usage) {
  const ProgramRun wrong = RunProgram({"--nonsense"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_TRUE(wrong.error.starts_with("error: ")) << wrong.text();
  const ProgramRun list = RunProgram({"--list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_TRUE(list.Says("structures")) << list.text();
}

}  // namespace
}  // namespace bench::remote
