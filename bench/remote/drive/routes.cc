#include "bench/remote/drive/routes.h"

#include <algorithm>
#include <cassert>

namespace bench::remote {

Routes::Routes(size_t pipeline, const clients::BackoffOptions& backoff, uint64_t seed)
    : pipeline_(pipeline), backoff_(backoff), seed_(seed), is_cluster_(false) {
  nodes_.emplace_back();
  nodes_[0].serves = true;
}

Routes::Routes(size_t pipeline, const clients::BackoffOptions& backoff, uint64_t seed,
               const clients::SlotMap& map)
    : pipeline_(pipeline), backoff_(backoff), seed_(seed), is_cluster_(true) {
  SetMap(map);
}

void Routes::AddLink(size_t node) {
  nodes_[node].links.push_back(links_.size());
  links_.push_back(std::make_unique<Link>(node, is_cluster_, backoff_, seed_++));
}

void Routes::AddLinks(size_t count) {
  for (size_t i = 0; i < count; ++i) AddLink(Poorest());
}

size_t Routes::Poorest() const {
  size_t poorest = kNobody;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!IsNeeded(nodes_[i])) continue;
    if (poorest == kNobody || nodes_[i].links.size() < nodes_[poorest].links.size()) poorest = i;
  }
  return poorest;
}

size_t Routes::serving_nodes() const {
  return static_cast<size_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.serves; }));
}

std::vector<clients::HostPort> Routes::addresses() const {
  std::vector<clients::HostPort> addresses;
  for (const Node& node : nodes_) {
    if (node.address.has_value()) addresses.push_back(*node.address);
  }
  return addresses;
}

void Routes::Opened(Link& link) {
  assert(!link.is_open && link.in_flight == 0 && link.flights.empty());
  link.is_open = true;
  link.answered = false;
  nodes_[link.node].room += pipeline_;
  ++open_;
}

void Routes::Closed(Link& link) {
  assert(link.is_open);
  link.is_open = false;
  nodes_[link.node].room -= pipeline_ - link.in_flight;
  outstanding_ -= link.in_flight;
  link.in_flight = 0;
  --open_;
  while (!link.flights.empty()) link.flights.Pop();
}

size_t Routes::NodeAt(const clients::HostPort& address) {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const Node& node) { return node.address == address; });
  if (found != nodes_.end()) return static_cast<size_t>(found - nodes_.begin());
  nodes_.emplace_back();
  nodes_.back().address = address;
  return nodes_.size() - 1;
}

size_t Routes::NodeOf(uint16_t slot) {
  if (!is_cluster_) return 0;
  if (slot != kAnySlot) return owners_[slot];
  size_t serving = 0;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    turn_ = turn_ + 1 < nodes_.size() ? turn_ + 1 : 0;
    if (!nodes_[turn_].serves) continue;
    if (nodes_[turn_].room > 0) return turn_;
    serving = turn_;
  }
  return serving;
}

size_t Routes::SetOwner(uint16_t slot, const clients::HostPort& address) {
  const size_t node = NodeAt(address);
  owners_[slot] = static_cast<uint16_t>(node);
  nodes_[node].serves = true;
  return node;
}

void Routes::SetMap(const clients::SlotMap& map) {
  for (Node& node : nodes_) node.serves = false;
  // Slots come in ranges, so the owner is mostly that of the slot before.
  const clients::HostPort* last = nullptr;
  size_t node_of_last = 0;
  for (size_t slot = 0; slot < clients::kSlots; ++slot) {
    const clients::HostPort* const owner = map.OwnerOf(static_cast<uint16_t>(slot));
    if (owner == nullptr) continue;
    if (owner != last) node_of_last = SetOwner(static_cast<uint16_t>(slot), *owner);
    owners_[slot] = static_cast<uint16_t>(node_of_last);
    last = owner;
  }
  // A slot that nobody serves stays with a node, which answers what is the matter.
  const auto somebody =
      std::find_if(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.serves; });
  if (somebody == nodes_.end()) return;
  for (uint16_t& owner : owners_) {
    if (!nodes_[owner].serves) owner = static_cast<uint16_t>(somebody - nodes_.begin());
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].serves) continue;
    // An ASK goes where it was sent, whoever serves the slot.
    for (size_t left = nodes_[i].parked.size(); left > 0; --left) {
      ParkedCommand command = Unpark(i);
      const size_t node = command.ask ? i : NodeOf(command.flight.slot);
      Park(node, std::move(command));
    }
  }
}

void Routes::Move(size_t link, size_t node) {
  std::vector<size_t>& links = nodes_[links_[link]->node].links;
  links.erase(std::find(links.begin(), links.end(), link));
  nodes_[node].links.push_back(link);
  links_[link]->node = node;
}

std::vector<size_t> Routes::Spread() {
  for (size_t i = 0; i < links_.size(); ++i) {
    if (links_[i]->is_open || IsNeeded(node_of(*links_[i]))) continue;
    if (const size_t node = Poorest(); node != kNobody) Move(i, node);
  }
  std::vector<size_t> added;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!IsNeeded(nodes_[i]) || !nodes_[i].links.empty()) continue;
    added.push_back(links_.size());
    AddLink(i);
  }
  return added;
}

}  // namespace bench::remote
