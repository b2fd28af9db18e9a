#include "kv/contract/statistics.h"

#include <cstdint>
#include <cstring>
#include <set>
#include <string_view>

#include "gtest/gtest.h"

namespace kv {
namespace {

// Each word of Statistics has one name, and each name one word.
TEST(StatisticsTest, TableNamesEveryField) {
  std::set<std::string_view> names;
  Statistics statistics;
  for (const StatisticsField& field : kStatisticsFields) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name << " twice";
    EXPECT_EQ(statistics.*field.member, 0u) << "a field named twice, or not zero at first";
    statistics.*field.member = 1;
  }
  uint64_t words[sizeof(Statistics) / sizeof(uint64_t)];
  std::memcpy(words, &statistics, sizeof words);
  for (const uint64_t word : words) EXPECT_EQ(word, 1u);
}

TEST(StatisticsTest, NamesAreThoseOfTheFields) {
  const auto name_of = [](uint64_t Statistics::*member) {
    for (const StatisticsField& field : kStatisticsFields) {
      if (field.member == member) return field.name;
    }
    return std::string_view();
  };
  EXPECT_EQ(name_of(&Statistics::reads), "reads");
  EXPECT_EQ(name_of(&Statistics::filter_false_positives), "filter_false_positives");
  EXPECT_EQ(name_of(&Statistics::memory_bytes), "memory_bytes");
}

}  // namespace
}  // namespace kv
