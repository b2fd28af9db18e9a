#include "clients/slot_map.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "absl/status/status.h"
#include "clients/errors.h"
#include "kv/base/status.h"

namespace clients {
namespace {

constexpr std::string_view kAskShards = "*2\r\n$7\r\nCLUSTER\r\n$6\r\nSHARDS\r\n";
constexpr std::string_view kAskSlots = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";

absl::Status Malformed(std::string_view what) {
  return absl::InternalError(
      kv::ToAbsl(std::string("the map of the cluster's slots: ").append(what)));
}

template <typename Number>
bool ParseAll(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// An integer, or its digits: releases differ in how they send the slots of a shard.
absl::StatusOr<int64_t> NumberIn(ReplyView reply) {
  if (reply.type() != ReplyType::kString) return ExpectInteger(reply);
  int64_t number = 0;
  if (!ParseAll(reply.text(), &number)) return Malformed("no number where one has to be");
  return number;
}

absl::StatusOr<uint16_t> SlotIn(ReplyView reply) {
  KV_ASSIGN_OR_RETURN(const int64_t slot, NumberIn(reply));
  if (slot < 0 || slot >= kSlots) return Malformed("there is no such slot");
  return static_cast<uint16_t>(slot);
}

absl::StatusOr<uint16_t> PortIn(ReplyView reply) {
  KV_ASSIGN_OR_RETURN(const int64_t port, ExpectInteger(reply));
  if (port <= 0 || port > std::numeric_limits<uint16_t>::max()) return Malformed("no such port");
  return static_cast<uint16_t>(port);
}

absl::StatusOr<HostPort> NodeIn(ReplyView reply, const HostPort& asked) {
  KV_RETURN_IF_ERROR(ExpectArray(reply));
  if (reply.size() < 2) return Malformed("a node without a host and a port");
  KV_ASSIGN_OR_RETURN(const auto host, ExpectOptionalString(reply[0]));
  KV_ASSIGN_OR_RETURN(const uint16_t port, PortIn(reply[1]));
  const bool named = host.has_value() && !host->empty();
  return HostPort{named ? std::string(*host) : asked.host, port};
}

// The value of `name` in a map, which is an array of names and values. nullopt: it has none.
absl::StatusOr<std::optional<ReplyView>> Find(ReplyView map, std::string_view name) {
  KV_RETURN_IF_ERROR(ExpectArray(map));
  if (map.size() % 2 != 0) return Malformed("a name without a value");
  for (size_t i = 0; i < map.size(); i += 2) {
    KV_ASSIGN_OR_RETURN(const std::string_view key, ExpectString(map[i]));
    if (key == name) return map[i + 1];
  }
  return std::nullopt;
}

absl::StatusOr<ReplyView> FindArray(ReplyView map, std::string_view name) {
  KV_ASSIGN_OR_RETURN(const auto value, Find(map, name));
  if (!value.has_value()) return Malformed(std::string("no ").append(name));
  KV_RETURN_IF_ERROR(ExpectArray(*value));
  return *value;
}

// Empty: it is not there, or null.
absl::StatusOr<std::string> FindText(ReplyView map, std::string_view name) {
  KV_ASSIGN_OR_RETURN(const auto value, Find(map, name));
  if (!value.has_value()) return std::string();
  KV_ASSIGN_OR_RETURN(const auto text, ExpectOptionalString(*value));
  return std::string(text.value_or(""));
}

// A node of a shard.
struct ShardNode {
  std::optional<HostPort> address;  // nullopt: none for this transport
  bool primary = false;
  bool failed = false;
};

absl::StatusOr<ShardNode> ShardNodeIn(ReplyView reply, const HostPort& asked, bool tls) {
  ShardNode node;
  KV_ASSIGN_OR_RETURN(const std::string role, FindText(reply, "role"));
  KV_ASSIGN_OR_RETURN(const std::string health, FindText(reply, "health"));
  KV_ASSIGN_OR_RETURN(std::string host, FindText(reply, "endpoint"));
  KV_ASSIGN_OR_RETURN(const auto port, Find(reply, tls ? "tls-port" : "port"));
  if (role.empty()) return Malformed("a node without a role");
  node.primary = role == "master" || role == "primary";
  node.failed = health.starts_with("fail");  // "failed" in the manual, "fail" in the source
  if (!port.has_value()) return node;
  // A node that prefers a name and has none says "?".
  if (host == "?") {
    KV_ASSIGN_OR_RETURN(host, FindText(reply, "ip"));
  }
  KV_ASSIGN_OR_RETURN(const uint16_t number, PortIn(*port));
  node.address = HostPort{host.empty() ? asked.host : host, number};
  return node;
}

}  // namespace

uint16_t SlotMap::PlaceOf(const HostPort& node) {
  const auto found = std::find(nodes_.begin(), nodes_.end(), node);
  if (found != nodes_.end()) return static_cast<uint16_t>(found - nodes_.begin());
  nodes_.push_back(node);
  return static_cast<uint16_t>(nodes_.size() - 1);
}

void SlotMap::SetOwner(uint16_t slot, const HostPort& node) { owners_[slot] = PlaceOf(node); }

absl::StatusOr<SlotMap> SlotMap::Parse(ReplyView reply, const HostPort& asked) {
  SlotMap map;
  KV_RETURN_IF_ERROR(ExpectArray(reply));
  for (size_t i = 0; i < reply.size(); ++i) {
    const ReplyView range = reply[i];
    KV_RETURN_IF_ERROR(ExpectArray(range));
    if (range.size() < 3) return Malformed("slots without a primary");
    KV_ASSIGN_OR_RETURN(const uint16_t first, SlotIn(range[0]));
    KV_ASSIGN_OR_RETURN(const uint16_t last, SlotIn(range[1]));
    KV_ASSIGN_OR_RETURN(const HostPort primary, NodeIn(range[2], asked));
    if (first > last) return Malformed("a range that ends before it begins");
    const uint16_t place = map.PlaceOf(primary);
    std::fill(map.owners_.begin() + first, map.owners_.begin() + last + 1, place);
    for (size_t replica = 3; replica < range.size(); ++replica) {
      KV_ASSIGN_OR_RETURN(const HostPort node, NodeIn(range[replica], asked));
      map.PlaceOf(node);
    }
    // Places are 16 bits, and a cluster has some thousand nodes at most.
    if (map.nodes_.size() >= kSlots) return Malformed("more nodes than slots");
  }
  return map;
}

absl::Status SlotMap::AddShard(ReplyView shard, const HostPort& asked, bool tls) {
  KV_ASSIGN_OR_RETURN(const ReplyView slots, FindArray(shard, "slots"));
  KV_ASSIGN_OR_RETURN(const ReplyView nodes, FindArray(shard, "nodes"));
  if (slots.size() % 2 != 0) return Malformed("a range of slots without an end");
  std::optional<uint16_t> owner;
  for (size_t i = 0; i < nodes.size(); ++i) {
    KV_ASSIGN_OR_RETURN(const ShardNode node, ShardNodeIn(nodes[i], asked, tls));
    if (node.failed || !node.address.has_value()) continue;
    const uint16_t place = PlaceOf(*node.address);
    if (node.primary && !owner.has_value()) owner = place;
  }
  for (size_t i = 0; i < slots.size(); i += 2) {
    KV_ASSIGN_OR_RETURN(const uint16_t first, SlotIn(slots[i]));
    KV_ASSIGN_OR_RETURN(const uint16_t last, SlotIn(slots[i + 1]));
    if (first > last) return Malformed("a range that ends before it begins");
    if (owner.has_value()) std::fill(owners_.begin() + first, owners_.begin() + last + 1, *owner);
  }
  return absl::OkStatus();
}

absl::StatusOr<SlotMap> SlotMap::ParseShards(ReplyView reply, const HostPort& asked, bool tls) {
  SlotMap map;
  KV_RETURN_IF_ERROR(ExpectArray(reply));
  for (size_t i = 0; i < reply.size(); ++i) {
    KV_RETURN_IF_ERROR(map.AddShard(reply[i], asked, tls));
    if (map.nodes_.size() >= kSlots) return Malformed("more nodes than slots");
  }
  return map;
}

bool SlotMap::ServesAny() const {
  return std::any_of(owners_.begin(), owners_.end(),
                     [](uint16_t owner) { return owner != kNobody; });
}

absl::StatusOr<SlotMap> AskForSlots(const ExchangeCommands& exchange, const HostPort& asked,
                                    bool tls) {
  Reply reply;
  KV_RETURN_IF_ERROR(exchange(kAskShards, std::span(&reply, 1)));
  if (!reply.is_error()) return SlotMap::ParseShards(reply.root(), asked, tls);
  KV_RETURN_IF_ERROR(exchange(kAskSlots, std::span(&reply, 1)));
  if (reply.is_error()) return ErrorStatus(ToString(asked), reply.text());
  return SlotMap::Parse(reply.root(), asked);
}

std::optional<Redirection> ParseRedirection(std::string_view error, const HostPort& asked) {
  const ErrorKind kind = KindOf(error);
  if (kind != ErrorKind::kMoved && kind != ErrorKind::kAsk) return std::nullopt;
  Redirection redirection{.ask = kind == ErrorKind::kAsk};
  const size_t slot_at = std::min(error.find(' '), error.size() - 1) + 1;
  const size_t node_at = error.find(' ', slot_at);
  const size_t colon = error.rfind(':');
  if (node_at == std::string_view::npos || colon == std::string_view::npos || colon < node_at) {
    return std::nullopt;
  }
  const std::string_view host = error.substr(node_at + 1, colon - node_at - 1);
  redirection.node.host = host.empty() ? asked.host : std::string(host);
  if (!ParseAll(error.substr(slot_at, node_at - slot_at), &redirection.slot) ||
      !ParseAll(error.substr(colon + 1), &redirection.node.port) || redirection.slot >= kSlots ||
      redirection.node.port == 0) {
    return std::nullopt;
  }
  return redirection;
}

}  // namespace clients
