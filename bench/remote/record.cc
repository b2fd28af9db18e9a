#include "bench/remote/record.h"

#include <array>
#include <cstddef>
#include <fstream>
#include <string_view>
#include <utility>

#include "bench/remote/drive/driver.h"
#include "bench/remote/load/monitor.h"
#include "bench/text.h"
#include "bench/trace.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

// Enough for the first line, by which the formats are told apart.
std::string Beginning(const std::string& path) {
  std::array<char, 4096> bytes = {};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  return {bytes.data(), static_cast<size_t>(file.gcount())};
}

void NoteBadLines(uint64_t count, std::string_view first, std::vector<std::string>* notes) {
  if (count == 0) return;
  notes->push_back(
      fmt::format("bad lines left out: {}; the first: {}", WithThousands(count), first));
}

}  // namespace

absl::StatusOr<Record> Record::Read(const RecordOptions& options) {
  Record record;
  if (IsMonitorOutput(Beginning(options.path))) {
    KV_ASSIGN_OR_RETURN(auto read,
                        MonitorRecord::Read(options.path, {.skip_bad_lines = options.skip_bad_lines,
                                                           .limit = options.limit}));
    record.monitor_ = std::make_unique<MonitorPlan>(
        std::make_shared<const MonitorRecord>(std::move(read)), options.threads);
    return record;
  }
  KV_ASSIGN_OR_RETURN(auto read, ReadTrace(options.path, {.skip_bad_lines = options.skip_bad_lines,
                                                          .limit = options.limit}));
  record.trace_ =
      std::make_unique<TracePlan>(std::make_shared<const Trace>(std::move(read)), options.prefix,
                                  options.compressibility, options.threads);
  return record;
}

absl::StatusOr<DriveResult> Record::Drive(const DrivePlan& plan) const {
  if (monitor_ != nullptr) {
    return remote::Drive(
        plan, [&](int thread) { return std::make_unique<MonitorSource>(*monitor_, thread); });
  }
  return remote::Drive(plan,
                       [&](int thread) { return std::make_unique<TraceSource>(*trace_, thread); });
}

uint64_t Record::requests() const {
  return monitor_ != nullptr ? monitor_->sent().size() : trace_->trace().requests.size();
}

std::vector<std::string> Record::Notes() const {
  std::vector<std::string> notes;
  if (trace_ != nullptr) {
    NoteBadLines(trace_->trace().bad_lines, trace_->trace().first_bad_line, &notes);
    return notes;
  }
  const MonitorRecord& record = monitor_->record();
  NoteBadLines(record.bad_lines(), record.first_bad_line(), &notes);
  if (monitor_->left_out() > 0) {
    notes.push_back(
        fmt::format("commands left out, for what they would do to the server or the connection: {}",
                    WithThousands(monitor_->left_out())));
  }
  if (record.of_scripts() > 0) {
    notes.push_back(fmt::format("commands left out, which a script of the record sends: {}",
                                WithThousands(record.of_scripts())));
  }
  return notes;
}

}  // namespace bench::remote
