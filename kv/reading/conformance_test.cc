// The Reading suite over the reference, then over the models, and over models that it must refuse.

#include "kv/reading/conformance.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "kv/io/posix.h"
#include "kv/reading/archetype.h"
#include "kv/reading/concept.h"
#include "kv/reading/mmap.h"
#include "kv/reading/pread.h"

namespace kv {
namespace {

template <typename R>
class ReadingConformanceTest : public testing::Test {};

using Readings = testing::Types<ReadingArchetype, MmapReading, PreadReading,
                                Pread<PreadShape{.first_read_ahead = 0, .most_read_ahead = 0}>,
                                Pread<PreadShape{.first_read_ahead = 1, .most_read_ahead = 4096}>>;
TYPED_TEST_SUITE(ReadingConformanceTest, Readings);

TYPED_TEST(ReadingConformanceTest, Views) {
  for (const uint64_t seed : {1, 2}) {
    const absl::Status status = CheckReadingViews<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TYPED_TEST(ReadingConformanceTest, Windows) {
  const absl::Status status = CheckReadingWindows<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(ReadingConformanceTest, Errors) {
  const absl::Status status = CheckReadingErrors<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(ReadingConformanceTest, Concurrent) {
  const absl::Status status = CheckReadingConcurrent<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

// ---- Models that the suite refuses: PreadReading's reader with one fault each.

template <template <typename> typename BrokenReader>
struct Broken {
  static constexpr std::string_view kName = "broken";
  static constexpr bool kMapped = false;
  template <typename File>
  using Reader = BrokenReader<File>;
};

template <typename Self, typename File>
struct BasedOnPread : PreadReading::Reader<File> {
  using Base = PreadReading::Reader<File>;
  using Room = typename Base::Room;
  using Window = typename Base::Window;

  explicit BasedOnPread(Base base) : Base(std::move(base)) {}
  static absl::StatusOr<Self> Open(File file) { return Self(*Base::Open(std::move(file))); }
};

template <typename File>
struct NoFault : BasedOnPread<NoFault<File>, File> {
  using BasedOnPread<NoFault, File>::BasedOnPread;
};

template <typename File>
struct OneRoomForAll : BasedOnPread<OneRoomForAll<File>, File> {
  using Super = BasedOnPread<OneRoomForAll, File>;
  using Super::Super;
  using Room = typename Super::Room;
  absl::Status View(uint64_t offset, size_t size, Room* room, std::string_view* bytes) const {
    // Never freed, so that only the suite sees the fault, and no sanitizer.
    alignas(kReadingAlignment) static char shared[(4 << 20) + kReadingAlignment];
    absl::Status status = Super::View(offset, size, room, bytes);
    char* const to = shared + offset % kReadingAlignment;
    bytes->copy(to, size);
    *bytes = std::string_view(to, size);
    return status;
  }
};

template <typename File>
struct Misaligned : BasedOnPread<Misaligned<File>, File> {
  using Super = BasedOnPread<Misaligned, File>;
  using Super::Super;
  using Room = typename Super::Room;
  absl::Status View(uint64_t offset, size_t size, Room* room, std::string_view* bytes) const {
    if (offset == 0 || size == 0) return Super::View(offset, size, room, bytes);
    std::string_view from_one_before;
    absl::Status status = Super::View(offset - 1, size + 1, room, &from_one_before);
    std::memmove(const_cast<char*>(from_one_before.data()), from_one_before.data() + 1, size);
    *bytes = from_one_before.substr(0, size);
    return status;
  }
};

template <typename File>
struct HidesErrors : BasedOnPread<HidesErrors<File>, File> {
  using Super = BasedOnPread<HidesErrors, File>;
  using Super::Super;
  using Room = typename Super::Room;
  absl::Status View(uint64_t offset, size_t size, Room* room, std::string_view* bytes) const {
    Super::View(offset, size, room, bytes).IgnoreError();
    return absl::OkStatus();
  }
};

// Finds what begins one byte before the range, and takes it for the range.
template <typename File>
struct HoldsTheWrongBytes : BasedOnPread<HoldsTheWrongBytes<File>, File> {
  using Super = BasedOnPread<HoldsTheWrongBytes, File>;
  using Super::Super;
  struct Window : Super::Window {
    bool Holds(uint64_t offset, size_t size, std::string_view* bytes) const {
      return offset > 0 && Super::Window::Holds(offset - 1, size, bytes);
    }
  };
};

template <typename File>
struct ReadsBeyondTheEnd : BasedOnPread<ReadsBeyondTheEnd<File>, File> {
  using Super = BasedOnPread<ReadsBeyondTheEnd, File>;
  using Super::Super;
  struct Window : Super::Window {
    absl::Status Read(const ReadsBeyondTheEnd& reader, uint64_t offset, size_t size, uint64_t,
                      ReadDirection direction, std::string_view* bytes) {
      return Super::Window::Read(reader, offset, size, reader.Size(), direction, bytes);
    }
  };
};

TEST(ReadingSuite, RefusesBrokenModels) {
  ASSERT_TRUE(CheckReadingViews<Broken<NoFault>>(1).ok());
  ASSERT_TRUE(CheckReadingErrors<Broken<NoFault>>(1).ok());
  ASSERT_TRUE(CheckReadingWindows<Broken<NoFault>>(1).ok());
  EXPECT_FALSE(CheckReadingViews<Broken<OneRoomForAll>>(1).ok());
  EXPECT_FALSE(CheckReadingViews<Broken<Misaligned>>(1).ok());
  EXPECT_FALSE(CheckReadingErrors<Broken<HidesErrors>>(1).ok());
  EXPECT_FALSE(CheckReadingWindows<Broken<HoldsTheWrongBytes>>(1).ok());
  EXPECT_FALSE(CheckReadingWindows<Broken<ReadsBeyondTheEnd>>(1).ok());
}

// ---- Types that the concept refuses.

struct WithoutReader {
  static constexpr std::string_view kName = "without";
  static constexpr bool kMapped = true;
};
struct WithoutCapability {
  static constexpr std::string_view kName = "without";
  template <typename File>
  using Reader = PreadReading::Reader<File>;
};
static_assert(!Reading<WithoutReader>);
static_assert(!Reading<WithoutCapability>);

// ---- Pread.

// A scan of 4 KiB steps asks the device seldom, and ever more seldom.
TEST(PreadReading, ReadsAhead) {
  using reading_conformance::TestFile;
  for (const ReadDirection direction : {ReadDirection::kForward, ReadDirection::kBackward}) {
    const auto disk = reading_conformance::MakeDisk(1, size_t{8} << 20);
    auto reader = PreadReading::Reader<TestFile>::Open(TestFile(disk));
    ASSERT_TRUE(reader.ok());
    PreadReading::Reader<TestFile>::Window window;
    for (uint64_t i = 0; i < 2048; ++i) {
      const uint64_t at = (direction == ReadDirection::kForward ? i : 2047 - i) * 4096;
      std::string_view bytes;
      if (!window.Holds(at, 4096, &bytes)) {
        ASSERT_TRUE(window.Read(*reader, at, 4096, disk->size, direction, &bytes).ok());
      }
      ASSERT_EQ(bytes, reading_conformance::Bytes(*disk, at, 4096));
    }
    // 16, 32, ... 512 KiB, then 512 KiB each.
    EXPECT_EQ(disk->reads.load(std::memory_order_relaxed), 21u);
  }
}

// A huge range is not kept for the small ones that follow.
TEST(PreadReading, RoomShrinks) {
  using reading_conformance::TestFile;
  const auto disk = reading_conformance::MakeDisk(1, size_t{8} << 20);
  auto reader = PreadReading::Reader<TestFile>::Open(TestFile(disk));
  ASSERT_TRUE(reader.ok());
  PreadReading::Room room;
  std::string_view bytes;
  ASSERT_TRUE(reader->View(0, disk->size, &room, &bytes).ok());
  EXPECT_GE(room.Bytes(), disk->size);
  ASSERT_TRUE(reader->View(0, 4096, &room, &bytes).ok());
  EXPECT_LT(room.Bytes(), size_t{2} << 20);
}

TEST(PreadReading, ShortFileIsAnError) {
  const std::string path = testing::TempDir() + "/reading_conformance_test";
  auto file = PosixFileSystem().Create(path);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Append(std::string(10'000, 'x')).ok());
  auto reader = PreadReading::Reader<PosixReadableFile>::Open(*PosixFileSystem().OpenForRead(path));
  ASSERT_TRUE(reader.ok());
  PreadReading::Room room;
  std::string_view bytes;
  ASSERT_TRUE(reader->View(5000, 5000, &room, &bytes).ok());
  EXPECT_EQ(bytes, std::string(5000, 'x'));
  ASSERT_TRUE(PosixFileSystem().Create(path).ok());  // cut to nothing behind the reader's back
  EXPECT_TRUE(absl::IsDataLoss(reader->View(5000, 5000, &room, &bytes)));
  EXPECT_TRUE(PosixFileSystem().Remove(path).ok());
}

}  // namespace
}  // namespace kv
