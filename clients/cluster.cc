#include "clients/cluster.h"

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <thread>

#include "clients/backoff.h"
#include "clients/connection.h"
#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

// More than any move of slots needs, and few enough that a circle is told soon.
constexpr int kMostRedirections = 16;

// By how much a node has less time to say where the slots are, while others may be asked as well.
constexpr int kHaste = 8;

constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";

// Errors of a node that has not run the command, and may do so later, or whose successor may.
bool IsPassing(std::string_view error) {
  const ErrorKind kind = KindOf(error);
  return kind == ErrorKind::kLoading || kind == ErrorKind::kUnavailable ||
         kind == ErrorKind::kReadOnly;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Create(const ConnectOptions& options,
                                                         size_t connections) {
  if (options.url.hosts.empty()) return kv::Invalid("a cluster is reached by hosts");
  if (connections == 0) return kv::Invalid("a cluster needs a connection for each node");
  ConnectOptions once = options;
  once.reconnect_for = Nanoseconds(0);
  KV_ASSIGN_OR_RETURN(auto dialer, Dialer::Create(once));
  once.connect_timeout = std::max(options.connect_timeout / kHaste, Nanoseconds(1));
  once.command_timeout = std::max(options.command_timeout / kHaste, Nanoseconds(1));
  KV_ASSIGN_OR_RETURN(auto hasty, Dialer::Create(once));
  std::unique_ptr<Cluster> cluster(
      new Cluster(std::move(dialer), std::move(hasty), options.reconnect_for, connections));
  KV_RETURN_IF_ERROR(cluster->Refresh());
  return cluster;
}

Pool* Cluster::PoolOf(const HostPort& node) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Pool>& pool = pools_[{node.host, node.port}];
  if (pool == nullptr) pool = std::make_unique<Pool>(dialer_, node, connections_);
  return pool.get();
}

std::vector<HostPort> Cluster::NodesToAsk() {
  const std::lock_guard lock(mutex_);
  std::vector<HostPort> nodes = map_.nodes();
  if (!nodes.empty()) {
    std::rotate(nodes.begin(), nodes.begin() + static_cast<ptrdiff_t>(turn_++ % nodes.size()),
                nodes.end());
  }
  for (const HostPort& node : dialer_->options().url.hosts) {
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

absl::Status Cluster::RefreshFrom(const std::shared_ptr<const Dialer>& dialer,
                                  const HostPort& node) {
  // Not from the pool, whose connections may all be waiting for what does not come.
  KV_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dialer, node));
  const auto exchange = [&](std::string_view commands, std::span<Reply> replies) {
    size_t answered = 0;
    return connection.Exchange(commands, replies, &answered);
  };
  auto map = AskForSlots(exchange, node, dialer->options().url.tls);
  if (absl::IsInternal(map.status())) return At(ToString(node), map.status());
  KV_RETURN_IF_ERROR(map.status());
  // A node that has just started, or was thrown out, knows of no slots; another one may.
  if (!map->ServesAny()) return Lost(ToString(node), "it knows of no slots of the cluster");
  const std::lock_guard lock(mutex_);
  map_ = *std::move(map);
  ++refreshes_;
  return absl::OkStatus();
}

absl::Status Cluster::Refresh() {
  const uint64_t before = refreshes();
  const std::lock_guard one_at_a_time(refreshing_);
  // Somebody else has done it while this thread waited.
  if (refreshes() != before) return absl::OkStatus();
  absl::Status last;
  std::vector<HostPort> nodes = NodesToAsk();
  for (const auto& dialer : {hasty_, dialer_}) {
    std::vector<HostPort> late;
    for (const HostPort& node : nodes) {
      last = RefreshFrom(dialer, node);
      if (last.ok()) return last;
      if (absl::IsDeadlineExceeded(last)) late.push_back(node);
    }
    nodes = std::move(late);
  }
  return last;
}

void Cluster::Follow(const Redirection& redirection) {
  const std::lock_guard lock(mutex_);
  ++redirections_;
  if (!redirection.ask) map_.SetOwner(redirection.slot, redirection.node);
}

Cluster::Try Cluster::RunOn(const HostPort& node, std::string_view commands, size_t count,
                            Reply* reply) {
  auto lease = PoolOf(node)->Take();
  if (!lease.ok()) return {Try::Outcome::kNotSent, lease.status()};
  std::array<Reply, 2> replies;
  std::swap(replies[count - 1], *reply);
  size_t answered = 0;
  const absl::Status status =
      (*lease)->Exchange(commands, std::span(replies).first(count), &answered);
  std::swap(replies[count - 1], *reply);
  if (!status.ok()) return {Try::Outcome::kLost, status};
  return {Try::Outcome::kAnswered, absl::OkStatus()};
}

absl::StatusOr<Reply> Cluster::Run(std::string_view key, Arguments arguments, Repeat repeat) {
  std::string command;
  KV_RETURN_IF_ERROR(AppendCommand(arguments, &command));
  const Deadline give_up = After(give_up_after_);
  Backoff backoff(dialer_->options().backoff, std::random_device()());
  Reply reply;
  std::optional<Redirection> redirected;  // for the next try only
  int redirections = 0;
  while (true) {
    const auto owner = redirected.has_value() ? std::optional(redirected->node) : NodeOf(key);
    absl::Status failure;
    if (!owner.has_value()) {
      failure = Lost(Redacted(dialer_->options().url),
                     fmt::format("no node serves slot {}", SlotOf(key)));
    } else {
      const bool asking = redirected.has_value() && redirected->ask;
      redirected.reset();
      const Try result = asking ? RunOn(*owner, std::string(kAsking) + command, 2, &reply)
                                : RunOn(*owner, command, 1, &reply);
      if (result.outcome == Try::Outcome::kAnswered) {
        if (!reply.is_error()) return reply;
        failure = ErrorStatus(ToString(*owner), reply.text());
        redirected = ParseRedirection(reply.text(), *owner);
        if (redirected.has_value()) {
          if (++redirections > kMostRedirections) {
            return At(fmt::format("{} redirections", redirections), failure);
          }
          Follow(*redirected);
          continue;
        }
        if (!IsPassing(reply.text())) return failure;
      } else {
        failure = result.status;
        const bool may_repeat =
            result.outcome == Try::Outcome::kNotSent || repeat == Repeat::kSafely;
        if (!MayHeal(failure) || !may_repeat) {
          // The next command shall not meet the same.
          static_cast<void>(Refresh());
          return failure;
        }
      }
    }
    const Nanoseconds wait = backoff.Next();
    if (Now() + wait >= give_up) return failure;
    std::this_thread::sleep_for(wait);
    // Where nobody can be asked, the next try finds out what is the matter.
    static_cast<void>(Refresh());
    redirections = 0;
  }
}

std::optional<HostPort> Cluster::NodeOf(std::string_view key) const {
  const uint16_t slot = SlotOf(key);
  const std::lock_guard lock(mutex_);
  const HostPort* const owner = map_.OwnerOf(slot);
  return owner == nullptr ? std::nullopt : std::optional(*owner);
}

uint64_t Cluster::refreshes() const {
  const std::lock_guard lock(mutex_);
  return refreshes_;
}

uint64_t Cluster::redirections() const {
  const std::lock_guard lock(mutex_);
  return redirections_;
}

}  // namespace clients
