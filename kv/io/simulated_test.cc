// The simulator's own promises: it keeps the contract, breaks where a disk breaks, and replays.
#include "kv/io/simulated.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/io/conformance.h"
#include "kv/io/crash_points.h"

namespace kv {
namespace {

struct SimulatedSite {
  SimulatedSite() { EXPECT_TRUE(fs.CreateDirectories(root).ok()); }

  std::string root = "/store";
  SimulatedFileSystem fs;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Simulated, FileSystemConformance, SimulatedSite);

// An empty durable directory /d.
SimulatedFileSystem NewDisk(uint64_t seed = 0) {
  SimulatedFileSystem fs(seed);
  EXPECT_TRUE(fs.CreateDirectories("/d").ok());
  return fs;
}

// A file with a durable name and durable bytes, still open.
SimulatedWritableFile DurableFile(SimulatedFileSystem& fs, const std::string& path,
                                  std::string_view bytes) {
  auto file = fs.Create(path);
  EXPECT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append(bytes).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(fs.SyncDirectory("/d").ok());
  return *std::move(file);
}

// What `path` may hold after a crash of each mode in `modes`; "(absent)" where it is gone.
std::set<std::string> Outcomes(const SimulatedFileSystem& fs, const std::string& path,
                               const std::vector<CrashMode>& modes, uint64_t seeds = 300) {
  std::set<std::string> outcomes;
  for (const CrashMode mode : modes) {
    for (uint64_t seed = 0; seed < seeds; ++seed) {
      const absl::StatusOr<std::string> bytes = fs.Crash(seed, mode).Contents(path);
      outcomes.insert(bytes.ok() ? *bytes : "(absent)");
    }
  }
  return outcomes;
}

using Strings = std::set<std::string>;

// ---- Bytes ----

// RocksDB 12528: a file system for crash tests synced in Close, and hid that files were not synced.
TEST(SimulatedCrash, KeepsSyncedBytesAndLosesTheRest) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "synced");
  ASSERT_TRUE(file.Append(" unsynced").ok());
  ASSERT_TRUE(file.Close().ok());
  EXPECT_EQ(Outcomes(fs, "/d/f", {CrashMode::kLoseUnsynced}), Strings{"synced"});
  EXPECT_EQ(Outcomes(fs, "/d/f", {CrashMode::kKeepAll}), Strings{"synced unsynced"});
  EXPECT_EQ(*fs.Contents("/d/f"), "synced unsynced") << "Crash() disturbs nothing";
}

TEST(SimulatedCrash, AKilledProcessLeavesItsBytesUnsynced) {
  auto fs = NewDisk();
  ASSERT_TRUE(WriteWholeFile(fs, "/d/f", "bytes").ok());
  auto killed = fs.Crash(0, CrashMode::kKeepAll);
  EXPECT_EQ(*killed.Contents("/d/f"), "bytes");
  EXPECT_FALSE(killed.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f").ok());
  ASSERT_TRUE(killed.OpenForOverwrite("/d/f")->Sync().ok());
  ASSERT_TRUE(killed.SyncDirectory("/d").ok());
  EXPECT_EQ(*killed.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f"), "bytes");
  EXPECT_FALSE(fs.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f").ok())
      << "the two disks share nothing";
}

// The bytes of a sector are one letter here: 'o' old, others in the order in which they were
// written. Reads the file as one letter a sector.
std::string Sectors(const std::string& bytes) {
  std::string letters;
  for (size_t at = 0; at < bytes.size(); at += simulated::kSectorBytes) {
    const std::string sector = bytes.substr(at, simulated::kSectorBytes);
    const bool whole = sector == std::string(sector.size(), sector[0]);
    letters += whole ? sector[0] : '?';
  }
  return letters;
}

std::string Filled(size_t sectors, char letter) {
  return std::string(sectors * simulated::kSectorBytes, letter);
}

Strings SectorOutcomes(const SimulatedFileSystem& fs, const std::vector<CrashMode>& modes) {
  Strings outcomes;
  for (const std::string& bytes : Outcomes(fs, "/d/f", modes)) outcomes.insert(Sectors(bytes));
  return outcomes;
}

TEST(SimulatedCrash, TearsAnOverwriteAtSectors) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", Filled(3, 'o'));
  ASSERT_TRUE(file.WriteAt(0, Filled(3, 'n')).ok());
  EXPECT_EQ(SectorOutcomes(fs, {CrashMode::kPrefix}), (Strings{"ooo", "noo", "nno", "nnn"}));
  EXPECT_EQ(SectorOutcomes(fs, {CrashMode::kArbitrary}),
            (Strings{"ooo", "oon", "ono", "onn", "noo", "non", "nno", "nnn"}));
}

TEST(SimulatedCrash, ReordersWritesToDifferentSectors) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", Filled(2, 'o'));
  ASSERT_TRUE(file.WriteAt(0, Filled(1, 'a')).ok());
  ASSERT_TRUE(file.WriteAt(512, Filled(1, 'b')).ok());
  EXPECT_EQ(SectorOutcomes(fs, {CrashMode::kPrefix}), (Strings{"oo", "ao", "ab"}));
  EXPECT_EQ(SectorOutcomes(fs, {CrashMode::kArbitrary}), (Strings{"oo", "ao", "ob", "ab"}));
}

TEST(SimulatedCrash, ASectorMayHoldAnyOfItsVersions) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", Filled(1, 'o'));
  ASSERT_TRUE(file.WriteAt(0, Filled(1, 'a')).ok());
  ASSERT_TRUE(file.WriteAt(0, Filled(1, 'b')).ok());
  for (const CrashMode mode : {CrashMode::kPrefix, CrashMode::kJournaled, CrashMode::kArbitrary}) {
    EXPECT_EQ(SectorOutcomes(fs, {mode}), (Strings{"o", "a", "b"})) << ToString(mode);
  }
}

TEST(SimulatedCrash, ASectorCarriesTheEarlierWritesToIt) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "....");
  ASSERT_TRUE(file.WriteAt(0, "A").ok());
  ASSERT_TRUE(file.WriteAt(2, "B").ok());
  EXPECT_EQ(Outcomes(fs, "/d/f", {CrashMode::kPrefix, CrashMode::kArbitrary}),
            (Strings{"....", "A...", "A.B."}));
}

TEST(SimulatedCrash, UnwrittenExtentsHoldZerosOrGarbage) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", Filled(1, 'o'));
  ASSERT_TRUE(file.Append(Filled(2, 'n')).ok());
  bool grew_with_zeros = false;
  bool grew_with_garbage = false;
  bool later_sector_alone = false;
  bool grew_not = false;
  for (const std::string& bytes : Outcomes(fs, "/d/f", {CrashMode::kArbitrary})) {
    const std::string sectors = Sectors(bytes);
    ASSERT_EQ(sectors[0], 'o') << "synced bytes are out of reach";
    ASSERT_LE(bytes.size(), 3u * 512);
    grew_not = grew_not || sectors == "o";
    grew_with_zeros = grew_with_zeros || sectors == std::string("o\0\0", 3);
    grew_with_garbage = grew_with_garbage || sectors == "o??";
    later_sector_alone = later_sector_alone || sectors == "o?n";
  }
  EXPECT_TRUE(grew_not);
  EXPECT_TRUE(grew_with_zeros);
  EXPECT_TRUE(grew_with_garbage);
  EXPECT_TRUE(later_sector_alone);
}

TEST(SimulatedCrash, TheSizeMayBeOneThatTheFileHadOnItsWay) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "12");
  ASSERT_TRUE(file.Append("34").ok());
  ASSERT_TRUE(file.Append("56").ok());
  std::set<size_t> sizes;
  for (const std::string& bytes : Outcomes(fs, "/d/f", {CrashMode::kArbitrary})) {
    EXPECT_TRUE(bytes.starts_with("12"));
    sizes.insert(bytes.size());
  }
  EXPECT_EQ(sizes, (std::set<size_t>{2, 4, 6}));
}

TEST(SimulatedCrash, HolesHoldZeros) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "");
  ASSERT_TRUE(file.WriteAt(4 * 512, Filled(1, 'n')).ok());
  for (const std::string& bytes : Outcomes(fs, "/d/f", {CrashMode::kArbitrary})) {
    EXPECT_EQ(bytes.substr(0, 4 * 512), std::string(std::min<size_t>(bytes.size(), 4 * 512), '\0'));
  }
}

// The legal outcomes, told once more without the simulator: it must not be harsher than a disk.
TEST(SimulatedCrash, EverySectorOfEveryOutcomeIsOneOfItsVersions) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    simulated::Random random(seed);
    auto fs = NewDisk(seed);
    const std::string synced(random.Below(3'000), 's');
    auto file = DurableFile(fs, "/d/f", synced);
    std::vector<std::string> versions = {synced};
    for (int i = 0; i < 6; ++i) {
      const std::string bytes(random.Below(1'500), static_cast<char>('a' + i));
      ASSERT_TRUE(file.WriteAt(random.Below(3'000), bytes).ok());
      versions.push_back(*fs.Contents("/d/f"));
    }
    const auto sector_of = [](const std::string& bytes, size_t at) {
      std::string sector = bytes.substr(std::min(at, bytes.size()), simulated::kSectorBytes);
      sector.resize(simulated::kSectorBytes);
      return sector;
    };
    for (const CrashMode mode : kAllCrashModes) {
      for (const std::string& found : Outcomes(fs, "/d/f", {mode}, 100)) {
        ASSERT_GE(found.size(), synced.size());
        ASSERT_LE(found.size(), versions.back().size());
        // Past the synced bytes an extent may be garbage; not, though, where order is kept.
        const bool garbage = mode == CrashMode::kJournaled || mode == CrashMode::kArbitrary;
        for (size_t at = 0; at < (garbage ? synced.size() : found.size());
             at += simulated::kSectorBytes) {
          const size_t size = std::min(found.size() - at, simulated::kSectorBytes);
          const bool legal =
              std::any_of(versions.begin(), versions.end(), [&](const std::string& version) {
                return sector_of(version, at).substr(0, size) == found.substr(at, size);
              });
          ASSERT_TRUE(legal) << ToString(mode) << ", seed " << seed << ", sector at " << at;
        }
      }
    }
  }
}

TEST(SimulatedCrash, AnEmptiedFileMayComeBack) {
  auto fs = NewDisk();
  DurableFile(fs, "/d/f", Filled(2, 'o'));
  ASSERT_TRUE(WriteWholeFile(fs, "/d/f", Filled(1, 'n')).ok());
  EXPECT_EQ(SectorOutcomes(fs, {CrashMode::kLoseUnsynced}), Strings{"oo"});
  EXPECT_EQ(SectorOutcomes(fs, {CrashMode::kPrefix}), (Strings{"oo", "", "n"}));
  const Strings journaled = SectorOutcomes(fs, {CrashMode::kJournaled});
  EXPECT_TRUE(journaled.contains("oo") && journaled.contains("n") && journaled.contains(""));
  EXPECT_FALSE(journaled.contains("no")) << "a journal orders the emptying before the bytes";
  EXPECT_TRUE(SectorOutcomes(fs, {CrashMode::kArbitrary}).contains("no"))
      << "a stale tail behind new bytes";
}

TEST(SimulatedCrash, ASyncDoesNotCoverWhatIsWrittenWhileItRuns) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "");
  ASSERT_TRUE(file.Append("before").ok());
  bool within = false;
  fs.SetHook([&](FileOperation operation, const std::string&) {
    if (operation != FileOperation::kSync || std::exchange(within, true)) return;
    EXPECT_TRUE(file.Append(" during").ok());
  });
  ASSERT_TRUE(file.Sync().ok());
  EXPECT_TRUE(within);
  EXPECT_EQ(*fs.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f"), "before");
  EXPECT_EQ(*fs.Contents("/d/f"), "before during");
}

// ---- Names ----

std::vector<std::string> Names(SimulatedFileSystem fs) {
  const absl::StatusOr<std::vector<std::string>> names = fs.List("/d");
  EXPECT_TRUE(names.ok()) << names.status();
  return *names;
}

// The names in /d after each of many crashes, as "a b".
Strings NameOutcomes(const SimulatedFileSystem& fs, CrashMode mode) {
  Strings outcomes;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::string names;
    for (const std::string& name : Names(fs.Crash(seed, mode)))
      names += (names.empty() ? "" : " ") + name;
    outcomes.insert(names);
  }
  return outcomes;
}

TEST(SimulatedCrash, LosesNamesInOrderOrOneByOne) {
  auto fs = NewDisk();
  for (const char* path : {"/d/a", "/d/b"}) ASSERT_TRUE(WriteWholeFile(fs, path, "").ok());
  EXPECT_EQ(NameOutcomes(fs, CrashMode::kLoseUnsynced), Strings{""});
  EXPECT_EQ(NameOutcomes(fs, CrashMode::kPrefix), (Strings{"", "a", "a b"}));
  EXPECT_EQ(NameOutcomes(fs, CrashMode::kJournaled), (Strings{"", "a", "a b"}));
  EXPECT_EQ(NameOutcomes(fs, CrashMode::kArbitrary), (Strings{"", "a", "b", "a b"}));
  EXPECT_EQ(NameOutcomes(fs, CrashMode::kKeepAll), Strings{"a b"});
}

TEST(SimulatedCrash, SyncingAFileDoesNotSaveItsName) {
  auto fs = NewDisk();
  auto file = fs.Create("/d/f");
  ASSERT_TRUE(file.ok() && file->Append("bytes").ok() && file->Sync().ok());
  EXPECT_EQ(Outcomes(fs, "/d/f", {CrashMode::kArbitrary}), (Strings{"bytes", "(absent)"}));
}

TEST(SimulatedCrash, ARenameIsWholeWithinADirectory) {
  auto fs = NewDisk();
  DurableFile(fs, "/d/old", "bytes");
  ASSERT_TRUE(fs.Rename("/d/old", "/d/new").ok());
  for (const CrashMode mode : {CrashMode::kPrefix, CrashMode::kArbitrary}) {
    EXPECT_EQ(NameOutcomes(fs, mode), (Strings{"old", "new"}));
  }
  ASSERT_TRUE(fs.SyncDirectory("/d").ok());
  EXPECT_EQ(NameOutcomes(fs, CrashMode::kArbitrary), Strings{"new"});
}

TEST(SimulatedCrash, ARenameAcrossDirectoriesMayHalfSurvive) {
  auto fs = NewDisk();
  ASSERT_TRUE(fs.CreateDirectories("/e").ok());
  DurableFile(fs, "/d/f", "bytes");
  ASSERT_TRUE(fs.Rename("/d/f", "/e/f").ok());
  const auto places = [&](CrashMode mode) {
    Strings outcomes;
    for (uint64_t seed = 0; seed < 100; ++seed) {
      auto crashed = fs.Crash(seed, mode);
      outcomes.insert(std::string(crashed.Exists("/d/f") ? "d" : "") +
                      (crashed.Exists("/e/f") ? "e" : ""));
    }
    return outcomes;
  };
  EXPECT_EQ(places(CrashMode::kJournaled), (Strings{"d", "e"}));
  EXPECT_EQ(places(CrashMode::kArbitrary), (Strings{"", "d", "e", "de"}));
}

TEST(SimulatedCrash, ARemovedNameMayComeBack) {
  auto fs = NewDisk();
  DurableFile(fs, "/d/f", "bytes");
  ASSERT_TRUE(fs.Remove("/d/f").ok());
  EXPECT_EQ(Outcomes(fs, "/d/f", {CrashMode::kArbitrary}), (Strings{"bytes", "(absent)"}));
  ASSERT_TRUE(fs.SyncDirectory("/d").ok());
  EXPECT_EQ(Outcomes(fs, "/d/f", {CrashMode::kArbitrary}), Strings{"(absent)"});
}

TEST(SimulatedCrash, DirectoriesAreDurableAsTheyAreMade) {
  auto fs = NewDisk();
  ASSERT_TRUE(fs.CreateDirectories("/d/x/y").ok());
  EXPECT_TRUE(fs.Crash(0, CrashMode::kLoseUnsynced).Exists("/d/x/y"));
}

TEST(SimulatedCrash, FreesLocks) {
  auto fs = NewDisk();
  const auto lock = fs.LockFile("/d/LOCK");
  ASSERT_TRUE(lock.ok()) << lock.status();
  auto killed = fs.Crash(0, CrashMode::kKeepAll);
  EXPECT_FALSE(fs.LockFile("/d/LOCK").ok());
  EXPECT_TRUE(killed.LockFile("/d/LOCK").ok());
}

// ---- Power cuts ----

TEST(PowerCut, StopsEverything) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "synced");
  const auto reader = fs.OpenForRead("/d/f");
  fs.CutPowerAfter(1);
  EXPECT_FALSE(fs.power_lost());
  ASSERT_TRUE(file.Append(" last").ok());
  EXPECT_TRUE(fs.power_lost());
  const uint64_t operations = fs.operations();
  char scratch[6];
  for (const absl::Status& status :
       {file.Append("x"), file.WriteAt(0, "x"), file.Sync(), reader->ReadAt(0, 6, scratch),
        reader->Map().status(), fs.Create("/d/g").status(), fs.OpenForRead("/d/f").status(),
        fs.OpenForOverwrite("/d/f").status(), fs.Rename("/d/f", "/d/g"), fs.Remove("/d/f"),
        fs.List("/d").status(), fs.CreateDirectories("/e"), fs.SyncDirectory("/d"),
        fs.LockFile("/d/LOCK").status(), file.Close()}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  }
  EXPECT_FALSE(fs.Exists("/d/f"));
  EXPECT_EQ(fs.operations(), operations);
  EXPECT_EQ(*fs.Crash(0, CrashMode::kKeepAll).Contents("/d/f"), "synced last");
  EXPECT_EQ(*fs.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f"), "synced");
}

// Replaces the contents of /d/f by way of a temporary file. Left out: the steps in `omitted`.
absl::Status Replace(SimulatedFileSystem fs, std::string_view bytes, std::string_view omitted) {
  {
    KV_ASSIGN_OR_RETURN(auto file, fs.Create("/d/f.tmp"));
    KV_RETURN_IF_ERROR(file.Append(bytes));
    if (omitted != "sync") KV_RETURN_IF_ERROR(file.Sync());
    KV_RETURN_IF_ERROR(file.Close());
  }
  KV_RETURN_IF_ERROR(fs.Rename("/d/f.tmp", "/d/f"));
  if (omitted != "sync directory") KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
  return absl::OkStatus();
}

// The first outcome that breaks the promise of Replace(), which is old or new, and new once it
// says OK; empty when there is none. A kill can break nothing here.
std::string FirstBreach(std::string_view omitted) {
  const std::string old_bytes = Filled(3, 'o');
  const std::string new_bytes = Filled(3, 'n');
  auto start = NewDisk();
  DurableFile(start, "/d/f", old_bytes);
  std::string breach;
  uint64_t acknowledged = 0;
  const uint64_t checks = ForEachCrashPoint(
      start, /*seeds=*/16, [&](SimulatedFileSystem fs) { return Replace(fs, new_bytes, omitted); },
      [&](SimulatedFileSystem crashed, const absl::Status& replaced, const std::string& label) {
        const absl::StatusOr<std::string> found = crashed.Contents("/d/f");
        const bool good =
            found.ok() && (*found == new_bytes || (*found == old_bytes && !replaced.ok()));
        acknowledged += replaced.ok() ? 1 : 0;
        if (!good && breach.empty()) breach = label + "\n" + crashed.Trace();
      });
  EXPECT_EQ(checks % (2 + 3 * 16), 0u);
  EXPECT_GT(acknowledged, 0u);
  EXPECT_LT(acknowledged, checks);
  return breach;
}

TEST(PowerCut, EnumerationFindsWhatAReplacementForgets) {
  EXPECT_EQ(FirstBreach(""), "");
  const std::string unsynced = FirstBreach("sync");
  EXPECT_NE(unsynced.find("crash mode"), std::string::npos);
  EXPECT_NE(unsynced.find("rename /d/f.tmp to /d/f"), std::string::npos) << unsynced;
  EXPECT_TRUE(FirstBreach("sync directory").starts_with("at the end, crash mode lose unsynced"));
}

// ---- Faults ----

TEST(Faults, AnIoErrorDoesNothing) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "bytes");
  fs.FailAfter(1, Fault::kIoError);
  EXPECT_TRUE(file.Append("1").ok());
  const absl::Status status = file.Append("2");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(status.ToString().find("write /d/f"), std::string::npos) << status;
  EXPECT_TRUE(file.Append("3").ok());
  EXPECT_EQ(*fs.Contents("/d/f"), "bytes13");
  EXPECT_EQ(fs.faults_injected(), 1u);
}

TEST(Faults, CountOnlyWhatTheyCanStrike) {
  auto fs = NewDisk();
  auto file = DurableFile(fs, "/d/f", "bytes");
  fs.FailAfter(1, Fault::kSyncFailure, /*times=*/2);
  fs.FailAfter(0, Fault::kReadError);
  EXPECT_TRUE(file.Append("more").ok());
  EXPECT_TRUE(file.Sync().ok());
  EXPECT_FALSE(file.Sync().ok());
  EXPECT_FALSE(file.Sync().ok());
  EXPECT_TRUE(file.Sync().ok());
  EXPECT_TRUE(absl::IsUnavailable(fs.OpenForRead("/d/f").status()));
  EXPECT_TRUE(fs.OpenForRead("/d/f").ok());
  EXPECT_EQ(fs.faults_injected(), 3u);
}

TEST(Faults, AShortWriteLeavesAPart) {
  std::set<size_t> sizes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    auto fs = NewDisk(seed);
    auto file = fs.Create("/d/f");
    ASSERT_TRUE(file.ok()) << file.status();
    fs.FailAfter(0, Fault::kShortWrite);
    EXPECT_TRUE(absl::IsUnavailable(file->Append("0123")));
    EXPECT_EQ(file->Size(), 0u);
    const std::string left = *fs.Contents("/d/f");
    EXPECT_TRUE(std::string_view("0123").starts_with(left));
    sizes.insert(left.size());
    EXPECT_TRUE(file->Append("abcd").ok());
    EXPECT_EQ(*fs.Contents("/d/f"), "abcd") << "the next append goes over the part";
  }
  EXPECT_EQ(sizes, (std::set<size_t>{0, 1, 2, 3}));
}

TEST(Faults, AFullDisk) {
  auto fs = NewDisk();
  fs.SetCapacity(10);
  auto file = fs.Create("/d/f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append("01234567").ok());
  EXPECT_TRUE(file->WriteAt(0, "abcdefgh").ok()) << "an overwrite needs no room";
  EXPECT_TRUE(absl::IsResourceExhausted(file->Append("xyz")));
  EXPECT_EQ(*fs.Contents("/d/f"), "abcdefghxy") << "what there was room for";
  EXPECT_TRUE(absl::IsResourceExhausted(file->WriteAt(1'000, "x")));
  EXPECT_TRUE(absl::IsResourceExhausted(WriteWholeFile(fs, "/d/g", "x")));
  ASSERT_TRUE(fs.Remove("/d/f").ok());
  EXPECT_TRUE(WriteWholeFile(fs, "/d/g", "0123456789").ok());

  fs.FailAfter(0, Fault::kNoSpace);
  EXPECT_TRUE(absl::IsResourceExhausted(fs.Create("/d/h").status()));
  EXPECT_FALSE(fs.Exists("/d/h"));
}

TEST(Faults, ASyncThatFailedMayHaveLostTheBytesAndTheNextOneSaysOk) {
  Strings found;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto fs = NewDisk(seed);
    auto file = DurableFile(fs, "/d/f", "synced");
    ASSERT_TRUE(file.Append(" lost").ok());
    fs.FailAfter(0, Fault::kSyncFailure);
    EXPECT_TRUE(absl::IsUnavailable(file.Sync()));
    EXPECT_TRUE(file.Sync().ok());
    EXPECT_EQ(*fs.Contents("/d/f"), "synced lost") << "the cache still has them";
    found.insert(*fs.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f"));
  }
  EXPECT_EQ(found, (Strings{"synced", "synced lost"}));
}

TEST(Faults, BytesDroppedByAFailedSyncLeaveAHoleBeforeLaterOnes) {
  bool hole = false;
  for (uint64_t seed = 0; seed < 50 && !hole; ++seed) {
    auto fs = NewDisk(seed);
    auto file = DurableFile(fs, "/d/f", Filled(1, 'o'));
    ASSERT_TRUE(file.Append(Filled(1, 'x')).ok());
    fs.FailAfter(0, Fault::kSyncFailure);
    EXPECT_FALSE(file.Sync().ok());
    ASSERT_TRUE(file.Append(Filled(1, 'y')).ok());
    ASSERT_TRUE(file.Sync().ok());
    hole =
        Sectors(*fs.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f")) == std::string("o\0y", 3);
  }
  EXPECT_TRUE(hole);
}

TEST(Faults, AFlippedBitIsReadAndStays) {
  auto fs = NewDisk();
  DurableFile(fs, "/d/f", "bytes");
  EXPECT_TRUE(fs.FlipBit("/d/f", 1, 0).ok());
  EXPECT_EQ(*ReadWholeFile(fs, "/d/f"), "bxtes");
  EXPECT_EQ(*fs.Crash(0, CrashMode::kLoseUnsynced).Contents("/d/f"), "bxtes");
  EXPECT_TRUE(fs.FlipBit("/d/f", 1, 0).ok());
  EXPECT_EQ(*ReadWholeFile(fs, "/d/f"), "bytes");
  EXPECT_TRUE(absl::IsInvalidArgument(fs.FlipBit("/d/f", 5, 0)));
  EXPECT_TRUE(absl::IsInvalidArgument(fs.FlipBit("/d/f", 0, 8)));
  EXPECT_TRUE(absl::IsNotFound(fs.FlipBit("/d/g", 0, 0)));
}

TEST(Faults, ADirectoryThatFailedToSyncIsStillUnsynced) {
  auto fs = NewDisk();
  ASSERT_TRUE(WriteWholeFile(fs, "/d/f", "").ok());
  fs.FailAfter(0, Fault::kIoError);
  EXPECT_FALSE(fs.SyncDirectory("/d").ok());
  EXPECT_FALSE(fs.Crash(0, CrashMode::kLoseUnsynced).Exists("/d/f"));
}

// ---- Replay ----

// A history that uses every kind of change, on a disk of its own.
SimulatedFileSystem RandomHistory(uint64_t seed) {
  auto fs = NewDisk(seed);
  simulated::Random random(seed);
  fs.FailAfter(5, Fault::kSyncFailure, 3);
  fs.FailAfter(20, Fault::kShortWrite, 3);
  for (int step = 0; step < 100; ++step) {
    const std::string path = fmt::format("/d/f{}", random.Below(5));
    const std::string bytes(random.Below(2'000), static_cast<char>('a' + random.Below(26)));
    switch (random.Below(6)) {
      case 0:
        (void)WriteWholeFile(fs, path, bytes);
        break;
      case 1:
        (void)fs.Remove(path);
        break;
      case 2:
        (void)fs.Rename(path, fmt::format("/d/f{}", random.Below(5)));
        break;
      case 3:
        if (random.Below(4) == 0) (void)fs.SyncDirectory("/d");
        break;
      default: {
        auto file = fs.OpenForOverwrite(path);
        if (!file.ok()) break;
        (void)file->WriteAt(random.Below(3'000), bytes);
        if (random.Coin()) (void)file->Sync();
      }
    }
  }
  return fs;
}

std::string Everything(SimulatedFileSystem fs) {
  std::string all;
  for (const std::string& name : Names(fs)) {
    all += fmt::format("{}: {}\n", name, *fs.Contents("/d/" + name));
  }
  return all;
}

TEST(Replay, TheSameSeedGivesTheSameDisk) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto once = RandomHistory(seed);
    const auto twice = RandomHistory(seed);
    EXPECT_EQ(once.Trace(), twice.Trace());
    for (const CrashMode mode : kAllCrashModes) {
      EXPECT_EQ(Everything(once.Crash(seed, mode)), Everything(twice.Crash(seed, mode)));
    }
  }
}

TEST(Replay, DifferentSeedsGiveDifferentDisks) {
  const auto fs = RandomHistory(1);
  Strings outcomes;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    outcomes.insert(Everything(fs.Crash(seed, CrashMode::kArbitrary)));
  }
  EXPECT_GT(outcomes.size(), 25u);
}

TEST(Replay, SyncingEverythingLeavesOneOutcome) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    auto fs = NewDisk(seed);
    for (const char* path : {"/d/a", "/d/b"}) {
      auto file = fs.Create(path);
      ASSERT_TRUE(file.ok() && file->Append(Filled(3, 'x')).ok() && file->Sync().ok());
    }
    ASSERT_TRUE(fs.Rename("/d/a", "/d/c").ok() && fs.SyncDirectory("/d").ok());
    const std::string all = Everything(fs);
    ForEachCrash(fs, 20, [&](SimulatedFileSystem crashed, const std::string& label) {
      EXPECT_EQ(Everything(crashed), all) << label;
    });
  }
}

TEST(Replay, TheTraceTellsWhatHappened) {
  auto fs = NewDisk();
  auto file = fs.Create("/d/f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Append("bytes").ok());
  fs.FailAfter(0, Fault::kSyncFailure);
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_EQ(fs.Crash(7, CrashMode::kLoseUnsynced).Trace(),
            "    1 create directories /d\n"
            "    2 create /d/f\n"
            "    3 write /d/f, 5 bytes at 0\n"
            "    4 sync /d/f: UNAVAILABLE: sync /d/f: Input/output error\n"
            "crash, mode lose unsynced, seed 7\n"
            "  /d/: 0 of 1 unsynced changes kept\n");
}

TEST(Hook, MayLookAtEveryMoment) {
  auto fs = NewDisk();
  std::vector<std::string> seen;
  fs.SetHook([&](FileOperation operation, const std::string& path) {
    const bool there = fs.Crash(0, CrashMode::kKeepAll).Exists("/d/f");
    seen.push_back(fmt::format("{} {} {}", ToString(operation), path, there));
  });
  ASSERT_TRUE(WriteWholeFile(fs, "/d/f", "bytes").ok());
  EXPECT_TRUE(ReadWholeFile(fs, "/d/f").ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"create /d/f false", "write /d/f true",
                                            "open /d/f true", "read /d/f true"}));
  fs.SetHook(nullptr);
  EXPECT_TRUE(fs.Remove("/d/f").ok());
  EXPECT_EQ(seen.size(), 4u);
}

TEST(Threads, ShareOneMachine) {
  auto fs = NewDisk();
  const auto work = [&fs](int id) {
    for (int i = 0; i < 50; ++i) {
      const std::string path = fmt::format("/d/{}-{}", id, i);
      EXPECT_TRUE(WriteWholeFile(fs, path, "bytes").ok());
      EXPECT_TRUE(fs.SyncDirectory("/d").ok());
      (void)fs.Crash(static_cast<uint64_t>(i), CrashMode::kArbitrary);
      (void)fs.Trace();
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  EXPECT_EQ(fs.List("/d")->size(), 100u);
}

}  // namespace
}  // namespace kv
