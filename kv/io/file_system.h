// The file system as a policy, so that crash tests can stand in for the disk.
//
// A FileSystem is a small copyable handle. What its models promise, beyond the signatures:
//
//   Durability. Written bytes may be lost until Sync() returns OK; then they, and the file's size,
//   survive power loss. A created, renamed, linked or removed name may be lost or may come back
//   until SyncDirectory() of its directory returns OK. Close() does not sync. A failed Sync() means
//   the unsynced bytes may be gone: the caller must not sync again and believe it. Order. Without a
//   sync between them, two writes may reach the disk in either order, and a write may reach it in
//   part (sectors of 512 bytes are whole). Mapping. Map() gives the bytes of the file as they were
//   when it was opened; they stay valid until the ReadableFile is destroyed. Files are mapped only
//   after they are sealed.
//
// Errors are made with kv/base/status.h and name operation and path.
// Thread safety: the handle and ReadableFile may be used from many threads; a WritableFile from
// one at a time, except that Sync() may run beside WriteAt() and Append().
#ifndef KV_IO_FILE_SYSTEM_H_
#define KV_IO_FILE_SYSTEM_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kv {

// A file being written. Movable; closes (without syncing) when destroyed.
template <typename F>
concept WritableFile = std::movable<F> &&
    requires(F& file, uint64_t offset, std::string_view bytes) {
  // Writes all of `bytes` at the end, or at `offset`, or fails.
  { file.Append(bytes) } -> std::same_as<absl::Status>;
  { file.WriteAt(offset, bytes) } -> std::same_as<absl::Status>;
  // Makes the file `size` bytes long, which is no less than it has; the new bytes are zeros. On OK
  // their space is taken, and on file systems that overwrite in place writes to them do not fail
  // for want of it. After a failure there may be zeros behind the end.
  { file.Extend(offset) } -> std::same_as<absl::Status>;
  // Cuts the file off after `offset` bytes, of which it has at least so many. Lost or not, as a
  // write is, until Sync().
  { file.Truncate(offset) } -> std::same_as<absl::Status>;
  // Makes the data and the size durable (fdatasync).
  { file.Sync() } -> std::same_as<absl::Status>;
  // Starts writing back the dirty bytes in the range without waiting; a hint.
  { file.StartWriteback(offset, offset) } -> std::same_as<void>;
  { file.Size() } -> std::same_as<uint64_t>;
  { file.Close() } -> std::same_as<absl::Status>;
};

// A sealed file being read. Movable.
template <typename F>
concept ReadableFile = std::movable<F> && requires(const F& file, uint64_t offset, char* scratch) {
  // Exactly `size` bytes at `offset` into `scratch`; a short file is an error.
  { file.ReadAt(offset, size_t{}, scratch) } -> std::same_as<absl::Status>;
  // The whole file as memory.
  { file.Map() } -> std::same_as<absl::StatusOr<std::string_view>>;
  // Gives up the memory that the mapping occupies in this process; its bytes are read in again when
  // they are touched. A hint.
  { file.ReleaseMapping() } -> std::same_as<void>;
  { file.Size() } -> std::same_as<uint64_t>;
};

template <typename S>
concept FileSystem = std::copyable<S> && requires(S& fs, const std::string& path) {
  typename S::WritableFile;
  typename S::ReadableFile;
  typename S::Lock;  // movable; gives the lock up when destroyed
  requires WritableFile<typename S::WritableFile>;
  requires ReadableFile<typename S::ReadableFile>;
  // Creates the file, or empties it.
  { fs.Create(path) } -> std::same_as<absl::StatusOr<typename S::WritableFile>>;
  // An existing file, its bytes kept: for logs that are overwritten in place.
  { fs.OpenForOverwrite(path) } -> std::same_as<absl::StatusOr<typename S::WritableFile>>;
  { fs.OpenForRead(path) } -> std::same_as<absl::StatusOr<typename S::ReadableFile>>;
  { fs.Rename(path, path) } -> std::same_as<absl::Status>;
  { fs.Remove(path) } -> std::same_as<absl::Status>;
  // A second name, `to`, for the file `from`, on the same file system: both show the same bytes,
  // and each goes without the other. kAlreadyExists when `to` exists. The new name is durable after
  // SyncDirectory() of its directory; the bytes as they would be without it.
  { fs.Link(path, path) } -> std::same_as<absl::Status>;
  // The names (not paths) of the files in a directory, sorted.
  { fs.List(path) } -> std::same_as<absl::StatusOr<std::vector<std::string>>>;
  // Makes the directory and its parents; fine if it is there. The new entries are made durable.
  { fs.CreateDirectories(path) } -> std::same_as<absl::Status>;
  { fs.SyncDirectory(path) } -> std::same_as<absl::Status>;
  { fs.Exists(path) } -> std::same_as<bool>;
  // Takes the lock file at `path` for this process, or fails with kFailedPrecondition and the
  // holder's process id: two processes must not open one store, nor one process twice.
  { fs.LockFile(path) } -> std::same_as<absl::StatusOr<typename S::Lock>>;
};

}  // namespace kv

#endif  // KV_IO_FILE_SYSTEM_H_
