// Commit: when a write is logged, made durable, applied and acknowledged, and by whom.
//
// The engine offers a Journal; a commit policy calls it on behalf of the writers. For a group of
// requests, in this order:
//
//   Reserve   room in the memtable; may rotate it and may wait for background work
//   Log       numbers the requests and hands their bytes to the log as ONE record, so that after a
//             crash the group is there or not
//   Sync      makes everything logged so far durable
//   Apply     inserts the group into the memtable and makes it visible to readers
//
// What every policy promises, beyond the signatures:
//   1. Journal calls never overlap: one thread at a time is inside, and each thread sees the
//      effects of the one before it.
//   2. Requests take effect in the order in which they were logged.
//   3. Commit returns after Apply of its request, or with an error. An error of Log or Sync goes to
//      every request of the group, none of them is applied, and the journal refuses all later
//      groups with that error: a failed sync is never retried as if nothing had happened.
//   4. If kDurableOnReturn, an acknowledged write was synced before it was applied, so that no
//      reader sees what a crash could take back.
//
//   policy       kDurableOnReturn   lost when the process dies      lost when the power fails
//   none         no                 since the last Flush at most    the same; a prefix is kept
//   every_write  yes                nothing                         nothing
//   group        yes                nothing                         nothing
#ifndef KV_COMMIT_CONCEPT_H_
#define KV_COMMIT_CONCEPT_H_

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "kv/contract/record.h"

namespace kv {

// One write on its way through a commit policy. Lives on the writer's stack.
struct CommitRequest {
  std::string_view entries;  // WriteBatch::Bytes()
  uint64_t count = 0;        // entries in them
  Sequence first = 0;        // set by Log: the sequence number of the first entry
  absl::Status result = {};  // set by a leader, for its followers
  // release: stored after `result` is set; pairs with the follower's acquire.
  std::atomic<bool> done = false;
};

using CommitGroup = std::span<CommitRequest* const>;

template <typename J>
concept Journal = requires(J& journal, CommitGroup group) {
  { journal.Reserve(group) } -> std::same_as<absl::Status>;
  { journal.Log(group) } -> std::same_as<absl::Status>;
  { journal.Sync() } -> std::same_as<absl::Status>;
  { journal.Apply(group) } -> std::same_as<void>;
};

// Stands for any journal where a concept needs one.
struct JournalArchetype {
  absl::Status Reserve(CommitGroup);
  absl::Status Log(CommitGroup);
  absl::Status Sync();
  void Apply(CommitGroup);
};

static_assert(Journal<JournalArchetype>);

template <typename C>
concept Commit = std::default_initializable<C> &&
    requires(C& commit, JournalArchetype& journal, CommitRequest& request) {
  { C::kName } -> std::convertible_to<std::string_view>;
  { C::kDurableOnReturn } -> std::convertible_to<bool>;
  // Commits the request; called from any thread.
  { commit.Commit(journal, request) } -> std::same_as<absl::Status>;
  // Runs `action()` with the journal to itself, between two groups.
  {
    commit.Exclusively([] {})
    } -> std::same_as<void>;
};

}  // namespace kv

#endif  // KV_COMMIT_CONCEPT_H_
