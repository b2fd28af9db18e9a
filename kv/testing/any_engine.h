// AnyEngine: the engine contract behind virtual functions, so that the suites in this folder are
// compiled once and run over every composition. It mirrors kv/contract/engine.h call by call;
// what the contract says of a call holds here too.
//
// The calls that only some engines have answer kUnimplemented (or an absent cursor) where the
// Capabilities of the composition say that they are missing; checks ask those first.
//
// Not for use outside tests: it pays a virtual call and, for cursors, an allocation.
#ifndef KV_TESTING_ANY_ENGINE_H_
#define KV_TESTING_ANY_ENGINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/contract/engine.h"
#include "kv/contract/options.h"
#include "kv/contract/sorted_source.h"
#include "kv/contract/statistics.h"
#include "kv/contract/write_batch.h"

namespace kv::testing {

// A SortedSource of any kind.
class AnySource {
 public:
  virtual ~AnySource() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual uint64_t expires_at() const = 0;
  virtual absl::Status status() const = 0;
};

// Also a source, whose entries expire where the engine's cursor says so.
class AnyCursor : public AnySource {
 public:
  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  virtual void Seek(std::string_view key) = 0;
  virtual void SeekForPrev(std::string_view key) = 0;
  virtual void Prev() = 0;
  uint64_t expires_at() const override { return kNeverExpires; }
};

// Opaque: only the engine that took it can read it.
class AnySnapshot {
 public:
  virtual ~AnySnapshot() = default;
};

class AnyEngine {
 public:
  virtual ~AnyEngine() = default;

  virtual absl::Status Get(std::string_view key, std::string* value) = 0;
  virtual absl::Status Put(std::string_view key, std::string_view value) = 0;
  virtual absl::Status Put(std::string_view key, std::string_view value,
                           const PutOptions& options) = 0;
  virtual absl::Status Delete(std::string_view key) = 0;
  virtual absl::Status Write(const WriteBatch& batch) = 0;
  virtual absl::Status DeleteRange(std::string_view begin, std::string_view end) = 0;
  virtual absl::Status BulkLoad(AnySource& source) = 0;
  virtual void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                        std::span<absl::Status> statuses) = 0;
  virtual absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                                  std::optional<std::string_view> expected,
                                                  std::optional<std::string_view> desired,
                                                  const PutOptions& options) = 0;
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired) {
    return CompareAndSet(key, expected, desired, PutOptions{});
  }
  virtual absl::StatusOr<uint64_t> Count(std::string_view prefix) = 0;
  virtual absl::Status ExpireAt(std::string_view key, uint64_t expires_at) = 0;
  virtual absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) = 0;
  virtual Statistics Stats() = 0;
  virtual absl::Status Flush() = 0;
  virtual absl::Status Close() = 0;

  // Ordered engines.
  virtual std::unique_ptr<AnySnapshot> TakeSnapshot() = 0;
  virtual absl::Status Get(std::string_view key, std::string* value,
                           const AnySnapshot& snapshot) = 0;
  // `snapshot` null: the state at the moment of the call.
  virtual std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds,
                                               const AnySnapshot* snapshot) = 0;
  std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds = {}) {
    return NewCursor(bounds, nullptr);
  }

  // Durable engines.
  virtual absl::Status Compact() = 0;
  virtual absl::Status Verify() = 0;
  virtual absl::Status Checkpoint(const std::string& directory) = 0;

  // Engines that are both.
  virtual absl::Status CompactRange(std::string_view begin, std::string_view end) = 0;
};

static_assert(SortedSource<AnySource>);

}  // namespace kv::testing

#endif  // KV_TESTING_ANY_ENGINE_H_
