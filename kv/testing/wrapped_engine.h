// Engines with one bug: a wrapper around a reference that forwards everything, for the tests that
// show the suite refusing what is wrong. A bug overrides what it breaks.
//
// Thread safety: that of the reference.
#ifndef KV_TESTING_WRAPPED_ENGINE_H_
#define KV_TESTING_WRAPPED_ENGINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_engine.h"
#include "kv/testing/reference_store.h"

namespace kv::testing {

class Wrapped : public AnyEngine {
 public:
  Wrapped()
      : Wrapped(std::make_unique<EngineAdapter<ReferenceEngine>>(
            std::make_unique<ReferenceEngine>(SystemClock{}))) {}
  explicit Wrapped(std::unique_ptr<AnyEngine> inner) : owned_(std::move(inner)), inner_(*owned_) {}

  absl::Status Get(std::string_view key, std::string* value) override {
    return inner_.Get(key, value);
  }
  absl::Status Put(std::string_view key, std::string_view value) override {
    return Put(key, value, PutOptions{});
  }
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    return inner_.Put(key, value, options);
  }
  absl::Status Delete(std::string_view key) override { return inner_.Delete(key); }
  absl::Status Write(const WriteBatch& batch) override { return inner_.Write(batch); }
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    return inner_.DeleteRange(begin, end);
  }
  absl::Status BulkLoad(AnySource& source) override { return inner_.BulkLoad(source); }
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) override {
    inner_.MultiGet(keys, values, statuses);
  }
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options) override {
    return inner_.CompareAndSet(key, expected, desired, options);
  }
  absl::StatusOr<uint64_t> Count(std::string_view prefix) override { return inner_.Count(prefix); }
  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) override {
    return inner_.ExpireAt(key, expires_at);
  }
  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) override {
    return inner_.ExpiresAt(key);
  }
  Statistics Stats() override { return inner_.Stats(); }
  absl::Status Flush() override { return inner_.Flush(); }
  absl::Status Close() override { return inner_.Close(); }
  std::unique_ptr<AnySnapshot> TakeSnapshot() override { return inner_.TakeSnapshot(); }
  absl::Status Get(std::string_view key, std::string* value, const AnySnapshot& snapshot) override {
    return inner_.Get(key, value, snapshot);
  }
  std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds,
                                       const AnySnapshot* snapshot) override {
    return inner_.NewCursor(bounds, snapshot);
  }
  absl::Status Compact() override { return inner_.Compact(); }
  absl::Status Verify() override { return inner_.Verify(); }
  absl::Status Checkpoint(const std::string& directory) override {
    return inner_.Checkpoint(directory);
  }
  absl::Status CompactRange(std::string_view begin, std::string_view end) override {
    return inner_.CompactRange(begin, end);
  }

 private:
  std::unique_ptr<AnyEngine> owned_;

 protected:
  AnyEngine& inner_;
};

// A bug that more than one test plants.
class AppliesBatchesOneByOne : public Wrapped {
 public:
  absl::Status Write(const WriteBatch& batch) override {
    absl::Status status;
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      status.Update(record.kind == RecordKind::kTombstone
                        ? inner_.Delete(record.key)
                        : inner_.Put(record.key, record.value, {.expires_at = record.expires_at}));
      std::this_thread::yield();
    });
    return status;
  }
};

// The reference with the bug of `Broken`.
template <typename Broken>
Composition CompositionWith() {
  Composition composition = CompositionOf<ReferenceEngine>("Broken");
  composition.open = [](const Options&) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
    return std::make_unique<Broken>();
  };
  return composition;
}

// The same for a durable engine, around the reference store. `Broken` is made of the store and the
// directory that it is in.
template <typename Broken>
Composition StoreWith() {
  Composition composition = CompositionOf<ReferenceStore<>>("Broken");
  composition.open = [open = composition.open](
                         const Options& options) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
    KV_ASSIGN_OR_RETURN(auto store, open(options));
    return std::make_unique<Broken>(std::move(store), options.directory);
  };
  return composition;
}

// Each of these checks fails on the broken engine. Others may too.
inline void ExpectRefused(const Composition& composition,
                          const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    bool known = false;
    for (const Check& check : AllChecks()) {
      if (check.name != name) continue;
      known = true;
      EXPECT_FALSE(RunCheck(check, composition).empty()) << name << " lets the broken engine pass";
    }
    EXPECT_TRUE(known) << name;
  }
}

}  // namespace kv::testing

#endif  // KV_TESTING_WRAPPED_ENGINE_H_
