// EngineAdapter<E>: an engine that models the contract, as an AnyEngine. It forwards and decides
// nothing, so that what the suites see is what the engine does. This and CompositionOf<E> are all
// that is compiled for each composition.
#ifndef KV_TESTING_ENGINE_ADAPTER_H_
#define KV_TESTING_ENGINE_ADAPTER_H_

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
#include "kv/testing/composition.h"

namespace kv::testing {

template <Cursor C>
class CursorAdapter final : public AnyCursor {
 public:
  explicit CursorAdapter(C cursor) : cursor_(std::move(cursor)) {}
  bool Valid() const override { return cursor_.Valid(); }
  void SeekToFirst() override { cursor_.SeekToFirst(); }
  void SeekToLast() override { cursor_.SeekToLast(); }
  void Seek(std::string_view key) override { cursor_.Seek(key); }
  void SeekForPrev(std::string_view key) override { cursor_.SeekForPrev(key); }
  void Next() override { cursor_.Next(); }
  void Prev() override { cursor_.Prev(); }
  std::string_view key() const override { return cursor_.key(); }
  std::string_view value() const override { return cursor_.value(); }
  uint64_t expires_at() const override { return ExpiresAtOf(cursor_); }
  absl::Status status() const override { return cursor_.status(); }

 private:
  C cursor_;
};

template <typename S>
class SnapshotAdapter final : public AnySnapshot {
 public:
  explicit SnapshotAdapter(S snapshot) : snapshot_(std::move(snapshot)) {}
  static const S& Of(const AnySnapshot& snapshot) {
    return static_cast<const SnapshotAdapter&>(snapshot).snapshot_;
  }

 private:
  S snapshot_;
};

template <Engine E>
class EngineAdapter final : public AnyEngine {
 public:
  explicit EngineAdapter(std::unique_ptr<E> engine) : engine_(std::move(engine)) {}

  absl::Status Get(std::string_view key, std::string* value) override {
    return engine_->Get(key, value);
  }
  // The two-argument form is forwarded as such: an engine may implement it apart.
  absl::Status Put(std::string_view key, std::string_view value) override {
    return engine_->Put(key, value);
  }
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    return engine_->Put(key, value, options);
  }
  absl::Status Delete(std::string_view key) override { return engine_->Delete(key); }
  absl::Status Write(const WriteBatch& batch) override { return engine_->Write(batch); }
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    return engine_->DeleteRange(begin, end);
  }
  absl::Status BulkLoad(AnySource& source) override { return engine_->BulkLoad(source); }
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) override {
    engine_->MultiGet(keys, values, statuses);
  }
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options) override {
    return engine_->CompareAndSet(key, expected, desired, options);
  }
  absl::StatusOr<uint64_t> Count(std::string_view prefix) override {
    return engine_->Count(prefix);
  }
  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) override {
    if constexpr (E::kExpiry) {
      return engine_->ExpireAt(key, expires_at);
    } else {
      return Invalid("a call of ExpireAt need not compile without an Expiry part");
    }
  }
  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) override {
    return engine_->ExpiresAt(key);
  }
  Statistics Stats() override { return engine_->Stats(); }
  absl::Status Flush() override { return engine_->Flush(); }
  absl::Status Close() override { return engine_->Close(); }

  std::unique_ptr<AnySnapshot> TakeSnapshot() override {
    if constexpr (OrderedEngine<E>) {
      using Snapshot = typename E::Snapshot;
      return std::make_unique<SnapshotAdapter<Snapshot>>(engine_->TakeSnapshot());
    } else {
      return nullptr;
    }
  }
  absl::Status Get(std::string_view key, std::string* value, const AnySnapshot& snapshot) override {
    if constexpr (OrderedEngine<E>) {
      return engine_->Get(key, value, SnapshotAdapter<typename E::Snapshot>::Of(snapshot));
    } else {
      return absl::UnimplementedError("the engine is not ordered");
    }
  }
  std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds,
                                       const AnySnapshot* snapshot) override {
    if constexpr (OrderedEngine<E>) {
      using Adapter = CursorAdapter<typename E::Cursor>;
      using Snapshot = typename E::Snapshot;
      if (snapshot != nullptr) {
        return std::make_unique<Adapter>(
            engine_->NewCursor(bounds, SnapshotAdapter<Snapshot>::Of(*snapshot)));
      }
      // The form without bounds is the one that most callers use; it is not left untested.
      if (bounds.lower.empty() && bounds.upper.empty()) {
        return std::make_unique<Adapter>(engine_->NewCursor());
      }
      return std::make_unique<Adapter>(engine_->NewCursor(bounds));
    } else {
      return nullptr;
    }
  }

  absl::Status Compact() override {
    if constexpr (DurableEngine<E>) {
      return engine_->Compact();
    } else {
      return absl::UnimplementedError("the engine is not durable");
    }
  }
  absl::Status Verify() override {
    if constexpr (DurableEngine<E>) {
      return engine_->Verify();
    } else {
      return absl::UnimplementedError("the engine is not durable");
    }
  }
  absl::Status Checkpoint(const std::string& directory) override {
    if constexpr (DurableEngine<E>) {
      return engine_->Checkpoint(directory);
    } else {
      return absl::UnimplementedError("the engine is not durable");
    }
  }
  absl::Status CompactRange(std::string_view begin, std::string_view end) override {
    if constexpr (DurableEngine<E> && CompactsRanges<E>) {
      return engine_->CompactRange(begin, end);
    } else {
      return absl::UnimplementedError("the engine is not both durable and ordered");
    }
  }

 private:
  std::unique_ptr<E> engine_;
};

// What E says of itself. `E::kDurableOnReturn`, where E has it, is its commit policy's word; a
// durable engine that does not say is held to the strict promise.
template <Engine E>
constexpr Capabilities CapabilitiesOf() {
  // An engine that claims a capability models its concept, and the other way round.
  static_assert(!E::kOrdered || OrderedEngine<E>, "kOrdered, but OrderedEngine is not modelled");
  static_assert(!E::kDurable || DurableEngine<E>, "kDurable, but DurableEngine is not modelled");
  Capabilities has{.durable = E::kDurable, .ordered = E::kOrdered, .expiry = E::kExpiry};
  if constexpr (requires { static_cast<bool>(E::kDurableOnReturn); }) {
    has.durable_on_return = has.durable && E::kDurableOnReturn;
  } else {
    has.durable_on_return = has.durable;
  }
  return has;
}

template <Engine E>
absl::StatusOr<std::unique_ptr<AnyEngine>> Erase(absl::StatusOr<std::unique_ptr<E>> engine) {
  if (!engine.ok()) return engine.status();
  return std::make_unique<EngineAdapter<E>>(*std::move(engine));
}

// E as it opens by itself: on the machine's files and clock.
template <Engine E>
Composition CompositionOf(std::string name) {
  Composition composition;
  composition.name = std::move(name);
  composition.descriptor = std::string(E::Descriptor());
  composition.has = CapabilitiesOf<E>();
  composition.open = [](const Options& options) { return Erase<E>(E::Open(options)); };
  return composition;
}

// E on the given files and clock, which the engine copies. Checks that reach for real files behind
// the engine's back are left out; set real_files where there are some.
template <DurableEngine E>
Composition CompositionOf(std::string name, const typename E::Environment& environment) {
  Composition composition = CompositionOf<E>(std::move(name));
  composition.open = [environment](const Options& options) {
    return Erase<E>(E::Open(options, environment));
  };
  composition.real_files = false;
  composition.unix_millis = [clock = environment.clock] { return clock.UnixMillis(); };
  auto clock = environment.clock;
  if constexpr (requires { clock.AdvanceMillis(uint64_t{1}); }) {
    composition.manual_clock = true;
    composition.advance_millis = [clock](uint64_t millis) mutable { clock.AdvanceMillis(millis); };
  }
  return composition;
}

}  // namespace kv::testing

#endif  // KV_TESTING_ENGINE_ADAPTER_H_
