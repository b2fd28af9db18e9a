// The bugs that other engines shipped, over the composition that the crash test is linked with.
// Each test says what happened to whom and what the rule is; the numbers are those of their issues.
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/fault_check.h"
#include "kv/testing/file_order.h"
#include "kv/testing/known_bugs.h"
#include "kv/testing/sizes.h"

namespace kv::testing {
namespace {

const Capabilities& Has() {
  static const Capabilities* const has = new Capabilities(SimulatedUnderTest({}).has);
  return *has;
}

const std::vector<FileEvent>& Events() {
  static const std::vector<FileEvent>* const events = new std::vector<FileEvent>(
      EventsOfAHistory(SimulatedUnderTest, kFileOrder.first_seed, kFileOrder.steps));
  return *events;
}

void ExpectKept(FileRule rule) {
  ASSERT_FALSE(Events().empty()) << "the history does not run to its end";
  ASSERT_EQ(Events().front().number, 1u) << "the history is too long for the trace";
  for (const std::string& text : TextsOf(rule, CheckFileOrder(Events(), Has().durable_on_return))) {
    ADD_FAILURE() << text;
  }
}

void ExpectNone(const std::vector<std::string>& failures) {
  for (const std::string& failure : failures) ADD_FAILURE() << failure;
}

FaultPlan ShortPlan(uint64_t seed) {
  return {.seed = seed, .steps = kKnownFaults.steps, .moments = kKnownFaults.moments};
}

// RocksDB 5287: a table that was ingested was named in the manifest while its directory had not
// been synced; after a power loss the manifest named a file that was not there. 14780: the same for
// tables that an Open had written, where the manifest was used again. LevelDB 189: a manifest was
// named by CURRENT before it was synced.
// Rule: bytes and names of files are durable before anything durable names them.
TEST(KnownBugs, RocksDb5287And14780AndLevelDb189_NamedFilesAreDurable) {
  ExpectKept(FileRule::kNamedFilesAreDurable);
}

// LevelDB 195: old files were unlinked when CURRENT had been renamed, but its directory not synced;
// the unlinks could survive a power loss and the rename not. RocksDB 8501 is listed with it.
// Rule: what goes, goes after the change that makes it needless is durable.
TEST(KnownBugs, RocksDb8501AndLevelDb195_RemovalsComeLast) {
  ExpectKept(FileRule::kRemovalsComeLast);
}

// LevelDB 193: an old log was not synced when a new one was begun, so the newer writes could
// survive without the older ones. RocksDB 13169 is listed under this rule.
// Rule: the old log is whole before anything is in the next.
TEST(KnownBugs, RocksDb13169AndLevelDb193_LogsAreWholeInOrder) {
  ExpectKept(FileRule::kLogsAreWholeInOrder);
}

// The same seen from the caller: what a call has promised is on the disk when it returns.
TEST(KnownBugs, PromisesAreKept) {
  ExpectKept(FileRule::kPromisesAreKept);
  ExpectKept(FileRule::kFilesAreKnown);
}

// RocksDB 14209: rows that a failed recovery had cached were found again when it was tried again,
// because the numbers of files began anew and the cache did not. Caches are asked by file number
// here too.
// Rule: a number is never given to a second file while the cache of the first lives.
TEST(KnownBugs, RocksDb14209_NamesAreNotUsedAgain) { ExpectKept(FileRule::kNamesAreNotUsedAgain); }

// PostgreSQL in 2018, and others: a failed fsync was tried again, which said OK, although the
// kernel had thrown the dirty pages away the first time.
// Rule: a file whose sync failed is not trusted again; the writes after it are refused in words.
// FaultTest.FailedSyncs has more of the same.
TEST(KnownBugs, PostgresFsync_AFailedSyncIsFinal) {
  ExpectKept(FileRule::kFailedSyncIsFinal);
  ExpectNone(CheckSyncFaults(SimulatedUnderTest, ShortPlan(22)));
}

// RocksDB 6351, 12403, 12918: records of the log that a file had been before were read behind the
// end of the new one, or kept recovery from telling the end of a log from a loss.
// Rule: a record says which log it is of, and a log where the one before it ended.
TEST(KnownBugs, RocksDb6351And12403And12918_StaleTailsAreNoData) {
  ExpectNone(CheckStaleTails(SimulatedUnderTest, kStaleTails.first_seed, kStaleTails.steps));
}

// RocksDB 4990 and 6331: after a failed write of the manifest more was appended behind the torn
// edit, and files were deleted that the edit, durable after all, had named.
// Rule: after an error a new manifest, and both the old files and the new are kept till then.
TEST(KnownBugs, RocksDb4990And6331_AFailedManifestIsReplaced) {
  ExpectNone(CheckManifestFaults(SimulatedUnderTest, ShortPlan(23)));
}

// RocksDB 3096: the leader of a group met an I/O error, and its followers were told OK.
TEST(KnownBugs, RocksDb3096_AGroupsErrorReachesEveryWriter) {
  if (!Has().durable_on_return) GTEST_SKIP() << "promises nothing on return";
  ExpectNone(CheckFollowers(SimulatedUnderTest, ShortPlan(24)));
}

// LMDB's free pages cannot be used while a reader is older than they are, and files of LSM trees
// stay while an iterator does.
// Rule: a reader holds what it sees, not everything since.
TEST(KnownBugs, Lmdb_LongReadersPinOnlyWhatTheySee) {
  if (!Has().ordered) GTEST_SKIP() << "has no snapshots and cursors";
  ExpectNone(CheckLongReaders(SimulatedUnderTest));
}

// That the tests above can fail: the same operations without some of their syncs.
class WithoutSyncs {
 public:
  explicit WithoutSyncs(const std::function<bool(const FileEvent&)>& left_out) {
    std::vector<FileEvent> events;
    for (const FileEvent& event : Events()) {
      const bool syncs = event.operation == FileOperation::kSync ||
                         event.operation == FileOperation::kSyncDirectory;
      if (!syncs || !left_out(event)) events.push_back(event);
    }
    EXPECT_LT(events.size(), Events().size()) << "there is no such sync";
    violations_ = CheckFileOrder(events, Has().durable_on_return);
  }

  bool Break(FileRule rule) const { return !TextsOf(rule, violations_).empty(); }

 private:
  std::vector<FileViolation> violations_;
};

bool IsSyncOf(const FileEvent& event, FileRole role) {
  return event.operation == FileOperation::kSync && RoleOfFile(event.path) == role;
}

TEST(KnownBugs, SyncsThatAreLeftOutAreMissed) {
  const WithoutSyncs directories(
      [](const FileEvent& event) { return event.operation == FileOperation::kSyncDirectory; });
  EXPECT_TRUE(directories.Break(FileRule::kNamedFilesAreDurable));
  EXPECT_TRUE(directories.Break(FileRule::kPromisesAreKept));
  // Of the manifest, before it gets its name or, where it is appended to, afterwards.
  const WithoutSyncs manifests([](const FileEvent& event) {
    return IsSyncOf(event, FileRole::kManifest) || IsSyncOf(event, FileRole::kTemporary);
  });
  EXPECT_TRUE(manifests.Break(FileRule::kNamedFilesAreDurable));
  EXPECT_TRUE(manifests.Break(FileRule::kPromisesAreKept));
  const WithoutSyncs logs([](const FileEvent& event) { return IsSyncOf(event, FileRole::kLog); });
  EXPECT_TRUE(logs.Break(FileRule::kNamedFilesAreDurable));
  EXPECT_TRUE(logs.Break(FileRule::kPromisesAreKept));
  EXPECT_EQ(logs.Break(FileRule::kLogsAreWholeInOrder), Has().durable_on_return);
}

}  // namespace
}  // namespace kv::testing
