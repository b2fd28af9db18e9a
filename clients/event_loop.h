// An event loop: many connections driven by one thread, with a callback for each reply (Linux,
// epoll).
//
//   struct Handler {                                                      models ReplyHandler
//     void OnReply(size_t connection, const Reply& reply, Deadline read_at);
//     void OnLost(size_t connection, const absl::Status& why, size_t unanswered);
//     EventLoop<Handler>* loop;
//   };
//   auto loop = EventLoop<Handler>::Create(&handler, {});
//   KV_ASSIGN_OR_RETURN(size_t connection, (*loop)->Add(*dialer->Dial()));
//   KV_RETURN_IF_ERROR((*loop)->Send(connection, {"GET", key}));
//   while (...) KV_RETURN_IF_ERROR((*loop)->RunOnce(std::chrono::milliseconds(10)));
//
// What is sent collects in a buffer for each connection and goes out in one write: at once after
// the replies in whose callbacks it was sent, and otherwise at the beginning of the next turn. A
// turn reads each connection that has something once, so a connection with 16 commands in flight
// costs two system calls for 16 replies. A reply takes no allocation (reply.h); `read_at` is when
// the bytes that completed it were read, not when its turn for a callback came.
//
// Every command is answered or lost: OnReply is called once for each, in order, or OnLost once for
// the connection with how many will not be answered. A connection is lost when the server closes
// it, when it sends what is no reply, or a reply to no command, and when it has answered nothing of
// what it was asked for command_timeout. The other connections go on.
//
// A callback may Send, Add, Restore and Close, on any connection. Send takes the time as the caller
// knows it, so that a callback, which has `read_at`, costs no other look at the clock.
//
// The loop opens no connections: that waits, for names and handshakes, and the others would wait
// too. Dial in another thread (dialer.h) and hand the channel over between two turns.
//
// Thread safety: none; one thread for each loop. Complexity of a turn: the connections that have
// something, and all connections eight times in a command_timeout.
// For: load. Not for: calls that wait for their answer (connection.h).
#ifndef CLIENTS_EVENT_LOOP_H_
#define CLIENTS_EVENT_LOOP_H_

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/channel.h"
#include "clients/command.h"
#include "clients/deadline.h"
#include "clients/errors.h"
#include "clients/event_connection.h"
#include "clients/poller.h"
#include "clients/reply.h"
#include "kv/base/status.h"

namespace clients {

template <typename H>
concept ReplyHandler = requires(H& handler, size_t connection, const Reply& reply, Deadline read_at,
                                const absl::Status& why) {
  handler.OnReply(connection, reply, read_at);
  handler.OnLost(connection, why, connection);
};

struct EventLoopOptions {
  Nanoseconds command_timeout = std::chrono::seconds(5);
};

// The concept is asked in Create and not here, so that a handler may point to its loop.
template <typename Handler>
class EventLoop {
 public:
  // `handler` outlives the loop. kUnavailable: no file descriptors.
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create(Handler* handler,
                                                           const EventLoopOptions& options) {
    static_assert(ReplyHandler<Handler>, "Handler has no OnReply or no OnLost of this form");
    KV_ASSIGN_OR_RETURN(Poller poller, Poller::Create());
    return std::unique_ptr<EventLoop>(new EventLoop(handler, options, std::move(poller)));
  }

  // Takes a channel that is ready for commands. Returns its number, counted from 0.
  absl::StatusOr<size_t> Add(Channel channel) {
    const size_t number = Reserve();
    KV_RETURN_IF_ERROR(Restore(number, std::move(channel)));
    return number;
  }

  // The number of a connection that is opened by Restore.
  size_t Reserve() {
    connections_.push_back(std::make_unique<EventConnection>());
    return connections_.size() - 1;
  }

  // A new channel for a connection that was lost, closed or reserved.
  absl::Status Restore(size_t number, Channel channel) {
    assert(!connections_[number]->is_open());
    KV_RETURN_IF_ERROR(poller_.Add(channel.transport().fd(), number));
    connections_[number]->Open(std::move(channel));
    return absl::OkStatus();
  }

  // Adds a command. kFailedPrecondition: the connection is not open.
  absl::Status Send(size_t number, Arguments arguments, Deadline now) {
    KV_RETURN_IF_ERROR(CheckOpen(number));
    KV_RETURN_IF_ERROR(connections_[number]->Append(arguments, now));
    Note(number, 1);
    return absl::OkStatus();
  }
  absl::Status Send(size_t number, Arguments arguments) { return Send(number, arguments, Now()); }
  absl::Status Send(size_t number, std::initializer_list<std::string_view> arguments) {
    return Send(number, Arguments(arguments.begin(), arguments.size()));
  }
  // Adds `count` commands that were formatted before (command.h).
  absl::Status SendFormatted(size_t number, std::string_view commands, size_t count, Deadline now) {
    KV_RETURN_IF_ERROR(CheckOpen(number));
    connections_[number]->Append(commands, count, now);
    Note(number, count);
    return absl::OkStatus();
  }
  absl::Status SendFormatted(size_t number, std::string_view commands, size_t count) {
    return SendFormatted(number, commands, count, Now());
  }

  // One turn: writes, waits for replies for `longest` at most, and calls back.
  // kUnavailable: the system's poll fails, which no turn can mend.
  absl::Status RunOnce(Nanoseconds longest) {
    FlushUnflushed();
    if (unanswered_ > 0) longest = std::min(longest, next_look_ - Now());
    KV_RETURN_IF_ERROR(poller_.Wait(longest, &ready_));
    // By index: a callback may run no turn, but it may lose connections.
    for (const Poller::Ready& one : ready_) Serve(one.number);
    FlushUnflushed();
    if (unanswered_ > 0) LoseLateOnes(ready_.empty() ? Now() : last_read_at_);
    return absl::OkStatus();
  }

  // Without OnLost; what was not answered will not be.
  void Close(size_t number) {
    unanswered_ -= connections_[number]->unanswered();
    connections_[number]->Close();
  }

  bool is_open(size_t number) const { return connections_[number]->is_open(); }
  size_t size() const { return connections_.size(); }
  // Commands that wait for their replies, on one and on all connections.
  size_t unanswered(size_t number) const { return connections_[number]->unanswered(); }
  size_t unanswered() const { return unanswered_; }

  // Whether what came last on the connection came through another processor than the one that this
  // thread is on, so that the thread takes nothing from the sender by staying awake. False where
  // that is not known. A system call.
  bool CameFromElsewhere(size_t number) { return connections_[number]->CameFromElsewhere(); }

  // Over all connections, since they were first opened. Complexity: the connections.
  uint64_t sent_bytes() const {
    uint64_t bytes = 0;
    for (const auto& connection : connections_) bytes += connection->sent_bytes();
    return bytes;
  }
  uint64_t received_bytes() const {
    uint64_t bytes = 0;
    for (const auto& connection : connections_) bytes += connection->received_bytes();
    return bytes;
  }

 private:
  EventLoop(Handler* handler, const EventLoopOptions& options, Poller poller)
      : handler_(handler),
        options_(options),
        poller_(std::move(poller)),
        next_look_(After(LookEvery())) {}

  Nanoseconds LookEvery() const { return options_.command_timeout / 8; }

  absl::Status CheckOpen(size_t number) const {
    if (number < connections_.size() && is_open(number)) [[likely]]
      return absl::OkStatus();
    return absl::FailedPreconditionError("this connection of the event loop is not open");
  }

  void Note(size_t number, size_t count) {
    unanswered_ += count;
    if (connections_[number]->MarkUnflushed()) unflushed_.push_back(number);
  }

  void Serve(size_t number) {
    EventConnection& connection = *connections_[number];
    if (!connection.is_open()) return;  // a callback of this turn closed it
    bool again = true;
    while (again) {
      const absl::Status read = connection.Read(&again);
      const Deadline read_at = Now();
      last_read_at_ = read_at;
      // What came before the end is answered before the end is told.
      if (!Deliver(number, read_at)) return;
      if (!read.ok()) return Lose(number, read);
    }
    Flush(number);
  }

  // Whether the connection is still open.
  bool Deliver(size_t number, Deadline read_at) {
    EventConnection& connection = *connections_[number];
    const uint64_t opened = connection.times_opened();
    while (true) {
      const auto whole = connection.Next(read_at, &reply_);
      if (!whole.ok()) {
        Lose(number, whole.status());
        return false;
      }
      if (!*whole) return true;
      --unanswered_;
      handler_->OnReply(number, reply_, read_at);
      if (!connection.is_open() || connection.times_opened() != opened) return false;
    }
  }

  void Flush(size_t number) {
    EventConnection& connection = *connections_[number];
    if (!connection.is_open()) return;
    absl::Status status = connection.Flush();
    if (status.ok()) status = poller_.Change(connection.fd(), number, &connection.interest());
    if (!status.ok()) Lose(number, status);
  }

  void FlushUnflushed() {
    // OnLost may send on other connections, which then join the list.
    for (size_t i = 0; i < unflushed_.size(); ++i) {
      const size_t number = unflushed_[i];
      if (connections_[number]->UnmarkUnflushed()) Flush(number);
    }
    unflushed_.clear();
  }

  void Lose(size_t number, const absl::Status& why) {
    EventConnection& connection = *connections_[number];
    const size_t unanswered = connection.unanswered();
    Close(number);
    handler_->OnLost(number, why, unanswered);
  }

  void LoseLateOnes(Deadline now) {
    if (now < next_look_) return;
    next_look_ = now + LookEvery();
    for (size_t number = 0; number < connections_.size(); ++number) {
      const EventConnection& connection = *connections_[number];
      if (!connection.IsLate(now - options_.command_timeout)) continue;
      Lose(number, TimedOut(connection.peer(), "waiting for replies"));
    }
  }

  Handler* const handler_;
  const EventLoopOptions options_;
  Poller poller_;
  // Pointers, since a callback may add one while another is served.
  std::vector<std::unique_ptr<EventConnection>> connections_;
  std::vector<size_t> unflushed_;  // those with a mark
  std::vector<Poller::Ready> ready_;
  Reply reply_;
  size_t unanswered_ = 0;
  Deadline next_look_;
  Deadline last_read_at_;
};

}  // namespace clients

#endif  // CLIENTS_EVENT_LOOP_H_
