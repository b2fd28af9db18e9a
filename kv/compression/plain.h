// What a model of Compression says of tables when every table is the same to it: one level, and no
// dictionaries.
//
// Thread safety: as the concept has it.
#ifndef KV_COMPRESSION_PLAIN_H_
#define KV_COMPRESSION_PLAIN_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/compression/concept.h"

namespace kv {

// C::Compress, whatever the table.
template <typename C>
class PlainCompressor {
 public:
  explicit PlainCompressor(CompressionDepth) {}

  std::string Train(std::string_view, std::span<const size_t>) { return {}; }

  absl::Status Compress(std::string_view bytes, std::string* out) {
    return C::Compress(bytes, out);
  }
};

// There is only the one that is none.
class NoDictionary {
 public:
  static absl::StatusOr<NoDictionary> Open(std::string_view bytes) {
    if (bytes.empty()) return NoDictionary();
    return absl::DataLossError("this compression has no dictionaries");
  }

  size_t Bytes() const { return 0; }
};

}  // namespace kv

#endif  // KV_COMPRESSION_PLAIN_H_
