#include "bench/redis_subject.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "bench/command_line.h"
#include "bench/remote_watch/identity.h"
#include "bench/text.h"
#include "clients/connection.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench {
namespace {

// Counting and emptying are linear in the keys.
constexpr auto kCommandTimeout = std::chrono::minutes(2);

constexpr std::string_view kUrl = "--url=";
constexpr std::string_view kServer = "--server=";
constexpr std::string_view kFlush = "--flush";

}  // namespace

absl::StatusOr<RedisFlags> TakeRedisFlags(std::vector<std::string>* arguments) {
  RedisFlags flags;
  std::vector<std::string> rest;
  for (std::string& argument : *arguments) {
    const std::string_view text = argument;
    if (text.starts_with(kUrl)) {
      KV_ASSIGN_OR_RETURN(const std::string url, FromEnvironment(argument.substr(kUrl.size())));
      KV_ASSIGN_OR_RETURN(flags.url, clients::ParseUrl(url));
    } else if (text.starts_with(kServer)) {
      flags.server = text.substr(kServer.size());
      if (flags.server != "redis" && flags.server != "valkey") {
        return kv::Invalid("--server is neither redis nor valkey");
      }
    } else if (text == kFlush) {
      flags.flush = true;
    } else {
      rest.push_back(std::move(argument));
    }
  }
  *arguments = std::move(rest);
  if (flags.url.has_value() && !flags.server.empty()) {
    return kv::Invalid("--server is for a local server: not with --url");
  }
  if (flags.url.has_value() && flags.url->cluster) {
    return kv::Invalid("the engine is for one server, and not for clusters: see //bench:remote");
  }
  return flags;
}

std::string RedisHelp() {
  return "A Redis or Valkey server as an engine of the lab. Beside the lab's flags, which follow:\n"
         "  --url=URL      redis://, rediss:// or unix://, or env:NAME for the variable that has "
         "it;\n"
         "                 without it a local server is started\n"
         "  --server=NAME  of a local server: redis or valkey\n"
         "  --flush        empty the URL's database first, where it has keys\n\n";
}

absl::StatusOr<RedisStore> RedisStore::Start(const RedisFlags& flags) {
  RedisStore store;
  store.flush_ = flags.flush;
  if (flags.url.has_value()) {
    store.options_.url = *flags.url;
  } else {
    KV_ASSIGN_OR_RETURN(auto server, clients::local::Server::Start({.program = flags.server}));
    store.server_ = std::make_unique<clients::local::Server>(std::move(server));
    store.options_ = store.server_->connect_options();
  }
  store.options_.command_timeout = kCommandTimeout;
  KV_ASSIGN_OR_RETURN(auto connection, clients::Connection::Open(store.options_));
  // Who may not ask learns nothing of the version, and measures all the same.
  const auto info = connection.Run({"INFO", "server"});
  if (info.ok() && info->type() == clients::ReplyType::kString) {
    store.version_ = remote_watch::ParseIdentity(info->text()).version;
  }
  return store;
}

Capabilities RedisStore::capabilities() const {
  using clients::RedisEngine;
  return {.name = "redis",
          .descriptor = fmt::format(R"({{"engine":"redis","server":"{}","local":{}}})",
                                    version_.empty() ? "unknown" : version_, server_ != nullptr),
          .durable = RedisEngine::kDurable,
          .ordered = RedisEngine::kOrdered,
          .expiry = RedisEngine::kExpiry,
          .compaction = false};
}

absl::Status RedisStore::Empty() {
  KV_ASSIGN_OR_RETURN(auto connection, clients::Connection::Open(options_));
  if (!ours_ && !flush_) {
    KV_ASSIGN_OR_RETURN(const clients::Reply size, connection.Run({"DBSIZE"}));
    KV_ASSIGN_OR_RETURN(const int64_t keys, clients::ExpectInteger(size.root()));
    if (keys != 0) {
      return absl::FailedPreconditionError(fmt::format(
          "{}: database {} has {} keys, and a fresh store is an empty one: choose another "
          "database, "
          "or let --flush empty it",
          connection.peer(), options_.url.database, WithThousands(static_cast<uint64_t>(keys))));
    }
  }
  KV_RETURN_IF_ERROR(connection.Run({"FLUSHDB"}).status());
  ours_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<clients::RedisEngine>> RedisStore::Open(const kv::Options& options) {
  if (options.create_if_missing) KV_RETURN_IF_ERROR(Empty());
  return clients::RedisEngine::Open(options_);
}

absl::Status RedisStore::Clean() { return ours_ ? Empty() : absl::OkStatus(); }

}  // namespace bench
