#include "clients/pipeline.h"

#include <string>
#include <string_view>
#include <utility>

#include "clients/local/on_each_server.h"
#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace clients {
namespace {

using local::Server;
using testing::FakeServer;

class RealPipeline : public local::OnEachServer<> {
 protected:
  void SetUp() override {
    OnEachServer::SetUp();
    if (!MayRun()) return;
    server_.push_back(StartServer());
    auto connection = Connection::Open(server_[0].connect_options());
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_.push_back(*std::move(connection));
  }

  std::vector<Server> server_;
  std::vector<Connection> connection_;
};

TEST_P(RealPipeline, RepliesComeInOrder) {
  Pipeline pipeline(&connection_[0]);
  for (const int count : {1000, 1, 100}) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(pipeline.Add({"ECHO", std::to_string(i)}).ok());
    }
    EXPECT_EQ(pipeline.pending(), static_cast<size_t>(count));
    ASSERT_TRUE(pipeline.Run().ok());
    ASSERT_EQ(pipeline.answered(), static_cast<size_t>(count));
    EXPECT_EQ(pipeline.pending(), 0u);
    for (int i = 0; i < count; ++i) EXPECT_EQ(pipeline.reply(i).text(), std::to_string(i));
  }
  EXPECT_TRUE(pipeline.errors().empty());
}

TEST_P(RealPipeline, RefusedCommandsAreCountedAndStopNothing) {
  Pipeline pipeline(&connection_[0]);
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(pipeline.Add({"SET", "text", "x"}).ok());
    ASSERT_TRUE(pipeline.Add({"LPUSH", "text", "y"}).ok());
    ASSERT_TRUE(pipeline.Add({"INCR", "text"}).ok());
    ASSERT_TRUE(pipeline.Add({"LLEN", "text"}).ok());
    ASSERT_TRUE(pipeline.Add({"GET", "text"}).ok());
    ASSERT_TRUE(pipeline.Run().ok());
    EXPECT_TRUE(pipeline.reply(1).is_error());
    EXPECT_EQ(pipeline.reply(4).text(), "x");
  }
  const ErrorCounts expected = {
      {{"INCR", "ERR"}, 2}, {{"LLEN", "WRONGTYPE"}, 2}, {{"LPUSH", "WRONGTYPE"}, 2}};
  EXPECT_EQ(pipeline.errors(), expected);
}

TEST_P(RealPipeline, NothingToRun) {
  Pipeline pipeline(&connection_[0]);
  EXPECT_TRUE(pipeline.Run().ok());
  EXPECT_EQ(pipeline.answered(), 0u);
  EXPECT_FALSE(pipeline.Add({""}).ok());
  EXPECT_EQ(pipeline.pending(), 0u);
}

CLIENTS_TEST_ON_EACH_SERVER(RealPipeline);

// More than the buffers of both sides hold: who only wrote first would wait for ever on a server
// that does not read on before its replies are taken.
TEST(Pipeline, MoreThanTheBuffersHold) {
  constexpr size_t kBytes = size_t{1} << 20;
  constexpr int kCommands = 16;
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    const std::string text(kBytes, 'r');
    for (int i = 0; i < kCommands; ++i) {
      if (!peer.Await("end\r\n")) return;
      peer.Send("$" + std::to_string(kBytes) + "\r\n" + text + "\r\n");
    }
    peer.Stall();
  });
  ConnectOptions options = server.connect_options();
  options.command_timeout = std::chrono::seconds(60);
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  Pipeline pipeline(&*connection);
  const std::string value = std::string(kBytes, 'v') + "end";
  for (int i = 0; i < kCommands; ++i) ASSERT_TRUE(pipeline.Add({"X", value}).ok());
  const absl::Status status = pipeline.Run();
  ASSERT_TRUE(status.ok()) << status;
  for (int i = 0; i < kCommands; ++i) EXPECT_EQ(pipeline.reply(i).text().size(), kBytes);
}

TEST(Pipeline, ALostConnectionLeavesWhatWasAnswered) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    if (peer.Await("third")) peer.Send(":1\r\n-ERR no\r\n$5\r\nha");
  });
  auto connection = Connection::Open(server.connect_options());
  ASSERT_TRUE(connection.ok()) << connection.status();
  Pipeline pipeline(&*connection);
  for (const char* key : {"first", "second", "third"}) ASSERT_TRUE(pipeline.Add({"GET", key}).ok());
  const absl::Status status = pipeline.Run();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(status.ToString().find("2 of 3 replies"), std::string::npos) << status;
  ASSERT_EQ(pipeline.answered(), 2u);
  EXPECT_EQ(pipeline.reply(0).integer(), 1);
  const ErrorCounts expected = {{{"GET", "ERR"}, 1}};
  EXPECT_EQ(pipeline.errors(), expected);
}

}  // namespace
}  // namespace clients
