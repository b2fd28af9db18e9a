#include "kv/testing/fuzzed_store.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

TEST(FuzzInput, TheFirstByteSaysHowTheOthersAreRead) {
  const FuzzInput empty("");
  EXPECT_FALSE(empty.repair);
  EXPECT_EQ(empty.bytes, "");
  const FuzzInput input("\x85rest");
  EXPECT_TRUE(input.repair);
  EXPECT_EQ(input.choice, 5);
  EXPECT_EQ(input.bytes, "rest");
}

TEST(FuzzInput, ASeedIsReadBothWays) {
  std::vector<std::string> seeds;
  AddSeeds(3, "bytes", &seeds);
  ASSERT_EQ(seeds.size(), 2u);
  for (const std::string& seed : seeds) {
    EXPECT_EQ(FuzzInput(seed).choice, 3);
    EXPECT_EQ(FuzzInput(seed).bytes, "bytes");
  }
  EXPECT_FALSE(FuzzInput(seeds[0]).repair);
  EXPECT_TRUE(FuzzInput(seeds[1]).repair);
}

TEST(FuzzingDeathTest, ABrokenPromiseStopsTheProgram) {
  Require(true, "all is well");
  EXPECT_DEATH(Require(false, "one and one is three"), "one and one is three");
  EXPECT_DEATH(RequireOk(absl::DataLossError("gone"), "it must work:"), "it must work:.*gone");
}

TEST(FuzzingDeathTest, ARefusalIsOfDamageAndNamesTheFile) {
  RequireRefusal(absl::DataLossError("/store/a: corrupt"), "/store/a");
  RequireRefusal(absl::FailedPreconditionError("/store/a: newer"), "/store/a");
  EXPECT_DEATH(RequireRefusal(absl::DataLossError("corrupt"), "/store/a"), "does not name");
  EXPECT_DEATH(RequireRefusal(absl::InternalError("/store/a"), "/store/a"), "another error");
}

TEST(ExactFiles, AMappingIsWhatTheFileWasWhenItWasOpened) {
  ExactFiles files;
  files.Set("/d/a", "12345");
  auto file = files.OpenForRead("/d/a");
  ASSERT_TRUE(file.ok());
  auto writer = files.OpenForOverwrite("/d/a");
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(writer->WriteAt(7, "x").ok());
  EXPECT_EQ(files.Contents("/d/a"), std::string_view("12345\0\0x", 8));
  EXPECT_EQ(*file->Map(), "12345");
  char last = 0;
  EXPECT_TRUE(file->ReadAt(7, 1, &last).ok());
  EXPECT_EQ(last, 'x');
  EXPECT_TRUE(absl::IsDataLoss(file->ReadAt(7, 2, &last)));
  EXPECT_TRUE(absl::IsNotFound(files.OpenForRead("/d/b").status()));
}

TEST(ExactFiles, ACopyIsApartAndUnlocked) {
  ExactFiles files;
  files.Set("/d/a", "1");
  files.Set("/d/e/f", "not listed");
  const auto lock = files.LockFile("/d/LOCK");
  ASSERT_TRUE(lock.ok());
  EXPECT_FALSE(files.LockFile("/d/LOCK").ok());
  ExactFiles copy = files.Copy();
  EXPECT_TRUE(copy.LockFile("/d/LOCK").ok());
  EXPECT_TRUE(copy.Rename("/d/a", "/d/b").ok());
  EXPECT_EQ(*files.List("/d"), (std::vector<std::string>{"LOCK", "a"}));
  EXPECT_EQ(*copy.List("/d"), (std::vector<std::string>{"LOCK", "b"}));
}

TEST(FuzzedStore, AnInputTakesThePlaceOfOneFile) {
  ExactFiles files;
  files.Set("/store/000001.log", std::string("log") + std::string(1000, '\0'));
  files.Set("/store/CURRENT", "current");
  files.Set("/store/LOCK", "");
  const FuzzedStore store(files);
  EXPECT_EQ(store.Name(0), "000001.log");
  EXPECT_EQ(store.Name(3), "CURRENT");
  EXPECT_EQ(store.Seeds().size(), 4u);
  EXPECT_LT(store.Files().Contents("/store/000001.log").size(), 100u);
  const ExactFiles with = store.FilesWith("CURRENT", "other");
  EXPECT_EQ(with.Contents("/store/CURRENT"), "other");
  EXPECT_EQ(store.Files().Contents("/store/CURRENT"), "current");
}

}  // namespace
}  // namespace kv::testing
