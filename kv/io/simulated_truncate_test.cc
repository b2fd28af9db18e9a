// What a crash may leave of a file that was cut off.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "kv/io/crash_points.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

constexpr size_t kSector = simulated::kSectorBytes;

// A durable file of three sectors, cut off after the first; and then `change(file)`.
template <typename Change>
std::set<std::string> Outcomes(CrashMode mode, Change&& change) {
  SimulatedFileSystem fs;
  EXPECT_TRUE(fs.CreateDirectories("/d").ok());
  auto file = fs.Create("/d/f");
  EXPECT_TRUE(file->Append(std::string(3 * kSector, 'o')).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(fs.SyncDirectory("/d").ok());
  EXPECT_TRUE(file->Truncate(kSector).ok());
  std::forward<Change>(change)(*file);
  std::set<std::string> found;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::string bytes = *fs.Crash(seed, mode).Contents("/d/f");
    std::string sectors;
    for (size_t at = 0; at < bytes.size(); at += kSector) sectors += bytes[at];
    found.insert(sectors);
  }
  return found;
}

TEST(SimulatedTruncateTest, ComesBackUntilItIsSynced) {
  const auto nothing = [](auto&) {};
  EXPECT_EQ(Outcomes(CrashMode::kKeepAll, nothing), std::set<std::string>{"o"});
  EXPECT_EQ(Outcomes(CrashMode::kLoseUnsynced, nothing), std::set<std::string>{"ooo"});
  EXPECT_EQ(Outcomes(CrashMode::kPrefix, nothing), (std::set<std::string>{"o", "ooo"}));
  for (const CrashMode mode : kAllCrashModes) {
    EXPECT_EQ(Outcomes(mode, [](auto& file) { EXPECT_TRUE(file.Sync().ok()); }),
              std::set<std::string>{"o"})
        << ToString(mode);
  }
}

TEST(SimulatedTruncateTest, WhatIsWrittenBehindTheCutFollowsIt) {
  const auto append = [](auto& file) { EXPECT_TRUE(file.Append(std::string(kSector, 'n')).ok()); };
  EXPECT_EQ(Outcomes(CrashMode::kKeepAll, append), std::set<std::string>{"on"});
  EXPECT_EQ(Outcomes(CrashMode::kPrefix, append), (std::set<std::string>{"ooo", "o", "on"}));
  EXPECT_FALSE(Outcomes(CrashMode::kJournaled, append).contains("ono"))
      << "a journal orders the cut before the bytes";
  EXPECT_TRUE(Outcomes(CrashMode::kArbitrary, append).contains("ono"));
}

TEST(SimulatedTruncateTest, CountsAndFails) {
  SimulatedFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectories("/d").ok());
  auto file = fs.Create("/d/f");
  ASSERT_TRUE(file->Append("0123").ok());
  const uint64_t before = fs.operations();
  fs.FailAfter(0, Fault::kIoError);
  EXPECT_FALSE(file->Truncate(2).ok());
  EXPECT_EQ(*fs.Contents("/d/f"), "0123");
  EXPECT_TRUE(file->Truncate(2).ok());
  EXPECT_EQ(*fs.Contents("/d/f"), "01");
  EXPECT_EQ(fs.operations(), before + 2);
  fs.CutPowerAfter(0);
  EXPECT_FALSE(file->Truncate(0).ok());
  EXPECT_EQ(*fs.Contents("/d/f"), "01");
}

}  // namespace
}  // namespace kv
