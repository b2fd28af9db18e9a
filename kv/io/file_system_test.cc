// The concept accepts its models, and refuses what lacks a part of it.
#include "kv/io/file_system.h"

#include "gtest/gtest.h"
#include "kv/io/posix.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

static_assert(FileSystem<PosixFileSystem>);
static_assert(FileSystem<SimulatedFileSystem>);
static_assert(!FileSystem<int>);

// No more than the concept asks for.
struct MinimalWritableFile {
  absl::Status Append(std::string_view);
  absl::Status WriteAt(uint64_t, std::string_view);
  absl::Status Extend(uint64_t);
  absl::Status Truncate(uint64_t);
  absl::Status Sync();
  void StartWriteback(uint64_t, uint64_t);
  uint64_t Size();
  absl::Status Close();
};
static_assert(WritableFile<MinimalWritableFile>);

struct MinimalReadableFile {
  absl::Status ReadAt(uint64_t, size_t, char*) const;
  absl::StatusOr<std::string_view> Map() const;
  void ReleaseMapping() const;
  uint64_t Size() const;
};
static_assert(ReadableFile<MinimalReadableFile>);

template <typename W, typename R>
struct BasicMinimalFileSystem {
  using WritableFile = W;
  using ReadableFile = R;
  struct Lock {};
  absl::StatusOr<W> Create(const std::string&);
  absl::StatusOr<W> OpenForOverwrite(const std::string&);
  absl::StatusOr<R> OpenForRead(const std::string&);
  absl::Status Rename(const std::string&, const std::string&);
  absl::Status Link(const std::string&, const std::string&);
  absl::Status Remove(const std::string&);
  absl::StatusOr<std::vector<std::string>> List(const std::string&);
  absl::Status CreateDirectories(const std::string&);
  absl::Status SyncDirectory(const std::string&);
  bool Exists(const std::string&);
  absl::StatusOr<Lock> LockFile(const std::string&);
};
using MinimalFileSystem = BasicMinimalFileSystem<MinimalWritableFile, MinimalReadableFile>;
static_assert(FileSystem<MinimalFileSystem>);

// Each of these breaks one thing. A deleted function hides the one in the base.
struct SyncWithoutAnAnswer : MinimalWritableFile {
  void Sync();
};
static_assert(!WritableFile<SyncWithoutAnAnswer>);
static_assert(!FileSystem<BasicMinimalFileSystem<SyncWithoutAnAnswer, MinimalReadableFile>>);

struct CannotWriteInPlace : MinimalWritableFile {
  absl::Status WriteAt(uint64_t, std::string_view) = delete;
};
static_assert(!WritableFile<CannotWriteInPlace>);

struct NotMovable : MinimalWritableFile {
  NotMovable(NotMovable&&) = delete;
};
static_assert(!WritableFile<NotMovable>);

struct ReadsOnlyWhenNotConst : MinimalReadableFile {
  absl::Status ReadAt(uint64_t, size_t, char*);
};
static_assert(!ReadableFile<ReadsOnlyWhenNotConst>);
static_assert(!FileSystem<BasicMinimalFileSystem<MinimalWritableFile, ReadsOnlyWhenNotConst>>);

struct ForgetsDirectories : MinimalFileSystem {
  absl::Status SyncDirectory(const std::string&) = delete;
};
static_assert(!FileSystem<ForgetsDirectories>);

struct CannotLink : MinimalFileSystem {
  absl::Status Link(const std::string&, const std::string&) = delete;
};
static_assert(!FileSystem<CannotLink>);

struct CannotLock : MinimalFileSystem {
  absl::StatusOr<Lock> LockFile(const std::string&) = delete;
};
static_assert(!FileSystem<CannotLock>);

struct NotCopyable : MinimalFileSystem {
  NotCopyable(const NotCopyable&) = delete;
};
static_assert(!FileSystem<NotCopyable>);

TEST(FileSystemConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(FileSystem<PosixFileSystem> && FileSystem<SimulatedFileSystem>);
}

}  // namespace
}  // namespace kv
