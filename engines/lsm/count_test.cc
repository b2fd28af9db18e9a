// Count of prefixes, wherever in the store their keys are, and of prefixes that no key has.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engines/lsm/store_testing.h"

namespace kv {
namespace {

class CountTest : public ::testing::Test {
 protected:
  CountTest() {
    Options options = StoreOptions();
    options.memtable_bytes = uint64_t{1} << 20;
    store_ = *OpenStore<UnsyncedStore>(SimulatedFileSystem(), options);
  }

  void Put(std::string_view key) { ASSERT_TRUE(store_->Put(key, "value").ok()); }
  uint64_t Count(std::string_view prefix) {
    const auto count = store_->Count(prefix);
    EXPECT_TRUE(count.ok()) << count.status();
    return count.value_or(~uint64_t{0});
  }
  // With the keys b1, b3 and \xff\xff.
  void ExpectThree() {
    EXPECT_EQ(Count(""), 3);
    EXPECT_EQ(Count("a"), 0);
    EXPECT_EQ(Count("b"), 2);
    EXPECT_EQ(Count("b0"), 0);
    EXPECT_EQ(Count("b1"), 1);
    EXPECT_EQ(Count("b2"), 0);
    EXPECT_EQ(Count("b3"), 1);
    EXPECT_EQ(Count("b33"), 0);
    EXPECT_EQ(Count("c"), 0);
    EXPECT_EQ(Count("\xff"), 1);
    EXPECT_EQ(Count("\xff\xff\xff"), 0);
  }

  std::unique_ptr<UnsyncedStore> store_;
};

TEST_F(CountTest, OfNothingAtAll) {
  EXPECT_EQ(Count(""), 0);
  EXPECT_EQ(Count("\xff"), 0);
}

TEST_F(CountTest, OfKeysInTheMemtableAndInTables) {
  for (const char* key : {"b1", "b3", "\xff\xff"}) Put(key);
  ExpectThree();
  ASSERT_TRUE(store_->Flush().ok());  // level 0
  ExpectThree();
  ASSERT_TRUE(store_->Compact().ok());  // below it
  ExpectThree();
}

TEST_F(CountTest, OfKeysThatAreApart) {
  Put("b1");
  ASSERT_TRUE(store_->Compact().ok());
  Put("\xff\xff");
  ASSERT_TRUE(store_->Flush().ok());
  Put("b3");
  ExpectThree();
}

// Their records are there, so that a cursor has to tell.
TEST_F(CountTest, OfKeysThatWereDeleted) {
  for (const char* key : {"b1", "b2", "b3", "c", "\xff\xff"}) Put(key);
  ASSERT_TRUE(store_->Delete("b2").ok());
  ASSERT_TRUE(store_->DeleteRange("b4", "d").ok());
  ExpectThree();
  ASSERT_TRUE(store_->Flush().ok());
  ExpectThree();
}

TEST_F(CountTest, OfKeysWrittenMoreThanOnce) {
  for (const char* key : {"b1", "b1", "b3", "\xff\xff"}) Put(key);
  ExpectThree();
  ASSERT_TRUE(store_->Flush().ok());
  for (const char* key : {"b3", "b3", "\xff\xff"}) Put(key);  // versions here and there
  ExpectThree();
}

TEST_F(CountTest, OfAClosedStore) {
  ASSERT_TRUE(store_->Close().ok());
  EXPECT_EQ(store_->Count("b").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace kv
