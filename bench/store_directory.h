// The directory that holds the store under test: found or made at the start, emptied between fresh
// stores, removed at the end, also when the program is interrupted.
//
// It never removes what it did not make: a given directory must be empty or absent, unless the
// caller runs on an existing store, and then nothing in it is removed.
//
// Thread safety: none, but for the handler of interrupts, which may run at any time.
#ifndef BENCH_STORE_DIRECTORY_H_
#define BENCH_STORE_DIRECTORY_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bench {

struct StoreDirectoryOptions {
  std::string path;  // empty: a new one under $TMPDIR or /tmp
  bool use_existing = false;
  bool keep = false;
};

class StoreDirectory {
 public:
  static absl::StatusOr<StoreDirectory> Make(const StoreDirectoryOptions& options);

  StoreDirectory(StoreDirectory&& other) noexcept;
  StoreDirectory& operator=(StoreDirectory&&) = delete;
  // Removes the directory, or what this object's stores left in it.
  ~StoreDirectory();

  const std::string& path() const { return path_; }

  // Removes the store in it; the directory is then empty.
  absl::Status Empty() const;

  // Bytes that its files take up on the disk.
  uint64_t DiskBytes() const;

 private:
  StoreDirectory() = default;

  std::string path_;
  bool made_ = false;     // the directory itself is ours
  bool removes_ = false;  // its contents are ours, and not to be kept
};

// From here on, an interrupt (SIGINT, SIGTERM, SIGHUP) removes what the living StoreDirectory would
// remove, and ends the process with status 128 + signal. To be called before any thread is started.
void RemoveDirectoryOnInterrupt();

}  // namespace bench

#endif  // BENCH_STORE_DIRECTORY_H_
