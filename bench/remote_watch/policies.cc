#include "bench/remote_watch/policies.h"

#include <sstream>
#include <utility>
#include <vector>

namespace bench::remote_watch {
namespace {

constexpr Policy kPolicies[] = {
    {.name = "none", .description = "no persistence"},
    {.name = "rdb",
     .description = "snapshots, save 1 1: at most one a second",
     .setting = "save 1 1"},
    {.name = "everysec",
     .description = "append-only file, appendfsync everysec",
     .append_only = true,
     .setting = "appendfsync everysec"},
    {.name = "always",
     .description = "append-only file, appendfsync always",
     .keeps_all = true,
     .append_only = true,
     .setting = "appendfsync always"},
};

}  // namespace

std::span<const Policy> Policies() { return kPolicies; }

const Policy* FindPolicy(std::string_view name) {
  for (const Policy& policy : kPolicies) {
    if (policy.name == name) return &policy;
  }
  return nullptr;
}

clients::local::ServerOptions ServerOptionsOf(const Policy& policy, const std::string& program) {
  clients::local::ServerOptions options{.program = program, .append_only = policy.append_only};
  std::vector<std::string> setting;
  std::istringstream words{std::string(policy.setting)};
  for (std::string word; words >> word;) setting.push_back(word);
  if (!setting.empty()) options.settings.push_back(std::move(setting));
  return options;
}

}  // namespace bench::remote_watch
