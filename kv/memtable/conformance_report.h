// How the conformance checks of memtables put what they found into words. For tests.
#ifndef KV_MEMTABLE_CONFORMANCE_REPORT_H_
#define KV_MEMTABLE_CONFORMANCE_REPORT_H_

#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"

namespace kv {

namespace memtable_conformance {

using Random = std::mt19937_64;

inline std::string Show(const Record& record) {
  std::string key;
  for (const unsigned char byte : record.key.substr(0, 24)) key += fmt::format("{:02x}", byte);
  return fmt::format("(key {} of {} bytes, sequence {}, kind {}, value of {} bytes, expires {})",
                     key, record.key.size(), record.sequence, static_cast<int>(record.kind),
                     record.value.size(), record.expires_at);
}

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

}  // namespace memtable_conformance

}  // namespace kv

#endif  // KV_MEMTABLE_CONFORMANCE_REPORT_H_
