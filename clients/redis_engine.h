// A Redis or Valkey server as an engine (kv/contract/engine.h), so that a program moves from an
// embedded engine to a server by changing one type, and every workload and suite runs on both.
//
//   Options options;
//   options.directory = "redis://localhost:6379/1";        where the store is
//   auto engine = RedisEngine::Open(options);
//
// The store is one database of the server, all of it: keys are strings (anything else in there is
// an error to Get, and absent to MultiGet, as MGET has it), and nobody else may select it and
// expect its keys to stay.
//
//   contract                          by
//   one instant for a batch           MULTI ... EXEC
//   CompareAndSet, ExpireAt           a Lua script
//   one instant for Count and         a Lua script that looks at every key of the database: linear,
//   DeleteRange                       and the server does nothing else meanwhile
//   expires_at, the first moment      PXAT, the last moment at which a key is there: one less
//   at which a key is absent
//
// What a server cannot promise through its protocol: durability is what it is configured for, so
// kDurable is false and Flush has nothing to do; and replicas may lag, so the URL is a primary's.
// A write whose connection was lost may have taken effect, as the contract has it for any error.
//
// Needs Redis 7 or Valkey (PEXPIRETIME). Errors: errors.h, and those of the contract.
// Thread safety: as the contract says; each call takes a connection of a pool.
// Complexity: a round trip for each call but BulkLoad, which takes one for each MiB.
// Not for: clusters, where no command and no script sees all keys (cluster.h).
#ifndef CLIENTS_REDIS_ENGINE_H_
#define CLIENTS_REDIS_ENGINE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/command.h"
#include "clients/dialer.h"
#include "clients/pool.h"
#include "clients/reply.h"
#include "kv/contract/engine.h"

namespace clients {

class RedisEngine {
 public:
  static constexpr bool kDurable = false;
  static constexpr bool kOrdered = false;
  static constexpr bool kExpiry = true;
  // The most calls that are at the server at once; more wait.
  static constexpr size_t kConnections = 16;

  static std::string Descriptor() { return R"({"engine":"redis"})"; }

  // Options::directory is the URL.
  static absl::StatusOr<std::unique_ptr<RedisEngine>> Open(const kv::Options& options);
  static absl::StatusOr<std::unique_ptr<RedisEngine>> Open(const ConnectOptions& options);

  absl::Status Get(std::string_view key, std::string* value);
  // kInvalidArgument also: expires_at is over 2^63 - 1, which is as far as a server counts.
  absl::Status Put(std::string_view key, std::string_view value,
                   const kv::PutOptions& options = {});
  absl::Status Delete(std::string_view key);
  absl::Status Write(const kv::WriteBatch& batch);
  absl::Status DeleteRange(std::string_view begin, std::string_view end);
  template <kv::SortedSource Source>
  absl::Status BulkLoad(Source& source) {
    constexpr size_t kBatchBytes = size_t{1} << 20;
    KV_RETURN_IF_ERROR(CheckOpen());
    return kv::LoadInBatches(source, kBatchBytes,
                             [&](const kv::WriteBatch& batch) { return Write(batch); });
  }
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses);
  absl::StatusOr<kv::CasResult> CompareAndSet(std::string_view key,
                                              std::optional<std::string_view> expected,
                                              std::optional<std::string_view> desired,
                                              const kv::PutOptions& options = {});
  absl::StatusOr<uint64_t> Count(std::string_view prefix);
  absl::Status ExpireAt(std::string_view key, uint64_t expires_at);
  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key);
  // What this engine has done; nothing of the server's own.
  kv::Statistics Stats() const;
  absl::Status Flush() { return CheckOpen(); }
  absl::Status Close();

 private:
  enum Script : uint8_t { kCompareAndSet, kDeleteRange, kCount, kExpireAt, kScripts };

  explicit RedisEngine(std::unique_ptr<Pool> pool) : pool_(std::move(pool)) {}

  absl::Status LoadScripts();
  absl::Status CheckOpen() const;
  // One command; an error reply is an error.
  absl::StatusOr<Reply> Run(Arguments arguments);
  absl::StatusOr<Reply> Run(std::initializer_list<std::string_view> arguments) {
    return Run(Arguments(arguments.begin(), arguments.size()));
  }
  absl::StatusOr<Reply> RunScript(Script script, std::initializer_list<std::string_view> keys,
                                  std::initializer_list<std::string_view> arguments);
  absl::Status RunMulti(std::string_view commands, size_t count);
  void CountWrites(uint64_t records, uint64_t bytes);

  // Counters, which order nothing: relaxed throughout.
  struct Counters {
    std::atomic<uint64_t> reads = 0;
    std::atomic<uint64_t> read_hits = 0;
    std::atomic<uint64_t> writes = 0;
    std::atomic<uint64_t> user_bytes_written = 0;
    std::atomic<uint64_t> cas_attempts = 0;
    std::atomic<uint64_t> cas_failures = 0;
  };

  std::unique_ptr<Pool> pool_;
  std::array<std::string, kScripts> digests_;  // by which the server knows the scripts
  std::atomic<bool> closed_ = false;
  Counters counters_;
};

static_assert(kv::Engine<RedisEngine>);

}  // namespace clients

#endif  // CLIENTS_REDIS_ENGINE_H_
