// Memory order: the counters of progress are only shown: relaxed throughout.
#include "bench/remote_watch/program.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "bench/progress_line.h"
#include "bench/remote_watch/flags.h"
#include "bench/remote_watch/persistence.h"
#include "bench/remote_watch/persistence_report.h"
#include "bench/remote_watch/policies.h"
#include "bench/remote_watch/watch.h"
#include "bench/remote_watch/watch_report.h"
#include "bench/run.h"
#include "bench/session.h"
#include "bench/system_info.h"
#include "bench/text.h"
#include "clients/local/server.h"
#include "fmt/format.h"

namespace bench::remote_watch {
namespace {

using clients::Nanoseconds;
using clients::local::Server;

// How long the server of the demonstration stays down.
constexpr auto kDownFor = std::chrono::milliseconds(500);

Nanoseconds FromSeconds(double seconds) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
}

int Fail(int status, std::string_view message) {
  fmt::print(stderr, "error: {}\n", message);
  return status;
}

std::map<std::string, std::string> ContextOf(const std::string& compilation_mode) {
  const BuildInfo build = ThisBuild(compilation_mode);
  return {{"compiler", build.compiler}, {"build", build.flags},   {"cpu_model", CpuModel()},
          {"kernel", Kernel()},         {"started", StartTime()}, {"commit", Commit()}};
}

// Whether it was written. A file that cannot be written is told before the run.
bool WriteJson(const std::string& path, const nlohmann::json& json) {
  std::ofstream file(path);
  // Messages of a server may be any bytes.
  file << json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  return static_cast<bool>(file.flush());
}

WatchPlan PlanOf(const Flags& flags, const std::atomic<bool>& interrupted) {
  WatchPlan plan;
  plan.server.tls = flags.tls;
  if (flags.url.has_value()) plan.server.url = *flags.url;
  plan.server.connect_timeout = FromSeconds(flags.connect_timeout_seconds);
  plan.server.command_timeout = FromSeconds(flags.timeout_seconds);
  plan.interval = FromSeconds(flags.interval_seconds);
  plan.duration = FromSeconds(flags.duration_seconds);
  if (flags.keys != 0) plan.keys = flags.keys;
  plan.keep_keys = flags.keep_keys;
  plan.interrupted = &interrupted;
  return plan;
}

// The server is killed in the middle, and started again.
void PlanDemonstration(Server* server, WatchPlan* plan) {
  const clients::ConnectOptions own = server->connect_options();
  plan->server.url = own.url;
  plan->server.tls = own.tls;
  if (plan->duration == Nanoseconds(0)) plan->duration = FromSeconds(kDemonstrationSeconds);
  plan->actions.push_back({plan->duration / 2, "the server is killed now (kill -9)", [server] {
                             server->Kill();
                             return absl::OkStatus();
                           }});
  plan->actions.push_back({plan->duration / 2 + kDownFor,
                           "the server is started again on the same files",
                           [server] { return server->Restart(); }});
}

int RunWatch(const Flags& flags, const std::map<std::string, std::string>& context,
             const std::atomic<bool>& interrupted) {
  WatchPlan plan = PlanOf(flags, interrupted);
  std::unique_ptr<Server> server;
  if (!flags.url.has_value()) {
    const Policy* const policy =
        flags.policies.empty() ? FindPolicy("everysec") : flags.policies.front();
    auto started = Server::Start(ServerOptionsOf(*policy, flags.server));
    if (!started.ok()) return Fail(kNotRun, std::string(started.status().message()));
    server = std::make_unique<Server>(*std::move(started));
    PlanDemonstration(server.get(), &plan);
    fmt::print(
        "A demonstration on a local server ({}), which is killed and restarted once. Give --url "
        "for another one.\n",
        policy->description);
  }
  fmt::print("watching {}, a probe every {} ms{}\n", clients::Redacted(plan.server.url),
             Short(flags.interval_seconds * 1000),
             plan.duration == Nanoseconds(0) ? "; Ctrl-C ends it with the report" : "");
  std::fflush(stdout);
  Progress progress;
  progress.total.store(static_cast<uint64_t>(plan.duration.count()), std::memory_order_relaxed);
  ProgressLine line(progress);
  const Observer observer = {
      .on_event =
          [&](const Event& event, clients::Deadline begin) {
            line.Clear();
            fmt::print("{}", EventLine(event, begin));
            std::fflush(stdout);
          },
      .on_tick =
          [&](const Live& live, Nanoseconds elapsed) {
            const uint64_t probes = live.probes.load(std::memory_order_relaxed);
            // Of a watch without an end the line shows the probes.
            progress.done.store(
                plan.duration == Nanoseconds(0) ? probes : static_cast<uint64_t>(elapsed.count()),
                std::memory_order_relaxed);
            line.Start(
                fmt::format("{} s, {} probes, {} failed, {} writes acknowledged;",
                            std::chrono::duration_cast<std::chrono::seconds>(elapsed).count(),
                            probes, live.failed.load(std::memory_order_relaxed),
                            live.acknowledged.load(std::memory_order_relaxed)));
          }};
  const auto result = Watch(plan, observer);
  line.Clear();
  if (!result.ok()) return Fail(kNotRun, std::string(result.status().message()));
  fmt::print("{}", ReportText(plan, *result));
  std::fflush(stdout);
  if (!flags.json.empty()) {
    std::map<std::string, std::string> own = context;
    own["url"] = clients::Redacted(plan.server.url);
    own["interval_seconds"] = fmt::format("{}", flags.interval_seconds);
    if (!WriteJson(flags.json, ReportJson(own, plan, *result))) {
      return Fail(kNotRun, "cannot write " + flags.json);
    }
  }
  if (!result->action_failed.ok()) {
    return Fail(kLost, std::string(result->action_failed.message()));
  }
  return result->Lost() + result->Unverified() > 0 ? kLost : kKept;
}

int RunPersistenceTest(const Flags& flags, const std::map<std::string, std::string>& context,
                       const std::atomic<bool>& interrupted) {
  Progress progress;
  PersistencePlan plan = {.policies = flags.policies,
                          .rounds = flags.rounds,
                          .pipeline = flags.pipeline,
                          .min_seconds = flags.write_seconds / 2,
                          .max_seconds = flags.write_seconds,
                          .value_bytes = flags.value_size,
                          .seed = flags.seed,
                          .program = flags.server,
                          .progress = &progress.done,
                          .interrupted = &interrupted};
  if (flags.keys != 0) plan.keys = flags.keys;
  if (plan.policies.empty()) {
    plan.policies = {FindPolicy("rdb"), FindPolicy("everysec"), FindPolicy("always")};
  }
  ProgressLine line(progress);
  fmt::print("{}", RoundHead());
  std::fflush(stdout);
  const auto results = RunPersistence(
      plan,
      [&](const Policy& policy, int round) {
        progress.done.store(0, std::memory_order_relaxed);
        line.Start(fmt::format("{}, round {} of {}:", policy.name, round, plan.rounds));
      },
      [&](const RoundResult& result) {
        line.Clear();
        fmt::print("{}", RoundLine(result));
        std::fflush(stdout);
      });
  line.Clear();
  if (!results.ok()) return Fail(kNotRun, std::string(results.status().message()));
  fmt::print("{}", PersistenceSummary(plan, *results));
  std::fflush(stdout);
  if (!flags.json.empty() && !WriteJson(flags.json, PersistenceJson(context, plan, *results))) {
    return Fail(kNotRun, "cannot write " + flags.json);
  }
  return BrokePromise(*results) ? kLost : kKept;
}

}  // namespace

int Main(const std::vector<std::string>& arguments, const std::string& compilation_mode,
         const std::atomic<bool>& interrupted) {
  const ParsedFlags parsed = ParseFlags(arguments);
  if (parsed.exit_status.has_value()) {
    fmt::print("{}", parsed.output);
    if (!parsed.error.empty()) fmt::print(stderr, "error: {}", parsed.error);
    return *parsed.exit_status;
  }
  const Flags& flags = parsed.flags;
  // Before hours of watching, not after them.
  if (!flags.json.empty() && !std::ofstream(flags.json)) {
    return Fail(kNotRun, "cannot write " + flags.json);
  }
  const auto context = ContextOf(compilation_mode);
  return flags.persistence ? RunPersistenceTest(flags, context, interrupted)
                           : RunWatch(flags, context, interrupted);
}

}  // namespace bench::remote_watch
