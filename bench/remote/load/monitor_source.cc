#include "bench/remote/load/monitor_source.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "kv/base/hash.h"

namespace bench::remote {
namespace {

// Commands of this many names at most have rows of their own.
constexpr size_t kMostCommands = 1000;
constexpr char kOthers[] = "OTHERS";

constexpr std::string_view kLeftOut[] = {
    "ACL",        "ASKING",     "AUTH",         "BGREWRITEAOF", "BGSAVE",         "BLMOVE",
    "BLMPOP",     "BLPOP",      "BRPOP",        "BRPOPLPUSH",   "BZMPOP",         "BZPOPMAX",
    "BZPOPMIN",   "CLIENT",     "CLUSTER",      "CONFIG",       "DEBUG",          "DISCARD",
    "EXEC",       "FAILOVER",   "FLUSHALL",     "FLUSHDB",      "FUNCTION",       "HELLO",
    "LATENCY",    "MEMORY",     "MIGRATE",      "MODULE",       "MONITOR",        "MULTI",
    "PFDEBUG",    "PSUBSCRIBE", "PSYNC",        "PUNSUBSCRIBE", "QUIT",           "READONLY",
    "READWRITE",  "REPLCONF",   "REPLICAOF",    "RESET",        "RESTORE-ASKING", "ROLE",
    "SAVE",       "SCRIPT",     "SELECT",       "SHUTDOWN",     "SLAVEOF",        "SLOWLOG",
    "SSUBSCRIBE", "SUBSCRIBE",  "SUNSUBSCRIBE", "SWAPDB",       "SYNC",           "UNSUBSCRIBE",
    "UNWATCH",    "WAIT",       "WAITAOF",      "WATCH",
};

constexpr std::string_view kWithoutKey[] = {
    "COMMAND", "DBSIZE",  "ECHO",   "INFO",      "KEYS", "LASTSAVE", "LOLWUT",
    "PING",    "PUBLISH", "PUBSUB", "RANDOMKEY", "SCAN", "TIME",
};

// EVAL script numkeys key...
constexpr std::string_view kWithCountedKeys[] = {
    "EVAL", "EVALSHA", "EVALSHA_RO", "EVAL_RO", "FCALL", "FCALL_RO",
};

constexpr std::string_view kReads[] = {
    "EXISTS",        "GET",         "GETDEL",    "GETEX",    "GETRANGE", "HEXISTS",   "HGET",
    "HGETALL",       "HKEYS",       "HLEN",      "HMGET",    "HVALS",    "LINDEX",    "LLEN",
    "LPOP",          "LRANGE",      "MGET",      "RPOP",     "SCARD",    "SISMEMBER", "SMEMBERS",
    "SPOP",          "SRANDMEMBER", "STRLEN",    "ZCARD",    "ZPOPMAX",  "ZPOPMIN",   "ZRANGE",
    "ZRANGEBYSCORE", "ZRANK",       "ZREVRANGE", "ZREVRANK", "ZSCORE",
};

template <size_t kSize>
bool Contains(const std::string_view (&names)[kSize], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::string Capitals(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return capitals;
}

// Whether a report can show it.
bool IsName(std::string_view command) {
  return command.size() <= 40 && std::all_of(command.begin(), command.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

// XREAD waits where it says so, and names its keys far behind.
bool IsLeftOut(const MonitorRecord& record, size_t request, std::string_view command) {
  if (Contains(kLeftOut, command)) return true;
  if (command != "XREAD" && command != "XREADGROUP") return false;
  for (size_t i = 1; i < record.arguments(request); ++i) {
    if (Capitals(record.argument(request, i)) == "BLOCK") return true;
  }
  return false;
}

// 0: none.
uint16_t KeyArgument(const MonitorRecord& record, size_t request, std::string_view command) {
  const size_t arguments = record.arguments(request);
  if (arguments < 2 || Contains(kWithoutKey, command)) return 0;
  if (Contains(kWithCountedKeys, command)) {
    return arguments > 3 && record.argument(request, 2) != "0" ? 3 : 0;
  }
  if (command == "XREAD" || command == "XREADGROUP") {
    for (size_t i = 1; i + 1 < std::min<size_t>(arguments, 64); ++i) {
      if (Capitals(record.argument(request, i)) == "STREAMS") return static_cast<uint16_t>(i + 1);
    }
    return 0;
  }
  if (command == "OBJECT" || command == "XINFO" || command == "XGROUP") {
    return arguments > 2 ? 2 : 0;
  }
  return 1;
}

}  // namespace

MonitorPlan::MonitorPlan(std::shared_ptr<const MonitorRecord> record, int threads)
    : record_(std::move(record)) {
  std::unordered_map<std::string, uint16_t> numbers;
  for (size_t request = 0; request < record_->size(); ++request) {
    std::string command = Capitals(record_->argument(request, 0));
    if (IsLeftOut(*record_, request, command)) continue;
    Sent sent = {.request = request, .key_argument = KeyArgument(*record_, request, command)};
    if (sent.key_argument > 0) {
      sent.thread =
          static_cast<uint32_t>(kv::HashKey(record_->argument(request, sent.key_argument)) %
                                static_cast<uint64_t>(threads));
    }
    const bool is_full = numbers.size() >= kMostCommands && numbers.count(command) == 0;
    if (is_full || !IsName(command)) command = kOthers;
    const auto [found, is_new] = numbers.emplace(command, static_cast<uint16_t>(commands_.size()));
    if (is_new) {
      reads_.push_back(Contains(kReads, command));
      commands_.push_back(std::move(command));
    }
    sent.command = found->second;
    sent_.push_back(sent);
  }
}

MonitorSource::MonitorSource(const MonitorPlan& plan, int thread)
    : plan_(plan),
      thread_(static_cast<uint32_t>(thread)),
      arguments_(plan.record().most_arguments()) {}

Request MonitorSource::Next() {
  const MonitorRecord& record = plan_.record();
  while (next_ < plan_.sent().size()) {
    const MonitorPlan::Sent& sent = plan_.sent()[next_++];
    if (sent.thread != thread_) continue;
    const size_t count = record.arguments(sent.request);
    for (size_t i = 0; i < count; ++i) arguments_[i] = record.argument(sent.request, i);
    return {.operation = sent.command,
            .key_argument = sent.key_argument,
            .at_nanos = record.at_micros(sent.request) * 1000,
            .arguments = {arguments_.data(), count}};
  }
  return {};
}

Outcome MonitorSource::Judge(uint16_t operation, uint64_t, const clients::Reply& reply) const {
  if (!plan_.reads(operation)) return Outcome::kDone;
  switch (reply.type()) {
    case clients::ReplyType::kNil:
      return Outcome::kMiss;
    case clients::ReplyType::kInteger:
      return reply.integer() == 0 ? Outcome::kMiss : Outcome::kHit;
    case clients::ReplyType::kArray:
      return reply.size() == 0 || reply[0].is_nil() ? Outcome::kMiss : Outcome::kHit;
    default:
      return Outcome::kHit;
  }
}

}  // namespace bench::remote
