#include "kv/commit/batches.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "kv/commit/concept.h"
#include "kv/commit/every_write.h"
#include "kv/commit/group.h"
#include "kv/commit/interval.h"
#include "kv/commit/none.h"
#include "kv/commit/pipelined.h"
#include "kv/commit/watchful_journal.h"
#include "kv/contract/write_batch.h"

namespace kv {
namespace {

// Keeps what is logged.
struct KeepingJournal : WatchfulJournal<> {
  absl::Status Log(CommitGroup group) {
    for (const CommitRequest* request : group) entries += request->entries;
    return WatchfulJournal<>::Log(group);
  }
  std::string entries;
};

// The same batch of the thread in each call.
absl::Status CommitPut(EveryWriteCommit& commit, KeepingJournal& journal, const std::string& value,
                       const char** bytes = nullptr) {
  return CommitOne(commit, journal, [&](WriteBatch& batch) {
    batch.Put("key", value);
    if (bytes != nullptr) *bytes = batch.Bytes().data();
  });
}

std::string EntryOf(const std::string& value) {
  WriteBatch batch;
  batch.Put("key", value);
  return std::string(batch.Bytes());
}

TEST(CommitBatch, HandsOverEveryEntry) {
  EveryWriteCommit commit;
  KeepingJournal journal;
  WriteBatch batch;
  batch.Put("a", "1");
  batch.Delete("b");
  EXPECT_TRUE(CommitBatch(commit, journal, batch).ok());
  EXPECT_EQ(journal.entries, batch.Bytes());
  EXPECT_EQ(journal.Published(), 2u);
}

TEST(CommitOne, HandsOverWhatIsFilledInAndNothingFromBefore) {
  EveryWriteCommit commit;
  KeepingJournal journal;
  EXPECT_TRUE(CommitPut(commit, journal, "1").ok());
  EXPECT_TRUE(CommitPut(commit, journal, "2").ok());
  EXPECT_EQ(journal.entries, EntryOf("1") + EntryOf("2"));
  EXPECT_EQ(journal.Published(), 2u);
}

TEST(CommitOne, KeepsItsMemoryAlsoAfterALargeValue) {
  EveryWriteCommit commit;
  KeepingJournal journal;
  const std::string large(kKeptBatchBytes / 2, 'x');
  const char* first = nullptr;
  const char* second = nullptr;
  EXPECT_TRUE(CommitPut(commit, journal, large, &first).ok());
  EXPECT_TRUE(CommitPut(commit, journal, large, &second).ok());
  EXPECT_EQ(first, second);
}

TEST(CommitOne, WritesOnAfterAValueThatIsTooLargeToKeep) {
  EveryWriteCommit commit;
  KeepingJournal journal;
  const std::string huge(2 * kKeptBatchBytes, 'x');
  EXPECT_TRUE(CommitPut(commit, journal, huge).ok());
  EXPECT_TRUE(CommitPut(commit, journal, "2").ok());
  EXPECT_EQ(journal.entries, EntryOf(huge) + EntryOf("2"));
}

TEST(CommitOne, HandsOnTheErrorOfTheJournal) {
  EveryWriteCommit commit;
  WatchfulJournal<> failing(/*fail_sync=*/1);
  EXPECT_TRUE(absl::IsUnavailable(
      CommitOne(commit, failing, [](WriteBatch& batch) { batch.Delete("key"); })));
}

template <typename C>
class CommitAloneTest : public ::testing::Test {};
using Policies =
    ::testing::Types<NoCommit, EveryWriteCommit, GroupCommit<>, PipelinedCommit, IntervalCommit<>>;
TYPED_TEST_SUITE(CommitAloneTest, Policies);

// The policy does not learn of it, so what it would sync has to be synced here.
TYPED_TEST(CommitAloneTest, SyncsWhereThePolicyEverDoes) {
  TypeParam commit;
  KeepingJournal journal;
  WriteBatch batch;
  batch.Delete("a");
  batch.Delete("b");
  absl::Status status;
  commit.Exclusively([&] { status = CommitAlone<TypeParam>(journal, batch); });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(journal.Verdict().ok()) << journal.Verdict();
  EXPECT_EQ(journal.entries, batch.Bytes());
  EXPECT_EQ(journal.Published(), 2u);
  EXPECT_EQ(journal.Durable(), TypeParam::kSyncs ? 2u : 0u);
  commit.Stop();
}

}  // namespace
}  // namespace kv
