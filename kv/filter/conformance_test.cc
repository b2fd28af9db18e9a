// The Filter suite over the reference, then over the models, and over filters that it must refuse.

#include "kv/filter/conformance.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "kv/filter/archetype.h"
#include "kv/filter/binary_fuse.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/filter/concept.h"
#include "kv/filter/none.h"

namespace kv {
namespace {

template <typename F>
class FilterConformanceTest : public testing::Test {};

using Filters =
    testing::Types<FilterArchetype, NoFilter, BlockedBloomFilter<2>, BlockedBloomFilter<10>,
                   BlockedBloomFilter<32>, BinaryFuseFilter<8>, BinaryFuseFilter<16>>;
TYPED_TEST_SUITE(FilterConformanceTest, Filters);

TYPED_TEST(FilterConformanceTest, NeverDenies) {
  for (const uint64_t seed : {1, 2, 3}) {
    const absl::Status status = CheckFilterNeverDenies<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TYPED_TEST(FilterConformanceTest, AnyBytes) {
  const absl::Status status = CheckFilterAnyBytes<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(FilterConformanceTest, Excludes) {
  const absl::Status status = CheckFilterExcludes<TypeParam>(1);
  EXPECT_TRUE(status.ok()) << status;
}

// ---- Filters that the suite refuses.

struct ForgetsOne : FilterArchetype {
  class Builder : public FilterArchetype::Builder {
   public:
    void Add(uint64_t hash) {
      if (added_++ != 2) FilterArchetype::Builder::Add(hash);
    }

   private:
    int added_ = 0;
  };
};

struct DeniesWhatItCannotRead : FilterArchetype {
  static bool MayContain(std::string_view bytes, uint64_t hash) {
    if (bytes.size() % 8 != 0) return false;
    return FilterArchetype::MayContain(bytes, hash);
  }
};

struct ExcludesNothing : NoFilter {
  static constexpr bool kEnabled = true;
  static constexpr uint32_t kFormat = 7;
};

struct KeepsOldHashes : FilterArchetype {
  class Builder {
   public:
    void Add(uint64_t hash) { inner_.Add(hash); }
    std::string Finish() { return FilterArchetype::Builder(inner_).Finish(); }

   private:
    FilterArchetype::Builder inner_;
  };
};

TEST(FilterSuite, RefusesBrokenFilters) {
  EXPECT_FALSE(CheckFilterNeverDenies<ForgetsOne>(1).ok());
  EXPECT_FALSE(CheckFilterAnyBytes<DeniesWhatItCannotRead>(1).ok());
  EXPECT_FALSE(CheckFilterExcludes<ExcludesNothing>(1).ok());
  EXPECT_FALSE(CheckFilterNeverDenies<KeepsOldHashes>(1).ok());
}

// ---- Types that the concept refuses.

struct WithoutBuilder : NoFilter {
  using Builder = int;
};
struct FinishesNothing : NoFilter {
  struct Builder {
    void Add(uint64_t) {}
    void Finish() {}
  };
};
static_assert(!Filter<WithoutBuilder>);
static_assert(!Filter<FinishesNothing>);

}  // namespace
}  // namespace kv
