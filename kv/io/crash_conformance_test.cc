// The simulator is neither kinder nor harsher than the contract; one that is, is found out.
#include "kv/io/crash_conformance.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/io/simulated.h"
#include "kv/io/whole_file.h"

namespace kv {
namespace {

TEST(CrashPromises, TheSimulatorKeepsThem) {
  EXPECT_EQ(CheckCrashPromises([] { return SimulatedFileSystem(); }), absl::OkStatus());
}

// A file system with one defect, to show that the check finds it.
enum class Defect {
  kCloseSyncs,
  kSyncDoesNothing,
  kSyncKeepsTheName,
  kSyncDirectoryDoesNothing,
  kRenameIsDurable,
  kLinkIsDurable,
  kLinkCopies,
  kRemoveIsDurable,
  kAppendIsDurable,
};

template <Defect kDefect>
class Defective {
 public:
  class WritableFile {
   public:
    WritableFile(SimulatedWritableFile file, SimulatedFileSystem fs)
        : file_(std::move(file)), fs_(std::move(fs)) {}
    absl::Status Append(std::string_view bytes) {
      KV_RETURN_IF_ERROR(file_.Append(bytes));
      return kDefect == Defect::kAppendIsDurable ? file_.Sync() : absl::OkStatus();
    }
    absl::Status WriteAt(uint64_t offset, std::string_view bytes) {
      return file_.WriteAt(offset, bytes);
    }
    absl::Status Extend(uint64_t size) { return file_.Extend(size); }
    absl::Status Truncate(uint64_t size) { return file_.Truncate(size); }
    absl::Status Sync() {
      if (kDefect == Defect::kSyncDoesNothing) return absl::OkStatus();
      KV_RETURN_IF_ERROR(file_.Sync());
      return kDefect == Defect::kSyncKeepsTheName ? fs_.SyncDirectory("/d") : absl::OkStatus();
    }
    void StartWriteback(uint64_t offset, uint64_t size) { file_.StartWriteback(offset, size); }
    uint64_t Size() const { return file_.Size(); }
    absl::Status Close() {
      if (kDefect == Defect::kCloseSyncs) KV_RETURN_IF_ERROR(file_.Sync());
      return file_.Close();
    }

   private:
    SimulatedWritableFile file_;
    SimulatedFileSystem fs_;
  };
  using ReadableFile = SimulatedReadableFile;
  using Lock = SimulatedFileSystem::Lock;

  explicit Defective(SimulatedFileSystem fs = SimulatedFileSystem()) : fs_(std::move(fs)) {}

  absl::StatusOr<WritableFile> Create(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto file, fs_.Create(path));
    return WritableFile(std::move(file), fs_);
  }
  absl::StatusOr<WritableFile> OpenForOverwrite(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto file, fs_.OpenForOverwrite(path));
    return WritableFile(std::move(file), fs_);
  }
  absl::StatusOr<ReadableFile> OpenForRead(const std::string& path) {
    return fs_.OpenForRead(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) {
    KV_RETURN_IF_ERROR(fs_.Rename(from, to));
    return kDefect == Defect::kRenameIsDurable ? fs_.SyncDirectory("/d") : absl::OkStatus();
  }
  absl::Status Link(const std::string& from, const std::string& to) {
    if (kDefect == Defect::kLinkCopies) {
      KV_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(fs_, from));
      return WriteWholeFile(fs_, to, bytes);
    }
    KV_RETURN_IF_ERROR(fs_.Link(from, to));
    return kDefect == Defect::kLinkIsDurable ? fs_.SyncDirectory("/e") : absl::OkStatus();
  }
  absl::Status Remove(const std::string& path) {
    KV_RETURN_IF_ERROR(fs_.Remove(path));
    return kDefect == Defect::kRemoveIsDurable ? fs_.SyncDirectory("/d") : absl::OkStatus();
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) { return fs_.List(path); }
  absl::Status CreateDirectories(const std::string& path) { return fs_.CreateDirectories(path); }
  absl::Status SyncDirectory(const std::string& path) {
    if (kDefect == Defect::kSyncDirectoryDoesNothing) return absl::OkStatus();
    return fs_.SyncDirectory(path);
  }
  bool Exists(const std::string& path) { return fs_.Exists(path); }
  absl::StatusOr<Lock> LockFile(const std::string& path) { return fs_.LockFile(path); }
  Defective Crash(uint64_t seed, CrashMode mode) const { return Defective(fs_.Crash(seed, mode)); }

 private:
  SimulatedFileSystem fs_;
};

template <Defect kDefect>
std::string Verdict() {
  static_assert(CrashableFileSystem<Defective<kDefect>>, "the defect is not one of types");
  return CheckCrashPromises([] { return Defective<kDefect>(); }).ToString();
}

// The first is RocksDB 12528: a file system for crash tests synced in Close, and so hid that files
// which were closed had never been synced. A test double must not be kinder than a disk.
TEST(CrashPromises, EachDefectIsRefusedByName) {
  EXPECT_EQ(Verdict<Defect::kCloseSyncs>(),
            "FAILED_PRECONDITION: kinder than a disk: Close() syncs");
  EXPECT_EQ(Verdict<Defect::kSyncDoesNothing>(),
            "DATA_LOSS: crash mode lose unsynced, seed 0: Sync() lost synced bytes");
  EXPECT_EQ(Verdict<Defect::kSyncKeepsTheName>(),
            "FAILED_PRECONDITION: kinder than a disk: Sync() of a file makes its name durable");
  EXPECT_EQ(Verdict<Defect::kSyncDirectoryDoesNothing>(),
            "DATA_LOSS: crash mode lose unsynced, seed 0: SyncDirectory() lost the name of a file");
  EXPECT_EQ(Verdict<Defect::kRenameIsDurable>(),
            "FAILED_PRECONDITION: kinder than a disk: Rename() is durable");
  EXPECT_EQ(Verdict<Defect::kLinkIsDurable>(),
            "FAILED_PRECONDITION: kinder than a disk: Link() is durable");
  EXPECT_TRUE(Verdict<Defect::kLinkCopies>().ends_with("Link() harmed the bytes of the file"));
  EXPECT_EQ(Verdict<Defect::kRemoveIsDurable>(),
            "FAILED_PRECONDITION: kinder than a disk: Remove() is durable");
  // Found one step earlier than "Append() ...": closed or not, the bytes are always there.
  EXPECT_EQ(Verdict<Defect::kAppendIsDurable>(),
            "FAILED_PRECONDITION: kinder than a disk: Close() syncs");
}

}  // namespace
}  // namespace kv
