// Merges: what they keep and drop, that one which is cut off or fails loses nothing and brings
// nothing back, and that readers and checkpoints beside them see one state.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "engines/log/merge_job.h"
#include "engines/log/store_testing.h"
#include "kv/io/crash_points.h"
#include "kv/merge/concept.h"

namespace kv {
namespace {

// Merges only when told to.
struct NoMerge {
  static constexpr std::string_view kName = "none";
  static std::optional<MergeChoice> Choose(const LogShape&) { return std::nullopt; }
  static double WriteStallDebt(const LogShape&) { return 0; }
};
static_assert(Merge<NoMerge>);

struct ByHandParts : SyncedParts {
  using Merge = NoMerge;
};
struct UnsyncedByHandParts : UnsyncedParts {
  using Merge = NoMerge;
};
using ByHandStore = LogStructured<ByHandParts, SimulatedEnvironment>;
using UnsyncedByHandStore = LogStructured<UnsyncedByHandParts, SimulatedEnvironment>;

template <typename E>
class MergeTest : public ::testing::Test {};

using Stores = ::testing::Types<ByHandStore, UnsyncedByHandStore>;
TYPED_TEST_SUITE(MergeTest, Stores);

// A segment's worth of something else, so that what comes before is sealed.
template <typename E>
void FillSegment(E& store) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(store.Put(fmt::format("filler{}", i), std::string(2500, 'f')).ok());
  }
}

// Keys in the sealed segments, as often as they occur there; a tombstone is in parentheses.
std::vector<std::string> KeysOnDisk(SimulatedFileSystem fs) {
  std::vector<std::string> keys;
  const SegmentFileNames names(kStoreDirectory);
  const auto manifest = ReadSegmentManifest(fs, names);
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  for (const SealedSegment& segment : manifest->segments) {
    const std::string path =
        segment.merged ? names.Merged(segment.number) : names.Written(segment.number);
    EXPECT_TRUE(ScanSegment(path, *fs.Contents(path), segment.number, segment.end,
                            [&](const LogEntry& entry, uint64_t) {
                              const std::string key(entry.record.key);
                              if (key.starts_with("filler")) return absl::OkStatus();
                              keys.push_back(entry.record.kind == RecordKind::kTombstone
                                                 ? "(" + key + ")"
                                                 : key);
                              return absl::OkStatus();
                            })
                    .ok());
  }
  return keys;
}
using Keys = std::vector<std::string>;

TYPED_TEST(MergeTest, DropsWhatIsOverwrittenDeletedAndExpired) {
  SimulatedFileSystem fs;
  SimulatedEnvironment environment{.file_system = fs, .clock = {}};
  auto store = TypeParam::Open(StoreOptions(), environment);
  ASSERT_TRUE(store.ok());
  const uint64_t soon = environment.clock.UnixMillis() + 10;
  ASSERT_TRUE((*store)->Put("a", "1").ok());
  ASSERT_TRUE((*store)->Put("b", "1").ok());
  ASSERT_TRUE((*store)->Put("c", "1", {.expires_at = soon}).ok());
  ASSERT_TRUE((*store)->Put("a", "2").ok());
  ASSERT_TRUE((*store)->Delete("b").ok());
  ASSERT_TRUE((*store)->Put("d", "1").ok());
  environment.clock.AdvanceMillis(20);
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_EQ(KeysOnDisk(fs), (Keys{"a", "d"}));
  EXPECT_EQ((*store)->Stats().expired_dropped, 1u);
  std::string value;
  ASSERT_TRUE((*store)->Get("a", &value).ok());
  EXPECT_EQ(value, "2");
  EXPECT_EQ(*(*store)->Count(""), 2u);
}

// The merge that would drop a tombstone while an older segment has a record that it hides would
// bring that record back at the next open.
TYPED_TEST(MergeTest, TombstoneStaysWhileAnOlderSegmentHasARecordOfItsKey) {
  SimulatedFileSystem fs;
  auto store = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put("a", "1").ok());
  ASSERT_TRUE((*store)->Put("b", "1").ok());
  FillSegment(**store);
  ASSERT_TRUE((*store)->Delete("a").ok());
  ASSERT_TRUE((*store)->Put("b", "2", {.expires_at = 1}).ok());
  ASSERT_TRUE((*store)->Put("c", "1").ok());
  ASSERT_TRUE((*store)->Put("c", "2").ok());
  FillSegment(**store);
  ASSERT_TRUE((*store)->Close().ok());
  store->reset();

  // Only the second segment is merged, and only then the first.
  using Parts = std::conditional_t<TypeParam::kDurableOnReturn, ByHandParts, UnsyncedByHandParts>;
  using Recovery = LogRecovery<Parts, SimulatedEnvironment>;
  constexpr uint64_t kSegment = 4096;
  const auto merge = [&](size_t position) {
    auto opened = Recovery::Run(StoreOptions(), {.file_system = fs, .clock = {}},
                                TypeParam::Format(), kSegment);
    ASSERT_TRUE(opened.ok()) << opened.status();
    MergeJob<Parts, SimulatedEnvironment> job(*opened->store, kSegment);
    using Damaged = typename MergeJob<Parts, SimulatedEnvironment>::Damaged;
    const auto merged = job.RunOnce(Damaged::kLeaveOut, [&](const LogShape&) {
      return std::optional(MergeChoice{.first = position, .count = 1});
    });
    ASSERT_TRUE(merged.ok() && *merged) << merged.status();
    ASSERT_TRUE(opened->journal->Close().ok());
  };
  const auto expect_gone = [&] {
    auto reopened = OpenStore<TypeParam>(fs);
    ASSERT_TRUE(reopened.ok()) << reopened.status();
    std::string value;
    EXPECT_TRUE(absl::IsNotFound((*reopened)->Get("a", &value)));
    EXPECT_TRUE(absl::IsNotFound((*reopened)->Get("b", &value)));
    ASSERT_TRUE((*reopened)->Get("c", &value).ok());
    EXPECT_EQ(value, "2");
  };
  const Keys before = KeysOnDisk(fs);
  ASSERT_EQ(before, (Keys{"a", "b", "(a)", "b", "c", "c"}));
  merge(1);
  EXPECT_EQ(KeysOnDisk(fs), (Keys{"a", "b", "(a)", "(b)", "c"}));
  expect_gone();
  merge(0);
  EXPECT_EQ(KeysOnDisk(fs), (Keys{"(a)", "(b)", "c"}));
  expect_gone();
  merge(0);  // nothing was left of the first one, so this was the second
  EXPECT_EQ(KeysOnDisk(fs), (Keys{"c"}));
  expect_gone();
}

// Space: with everything dead, nothing is left, neither records nor tombstones nor their files.
TYPED_TEST(MergeTest, DeletedStoreTakesNoSpace) {
  SimulatedFileSystem fs;
  auto store = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_EQ(History::WriteUntil(**store, 0, 60), 60u);
  for (size_t i = 0; i < History::kKeys; ++i) ASSERT_TRUE((*store)->Delete(History::Key(i)).ok());
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_EQ(KeysOnDisk(fs), Keys{});
  size_t segments = 0;
  const std::vector<std::string> names = *fs.List(kStoreDirectory);
  for (const std::string& name : names) {
    segments += name != "LOCK" && name != "SEGMENTS" ? 1 : 0;
  }
  EXPECT_EQ(segments, 1u);  // the active one
}

// Every moment of histories that merge all the time, by themselves or by hand, and of a merge.
template <typename E>
void CutHistory(size_t writes, bool compact) {
  struct Done {
    size_t writes = 0;
    bool compacted = false;
  };
  const auto run = [&](SimulatedFileSystem fs) {
    Done done;
    auto store = OpenStore<E>(fs);
    if (!store.ok()) return done;
    done.writes = History::WriteUntil(**store, 0, writes);
    if (compact && done.writes == writes) done.compacted = (*store)->Compact().ok();
    return done;
  };
  const auto check = [&](SimulatedFileSystem crashed, const Done& done, const std::string& label) {
    auto store = OpenStore<E>(crashed);
    ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << crashed.Trace();
    const auto contents = Contents(**store);
    ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
    const size_t least = E::kDurableOnReturn || done.compacted ? done.writes : 0;
    EXPECT_GE(History::WritesIn(*contents, least, done.writes + 1), 0) << label << "\n"
                                                                       << crashed.Trace();
    EXPECT_TRUE((*store)->Verify().ok()) << label;
    // And what is left can be merged without bringing anything back.
    ASSERT_TRUE((*store)->Compact().ok()) << label;
    EXPECT_EQ(*Contents(**store), *contents) << label;
    ASSERT_TRUE((*store)->Close().ok()) << label;
    store->reset();
    auto reopened = OpenStore<E>(crashed);
    ASSERT_TRUE(reopened.ok()) << label << ": " << reopened.status();
    EXPECT_EQ(*Contents(**reopened), *contents) << label;
  };
  ForEachCrashPoint(SimulatedFileSystem(), 1, run, check);
}

TYPED_TEST(MergeTest, MergeByHandMayBeCutOffAtAnyMoment) { CutHistory<TypeParam>(36, true); }

TEST(MergeByPolicyTest, SyncedHistoryMayBeCutOffAtAnyMoment) { CutHistory<SyncedStore>(60, false); }
TEST(MergeByPolicyTest, UnsyncedHistoryMayBeCutOffAtAnyMoment) {
  CutHistory<UnsyncedStore>(60, false);
}
TEST(MergeByPolicyTest, HistoryOfThatLengthMerges) {
  auto store = OpenStore<SyncedStore>(SimulatedFileSystem());
  ASSERT_TRUE(store.ok());
  ASSERT_EQ(History::WriteUntil(**store, 0, 60), 60u);
  EXPECT_GE((*store)->Stats().compactions, 2u);
}

// A merge that any one of its operations fails: the store goes on as it was, and so does the next
// open of it.
TYPED_TEST(MergeTest, FailedMergeLosesNothing) {
  for (const Fault fault : {Fault::kIoError, Fault::kNoSpace, Fault::kSyncFailure}) {
    for (uint64_t skip = 0;; ++skip) {
      const std::string label = fmt::format("fault {} after {}", static_cast<int>(fault), skip);
      SimulatedFileSystem fs;
      auto store = OpenStore<TypeParam>(fs);
      ASSERT_TRUE(store.ok());
      ASSERT_EQ(History::WriteUntil(**store, 0, 40), 40u);
      ASSERT_TRUE((*store)->Flush().ok());
      fs.FailAfter(skip, fault);
      const absl::Status compacted = (*store)->Compact();
      if (fs.faults_injected() == 0) break;
      ASSERT_LT(skip, 1000u);
      EXPECT_TRUE(compacted.ok() || Names(compacted, kStoreDirectory)) << label << compacted;
      ASSERT_EQ(*Contents(**store), History::StateAfter(40)) << label;
      // Either writes go on, or they are refused with the error, until the store is reopened.
      const size_t writes = History::WriteUntil(**store, 40, 70);
      ASSERT_EQ(*Contents(**store), History::StateAfter(writes)) << label;
      store->reset();
      auto reopened = OpenStore<TypeParam>(fs.Crash(skip, CrashMode::kKeepAll));
      ASSERT_TRUE(reopened.ok()) << label << ": " << reopened.status();
      const auto contents = Contents(**reopened);
      ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
      ASSERT_GE(History::WritesIn(*contents, TypeParam::kDurableOnReturn ? writes : 40, writes), 0)
          << label;
    }
  }
}

// A merge that found it in between read memory that was being freed.
TEST(SealTest, ASegmentIsMappedBeforeMergesCanFindIt) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_EQ(History::WriteUntil(**store, 0, 5), 5u);
  bool mapped = false;
  int named = 0;
  fs.SetHook([&](FileOperation operation, const std::string& path) {
    mapped |= operation == FileOperation::kMap && path.ends_with(".segment");
    if (operation != FileOperation::kRename) return;
    ++named;
    EXPECT_TRUE(mapped) << path;
  });
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_GE(named, 1);
  fs.SetHook({});
}

// A scan and a checkpoint that began before a merge show what was there when they began.
TYPED_TEST(MergeTest, ScanAndCheckpointBesideAMergeShowTheirInstant) {
  SimulatedFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectories(kStoreDirectory).ok());
  using Parts = std::conditional_t<TypeParam::kDurableOnReturn, ByHandParts, UnsyncedByHandParts>;
  {
    auto store = OpenStore<TypeParam>(fs);
    ASSERT_TRUE(store.ok());
    ASSERT_EQ(History::WriteUntil(**store, 0, 40), 40u);
    ASSERT_TRUE((*store)->Close().ok());
  }
  constexpr uint64_t kSegment = 4096;
  auto opened = LogRecovery<Parts, SimulatedEnvironment>::Run(
      StoreOptions(), {.file_system = fs, .clock = {}}, TypeParam::Format(), kSegment);
  ASSERT_TRUE(opened.ok()) << opened.status();
  auto& store = *opened->store;
  const auto held = store.SealedSegments();
  Model seen;
  std::thread merger;
  const absl::Status scanned = ScanLive(
      store, [] {},
      [&](const LogEntry& entry) {
        if (!merger.joinable()) {
          merger = std::thread([&] {
            EXPECT_TRUE(
                (MergeJob<Parts, SimulatedEnvironment>(store, kSegment).RunManually().ok()));
          });
          // The merge takes the place of its inputs, and waits for this reader to give them up.
          while (store.SealedSegments() == held) std::this_thread::yield();
        }
        if (entry.record.expires_at == kNeverExpires) {
          seen[std::string(entry.record.key)] = std::string(entry.record.value);
        }
      });
  merger.join();
  ASSERT_TRUE(scanned.ok()) << scanned;
  EXPECT_EQ(seen, History::StateAfter(40));
  EXPECT_NE(store.SealedSegments(), held);
  // What was held is still there to be linked.
  ASSERT_TRUE(LinkCheckpoint(store, "/copy", held).ok());
  Options options = StoreOptions();
  options.directory = "/copy";
  auto copy = OpenStore<TypeParam>(fs, options);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(*Contents(**copy), History::StateAfter(40));
  EXPECT_TRUE((*copy)->Verify().ok());
}

}  // namespace
}  // namespace kv
