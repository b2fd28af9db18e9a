// Beginning the log after another one, so that the other goes on where that is not possible.
//
// The header of a log says where the one before it ended, so the one before must not grow while the
// next is there. If there is no space for the next, what there is of it is removed, durably.
//
// Thread safety: as LogWriter's.
#ifndef KV_IO_NEXT_LOG_H_
#define KV_IO_NEXT_LOG_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"
#include "kv/io/log_format.h"

namespace kv {

// Removes the file `path` of `directory`, which there was no space for, so that no crash brings it
// back. Returns `shortage`, a want of space, after which the caller may go on without the file; or,
// if the file may still be there, another error, which names both.
template <FileSystem Files>
absl::Status TakeBack(Files& files, const std::string& directory, const std::string& path,
                      absl::Status shortage) {
  if (!files.Exists(path)) return shortage;
  absl::Status removed = files.Remove(path);
  if (removed.ok()) removed = files.SyncDirectory(directory);
  if (removed.ok()) return shortage;
  return absl::UnavailableError(
      fmt::format("{}; and then: {}", shortage.ToString(), removed.ToString()));
}

// A `Writer` (LogWriter) of a log at `path` in `directory`, over the bytes of the file if there is
// one. Its header and its name are durable on return. IsOutOfSpace: the log does not exist.
template <typename Writer, FileSystem Files>
absl::StatusOr<Writer> StartNextLog(Files& files, const std::string& directory,
                                    const std::string& path, const LogHeader& header) {
  absl::StatusOr<Writer> log = Writer::Start(files, path, header);
  absl::Status status = log.status();
  if (status.ok()) status = files.SyncDirectory(directory);
  if (status.ok()) return log;
  return IsOutOfSpace(status) ? TakeBack(files, directory, path, std::move(status)) : status;
}

}  // namespace kv

#endif  // KV_IO_NEXT_LOG_H_
