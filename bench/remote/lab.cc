#include "bench/remote/lab.h"

#include <chrono>

#include "bench/remote/drive/validity.h"
#include "bench/remote/drives.h"
#include "bench/remote/load/plan.h"
#include "bench/system_info.h"
#include "bench/text.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

double SecondsSince1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

clients::Nanoseconds TimeOf(double seconds) {
  return std::chrono::duration_cast<clients::Nanoseconds>(std::chrono::duration<double>(seconds));
}

std::string Title(const Row& row, size_t number, size_t of) {
  std::string title =
      fmt::format("[{}/{}] {}, {} connections", number, of, row.load, row.connections);
  if (row.pipeline > 1) title += fmt::format(", pipeline {}", row.pipeline);
  if (row.seconds > 0) title += fmt::format(", {:g} s", row.seconds);
  return title + ":";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Lab>> Lab::Open(const Flags& flags, const BuildInfo& build,
                                               const std::atomic<bool>* stop) {
  // A record that cannot be read needs no server.
  std::optional<Record> record;
  if (!flags.replay.empty()) {
    KV_ASSIGN_OR_RETURN(record, Record::Read({.path = flags.replay,
                                              .skip_bad_lines = flags.skip_bad_lines,
                                              .limit = flags.replay_limit,
                                              .prefix = flags.load.prefix,
                                              .compressibility = flags.load.compressibility,
                                              .threads = flags.threads}));
  }
  KV_ASSIGN_OR_RETURN(Target target, OpenTarget(flags));
  std::unique_ptr<Lab> lab(new Lab(flags, build, stop, std::move(target)));
  lab->record_ = std::move(record);
  KV_RETURN_IF_ERROR(lab->Look());
  return lab;
}

absl::Status Lab::Look() {
  KV_ASSIGN_OR_RETURN(nodes_, ConnectToNodes(target_.options));
  for (clients::Connection& node : nodes_) {
    KV_ASSIGN_OR_RETURN(server_, Describe(node));
    if (!server_.is_replica) break;  // of a cluster's nodes, one that is asked for writes
  }
  auto sampler = InfoSampler::Start(target_.options);
  if (sampler.ok()) {
    sampler_ = *std::move(sampler);
  } else if (clients::MayHeal(sampler.status())) {
    return sampler.status();
  } else {
    no_info_ = std::string(sampler.status().message());
  }
  data_ = std::make_unique<Dataset>(DatasetOptions{.server = target_.options,
                                                   .threads = flags_.threads,
                                                   .own_server = target_.own.has_value(),
                                                   .preload = flags_.preload,
                                                   .keep = flags_.keep,
                                                   .progress = &progress_.done,
                                                   .stop = stop_},
                                    sampler_.get(), &nodes_);
  return absl::OkStatus();
}

std::vector<std::pair<std::string, std::string>> Lab::Context() const {
  std::vector<std::pair<std::string, std::string>> context = {
      {"url", target_.shown},
      {"started_here", target_.own.has_value() ? target_.own->program() : ""},
      {"compiler", build_.compiler},
      {"build", build_.flags},
      {"seed", std::to_string(flags_.load.seed)},
      {"server_latencies", target_.own.has_value() ? "of each row" : "since the server's start"},
  };
  for (auto& entry : ContextOf(server_)) context.push_back(std::move(entry));
  if (!server_.config_refused.empty()) {
    context.emplace_back("config_refused", server_.config_refused);
  }
  const std::string commit = Commit();
  if (!commit.empty()) context.emplace_back("commit", commit);
  if (!flags_.replay.empty()) context.emplace_back("record", flags_.replay);
  return context;
}

std::string Lab::Preamble() const {
  const auto get = [&](const std::string& name) { return server_.Setting(name); };
  return fmt::format(
      "{} {} at {}{}\n  machine  {}, {} CPUs, {}\n  build    {}, {}\n"
      "  server   {}; maxmemory {}; {}; io-threads {}\n"
      "  driver   {} thread(s); keys begin with \"{}\", seed {}\n",
      server_.product, server_.version, target_.shown,
      target_.own.has_value() ? fmt::format(" ({}, started for this run)", target_.own->program())
                              : "",
      CpuModel(), CpuCount(), Kernel(), build_.compiler, build_.flags,
      nodes_.size() > 1 ? fmt::format("cluster of {} nodes", nodes_.size()) : server_.mode,
      server_.MaxMemory(), server_.Persistence(), get("io-threads"), flags_.threads,
      flags_.load.prefix, flags_.load.seed);
}

DrivePlan Lab::PlanOf(const Row& row) {
  DrivePlan plan;
  plan.server = target_.options;
  plan.threads = row.threads;
  plan.connections = row.connections;
  plan.pipeline = row.pipeline;
  plan.schedule = row.schedule;
  plan.warmup_seconds = row.warmup_seconds;
  plan.seconds = row.seconds;
  plan.requests = row.requests;
  plan.interval_seconds = flags_.interval;
  plan.progress = &progress_.done;
  plan.stop = stop_;
  return plan;
}

absl::Status Lab::Prepare(const Row& row, Report* report) {
  if (row.load == "replay") return data_->Remove();
  KV_ASSIGN_OR_RETURN(const LoadPlan plan, PlanLoad(*FindLoad(row.load), flags_.load));
  const absl::Status prepared = data_->Prepare(plan);
  if (!prepared.ok() && server_.is_replica) {
    return absl::Status(prepared.code(),
                        std::string(prepared.message()) + " (the server is a replica)");
  }
  KV_RETURN_IF_ERROR(prepared);
  NoteMemory(row, report);
  return absl::OkStatus();
}

void Lab::NoteMemory(const Row& row, Report* report) {
  const auto& memory = data_->memory();
  if (!memory.has_value() || !noted_.insert(row.load).second) return;
  std::string note =
      fmt::format("memory per key of {}: {} bytes (the server's growth over {} keys", row.load,
                  Short(memory->grown_bytes), WithThousands(static_cast<uint64_t>(memory->keys)));
  if (memory->usage_bytes.has_value()) {
    note += fmt::format("; MEMORY USAGE {} of {}", Short(*memory->usage_bytes), memory->sampled);
  }
  report->AddNote(note + ")");
}

absl::Status Lab::RunOnce(const Row& row, int repetition, Report* report) {
  RowResult result;
  result.row = row;
  result.repetition = repetition;
  // What the server says of commands is then of this row. Nobody else's server is touched so.
  if (target_.own.has_value()) {
    KV_RETURN_IF_ERROR(nodes_[0].Run({"CONFIG", "RESETSTAT"}).status());
  }
  const auto ask = [&](std::optional<InfoSampler::Snapshot>* snapshot) {
    if (sampler_ == nullptr) return;
    auto asked = sampler_->Ask();
    if (asked.ok()) *snapshot = *std::move(asked);
  };
  ask(&result.before);
  // relaxed, here and below: nobody drives while it is written, and Drive has joined its threads.
  progress_.done.store(0, std::memory_order_relaxed);
  progress_.total.store(row.requests, std::memory_order_relaxed);
  const DrivePlan plan = PlanOf(row);
  Expectation expectation{.errors_allowed = flags_.allow_errors};
  if (row.load == "replay") {
    KV_ASSIGN_OR_RETURN(result.drive, record_->Drive(plan));
  } else {
    LoadPlan load = data_->plan();
    load.seed += static_cast<uint64_t>(repetition);
    expectation.hit_ratio = ImpliedHitRatio(load);
    KV_ASSIGN_OR_RETURN(result.drive, DriveLoad(plan, load));
  }
  const clients::Deadline end = clients::Now();
  ask(&result.after);
  result.answered = progress_.done.load(std::memory_order_relaxed);  // as above
  const clients::Deadline begin = end - TimeOf(result.drive.seconds);
  result.begin_seconds = std::chrono::duration<double>(begin - begin_).count();
  if (sampler_ != nullptr) result.samples = sampler_->Samples(begin, end);
  if (data_->memory().has_value() && row.load != "replay") result.memory = data_->memory();
  if (result.before.has_value() && result.after.has_value()) {
    expectation.server_cpu_share = InfoSampler::BusiestShare(
        *result.before, *result.after, row.warmup_seconds + result.drive.seconds);
  }
  result.invalid = WhyInvalid(plan, result.drive, expectation);
  report->Add(result);
  return absl::OkStatus();
}

absl::Status Lab::RunRow(const Row& row, const std::string& title, ProgressLine* line,
                         Report* report) {
  // relaxed: only shown.
  progress_.done.store(0, std::memory_order_relaxed);
  progress_.total.store(0, std::memory_order_relaxed);
  line->Start("writing the data of " + row.load + ":");
  absl::Status status = Prepare(row, report);
  for (int i = 0; i < flags_.repetitions && status.ok() && !IsStopped(); ++i) {
    line->Start(title);
    status = RunOnce(row, i, report);
  }
  line->Clear();
  report->EndRow();
  if (status.ok()) return status;
  report->AddFailure(row, std::string(status.message()));
  return absl::Status(status.code(), row.load + ": " + std::string(status.message()));
}

absl::Status Lab::Run(const std::vector<Row>& rows, std::FILE* out) {
  const std::string label = flags_.label.empty() ? server_.product : flags_.label;
  Report report(flags_, "remote", label, SecondsSince1970(), out);
  KV_RETURN_IF_ERROR(report.OpenFiles());
  if (!build_.optimized || build_.asserts) {
    report.AddNote("this build is not optimized, or has asserts on: its figures say little");
  }
  if (!server_.config_refused.empty()) {
    report.AddNote("CONFIG is not permitted, so settings are as INFO says: " +
                   server_.config_refused);
  }
  if (sampler_ == nullptr) report.AddNote("INFO is not permitted: no figures of the server");
  if (record_.has_value()) {
    for (const std::string& note : record_->Notes()) report.AddNote(note);
  }
  report.Begin(Preamble(), Context());

  ProgressLine line(progress_);
  absl::Status status;
  for (size_t i = 0; i < rows.size() && status.ok() && !IsStopped(); ++i) {
    status = RunRow(rows[i], Title(rows[i], i + 1, rows.size()), &line, &report);
  }
  if (IsStopped()) report.AddNote("interrupted: the rows above are what was measured until then");
  line.Start("removing the data:");
  const absl::Status removed = data_->Remove();
  line.Clear();
  const absl::Status finished = report.Finish(rows);
  invalid_ = report.invalid();
  KV_RETURN_IF_ERROR(status);  // the first error is the one to tell
  if (IsStopped()) return absl::CancelledError("interrupted");
  KV_RETURN_IF_ERROR(removed);
  return finished;
}

}  // namespace bench::remote
