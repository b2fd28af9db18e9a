// memcached's conditional stores on top of the contract's CompareAndSet, as one function each.
//
//   Add      stores when the key is absent
//   Modify   replaces a present value by a function of it; retried when another writer came between
//
// replace, cas, append, prepend, incr and decr are Modify with a different function (Transform).
// What differs from memcached: an incr or decr of a value that is not a decimal number starts from
// 0 instead of failing, since generated values are text; append and prepend drop the old bytes when
// the value would pass 1 MiB, so that a hot key does not grow without end.
//
// Thread safety: as the engine's. Cost: a Get and a CompareAndSet.
#ifndef BENCH_CONDITIONAL_H_
#define BENCH_CONDITIONAL_H_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "bench/operation.h"
#include "kv/contract/engine.h"

namespace bench {

inline constexpr size_t kAppendLimit = size_t{1} << 20;

// What a conditional operation of `kind` makes of `current`.
inline void Transform(OperationKind kind, std::string_view current, std::string_view piece,
                      uint64_t delta, std::string* desired) {
  switch (kind) {
    case OperationKind::kAppend:
    case OperationKind::kPrepend: {
      desired->clear();
      const bool keep = current.size() + piece.size() <= kAppendLimit;
      if (keep && kind == OperationKind::kAppend) desired->append(current);
      desired->append(piece);
      if (keep && kind == OperationKind::kPrepend) desired->append(current);
      return;
    }
    case OperationKind::kAddDecimal:
    case OperationKind::kSubtractDecimal: {
      uint64_t number = 0;
      const auto parsed = std::from_chars(current.data(), current.data() + current.size(), number);
      if (parsed.ec != std::errc() || parsed.ptr != current.data() + current.size()) number = 0;
      // As memcached: addition wraps at 2^64, subtraction stops at 0.
      number = kind == OperationKind::kAddDecimal ? number + delta
               : number > delta                   ? number - delta
                                                  : 0;
      char digits[20];
      desired->assign(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
      return;
    }
    default:
      desired->assign(piece);
  }
}

// Whether the value was stored.
template <kv::Engine E>
absl::StatusOr<bool> Add(E& engine, std::string_view key, std::string_view value,
                         const kv::PutOptions& options) {
  auto result = engine.CompareAndSet(key, std::nullopt, value, options);
  if (!result.ok()) return std::move(result).status();
  return result->swapped;
}

// Whether the key was present, and therefore changed. `current` then has the old value and
// `desired` the new one; `retries` grows by the attempts that another writer defeated.
template <kv::Engine E>
absl::StatusOr<bool> Modify(E& engine, OperationKind kind, std::string_view key,
                            std::string_view piece, uint64_t delta, const kv::PutOptions& options,
                            std::string* current, std::string* desired, uint64_t* retries) {
  absl::Status status = engine.Get(key, current);
  if (absl::IsNotFound(status)) return false;
  if (!status.ok()) return status;
  for (;;) {
    Transform(kind, *current, piece, delta, desired);
    auto result =
        engine.CompareAndSet(key, std::string_view(*current), std::string_view(*desired), options);
    if (!result.ok()) return std::move(result).status();
    if (result->swapped) return true;
    ++*retries;
    if (!result->current.has_value()) return false;
    *current = *std::move(result->current);
  }
}

}  // namespace bench

#endif  // BENCH_CONDITIONAL_H_
