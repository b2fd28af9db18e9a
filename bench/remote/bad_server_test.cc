// What the program says of servers that cannot be measured, or not in the way that was asked: a
// clear error or a counted one, and never a hang or a zero.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "bench/remote/program_testing.h"
#include "clients/connection.h"
#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "fmt/format.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Connection;
using clients::local::Server;
using clients::testing::FakeServer;

ProgramRun RunAt(const std::string& url, std::vector<std::string> more = {}) {
  more.insert(more.begin(),
              {"--url=" + url, "--load=getset", "--keys=200", "--requests=1000", "--warmup=0"});
  return RunProgram(more);
}

std::string Tcp(uint16_t port) { return fmt::format("redis://127.0.0.1:{}", port); }

void ExpectError(const ProgramRun& run, std::string_view words) {
  EXPECT_EQ(run.status, 1) << run.text();
  EXPECT_TRUE(run.error.starts_with("error: ")) << run.text();
  EXPECT_TRUE(run.Says(words)) << run.text();
}

TEST(BadServer, Unreachable) { ExpectError(RunAt("redis://no-such-host.invalid"), "no-such-host"); }

TEST(BadServer, Refusing) {
  const uint16_t port = clients::local::FreePort();
  ExpectError(RunAt(Tcp(port)), fmt::format("127.0.0.1:{}", port));
}

TEST(BadServer, WrongPassword) {
  auto server = Server::Start({.password = "right"});
  ASSERT_TRUE(server.ok()) << server.status();
  const ProgramRun wrong = RunAt(fmt::format("redis://:wrong@127.0.0.1:{}", server->port()));
  ExpectError(wrong, "WRONGPASS");
  EXPECT_FALSE(wrong.Says(":wrong@")) << wrong.text();
  ExpectError(RunAt(Tcp(server->port())), "NOAUTH");
}

TEST(BadServer, NotARedis) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING")) peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.Stall();
  });
  ExpectError(RunAt(Tcp(server.port())), "HTTP/1.1");
}

TEST(BadServer, ThatSaysNothing) {
  FakeServer server([](FakeServer::Peer& peer) { peer.Stall(); });
  ExpectError(RunAt(Tcp(server.port()), {"--connect_timeout=200ms"}),
              fmt::format("127.0.0.1:{}", server.port()));
}

TEST(BadServer, Loading) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING")) peer.Send("-LOADING Redis is loading the dataset in memory\r\n");
    peer.Stall();
  });
  ExpectError(RunAt(Tcp(server.port())), "LOADING");
}

TEST(BadServer, WithACertificateOfAnotherName) {
  auto server = Server::Start({.tls_names = "DNS:other.example"});
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string url = fmt::format("rediss://127.0.0.1:{}", server->port());
  const std::string authority = "--cacert=" + server->certificates().authority;
  const ProgramRun named = RunAt(url, {authority});
  ExpectError(named, "127.0.0.1");
  EXPECT_EQ(RunAt(url, {authority, "--server_name=other.example"}).status, 0);
  EXPECT_EQ(RunAt(url, {"--insecure"}).status, 0);
  ExpectError(RunAt(Tcp(server->port())), fmt::format("127.0.0.1:{}", server->port()));
}

TEST(BadServer, AReplicaThatIsReadOnly) {
  auto primary = Server::Start();
  auto replica = Server::Start();
  ASSERT_TRUE(primary.ok() && replica.ok());
  auto connection = Connection::Open(replica->connect_options());
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE(connection->Run({"REPLICAOF", "127.0.0.1", std::to_string(primary->port())}).ok());
  const ProgramRun run = RunAt(Tcp(replica->port()));
  ExpectError(run, "READONLY");
  EXPECT_TRUE(run.Says("replica")) << run.text();
  // Without the data, the load itself: each write is a counted error.
  const ProgramRun counted = RunAt(Tcp(replica->port()), {"--preload=no", "--keep"});
  EXPECT_EQ(counted.status, 1) << counted.text();
  EXPECT_TRUE(counted.Says("INVALID")) << counted.text();
  EXPECT_TRUE(counted.Says("error replies: READONLY")) << counted.text();
}

TEST(BadServer, WithoutMemory) {
  auto server = Server::Start({.settings = {{"maxmemory", "3mb"}}});
  ASSERT_TRUE(server.ok()) << server.status();
  ExpectError(RunAt(Tcp(server->port()), {"--value_size=50000"}), "OOM");
  const ProgramRun counted =
      RunAt(Tcp(server->port()), {"--value_size=50000", "--preload=no", "--read_ratio=0"});
  EXPECT_EQ(counted.status, 1) << counted.text();
  EXPECT_TRUE(counted.Says("error replies: OOM")) << counted.text();
  EXPECT_TRUE(counted.Says("error replies, limit 0")) << counted.text();
  // Somebody may want to measure just that.
  const ProgramRun allowed = RunAt(Tcp(server->port()), {"--value_size=50000", "--preload=no",
                                                         "--read_ratio=0", "--allow_errors"});
  EXPECT_TRUE(allowed.Says("error replies: OOM")) << allowed.text();
  EXPECT_FALSE(allowed.Says("error replies, limit 0")) << allowed.text();
#ifdef __SANITIZE_THREAD__
  // The sanitizer slows the generator down, which then is another reason for an invalid run.
  if (allowed.Says("CPU-bound")) return;
#endif
  EXPECT_EQ(allowed.status, 0) << allowed.text();
}

TEST(BadServer, ThatRefusesConfigAndInfoIsMeasuredWithoutThem) {
  auto server = Server::Start({.users = {"ann on >secret ~* +@all -config -info"}});
  ASSERT_TRUE(server.ok()) << server.status();
  const ProgramRun run = RunAt(fmt::format("redis://ann:secret@127.0.0.1:{}", server->port()));
  EXPECT_EQ(run.status, 0) << run.text();
  EXPECT_TRUE(run.Says("CONFIG is not permitted")) << run.text();
  EXPECT_TRUE(run.Says("INFO is not permitted")) << run.text();
}

TEST(BadServer, ThatIsKilledOnTheWayEndsTheRun) {
  auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  std::thread killer([&] {
    auto connection = Connection::Open(server->connect_options());
    while (connection.ok()) {
      const auto info = connection->Run({"INFO", "commandstats"});
      if (info.ok() && info->text().find("cmdstat_get:") != std::string_view::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    server->Kill();
  });
  const ProgramRun run =
      RunProgram({"--url=" + Tcp(server->port()), "--load=getset,list", "--keys=100",
                  "--duration=1h", "--warmup=0", "--reconnect_timeout=500ms"});
  killer.join();
  ExpectError(run, fmt::format("127.0.0.1:{}", server->port()));
  EXPECT_TRUE(run.error.starts_with("error: getset: ")) << run.text();
}

}  // namespace
}  // namespace bench::remote
