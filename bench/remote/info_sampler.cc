#include "bench/remote/info_sampler.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "clients/reply.h"
#include "clients/slot_map.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

using clients::Connection;
using clients::Deadline;

// A node that is gone must not hold up the sample of the others.
constexpr auto kLongest = std::chrono::milliseconds(800);

absl::StatusOr<clients::SlotMap> AskForMap(const std::shared_ptr<const clients::Dialer>& dialer) {
  absl::Status last;
  for (const clients::HostPort& node : dialer->options().url.hosts) {
    auto connection = Connection::Open(dialer, node);
    auto reply = connection.ok() ? connection->Run({"CLUSTER", "SLOTS"}) : connection.status();
    if (reply.ok()) return clients::SlotMap::Parse(reply->root(), node);
    last = reply.status();
  }
  return last;
}

}  // namespace

absl::StatusOr<std::vector<Connection>> ConnectToNodes(const clients::ConnectOptions& options) {
  KV_ASSIGN_OR_RETURN(const auto dialer, clients::Dialer::Create(options));
  std::vector<Connection> connections;
  if (!options.url.cluster) {
    KV_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dialer));
    connections.push_back(std::move(connection));
    return connections;
  }
  KV_ASSIGN_OR_RETURN(const clients::SlotMap map, AskForMap(dialer));
  absl::Status last = absl::UnavailableError("the cluster names no node");
  for (const clients::HostPort& node : map.nodes()) {
    auto connection = Connection::Open(dialer, node);
    if (connection.ok()) {
      connections.push_back(*std::move(connection));
    } else {
      last = connection.status();
    }
  }
  // One that is down is a cluster's everyday life; all of them are not.
  if (connections.empty()) return last;
  return connections;
}

absl::StatusOr<std::unique_ptr<InfoSampler>> InfoSampler::Start(
    const clients::ConnectOptions& options, clients::Nanoseconds interval) {
  clients::ConnectOptions impatient = options;
  impatient.connect_timeout = std::min<clients::Nanoseconds>(options.connect_timeout, kLongest);
  impatient.command_timeout = std::min<clients::Nanoseconds>(options.command_timeout, kLongest);
  impatient.reconnect_for = clients::Nanoseconds(0);
  KV_ASSIGN_OR_RETURN(auto connections, ConnectToNodes(impatient));
  std::unique_ptr<InfoSampler> sampler(new InfoSampler(std::move(connections)));
  KV_RETURN_IF_ERROR(sampler->Ask().status());
  sampler->thread_ = std::thread([made = sampler.get(), interval] { made->Run(interval); });
  return sampler;
}

InfoSampler::~InfoSampler() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::vector<ServerInfo> InfoSampler::AskNodes(std::initializer_list<std::string_view> command,
                                              absl::Status* failure) {
  std::lock_guard lock(asking_);
  std::vector<ServerInfo> nodes;
  for (Connection& connection : connections_) {
    const auto reply = connection.Run(command);
    if (!reply.ok()) {
      *failure = reply.status();
      continue;
    }
    const auto text = clients::ExpectString(reply->root());
    if (text.ok()) {
      nodes.push_back(ServerInfo::Parse(*text));
    } else {
      *failure = text.status();
    }
  }
  return nodes;
}

absl::StatusOr<InfoSampler::Snapshot> InfoSampler::Ask() {
  absl::Status failure;
  const std::vector<ServerInfo> nodes = AskNodes({"INFO", "all"}, &failure);
  if (nodes.empty()) return failure;
  return Snapshot{Sum(nodes), SumCommands(nodes), WorstLatencies(nodes),
                  CommandThreadSeconds(nodes)};
}

std::optional<double> InfoSampler::BusiestShare(const Snapshot& before, const Snapshot& after,
                                                double seconds) {
  const std::vector<double>& then = before.command_thread_seconds;
  const std::vector<double>& now = after.command_thread_seconds;
  if (seconds <= 0 || then.size() != now.size() || then.empty()) return std::nullopt;
  double busiest = 0;
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] < then[i]) return std::nullopt;
    busiest = std::max(busiest, (now[i] - then[i]) / seconds);
  }
  return std::min(busiest, 1.0);
}

void InfoSampler::Run(clients::Nanoseconds interval) {
  Deadline next = clients::After(interval);
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_until(lock, next, [this] { return stopping_; })) {
    lock.unlock();
    absl::Status failure;
    const std::vector<ServerInfo> nodes = AskNodes({"INFO"}, &failure);
    const Deadline now = clients::Now();
    lock.lock();
    if (!nodes.empty()) samples_.push_back({now, Sum(nodes)});
    // After a stall it does not make up for the samples that it missed.
    while (next <= now) next += interval;
  }
}

std::vector<ServerFigures> InfoSampler::Samples(Deadline begin, Deadline end) const {
  std::lock_guard lock(mutex_);
  std::vector<ServerFigures> figures;
  for (const Sample& sample : samples_) {
    if (sample.at < begin || sample.at > end) continue;
    figures.push_back(sample.figures);
    figures.back().at_seconds = std::chrono::duration<double>(sample.at - begin).count();
  }
  return figures;
}

}  // namespace bench::remote
