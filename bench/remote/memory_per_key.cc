#include "bench/remote/memory_per_key.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "clients/reply.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

constexpr int kMostScans = 50;
constexpr std::string_view kKeysOfScan = "200";

// The prefix as a pattern that means these bytes and no others.
std::string PatternOf(std::string_view prefix) {
  std::string pattern;
  for (const char c : prefix) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "*";
}

struct Usage {
  double bytes = 0;
  int keys = 0;
};

absl::Status SampleNode(clients::Connection& node, const std::string& pattern, int most,
                        Usage* usage) {
  std::string cursor = "0";
  for (int scans = 0; scans < kMostScans && usage->keys < most; ++scans) {
    KV_ASSIGN_OR_RETURN(const clients::Reply reply,
                        node.Run({"SCAN", cursor, "MATCH", pattern, "COUNT", kKeysOfScan}));
    KV_RETURN_IF_ERROR(clients::ExpectArray(reply.root()));
    if (reply.size() != 2) return clients::WrongType(reply.root(), "a cursor and keys");
    KV_ASSIGN_OR_RETURN(const std::string_view next, clients::ExpectString(reply[0]));
    KV_RETURN_IF_ERROR(clients::ExpectArray(reply[1]));
    for (size_t i = 0; i < reply[1].size() && usage->keys < most; ++i) {
      KV_ASSIGN_OR_RETURN(const std::string_view key, clients::ExpectString(reply[1][i]));
      KV_ASSIGN_OR_RETURN(const clients::Reply bytes, node.Run({"MEMORY", "USAGE", key}));
      if (bytes.is_nil()) continue;  // it has expired
      KV_ASSIGN_OR_RETURN(const int64_t number, clients::ExpectInteger(bytes.root()));
      usage->bytes += static_cast<double>(number);
      ++usage->keys;
    }
    cursor = std::string(next);
    if (cursor == "0") break;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> IsPrimary(clients::Connection& node) {
  KV_ASSIGN_OR_RETURN(const clients::Reply reply, node.Run({"INFO", "replication"}));
  KV_ASSIGN_OR_RETURN(const std::string_view text, clients::ExpectString(reply.root()));
  return !ServerInfo::Parse(text).IsReplica();
}

}  // namespace

std::optional<MemoryPerKey> MemoryGrown(const ServerFigures& before, const ServerFigures& after) {
  const double keys = after.keys - before.keys;
  if (keys <= 0) return std::nullopt;
  return MemoryPerKey{.keys = keys, .grown_bytes = (after.used_memory - before.used_memory) / keys};
}

absl::StatusOr<UsageSample> SampleUsage(std::vector<clients::Connection>& nodes,
                                        std::string_view prefix, int most) {
  Usage usage;
  for (clients::Connection& node : nodes) {
    if (nodes.size() > 1) {
      KV_ASSIGN_OR_RETURN(const bool is_primary, IsPrimary(node));
      if (!is_primary) continue;
    }
    // From each its share, or the first node would stand for all.
    Usage one;
    const int share = std::max(1, most / static_cast<int>(nodes.size()));
    KV_RETURN_IF_ERROR(SampleNode(node, PatternOf(prefix), share, &one));
    usage.bytes += one.bytes;
    usage.keys += one.keys;
  }
  if (usage.keys == 0) return kv::NotFound();
  return UsageSample{usage.bytes / usage.keys, usage.keys};
}

}  // namespace bench::remote
