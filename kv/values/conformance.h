// Conformance suite of the Values concept: everything in concept.h that a compiler cannot check.
//
//   absl::Status CheckValues<V>()   the first promise that does not hold, in words
//
// Handed back as a status, so that a test can also assert that a broken model is refused.
#ifndef KV_VALUES_CONFORMANCE_H_
#define KV_VALUES_CONFORMANCE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/values/concept.h"

namespace kv {

namespace values_conformance {

inline absl::Status Failure(const std::string& what) { return absl::FailedPreconditionError(what); }

template <Values V>
absl::Status CheckSizes() {
  if (V::kSeparates && V::kFileBytes == 0) return Failure("value files have no size");
  bool smaller = false;
  for (size_t bytes = 0; bytes <= size_t{1} << 28; bytes += 1 + bytes / 7) {
    const bool separated = V::Separates(bytes);
    if (separated != V::Separates(bytes)) {
      return Failure(fmt::format("{} bytes are separated or not, by turns", bytes));
    }
    if (smaller && !separated) {
      return Failure(fmt::format("{} bytes stay inline, although fewer are separated", bytes));
    }
    if (separated && !V::kSeparates) {
      return Failure(fmt::format("{} bytes are separated, although nothing is", bytes));
    }
    smaller = separated;
  }
  return absl::OkStatus();
}

template <Values V>
absl::Status CheckCollecting(uint64_t bytes) {
  constexpr uint64_t kSteps = 97;
  if (V::IsCollected({.bytes = bytes, .garbage = 0})) {
    return Failure(fmt::format("{} bytes without garbage are collected", bytes));
  }
  if (V::kSeparates != V::IsCollected({.bytes = bytes, .garbage = bytes})) {
    return Failure(fmt::format("{} bytes of nothing but garbage: wrong", bytes));
  }
  bool less = false;
  for (uint64_t step = 0; step <= kSteps; ++step) {
    const uint64_t garbage = bytes / kSteps * step;
    const bool collected = V::IsCollected({.bytes = bytes, .garbage = garbage});
    if (less && !collected) {
      return Failure(fmt::format("{} of {} bytes are too little garbage, but less was enough",
                                 garbage, bytes));
    }
    less = collected;
  }
  return absl::OkStatus();
}

}  // namespace values_conformance

template <Values V>
absl::Status CheckValues() {
  absl::Status status = values_conformance::CheckSizes<V>();
  if (V::IsCollected({.bytes = 0, .garbage = 0})) {
    status.Update(values_conformance::Failure("a file without records is collected"));
  }
  // Up to where a multiplication would overflow.
  for (uint64_t bytes = 1; bytes < uint64_t{1} << 62; bytes = bytes * 3 + 1) {
    status.Update(values_conformance::CheckCollecting<V>(bytes));
  }
  return status;
}

}  // namespace kv

#endif  // KV_VALUES_CONFORMANCE_H_
