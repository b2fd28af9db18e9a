// A whole file at once, for tests of file systems.
//
// Thread safety: none needed.
#ifndef KV_IO_WHOLE_FILE_H_
#define KV_IO_WHOLE_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"

namespace kv {

// The bytes of the file at `path`.
template <FileSystem S>
absl::StatusOr<std::string> ReadWholeFile(S& fs, const std::string& path) {
  KV_ASSIGN_OR_RETURN(const auto file, fs.OpenForRead(path));
  std::string bytes(file.Size(), '\0');
  KV_RETURN_IF_ERROR(file.ReadAt(0, bytes.size(), bytes.data()));
  return bytes;
}

// Makes `path` hold `bytes`; syncs neither the file nor its directory.
template <FileSystem S>
absl::Status WriteWholeFile(S& fs, const std::string& path, std::string_view bytes) {
  KV_ASSIGN_OR_RETURN(auto file, fs.Create(path));
  KV_RETURN_IF_ERROR(file.Append(bytes));
  return file.Close();
}

}  // namespace kv

#endif  // KV_IO_WHOLE_FILE_H_
