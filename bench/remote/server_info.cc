#include "bench/remote/server_info.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace bench::remote {
namespace {

constexpr std::string_view kCommand = "cmdstat_";
constexpr std::string_view kLatency = "latency_percentiles_usec_";

// The whole text as a number that can be used.
std::optional<double> ParseDouble(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::isfinite(number) ? std::make_optional(number) : std::nullopt;
}

std::optional<uint64_t> ParseInteger(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Calls `take(name, value)` for each part of "name=value,name=value".
template <typename Take>
void ForEachPart(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const size_t equals = part.find('=');
    if (equals != std::string_view::npos) take(part.substr(0, equals), part.substr(equals + 1));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

// nullopt: without a number of calls it says nothing.
std::optional<CommandStatistics> ParseCommand(std::string_view text) {
  CommandStatistics command;
  bool has_calls = false;
  ForEachPart(text, [&](std::string_view name, std::string_view value) {
    const auto number = ParseInteger(value);
    if (!number.has_value()) return;
    if (name == "calls") {
      command.calls = *number;
      has_calls = true;
    } else if (name == "usec") {
      command.micros = *number;
    } else if (name == "rejected_calls") {
      command.rejected = *number;
    } else if (name == "failed_calls") {
      command.failed = *number;
    }
  });
  return has_calls ? std::make_optional(command) : std::nullopt;
}

std::optional<CommandLatency> ParseLatency(std::string_view text) {
  CommandLatency latency;
  int found = 0;
  ForEachPart(text, [&](std::string_view name, std::string_view value) {
    const auto number = ParseDouble(value);
    if (!number.has_value()) return;
    double* const target = name == "p50"     ? &latency.p50_micros
                           : name == "p99"   ? &latency.p99_micros
                           : name == "p99.9" ? &latency.p999_micros
                                             : nullptr;
    if (target == nullptr) return;
    *target = *number;
    ++found;
  });
  return found > 0 ? std::make_optional(latency) : std::nullopt;
}

bool IsDatabase(std::string_view field) {
  return field.starts_with("db") && ParseInteger(field.substr(2)).has_value();
}

}  // namespace

ServerInfo ServerInfo::Parse(std::string_view text) {
  ServerInfo info;
  while (!text.empty()) {
    const size_t newline = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos || colon == 0) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (name.starts_with(kCommand)) {
      const auto command = ParseCommand(value);
      if (command.has_value()) info.commands_[std::string(name.substr(kCommand.size()))] = *command;
    } else if (name.starts_with(kLatency)) {
      const auto latency = ParseLatency(value);
      if (latency.has_value()) {
        info.latencies_[std::string(name.substr(kLatency.size()))] = *latency;
      }
    } else {
      info.fields_.insert_or_assign(std::string(name), std::string(value));
    }
  }
  return info;
}

std::optional<std::string_view> ServerInfo::Text(std::string_view field) const {
  const auto found = fields_.find(field);
  if (found == fields_.end()) return std::nullopt;
  return found->second;
}

std::optional<double> ServerInfo::Number(std::string_view field) const {
  const auto text = Text(field);
  return text.has_value() ? ParseDouble(*text) : std::nullopt;
}

std::string ServerInfo::Product() const {
  // Valkey gives a redis_version as well, for clients that ask for nothing else.
  for (const std::string_view product : {"valkey", "dragonfly", "keydb", "redis"}) {
    if (Text(std::string(product) + "_version").has_value()) return std::string(product);
  }
  return "unknown";
}

std::string ServerInfo::Version() const {
  return std::string(Text(Product() + "_version").value_or("unknown"));
}

bool ServerInfo::IsReplica() const { return Text("role").value_or("master") == "slave"; }

uint64_t ServerInfo::Keys() const {
  uint64_t keys = 0;
  for (const auto& [name, value] : fields_) {
    if (!IsDatabase(name)) continue;
    ForEachPart(value, [&](std::string_view part, std::string_view number) {
      if (part == "keys") keys += ParseInteger(number).value_or(0);
    });
  }
  return keys;
}

ServerFigures Sum(std::span<const ServerInfo> nodes) {
  ServerFigures sum;
  for (const ServerInfo& node : nodes) {
    const auto get = [&](std::string_view field) { return node.Number(field).value_or(0); };
    ++sum.nodes;
    sum.cpu_seconds += get("used_cpu_user") + get("used_cpu_sys");
    if (node.IsReplica()) continue;
    ++sum.primaries;
    sum.used_memory += get("used_memory");
    sum.pending_objects += get("lazyfree_pending_objects");
    sum.rss += get("used_memory_rss");
    sum.allocator_allocated += get("allocator_allocated");
    sum.allocator_active += get("allocator_active");
    sum.allocator_resident += get("allocator_resident");
    sum.clients += get("connected_clients");
    sum.commands += get("total_commands_processed");
    sum.hits += get("keyspace_hits");
    sum.misses += get("keyspace_misses");
    sum.evicted += get("evicted_keys");
    sum.expired += get("expired_keys");
    sum.keys += static_cast<double>(node.Keys());
  }
  return sum;
}

std::vector<double> CommandThreadSeconds(std::span<const ServerInfo> nodes) {
  std::vector<double> seconds;
  for (const ServerInfo& node : nodes) {
    double sum = 0;
    for (const std::string field : {"used_cpu_user", "used_cpu_sys"}) {
      const auto process = node.Number(field);
      sum += node.Number(field + "_main_thread").value_or(process.value_or(0));
    }
    seconds.push_back(sum);
  }
  return seconds;
}

CommandTable Between(const CommandTable& before, const CommandTable& after) {
  CommandTable between;
  for (const auto& [name, now] : after) {
    const auto found = before.find(name);
    const CommandStatistics then = found == before.end() ? CommandStatistics() : found->second;
    CommandStatistics grown = now;
    if (now.calls >= then.calls && now.micros >= then.micros && now.rejected >= then.rejected &&
        now.failed >= then.failed) {
      grown = {now.calls - then.calls, now.micros - then.micros, now.rejected - then.rejected,
               now.failed - then.failed};
    }
    if (grown.calls > 0 || grown.rejected > 0) between[name] = grown;
  }
  return between;
}

CommandTable SumCommands(std::span<const ServerInfo> nodes) {
  CommandTable sum;
  for (const ServerInfo& node : nodes) {
    for (const auto& [name, one] : node.commands()) {
      CommandStatistics& all = sum[name];
      all.calls += one.calls;
      all.micros += one.micros;
      all.rejected += one.rejected;
      all.failed += one.failed;
    }
  }
  return sum;
}

LatencyTable WorstLatencies(std::span<const ServerInfo> nodes) {
  LatencyTable worst;
  for (const ServerInfo& node : nodes) {
    for (const auto& [name, one] : node.latencies()) {
      CommandLatency& all = worst[name];
      all.p50_micros = std::max(all.p50_micros, one.p50_micros);
      all.p99_micros = std::max(all.p99_micros, one.p99_micros);
      all.p999_micros = std::max(all.p999_micros, one.p999_micros);
    }
  }
  return worst;
}

}  // namespace bench::remote
