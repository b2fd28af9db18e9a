// Value files: what is written is read, and every flipped byte, cut and mistaken pointer is found.
#include "engines/lsm/value_file.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/file_names.h"
#include "engines/lsm/manifest_edit.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/value_format.h"
#include "engines/lsm/value_pointer.h"
#include "engines/lsm/value_writer.h"
#include "fmt/format.h"
#include "kv/io/simulated.h"
#include "kv/reading/archetype.h"
#include "kv/reading/mmap.h"
#include "kv/reading/pread.h"
#include "kv/testing/simulated_environment.h"
#include "kv/values/separated.h"

namespace kv {
namespace {

// What a ValueWriter asks of a store.
class Directory {
 public:
  using Files = SimulatedFileSystem;

  explicit Directory(SimulatedFileSystem fs) : environment_{.file_system = std::move(fs)} {
    environment_.file_system.CreateDirectories("/d").IgnoreError();
  }
  testing::SimulatedEnvironment& environment() { return environment_; }
  const FileNames& names() const { return names_; }
  uint64_t NewFileNumber() { return next_++; }

 private:
  testing::SimulatedEnvironment environment_;
  FileNames names_{"/d"};
  uint64_t next_ = 7;
};

template <typename R, uint64_t kBytes>
struct Parts {
  using Reading = R;
  using Values = SeparatedValues<SeparatedShape{.min_bytes = 1, .file_bytes = kBytes}>;
};

std::vector<std::string> SomeValues() {
  std::vector<std::string> values;
  for (const size_t size : {1, 0, 100, 3, 5000, 64, 63, 65}) {
    values.push_back(std::string(size, static_cast<char>('a' + values.size())));
  }
  return values;
}

template <typename R>
class ValueFileTest : public ::testing::Test {
 protected:
  using PartsType = Parts<R, 1 << 20>;
  using File = ValueFile<PartsType, SimulatedFileSystem>;
  using Writer = ValueWriter<PartsType, Directory>;

  // Writes file 7.
  void Write(const std::vector<std::string>& values) {
    Directory directory(fs_);
    Writer writer(directory);
    for (const std::string& value : values) {
      ASSERT_TRUE(writer.Add(value, &pointers_.emplace_back()).ok());
    }
    auto files = writer.Finish();
    ASSERT_TRUE(files.ok()) << files.status();
    ASSERT_EQ(files->size(), 1u);
    meta_ = files->front()->meta();
    ASSERT_TRUE(fs_.SyncDirectory("/d").ok());
  }

  SimulatedFileSystem fs_;
  std::vector<ValuePointer> pointers_;
  ValueFileMeta meta_;
  const std::string path_ = "/d/000007.values";
};

using Readings = ::testing::Types<MmapReading, PreadReading, ReadingArchetype>;
TYPED_TEST_SUITE(ValueFileTest, Readings);

TYPED_TEST(ValueFileTest, ReadsWhatWasWritten) {
  const std::vector<std::string> values = SomeValues();
  this->Write(values);
  EXPECT_EQ(this->meta_.number, 7u);
  EXPECT_EQ(this->meta_.records, values.size());
  EXPECT_EQ(this->meta_.bytes, this->fs_.Contents(this->path_)->size());
  auto file = TestFixture::File::Open(this->fs_, this->path_, this->meta_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Verify(), absl::OkStatus());
  typename TestFixture::File::Room room;
  uint64_t bytes = 0;
  for (size_t i = values.size(); i-- > 0;) {
    std::string_view value;
    ASSERT_TRUE((*file)->Read(this->pointers_[i], &room, &value).ok());
    EXPECT_EQ(value, values[i]);
    bytes += this->pointers_[i].RecordBytes();
  }
  EXPECT_EQ(bytes, this->meta_.RecordBytes());
}

// It is durable once the directory is, and gone with the last reference once it is obsolete.
TYPED_TEST(ValueFileTest, SurvivesPowerFailureUntilItIsObsolete) {
  this->Write(SomeValues());
  SimulatedFileSystem crashed = this->fs_.Crash(1, CrashMode::kLoseUnsynced);
  auto file = TestFixture::File::Open(crashed, this->path_, this->meta_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Verify(), absl::OkStatus());
  (*file)->MarkObsolete();
  auto other = *file;
  file->reset();
  typename TestFixture::File::Room room;
  std::string_view value;
  EXPECT_TRUE(other->Read(this->pointers_[4], &room, &value).ok());
  EXPECT_TRUE(crashed.Exists(this->path_));
  other.reset();
  EXPECT_FALSE(crashed.Exists(this->path_));
}

TYPED_TEST(ValueFileTest, EveryFlippedByteIsFound) {
  const std::vector<std::string> values = {"first", "", "the third", std::string(40, 'x')};
  this->Write(values);
  for (uint64_t offset = 0; offset < this->meta_.bytes; ++offset) {
    const std::string label = fmt::format("byte {}", offset);
    SimulatedFileSystem fs = this->fs_.Crash(0, CrashMode::kKeepAll);
    ASSERT_TRUE(fs.FlipBit(this->path_, offset, offset % 8).ok());
    const auto is_report = [&](const absl::Status& status) {
      const std::string message(status.message());
      EXPECT_TRUE(absl::IsDataLoss(status)) << label << ": " << status;
      EXPECT_NE(message.find(this->path_), std::string::npos) << message;
      EXPECT_NE(message.find("offset"), std::string::npos) << message;
    };
    auto file = TestFixture::File::Open(fs, this->path_, this->meta_);
    const bool at_an_end = offset < kValueHeaderBytes || offset >= this->meta_.RecordsEnd();
    EXPECT_EQ(file.ok(), !at_an_end) << label;
    if (!file.ok()) {
      is_report(file.status());
      continue;
    }
    is_report((*file)->Verify());
    size_t wrong = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      typename TestFixture::File::Room room;
      std::string_view value;
      const absl::Status status = (*file)->Read(this->pointers_[i], &room, &value);
      if (!status.ok()) is_report(status);
      if (status.ok()) {
        EXPECT_EQ(value, values[i]) << label;
      }
      wrong += !status.ok();
    }
    EXPECT_EQ(wrong, 1u) << label;
  }
}

TYPED_TEST(ValueFileTest, EveryCutIsFound) {
  this->Write({"first", "second"});
  const std::string bytes = *this->fs_.Contents(this->path_);
  for (size_t size = 0; size < bytes.size(); ++size) {
    SimulatedFileSystem fs = this->fs_.Crash(0, CrashMode::kKeepAll);
    auto cut = fs.Create(this->path_);
    ASSERT_TRUE(cut->Append(bytes.substr(0, size)).ok());
    const absl::Status status = TestFixture::File::Open(fs, this->path_, this->meta_).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << size << ": " << status;
  }
}

TYPED_TEST(ValueFileTest, WrongPointersAreRefused) {
  this->Write({"first", "second", std::string(300, 'z')});
  auto file = TestFixture::File::Open(this->fs_, this->path_, this->meta_);
  ASSERT_TRUE(file.ok());
  typename TestFixture::File::Room room;
  std::string_view value;
  const ValuePointer& right = this->pointers_[1];
  for (const ValuePointer& wrong :
       std::vector<ValuePointer>{{7, right.offset + 1, right.bytes},
                                 {7, right.offset, right.bytes + 1},
                                 {7, right.offset, right.bytes - 1},
                                 {7, 0, right.bytes},
                                 {7, this->meta_.RecordsEnd(), 0},
                                 {7, this->meta_.bytes, 0},
                                 {7, UINT64_MAX, right.bytes},
                                 {7, right.offset, UINT64_MAX},
                                 {7, right.offset, UINT64_MAX - kValueRecordHeaderBytes + 1}}) {
    EXPECT_TRUE(absl::IsDataLoss((*file)->Read(wrong, &room, &value)))
        << wrong.offset << ", " << wrong.bytes;
  }
}

TYPED_TEST(ValueFileTest, AnotherFileOrANewerOneIsRefused) {
  this->Write({"first"});
  using OpenedFile = typename TestFixture::File;
  ValueFileMeta other = this->meta_;
  other.number = 8;
  EXPECT_TRUE(absl::IsDataLoss(OpenedFile::Open(this->fs_, this->path_, other).status()));
  other = this->meta_;
  other.records = 2;
  EXPECT_TRUE(absl::IsDataLoss(OpenedFile::Open(this->fs_, this->path_, other).status()));
  std::string bytes = *this->fs_.Contents(this->path_);
  StoreFixed32(bytes.data() + 8, kValueVersion + 1);
  StoreFixed64(bytes.data() + 20, Checksum(std::string_view(bytes).substr(0, 20), BlockSeed(7, 0)));
  auto newer = this->fs_.Create(this->path_);
  ASSERT_TRUE(newer->Append(bytes).ok());
  const absl::Status status = OpenedFile::Open(this->fs_, this->path_, this->meta_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(std::string(status.message()).find(this->path_), std::string::npos) << status;
}

TEST(ValueWriterTest, CutsFilesBySizeAndRemovesThemWhenAbandoned) {
  using Small = Parts<MmapReading, 300>;
  for (const bool finish : {true, false}) {
    SimulatedFileSystem fs;
    Directory directory(fs);
    ValueWriter<Small, Directory> writer(directory);
    std::vector<ValuePointer> pointers(10);
    for (ValuePointer& pointer : pointers) {
      ASSERT_TRUE(writer.Add(std::string(100, 'v'), &pointer).ok());
    }
    if (!finish) {
      writer.Abandon();
      EXPECT_EQ(*fs.List("/d"), std::vector<std::string>());
      continue;
    }
    auto files = writer.Finish();
    ASSERT_TRUE(files.ok()) << files.status();
    // 28 bytes, and 112 for each value, until there are 300.
    ASSERT_EQ(files->size(), 4u);
    EXPECT_EQ(pointers[2].file, 7u);
    EXPECT_EQ(pointers[3], (ValuePointer{.file = 8, .offset = 28, .bytes = 100}));
    EXPECT_EQ((*files)[3]->meta().records, 1u);
  }
}

TEST(ValueWriterTest, FaultsLeaveNoFile) {
  for (uint64_t skip = 0;; ++skip) {
    SimulatedFileSystem fs;
    Directory directory(fs);
    ValueWriter<Parts<MmapReading, 300>, Directory> writer(directory);
    fs.FailAfter(skip, Fault::kIoError, 1);
    ValuePointer pointer;
    absl::Status status;
    for (int i = 0; i < 10 && status.ok(); ++i)
      status = writer.Add(std::string(100, 'v'), &pointer);
    if (status.ok()) status = writer.Finish().status();
    if (status.ok()) {
      EXPECT_GT(skip, 4u);
      break;
    }
    writer.Abandon();
    EXPECT_EQ(*fs.List("/d"), std::vector<std::string>()) << skip;
  }
}

TEST(ValuePointerTest, IsExactlyOne) {
  std::string bytes;
  ValuePointer pointer{.file = 300, .offset = 1, .bytes = 70'000};
  pointer.AppendTo(&bytes);
  ValuePointer parsed;
  EXPECT_TRUE(ValuePointer::Parse(bytes, &parsed));
  EXPECT_EQ(parsed, pointer);
  EXPECT_FALSE(ValuePointer::Parse(bytes + "x", &parsed));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ValuePointer::Parse(std::string_view(bytes).substr(0, size), &parsed)) << size;
  }
}

TEST(ValueReferenceTest, TableMetaHasThem) {
  TableMeta meta{.number = 5, .bytes = 1 << 20, .entries = 3, .smallest = "a", .largest = "z"};
  std::string without;
  meta.AppendTo(&without);
  const TableMeta meta_without = meta;
  meta.values = {{.file = 3, .bytes = 20}, {.file = 200, .bytes = 1 << 30}};
  std::string with;
  meta.AppendTo(&with);
  // Their number has one byte, whether there are any or not.
  EXPECT_EQ(with.size(), without.size() + 9);
  for (const auto& [bytes, expected] : {std::pair(without, meta_without), std::pair(with, meta)}) {
    std::string_view rest = bytes;
    TableMeta taken;
    ASSERT_TRUE(TableMeta::Take(&rest, &taken));
    EXPECT_EQ(taken, expected);
    EXPECT_EQ(rest, "");
    for (size_t size = 0; size < bytes.size(); ++size) {
      rest = std::string_view(bytes).substr(0, size);
      EXPECT_FALSE(TableMeta::Take(&rest, &taken)) << size;
    }
  }
  std::swap(meta.values[0], meta.values[1]);
  with.clear();
  meta.AppendTo(&with);
  std::string_view rest = with;
  TableMeta taken;
  EXPECT_FALSE(TableMeta::Take(&rest, &taken)) << "not ascending";
}

TEST(ValueFileMetaTest, ManifestStatesAddUp) {
  const ValueFileMeta three{.number = 3, .bytes = 1000, .records = 2};
  const ValueFileMeta nine{.number = 9, .bytes = 2000, .records = 5};
  ManifestEdit edit;
  edit.values_added = {nine, three};
  ManifestEdit decoded;
  ASSERT_TRUE(decoded.Decode(edit.Encode()));
  ManifestState state;
  ASSERT_TRUE(state.Apply(decoded).ok());
  EXPECT_EQ(state.values, (std::vector<ValueFileMeta>{three, nine}));
  EXPECT_TRUE(absl::IsDataLoss(ManifestState(state).Apply(edit)));
  ManifestEdit removal;
  removal.values_removed = {3};
  ASSERT_TRUE(decoded.Decode(removal.Encode()));
  ASSERT_TRUE(state.Apply(removal).ok());
  EXPECT_EQ(state.values, std::vector<ValueFileMeta>{nine});
  EXPECT_TRUE(absl::IsDataLoss(ManifestState(state).Apply(removal)));
  ManifestState again;
  ASSERT_TRUE(again.Apply(state.AsEdit()).ok());
  EXPECT_EQ(again.values, state.values);
  // Too small to be one.
  edit.values_added = {{.number = 1, .bytes = 79, .records = 1}};
  EXPECT_FALSE(decoded.Decode(edit.Encode()));
}

TEST(ValueReferenceTest, AddUpInOrder) {
  std::vector<ValueReference> references;
  for (const uint64_t file : {5, 3, 9, 3, 5, 5}) AddReference(&references, {file, 10});
  EXPECT_EQ(references, (std::vector<ValueReference>{{3, 20}, {5, 30}, {9, 10}}));
}

}  // namespace
}  // namespace kv
