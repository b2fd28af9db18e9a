// The Compression suite over the reference, then over the models, and over models that it must
// refuse.

#include "kv/compression/conformance.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

using ZstdWithDictionary =
    ZstdCompression<ZstdShape{.level = 1, .bottom_level = 6, .dictionary_bytes = 16384}>;

using Compressions = testing::Types<CompressionArchetype, NoCompression, ZstdCompression<>,
                                    ZstdCompression<ZstdShape{.level = -5}>,
                                    ZstdCompression<ZstdShape{.level = 9}>, ZstdWithDictionary>;
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

TYPED_TEST(CompressionConformanceTest, Tables) {
  for (const uint64_t seed : {1, 2}) {
    const absl::Status status = CheckCompressionTables<TypeParam>(seed);
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

struct IdZeroButCompresses : ZstdCompression<> {
  static constexpr uint8_t kId = kCompressionNone;
};

struct BelievesTheBytes : CompressionArchetype {
  using CompressionArchetype::Decompress;
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t) {
    return CompressionArchetype::Decompress(bytes, out, bytes.size() / 2);
  }
};

struct AllocatesWhatItIsTold : CompressionArchetype {
  using CompressionArchetype::Decompress;
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
    if (expected_size < size_t{1} << 32) out->reserve(expected_size);
    return CompressionArchetype::Decompress(bytes, out, expected_size);
  }
};

// Trains, compresses with what it learnt, and does not say so.
struct HidesItsDictionary : ZstdWithDictionary {
  struct Compressor : ZstdWithDictionary::Compressor {
    using ZstdWithDictionary::Compressor::Compressor;
    std::string Train(std::string_view samples, std::span<const size_t> sizes) {
      ZstdWithDictionary::Compressor::Train(samples, sizes);
      return {};
    }
  };
};

struct TrainsWithoutBound : ZstdWithDictionary {
  static constexpr size_t kDictionaryBytes = 1000;
};

struct BelievesAnyDictionary : NoCompression {
  struct Dictionary {
    static absl::StatusOr<Dictionary> Open(std::string_view) { return Dictionary(); }
    size_t Bytes() const { return 0; }
  };
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size,
                                 const Dictionary& = {}) {
    return NoCompression::Decompress(bytes, out, expected_size);
  }
};

TEST(CompressionSuite, RefusesBrokenModels) {
  EXPECT_FALSE(CheckCompressionTables<HidesItsDictionary>(1).ok());
  EXPECT_FALSE(CheckCompressionTables<TrainsWithoutBound>(1).ok());
  EXPECT_FALSE(CheckCompressionTables<BelievesAnyDictionary>(1).ok());
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
struct WithoutTables {
  static constexpr std::string_view kName = "none";
  static constexpr uint8_t kId = kCompressionNone;
  static absl::Status Compress(std::string_view, std::string*);
  static absl::Status Decompress(std::string_view, std::string*, size_t);
};
static_assert(!Compression<WithoutTables>);
static_assert(!Compression<WithoutStatus>);
static_assert(!Compression<IdOfOtherWidth>);

// ---- Zstd.

TEST(ZstdCompression, NameHasTheShape) {
  EXPECT_EQ(ZstdCompression<>::kName, "zstd<1>");
  EXPECT_EQ(ZstdCompression<ZstdShape{.level = 19}>::kName, "zstd<19>");
  EXPECT_EQ(ZstdCompression<ZstdShape{.level = -10}>::kName, "zstd<-10>");
  EXPECT_EQ(ZstdWithDictionary::kName, "zstd<1,6,16384>");
}

TEST(ZstdCompression, ShapesReadEachOther) {
  const std::string text(10'000, 'y');
  std::string stored;
  std::string back;
  ASSERT_TRUE(ZstdCompression<ZstdShape{.level = 19}>::Compress(text, &stored).ok());
  EXPECT_LT(stored.size(), 100u);
  ASSERT_TRUE(ZstdCompression<>::Decompress(stored, &back, text.size()).ok());
  EXPECT_EQ(back, text);
  // Nor does reading a dictionary take a shape that trains one.
  ZstdWithDictionary::Compressor compressor(CompressionDepth::kUpper);
  std::string samples;
  std::vector<size_t> sizes;
  const std::vector<std::string> documents = compression_conformance::Documents(1, 256);
  for (const std::string& document : documents) {
    samples += document;
    sizes.push_back(document.size());
  }
  const std::string dictionary = compressor.Train(samples, sizes);
  ASSERT_FALSE(dictionary.empty());
  ASSERT_TRUE(compressor.Compress(documents[7], &stored).ok());
  auto opened = ZstdCompression<>::Dictionary::Open(dictionary);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(ZstdCompression<>::Decompress(stored, &back, documents[7].size(), *opened).ok());
  EXPECT_EQ(back, documents[7]);
}

TEST(ZstdCompression, BottomAndDictionarySaveBytes) {
  using compression_conformance::CheckTable;
  using Bottom = ZstdCompression<ZstdShape{.level = 1, .bottom_level = 9}>;
  const std::vector<std::string> documents = compression_conformance::Documents(1, 256);
  std::string dictionary;
  size_t upper;
  size_t bottom;
  size_t with_dictionary;
  ASSERT_TRUE(CheckTable<Bottom>(CompressionDepth::kUpper, documents, &dictionary, &upper).ok());
  ASSERT_TRUE(CheckTable<Bottom>(CompressionDepth::kBottom, documents, &dictionary, &bottom).ok());
  EXPECT_TRUE(dictionary.empty());
  ASSERT_TRUE(CheckTable<ZstdWithDictionary>(CompressionDepth::kUpper, documents, &dictionary,
                                             &with_dictionary)
                  .ok());
  EXPECT_FALSE(dictionary.empty());
  EXPECT_LT(bottom, upper);
  EXPECT_LT(with_dictionary + dictionary.size(), upper);
}

// A dictionary that saves nothing is not stored with every table.
TEST(ZstdCompression, NoiseHasNoDictionary) {
  std::mt19937_64 random(1);
  std::vector<std::string> blocks(256, std::string(4096, '\0'));
  for (std::string& block : blocks) {
    for (char& byte : block) byte = static_cast<char>(random());
  }
  std::string dictionary;
  size_t stored;
  ASSERT_TRUE(compression_conformance::CheckTable<ZstdWithDictionary>(CompressionDepth::kUpper,
                                                                      blocks, &dictionary, &stored)
                  .ok());
  EXPECT_TRUE(dictionary.empty());
}

// A frame that says it holds as much as the index expects of it, an exbibyte: both lie.
TEST(ZstdCompression, FrameAndIndexLieAlike) {
  std::string frame("\x28\xb5\x2f\xfd\xe0", 5);  // magic; single segment, 8-byte content size
  AppendFixed64(&frame, uint64_t{1} << 60);
  frame.append("\x01\x00\x00", 3);
  std::string out;
  const absl::Status status = ZstdCompression<>::Decompress(frame, &out, size_t{1} << 60);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_LT(out.capacity(), 100u);
}

}  // namespace
}  // namespace kv
