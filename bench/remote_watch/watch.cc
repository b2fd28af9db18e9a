#include "bench/remote_watch/watch.h"

#include <algorithm>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "bench/remote_watch/route.h"
#include "bench/remote_watch/stop.h"
#include "clients/errors.h"
#include "clients/reply.h"
#include "clients/slot.h"
#include "clients/slot_map.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote_watch {
namespace {

using clients::Deadline;
using clients::Nanoseconds;

constexpr auto kTick = std::chrono::milliseconds(50);

// A part of the key space that one node serves.
struct Range {
  std::string name;              // empty: there is only one
  std::optional<uint16_t> slot;  // of a cluster: one of the range
  std::string tag = "w";         // a hash tag of that slot
};

std::string TagOf(uint16_t slot) {
  for (uint64_t i = 0;; ++i) {
    std::string tag = std::to_string(i);
    if (clients::SlotOf(tag) == slot) return tag;
  }
}

// One for each primary, by the first of its slots.
std::vector<Range> RangesOf(const clients::SlotMap& map) {
  std::vector<Range> ranges;
  std::vector<clients::HostPort> owners;
  for (uint16_t slot = 0; slot < clients::kSlots; ++slot) {
    const clients::HostPort* const owner = map.OwnerOf(slot);
    if (owner == nullptr) continue;
    if (std::find(owners.begin(), owners.end(), *owner) != owners.end()) continue;
    owners.push_back(*owner);
    uint16_t last = slot;
    while (last + 1 < clients::kSlots) {
      const clients::HostPort* const next = map.OwnerOf(static_cast<uint16_t>(last + 1));
      if (next == nullptr || *next != *owner) break;
      ++last;
    }
    ranges.push_back({fmt::format("slots {}-{}", slot, last), slot, TagOf(slot)});
  }
  return ranges;
}

// Keys of a watch are its own, however many there are on one server.
std::string NewPrefix() {
  std::random_device random;
  return fmt::format("ashlar:watch:{:08x}{:08x}", random(), random());
}

absl::StatusOr<std::vector<Range>> FindRanges(const WatchPlan& plan, const Dialers& dialers,
                                              std::vector<std::string>* notes) {
  if (!plan.server.url.cluster) return std::vector<Range>(1);
  KV_ASSIGN_OR_RETURN(const clients::SlotMap map, FindSlots(dialers, plan.server.url.hosts));
  std::vector<Range> ranges = RangesOf(map);
  if (ranges.size() > plan.most_ranges) {
    notes->push_back(fmt::format("the cluster has {} primaries, of which the first {} are watched",
                                 ranges.size(), plan.most_ranges));
    ranges.resize(plan.most_ranges);
  }
  return ranges;
}

// A wrong URL or password is told at once, and not as an outage.
absl::Status CheckServer(const Dialers& dialers, const Range& range) {
  Route route(dialers, range.slot);
  KV_RETURN_IF_ERROR(route.Connect());
  clients::Reply reply;
  KV_RETURN_IF_ERROR(route.Run({"GET", fmt::format("ashlar:watch:{{{}}}", range.tag)}, &reply));
  if (!reply.is_error()) return absl::OkStatus();
  const absl::Status refused = clients::ErrorStatus(route.peer(), reply.text());
  switch (clients::KindOf(reply.text())) {
    case clients::ErrorKind::kMoved:
      return absl::FailedPreconditionError(
          fmt::format("{}: a node of a cluster, whose URL is redis+cluster://", route.peer()));
    case clients::ErrorKind::kAuthentication:
    case clients::ErrorKind::kPermission:
    case clients::ErrorKind::kUnknownCommand:
      return refused;
    default:
      return absl::OkStatus();  // what may pass is for the watch to tell
  }
}

class Running {
 public:
  Running(const WatchPlan& plan, const Observer& observer) : plan_(plan), observer_(observer) {}
  Running(const Running&) = delete;
  ~Running() { End(); }

  absl::Status Start() {
    KV_ASSIGN_OR_RETURN(const Dialers dialers, Dialers::Create(plan_.server));
    KV_ASSIGN_OR_RETURN(const auto ranges, FindRanges(plan_, dialers, &result_.notes));
    const std::string prefix = NewPrefix();
    for (const Range& range : ranges) {
      KV_RETURN_IF_ERROR(CheckServer(dialers, range));
      for (const bool fresh : {true, false}) {
        const std::string path = fresh ? "fresh" : "staying";
        ProberOptions options{.name = range.name.empty() ? path : path + ", " + range.name,
                              .fresh = fresh,
                              .prefix = fmt::format("{}:{{{}}}:{}", prefix, range.tag, path),
                              .keys = plan_.keys,
                              .interval = plan_.interval};
        result_.probers.push_back(std::make_unique<Prober>(
            std::move(options), Route(dialers, range.slot), &log_, &live_));
      }
    }
    result_.begin = clients::Now();
    for (const auto& prober : result_.probers) {
      threads_.emplace_back([this, &prober] { prober->Run(&stop_); });
    }
    return absl::OkStatus();
  }

  void Follow() {
    size_t next_action = 0;
    while (!IsOver()) {
      std::this_thread::sleep_for(kTick);
      if (next_action < plan_.actions.size() &&
          clients::Now() >= result_.begin + plan_.actions[next_action].at) {
        const PlannedAction& action = plan_.actions[next_action++];
        log_.Add("", action.text);
        result_.action_failed = action.run();
      }
      TellEvents();
      if (observer_.on_tick) observer_.on_tick(live_, clients::Now() - result_.begin);
      if (!result_.action_failed.ok()) break;
    }
  }

  WatchResult Finish() {
    End();
    result_.length = clients::Now() - result_.begin;
    // One who interrupts does not want to wait.
    const Deadline give_up = clients::After(IsInterrupted() ? Nanoseconds(0) : plan_.verify_within);
    for (const auto& prober : result_.probers) prober->Finish(give_up, plan_.keep_keys);
    TellEvents();
    return std::move(result_);
  }

 private:
  bool IsInterrupted() const {
    // relaxed: the flag of a signal's handler, which publishes nothing else.
    return plan_.interrupted != nullptr && plan_.interrupted->load(std::memory_order_relaxed);
  }
  bool IsOver() const {
    return IsInterrupted() ||
           (plan_.duration > Nanoseconds(0) && clients::Now() >= result_.begin + plan_.duration);
  }

  void End() {
    stop_.Now();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void TellEvents() {
    for (Event& event : log_.Take()) {
      if (observer_.on_event) observer_.on_event(event, result_.begin);
      result_.events.push_back(std::move(event));
    }
  }

  const WatchPlan& plan_;
  const Observer& observer_;
  EventLog log_;
  Live live_;
  Stop stop_;
  WatchResult result_;
  std::vector<std::thread> threads_;
};

}  // namespace

uint64_t WatchResult::Lost() const {
  uint64_t lost = 0;
  for (const auto& prober : probers) {
    lost += prober->ledger().lost() + prober->ledger().rolled_back() + prober->ledger().foreign();
  }
  return lost;
}

uint64_t WatchResult::Unverified() const {
  uint64_t unverified = 0;
  for (const auto& prober : probers) unverified += prober->unverified();
  return unverified;
}

absl::StatusOr<WatchResult> Watch(const WatchPlan& plan, const Observer& observer) {
  Running running(plan, observer);
  KV_RETURN_IF_ERROR(running.Start());
  running.Follow();
  return running.Finish();
}

}  // namespace bench::remote_watch
