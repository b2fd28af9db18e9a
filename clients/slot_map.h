// Which node of a cluster serves which slot, as a node says in answer to CLUSTER SHARDS or CLUSTER
// SLOTS; and where an error reply sends a command instead.
//
//   CLUSTER SHARDS (Redis 7), where each map is an array of names and values:
//     [{slots: [first, last, first, last, ...],
//       nodes: [{id, port, tls-port, ip, endpoint, hostname, role, health, ...}, ...]}, ...]
//   CLUSTER SLOTS:
//     [[first slot, last slot, [host, port, ...] of the primary, replicas...], ...]
//   MOVED <slot> <host>:<port>     from now on there
//   ASK <slot> <host>:<port>       this once there, behind an ASKING
//
// A host that is empty or null is the one that was asked: a node does not always know its own name.
// SHARDS says of each node whether it has failed, by the account of the one that was asked. Such a
// node is left out: it is not asked, and owns nothing, so that a command waits for the replica that
// takes over and not for the dead.
//
// Errors: kInternal, of a reply that is not of this form.
// Thread safety: a const SlotMap may be read by any thread.
// Complexity: a look-up is two loads; a map takes 32 KiB.
// Source: the pages of CLUSTER SHARDS and CLUSTER SLOTS; Redis 7, cluster.c.
#ifndef CLIENTS_SLOT_MAP_H_
#define CLIENTS_SLOT_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/reply.h"
#include "clients/slot.h"
#include "clients/url.h"

namespace clients {

class SlotMap {
 public:
  SlotMap() { owners_.fill(kNobody); }

  // Of CLUSTER SLOTS.
  static absl::StatusOr<SlotMap> Parse(ReplyView reply, const HostPort& asked);
  // Of CLUSTER SHARDS. `tls` says which of a node's ports counts; a node without it is left out.
  static absl::StatusOr<SlotMap> ParseShards(ReplyView reply, const HostPort& asked, bool tls);

  // Null: no node is known to serve the slot.
  const HostPort* OwnerOf(uint16_t slot) const {
    return owners_[slot] == kNobody ? nullptr : &nodes_[owners_[slot]];
  }
  void SetOwner(uint16_t slot, const HostPort& node);

  // Whether any slot has an owner: a node that is alone knows itself, but of no slots.
  bool ServesAny() const;

  // All nodes named, replicas too.
  const std::vector<HostPort>& nodes() const { return nodes_; }

 private:
  static constexpr uint16_t kNobody = 0xffff;

  // Its place in nodes_, where it may have to be put first.
  uint16_t PlaceOf(const HostPort& node);
  absl::Status AddShard(ReplyView shard, const HostPort& asked, bool tls);

  std::vector<HostPort> nodes_;
  std::array<uint16_t, kSlots> owners_;  // places in nodes_
};

// Sends formatted commands and reads a reply to each; error replies are replies.
using ExchangeCommands = std::function<absl::Status(std::string_view, std::span<Reply>)>;

// Asks a node, by its connection, for the map: by SHARDS, and by SLOTS where the server refuses
// that, being older or allowing it to others only. Errors: those of `exchange` and errors.h.
absl::StatusOr<SlotMap> AskForSlots(const ExchangeCommands& exchange, const HostPort& asked,
                                    bool tls);

struct Redirection {
  bool ask = false;  // ASK, not MOVED
  uint16_t slot = 0;
  HostPort node;
};

// nullopt: the error is another one, or names no node.
std::optional<Redirection> ParseRedirection(std::string_view error, const HostPort& asked);

}  // namespace clients

#endif  // CLIENTS_SLOT_MAP_H_
