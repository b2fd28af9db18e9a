#include "bench/remote/server_description.h"

#include <charconv>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "bench/remote/server_info.h"
#include "clients/dialer.h"
#include "clients/reply.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

constexpr std::string_view kUnknown = "unknown";

// Names that both products have; a pattern each, since only new servers take several at once.
constexpr std::string_view kSettings[] = {
    "maxmemory",   "maxmemory-policy", "save",      "appendonly",
    "appendfsync", "io-threads",       "databases", "maxclients",
};

absl::Status AskInfo(clients::Connection& connection, ServerDescription* server) {
  const auto reply = connection.Run({"INFO"});
  if (absl::IsPermissionDenied(reply.status())) return absl::OkStatus();
  KV_RETURN_IF_ERROR(reply.status());
  KV_ASSIGN_OR_RETURN(const std::string_view text, clients::ExpectString(reply->root()));
  const ServerInfo info = ServerInfo::Parse(text);
  server->product = info.Product();
  server->version = info.Version();
  server->is_replica = info.IsReplica();
  server->mode = info.Text("redis_mode").value_or(info.Text("server_mode").value_or(""));
  if (const auto limit = info.Text("maxmemory")) server->settings["maxmemory"] = *limit;
  if (const auto policy = info.Text("maxmemory_policy")) {
    server->settings["maxmemory-policy"] = *policy;
  }
  if (const auto enabled = info.Text("aof_enabled")) {
    server->settings["appendonly"] = *enabled == "1" ? "yes" : "no";
  }
  return absl::OkStatus();
}

absl::Status AskConfig(clients::Connection& connection, ServerDescription* server) {
  for (const std::string_view name : kSettings) {
    const auto reply = connection.Run({"CONFIG", "GET", name});
    if (!reply.ok()) {
      if (clients::MayHeal(reply.status()) || !connection.is_connected()) return reply.status();
      server->config_refused = std::string(reply.status().message());
      return absl::OkStatus();
    }
    if (reply->type() != clients::ReplyType::kArray) {
      return clients::WrongType(reply->root(), "an array");
    }
    if (reply->size() != 2) continue;  // this server has no such setting
    KV_ASSIGN_OR_RETURN(const std::string_view value, clients::ExpectString((*reply)[1]));
    server->settings[std::string(name)] = std::string(value);
  }
  return absl::OkStatus();
}

}  // namespace

std::string ServerDescription::Setting(const std::string& name) const {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string(kUnknown) : found->second;
}

std::string ServerDescription::Persistence() const {
  std::string text =
      fmt::format("save '{}'; appendonly {}", Setting("save"), Setting("appendonly"));
  if (Setting("appendonly") == "yes") text += fmt::format(" {}", Setting("appendfsync"));
  return text;
}

std::string ServerDescription::MaxMemory() const {
  const std::string text = Setting("maxmemory");
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || end != text.data() + text.size()) return text;
  if (bytes == 0) return "no limit";
  return fmt::format("{:.1f} MiB, {}", static_cast<double>(bytes) / 1048576,
                     Setting("maxmemory-policy"));
}

absl::StatusOr<ServerDescription> Describe(clients::Connection& connection) {
  ServerDescription server;
  KV_RETURN_IF_ERROR(AskInfo(connection, &server));
  KV_RETURN_IF_ERROR(AskConfig(connection, &server));
  return server;
}

std::vector<std::pair<std::string, std::string>> ContextOf(const ServerDescription& server) {
  return {
      {"server", server.product},
      {"version", server.version},
      {"mode", server.mode},
      {"maxmemory", server.Setting("maxmemory")},
      {"maxmemory_policy", server.Setting("maxmemory-policy")},
      {"persistence", server.Persistence()},
      {"io_threads", server.Setting("io-threads")},
  };
}

}  // namespace bench::remote
