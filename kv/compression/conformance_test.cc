// The Compression suite over the reference, then over the models, and over models that it must
// refuse.

#include "kv/compression/conformance.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "kv/base/bytes.h"
#include "kv/compression/archetype.h"
#include "kv/compression/concept.h"
#include "kv/compression/none.h"
#include "kv/compression/zstd.h"

namespace kv {
namespace {

template <typename C>
class CompressionConformanceTest : public testing::Test {};

using Compressions = testing::Types<CompressionArchetype, NoCompression, ZstdCompression<1>,
                                    ZstdCompression<-5>, ZstdCompression<9>>;
TYPED_TEST_SUITE(CompressionConformanceTest, Compressions);

TYPED_TEST(CompressionConformanceTest, RoundTrips) {
  const absl::Status status = CheckCompressionRoundTrips<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(CompressionConformanceTest, Hostile) {
  for (const uint64_t seed : {1, 2, 3}) {
    const absl::Status status = CheckCompressionHostile<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TYPED_TEST(CompressionConformanceTest, Concurrent) {
  const absl::Status status = CheckCompressionConcurrent<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

// ---- Models that the suite refuses.

struct Appends : CompressionArchetype {
  static absl::Status Compress(std::string_view bytes, std::string* out) {
    std::string stored;
    KV_RETURN_IF_ERROR(CompressionArchetype::Compress(bytes, &stored));
    out->append(stored);
    return absl::OkStatus();
  }
};

struct IdZeroButCompresses : ZstdCompression<1> {
  static constexpr uint8_t kId = kCompressionNone;
};

struct BelievesTheBytes : CompressionArchetype {
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t) {
    return CompressionArchetype::Decompress(bytes, out, bytes.size() / 2);
  }
};

struct AllocatesWhatItIsTold : CompressionArchetype {
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
    if (expected_size < size_t{1} << 32) out->reserve(expected_size);
    return CompressionArchetype::Decompress(bytes, out, expected_size);
  }
};

TEST(CompressionSuite, RefusesBrokenModels) {
  EXPECT_FALSE(CheckCompressionRoundTrips<Appends>(1).ok());
  EXPECT_FALSE(CheckCompressionRoundTrips<IdZeroButCompresses>(1).ok());
  EXPECT_FALSE(CheckCompressionHostile<BelievesTheBytes>(1).ok());
  EXPECT_FALSE(CheckCompressionHostile<AllocatesWhatItIsTold>(1).ok());
}

// ---- Types that the concept refuses.

struct WithoutStatus : NoCompression {
  static void Compress(std::string_view, std::string*) {}
};
struct IdOfOtherWidth : NoCompression {
  static constexpr int kId = 0;
};
static_assert(!Compression<WithoutStatus>);
static_assert(!Compression<IdOfOtherWidth>);

// ---- Zstd.

TEST(ZstdCompression, NameHasTheLevel) {
  EXPECT_EQ(ZstdCompression<1>::kName, "zstd<1>");
  EXPECT_EQ(ZstdCompression<19>::kName, "zstd<19>");
  EXPECT_EQ(ZstdCompression<-10>::kName, "zstd<-10>");
}

TEST(ZstdCompression, LevelsReadEachOther) {
  const std::string text(10'000, 'y');
  std::string stored;
  std::string back;
  ASSERT_TRUE(ZstdCompression<19>::Compress(text, &stored).ok());
  EXPECT_LT(stored.size(), 100u);
  ASSERT_TRUE(ZstdCompression<1>::Decompress(stored, &back, text.size()).ok());
  EXPECT_EQ(back, text);
}

// A frame that says it holds as much as the index expects of it, an exbibyte: both lie.
TEST(ZstdCompression, FrameAndIndexLieAlike) {
  std::string frame("\x28\xb5\x2f\xfd\xe0", 5);  // magic; single segment, 8-byte content size
  AppendFixed64(&frame, uint64_t{1} << 60);
  frame.append("\x01\x00\x00", 3);
  std::string out;
  const absl::Status status = ZstdCompression<1>::Decompress(frame, &out, size_t{1} << 60);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_LT(out.capacity(), 100u);
}

}  // namespace
}  // namespace kv
