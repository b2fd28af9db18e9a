#include "bench/remote/json.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "bench/figures.h"
#include "bench/system_info.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

using Json = nlohmann::ordered_json;

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

Json Entry(const std::string& name, const RowResult& result, int repetitions,
           const Figures& figures) {
  const double operations = Find(figures, "ops");
  const double seconds = Find(figures, "seconds");
  Json entry = {{"name", name},
                {"run_name", name},
                {"run_type", "iteration"},
                {"repetitions", repetitions},
                {"repetition_index", result.repetition},
                {"threads", result.row.threads},
                {"iterations", static_cast<uint64_t>(operations)},
                {"real_time", operations > 0 ? seconds * 1e9 / operations : 0},
                {"cpu_time", Find(figures, "generator_cpu_ns_per_op")},
                {"time_unit", "ns"}};
  for (const auto& [figure, value] : figures) entry[figure] = value;
  return entry;
}

Json IntervalsOf(const DriveResult& drive) {
  Json all = Json::array();
  for (const Interval& interval : drive.intervals) {
    all.push_back({{"begin_seconds", interval.begin_seconds},
                   {"seconds", interval.seconds},
                   {"answered", interval.answered},
                   {"errors", interval.errors},
                   {"p50_ns", interval.p50_nanos},
                   {"p99_ns", interval.p99_nanos},
                   {"max_ns", interval.max_nanos}});
  }
  return all;
}

Json SamplesOf(const std::vector<ServerFigures>& samples) {
  Json all = Json::array();
  for (const ServerFigures& sample : samples) {
    all.push_back({{"at_seconds", sample.at_seconds},
                   {"nodes", sample.nodes},
                   {"used_memory", sample.used_memory},
                   {"used_memory_rss", sample.rss},
                   {"allocator_allocated", sample.allocator_allocated},
                   {"allocator_active", sample.allocator_active},
                   {"allocator_resident", sample.allocator_resident},
                   {"fragmentation", sample.Fragmentation()},
                   {"cpu_seconds", sample.cpu_seconds},
                   {"clients", sample.clients},
                   {"commands", sample.commands},
                   {"hits", sample.hits},
                   {"misses", sample.misses},
                   {"evicted", sample.evicted},
                   {"expired", sample.expired},
                   {"keys", sample.keys}});
  }
  return all;
}

Json CommandsOf(const RowResult& result) {
  Json all = Json::object();
  for (const auto& [name, command] : Between(result.before->commands, result.after->commands)) {
    all[name] = {{"calls", command.calls},
                 {"usec", command.micros},
                 {"rejected_calls", command.rejected},
                 {"failed_calls", command.failed}};
  }
  return all;
}

Json LatenciesOf(const LatencyTable& latencies) {
  Json all = Json::object();
  for (const auto& [name, latency] : latencies) {
    all[name] = {{"p50_us", latency.p50_micros},
                 {"p99_us", latency.p99_micros},
                 {"p999_us", latency.p999_micros}};
  }
  return all;
}

}  // namespace

void JsonReport::AddContext(const std::vector<std::pair<std::string, std::string>>& context) {
  for (const auto& [name, value] : context) context_[name] = value;
}

void JsonReport::Add(const RowResult& result, int repetitions) {
  const std::string name = NameOf(label_, result.row);
  benchmarks_.push_back(Entry(name, result, repetitions, FiguresOf(result)));
  if (result.drive.operations.size() > 1) {
    for (const OperationResult& operation : result.drive.operations) {
      benchmarks_.push_back(Entry(NameOf(label_, result.row, operation.name), result, repetitions,
                                  FiguresOf(operation, result.drive.seconds)));
    }
  }
  for (const std::string& reason : result.invalid) invalid_[name].push_back(reason);
  Json series = {{"name", name},
                 {"repetition_index", result.repetition},
                 {"begin_seconds", result.begin_seconds},
                 {"pace", PaceText(result.row.schedule)},
                 {"intervals", IntervalsOf(result.drive)},
                 {"server", SamplesOf(result.samples)},
                 {"error_words", result.drive.error_words},
                 {"lost_reasons", result.drive.lost_reasons}};
  if (result.before.has_value() && result.after.has_value()) {
    series["commands"] = CommandsOf(result);
    series["latencies"] = LatenciesOf(result.after->latencies);
  }
  series_.push_back(std::move(series));
}

void JsonReport::AddFailure(const Row& row, const std::string& why) {
  const std::string name = NameOf(label_, row);
  benchmarks_.push_back({{"name", name},
                         {"run_name", name},
                         {"run_type", "iteration"},
                         {"threads", row.threads},
                         {"error_occurred", true},
                         {"error_message", why}});
}

Json JsonReport::Document() const {
  Json context = {{"date", StartTime()},    {"host_name", HostName()}, {"executable", executable_},
                  {"num_cpus", CpuCount()}, {"cpu_model", CpuModel()}, {"kernel", Kernel()}};
  context.update(context_);
  context["invalid"] = invalid_;
  return {{"context", std::move(context)}, {"benchmarks", benchmarks_}, {"series", series_}};
}

absl::Status JsonReport::Write(const std::string& path) const {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  // What a server sent (the word of an error) may be any bytes; JSON is UTF-8.
  file << Document().dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
  file.close();
  if (!file) return kv::IoError("write", path, errno);
  return absl::OkStatus();
}

}  // namespace bench::remote
