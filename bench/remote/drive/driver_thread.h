// One thread that drives: an event loop with its share of the connections, its source of requests,
// and its counts.
//
// Closed loop: a reply sends the next request on its connection, with the time at which the reply
// was read; so a batch of replies costs one look at the clock. In a cluster the next request goes
// to the node of its key, and as many are under way as fit into all open connections.
//
// Open loop: a request is sent when its planned time has come and a connection has room. Where none
// has, it waits for nothing but room, and its latency counts from its planned time all the same
// ("coordinated omission", G. Tene). The backlog is a number, not a queue. What is still not sent a
// command_timeout after the end of the plan is not sent any more.
//
// A connection that is lost is dialled again beside the thread (dialing.h), while the others
// go on. When that has failed for ConnectOptions::reconnect_for, the run ends with the reason.
//
// Thread safety: constructed and connected in any thread, run in one.
// Complexity: a request and its reply take no allocation and no lock.
#ifndef BENCH_REMOTE_DRIVE_DRIVER_THREAD_H_
#define BENCH_REMOTE_DRIVE_DRIVER_THREAD_H_

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/drive/flights.h"
#include "bench/remote/drive/links.h"
#include "bench/remote/drive/pacing.h"
#include "bench/remote/drive/request.h"
#include "bench/remote/drive/tally.h"
#include "clients/command.h"
#include "clients/deadline.h"
#include "clients/event_loop.h"
#include "clients/reply.h"
#include "clients/slot.h"
#include "kv/base/status.h"

namespace bench::remote {

template <RequestSource Source>
class DriverThread {
 public:
  DriverThread(const DrivePlan& plan, const DriveTarget& target, int thread,
               std::unique_ptr<Source> source)
      : plan_(plan),
        pacing_(plan, thread),
        source_(std::move(source)),
        links_(plan, target, thread),
        routes_(links_.routes()),
        result_(source_->operations(), TimeOf(plan.interval_seconds)) {}

  // Makes all connections, and counts them in `connected`. An error names the server.
  absl::Status Connect(std::atomic<size_t>* connected) {
    KV_ASSIGN_OR_RETURN(loop_,
                        Loop::Create(this, {.command_timeout = plan_.server.command_timeout}));
    for (size_t number = 0; number < routes_.size(); ++number) {
      KV_ASSIGN_OR_RETURN(clients::Channel channel, links_.Dial(number));
      KV_RETURN_IF_ERROR(loop_->Add(std::move(channel)).status());
      routes_.Opened(routes_.link(number));
      // relaxed: for people to look at.
      connected->fetch_add(1, std::memory_order_relaxed);
    }
    return absl::OkStatus();
  }

  // Sends and receives until all is answered or lost. `failed` ends the threads of a run together.
  void Run(clients::Deadline begin, std::atomic<bool>* failed) {
    failed_ = failed;
    pacing_.Begin(begin);
    result_.tally.Begin(pacing_.run_begin());
    WaitPunctually();
    now_ = clients::Now();
    Look();
    pacing_.is_closed() ? RunClosed() : RunOpen();
    Finish();
  }

  ThreadResult& result() { return result_; }
  Source& source() { return *source_; }

  // --- What the event loop calls

  void OnReply(size_t number, const clients::Reply& reply, clients::Deadline read_at) {
    now_ = read_at;
    Link& link = routes_.link(number);
    const Flight flight = link.flights.front();
    if (flight.is_asking) return link.flights.Pop();
    replied_on_ = number;
    routes_.Answered(link);
    pacing_.Unblock(now_);
    if (routes_.is_cluster()) [[unlikely]]
      return OnReplyOfCluster(link, flight, reply);
    link.flights.Pop();
    Count(flight, reply);
    if (pacing_.is_closed()) Fill(number);
  }

  void OnLost(size_t number, const absl::Status& why, size_t unanswered) {
    now_ = clients::Now();
    Link& link = routes_.link(number);
    assert(link.flights.size() == unanswered);
    static_cast<void>(unanswered);
    for (; !link.flights.empty(); link.flights.Pop()) {
      const Flight& flight = link.flights.front();
      if (flight.is_asking) continue;
      if (IsCounted(flight)) result_.tally.Lost(flight.operation, now_);
    }
    routes_.Closed(link);
    result_.tally.LostConnection(std::string(why.message()));
    Check(links_.Lost(number, why, IsMoreWanted(), now_));
    ReserveNewLinks();
  }

 private:
  using Loop = clients::EventLoop<DriverThread>;

  static constexpr auto kDiallingTurn = std::chrono::milliseconds(1);
  static constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";

  bool IsCounted(const Flight& flight) const { return pacing_.IsOfRun(flight.since); }

  void Check(const absl::Status& status) {
    if (status.ok() || has_failed_) return;
    has_failed_ = true;
    result_.failure = status;
    // relaxed: a hint to the other threads; the failure is read after they are joined.
    failed_->store(true, std::memory_order_relaxed);
  }

  // --- Closed loop

  void RunClosed() {
    if (routes_.is_cluster()) {
      FillCluster();
    } else {
      for (size_t number = 0; number < routes_.size(); ++number) Fill(number);
    }
    while (!has_failed_ && (routes_.outstanding() > 0 || MaySend())) Turn(std::nullopt);
  }

  bool MaySend() const { return !source_ended_ && !has_failed_ && pacing_.MaySend(now_); }

  // Sends on a connection until it has no room.
  void Fill(size_t number) {
    Link& link = routes_.link(number);
    while (routes_.HasRoom(link) && MaySend() && Fetch()) Send(number, now_);
  }

  void FillCluster() {
    while (routes_.outstanding() < routes_.capacity() && MaySend() && Fetch()) SendRouted(now_);
  }

  // --- Open loop

  void RunOpen() {
    while (true) {
      now_ = clients::Now();
      if (routes_.outstanding() == 0) pacing_.BeginWait(now_);
      SendDue();
      if (has_failed_) return;
      const auto planned = NextPlanned();
      if (!planned.has_value() && routes_.outstanding() == 0) return;
      Turn(planned);
    }
  }

  // When the next request is planned. nullopt: there is none.
  std::optional<clients::Deadline> NextPlanned() {
    if (source_ended_ || gave_up_) return std::nullopt;
    if (!pacing_.is_recorded()) return pacing_.Next();
    return Fetch() ? pacing_.Next(request_.at_nanos) : std::nullopt;
  }

  void SendDue() {
    while (const auto planned = NextPlanned()) {
      if (*planned > now_ || has_failed_) return;
      if (routes_.outstanding() >= routes_.capacity()) return pacing_.Block();
      if (!Fetch()) return;
      pacing_.NoteSlip(*planned, now_);
      routes_.is_cluster() ? SendRouted(*planned) : Send(routes_.Pick(0), *planned);
    }
  }

  // --- Both

  // Has the next request in request_. False: the source has ended.
  bool Fetch() {
    if (has_request_) return true;
    if (source_ended_) return false;
    request_ = source_->Next();
    has_request_ = !request_.arguments.empty();
    source_ended_ = !has_request_;
    return has_request_;
  }

  // Sends request_ to the one server.
  void Send(size_t number, clients::Deadline since) {
    const absl::Status status = request_.formatted.empty()
                                    ? loop_->Send(number, request_.arguments, now_)
                                    : loop_->SendFormatted(number, request_.formatted, 1, now_);
    if (!status.ok()) return Check(status);
    Link& link = routes_.link(number);
    link.flights.Push(
        {.since = since, .subject = request_.subject, .operation = request_.operation}, {});
    routes_.Sent(link);
    NoteSent(since);
  }

  void NoteSent(clients::Deadline since) {
    has_request_ = false;
    pacing_.Sent(since);
  }

  void Count(const Flight& flight, const clients::Reply& reply) {
    ++replies_;
    if (reply.is_error()) [[unlikely]] {
      if (!IsCounted(flight)) return;
      return result_.tally.Error(flight.operation, reply.text(), flight.since, now_);
    }
    const Outcome outcome = source_->Judge(flight.operation, flight.subject, reply);
    if (IsCounted(flight)) result_.tally.Answered(flight.operation, outcome, flight.since, now_);
  }

  // --- Of a cluster

  // Sends request_ to the node of its key, or parks it there.
  void SendRouted(clients::Deadline since) {
    command_.clear();
    if (request_.formatted.empty()) {
      const absl::Status status = clients::AppendCommandInPlace(request_.arguments, &command_);
      if (!status.ok()) return Check(status);
    } else {
      command_ = request_.formatted;
    }
    const size_t key = request_.key_argument;
    const bool has_key = key > 0 && key < request_.arguments.size();
    const Flight flight{.since = since,
                        .subject = request_.subject,
                        .operation = request_.operation,
                        .slot = has_key ? clients::SlotOf(request_.arguments[key]) : kAnySlot};
    const size_t node = routes_.NodeOf(flight.slot);
    const size_t number = routes_.Pick(node);
    if (number == kNobody) {
      routes_.Park(node, {.flight = flight, .command = command_});
    } else {
      SendCommand(number, flight, command_, false);
    }
    NoteSent(since);
  }

  void SendCommand(size_t number, const Flight& flight, std::string_view command, bool ask) {
    Link& link = routes_.link(number);
    if (ask) {
      Check(loop_->SendFormatted(number, kAsking, 1, now_));
      link.flights.Push({.is_asking = true}, {});
    }
    Check(loop_->SendFormatted(number, command, 1, now_));
    link.flights.Push(flight, command);
    routes_.Sent(link);
  }

  void SendParked(size_t node) {
    while (!routes_.node(node).parked.empty()) {
      const size_t number = routes_.Pick(node);
      if (number == kNobody) return;
      const ParkedCommand parked = routes_.Unpark(node);
      SendCommand(number, parked.flight, parked.command, parked.ask);
    }
  }

  void OnReplyOfCluster(Link& link, const Flight& flight, const clients::Reply& reply) {
    std::optional<size_t> elsewhere;
    if (reply.is_error()) elsewhere = links_.Redirect(link, reply.text(), now_);
    link.flights.Pop();
    if (elsewhere.has_value()) {
      if (IsCounted(flight)) ++result_.redirections;
      ReserveNewLinks();
      SendParked(*elsewhere);
    } else {
      Count(flight, reply);
    }
    SendParked(link.node);
    if (pacing_.is_closed()) FillCluster();
  }

  // --- Turns, each waiting for replies until it is time for what is planned next

  void Turn(std::optional<clients::Deadline> planned) {
    clients::Nanoseconds longest = pacing_.WaitFor(planned, routes_.outstanding(), now_);
    const bool was_idle = replies_ == 0 && pacing_.sent_in_all() == sent_before_;  // since now_
    sent_before_ = pacing_.sent_in_all();
    const clients::Deadline from = now_;
    replies_ = 0;
    if (links_.is_dialling()) longest = std::min<clients::Nanoseconds>(longest, kDiallingTurn);
    Check(loop_->RunOnce(longest));
    if (replies_ == 0) {
      now_ = clients::Now();
      if (was_idle && longest == clients::Nanoseconds(0)) pacing_.Spun(now_ - from);
    } else {
      if (Pacing::IsFew(routes_.outstanding())) {
        pacing_.EndWait(loop_->CameFromElsewhere(replied_on_), now_);
      }
      // relaxed: for people to look at.
      if (plan_.progress != nullptr) plan_.progress->fetch_add(replies_, std::memory_order_relaxed);
    }
    Look();
  }

  // At all but replies.
  void Look() {
    if (pacing_.Measure(now_)) {
      bytes_before_ = {loop_->sent_bytes(), loop_->received_bytes()};
    }
    // relaxed both: hints to end; nothing is read through them.
    if (failed_->load(std::memory_order_relaxed)) has_failed_ = true;
    if (plan_.stop != nullptr && plan_.stop->load(std::memory_order_relaxed)) pacing_.EndAt(now_);
    if (pacing_.IsTooLate(now_)) gave_up_ = true;
    if (!links_.has_news()) return;
    ready_.clear();
    Check(links_.Take(IsMoreWanted(), now_, &ready_));
    ReserveNewLinks();
    for (Links::Ready& ready : ready_) {
      Check(loop_->Restore(ready.number, std::move(ready.channel)));
      if (has_failed_) return;
      Opened(ready.number);
    }
    // A new map may have taken parked commands to nodes that have room.
    for (size_t node = 0; routes_.parked() > 0 && node < routes_.nodes(); ++node) SendParked(node);
  }

  void Opened(size_t number) {
    Link& link = routes_.link(number);
    routes_.Opened(link);
    if (link.was_lost) ++result_.reconnections;
    pacing_.Unblock(now_);
    if (!pacing_.is_closed()) return;
    if (!routes_.is_cluster()) return Fill(number);
    SendParked(link.node);
    FillCluster();
  }

  void ReserveNewLinks() {
    while (loop_->size() < routes_.size()) loop_->Reserve();
  }

  bool IsMoreWanted() {
    if (has_failed_) return false;
    if (routes_.parked() > 0) return true;
    return pacing_.is_closed() ? MaySend() : NextPlanned().has_value();
  }

  void Finish() {
    pacing_.Report(source_ended_, &result_);
    result_.sent_bytes = loop_->sent_bytes() - bytes_before_.first;
    result_.received_bytes = loop_->received_bytes() - bytes_before_.second;
    result_.tally.Finish();
    if (!gave_up_ || !pacing_.is_recorded() || has_failed_) return;
    // What a record still had in store.
    gave_up_ = false;
    while (const auto planned = NextPlanned()) {
      if (pacing_.IsOfRun(*planned)) ++result_.planned;
      NoteSent(*planned);
    }
  }

  const DrivePlan& plan_;
  Pacing pacing_;
  const std::unique_ptr<Source> source_;
  Links links_;
  Routes& routes_;
  std::unique_ptr<Loop> loop_;
  ThreadResult result_;
  clients::Deadline now_;  // the last look at the clock, as a rule when replies were read
  Request request_;        // fetched and not sent, where has_request_
  bool has_request_ = false;
  bool source_ended_ = false;
  bool gave_up_ = false;
  bool has_failed_ = false;  // this thread, or another one
  std::atomic<bool>* failed_ = nullptr;
  uint64_t replies_ = 0;                        // of this turn
  uint64_t sent_before_ = 0;                    // the turn
  size_t replied_on_ = 0;                       // the connection of the last one
  std::pair<uint64_t, uint64_t> bytes_before_;  // sent and received in the warm-up
  std::string command_;
  std::vector<Links::Ready> ready_;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_DRIVER_THREAD_H_
