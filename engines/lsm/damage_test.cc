// Every file of a closed store cut short or with a bit flipped: an error that names a file, or the
// right answers. Never a wrong or a missing value.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engines/lsm/file_names.h"
#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

constexpr size_t kWrites = 40;

template <typename E>
SimulatedFileSystem ClosedStore() {
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok());
  EXPECT_EQ(History::WriteUntil(**store, 0, kWrites), kWrites);
  EXPECT_TRUE((*store)->Close().ok());
  return fs;
}

// A file of the store. A compaction away from each other, the manifest's last edit and a table may
// both be at fault, so the manifest's name will do for any file that it should have named.
bool NamesAFile(const absl::Status& status, const std::string& path) {
  return Names(status, path) || Names(status, "MANIFEST");
}

// Whether the damage to `path` was reported.
template <typename E>
bool CheckDamaged(SimulatedFileSystem fs, const std::string& path, const std::string& label) {
  const auto is_report = [&](const absl::Status& status) {
    EXPECT_TRUE(status.code() == absl::StatusCode::kDataLoss) << label << ": " << status;
    EXPECT_TRUE(NamesAFile(status, path)) << label << ": " << status;
    EXPECT_TRUE(Names(status, "offset")) << label << ": " << status;
    return true;
  };
  auto store = OpenStore<E>(fs);
  if (!store.ok()) return is_report(store.status());
  const Model expected = History::StateAfter(kWrites);
  bool reported = false;
  for (size_t i = 0; i < 8; ++i) {
    const std::string key = fmt::format("key{}", i);
    std::string value;
    const absl::Status status = (*store)->Get(key, &value);
    if (status.ok() || absl::IsNotFound(status)) {
      const auto found = expected.find(key);
      EXPECT_EQ(status.ok(), found != expected.end()) << label << ", " << key;
      if (status.ok() && found != expected.end()) {
        EXPECT_EQ(value, found->second) << label;
      }
    } else {
      reported |= is_report(status);
    }
  }
  if (const auto walked = Walk((*store)->NewCursor()); !walked.ok()) {
    reported |= is_report(walked.status());
  } else {
    EXPECT_EQ(*walked, expected) << label;
  }
  if (const absl::Status status = (*store)->Verify(); !status.ok()) reported |= is_report(status);
  return reported;
}

template <typename E>
class DamageTest : public ::testing::Test {
 protected:
  // Most of a synced log is zeros ahead of its records, and copying them takes its time.
  static constexpr uint64_t kFlipsInAFile = E::kDurableOnReturn ? 30 : 400;
  static constexpr uint64_t kCutsOfAFile = E::kDurableOnReturn ? 5 : 60;
  static constexpr uint64_t kUsedBytes = 1500;
};

using Stores = ::testing::Types<SyncedStore, UnsyncedStore, SeparatedStore>;
TYPED_TEST_SUITE(DamageTest, Stores);

TYPED_TEST(DamageTest, FlippedBitsAreReportedOrHarmless) {
  const SimulatedFileSystem closed = ClosedStore<TypeParam>();
  const std::vector<std::string> names = *SimulatedFileSystem(closed).List(kStoreDirectory);
  for (const std::string& name : names) {
    const std::string path = kStoreDirectory + "/" + name;
    const uint64_t size = std::min(closed.Contents(path)->size(), this->kUsedBytes);
    kv::testing::Random random(size);
    uint64_t reported = 0;
    for (uint64_t i = 0; i < this->kFlipsInAFile && size > 0; ++i) {
      const uint64_t offset = random.Below(size);
      SimulatedFileSystem fs = closed.Crash(0, CrashMode::kKeepAll);
      ASSERT_TRUE(fs.FlipBit(path, offset, random.Below(8)).ok());
      reported += CheckDamaged<TypeParam>(fs, path, fmt::format("{} at {}", path, offset));
    }
    // Each byte of a table or value file has a checksum over it.
    if (FileNames::ParseTable(name) || FileNames::ParseValues(name)) {
      EXPECT_EQ(reported, this->kFlipsInAFile) << name;
    }
  }
}

TYPED_TEST(DamageTest, TruncatedFilesAreReportedOrHarmless) {
  const SimulatedFileSystem closed = ClosedStore<TypeParam>();
  const std::vector<std::string> names = *SimulatedFileSystem(closed).List(kStoreDirectory);
  for (const std::string& name : names) {
    const std::string path = kStoreDirectory + "/" + name;
    const std::string bytes = *closed.Contents(path);
    kv::testing::Random random(bytes.size());
    for (uint64_t i = 0; i < this->kCutsOfAFile && !bytes.empty(); ++i) {
      const uint64_t limit = std::min<uint64_t>(bytes.size(), this->kUsedBytes);
      const uint64_t length = i == 0 ? 0 : i == 1 ? bytes.size() - 1 : random.Below(limit);
      SimulatedFileSystem fs = closed.Crash(0, CrashMode::kKeepAll);
      SetContents(fs, path, bytes.substr(0, length));
      const bool reported =
          CheckDamaged<TypeParam>(fs, path, fmt::format("{} cut to {}", path, length));
      if (FileNames::ParseTable(name) || FileNames::ParseValues(name)) {
        EXPECT_TRUE(reported) << name;
      }
    }
  }
}

}  // namespace
}  // namespace kv
