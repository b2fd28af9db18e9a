#include "clients/slot_map.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "absl/status/status.h"
#include "clients/errors.h"
#include "kv/base/status.h"

namespace clients {
namespace {

absl::Status Malformed(std::string_view what) {
  return absl::InternalError(kv::ToAbsl(std::string("CLUSTER SLOTS: ").append(what)));
}

absl::StatusOr<uint16_t> SlotIn(ReplyView reply) {
  KV_ASSIGN_OR_RETURN(const int64_t slot, ExpectInteger(reply));
  if (slot < 0 || slot >= kSlots) return Malformed("there is no such slot");
  return static_cast<uint16_t>(slot);
}

absl::StatusOr<HostPort> NodeIn(ReplyView reply, const HostPort& asked) {
  KV_RETURN_IF_ERROR(ExpectArray(reply));
  if (reply.size() < 2) return Malformed("a node without a host and a port");
  KV_ASSIGN_OR_RETURN(const auto host, ExpectOptionalString(reply[0]));
  KV_ASSIGN_OR_RETURN(const int64_t port, ExpectInteger(reply[1]));
  if (port <= 0 || port > std::numeric_limits<uint16_t>::max()) return Malformed("no such port");
  const bool named = host.has_value() && !host->empty();
  return HostPort{named ? std::string(*host) : asked.host, static_cast<uint16_t>(port)};
}

template <typename Number>
bool ParseAll(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
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
