// The rules about the order of file operations, on sequences that keep them and on the same
// sequences with one operation left out or too early.
#include "kv/testing/file_order.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "fmt/format.h"

namespace kv::testing {
namespace {

// A store as an engine would keep it, written by hand on a simulated disk. Writes are of one byte,
// so that what is tested is the order alone.
class Hand {
 public:
  Hand() { EXPECT_TRUE(files_.CreateDirectories("/store").ok()); }

  void Create(const std::string& name) { EXPECT_TRUE(files_.Create(Path(name)).ok()); }
  void Write(const std::string& name, std::string_view bytes = "x", uint64_t offset = 0) {
    auto file = files_.OpenForOverwrite(Path(name));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(file->WriteAt(offset, bytes).ok());
  }
  void Sync(const std::string& name, bool succeeds = true) {
    auto file = files_.OpenForOverwrite(Path(name));
    ASSERT_TRUE(file.ok()) << file.status();
    if (!succeeds) files_.FailAfter(0, Fault::kSyncFailure);
    EXPECT_EQ(file->Sync().ok(), succeeds);
  }
  void Rename(const std::string& from, const std::string& to) {
    EXPECT_TRUE(files_.Rename(Path(from), Path(to)).ok());
  }
  void Remove(const std::string& name) { EXPECT_TRUE(files_.Remove(Path(name)).ok()); }
  void SyncNames() { EXPECT_TRUE(files_.SyncDirectory("/store").ok()); }
  void Reach(Milestone milestone) { recorder_.Mark(milestone, "/store"); }

  // A file that is durable with its name.
  void Make(const std::string& name) {
    Create(name);
    Write(name);
    Sync(name);
    SyncNames();
  }
  // One that takes the place of another.
  void Replace(const std::string& name) {
    Create(name + ".tmp");
    Write(name + ".tmp");
    Sync(name + ".tmp");
    Rename(name + ".tmp", name);
    SyncNames();
  }

  std::vector<FileEvent> Events() const { return recorder_.Events(); }
  std::vector<FileViolation> Violations() const { return CheckFileOrder(Events(), true); }

 private:
  static std::string Path(const std::string& name) { return "/store/" + name; }

  SimulatedFileSystem files_;
  FileRecorder recorder_{files_};
};

// A store with a manifest in force, a log and a table.
void Begin(Hand& hand) {
  hand.Make("000001.log");
  hand.Make("MANIFEST-000002");
  hand.Replace("CURRENT");
  hand.Reach(Milestone::kOpened);
}

void ExpectKept(const Hand& hand) {
  for (const FileViolation& violation : hand.Violations()) ADD_FAILURE() << violation.text;
}

void ExpectBroken(const Hand& hand, FileRule rule) {
  EXPECT_FALSE(TextsOf(rule, hand.Violations()).empty());
}

TEST(FileOrderTest, KnowsTheKindsOfFiles) {
  EXPECT_EQ(RoleOfFile("/store/LOCK"), FileRole::kLock);
  EXPECT_EQ(RoleOfFile("/store/000001.log"), FileRole::kLog);
  EXPECT_EQ(RoleOfFile("000001.segment"), FileRole::kLog);
  EXPECT_EQ(RoleOfFile("/a/b/000007.table"), FileRole::kData);
  EXPECT_EQ(RoleOfFile("/store/MANIFEST-000002"), FileRole::kManifest);
  EXPECT_EQ(RoleOfFile("/store/TREE"), FileRole::kManifest);
  EXPECT_EQ(RoleOfFile("/store/TREE.tmp"), FileRole::kTemporary);
  EXPECT_EQ(RoleOfFile("/store/notes"), FileRole::kUnknown);
  Hand hand;
  hand.Make("notes");
  ExpectBroken(hand, FileRule::kFilesAreKnown);
}

TEST(FileOrderTest, ReadsTheTrace) {
  Hand hand;
  hand.Create("000001.table");
  hand.Write("000001.table", "four", 7);
  hand.Sync("000001.table", false);
  hand.Rename("000001.table", "000002.table");
  hand.SyncNames();
  hand.Reach(Milestone::kSynced);
  hand.Remove("000002.table");
  const std::vector<FileEvent> events = hand.Events();
  ASSERT_EQ(events.size(), 8u);
  EXPECT_EQ(events[0].number, 1u);
  EXPECT_EQ(events[0].operation, FileOperation::kCreateDirectories);
  EXPECT_EQ(events[1].operation, FileOperation::kCreate);
  EXPECT_EQ(events[2].operation, FileOperation::kWrite);
  EXPECT_EQ(events[2].path, "/store/000001.table");
  EXPECT_EQ(events[2].bytes, 4u);
  EXPECT_EQ(events[2].offset, 7u);
  EXPECT_EQ(events[3].operation, FileOperation::kSync);
  EXPECT_TRUE(events[3].failed);
  EXPECT_FALSE(events[4].failed);
  EXPECT_EQ(events[4].path, "/store/000001.table");
  EXPECT_EQ(events[4].to, "/store/000002.table");
  EXPECT_EQ(events[5].operation, FileOperation::kSyncDirectory);
  EXPECT_EQ(events[6].milestone, Milestone::kSynced);
  EXPECT_EQ(events[7].operation, FileOperation::kRemove);
}

// The same life of a store each time; without the step of this name, or with it out of its place.
void Live(Hand& hand, const std::string& without) {
  const auto step = [&](const std::string& name, const std::function<void()>& act) {
    if (name != without) act();
  };
  Begin(hand);
  hand.Write("000001.log");
  step("sync of the log", [&] { hand.Sync("000001.log"); });
  hand.Reach(Milestone::kAcknowledged);
  hand.Create("000003.log");
  hand.Write("000003.log");
  step("sync of the header", [&] { hand.Sync("000003.log"); });
  step("sync of its name", [&] { hand.SyncNames(); });
  hand.Create("000004.table");
  hand.Write("000004.table");
  step("sync of the table", [&] { hand.Sync("000004.table"); });
  step("sync of the table's name", [&] { hand.SyncNames(); });
  hand.Write("MANIFEST-000002");
  step("sync of the edit", [&] { hand.Sync("MANIFEST-000002"); });
  hand.Remove("000001.log");
  hand.Reach(Milestone::kSynced);
  hand.Make("MANIFEST-000005");
  hand.Create("CURRENT.tmp");
  hand.Write("CURRENT.tmp");
  step("sync before the rename", [&] { hand.Sync("CURRENT.tmp"); });
  hand.Rename("CURRENT.tmp", "CURRENT");
  step("sync after the rename", [&] { hand.SyncNames(); });
  hand.Remove("MANIFEST-000002");
}

TEST(FileOrderTest, FindsEachSyncThatIsMissing) {
  {
    Hand hand;
    Live(hand, "");
    ExpectKept(hand);
  }
  const std::pair<const char*, FileRule> missing[] = {
      {"sync of the log", FileRule::kPromisesAreKept},
      {"sync of the log", FileRule::kLogsAreWholeInOrder},
      {"sync of the header", FileRule::kNamedFilesAreDurable},
      {"sync of the table", FileRule::kNamedFilesAreDurable},
      {"sync of the table's name", FileRule::kNamedFilesAreDurable},
      {"sync of the edit", FileRule::kRemovalsComeLast},
      {"sync of the edit", FileRule::kPromisesAreKept},
      {"sync before the rename", FileRule::kNamedFilesAreDurable},
      {"sync after the rename", FileRule::kRemovalsComeLast},
  };
  for (const auto& [step, rule] : missing) {
    SCOPED_TRACE(step);
    Hand hand;
    Live(hand, step);
    ExpectBroken(hand, rule);
  }
  // The table's directory sync makes the log's name durable as well.
  Hand hand;
  Live(hand, "sync of its name");
  ExpectKept(hand);
}

TEST(FileOrderTest, ALogIsUsedAgainOnlyWhenNothingNeedsIt) {
  for (const bool synced : {true, false}) {
    Hand hand;
    Begin(hand);
    hand.Make("000003.table");
    hand.Write("MANIFEST-000002");
    if (synced) hand.Sync("MANIFEST-000002");
    hand.Rename("000001.log", "000004.log");
    synced ? ExpectKept(hand) : ExpectBroken(hand, FileRule::kRemovalsComeLast);
  }
}

TEST(FileOrderTest, PagesComeBeforeTheirHeaderAndAreWrittenOverAfterIt) {
  const std::string page(4096, 'p');
  const std::string header(512, 'h');
  for (const std::string without : {"", "first", "second"}) {
    Hand hand;
    hand.Make("000001.log");
    hand.Replace("TREE");
    hand.Reach(Milestone::kOpened);
    hand.Write("TREE", page, 8192);
    if (without != "first") hand.Sync("TREE");
    hand.Write("TREE", header, 4096);
    if (without != "second") hand.Sync("TREE");
    hand.Write("TREE", page, 12288);
    if (without.empty()) ExpectKept(hand);
    if (without == "first") ExpectBroken(hand, FileRule::kNamedFilesAreDurable);
    if (without == "second") ExpectBroken(hand, FileRule::kRemovalsComeLast);
  }
}

TEST(FileOrderTest, AFileWhoseSyncFailedIsLeftAlone) {
  for (const bool emptied : {true, false}) {
    Hand hand;
    Begin(hand);
    hand.Write("000001.log");
    hand.Sync("000001.log", false);
    if (emptied) hand.Create("000001.log");
    hand.Sync("000001.log");
    emptied ? ExpectKept(hand) : ExpectBroken(hand, FileRule::kFailedSyncIsFinal);
  }
  Hand hand;
  Begin(hand);
  hand.Write("000001.log");
  hand.Sync("000001.log", false);
  hand.Reach(Milestone::kOpened);
  hand.Write("000001.log");
  hand.Sync("000001.log");
  ExpectKept(hand);
}

TEST(FileOrderTest, ATableIsNotNamedAsOneBefore) {
  for (const bool reopened : {true, false}) {
    Hand hand;
    Begin(hand);
    hand.Make("000003.table");
    hand.Remove("000003.table");
    if (reopened) hand.Reach(Milestone::kOpened);
    hand.Make("000003.table");
    reopened ? ExpectKept(hand) : ExpectBroken(hand, FileRule::kNamesAreNotUsedAgain);
  }
}

}  // namespace
}  // namespace kv::testing
