// What every FileSystem does, as tests: FileSystemConformance, a typed suite for any model. Its
// type parameter is a Site, default constructible, with a member `fs` (the file system) and a
// member `root` (the path of an empty directory in it). Use:
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(Posix, FileSystemConformance, PosixSite);
//
// What holds across crashes is in crash_conformance.h.
#ifndef KV_IO_CONFORMANCE_H_
#define KV_IO_CONFORMANCE_H_

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/base/status.h"
#include "kv/io/conformance_model.h"
#include "kv/io/file_system.h"
#include "kv/io/whole_file.h"

namespace kv {

template <typename Site>
class FileSystemConformance : public testing::Test {
 protected:
  std::string Path(std::string_view name) const { return fmt::format("{}/{}", site.root, name); }

  void ExpectContents(const std::string& path, std::string_view expected) {
    const absl::StatusOr<std::string> bytes = ReadWholeFile(site.fs, path);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_TRUE(*bytes == expected) << path << " has other bytes, " << bytes->size() << " of them";
  }

  Site site;
};

TYPED_TEST_SUITE_P(FileSystemConformance);

TYPED_TEST_P(FileSystemConformance, AppendsAndReads) {
  auto file = this->site.fs.Create(this->Path("log"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->Size(), 0u);
  EXPECT_TRUE(file->Append("hello").ok());
  EXPECT_TRUE(file->Append("").ok());
  EXPECT_TRUE(file->Append(std::string_view("\0world\xff", 7)).ok());
  EXPECT_EQ(file->Size(), 12u);
  file->StartWriteback(0, 12);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->Close().ok());
  this->ExpectContents(this->Path("log"), std::string_view("hello\0world\xff", 12));

  const auto reader = this->site.fs.OpenForRead(this->Path("log"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  char scratch[4];
  ASSERT_TRUE(reader->ReadAt(6, 4, scratch).ok());
  EXPECT_EQ(std::string_view(scratch, 4), "worl");
  EXPECT_TRUE(reader->ReadAt(12, 0, scratch).ok());
}

TYPED_TEST_P(FileSystemConformance, CreateEmptiesAnExistingFile) {
  ASSERT_TRUE(WriteWholeFile(this->site.fs, this->Path("f"), "old bytes").ok());
  ASSERT_TRUE(WriteWholeFile(this->site.fs, this->Path("f"), "new").ok());
  this->ExpectContents(this->Path("f"), "new");
}

TYPED_TEST_P(FileSystemConformance, WritesInPlaceAndBeyondTheEnd) {
  auto file = this->site.fs.Create(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append("0123456789").ok());
  EXPECT_TRUE(file->WriteAt(3, "abc").ok());
  EXPECT_EQ(file->Size(), 10u);
  EXPECT_TRUE(file->WriteAt(8, "wxyz").ok());
  EXPECT_EQ(file->Size(), 12u);
  EXPECT_TRUE(file->WriteAt(2000, "far").ok());
  EXPECT_EQ(file->Size(), 2003u);
  EXPECT_TRUE(file->WriteAt(9000, "").ok());
  EXPECT_EQ(file->Size(), 2003u) << "writing nothing does not grow a file";
  EXPECT_TRUE(file->Append("!").ok());
  this->ExpectContents(this->Path("f"), "012abc67wxyz" + std::string(1988, '\0') + "far!");
}

TYPED_TEST_P(FileSystemConformance, CutsAFileOff) {
  auto file = this->site.fs.Create(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append("0123456789").ok());
  EXPECT_FALSE(file->Truncate(11).ok()) << "it only cuts off";
  EXPECT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(file->Size(), 4u);
  EXPECT_TRUE(file->WriteAt(7, "y").ok());
  this->ExpectContents(this->Path("f"), std::string("0123\0\0\0y", 8));
}

TYPED_TEST_P(FileSystemConformance, ExtendsAFileByZeros) {
  auto file = this->site.fs.Create(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append("0123456789").ok());
  EXPECT_FALSE(file->Extend(9).ok()) << "it only extends";
  EXPECT_TRUE(file->Extend(10).ok());
  EXPECT_EQ(file->Size(), 10u);
  EXPECT_TRUE(file->Extend(9000).ok());
  EXPECT_EQ(file->Size(), 9000u);
  EXPECT_TRUE(file->WriteAt(10, "in").ok());
  EXPECT_TRUE(file->Append("behind").ok());
  this->ExpectContents(this->Path("f"), "0123456789in" + std::string(8988, '\0') + "behind");
}

TYPED_TEST_P(FileSystemConformance, OverwritesAnExistingFile) {
  EXPECT_TRUE(absl::IsNotFound(this->site.fs.OpenForOverwrite(this->Path("f")).status()));
  EXPECT_FALSE(this->site.fs.Exists(this->Path("f")));
  ASSERT_TRUE(WriteWholeFile(this->site.fs, this->Path("f"), "old bytes").ok());
  auto file = this->site.fs.OpenForOverwrite(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->Size(), 9u);
  EXPECT_TRUE(file->WriteAt(0, "new").ok());
  EXPECT_TRUE(file->Append("!").ok());
  this->ExpectContents(this->Path("f"), "new bytes!");
}

TYPED_TEST_P(FileSystemConformance, ReadingPastTheEndIsCorruption) {
  ASSERT_TRUE(WriteWholeFile(this->site.fs, this->Path("f"), "0123456789").ok());
  const auto file = this->site.fs.OpenForRead(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  char scratch[8];
  for (const uint64_t offset : {3, 10, 11, 1'000'000}) {
    const absl::Status status = file->ReadAt(offset, 8, scratch);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(status.ToString().find(this->Path("f")), std::string::npos) << status;
  }
}

TYPED_TEST_P(FileSystemConformance, MapsAWholeFile) {
  const std::string bytes = std::string(10'000, 'a') + std::string(1, '\0') + "z";
  ASSERT_TRUE(WriteWholeFile(this->site.fs, this->Path("f"), bytes).ok());
  auto file = this->site.fs.OpenForRead(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<std::string_view> mapped = file->Map();
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  auto moved = std::move(*file);
  EXPECT_TRUE(this->site.fs.Remove(this->Path("f")).ok());
  EXPECT_TRUE(*mapped == bytes) << "the mapping outlives a move of the file and its name";
  const absl::StatusOr<std::string_view> again = moved.Map();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->data(), mapped->data()) << "the file is mapped once";
}

TYPED_TEST_P(FileSystemConformance, MapsAnEmptyFile) {
  ASSERT_TRUE(WriteWholeFile(this->site.fs, this->Path("f"), "").ok());
  const auto file = this->site.fs.OpenForRead(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<std::string_view> mapped = file->Map();
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  EXPECT_TRUE(mapped->empty());
}

TYPED_TEST_P(FileSystemConformance, RenamesOverAnExistingFile) {
  auto& fs = this->site.fs;
  EXPECT_TRUE(absl::IsNotFound(fs.Rename(this->Path("a"), this->Path("b"))));
  ASSERT_TRUE(WriteWholeFile(fs, this->Path("a"), "from a").ok());
  ASSERT_TRUE(WriteWholeFile(fs, this->Path("b"), "from b").ok());
  const auto replaced = fs.OpenForRead(this->Path("b"));
  ASSERT_TRUE(replaced.ok()) << replaced.status();
  EXPECT_TRUE(fs.Rename(this->Path("a"), this->Path("b")).ok());
  EXPECT_FALSE(fs.Exists(this->Path("a")));
  this->ExpectContents(this->Path("b"), "from a");
  char scratch[6];
  ASSERT_TRUE(replaced->ReadAt(0, 6, scratch).ok());
  EXPECT_EQ(std::string_view(scratch, 6), "from b") << "an open file outlives its name";
}

TYPED_TEST_P(FileSystemConformance, RenamesAcrossDirectoriesAndWholeDirectories) {
  auto& fs = this->site.fs;
  ASSERT_TRUE(fs.CreateDirectories(this->Path("x.tmp")).ok());
  ASSERT_TRUE(WriteWholeFile(fs, this->Path("f"), "bytes").ok());
  EXPECT_TRUE(fs.Rename(this->Path("f"), this->Path("x.tmp/g")).ok());
  EXPECT_FALSE(fs.Exists(this->Path("f")));
  EXPECT_TRUE(fs.Rename(this->Path("x.tmp"), this->Path("x")).ok());
  EXPECT_FALSE(fs.Exists(this->Path("x.tmp")));
  this->ExpectContents(this->Path("x/g"), "bytes");
}

TYPED_TEST_P(FileSystemConformance, LinksAreNamesOfOneFile) {
  auto& fs = this->site.fs;
  ASSERT_TRUE(fs.CreateDirectories(this->Path("d")).ok());
  EXPECT_TRUE(absl::IsNotFound(fs.Link(this->Path("f"), this->Path("d/g"))));
  EXPECT_FALSE(fs.Exists(this->Path("d/g")));
  ASSERT_TRUE(WriteWholeFile(fs, this->Path("f"), "bytes").ok());
  EXPECT_TRUE(absl::IsNotFound(fs.Link(this->Path("f"), this->Path("missing/g"))));
  EXPECT_FALSE(fs.Link(this->Path("d"), this->Path("e")).ok()) << "a directory has one name";
  ASSERT_TRUE(fs.Link(this->Path("f"), this->Path("d/g")).ok());
  this->ExpectContents(this->Path("d/g"), "bytes");

  auto file = fs.OpenForOverwrite(this->Path("d/g"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append(" and more").ok());
  this->ExpectContents(this->Path("f"), "bytes and more");

  const absl::Status taken = fs.Link(this->Path("f"), this->Path("d/g"));
  EXPECT_TRUE(absl::IsAlreadyExists(taken)) << taken;
  EXPECT_NE(taken.ToString().find(this->Path("d/g")), std::string::npos) << taken;
  EXPECT_FALSE(fs.Link(this->Path("f"), this->Path("d")).ok());

  EXPECT_TRUE(fs.Remove(this->Path("f")).ok());
  EXPECT_FALSE(fs.Exists(this->Path("f")));
  this->ExpectContents(this->Path("d/g"), "bytes and more");
  EXPECT_TRUE(fs.Link(this->Path("d/g"), this->Path("h")).ok());
  ASSERT_TRUE(WriteWholeFile(fs, this->Path("other"), "other").ok());
  EXPECT_TRUE(fs.Rename(this->Path("other"), this->Path("d/g")).ok());
  this->ExpectContents(this->Path("d/g"), "other");
  this->ExpectContents(this->Path("h"), "bytes and more");
}

TYPED_TEST_P(FileSystemConformance, RemovesFiles) {
  auto& fs = this->site.fs;
  const absl::Status missing = fs.Remove(this->Path("f"));
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_NE(missing.ToString().find(this->Path("f")), std::string::npos) << missing;
  ASSERT_TRUE(WriteWholeFile(fs, this->Path("f"), "bytes").ok());
  EXPECT_TRUE(fs.Exists(this->Path("f")));
  EXPECT_TRUE(fs.Remove(this->Path("f")).ok());
  EXPECT_FALSE(fs.Exists(this->Path("f")));
  EXPECT_TRUE(absl::IsNotFound(fs.OpenForRead(this->Path("f")).status()));
}

TYPED_TEST_P(FileSystemConformance, ListsFilesSorted) {
  auto& fs = this->site.fs;
  for (const char* name : {"b", "a", "c.log", "B"}) {
    ASSERT_TRUE(WriteWholeFile(fs, this->Path(name), "").ok());
  }
  ASSERT_TRUE(fs.CreateDirectories(this->Path("directory")).ok());
  const absl::StatusOr<std::vector<std::string>> names = fs.List(this->site.root);
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_EQ(*names, (std::vector<std::string>{"B", "a", "b", "c.log"}));
  EXPECT_TRUE(absl::IsNotFound(fs.List(this->Path("missing")).status()));
}

TYPED_TEST_P(FileSystemConformance, CreatesDirectoriesWithTheirParents) {
  auto& fs = this->site.fs;
  EXPECT_TRUE(absl::IsNotFound(fs.Create(this->Path("x/y/f")).status()));
  EXPECT_TRUE(fs.CreateDirectories(this->Path("x/y/z/")).ok());
  EXPECT_TRUE(fs.CreateDirectories(this->Path("x//y/z")).ok());
  EXPECT_TRUE(fs.Exists(this->Path("x/y/z")));
  EXPECT_TRUE(WriteWholeFile(fs, this->Path("x/y/f"), "bytes").ok());
  EXPECT_FALSE(fs.CreateDirectories(this->Path("x/y/f")).ok()) << "a file is in the way";
  EXPECT_FALSE(fs.CreateDirectories(this->Path("x/y/f/g")).ok()) << "a file is in the way";
  this->ExpectContents(this->Path("x/y/f"), "bytes");
}

TYPED_TEST_P(FileSystemConformance, SyncsDirectories) {
  auto& fs = this->site.fs;
  EXPECT_TRUE(fs.SyncDirectory(this->site.root).ok());
  EXPECT_TRUE(absl::IsNotFound(fs.SyncDirectory(this->Path("missing"))));
  ASSERT_TRUE(WriteWholeFile(fs, this->Path("f"), "").ok());
  EXPECT_FALSE(fs.SyncDirectory(this->Path("f")).ok());
}

TYPED_TEST_P(FileSystemConformance, LocksOnce) {
  auto& fs = this->site.fs;
  {
    auto lock = fs.LockFile(this->Path("LOCK"));
    ASSERT_TRUE(lock.ok()) << lock.status();
    const auto held = std::move(*lock);
    const absl::Status refused = fs.LockFile(this->Path("LOCK")).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
    EXPECT_NE(refused.ToString().find(this->Path("LOCK")), std::string::npos) << refused;
    EXPECT_NE(refused.ToString().find(fmt::format("process {}", ::getpid())), std::string::npos)
        << refused;
    EXPECT_FALSE(fs.LockFile(this->Path("LOCK")).ok()) << "a refused attempt broke the lock";
    EXPECT_TRUE(fs.LockFile(this->Path("LOCK2")).ok());
  }
  EXPECT_TRUE(fs.Exists(this->Path("LOCK")));
  EXPECT_TRUE(fs.LockFile(this->Path("LOCK")).ok());
}

TYPED_TEST_P(FileSystemConformance, AClosedFileRefusesWrites) {
  auto file = this->site.fs.Create(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append("bytes").ok());
  EXPECT_TRUE(file->Close().ok());
  EXPECT_TRUE(file->Close().ok());
  EXPECT_FALSE(file->Append("more").ok());
  EXPECT_FALSE(file->WriteAt(0, "more").ok());
  EXPECT_FALSE(file->Sync().ok());
  this->ExpectContents(this->Path("f"), "bytes");
}

TYPED_TEST_P(FileSystemConformance, AMovedFileGoesOn) {
  auto created = this->site.fs.Create(this->Path("f"));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_TRUE(created->Append("one").ok());
  auto file = std::move(*created);
  EXPECT_TRUE(file.Append(" two").ok());
  auto other = this->site.fs.Create(this->Path("g"));
  ASSERT_TRUE(other.ok()) << other.status();
  *other = std::move(file);
  EXPECT_TRUE(other->Append(" three").ok());
  EXPECT_EQ(other->Size(), 13u);
  this->ExpectContents(this->Path("f"), "one two three");
  this->ExpectContents(this->Path("g"), "");
}

TYPED_TEST_P(FileSystemConformance, SyncsBesideAppends) {
  auto file = this->site.fs.Create(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  // release by the writer pairs with acquire by the syncer: it stops after the last append.
  std::atomic<bool> done = false;
  std::thread syncer([&] {
    while (!done.load(std::memory_order_acquire)) EXPECT_TRUE(file->Sync().ok());
  });
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string bytes(17, static_cast<char>('a' + i % 26));
    EXPECT_TRUE(file->Append(bytes).ok());
    expected += bytes;
  }
  // release: pairs with the acquire in the syncer above.
  done.store(true, std::memory_order_release);
  syncer.join();
  EXPECT_TRUE(file->Sync().ok());
  this->ExpectContents(this->Path("f"), expected);
}

TYPED_TEST_P(FileSystemConformance, ReadsFromManyThreads) {
  std::string bytes;
  for (int i = 0; i < 5'000; ++i) bytes += static_cast<char>(i * 31);
  ASSERT_TRUE(WriteWholeFile(this->site.fs, this->Path("f"), bytes).ok());
  const auto file = this->site.fs.OpenForRead(this->Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  const auto read = [&] {
    std::string scratch(100, '\0');
    for (uint64_t offset = 0; offset + 100 <= bytes.size(); offset += 100) {
      ASSERT_TRUE(file->ReadAt(offset, 100, scratch.data()).ok());
      ASSERT_TRUE(scratch == std::string_view(bytes).substr(offset, 100));
    }
    const absl::StatusOr<std::string_view> mapped = file->Map();
    ASSERT_TRUE(mapped.ok()) << mapped.status();
    EXPECT_TRUE(*mapped == bytes);
  };
  std::thread other(read);
  read();
  other.join();
}

TYPED_TEST_P(FileSystemConformance, AgreesWithAModelOnRandomHistories) {
  CheckRandomFileHistory(this->site.fs, this->site.root);
}

REGISTER_TYPED_TEST_SUITE_P(FileSystemConformance, AppendsAndReads, CreateEmptiesAnExistingFile,
                            WritesInPlaceAndBeyondTheEnd, CutsAFileOff, ExtendsAFileByZeros,
                            OverwritesAnExistingFile, ReadingPastTheEndIsCorruption, MapsAWholeFile,
                            MapsAnEmptyFile, RenamesOverAnExistingFile,
                            RenamesAcrossDirectoriesAndWholeDirectories, LinksAreNamesOfOneFile,
                            RemovesFiles, ListsFilesSorted, CreatesDirectoriesWithTheirParents,
                            SyncsDirectories, LocksOnce, AClosedFileRefusesWrites, AMovedFileGoesOn,
                            SyncsBesideAppends, ReadsFromManyThreads,
                            AgreesWithAModelOnRandomHistories);

}  // namespace kv

#endif  // KV_IO_CONFORMANCE_H_
