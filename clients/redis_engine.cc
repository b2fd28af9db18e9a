// Memory order: counters are relaxed, since they order nothing. closed_ is relaxed too: Close must
// be the last call, and a call that comes after it in some order sees it.
#include "clients/redis_engine.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "clients/connection.h"
#include "clients/errors.h"
#include "clients/url.h"
#include "fmt/format.h"

namespace clients {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// A missing value is false in Lua, and false is nil in a reply.
constexpr std::string_view kScriptTexts[] = {
    // KEYS: the key. ARGV: whether a value is expected, the value; whether one is desired, the
    // value; its last moment, or 0.
    R"(local value = redis.call('GET', KEYS[1])
local expected = false
if ARGV[1] == '1' then expected = ARGV[2] end
if value ~= expected then return {0, value} end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
elseif ARGV[5] == '0' then
  redis.call('SET', KEYS[1], ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PXAT', ARGV[5])
end
return {1})",
    // ARGV: begin, end. Lua's own < goes by the server's locale.
    R"(local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local cursor = '0'
repeat
  local page = redis.call('SCAN', cursor, 'COUNT', 1000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    if not less(key, ARGV[1]) and (ARGV[2] == '' or less(key, ARGV[2])) then
      redis.call('DEL', key)
    end
  end
until cursor == '0'
return redis.status_reply('OK'))",
    // ARGV: the prefix. SCAN may show a key twice.
    R"(local seen, count, cursor = {}, 0, '0'
repeat
  local page = redis.call('SCAN', cursor, 'COUNT', 1000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    if not seen[key] and string.sub(key, 1, #ARGV[1]) == ARGV[1] then
      seen[key] = true
      count = count + 1
    end
  end
until cursor == '0'
return count)",
    // KEYS: the key. ARGV: its last moment, or 0.
    R"(if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[1] == '0' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
end
return 1)",
};

// The last moment at which a key is there, for the server; "0": it never expires. A moment before
// the first that the server takes has passed as well.
absl::StatusOr<std::string> LastMoment(uint64_t expires_at) {
  if (expires_at > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return kv::Invalid("a server does not count to this expires_at");
  }
  if (expires_at == kv::kNeverExpires) return "0";
  return std::to_string(std::max<uint64_t>(expires_at - 1, 1));
}

absl::Status AppendPut(std::string_view key, std::string_view value, uint64_t expires_at,
                       std::string* bytes) {
  KV_ASSIGN_OR_RETURN(const std::string last, LastMoment(expires_at));
  if (last == "0") return AppendCommand({"SET", key, value}, bytes);
  return AppendCommand({"SET", key, value, "PXAT", last}, bytes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisEngine>> RedisEngine::Open(const kv::Options& options) {
  KV_ASSIGN_OR_RETURN(Url url, ParseUrl(options.directory));
  return Open(ConnectOptions{.url = std::move(url)});
}

absl::StatusOr<std::unique_ptr<RedisEngine>> RedisEngine::Open(const ConnectOptions& options) {
  if (options.url.cluster) return kv::Invalid("the engine is for one server, and not for clusters");
  KV_ASSIGN_OR_RETURN(auto pool, Pool::Create(options, kConnections));
  std::unique_ptr<RedisEngine> engine(new RedisEngine(std::move(pool)));
  KV_RETURN_IF_ERROR(engine->LoadScripts());
  return engine;
}

absl::Status RedisEngine::LoadScripts() {
  static_assert(std::size(kScriptTexts) == kScripts);
  for (size_t i = 0; i < kScripts; ++i) {
    KV_ASSIGN_OR_RETURN(const Reply reply, Run({"SCRIPT", "LOAD", kScriptTexts[i]}));
    KV_ASSIGN_OR_RETURN(const std::string_view digest, ExpectString(reply.root()));
    digests_[i] = digest;
  }
  return absl::OkStatus();
}

absl::Status RedisEngine::CheckOpen() const {
  if (closed_.load(kRelaxed)) return absl::FailedPreconditionError("the engine is closed");
  return absl::OkStatus();
}

absl::StatusOr<Reply> RedisEngine::Run(Arguments arguments) {
  KV_RETURN_IF_ERROR(CheckOpen());
  KV_ASSIGN_OR_RETURN(auto lease, pool_->Take());
  return lease->Run(arguments);
}

absl::StatusOr<Reply> RedisEngine::RunScript(Script script,
                                             std::initializer_list<std::string_view> keys,
                                             std::initializer_list<std::string_view> arguments) {
  KV_RETURN_IF_ERROR(CheckOpen());
  const std::string key_count = std::to_string(keys.size());
  std::vector<std::string_view> words = {"EVALSHA", digests_[script], key_count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  KV_ASSIGN_OR_RETURN(auto lease, pool_->Take());
  // A server that was restarted has forgotten the scripts, and has then run none.
  for (const bool again : {false, true}) {
    if (again) {
      words[0] = "EVAL";
      words[1] = kScriptTexts[script];
    }
    std::string bytes;
    KV_RETURN_IF_ERROR(AppendCommand(words, &bytes));
    Reply reply;
    size_t answered = 0;
    KV_RETURN_IF_ERROR(lease->Exchange(bytes, std::span(&reply, 1), &answered));
    if (!reply.is_error()) return reply;
    if (again || KindOf(reply.text()) != ErrorKind::kNoScript) {
      return ErrorStatus(lease->peer(), reply.text());
    }
  }
  return absl::InternalError("a script was neither run nor refused");
}

absl::Status RedisEngine::Get(std::string_view key, std::string* value) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(key));
  KV_ASSIGN_OR_RETURN(const Reply reply, Run({"GET", key}));
  KV_ASSIGN_OR_RETURN(const auto found, ExpectOptionalString(reply.root()));
  counters_.reads.fetch_add(1, kRelaxed);
  if (!found.has_value()) return kv::NotFound();
  counters_.read_hits.fetch_add(1, kRelaxed);
  value->assign(*found);
  return absl::OkStatus();
}

absl::Status RedisEngine::Put(std::string_view key, std::string_view value,
                              const kv::PutOptions& options) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(key, value));
  KV_ASSIGN_OR_RETURN(const std::string last, LastMoment(options.expires_at));
  KV_ASSIGN_OR_RETURN(const Reply reply, last == "0" ? Run({"SET", key, value})
                                                     : Run({"SET", key, value, "PXAT", last}));
  KV_RETURN_IF_ERROR(ExpectOk(reply.root()));
  CountWrites(1, key.size() + value.size());
  return absl::OkStatus();
}

absl::Status RedisEngine::Delete(std::string_view key) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(key));
  KV_ASSIGN_OR_RETURN(const Reply reply, Run({"DEL", key}));
  KV_RETURN_IF_ERROR(ExpectInteger(reply.root()).status());
  CountWrites(1, key.size());
  return absl::OkStatus();
}

absl::Status RedisEngine::Write(const kv::WriteBatch& batch) {
  KV_RETURN_IF_ERROR(CheckOpen());
  if (batch.Empty()) return absl::OkStatus();
  std::string commands;
  KV_RETURN_IF_ERROR(AppendCommand({"MULTI"}, &commands));
  absl::Status status;
  uint64_t bytes = 0;
  const bool whole = kv::WriteBatch::ForEach(batch.Bytes(), 0, [&](const kv::Record& record) {
    if (!status.ok()) return;
    status = kv::CheckSizes(record.key, record.value);
    if (!status.ok()) return;
    bytes += record.key.size() + record.value.size();
    status = record.kind == kv::RecordKind::kTombstone
                 ? AppendCommand({"DEL", record.key}, &commands)
                 : AppendPut(record.key, record.value, record.expires_at, &commands);
  });
  KV_RETURN_IF_ERROR(status);
  if (!whole) return kv::Invalid("a write batch that is not well formed");
  KV_RETURN_IF_ERROR(AppendCommand({"EXEC"}, &commands));
  KV_RETURN_IF_ERROR(RunMulti(commands, batch.Count() + 2));
  CountWrites(batch.Count(), bytes);
  return absl::OkStatus();
}

absl::Status RedisEngine::RunMulti(std::string_view commands, size_t count) {
  KV_ASSIGN_OR_RETURN(auto lease, pool_->Take());
  std::vector<Reply> replies(count);
  size_t answered = 0;
  KV_RETURN_IF_ERROR(lease->Exchange(commands, replies, &answered));
  // The first error says why EXEC ran nothing.
  for (const Reply& reply : replies) {
    if (reply.is_error()) return ErrorStatus(lease->peer(), reply.text());
  }
  const Reply& results = replies.back();
  KV_RETURN_IF_ERROR(ExpectArray(results.root()));
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].is_error()) return ErrorStatus(lease->peer(), results[i].text());
  }
  return absl::OkStatus();
}

absl::Status RedisEngine::DeleteRange(std::string_view begin, std::string_view end) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(begin));
  KV_RETURN_IF_ERROR(kv::CheckSizes(end));
  KV_ASSIGN_OR_RETURN(const Reply reply, RunScript(kDeleteRange, {}, {begin, end}));
  KV_RETURN_IF_ERROR(ExpectOk(reply.root()));
  CountWrites(1, begin.size() + end.size());
  return absl::OkStatus();
}

void RedisEngine::MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                           std::span<absl::Status> statuses) {
  std::vector<std::string_view> words = {"MGET"};
  std::vector<size_t> asked;
  for (size_t i = 0; i < keys.size(); ++i) {
    statuses[i] = kv::CheckSizes(keys[i]);
    if (!statuses[i].ok()) continue;
    words.push_back(keys[i]);
    asked.push_back(i);
  }
  if (asked.empty()) return;
  absl::StatusOr<Reply> reply = Run(words);
  if (reply.ok()) {
    absl::Status shape = ExpectArray(reply->root());
    if (shape.ok() && reply->size() != asked.size()) {
      shape = absl::InternalError("MGET answers another number of values than of keys");
    }
    if (!shape.ok()) reply = shape;
  }
  uint64_t hits = 0;
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto found = reply.ok() ? ExpectOptionalString((*reply)[i])
                                  : absl::StatusOr<std::optional<std::string_view>>(reply.status());
    absl::Status& status = statuses[asked[i]];
    status = found.status();
    if (!status.ok()) continue;
    if (!found->has_value()) {
      status = kv::NotFound();
      continue;
    }
    values[asked[i]].assign(**found);
    ++hits;
  }
  if (!reply.ok()) return;
  counters_.reads.fetch_add(asked.size(), kRelaxed);
  counters_.read_hits.fetch_add(hits, kRelaxed);
}

absl::StatusOr<kv::CasResult> RedisEngine::CompareAndSet(std::string_view key,
                                                         std::optional<std::string_view> expected,
                                                         std::optional<std::string_view> desired,
                                                         const kv::PutOptions& options) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(key, expected.value_or("")));
  KV_RETURN_IF_ERROR(kv::CheckSizes(key, desired.value_or("")));
  KV_ASSIGN_OR_RETURN(const std::string last, LastMoment(options.expires_at));
  KV_ASSIGN_OR_RETURN(const Reply reply,
                      RunScript(kCompareAndSet, {key},
                                {expected.has_value() ? "1" : "0", expected.value_or(""),
                                 desired.has_value() ? "1" : "0", desired.value_or(""), last}));
  KV_RETURN_IF_ERROR(ExpectArray(reply.root()));
  if (reply.size() == 0) return WrongType(reply.root(), "what a script answers");
  KV_ASSIGN_OR_RETURN(const int64_t swapped, ExpectInteger(reply[0]));
  counters_.cas_attempts.fetch_add(1, kRelaxed);
  if (swapped == 1) {
    CountWrites(1, key.size() + desired.value_or("").size());
    return kv::CasResult{.swapped = true};
  }
  counters_.cas_failures.fetch_add(1, kRelaxed);
  kv::CasResult result;
  if (reply.size() < 2) return result;
  KV_ASSIGN_OR_RETURN(const auto current, ExpectOptionalString(reply[1]));
  if (current.has_value()) result.current.emplace(*current);
  return result;
}

absl::StatusOr<uint64_t> RedisEngine::Count(std::string_view prefix) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(prefix));
  KV_ASSIGN_OR_RETURN(const Reply reply, RunScript(kCount, {}, {prefix}));
  KV_ASSIGN_OR_RETURN(const int64_t count, ExpectInteger(reply.root()));
  return static_cast<uint64_t>(count);
}

absl::Status RedisEngine::ExpireAt(std::string_view key, uint64_t expires_at) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(key));
  KV_ASSIGN_OR_RETURN(const std::string last, LastMoment(expires_at));
  KV_ASSIGN_OR_RETURN(const Reply reply, RunScript(kExpireAt, {key}, {last}));
  KV_ASSIGN_OR_RETURN(const int64_t found, ExpectInteger(reply.root()));
  return found == 0 ? kv::NotFound() : absl::OkStatus();
}

absl::StatusOr<uint64_t> RedisEngine::ExpiresAt(std::string_view key) {
  KV_RETURN_IF_ERROR(kv::CheckSizes(key));
  KV_ASSIGN_OR_RETURN(const Reply reply, Run({"PEXPIRETIME", key}));
  KV_ASSIGN_OR_RETURN(const int64_t last, ExpectInteger(reply.root()));
  if (last == -2) return kv::NotFound();
  if (last == -1) return kv::kNeverExpires;
  return static_cast<uint64_t>(last) + 1;
}

void RedisEngine::CountWrites(uint64_t records, uint64_t bytes) {
  counters_.writes.fetch_add(records, kRelaxed);
  counters_.user_bytes_written.fetch_add(bytes, kRelaxed);
}

kv::Statistics RedisEngine::Stats() const {
  return {.reads = counters_.reads.load(kRelaxed),
          .read_hits = counters_.read_hits.load(kRelaxed),
          .writes = counters_.writes.load(kRelaxed),
          .user_bytes_written = counters_.user_bytes_written.load(kRelaxed),
          .cas_attempts = counters_.cas_attempts.load(kRelaxed),
          .cas_failures = counters_.cas_failures.load(kRelaxed)};
}

absl::Status RedisEngine::Close() {
  KV_RETURN_IF_ERROR(CheckOpen());
  closed_.store(true, kRelaxed);
  return absl::OkStatus();
}

}  // namespace clients
