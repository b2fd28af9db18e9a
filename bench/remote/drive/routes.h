// Which connection a request goes to: the connections of one thread, with what is in flight on
// each, spread over the nodes that serve a cluster's slots, or all to the one server.
//
// A connection has room while fewer than `pipeline` requests are in flight on it. What finds no
// room at the node that serves its slot is parked there; each node's parked commands go out first.
//
// Invariants:
//   1. node.room is the sum, over its open connections, of pipeline - in_flight.
//   2. A node that serves slots has a connection, open or being dialled, once Spread has been
//      called after the map changed.
//
// Thread safety: none. Complexity: Pick is constant where any connection has room, since the
// search goes on where it ended; the map costs its 16384 slots when it changes.
#ifndef BENCH_REMOTE_DRIVE_ROUTES_H_
#define BENCH_REMOTE_DRIVE_ROUTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/remote/drive/flights.h"
#include "clients/backoff.h"
#include "clients/deadline.h"
#include "clients/slot_map.h"
#include "clients/url.h"

namespace bench::remote {

inline constexpr size_t kNobody = std::numeric_limits<size_t>::max();

// One connection, by the number that its event loop gave it.
struct Link {
  Link(size_t its_node, bool keeps_commands, const clients::BackoffOptions& options, uint64_t seed)
      : node(its_node), flights(keeps_commands), backoff(options, seed) {}

  size_t node;
  size_t in_flight = 0;  // requests; an ASKING is none
  FlightQueue flights;
  bool is_open = false;
  bool is_dialling = false;
  bool answered = false;  // since it was opened
  bool was_lost = false;  // at lost_at; what came after the last reply before that counts as one
  clients::Deadline lost_at;
  clients::Backoff backoff;
};

struct ParkedCommand {
  Flight flight;
  std::string command;
  bool ask = false;  // an ASKING goes in front of it
};

struct Node {
  std::optional<clients::HostPort> address;  // nullopt: the server of the URL
  std::vector<size_t> links;
  size_t turn = 0;  // of links
  size_t room = 0;
  bool serves = false;  // slots
  std::deque<ParkedCommand> parked;
};

class Routes {
 public:
  // To one server.
  Routes(size_t pipeline, const clients::BackoffOptions& backoff, uint64_t seed);
  // To the nodes of a cluster.
  Routes(size_t pipeline, const clients::BackoffOptions& backoff, uint64_t seed,
         const clients::SlotMap& map);

  bool is_cluster() const { return is_cluster_; }

  // `count` connections, dealt out to the nodes that serve.
  void AddLinks(size_t count);
  size_t size() const { return links_.size(); }
  size_t nodes() const { return nodes_.size(); }
  Link& link(size_t number) { return *links_[number]; }
  Node& node(size_t number) { return nodes_[number]; }
  Node& node_of(const Link& link) { return nodes_[link.node]; }
  size_t serving_nodes() const;
  std::vector<clients::HostPort> addresses() const;

  // A connection of the node that has room; kNobody: none has.
  size_t Pick(size_t node) {
    Node& there = nodes_[node];
    if (there.room == 0) return kNobody;
    while (true) {
      there.turn = there.turn + 1 < there.links.size() ? there.turn + 1 : 0;
      const Link& link = *links_[there.links[there.turn]];
      if (link.is_open && link.in_flight < pipeline_) return there.links[there.turn];
    }
  }
  bool HasRoom(const Link& link) const { return link.in_flight < pipeline_; }

  void Opened(Link& link);
  void Closed(Link& link);
  void Sent(Link& link) {
    ++link.in_flight;
    --nodes_[link.node].room;
    ++outstanding_;
  }
  void Answered(Link& link) {
    link.answered = true;
    --link.in_flight;
    ++nodes_[link.node].room;
    --outstanding_;
  }

  // Sent or parked.
  size_t outstanding() const { return outstanding_ + parked_; }
  size_t parked() const { return parked_; }
  // How many requests all open connections together take.
  size_t capacity() const { return open_ * pipeline_; }

  // --- Of a cluster

  // The node that serves the slot; for kAnySlot the next one in turn, with room where any has.
  size_t NodeOf(uint16_t slot);
  // What a MOVED said. Returns the node.
  size_t SetOwner(uint16_t slot, const clients::HostPort& address);
  size_t NodeAt(const clients::HostPort& address);  // adds it
  // A new map. What is parked follows its slot.
  void SetMap(const clients::SlotMap& map);
  // Gives each node that is needed a connection: the lost ones of nodes that are not, and new
  // ones. Returns the new ones, which are to be dialled.
  std::vector<size_t> Spread();

  void Park(size_t node, ParkedCommand command) {
    nodes_[node].parked.push_back(std::move(command));
    ++parked_;
  }
  ParkedCommand Unpark(size_t node) {
    ParkedCommand command = std::move(nodes_[node].parked.front());
    nodes_[node].parked.pop_front();
    --parked_;
    return command;
  }

 private:
  void AddLink(size_t node);
  void Move(size_t link, size_t node);
  // The node that serves with the fewest connections.
  size_t Poorest() const;
  bool IsNeeded(const Node& node) const { return node.serves || !node.parked.empty(); }

  const size_t pipeline_;
  const clients::BackoffOptions backoff_;
  uint64_t seed_;
  const bool is_cluster_;
  std::vector<Node> nodes_;
  // Pointers, since one may be added while another is in use.
  std::vector<std::unique_ptr<Link>> links_;
  std::array<uint16_t, clients::kSlots> owners_{};  // places in nodes_
  size_t turn_ = 0;                                 // of nodes_
  size_t outstanding_ = 0;
  size_t parked_ = 0;
  size_t open_ = 0;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_ROUTES_H_
