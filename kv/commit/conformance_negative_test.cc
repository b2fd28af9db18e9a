// Policies with one mistake each, which the suite must refuse.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/commit/concept.h"
#include "kv/commit/conformance.h"
#include "kv/commit/every_write.h"
#include "kv/commit/none.h"
#include "kv/commit/steps.h"

namespace kv {
namespace {

// EveryWrite with the order of its steps left to a subclass.
template <typename Steps>
struct BrokenCommit {
  static constexpr std::string_view kName = "broken";
  static constexpr bool kDurableOnReturn = true;
  static constexpr bool kSyncs = true;

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    CommitRequest* const group[] = {&request};
    return Steps::Run(journal, group, mutex);
  }
  template <typename Action>
  void Exclusively(Action&& action) {
    const std::lock_guard lock(mutex);
    std::forward<Action>(action)();
  }
  void Stop() {}
  std::mutex mutex;
};

struct PublishesBeforeSync {
  static absl::Status Run(auto& journal, CommitGroup group, std::mutex& mutex) {
    const std::lock_guard lock(mutex);
    KV_RETURN_IF_ERROR(journal.Reserve(group));
    KV_RETURN_IF_ERROR(journal.Log(group));
    KV_RETURN_IF_ERROR(journal.WriteOut());
    journal.Insert(group);
    journal.Publish(group);
    return journal.Sync();
  }
};

struct IgnoresFailedSync {
  static absl::Status Run(auto& journal, CommitGroup group, std::mutex& mutex) {
    const std::lock_guard lock(mutex);
    KV_RETURN_IF_ERROR(journal.Reserve(group));
    KV_RETURN_IF_ERROR(journal.Log(group));
    KV_RETURN_IF_ERROR(journal.WriteOut());
    if (!journal.Sync().ok()) return absl::OkStatus();
    journal.Insert(group);
    journal.Publish(group);
    return absl::OkStatus();
  }
};

struct DoesNotLock {
  static absl::Status Run(auto& journal, CommitGroup group, std::mutex&) {
    return CommitInSteps<CommitSync::kBeforePublish>(journal, group);
  }
};

struct ForgetsToPublish {
  static absl::Status Run(auto& journal, CommitGroup group, std::mutex& mutex) {
    const std::lock_guard lock(mutex);
    KV_RETURN_IF_ERROR(journal.Reserve(group));
    KV_RETURN_IF_ERROR(journal.Log(group));
    KV_RETURN_IF_ERROR(journal.WriteOut());
    KV_RETURN_IF_ERROR(journal.Sync());
    journal.Insert(group);
    return absl::OkStatus();
  }
};

struct ForgetsToInsert {
  static absl::Status Run(auto& journal, CommitGroup group, std::mutex& mutex) {
    const std::lock_guard lock(mutex);
    KV_RETURN_IF_ERROR(journal.Reserve(group));
    KV_RETURN_IF_ERROR(journal.Log(group));
    KV_RETURN_IF_ERROR(journal.WriteOut());
    KV_RETURN_IF_ERROR(journal.Sync());
    journal.Publish(group);
    return absl::OkStatus();
  }
};

struct ForgetsToWriteOut {
  static absl::Status Run(auto& journal, CommitGroup group, std::mutex& mutex) {
    const std::lock_guard lock(mutex);
    KV_RETURN_IF_ERROR(journal.Reserve(group));
    KV_RETURN_IF_ERROR(journal.Log(group));
    KV_RETURN_IF_ERROR(journal.Sync());
    journal.Insert(group);
    journal.Publish(group);
    return absl::OkStatus();
  }
};

struct DoesNotReserve {
  static absl::Status Run(auto& journal, CommitGroup group, std::mutex& mutex) {
    const std::lock_guard lock(mutex);
    KV_RETURN_IF_ERROR(journal.Log(group));
    KV_RETURN_IF_ERROR(journal.WriteOut());
    KV_RETURN_IF_ERROR(journal.Sync());
    journal.Insert(group);
    journal.Publish(group);
    return absl::OkStatus();
  }
};

TEST(CommitConformance, RefusesBrokenPolicies) {
  const auto complaint = []<typename Steps>(Steps) {
    return std::string(CheckCommitOrder<BrokenCommit<Steps>>(1, 10).message());
  };
  EXPECT_EQ(complaint(PublishesBeforeSync()), "Publish before Sync");
  EXPECT_EQ(complaint(ForgetsToWriteOut()), "Publish before Sync");
  EXPECT_EQ(complaint(ForgetsToPublish()), "Commit returned before Publish");
  EXPECT_EQ(complaint(ForgetsToInsert()),
            "Publish of a request that was not inserted, or out of order");
  EXPECT_EQ(complaint(DoesNotReserve()), "Log without room");
  EXPECT_FALSE(CheckFailedSync<BrokenCommit<IgnoresFailedSync>>(1, 3).ok());
}

// A simple pipelined policy with one mistake at a time: writers log for themselves, one of them
// syncs for all.
enum class Mistake {
  kNone,
  kFollowersGetOk,  // whatever became of the sync
  kLeaderGetsOk,
  kReservesBesideSync,
  kWritesOutBesideSync,
  kSyncsBesideSync,
  kPublishesOutOfOrder,
  kExclusiveBesideSync,
};

template <Mistake kMistake>
struct SimplePipeline {
  static constexpr std::string_view kName = "simple_pipeline";
  static constexpr bool kDurableOnReturn = true;
  static constexpr bool kSyncs = true;

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    CommitRequest* const group[] = {&request};
    std::unique_lock lock(mutex);
    if (kMistake == Mistake::kReservesBesideSync) {
      KV_RETURN_IF_ERROR(journal.Reserve(group));
    } else if (!journal.HasRoom(group)) {
      while (syncing || !pending.empty()) SyncOrWait(journal, lock);
      KV_RETURN_IF_ERROR(journal.Reserve(group));
    }
    KV_RETURN_IF_ERROR(journal.Log(group));
    journal.Insert(group);
    pending.push_back(&request);
    if (kMistake == Mistake::kWritesOutBesideSync) KV_RETURN_IF_ERROR(journal.WriteOut());
    while (!request.done.load(std::memory_order_acquire)) SyncOrWait(journal, lock);
    return request.result;
  }

  template <typename J>
  void SyncOrWait(J& journal, std::unique_lock<std::mutex>& lock) {
    if (pending.empty() || (syncing && kMistake != Mistake::kSyncsBesideSync)) {
      changed.wait(lock);
      return;
    }
    syncing = true;
    std::vector<CommitRequest*> taken = std::exchange(pending, {});
    absl::Status status = journal.WriteOut();
    lock.unlock();
    if (status.ok()) status = journal.Sync();
    lock.lock();
    if (kMistake == Mistake::kPublishesOutOfOrder) std::ranges::reverse(taken);
    if (status.ok()) journal.Publish(taken);
    for (size_t i = 0; i < taken.size(); ++i) {
      const bool lies = kMistake == (i == 0 ? Mistake::kLeaderGetsOk : Mistake::kFollowersGetOk);
      if (!lies) taken[i]->result = status;
      // release: `result` first.
      taken[i]->done.store(true, std::memory_order_release);
    }
    syncing = false;
    changed.notify_all();
  }

  template <typename Action>
  void Exclusively(Action&& action) {
    std::unique_lock lock(mutex);
    if (kMistake != Mistake::kExclusiveBesideSync) {
      changed.wait(lock, [this] { return !syncing && pending.empty(); });
    }
    std::forward<Action>(action)();
  }
  void Stop() {}

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<CommitRequest*> pending;
  bool syncing = false;
};

// Which threads meet is a matter of chance: asks until one attempt is refused.
template <typename Check>
absl::Status FirstRefusal(Check&& check) {
  absl::Status status;
  for (int attempt = 0; attempt < 200 && status.ok(); ++attempt) status = check(attempt);
  return status;
}

TEST(CommitConformance, RefusesBrokenPipelines) {
  EXPECT_EQ(CheckCommit<SimplePipeline<Mistake::kNone>>(), absl::OkStatus());
  EXPECT_FALSE(CheckFailedSync<SimplePipeline<Mistake::kLeaderGetsOk>>(8, 5).ok());
  EXPECT_FALSE(FirstRefusal([](int attempt) {
                 const auto sync = static_cast<uint64_t>(attempt) + 1;
                 return CheckFailedSync<SimplePipeline<Mistake::kFollowersGetOk>>(8, sync);
               }).ok());
  const auto complaint = []<Mistake kMistake>(std::integral_constant<Mistake, kMistake>) {
    return std::string(FirstRefusal([](int) {
                         return CheckCommitOrder<SimplePipeline<kMistake>>(8, 300);
                       }).message());
  };
  using enum Mistake;
  const std::string reserves = complaint(std::integral_constant<Mistake, kReservesBesideSync>());
  EXPECT_TRUE(reserves == "Reserve before all that is logged is published" ||
              reserves.starts_with("overlap in "))
      << reserves;
  EXPECT_EQ(complaint(std::integral_constant<Mistake, kWritesOutBesideSync>()),
            "WriteOut before the bytes ahead are durable");
  EXPECT_NE(complaint(std::integral_constant<Mistake, kSyncsBesideSync>()), "");
  EXPECT_EQ(complaint(std::integral_constant<Mistake, kPublishesOutOfOrder>()),
            "Publish of a request that was not inserted, or out of order");
  EXPECT_FALSE(FirstRefusal([](int) {
                 return CheckExclusively<SimplePipeline<kExclusiveBesideSync>>(8, 300);
               }).ok());
}

// A policy that syncs of its own accord, when a write comes along: not soon enough.
struct SyncsWithWritesOnly : NoCommit {
  static constexpr bool kSyncs = true;
  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    KV_RETURN_IF_ERROR(journal.WriteOut());
    KV_RETURN_IF_ERROR(journal.Sync());
    return NoCommit::Commit(journal, request);
  }
};

struct SyncsNever : NoCommit {
  static constexpr bool kSyncs = true;
};

// Never notices that its syncs fail, nor that the journal refuses.
struct KeepsFailuresToItself : NoCommit {
  static constexpr bool kSyncs = true;
  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    if (NoCommit::Commit(journal, request).ok() && journal.WriteOut().ok()) {
      journal.Sync().IgnoreError();
    }
    return absl::OkStatus();
  }
};

// Stop leaves its thread at work.
struct StopsWithoutJoining : EveryWriteCommit {
  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    if (!thread.joinable()) {
      thread = std::thread([this, &journal] {
        // acquire: pairs with the destructor's release.
        while (!over.load(std::memory_order_acquire)) {
          Exclusively([&] { journal.WriteOut().IgnoreError(); });
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }
    return EveryWriteCommit::Commit(journal, request);
  }
  ~StopsWithoutJoining() {
    over.store(true, std::memory_order_release);
    if (thread.joinable()) thread.join();
  }
  std::thread thread;
  std::atomic<bool> over{false};
};

TEST(CommitConformance, RefusesBrokenIntervals) {
  EXPECT_EQ(CheckIdleSync<SyncsWithWritesOnly>(/*patience=*/50).message(),
            "an idle store was not synced");
  EXPECT_EQ(
      (CheckReportedFailure<KeepsFailuresToItself, BackgroundThreads::kAllowed>(2, /*patience=*/500)
           .message()),
      "a failed sync was never reported");
  EXPECT_FALSE(CheckWithoutThreads<SyncsNever>(10).ok());
  EXPECT_EQ(CheckStop<StopsWithoutJoining>().message(), "WriteOut after Stop");
}

#if !defined(__SANITIZE_THREAD__)  // which would report the planted race itself
TEST(CommitConformance, RefusesAPolicyWithoutExclusion) {
  EXPECT_FALSE(
      FirstRefusal([](int) { return CheckCommitOrder<BrokenCommit<DoesNotLock>>(8, 500); }).ok());
}
#endif

static_assert(Commit<BrokenCommit<DoesNotLock>>);  // semantics are for the suite

}  // namespace
}  // namespace kv
