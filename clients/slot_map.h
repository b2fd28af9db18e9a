// Which node of a cluster serves which slot, as a node says in answer to CLUSTER SLOTS; and where
// an error reply sends a command instead.
//
//   [[first slot, last slot, [host, port, ...] of the primary, replicas...], ...]
//   MOVED <slot> <host>:<port>     from now on there
//   ASK <slot> <host>:<port>       this once there, behind an ASKING
//
// A host that is empty or null is the one that was asked: a node does not always know its own name.
//
// Errors: kInternal, of a reply that is not of this form.
// Thread safety: a const SlotMap may be read by any thread.
// Complexity: a look-up is two loads; a map takes 32 KiB.
#ifndef CLIENTS_SLOT_MAP_H_
#define CLIENTS_SLOT_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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

  static absl::StatusOr<SlotMap> Parse(ReplyView reply, const HostPort& asked);

  // Null: no node is known to serve the slot.
  const HostPort* OwnerOf(uint16_t slot) const {
    return owners_[slot] == kNobody ? nullptr : &nodes_[owners_[slot]];
  }
  void SetOwner(uint16_t slot, const HostPort& node);

  // All nodes named, replicas too.
  const std::vector<HostPort>& nodes() const { return nodes_; }

 private:
  static constexpr uint16_t kNobody = 0xffff;

  // Its place in nodes_, where it may have to be put first.
  uint16_t PlaceOf(const HostPort& node);

  std::vector<HostPort> nodes_;
  std::array<uint16_t, kSlots> owners_;  // places in nodes_
};

struct Redirection {
  bool ask = false;  // ASK, not MOVED
  uint16_t slot = 0;
  HostPort node;
};

// nullopt: the error is another one, or names no node.
std::optional<Redirection> ParseRedirection(std::string_view error, const HostPort& asked);

}  // namespace clients

#endif  // CLIENTS_SLOT_MAP_H_
