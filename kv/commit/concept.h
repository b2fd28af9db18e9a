// Commit: when a write is logged, made durable, applied and acknowledged, and by whom.
//
// The engine offers a Journal; a commit policy calls it on behalf of the writers. For a group of
// requests, in this order:
//
//   Reserve   makes room; may rotate memtable and log and may wait for background work. Where
//             HasRoom says yes it would return at once and change nothing, and may be left out
//   Log       numbers the requests and hands their bytes to the log's buffer as ONE record, so that
//             after a crash the group is there or not
//   WriteOut  hands everything logged so far to the file
//   Sync      makes everything durable that WriteOut handed out before the call
//   Insert    puts the group into memory, where readers do not see it yet; an engine that cannot
//             hide it does nothing here and all of it in Publish
//   Publish   makes the group visible to readers
//
// Insert may come before or after WriteOut and Sync. One thread at a time is inside the journal,
// and each sees the effects of the calls before its own; but Sync may run in another thread beside
// HasRoom, Log, WriteOut, Insert and Publish. It excludes Reserve and itself.
//
// What every policy promises, beyond the signatures:
//   1. Requests are logged, inserted and published in one and the same order.
//   2. Commit returns after Publish of its request, or with an error.
//   3. An error of Log, WriteOut or Sync goes to every request whose bytes it concerns, none of
//      them is published, and the journal refuses all later groups with that error: a failed sync
//      is never retried as if nothing had happened. A want of space (IsOutOfSpace) of Reserve or
//      Log refuses the one group and nothing else: the journal is as it was before the call. One of
//      WriteOut is told to who called it; a policy that is not kDurableOnReturn calls it again, and
//      meanwhile acknowledges nothing.
//   4. If kDurableOnReturn, an acknowledged write was synced before it was published, so that no
//      reader sees what a crash could take back. And bytes are handed to the file only when all
//      that was handed out before them is durable: then behind bytes that a crash tore there is
//      nothing that was handed out later (kv/io/log_format.h).
//   5. If not, but kSyncs, the policy calls WriteOut and Sync of its own accord, and the header
//   says
//      how soon. A failure of these is reported by the next write.
//   6. After Stop has returned, no thread of the policy is in the journal.
//
//   policy       kDurableOnReturn   lost when the process dies      lost when the power fails
//   none         no                 since the last Flush at most    the same; a prefix is kept
//   interval     no                 what is in the log's buffer:    the last `millis` or `bytes`;
//                                   64 KiB or `millis` at most      a prefix is kept
//   every_write  yes                nothing                         nothing
//   group        yes                nothing                         nothing
//   pipelined    yes                nothing                         nothing
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
  // Whether the policy may start threads of its own. Where not, what it does of its own accord it
  // does in a writer's thread, so that the order of file operations is a function of the calls.
  { J::kBackgroundThreads } -> std::same_as<const bool&>;
  // The engine's clock: nanoseconds since some fixed point.
  { journal.MonotonicNanos() } -> std::same_as<uint64_t>;
  { journal.HasRoom(group) } -> std::same_as<bool>;
  { journal.Reserve(group) } -> std::same_as<absl::Status>;
  { journal.Log(group) } -> std::same_as<absl::Status>;
  { journal.WriteOut() } -> std::same_as<absl::Status>;
  { journal.Sync() } -> std::same_as<absl::Status>;
  { journal.Insert(group) } -> std::same_as<void>;
  { journal.Publish(group) } -> std::same_as<void>;
};

// Stands for any journal where a concept needs one.
struct JournalArchetype {
  static constexpr bool kBackgroundThreads = true;
  uint64_t MonotonicNanos();
  bool HasRoom(CommitGroup);
  absl::Status Reserve(CommitGroup);
  absl::Status Log(CommitGroup);
  absl::Status WriteOut();
  absl::Status Sync();
  void Insert(CommitGroup);
  void Publish(CommitGroup);
};

static_assert(Journal<JournalArchetype>);

template <typename C>
concept Commit = std::default_initializable<C> &&
    requires(C& commit, JournalArchetype& journal, CommitRequest& request) {
  { C::kName } -> std::convertible_to<std::string_view>;
  { C::kDurableOnReturn } -> std::convertible_to<bool>;
  // Whether it syncs at all. An engine then makes a log durable before it begins the next.
  { C::kSyncs } -> std::convertible_to<bool>;
  // Commits the request; called from any thread. Always with the same journal, which outlives the
  // policy, or the call of Stop.
  { commit.Commit(journal, request) } -> std::same_as<absl::Status>;
  // Runs `action()` with the journal to itself, between two groups, with nothing logged that is not
  // published yet. Called from any thread. An action that logs also writes out and syncs, where
  // kSyncs: the policy does not learn of it.
  {
    commit.Exclusively([] {})
    } -> std::same_as<void>;
  // Ends what the policy does of its own accord. No Commit runs now or later.
  { commit.Stop() } -> std::same_as<void>;
} &&(C::kSyncs || !C::kDurableOnReturn);

}  // namespace kv

#endif  // KV_COMMIT_CONCEPT_H_
