#include "clients/dialer.h"

#include <array>
#include <string>
#include <utility>

#include "clients/command.h"
#include "clients/errors.h"
#include "clients/reply.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

// A server that speaks TLS answers a plain command with an alert.
constexpr std::string_view kAlert = "it sent: \\x15\\x03";

absl::Status NoReply(const std::string& peer, const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  const std::string message(status.message());
  return NotARedis(peer, message.find(kAlert) == std::string::npos
                             ? message.substr(peer.size() + 2)
                             : "it speaks TLS: the URL has to begin with rediss://");
}

absl::Status CheckReply(const std::string& peer, std::string_view command, const Reply& reply) {
  const bool is_ping = command == "PING";
  if (reply.is_error()) {
    const ErrorKind kind = KindOf(reply.text());
    if (is_ping && (kind == ErrorKind::kOther || kind == ErrorKind::kUnknownCommand)) {
      return NotARedis(peer, fmt::format("it refuses PING: {}", Printable(reply.text(), 200)));
    }
    return ErrorStatus(peer, reply.text());
  }
  if (reply.type() != ReplyType::kStatus) {
    return NotARedis(peer, fmt::format("it answers {} with {}", command, NameOf(reply.type())));
  }
  if (reply.text() != (is_ping ? "PONG" : "OK")) {
    return NotARedis(peer, fmt::format("it answers {} with: {}", command, Printable(reply.text())));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Dialer>> Dialer::Create(const ConnectOptions& options) {
  if (options.url.hosts.empty() == options.url.path.empty()) {
    return kv::Invalid("a URL has hosts or the path of a socket");
  }
  if (options.connect_timeout <= Nanoseconds(0) || options.command_timeout <= Nanoseconds(0)) {
    return kv::Invalid("a time-out is positive");
  }
  const std::shared_ptr<Dialer> made(new Dialer(options));
  if (options.url.tls) {
    KV_ASSIGN_OR_RETURN(made->tls_, TlsContext::Create(options.tls));
  }
  return made;
}

absl::StatusOr<Channel> Dialer::Dial() const {
  if (!options_.url.path.empty()) {
    const Deadline deadline = After(options_.connect_timeout);
    KV_ASSIGN_OR_RETURN(Fd fd, ConnectUnix(options_.url.path, deadline));
    Channel channel(Transport(std::move(fd), options_.url.path));
    KV_RETURN_IF_ERROR(Handshake(&channel, deadline));
    return channel;
  }
  return Dial(options_.url.hosts.front());
}

absl::StatusOr<Channel> Dialer::Dial(const HostPort& node) const {
  const Deadline deadline = After(options_.connect_timeout);
  KV_ASSIGN_OR_RETURN(Fd fd, ConnectTcp(node, options_.resolver, deadline));
  Transport transport(std::move(fd), ToString(node));
  if (tls_ != nullptr) KV_RETURN_IF_ERROR(transport.StartTls(tls_, node.host, deadline));
  Channel channel(std::move(transport));
  KV_RETURN_IF_ERROR(Handshake(&channel, deadline));
  return channel;
}

absl::Status Dialer::Handshake(Channel* channel, Deadline deadline) const {
  const Url& url = options_.url;
  std::array<std::string_view, 3> sent;
  std::array<Reply, 3> replies;
  size_t count = 0;
  std::string bytes;
  if (url.has_credentials()) {
    sent[count++] = "AUTH";
    KV_RETURN_IF_ERROR(url.user.empty() ? AppendCommand({"AUTH", url.password}, &bytes)
                                        : AppendCommand({"AUTH", url.user, url.password}, &bytes));
  }
  if (url.database != 0) {
    sent[count++] = "SELECT";
    KV_RETURN_IF_ERROR(AppendCommand({"SELECT", std::to_string(url.database)}, &bytes));
  }
  sent[count++] = "PING";
  KV_RETURN_IF_ERROR(AppendCommand({"PING"}, &bytes));

  size_t answered = 0;
  const absl::Status status =
      channel->Exchange(bytes, std::span(replies).first(count), deadline, &answered);
  // What was answered tells more than how it ended: a server that turns us away says why.
  for (size_t i = 0; i < answered; ++i) {
    KV_RETURN_IF_ERROR(CheckReply(channel->peer(), sent[i], replies[i]));
  }
  return NoReply(channel->peer(), status);
}

}  // namespace clients
