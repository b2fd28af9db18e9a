#include "bench/remote/drive/dialing.h"

#include <algorithm>
#include <utility>

#include "clients/connection.h"
#include "clients/errors.h"
#include "clients/reply.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

absl::StatusOr<clients::SlotMap> AskOne(const std::shared_ptr<const clients::Dialer>& dialer,
                                        const clients::HostPort& node) {
  KV_ASSIGN_OR_RETURN(clients::Connection connection, clients::Connection::Open(dialer, node));
  KV_ASSIGN_OR_RETURN(const clients::Reply reply, connection.Run({"CLUSTER", "SLOTS"}));
  auto map = clients::SlotMap::Parse(reply.root(), node);
  if (!map.ok()) return clients::At(ToString(node), map.status());
  // A node that has just started knows of none; another one may.
  if (map->nodes().empty()) {
    return clients::Lost(ToString(node), "it knows of no slots of the cluster");
  }
  return map;
}

}  // namespace

absl::StatusOr<clients::SlotMap> AskForSlots(const std::shared_ptr<const clients::Dialer>& dialer,
                                             const std::vector<clients::HostPort>& nodes) {
  absl::StatusOr<clients::SlotMap> map = kv::Invalid("a cluster is reached by hosts");
  for (const clients::HostPort& node : nodes) {
    map = AskOne(dialer, node);
    if (map.ok()) break;
  }
  return map;
}

Dialing::Dialing(std::shared_ptr<const clients::Dialer> dialer)
    : dialer_(std::move(dialer)), thread_([this] { Work(); }) {}

Dialing::~Dialing() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Dialing::Add(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void Dialing::Dial(size_t link, size_t node, std::optional<clients::HostPort> address,
                   clients::Deadline not_before) {
  Add({.not_before = not_before, .link = link, .node = node, .address = std::move(address)});
}

void Dialing::AskForMap(std::vector<clients::HostPort> nodes, clients::Deadline not_before) {
  Add({.not_before = not_before, .nodes = std::move(nodes)});
}

void Dialing::Work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto first =
        std::min_element(tasks_.begin(), tasks_.end(),
                         [](const Task& a, const Task& b) { return a.not_before < b.not_before; });
    if (first == tasks_.end()) {
      changed_.wait(lock);
    } else if (const clients::Deadline begin = first->not_before; begin > clients::Now()) {
      changed_.wait_until(lock, begin);
    } else {
      const Task task = std::move(*first);
      tasks_.erase(first);
      lock.unlock();
      Do(task);
      lock.lock();
    }
  }
}

void Dialing::Do(const Task& task) {
  if (!task.nodes.empty()) {
    auto map = AskForSlots(dialer_, task.nodes);
    const std::lock_guard lock(mutex_);
    map_ = std::move(map);
    // release: pairs with the acquire in has_outcomes.
    has_outcomes_.store(true, std::memory_order_release);
  } else {
    auto channel = task.address.has_value() ? dialer_->Dial(*task.address) : dialer_->Dial();
    const std::lock_guard lock(mutex_);
    dialled_.push_back({task.link, task.node, std::move(channel)});
    has_outcomes_.store(true, std::memory_order_release);
  }
}

std::vector<Dialing::Outcome> Dialing::TakeDialled() {
  const std::lock_guard lock(mutex_);
  // relaxed: under the mutex, as are the others. TakeMap follows, and what comes later sets it
  // again.
  has_outcomes_.store(false, std::memory_order_relaxed);
  return std::exchange(dialled_, {});
}

std::optional<absl::StatusOr<clients::SlotMap>> Dialing::TakeMap() {
  const std::lock_guard lock(mutex_);
  return std::exchange(map_, std::nullopt);
}

}  // namespace bench::remote
