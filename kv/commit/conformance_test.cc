#include "kv/commit/conformance.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "kv/commit/concept.h"
#include "kv/commit/every_write.h"
#include "kv/commit/group.h"
#include "kv/commit/interval.h"
#include "kv/commit/none.h"
#include "kv/commit/pipelined.h"

namespace kv {
namespace {

TEST(CommitConformance, EveryPolicyKeepsItsPromises) {
  EXPECT_EQ(CheckCommit<EveryWriteCommit>(), absl::OkStatus());  // the trivially right one
  EXPECT_EQ(CheckCommit<NoCommit>(), absl::OkStatus());
  EXPECT_EQ(CheckCommit<GroupCommit<>>(), absl::OkStatus());
  EXPECT_EQ(CheckCommit<GroupCommit<GroupShape{.max_group = 1}>>(), absl::OkStatus());
  EXPECT_EQ((CheckCommit<GroupCommit<GroupShape{.max_group = 3}>>()), absl::OkStatus());
  EXPECT_EQ(CheckCommit<GroupCommit<GroupShape{.max_bytes = 1}>>(), absl::OkStatus());
}

TEST(CommitConformance, PipelinedKeepsItsPromises) {
  EXPECT_EQ(CheckCommit<PipelinedCommit>(), absl::OkStatus());
}

TEST(CommitConformance, IntervalKeepsItsPromises) {
  EXPECT_EQ(CheckCommit<IntervalCommit<IntervalShape{.millis = 1}>>(), absl::OkStatus());
  // Each write is one too many to be left alone.
  EXPECT_EQ((CheckCommit<IntervalCommit<IntervalShape{.millis = 60'000, .bytes = 1}>>()),
            absl::OkStatus());
}

template <typename C>
class SharedSyncs : public ::testing::Test {};
using SharingPolicies = ::testing::Types<GroupCommit<>, PipelinedCommit>;
TYPED_TEST_SUITE(SharedSyncs, SharingPolicies);

TYPED_TEST(SharedSyncs, OfManyWriters) {
  TypeParam commit;
  WatchfulJournal<> journal;
  std::vector<std::thread> writers;
  for (int thread = 0; thread < 8; ++thread) {
    writers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        CommitRequest request{.entries = "entries", .count = 1};
        ASSERT_TRUE(commit.Commit(journal, request).ok());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(journal.Published(), 1600u);
  EXPECT_LT(journal.Syncs(), 1600u);
}

// On a disk that is slower than its writers.
struct SlowJournal : WatchfulJournal<> {
  // Room for all that a test writes: making room syncs.
  SlowJournal() : WatchfulJournal(std::numeric_limits<uint64_t>::max(), 1 << 20) {}
  absl::Status Sync() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return WatchfulJournal<>::Sync();
  }
};

TEST(IntervalCommit, WritersWaitWhereMoreWouldBeLostThanPromised) {
  constexpr IntervalShape kShape{.millis = 60'000, .bytes = 700};
  SlowJournal journal;
  IntervalCommit<kShape> commit;
  Sequence most = 0;
  for (int i = 0; i < 1000; ++i) {
    CommitRequest request{.entries = "entries", .count = 1};
    ASSERT_TRUE(commit.Commit(journal, request).ok());
    // Durable first: what becomes durable in between makes the difference smaller, not larger.
    const Sequence durable = journal.Durable();
    most = std::max(most, request.first - std::min(request.first, durable));
  }
  EXPECT_GE(most, 100u);          // it does not wait for each
  EXPECT_LE(most, 2 * 100u + 1);  // requests of 7 bytes
  EXPECT_LT(journal.Syncs(), 100u);
  commit.Stop();
  EXPECT_EQ(journal.Verdict(), absl::OkStatus());
}

// --- The concept, both ways --------------------------------------------------------------------

struct NoName : NoCommit {
  static constexpr int kName = 0;
};
struct NoExclusively {
  static constexpr std::string_view kName = "no_exclusively";
  static constexpr bool kDurableOnReturn = true;
  static constexpr bool kSyncs = true;
  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request);
  void Stop();
};
struct NoReturn {
  static constexpr std::string_view kName = "no_return";
  static constexpr bool kDurableOnReturn = true;
  static constexpr bool kSyncs = true;
  template <typename J>
  void Commit(J& journal, CommitRequest& request);
  template <typename Action>
  void Exclusively(Action&& action);
  void Stop();
};
// Durable without a sync.
struct NeverSyncs : EveryWriteCommit {
  static constexpr bool kSyncs = false;
};

static_assert(!Commit<NoName>);
static_assert(!Commit<NoExclusively>);
static_assert(!Commit<NoReturn>);
static_assert(!Commit<NeverSyncs>);

struct OldJournal {
  absl::Status Reserve(CommitGroup);
  absl::Status Log(CommitGroup);
  absl::Status Sync();
  void Apply(CommitGroup);
};
struct NoClock : JournalArchetype {
  void MonotonicNanos();
};
static_assert(!Journal<OldJournal> && !Journal<NoClock>);

}  // namespace
}  // namespace kv
