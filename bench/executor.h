// Executes operations on an engine, for one thread: the code inside the timed loop.
//
// An error other than "absent" is kept in failure() and names the operation; the caller stops.
// Thread safety: none; one executor a thread.
#ifndef BENCH_EXECUTOR_H_
#define BENCH_EXECUTOR_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/conditional.h"
#include "bench/operation.h"
#include "kv/base/bytes.h"
#include "kv/contract/engine.h"

namespace bench {

// Keeps the compiler from dropping a read whose bytes nobody looks at.
inline void Consume(std::string_view bytes) { asm volatile("" : : "r"(bytes.data()) : "memory"); }

template <typename E>
concept CompactableEngine = requires(E& engine) {
  { engine.Compact() } -> std::same_as<absl::Status>;
};

template <typename E>
constexpr bool IsDurableOnReturn() {
  if constexpr (requires { static_cast<bool>(E::kDurableOnReturn); }) return E::kDurableOnReturn;
  return false;
}

struct ExecutorCounts {
  uint64_t operations = 0;  // keys, for batches
  uint64_t found = 0;
  uint64_t missed = 0;
  uint64_t retries = 0;
  uint64_t user_bytes = 0;
  uint64_t read_bytes = 0;
};

template <kv::Engine E>
class Executor {
 public:
  explicit Executor(E& engine) : engine_(engine) {}

  const ExecutorCounts& counts() const { return counts_; }
  const absl::Status& failure() const { return failure_; }

  // False after an error.
  bool Execute(const Operation& operation) {
    ++counts_.operations;
    switch (operation.kind) {
      case OperationKind::kGet:
        return Read(operation.key);
      case OperationKind::kPut:
        return Put(operation.key, operation.value, operation.expires_at);
      case OperationKind::kDelete:
        counts_.user_bytes += operation.key.size();
        return Check(engine_.Delete(operation.key));
      case OperationKind::kPutDurable:
        if (!Put(operation.key, operation.value, operation.expires_at)) return false;
        return IsDurableOnReturn<E>() || Check(engine_.Flush());
      case OperationKind::kGetThenPut:
        return Read(operation.key) && Put(operation.key, operation.value, operation.expires_at);
      case OperationKind::kReadModifyWrite:
        return Read(operation.key) && UpdateField(operation);
      case OperationKind::kUpdateField:
        return UpdateField(operation);
      case OperationKind::kIncrement:
        return Increment(operation.key);
      case OperationKind::kMultiGet:
        return MultiGet(operation);
      case OperationKind::kPutBatch:
        return PutBatch(operation);
      case OperationKind::kNext:
      case OperationKind::kPrev:
      case OperationKind::kSeek:
        if constexpr (E::kOrdered) return MoveCursor(operation);
        break;
      case OperationKind::kCompact:
        if constexpr (CompactableEngine<E>) return Check(engine_.Compact());
        break;
      case OperationKind::kCount: {
        const auto count = engine_.Count(operation.key);
        if (!count.ok()) return Check(count.status());
        *count > 0 ? ++counts_.found : ++counts_.missed;
        return true;
      }
      case OperationKind::kAdd:
        counts_.user_bytes += operation.key.size() + operation.value.size();
        return Check(
            Add(engine_, operation.key, operation.value, PutOptionsOf(operation.expires_at))
                .status());
      default:
        return Conditional(operation);
    }
    return Check(kv::Invalid("this composition does not offer the operation"));
  }

 private:
  bool Check(absl::Status status) {
    if (status.ok()) [[likely]]
      return true;
    failure_ = std::move(status);
    return false;
  }

  static kv::PutOptions PutOptionsOf(uint64_t expires_at) {
    return {.expires_at = E::kExpiry ? expires_at : kv::kNeverExpires};
  }

  bool Put(std::string_view key, std::string_view value, uint64_t expires_at) {
    counts_.user_bytes += key.size() + value.size();
    if (expires_at == kv::kNeverExpires) return Check(engine_.Put(key, value));
    return Check(engine_.Put(key, value, PutOptionsOf(expires_at)));
  }

  bool Tally(absl::Status status, std::string_view value) {
    if (status.ok()) {
      ++counts_.found;
      counts_.read_bytes += value.size();
      Consume(value);
      return true;
    }
    if (!absl::IsNotFound(status)) return Check(std::move(status));
    ++counts_.missed;
    return true;
  }

  bool Read(std::string_view key) { return Tally(engine_.Get(key, &value_), value_); }

  bool UpdateField(const Operation& operation) {
    value_.clear();
    if (!Read(operation.key)) return false;
    // An absent record is written whole, so that the store keeps its size.
    const size_t field = operation.value.size();
    if (value_.size() < (operation.length + 1) * field) value_.resize(field * 10);
    std::memcpy(value_.data() + operation.length * field, operation.value.data(), field);
    return Put(operation.key, value_, kv::kNeverExpires);
  }

  bool Increment(std::string_view key) {
    absl::Status status = engine_.Get(key, &value_);
    bool present = status.ok();
    if (!present && !absl::IsNotFound(status)) return Check(std::move(status));
    for (;;) {
      char next[8];
      kv::StoreFixed64(next,
                       1 + (present && value_.size() == 8 ? kv::LoadFixed64(value_.data()) : 0));
      const std::optional<std::string_view> expected =
          present ? std::optional<std::string_view>(value_) : std::nullopt;
      auto result = engine_.CompareAndSet(key, expected, std::string_view(next, 8), {});
      if (!result.ok()) return Check(std::move(result).status());
      if (result->swapped) break;
      ++counts_.retries;
      present = result->current.has_value();
      if (present) value_ = *std::move(result->current);
    }
    ++counts_.found;
    counts_.user_bytes += key.size() + 8;
    return true;
  }

  bool Conditional(const Operation& operation) {
    auto changed = Modify(engine_, operation.kind, operation.key, operation.value, 1,
                          PutOptionsOf(operation.expires_at), &value_, &desired_, &counts_.retries);
    if (!changed.ok()) return Check(std::move(changed).status());
    *changed ? ++counts_.found : ++counts_.missed;
    if (*changed) counts_.user_bytes += operation.key.size() + desired_.size();
    return true;
  }

  bool MultiGet(const Operation& operation) {
    values_.resize(operation.keys.size());
    statuses_.resize(operation.keys.size());
    engine_.MultiGet(operation.keys, values_, statuses_);
    counts_.operations += operation.keys.size() - 1;
    for (size_t i = 0; i < statuses_.size(); ++i) {
      if (!Tally(std::move(statuses_[i]), values_[i])) return false;
    }
    return true;
  }

  bool PutBatch(const Operation& operation) {
    counts_.operations += operation.keys.size();
    --counts_.operations;
    if (operation.keys.empty()) return true;
    batch_.Clear();
    const uint64_t expires_at = PutOptionsOf(operation.expires_at).expires_at;
    const size_t size = operation.length;
    size_t offset = 0;
    for (const std::string_view key : operation.keys) {
      batch_.Put(key, operation.value.substr(offset, size), expires_at);
      offset += operation.value_stride;
      counts_.user_bytes += key.size() + size;
    }
    return Check(engine_.Write(batch_));
  }

  bool MoveCursor(const Operation& operation) requires(E::kOrdered) {
    if (operation.kind == OperationKind::kSeek) {
      auto cursor = engine_.NewCursor();
      cursor.Seek(operation.key);
      cursor.Valid() ? ++counts_.found : ++counts_.missed;
      for (uint32_t i = 0; cursor.Valid() && i < operation.length; ++i) {
        Visit(cursor);
        cursor.Next();
      }
      return cursor.Valid() || Check(cursor.status());
    }
    const bool forward = operation.kind == OperationKind::kNext;
    if (cursor_ == nullptr) {
      cursor_ = std::make_unique<Cursor>(engine_.NewCursor());
    } else if (cursor_->Valid()) {
      forward ? cursor_->Next() : cursor_->Prev();
    }
    if (!cursor_->Valid()) {
      forward ? cursor_->SeekToFirst() : cursor_->SeekToLast();
    }
    if (!cursor_->Valid()) {
      ++counts_.missed;
      return Check(cursor_->status());
    }
    ++counts_.found;
    Visit(*cursor_);
    return true;
  }

  template <typename C>
  void Visit(const C& cursor) {
    const std::string_view value = cursor.value();
    counts_.read_bytes += cursor.key().size() + value.size();
    Consume(value);
  }

  template <typename T>
  struct CursorOf {
    using Type = int;
  };
  template <typename T>
  requires(T::kOrdered) struct CursorOf<T> {
    using Type = typename T::Cursor;
  };
  using Cursor = typename CursorOf<E>::Type;

  E& engine_;
  ExecutorCounts counts_;
  absl::Status failure_;
  std::string value_;
  std::string desired_;
  std::vector<std::string> values_;
  std::vector<absl::Status> statuses_;
  kv::WriteBatch batch_;
  std::unique_ptr<Cursor> cursor_;
};

}  // namespace bench

#endif  // BENCH_EXECUTOR_H_
