// The manifest: its edits, what a crash leaves of it, and every byte of it damaged.
#include "engines/lsm/manifest.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/file_names.h"
#include "engines/lsm/manifest_edit.h"
#include "kv/io/crash_points.h"
#include "kv/io/simulated.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;
using SimulatedManifest = Manifest<SimulatedFileSystem>;

const FileNames kNames("/store");

TableMeta MakeMeta(Random& random, uint64_t number) {
  TableMeta meta;
  meta.number = number;
  meta.bytes = random.Next() >> random.Below(64);
  meta.entries = random.Next() >> random.Below(64);
  meta.tombstones = random.Below(100);
  meta.expiring = random.Below(100);
  meta.max_sequence = random.Next() >> 8;
  meta.ranges_applied = random.Next() >> 8;
  meta.latest_expiry = random.Next();
  meta.smallest = random.Bytes(random.Below(20));
  meta.largest = random.Bytes(random.Below(200));
  for (uint64_t i = random.Below(3), file = 0; i > 0; --i) {
    file += 1 + random.Below(1000);
    meta.values.push_back({.file = file, .bytes = 1 + random.Below(1 << 20)});
  }
  return meta;
}

// An edit that fits `state`, with table numbers from `*next` on.
ManifestEdit MakeEdit(Random& random, const ManifestState& state, uint64_t* next) {
  ManifestEdit edit;
  if (random.OneIn(2)) edit.log_number = random.Next();
  if (random.OneIn(2)) edit.next_file = random.Next();
  if (random.OneIn(2)) edit.last_sequence = random.Next() >> 8;
  if (random.OneIn(3)) edit.clean_close = CleanClose{random.Next(), random.Below(1000)};
  if (random.OneIn(3)) edit.format = random.Bytes(random.Below(40));
  for (uint64_t i = random.Below(3); i > 0; --i) {
    edit.added.emplace_back(random.Below(5), MakeMeta(random, ++*next));
  }
  for (size_t level = 0; level < state.levels.size(); ++level) {
    for (const TableMeta& meta : state.levels[level]) {
      if (random.OneIn(6)) edit.removed.emplace_back(level, meta.number);
    }
  }
  // The numbers make them unique.
  for (uint64_t i = random.Below(3); i > 0; --i) {
    const std::string begin = random.Bytes(random.Below(5));
    edit.ranges_added.push_back(
        {begin, random.OneIn(4) ? "" : begin + random.Bytes(1 + random.Below(5)), ++*next});
  }
  for (const RangeTombstone& range : state.ranges) {
    if (random.OneIn(4)) edit.ranges_removed.push_back(range);
  }
  return edit;
}

std::string Bytes(const ManifestState& state) { return state.AsEdit().Encode(); }

TEST(ManifestEditTest, RoundTripAndStates) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    ManifestState state;
    uint64_t next = 0;
    for (int i = 0; i < 20; ++i) {
      const ManifestEdit edit = MakeEdit(random, state, &next);
      ManifestEdit decoded;
      ASSERT_TRUE(decoded.Decode(edit.Encode())) << seed;
      EXPECT_EQ(decoded.Encode(), edit.Encode()) << seed;
      ASSERT_TRUE(state.Apply(decoded).ok()) << seed;
      ManifestState rebuilt;
      ASSERT_TRUE(rebuilt.Apply(state.AsEdit()).ok()) << seed;
      EXPECT_EQ(Bytes(rebuilt), Bytes(state)) << seed;
    }
  }
}

TEST(ManifestEditTest, AnyBytesAreRefusedOrTaken) {
  Random random(1);
  uint64_t next = 0;
  ManifestState state;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(state.Apply(MakeEdit(random, {}, &next)).ok());
  const std::string good = state.AsEdit().Encode();
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = random.OneIn(2) ? random.Bytes(random.Below(60)) : good;
    bytes.resize(random.Below(bytes.size() + 1));
    for (uint64_t flips = random.Below(4); flips > 0 && !bytes.empty(); --flips) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Next());
    }
    // A copy of the exact size: AddressSanitizer sees a read past its end.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    ManifestEdit edit;
    ManifestState target;
    if (edit.Decode(std::string_view(exact.data(), exact.size()))) target.Apply(edit).IgnoreError();
  }
}

TEST(ManifestEditTest, RangesThatHoldNothingAreRefused) {
  for (const RangeTombstone& range : {RangeTombstone{"b", "a", 1}, RangeTombstone{"b", "b", 1},
                                      RangeTombstone{"a", "b", kMaxSequence + 1}}) {
    ManifestEdit edit;
    edit.ranges_added.push_back(range);
    EXPECT_FALSE(ManifestEdit().Decode(edit.Encode()));
  }
}

TEST(ManifestEditTest, ARangeTombstoneTwiceInOneEditIsRefused) {
  ManifestEdit edit;
  edit.ranges_added.push_back({"a", "b", 3});
  EXPECT_TRUE(ManifestState().Apply(edit).ok());
  edit.ranges_added.push_back({"a", "b", 3});
  EXPECT_TRUE(absl::IsDataLoss(ManifestState().Apply(edit)));
}

TEST(ManifestEditTest, EditsThatDoNotFitAreRefused) {
  Random random(1);
  ManifestState state;
  ManifestEdit first;
  first.added.emplace_back(1, MakeMeta(random, 7));
  ASSERT_TRUE(state.Apply(first).ok());
  ManifestEdit twice;
  twice.added.emplace_back(0, MakeMeta(random, 7));
  ManifestEdit absent;
  absent.removed.emplace_back(1, 8);
  ManifestEdit range;
  range.ranges_added.push_back({"a", "b", 3});
  ASSERT_TRUE(state.Apply(range).ok());
  EXPECT_FALSE(ManifestState(state).Apply(range).ok());
  ManifestEdit no_range;
  no_range.ranges_removed.push_back({"a", "b", 4});
  EXPECT_FALSE(ManifestState(state).Apply(no_range).ok());
  std::swap(range.ranges_added, range.ranges_removed);
  EXPECT_TRUE(ManifestState(state).Apply(range).ok());
  ManifestEdit wrong_level;
  wrong_level.removed.emplace_back(0, 7);
  ManifestEdit no_level;
  no_level.added.emplace_back(ManifestState::kMaxLevels, MakeMeta(random, 9));
  for (const ManifestEdit& edit : {twice, absent, wrong_level, no_level}) {
    ManifestState copy = state;
    EXPECT_EQ(copy.Apply(edit).code(), absl::StatusCode::kDataLoss);
  }
  // A trivial move takes a table out of one level and puts it into another.
  ManifestEdit move = wrong_level;
  move.removed = {{1, 7}};
  move.added.emplace_back(2, MakeMeta(random, 7));
  EXPECT_TRUE(state.Apply(move).ok());
}

TEST(FileNamesTest, OnlyNamesThatTheStoreGivesAreItsOwn) {
  EXPECT_EQ(FileNames::ParseLog("000007.log"), 7u);
  EXPECT_EQ(FileNames::ParseTable("1234567.table"), 1234567u);
  EXPECT_EQ(FileNames::ParseManifest("MANIFEST-000001"), 1u);
  for (const char* name : {"7.log", "0000007.log", ".log", "-00007.log", "000007.log2",
                           "00000x.log", "99999999999999999999.log"}) {
    EXPECT_FALSE(FileNames::ParseLog(name).has_value()) << name;
  }
  EXPECT_FALSE(FileNames::ParseManifest("MANIFEST-1").has_value());
}

// A store's directory with manifest 3, and the states after each of its records.
struct Written {
  SimulatedFileSystem fs;
  std::vector<std::string> states;
  std::vector<uint64_t> ends;
};

Written WriteManifest(int edits) {
  Written written;
  EXPECT_TRUE(written.fs.CreateDirectories("/store").ok());
  Random random(5);
  uint64_t next = 0;
  ManifestState state;
  state.format = "a format";
  auto manifest = SimulatedManifest::Start(written.fs, kNames, 3, state);
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  written.states.push_back(Bytes(state));
  written.ends.push_back(manifest->Bytes());
  for (int i = 0; i < edits; ++i) {
    const ManifestEdit edit = MakeEdit(random, state, &next);
    EXPECT_TRUE(state.Apply(edit).ok() && manifest->Append(edit).ok());
    written.states.push_back(Bytes(state));
    written.ends.push_back(manifest->Bytes());
  }
  return written;
}

absl::Status ReadError(SimulatedFileSystem fs) { return ReadManifest(fs, kNames).status(); }

bool Names(const absl::Status& status, const std::string& what) {
  return std::string(status.message()).find(what) != std::string::npos;
}

TEST(ManifestTest, EveryFlippedBitIsAnErrorOrATornLastEdit) {
  Written written = WriteManifest(6);
  const std::string path = kNames.Manifest(3);
  const uint64_t last = written.ends[written.ends.size() - 2];
  for (uint64_t offset = 0; offset < written.ends.back(); ++offset) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      ASSERT_TRUE(written.fs.FlipBit(path, offset, bit).ok());
      const auto read = ReadManifest(written.fs, kNames);
      if (read.ok()) {
        EXPECT_EQ(read->dropped_tail, last) << offset << "." << bit;
        EXPECT_GE(offset, last);
        EXPECT_EQ(Bytes(read->state), written.states[written.states.size() - 2]);
      } else {
        EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
        EXPECT_TRUE(Names(read.status(), path)) << read.status();
        EXPECT_TRUE(Names(read.status(), "offset")) << read.status();
      }
      ASSERT_TRUE(written.fs.FlipBit(path, offset, bit).ok());
    }
  }
}

TEST(ManifestTest, EveryTruncationIsAnErrorOrAPrefix) {
  const Written written = WriteManifest(4);
  const std::string path = kNames.Manifest(3);
  const std::string bytes = *written.fs.Contents(path);
  for (uint64_t length = 0; length < bytes.size(); ++length) {
    SimulatedFileSystem fs = written.fs.Crash(0, CrashMode::kKeepAll);
    auto file = fs.Create(path);
    ASSERT_TRUE(file.ok() && file->Append(bytes.substr(0, length)).ok());
    const auto read = ReadManifest(fs, kNames);
    if (length < written.ends[0]) {
      EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << length;
      EXPECT_TRUE(Names(read.status(), path)) << read.status();
      continue;
    }
    ASSERT_TRUE(read.ok()) << length << ": " << read.status();
    size_t whole = 0;
    while (whole + 1 < written.ends.size() && written.ends[whole + 1] <= length) ++whole;
    EXPECT_EQ(Bytes(read->state), written.states[whole]);
    EXPECT_EQ(read->dropped_tail.has_value(), written.ends[whole] != length);
  }
}

TEST(ManifestTest, EveryFlippedBitOfCurrentIsAnError) {
  Written written = WriteManifest(1);
  const size_t size = written.fs.Contents(kNames.Current())->size();
  for (uint64_t offset = 0; offset < size; ++offset) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      ASSERT_TRUE(written.fs.FlipBit(kNames.Current(), offset, bit).ok());
      const absl::Status status = ReadError(written.fs);
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << offset << "." << bit;
      EXPECT_TRUE(Names(status, kNames.Current())) << status;
      ASSERT_TRUE(written.fs.FlipBit(kNames.Current(), offset, bit).ok());
    }
  }
}

TEST(ManifestTest, MissingOrMisplacedManifestIsDataLoss) {
  Written written = WriteManifest(1);
  auto other = SimulatedManifest::Start(written.fs, kNames, 4, {});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(written.fs.Rename(kNames.Manifest(3), kNames.Manifest(4)).ok());
  EXPECT_EQ(ReadError(written.fs).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(Names(ReadError(written.fs), kNames.Manifest(4)));
  ASSERT_TRUE(written.fs.Remove(kNames.Manifest(4)).ok());
  EXPECT_EQ(ReadError(written.fs).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(Names(ReadError(written.fs), kNames.Manifest(4)));
}

TEST(ManifestTest, NewerVersionIsRefused) {
  Written written = WriteManifest(1);
  std::string bytes = *written.fs.Contents(kNames.Manifest(3));
  StoreFixed32(bytes.data() + 8, kManifestVersion + 1);
  StoreFixed64(bytes.data() + 20, Checksum(std::string_view(bytes).substr(0, 20), 0));
  auto file = written.fs.OpenForOverwrite(kNames.Manifest(3));
  ASSERT_TRUE(file.ok() && file->WriteAt(0, bytes).ok());
  const absl::Status status = ReadError(written.fs);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, kNames.Manifest(3))) << status;
}

TEST(ManifestTest, FirstErrorPoisonsTheManifest) {
  for (const Fault fault : {Fault::kSyncFailure, Fault::kShortWrite, Fault::kNoSpace}) {
    SimulatedFileSystem fs;
    ASSERT_TRUE(fs.CreateDirectories("/store").ok());
    auto manifest = SimulatedManifest::Start(fs, kNames, 3, {});
    ASSERT_TRUE(manifest.ok());
    fs.FailAfter(0, fault);
    ManifestEdit edit;
    edit.log_number = 5;
    const absl::Status error = manifest->Append(edit);
    ASSERT_FALSE(error.ok());
    EXPECT_EQ(manifest->Append(edit), error);
  }
}

// Two manifests, one after the other, with edits: the state is that of some prefix of the steps,
// and none that was acknowledged is lost.
TEST(ManifestTest, CrashesKeepAPrefixWithAllThatWasAcknowledged) {
  constexpr uint64_t kSteps = 8;
  const auto run = [](SimulatedFileSystem fs) {
    uint64_t done = 0;
    if (!fs.CreateDirectories("/store").ok()) return done;
    std::optional<SimulatedManifest> manifest;
    ManifestState state;
    for (uint64_t step = 1; step <= kSteps; ++step) {
      ManifestEdit edit;
      edit.log_number = step;
      edit.format = std::string(step * 97, 'f');
      EXPECT_TRUE(state.Apply(edit).ok());
      if (step == 1 || step == 5) {
        auto started = SimulatedManifest::Start(fs, kNames, step, state);
        if (!started.ok()) return done;
        manifest.emplace(*std::move(started));
        if (step == 5) fs.Remove(kNames.Manifest(1)).IgnoreError();
      } else if (!manifest->Append(edit).ok()) {
        return done;
      }
      done = step;
    }
    return done;
  };
  ForEachCrashPoint(SimulatedFileSystem(), 10, run,
                    [](SimulatedFileSystem crashed, uint64_t done, const std::string& label) {
                      if (!crashed.Exists(kNames.Current())) {
                        EXPECT_EQ(done, 0u) << label;
                        return;
                      }
                      const auto read = ReadManifest(crashed, kNames);
                      ASSERT_TRUE(read.ok()) << label << ": " << read.status();
                      EXPECT_GE(read->state.log_number, done) << label;
                      EXPECT_LE(read->state.log_number, done + 1) << label;
                      EXPECT_EQ(read->state.format.size(), read->state.log_number * 97) << label;
                    });
}

}  // namespace
}  // namespace kv
