#include "bench/remote/dataset.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "bench/remote/drives.h"
#include "bench/remote/load/load_source.h"
#include "bench/remote/row.h"
#include "bench/text.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

// Enough to keep a server busy, and no more than any server takes.
constexpr int kConnections = 16;
constexpr int kPipeline = 16;
// Servers free what was removed, and connections that were closed, beside their other work. On
// somebody else's there may be ever more connections.
constexpr auto kLongestSettling = std::chrono::seconds(1);

// "READONLY 12, OOM 3".
std::string Words(const DriveResult& result) {
  std::string text;
  for (const auto& [word, count] : result.error_words) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, WithThousands(count));
  }
  for (const auto& [reason, count] : result.lost_reasons) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", reason);
  }
  return text;
}

absl::Status CheckDone(const DriveResult& result, const std::string& what) {
  const OperationResult total = TotalOf(result);
  if (total.failed() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("{}: {} of {} requests failed: {}", what,
                                                   WithThousands(total.failed()),
                                                   WithThousands(total.answered), Words(result)));
}

}  // namespace

DrivePlan Dataset::PlanOf() const {
  DrivePlan plan;
  plan.server = options_.server;
  plan.threads = options_.threads;
  plan.connections = std::max(kConnections, options_.threads);
  // A thread of a cluster's run has a connection to each primary.
  if (options_.server.url.cluster) {
    plan.connections = std::max<int>(kConnections, static_cast<int>(nodes_->size())) * plan.threads;
  }
  plan.pipeline = kPipeline;
  plan.progress = options_.progress;
  plan.stop = options_.stop;
  return plan;
}

absl::Status Dataset::Empty(const LoadPlan& plan) {
  if (options_.own_server) {
    for (clients::Connection& node : *nodes_)
      KV_RETURN_IF_ERROR(node.Run({"FLUSHALL", "SYNC"}).status());
    return absl::OkStatus();
  }
  DrivePlan whole = PlanOf();
  whole.stop = nullptr;  // who wants to end wants no keys left behind
  KV_ASSIGN_OR_RETURN(const DriveResult result, DriveCleanup(whole, plan));
  return CheckDone(result, fmt::format("removing the data of {}", plan.load->name));
}

absl::Status Dataset::Preload() {
  if (PreloadRequests(*plan_) == 0) return absl::OkStatus();
  KV_ASSIGN_OR_RETURN(const DriveResult result, DrivePreload(PlanOf(), *plan_));
  preload_seconds_ = result.seconds;
  return CheckDone(result, fmt::format("writing the data of {}", plan_->load->name));
}

std::optional<ServerFigures> Dataset::AskSettled() {
  if (sampler_ == nullptr) return std::nullopt;
  const clients::Deadline deadline = clients::After(kLongestSettling);
  while (true) {
    const auto asked = sampler_->Ask();
    if (!asked.ok()) return std::nullopt;
    const ServerFigures& figures = asked->figures;
    if (!clients_.has_value()) clients_ = figures.clients;
    const bool settled = figures.pending_objects == 0 && figures.clients <= *clients_;
    if (settled || clients::IsOver(deadline)) return figures;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void Dataset::Measure(const ServerFigures& before) {
  const auto after = AskSettled();
  if (!after.has_value()) return;
  memory_ = MemoryGrown(before, *after);
  if (!memory_.has_value()) return;
  const auto usage = SampleUsage(*nodes_, plan_->prefix);
  if (!usage.ok()) return;
  memory_->usage_bytes = usage->mean_bytes;
  memory_->sampled = usage->keys;
}

absl::Status Dataset::Prepare(const LoadPlan& plan) {
  if (plan_.has_value() && plan_->load == plan.load) return absl::OkStatus();
  KV_RETURN_IF_ERROR(Remove());
  memory_.reset();
  plan_ = plan;
  if (!options_.preload) return absl::OkStatus();
  std::optional<ServerFigures> before = AskSettled();
  // Data of an earlier run would be written twice. An empty server need not be searched for them.
  if (!before.has_value() || before->keys > 0) {
    KV_RETURN_IF_ERROR(Empty(plan));
    before = AskSettled();
  }
  KV_RETURN_IF_ERROR(Preload());
  if (before.has_value()) Measure(*before);
  return absl::OkStatus();
}

absl::Status Dataset::Remove() {
  if (!plan_.has_value() || options_.keep) return absl::OkStatus();
  const LoadPlan old = *std::exchange(plan_, std::nullopt);
  return Empty(old);
}

}  // namespace bench::remote
