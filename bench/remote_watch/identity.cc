#include "bench/remote_watch/identity.h"

#include <algorithm>

#include "fmt/format.h"

namespace bench::remote_watch {
namespace {

constexpr size_t kShownDigits = 12;  // of the 40 of a run id

bool Differ(const std::string& before, const std::string& after) {
  return !before.empty() && !after.empty() && before != after;
}

}  // namespace

Identity ParseIdentity(std::string_view info) {
  Identity identity;
  std::string redis;
  std::string valkey;
  while (!info.empty()) {
    const size_t end = std::min(info.find('\n'), info.size());
    std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string value(line.substr(colon + 1));
    if (name == "run_id") identity.run_id = value;
    if (name == "redis_version") redis = value;
    if (name == "valkey_version") valkey = value;
    if (name == "role") identity.role = value == "master" ? "primary" : "replica";
  }
  if (!valkey.empty()) {
    identity.version = "Valkey " + valkey;
  } else if (!redis.empty()) {
    identity.version = "Redis " + redis;
  }
  return identity;
}

std::vector<std::string> ChangesOf(const Identity& before, const Identity& after) {
  std::vector<std::string> changes;
  if (Differ(before.run_id, after.run_id)) {
    changes.push_back(fmt::format("another process answers: run id {} after {}",
                                  after.run_id.substr(0, kShownDigits),
                                  before.run_id.substr(0, kShownDigits)));
  }
  if (Differ(before.version, after.version)) {
    changes.push_back(fmt::format("version changed from {} to {}", before.version, after.version));
  }
  if (Differ(before.role, after.role)) {
    changes.push_back(after.role == "primary" ? "role changed: the replica was promoted to primary"
                                              : "role changed: it is a replica now");
  }
  return changes;
}

}  // namespace bench::remote_watch
