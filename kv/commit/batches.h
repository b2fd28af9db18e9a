// How an engine hands batches to its commit policy: as requests that live on the writer's stack.
//
// Thread safety: as the policy's Commit, any thread; CommitAlone as an action of Exclusively.
// Cost: that of the policy and the journal. `inline`, as member functions are, weighs with the
// compiler: without it a put is two calls more.
#ifndef KV_COMMIT_BATCHES_H_
#define KV_COMMIT_BATCHES_H_

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "kv/commit/concept.h"
#include "kv/commit/steps.h"
#include "kv/contract/write_batch.h"

namespace kv {

template <Commit C, Journal J>
inline absl::Status CommitBatch(C& commit, J& journal, const WriteBatch& batch) {
  CommitRequest request{.entries = batch.Bytes(), .count = batch.Count()};
  return commit.Commit(journal, request);
}

// A thread's batch keeps at most this much memory from one write to the next.
inline constexpr size_t kKeptBatchBytes = size_t{1} << 20;

// Commits what `fill(WriteBatch&)` puts in. One batch a thread, so that a put allocates nothing.
template <Commit C, Journal J, typename Fill>
inline absl::Status CommitOne(C& commit, J& journal, Fill&& fill) {
  thread_local WriteBatch batch;
  batch.Clear();
  std::forward<Fill>(fill)(batch);
  absl::Status status = CommitBatch(commit, journal, batch);
  if (batch.Bytes().size() > kKeptBatchBytes) batch = WriteBatch();
  return status;
}

// Commits a batch, which is not empty, in an action that a policy of type C runs exclusively.
template <Commit C, Journal J>
inline absl::Status CommitAlone(J& journal, const WriteBatch& batch) {
  CommitRequest request{.entries = batch.Bytes(), .count = batch.Count()};
  CommitRequest* const group[] = {&request};
  constexpr CommitSync kSync = C::kSyncs ? CommitSync::kBeforePublish : CommitSync::kLater;
  return CommitInSteps<kSync>(journal, group);
}

}  // namespace kv

#endif  // KV_COMMIT_BATCHES_H_
