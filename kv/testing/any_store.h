// AnyStore: an AnyEngine that models the engine contract again, for code that takes an engine as a
// template parameter: it is compiled once, for this type, instead of once for each engine.
//
// The type offers every call. What the engine behind it lacks is refused when it is called, and a
// cursor over one without an order is never valid: ask the Capabilities of the composition first.
//
// Thread safety: that of the engine. Not for measuring: each call is virtual.
#ifndef KV_TESTING_ANY_STORE_H_
#define KV_TESTING_ANY_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/contract/engine.h"
#include "kv/testing/any_engine.h"

namespace kv::testing {

// A source of any type, as an AnySource.
template <SortedSource S>
class SourceAdapter final : public AnySource {
 public:
  explicit SourceAdapter(S& source) : source_(source) {}
  bool Valid() const override { return source_.Valid(); }
  void Next() override { source_.Next(); }
  std::string_view key() const override { return source_.key(); }
  std::string_view value() const override { return source_.value(); }
  uint64_t expires_at() const override { return ExpiresAtOf(source_); }
  absl::Status status() const override { return source_.status(); }

 private:
  S& source_;
};

class AnyStore {
 public:
  static constexpr bool kDurable = false;  // not that the type knows
  static constexpr bool kOrdered = true;
  static constexpr bool kExpiry = true;

  class Cursor {
   public:
    explicit Cursor(std::unique_ptr<AnyCursor> cursor) : cursor_(std::move(cursor)) {}
    bool Valid() const { return cursor_ != nullptr && cursor_->Valid(); }
    void SeekToFirst() { cursor_->SeekToFirst(); }
    void SeekToLast() { cursor_->SeekToLast(); }
    void Seek(std::string_view key) { cursor_->Seek(key); }
    void SeekForPrev(std::string_view key) { cursor_->SeekForPrev(key); }
    void Next() { cursor_->Next(); }
    void Prev() { cursor_->Prev(); }
    std::string_view key() const { return cursor_->key(); }
    std::string_view value() const { return cursor_->value(); }
    uint64_t expires_at() const { return cursor_->expires_at(); }
    absl::Status status() const { return cursor_->status(); }

   private:
    std::unique_ptr<AnyCursor> cursor_;
  };

  using Snapshot = std::unique_ptr<AnySnapshot>;

  explicit AnyStore(std::unique_ptr<AnyEngine> engine) : engine_(std::move(engine)) {}

  // The type does not know which engine it is.
  static std::string Descriptor() { return "{}"; }
  static absl::StatusOr<std::unique_ptr<AnyStore>> Open(const Options&) {
    return absl::UnimplementedError("a composition opens the engine");
  }

  absl::Status Get(std::string_view key, std::string* value) { return engine_->Get(key, value); }
  absl::Status Get(std::string_view key, std::string* value, const Snapshot& snapshot) {
    return engine_->Get(key, value, *snapshot);
  }
  absl::Status Put(std::string_view key, std::string_view value) {
    return engine_->Put(key, value);
  }
  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options) {
    return engine_->Put(key, value, options);
  }
  absl::Status Delete(std::string_view key) { return engine_->Delete(key); }
  absl::Status Write(const WriteBatch& batch) { return engine_->Write(batch); }
  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    return engine_->DeleteRange(begin, end);
  }
  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    SourceAdapter<S> any(source);
    return engine_->BulkLoad(any);
  }
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    engine_->MultiGet(keys, values, statuses);
  }
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    return engine_->CompareAndSet(key, expected, desired, options);
  }
  absl::StatusOr<uint64_t> Count(std::string_view prefix) { return engine_->Count(prefix); }
  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    return engine_->ExpireAt(key, expires_at);
  }
  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) { return engine_->ExpiresAt(key); }
  Statistics Stats() { return engine_->Stats(); }
  absl::Status Flush() { return engine_->Flush(); }
  absl::Status Close() { return engine_->Close(); }

  Snapshot TakeSnapshot() { return engine_->TakeSnapshot(); }
  Cursor NewCursor(const CursorBounds& bounds = {}) { return Cursor(engine_->NewCursor(bounds)); }
  Cursor NewCursor(const CursorBounds& bounds, const Snapshot& snapshot) {
    return Cursor(engine_->NewCursor(bounds, snapshot.get()));
  }

  absl::Status Compact() { return engine_->Compact(); }
  absl::Status CompactRange(std::string_view begin, std::string_view end) {
    return engine_->CompactRange(begin, end);
  }
  absl::Status Verify() { return engine_->Verify(); }
  absl::Status Checkpoint(const std::string& directory) { return engine_->Checkpoint(directory); }

 private:
  std::unique_ptr<AnyEngine> engine_;
};

static_assert(OrderedEngine<AnyStore>);

}  // namespace kv::testing

#endif  // KV_TESTING_ANY_STORE_H_
