#include "clients/event_loop.h"

#include <sched.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/connection.h"
#include "clients/local/on_each_server.h"
#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace clients {
namespace {

using local::Server;
using std::chrono::milliseconds;
using testing::FakeServer;

// Keeps what it is called with, and does what a test says.
struct Recorder {
  void OnReply(size_t connection, const Reply& reply, Deadline read_at) {
    ++replies;
    last_read_at = read_at;
    if (on_reply) on_reply(connection, reply);
  }
  void OnLost(size_t connection, const absl::Status& why, size_t unanswered) {
    lost.push_back({connection, why, unanswered});
    if (on_lost) on_lost(connection);
  }

  struct Lost {
    size_t connection;
    absl::Status why;
    size_t unanswered;
  };
  size_t replies = 0;
  Deadline last_read_at;
  std::vector<Lost> lost;
  std::function<void(size_t, const Reply&)> on_reply;
  std::function<void(size_t)> on_lost;
};
static_assert(ReplyHandler<Recorder>);
struct NoHandler {
  void OnReply(size_t, const Reply&) {}
};
static_assert(!ReplyHandler<NoHandler>);

using Loop = EventLoop<Recorder>;

class EventLoops : public ::testing::Test {
 protected:
  void Start(const ConnectOptions& options, int connections,
             const EventLoopOptions& loop_options = {.command_timeout = std::chrono::minutes(1)}) {
    auto dialer = Dialer::Create(options);
    ASSERT_TRUE(dialer.ok()) << dialer.status();
    dialer_ = *dialer;
    auto loop = Loop::Create(&recorder_, loop_options);
    ASSERT_TRUE(loop.ok()) << loop.status();
    loop_ = *std::move(loop);
    for (int i = 0; i < connections; ++i) {
      auto channel = dialer_->Dial();
      ASSERT_TRUE(channel.ok()) << channel.status();
      const auto number = loop_->Add(*std::move(channel));
      ASSERT_TRUE(number.ok());
      ASSERT_EQ(*number, static_cast<size_t>(i));
    }
  }
  void RunUntilAllIsAnswered() {
    while (loop_->unanswered() > 0) ASSERT_TRUE(loop_->RunOnce(milliseconds(100)).ok());
  }

  Recorder recorder_;
  std::shared_ptr<const Dialer> dialer_;
  std::unique_ptr<Loop> loop_;
};

class RealEventLoops : public local::OnEachServer<EventLoops> {};

// A handler that sends by itself, and so points to its loop.
struct Counter {
  void OnReply(size_t connection, const Reply& reply, Deadline) {
    EXPECT_EQ(reply.integer(), ++last);
    if (last == 100) return;
    EXPECT_TRUE(loop->Send(connection, {"INCR", "n"}).ok());
  }
  void OnLost(size_t, const absl::Status& why, size_t) { ADD_FAILURE() << why; }

  EventLoop<Counter>* loop = nullptr;
  int64_t last = 0;
};

// Many connections, each with several commands in flight; each reply is the one that was asked for.
void KeepInFlight(Loop* loop, Recorder* recorder, int connections, int depth, uint64_t count) {
  std::vector<uint64_t> sent(connections), received(connections);
  const auto send = [&](size_t connection) {
    if (sent[connection] == count) return;
    const std::string text = std::to_string(connection) + ":" + std::to_string(sent[connection]++);
    ASSERT_TRUE(loop->Send(connection, {"ECHO", text}).ok());
  };
  recorder->on_reply = [&](size_t connection, const Reply& reply) {
    EXPECT_EQ(reply.text(),
              std::to_string(connection) + ":" + std::to_string(received[connection]++));
    send(connection);
  };
  for (int connection = 0; connection < connections; ++connection) {
    for (int i = 0; i < depth; ++i) send(connection);
  }
  while (loop->unanswered() > 0) ASSERT_TRUE(loop->RunOnce(milliseconds(100)).ok());
  recorder->on_reply = nullptr;
  for (const uint64_t one : received) EXPECT_EQ(one, count);
  EXPECT_TRUE(recorder->lost.empty());
}

TEST_P(RealEventLoops, ManyConnectionsWithManyCommandsInFlight) {
  const Server server = StartServer();
  Start(server.connect_options(), 50);
  KeepInFlight(loop_.get(), &recorder_, 50, 16, 200);
  EXPECT_EQ(recorder_.replies, 50u * 200);
}

TEST_P(RealEventLoops, UnderTls) {
  const Server server = StartServer({.tls_names = "IP:127.0.0.1"});
  Start(server.connect_options(), 8);
  KeepInFlight(loop_.get(), &recorder_, 8, 16, 200);

  const std::string value(3'000'000, 'v');
  recorder_.on_reply = [&](size_t, const Reply& reply) {
    EXPECT_TRUE(reply.type() == ReplyType::kStatus || reply.text() == value);
  };
  for (size_t connection = 0; connection < 8; ++connection) {
    ASSERT_TRUE(loop_->Send(connection, {"SET", "k", value}).ok());
    ASSERT_TRUE(loop_->Send(connection, {"GET", "k"}).ok());
  }
  RunUntilAllIsAnswered();
  EXPECT_TRUE(recorder_.lost.empty());
}

TEST_P(RealEventLoops, OverAUnixSocketWithFormattedCommands) {
  const Server server = StartServer({.unix_socket = true});
  Start(server.connect_options(), 2);
  std::string commands;
  ASSERT_TRUE(AppendCommand({"INCR", "n"}, &commands).ok());
  ASSERT_TRUE(AppendCommand({"LPUSH", "n", "x"}, &commands).ok());
  size_t errors = 0;
  recorder_.on_reply = [&](size_t, const Reply& reply) { errors += reply.is_error(); };
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(loop_->SendFormatted(i % 2, commands, 2).ok());
  EXPECT_EQ(loop_->unanswered(), 20u);
  EXPECT_EQ(loop_->unanswered(0), 10u);
  const Deadline before = Now();
  RunUntilAllIsAnswered();
  EXPECT_EQ(recorder_.replies, 20u);
  EXPECT_EQ(errors, 10u);
  EXPECT_GE(recorder_.last_read_at, before);
  EXPECT_LE(recorder_.last_read_at, Now());
  EXPECT_FALSE(loop_->CameFromElsewhere(0));  // which is not known of a Unix socket
}

TEST_P(RealEventLoops, AHandlerPointsToItsLoop) {
  const Server server = StartServer();
  const auto dialer = Dialer::Create(server.connect_options());
  ASSERT_TRUE(dialer.ok());
  Counter counter;
  const auto loop = EventLoop<Counter>::Create(&counter, {});
  ASSERT_TRUE(loop.ok());
  counter.loop = loop->get();
  auto channel = (*dialer)->Dial();
  ASSERT_TRUE(channel.ok());
  ASSERT_TRUE((*loop)->Add(*std::move(channel)).ok());
  ASSERT_TRUE((*loop)->Send(0, {"INCR", "n"}).ok());
  while ((*loop)->unanswered() > 0) ASSERT_TRUE((*loop)->RunOnce(milliseconds(100)).ok());
  EXPECT_EQ(counter.last, 100);
}

// More than the socket takes: the rest waits until it can be written.
TEST_P(RealEventLoops, LargeValuesAreWrittenInParts) {
  const Server server = StartServer();
  Start(server.connect_options(), 3);
  const std::string value(8'000'000, 'v');
  size_t right = 0;
  recorder_.on_reply = [&](size_t, const Reply& reply) {
    right += reply.type() == ReplyType::kString && reply.text() == value;
  };
  for (size_t connection = 0; connection < 3; ++connection) {
    const std::string key = std::to_string(connection);
    ASSERT_TRUE(loop_->Send(connection, {"SET", key, value}).ok());
    ASSERT_TRUE(loop_->Send(connection, {"GET", key}).ok());
  }
  RunUntilAllIsAnswered();
  EXPECT_EQ(right, 3u);
  EXPECT_TRUE(recorder_.lost.empty());
}

TEST_F(EventLoops, ALostConnectionTellsHowManyAndTheOthersGoOn) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    if (!peer.Await("third")) return;
    peer.Send(":1\r\n");
    if (peer.number() == 0) {
      peer.Send("$10\r\nhalf");  // and closes
    } else {
      peer.Send(":2\r\n:3\r\n");
      peer.Stall();
    }
  });
  Start(server.connect_options(), 2);
  for (const size_t connection : {0, 1}) {
    for (const char* word : {"first", "second", "third"}) {
      ASSERT_TRUE(loop_->Send(connection, {"GET", word}).ok());
    }
  }
  RunUntilAllIsAnswered();
  EXPECT_EQ(recorder_.replies, 4u);
  ASSERT_EQ(recorder_.lost.size(), 1u);
  EXPECT_EQ(recorder_.lost[0].connection, 0u);
  EXPECT_EQ(recorder_.lost[0].unanswered, 2u);
  EXPECT_TRUE(absl::IsUnavailable(recorder_.lost[0].why)) << recorder_.lost[0].why;
  EXPECT_FALSE(loop_->is_open(0));
  EXPECT_TRUE(absl::IsFailedPrecondition(loop_->Send(0, {"PING"})));
  EXPECT_TRUE(absl::IsFailedPrecondition(loop_->Send(7, {"PING"})));
}

TEST_F(EventLoops, WhatIsNoReplyOrAnswersNoCommandLosesTheConnection) {
  for (const auto& [sent, reason] :
       {std::pair<std::string_view, std::string_view>{"garbage\r\n", "no reply of a Redis"},
        {":1\r\n:2\r\n", "a reply to no command"}}) {
    FakeServer server([bytes = sent](FakeServer::Peer& peer) {
      if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
      if (peer.Await("GET")) peer.Send(bytes);
      peer.Stall();
    });
    recorder_ = Recorder();
    Start(server.connect_options(), 1);
    ASSERT_TRUE(loop_->Send(0, {"GET", "k"}).ok());
    while (recorder_.lost.empty()) ASSERT_TRUE(loop_->RunOnce(milliseconds(100)).ok());
    EXPECT_TRUE(absl::IsDataLoss(recorder_.lost[0].why));
    const std::string message(recorder_.lost[0].why.message());
    EXPECT_EQ(message.find(ToString(server.node())), 0u) << message;
    EXPECT_NE(message.find(reason), std::string::npos) << message;
    EXPECT_EQ(loop_->unanswered(), 0u);
  }
}

TEST_F(EventLoops, AServerThatStallsTimesOut) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    peer.Stall();
  });
  Start(server.connect_options(), 2, {.command_timeout = milliseconds(40)});
  ASSERT_TRUE(loop_->Send(1, {"GET", "k"}).ok());
  while (recorder_.lost.empty()) ASSERT_TRUE(loop_->RunOnce(std::chrono::hours(1)).ok());
  ASSERT_EQ(recorder_.lost.size(), 1u);
  EXPECT_EQ(recorder_.lost[0].connection, 1u);
  EXPECT_EQ(recorder_.lost[0].unanswered, 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(recorder_.lost[0].why));
  EXPECT_TRUE(loop_->is_open(0));  // nothing was asked of it
}

TEST_P(RealEventLoops, ALostConnectionIsRestoredInItsCallback) {
  const Server server = StartServer();
  Start(server.connect_options(), 2);
  recorder_.on_lost = [&](size_t connection) {
    auto channel = dialer_->Dial();
    ASSERT_TRUE(channel.ok()) << channel.status();
    ASSERT_TRUE(loop_->Restore(connection, *std::move(channel)).ok());
    ASSERT_TRUE(loop_->Send(connection, {"ECHO", "again"}).ok());
  };
  std::string last;
  recorder_.on_reply = [&](size_t, const Reply& reply) {
    if (reply.type() == ReplyType::kString) last = reply.text();
  };
  ASSERT_TRUE(loop_->Send(0, {"ECHO", "first"}).ok());
  ASSERT_TRUE(loop_->Send(0, {"QUIT"}).ok());
  ASSERT_TRUE(loop_->Send(0, {"ECHO", "behind the end"}).ok());
  while (last != "again") ASSERT_TRUE(loop_->RunOnce(milliseconds(100)).ok());
  ASSERT_EQ(recorder_.lost.size(), 1u);
  EXPECT_EQ(recorder_.lost[0].unanswered, 1u);
  KeepInFlight(loop_.get(), &(recorder_ = Recorder()), 2, 4, 50);
}

TEST_P(RealEventLoops, ACallbackClosesItsOwnAndAnotherConnection) {
  const Server server = StartServer();
  Start(server.connect_options(), 3);
  recorder_.on_reply = [&](size_t connection, const Reply&) {
    loop_->Close(connection);
    const size_t other = (connection + 1) % 3;
    if (loop_->is_open(other)) loop_->Close(other);
  };
  for (size_t connection = 0; connection < 3; ++connection) {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(loop_->Send(connection, {"PING"}).ok());
  }
  RunUntilAllIsAnswered();
  EXPECT_LE(recorder_.replies, 2u);
  EXPECT_TRUE(recorder_.lost.empty());
}

// Puts the calling thread, and those that it starts from then on, on one processor of those that
// it had; takes that back in the end.
class OnProcessor {
 public:
  explicit OnProcessor(int which) {
    EXPECT_EQ(::sched_getaffinity(0, sizeof before_, &before_), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &before_) && which-- == 0) CPU_SET(cpu, &one);
    }
    EXPECT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  }
  ~OnProcessor() { EXPECT_EQ(::sched_setaffinity(0, sizeof before_, &before_), 0); }

 private:
  cpu_set_t before_;
};

TEST_F(EventLoops, KnowsWhetherRepliesComeFromElsewhere) {
  cpu_set_t mine;
  ASSERT_EQ(::sched_getaffinity(0, sizeof mine, &mine), 0);
  if (CPU_COUNT(&mine) < 2) GTEST_SKIP() << "one processor";
  std::optional<FakeServer> server;
  {
    const OnProcessor first(0);
    // Its threads stay there.
    server.emplace([](FakeServer::Peer& peer) {
      while (peer.Await("PING")) peer.Send("+PONG\r\n");
    });
  }
  for (const int which : {0, 1}) {
    const OnProcessor here(which);
    Start(server->connect_options(), 1);
    EXPECT_TRUE(loop_->Send(0, {"PING"}).ok());
    RunUntilAllIsAnswered();
    EXPECT_EQ(loop_->CameFromElsewhere(0), which == 1);
    loop_->Close(0);
    EXPECT_FALSE(loop_->CameFromElsewhere(0));
  }
}

TEST_P(RealEventLoops, WithNothingToDoATurnEndsInTime) {
  const Server server = StartServer();
  Start(server.connect_options(), 1);
  EXPECT_TRUE(loop_->RunOnce(Nanoseconds(0)).ok());
  EXPECT_TRUE(loop_->RunOnce(std::chrono::microseconds(100)).ok());
  EXPECT_EQ(recorder_.replies, 0u);
  EXPECT_EQ(loop_->size(), 1u);
}

CLIENTS_TEST_ON_EACH_SERVER(RealEventLoops);

}  // namespace
}  // namespace clients
