#include "bench/remote/drive/links.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace bench::remote {
namespace {

// As the cluster client does (clients/cluster.cc): a circle is told soon.
constexpr uint8_t kMostRedirections = 16;
constexpr auto kBetweenMaps = std::chrono::milliseconds(50);

Routes MakeRoutes(const DrivePlan& plan, const DriveTarget& target, int thread) {
  const auto pipeline = static_cast<size_t>(plan.pipeline);
  const uint64_t seed = static_cast<uint64_t>(thread) << 32;
  return target.slots.has_value() ? Routes(pipeline, plan.server.backoff, seed, *target.slots)
                                  : Routes(pipeline, plan.server.backoff, seed);
}

}  // namespace

Links::Links(const DrivePlan& plan, const DriveTarget& target, int thread)
    : target_(target), routes_(MakeRoutes(plan, target, thread)) {
  routes_.AddLinks(ShareOf(static_cast<uint64_t>(plan.connections), thread, plan.threads));
}

absl::StatusOr<clients::Channel> Links::Dial(size_t number) {
  const auto& address = routes_.node_of(routes_.link(number)).address;
  return address.has_value() ? target_.dialer->Dial(*address) : target_.dialer->Dial();
}

Dialing& Links::dialing() {
  if (dialing_ == nullptr) dialing_ = std::make_unique<Dialing>(target_.dialer);
  return *dialing_;
}

void Links::Redial(size_t number, clients::Deadline not_before) {
  Link& link = routes_.link(number);
  link.is_dialling = true;
  ++dialling_;
  dialing().Dial(number, link.node, routes_.node_of(link).address, not_before);
}

void Links::AskForMap(clients::Deadline now) {
  if (!routes_.is_cluster() || is_asking_) return;
  is_asking_ = true;
  std::vector<clients::HostPort> nodes = routes_.addresses();
  // Beginning with another one each time: one that is gone may take long to say nothing.
  std::rotate(nodes.begin(), nodes.begin() + static_cast<ptrdiff_t>(turn_++ % nodes.size()),
              nodes.end());
  for (const clients::HostPort& node : target_.dialer->options().url.hosts) {
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  dialing().AskForMap(std::move(nodes), std::max(now, asked_at_ + kBetweenMaps));
}

void Links::Spread(clients::Deadline now) {
  for (const size_t number : routes_.Spread()) {
    routes_.link(number).lost_at = now;
    Redial(number, now);
  }
  for (size_t number = 0; number < routes_.size(); ++number) {
    const Link& link = routes_.link(number);
    // One that was given up because nothing was left to be sent.
    if (link.is_open || link.is_dialling || routes_.node_of(link).parked.empty()) continue;
    Redial(number, now);
  }
}

absl::Status Links::Lost(size_t number, const absl::Status& why, bool wanted,
                         clients::Deadline now) {
  Link& link = routes_.link(number);
  if (link.answered || !link.was_lost) {
    link.backoff.Reset();
    link.lost_at = now;
  } else if (now - link.lost_at >= target_.dialer->options().reconnect_for) {
    return why;
  }
  const bool at_once = link.answered || !link.was_lost;
  link.was_lost = true;
  if (!wanted) return absl::OkStatus();
  Redial(number, at_once ? now : now + link.backoff.Next());
  AskForMap(now);
  return absl::OkStatus();
}

std::optional<size_t> Links::Redirect(const Link& link, std::string_view error,
                                      clients::Deadline now) {
  const Flight& flight = link.flights.front();
  const auto redirection = clients::ParseRedirection(error, *routes_.node_of(link).address);
  if (!redirection.has_value() || flight.redirections >= kMostRedirections) return std::nullopt;
  ParkedCommand command{.flight = flight,
                        .command = std::string(link.flights.front_command()),
                        .ask = redirection->ask};
  ++command.flight.redirections;
  const size_t node = redirection->ask ? routes_.NodeAt(redirection->node)
                                       : routes_.SetOwner(redirection->slot, redirection->node);
  routes_.Park(node, std::move(command));
  if (!redirection->ask) AskForMap(now);
  Spread(now);
  return node;
}

absl::Status Links::Take(bool wanted, clients::Deadline now, std::vector<Ready>* ready) {
  std::vector<Dialing::Outcome> dialled = dialing_->TakeDialled();
  // The map first: it may give a connection that was dialled to another node.
  if (auto map = dialing_->TakeMap(); map.has_value()) {
    is_asking_ = false;
    asked_at_ = now;
    // Where nobody can be asked, dialling finds out what is the matter.
    if (map->ok()) {
      routes_.SetMap(**map);
      Spread(now);
    }
  }
  absl::Status failure;
  for (Dialing::Outcome& outcome : dialled) {
    Link& link = routes_.link(outcome.link);
    link.is_dialling = false;
    --dialling_;
    const absl::Status& status = outcome.channel.status();
    if (outcome.node != link.node) {
      Redial(outcome.link, now);  // it was given to another node meanwhile
    } else if (status.ok()) {
      ready->push_back({outcome.link, *std::move(outcome.channel)});
    } else if (!wanted && routes_.node_of(link).parked.empty()) {
      continue;
    } else if (clients::MayHeal(status) &&
               now - link.lost_at < target_.dialer->options().reconnect_for) {
      Redial(outcome.link, now + link.backoff.Next());
      AskForMap(now);
    } else {
      failure = status;
    }
  }
  return failure;
}

}  // namespace bench::remote
