#include "bench/remote/drive/driver.h"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "clients/dialer.h"
#include "clients/slot_map.h"
#include "clients/url.h"
#include "fmt/format.h"

namespace bench::remote {
namespace {

constexpr auto kTellEvery = std::chrono::seconds(1);
// A year: what is longer is a slip of the pen, and does not fit into nanoseconds.
constexpr double kMostSeconds = 365.0 * 86400;

bool IsTime(double seconds) {
  return std::isfinite(seconds) && seconds >= 0 && seconds <= kMostSeconds;
}

}  // namespace

absl::Status CheckPlan(const DrivePlan& plan) {
  if (plan.threads < 1) return kv::Invalid("a run has at least one thread");
  if (plan.connections < plan.threads) {
    return absl::InvalidArgumentError(
        fmt::format("{} connections cannot be divided among {} threads: each needs one",
                    plan.connections, plan.threads));
  }
  if (plan.pipeline < 1) return kv::Invalid("at least one request is in flight: pipeline >= 1");
  if (!IsTime(plan.warmup_seconds) || !IsTime(plan.seconds)) {
    return kv::Invalid("the times of a run are from 0 seconds to a year");
  }
  if (!IsTime(plan.interval_seconds) || plan.interval_seconds < 0.001) {
    return kv::Invalid("an interval is a millisecond at least");
  }
  return CheckSchedule(plan.schedule);
}

absl::StatusOr<DriveTarget> FindTarget(const DrivePlan& plan) {
  DriveTarget target;
  KV_ASSIGN_OR_RETURN(target.dialer, clients::Dialer::Create(plan.server));
  if (!plan.server.url.cluster) return target;
  KV_ASSIGN_OR_RETURN(target.slots, AskForSlots(target.dialer, plan.server.url.hosts));
  const size_t nodes = Links(plan, target, 0).routes().serving_nodes();
  const uint64_t fewest =
      ShareOf(static_cast<uint64_t>(plan.connections), plan.threads - 1, plan.threads);
  if (fewest < nodes) {
    return absl::InvalidArgumentError(fmt::format(
        "{} connections for {} threads and a cluster of {} primaries: each thread needs "
        "one to each primary, {} in all",
        plan.connections, plan.threads, nodes, nodes * static_cast<size_t>(plan.threads)));
  }
  return target;
}

std::optional<clients::Deadline> StartGate::Await(const absl::Status& connected) {
  std::unique_lock lock(mutex_);
  ++waiting_;
  if (!connected.ok() && failure_.ok()) failure_ = connected;
  changed_.notify_all();
  changed_.wait(lock, [this] { return is_open_; });
  return begin_;
}

absl::StatusOr<clients::Deadline> StartGate::Open() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kTellEvery, [this] { return waiting_ == plan_.threads; })) {
    // relaxed: a number for people.
    fmt::print(stderr, "{} of {} connections made\n", connected_.load(std::memory_order_relaxed),
               plan_.connections);
  }
  if (failure_.ok()) begin_ = clients::Now();
  is_open_ = true;
  changed_.notify_all();
  if (!failure_.ok()) return failure_;
  return *begin_;
}

}  // namespace bench::remote
