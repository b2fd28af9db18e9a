#include "bench/remote_watch/route.h"

#include <algorithm>
#include <array>
#include <span>

#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote_watch {
namespace {

using clients::Channel;
using clients::HostPort;
using clients::Reply;

// A map that is right needs one; a slot that moves, two.
constexpr int kMostRedirections = 4;

constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";

absl::StatusOr<clients::SlotMap> AskNode(const clients::Dialer& dialer, Channel* channel,
                                         const HostPort& node) {
  const auto exchange = [&](std::string_view commands, std::span<Reply> replies) {
    size_t answered = 0;
    return channel->Exchange(commands, replies, clients::After(dialer.options().command_timeout),
                             &answered);
  };
  auto map = clients::AskForSlots(exchange, node, dialer.options().url.tls);
  if (absl::IsInternal(map.status())) return clients::At(ToString(node), map.status());
  if (map.ok() && !map->ServesAny()) {
    return clients::Lost(ToString(node), "it knows of no slots of the cluster");
  }
  return map;
}

}  // namespace

absl::StatusOr<Dialers> Dialers::Create(const clients::ConnectOptions& options) {
  constexpr int kHaste = 4;
  clients::ConnectOptions hasty = options;
  hasty.connect_timeout = std::max(options.connect_timeout / kHaste, clients::Nanoseconds(1));
  hasty.command_timeout = std::max(options.command_timeout / kHaste, clients::Nanoseconds(1));
  Dialers dialers;
  KV_ASSIGN_OR_RETURN(dialers.dialer, clients::Dialer::Create(options));
  KV_ASSIGN_OR_RETURN(dialers.asking, clients::Dialer::Create(hasty));
  return dialers;
}

absl::StatusOr<clients::SlotMap> FindSlots(const Dialers& dialers,
                                           const std::vector<HostPort>& nodes) {
  absl::Status last;
  for (const HostPort& node : nodes) {
    auto channel = dialers.asking->Dial(node);
    if (!channel.ok()) {
      last = channel.status();
      continue;
    }
    auto map = AskNode(*dialers.asking, &*channel, node);
    if (map.ok()) return map;
    last = map.status();
  }
  return last;
}

absl::Status Route::Connect() {
  Close();
  if (slot_.has_value()) return ConnectToOwner();
  KV_ASSIGN_OR_RETURN(channel_, dialers_.dialer->Dial());
  return absl::OkStatus();
}

absl::Status Route::ConnectToOwner() {
  std::vector<HostPort> nodes = dialers_.dialer->options().url.hosts;
  for (const HostPort& node : known_) {
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  // As long as for the one connection of a server that is alone, and then the one that is under
  // way.
  const clients::Deadline give_up = clients::After(dialers_.dialer->options().connect_timeout);
  absl::Status last;
  for (const HostPort& node : nodes) {
    last = ConnectBy(node);
    if (last.ok() || clients::IsOver(give_up)) return last;
  }
  return last;
}

absl::Status Route::ConnectBy(const HostPort& node) {
  KV_ASSIGN_OR_RETURN(Channel asked, dialers_.asking->Dial(node));
  KV_ASSIGN_OR_RETURN(const clients::SlotMap map, AskNode(*dialers_.asking, &asked, node));
  known_ = map.nodes();
  const HostPort* const owner = map.OwnerOf(*slot_);
  if (owner == nullptr) {
    return clients::Lost(ToString(node), fmt::format("no node serves slot {}", *slot_));
  }
  if (*owner == node) {
    channel_ = std::move(asked);
  } else {
    KV_ASSIGN_OR_RETURN(channel_, dialers_.dialer->Dial(*owner));
  }
  node_ = *owner;
  return absl::OkStatus();
}

absl::Status Route::Follow(const clients::Redirection& redirection, Reply* reply) {
  ++redirections_;
  KV_ASSIGN_OR_RETURN(Channel there, dialers_.dialer->Dial(redirection.node));
  const clients::Deadline deadline = CommandDeadline();
  size_t answered = 0;
  if (redirection.ask) {
    std::array<Reply, 2> replies;
    KV_RETURN_IF_ERROR(there.Exchange(std::string(kAsking) + bytes_, replies, deadline, &answered));
    *reply = std::move(replies[1]);
    return absl::OkStatus();
  }
  KV_RETURN_IF_ERROR(there.Exchange(bytes_, std::span(reply, 1), deadline, &answered));
  channel_ = std::move(there);
  node_ = redirection.node;
  return absl::OkStatus();
}

absl::Status Route::Run(clients::Arguments arguments, Reply* reply) {
  bytes_.clear();
  KV_RETURN_IF_ERROR(clients::AppendCommand(arguments, &bytes_));
  size_t answered = 0;
  absl::Status status =
      channel_.Exchange(bytes_, std::span(reply, 1), CommandDeadline(), &answered);
  for (int i = 0; status.ok() && slot_.has_value() && reply->is_error(); ++i) {
    const auto redirection = clients::ParseRedirection(reply->text(), node_);
    if (!redirection.has_value() || i == kMostRedirections) break;
    status = Follow(*redirection, reply);
  }
  if (!status.ok()) Close();
  return status;
}

}  // namespace bench::remote_watch
