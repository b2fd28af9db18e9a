#include "clients/connection.h"

#include <random>
#include <thread>
#include <utility>

#include "clients/errors.h"
#include "kv/base/status.h"

namespace clients {

Connection::Connection(std::shared_ptr<const Dialer> dialer, HostPort node, Channel channel)
    : dialer_(std::move(dialer)),
      node_(std::move(node)),
      channel_(std::move(channel)),
      peer_(channel_.peer()),
      backoff_(dialer_->options().backoff, std::random_device()()) {}

absl::StatusOr<Connection> Connection::Open(const ConnectOptions& options) {
  KV_ASSIGN_OR_RETURN(auto dialer, Dialer::Create(options));
  return Open(std::move(dialer));
}

absl::StatusOr<Connection> Connection::Open(std::shared_ptr<const Dialer> dialer) {
  KV_ASSIGN_OR_RETURN(Channel channel, dialer->Dial());
  return Connection(std::move(dialer), HostPort(), std::move(channel));
}

absl::StatusOr<Connection> Connection::Open(std::shared_ptr<const Dialer> dialer,
                                            const HostPort& node) {
  KV_ASSIGN_OR_RETURN(Channel channel, dialer->Dial(node));
  return Connection(std::move(dialer), node, std::move(channel));
}

absl::StatusOr<Channel> Connection::Dial() const {
  return node_.host.empty() ? dialer_->Dial() : dialer_->Dial(node_);
}

absl::Status Connection::Restore() {
  if (is_connected()) {
    // No reply is due, so what can be read is the end, or a reply to no command.
    if (!PollUntil(channel_.transport().fd(), POLLIN, Now())) return absl::OkStatus();
    channel_ = Channel();
  }
  const Deadline give_up = After(dialer_->options().reconnect_for);
  while (true) {
    auto channel = Dial();
    if (channel.ok()) {
      channel_ = *std::move(channel);
      backoff_.Reset();
      ++reconnections_;
      return absl::OkStatus();
    }
    if (!MayHeal(channel.status())) return channel.status();
    const Nanoseconds wait = backoff_.Next();
    if (Now() + wait >= give_up) return channel.status();
    std::this_thread::sleep_for(wait);
  }
}

absl::Status Connection::Exchange(std::string_view commands, std::span<Reply> replies,
                                  size_t* answered) {
  *answered = 0;
  KV_RETURN_IF_ERROR(Restore());
  const Deadline deadline = After(dialer_->options().command_timeout);
  absl::Status status = channel_.Exchange(commands, replies, deadline, answered);
  if (!status.ok()) channel_ = Channel();
  return status;
}

absl::Status Connection::Run(Arguments arguments, Reply* reply) {
  bytes_.clear();
  KV_RETURN_IF_ERROR(AppendCommand(arguments, &bytes_));
  size_t answered = 0;
  KV_RETURN_IF_ERROR(Exchange(bytes_, std::span(reply, 1), &answered));
  if (reply->is_error()) return ErrorStatus(peer_, reply->text());
  return absl::OkStatus();
}

absl::StatusOr<Reply> Connection::Run(Arguments arguments) {
  Reply reply;
  KV_RETURN_IF_ERROR(Run(arguments, &reply));
  return reply;
}

}  // namespace clients
