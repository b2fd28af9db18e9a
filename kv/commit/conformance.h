// What every commit policy must do (kv/commit/concept.h), as checks on a journal that watches it.
// Each returns OK, or says which promise was broken, so that broken policies can be shown to fail.
#ifndef KV_COMMIT_CONFORMANCE_H_
#define KV_COMMIT_CONFORMANCE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "kv/base/status.h"
#include "kv/commit/concept.h"
#include "kv/commit/watchful_journal.h"

namespace kv {

// How often the suite asks for something that must come before it gives up.
inline constexpr int kPatience = 60'000;

// `threads` writers commit `writes` requests each.
template <typename C>
absl::Status CheckCommitOrder(int threads, int writes) {
  C commit;
  WatchfulJournal<> journal;
  if (C::kDurableOnReturn) journal.RequireSync();
  std::vector<std::thread> writers;
  for (int thread = 0; thread < threads; ++thread) {
    writers.emplace_back([&, thread] {
      Sequence last = 0;
      for (int i = 0; i < writes; ++i) {
        CommitRequest request{.entries = "entries", .count = 1 + static_cast<uint64_t>(thread % 3)};
        if (!commit.Commit(journal, request).ok()) journal.Note("Commit failed for no reason");
        if (!journal.IsPublished(request)) journal.Note("Commit returned before Publish");
        if (request.first <= last) journal.Note("a writer's requests changed places");
        last = request.first;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  KV_RETURN_IF_ERROR(journal.Verdict());
  uint64_t expected = 0;
  for (int thread = 0; thread < threads; ++thread) {
    expected += static_cast<uint64_t>(writes) * (1 + static_cast<uint64_t>(thread % 3));
  }
  if (journal.Published() != expected) return absl::InternalError("requests were lost");
  return absl::OkStatus();
}

// The `fail_sync`th sync fails under `threads` writers: who got OK was published, who was not
// published got the error, and nobody hangs.
template <typename C>
absl::Status CheckFailedSync(int threads, uint64_t fail_sync) {
  C commit;
  WatchfulJournal<> journal(fail_sync);
  journal.RequireSync();
  std::atomic<uint64_t> acknowledged{0};
  std::vector<std::thread> writers;
  for (int thread = 0; thread < threads; ++thread) {
    writers.emplace_back([&] {
      int refused = 0;
      // Two writes after the first refusal: those must be refused too.
      while (refused < 3) {
        CommitRequest request{.entries = "entries", .count = 1};
        if (!commit.Commit(journal, request).ok()) {
          ++refused;
          if (journal.IsPublished(request)) journal.Note("a published request was refused");
          continue;
        }
        if (refused > 0) journal.Note("a write was acknowledged after a failed sync");
        if (!journal.IsPublished(request))
          journal.Note("a write was acknowledged, but not published");
        // relaxed: read after join.
        acknowledged.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  KV_RETURN_IF_ERROR(journal.Verdict());
  if (acknowledged.load(std::memory_order_relaxed) != journal.Published()) {
    return absl::InternalError("acknowledged and published writes differ in number");
  }
  return absl::OkStatus();
}

// Exclusively() runs alone.
template <typename C>
absl::Status CheckExclusively(int threads, int rounds) {
  C commit;
  WatchfulJournal<> journal;
  uint64_t unguarded = 0;  // thread sanitizer and the final count watch this
  std::vector<std::thread> callers;
  for (int thread = 0; thread < threads; ++thread) {
    callers.emplace_back([&, thread] {
      for (int i = 0; i < rounds; ++i) {
        if (thread % 2 == 0) {
          commit.Exclusively([&] {
            ++unguarded;
            if (!journal.Reserve({}).ok()) journal.Note("Reserve failed");
          });
        } else {
          CommitRequest request{.entries = "entries", .count = 1};
          if (!commit.Commit(journal, request).ok()) journal.Note("Commit failed for no reason");
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  KV_RETURN_IF_ERROR(journal.Verdict());
  if (unguarded != static_cast<uint64_t>((threads + 1) / 2) * static_cast<uint64_t>(rounds)) {
    return absl::InternalError("two threads were in Exclusively at once");
  }
  return absl::OkStatus();
}

// The writer's requests keep their order where the policy may start no threads.
template <typename C>
absl::Status CheckWithoutThreads(uint64_t writes) {
  C commit;
  WatchfulJournal<BackgroundThreads::kForbidden> journal;
  if (C::kDurableOnReturn) journal.RequireSync();
  for (uint64_t i = 0; i < writes; ++i) {
    CommitRequest request{.entries = "entries", .count = 1};
    KV_RETURN_IF_ERROR(commit.Commit(journal, request));
    if (!journal.IsPublished(request)) journal.Note("Commit returned before Publish");
    journal.AdvanceMillis(60'000);
  }
  if (C::kSyncs && journal.Durable() + 1 < writes)
    journal.Note("time passed, and nothing was synced");
  commit.Stop();
  return journal.Verdict();
}

// After Stop no thread of the policy comes back. `C` syncs often, of its own accord.
template <typename C>
absl::Status CheckStop() {
  WatchfulJournal<> journal;
  C commit;
  for (int i = 0; i < 20; ++i) {
    CommitRequest request{.entries = "entries", .count = 1};
    KV_RETURN_IF_ERROR(commit.Commit(journal, request));
  }
  commit.Stop();
  journal.ForbidCalls();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return journal.Verdict();
}

// For policies that sync of their own accord: what was acknowledged becomes durable, although no
// other write comes.
template <typename C>
absl::Status CheckIdleSync(int patience = kPatience) {
  WatchfulJournal<> journal;
  C commit;
  for (int round = 0; round < 3; ++round) {
    CommitRequest request{.entries = "entries", .count = 1};
    KV_RETURN_IF_ERROR(commit.Commit(journal, request));
    for (int waits = 0; journal.Durable() < journal.Published(); ++waits) {
      if (waits == patience) return absl::InternalError("an idle store was not synced");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  commit.Stop();
  return journal.Verdict();
}

// The same, and sync number `fail_sync` fails: a write says so, as all do from then on, and what
// was published until then stays.
template <typename C, BackgroundThreads kThreads>
absl::Status CheckReportedFailure(uint64_t fail_sync, int patience = kPatience) {
  WatchfulJournal<kThreads> journal(fail_sync);
  C commit;
  Sequence acknowledged = 0;
  absl::Status status;
  for (int waits = 0; status.ok(); ++waits) {
    if (waits == patience) return absl::InternalError("a failed sync was never reported");
    CommitRequest request{.entries = "entries", .count = 1};
    status = commit.Commit(journal, request);
    if (status.ok()) ++acknowledged;
    journal.AdvanceMillis(60'000);
    if (waits >= 1000) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (int i = 0; i < 3; ++i) {
    CommitRequest request{.entries = "entries", .count = 1};
    if (commit.Commit(journal, request).ok())
      journal.Note("a write was acknowledged after a failed sync");
  }
  if (journal.Published() != acknowledged) journal.Note("acknowledged and published writes differ");
  commit.Stop();
  return journal.Verdict();
}

// There is no space for the log for a while: writes are refused meanwhile, and none of them shows
// up; before and after it they are acknowledged.
template <typename C>
absl::Status CheckFullLog(int threads) {
  C commit;
  WatchfulJournal<> journal;
  if (C::kDurableOnReturn) journal.RequireSync();
  // How many of ten writes of each thread are acknowledged.
  const auto write_all = [&] {
    std::vector<uint64_t> acknowledged(static_cast<size_t>(threads));
    std::vector<std::thread> writers;
    for (uint64_t& mine : acknowledged) {
      writers.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          CommitRequest request{.entries = "entries", .count = 1};
          const absl::Status status = commit.Commit(journal, request);
          mine += status.ok() ? 1 : 0;
          if (!status.ok() && !IsOutOfSpace(status)) {
            journal.Note("a want of space became another error");
          }
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    return std::accumulate(acknowledged.begin(), acknowledged.end(), uint64_t{0});
  };
  const uint64_t all = static_cast<uint64_t>(threads) * 10;
  if (write_all() != all) journal.Note("writes were refused for no reason");
  journal.SetFull(WatchfulJournal<>::Full::kAtLog);
  if (write_all() != 0) journal.Note("what found no space was acknowledged");
  if (journal.Published() != all) journal.Note("what found no space was published");
  journal.SetFull(WatchfulJournal<>::Full::kNowhere);
  if (write_all() != all) journal.Note("writes were refused when there was space again");
  commit.Stop();
  KV_RETURN_IF_ERROR(journal.Verdict());
  if (journal.Published() != 2 * all) {
    return absl::InternalError("acknowledged and published writes differ in number");
  }
  return absl::OkStatus();
}

// For policies that write out of their own accord: while that finds no space writes are refused,
// before long; then they go on, and everything acknowledged becomes durable.
template <typename C, BackgroundThreads kThreads>
absl::Status CheckFullWriteOut(int patience = kPatience) {
  WatchfulJournal<kThreads> journal;
  C commit;
  const auto write = [&] {
    CommitRequest request{.entries = "entries", .count = 1};
    absl::Status status = commit.Commit(journal, request);
    if (!status.ok() && !IsOutOfSpace(status)) journal.Note("a want of space became another error");
    journal.AdvanceMillis(60'000);
    return status.ok();
  };
  journal.SetFull(WatchfulJournal<kThreads>::Full::kAtWriteOut);
  for (int waits = 0; write(); ++waits) {
    if (waits == patience) return absl::InternalError("a full disk was never reported");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (write()) journal.Note("a write was acknowledged while nothing could be written out");
  const uint64_t acknowledged = journal.Published();
  journal.SetFull(WatchfulJournal<kThreads>::Full::kNowhere);
  for (int waits = 0; !write(); ++waits) {
    if (waits == patience) return absl::InternalError("writes were refused after there was space");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  write();
  if (journal.Durable() < acknowledged) journal.Note("acknowledged writes did not become durable");
  commit.Stop();
  return journal.Verdict();
}

template <typename C>
absl::Status CheckCommit() {
  KV_RETURN_IF_ERROR(CheckCommitOrder<C>(1, 200));
  KV_RETURN_IF_ERROR(CheckCommitOrder<C>(8, 200));
  KV_RETURN_IF_ERROR(CheckWithoutThreads<C>(50));
  KV_RETURN_IF_ERROR(CheckExclusively<C>(4, 100));
  KV_RETURN_IF_ERROR(CheckStop<C>());
  KV_RETURN_IF_ERROR(CheckFullLog<C>(1));
  KV_RETURN_IF_ERROR(CheckFullLog<C>(4));
  if constexpr (C::kDurableOnReturn) {
    KV_RETURN_IF_ERROR(CheckFailedSync<C>(1, 3));
    KV_RETURN_IF_ERROR(CheckFailedSync<C>(8, 1));
    KV_RETURN_IF_ERROR(CheckFailedSync<C>(8, 5));
  } else if constexpr (C::kSyncs) {
    KV_RETURN_IF_ERROR(CheckIdleSync<C>());
    KV_RETURN_IF_ERROR((CheckReportedFailure<C, BackgroundThreads::kAllowed>(2)));
    KV_RETURN_IF_ERROR((CheckReportedFailure<C, BackgroundThreads::kForbidden>(2)));
    KV_RETURN_IF_ERROR((CheckFullWriteOut<C, BackgroundThreads::kAllowed>()));
    KV_RETURN_IF_ERROR((CheckFullWriteOut<C, BackgroundThreads::kForbidden>()));
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_COMMIT_CONFORMANCE_H_
