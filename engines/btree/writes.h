// How writes come to the commit policy: as batches of requests; and what maintenance does with the
// journal to itself.
//
// Thread safety: any thread.
#ifndef ENGINES_BTREE_WRITES_H_
#define ENGINES_BTREE_WRITES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "engines/btree/journal.h"
#include "engines/btree/store.h"
#include "kv/base/status.h"
#include "kv/commit/batches.h"
#include "kv/contract/write_batch.h"
#include "kv/io/log_format.h"

namespace kv::btree {

template <typename Parts, typename Environment>
class Writes {
 public:
  using StoreType = Store<Parts, Environment>;
  using JournalType = Journal<Parts, Environment>;
  // Batches are made about this large.
  static constexpr size_t kBatchBytes = size_t{1} << 20;

  Writes(StoreType& store, JournalType& journal) : store_(store), journal_(journal) {}

  // Commits what `fill(WriteBatch&)` puts in: one entry.
  template <typename Fill>
  absl::Status One(Fill&& fill) {
    return CommitOne(commit_, journal_, std::forward<Fill>(fill));
  }

  absl::Status Commit(const WriteBatch& batch) {
    KV_RETURN_IF_ERROR(CheckBytes(batch));
    return CommitBatch(commit_, journal_, batch);
  }

  // Deletes every key that the cursor of `make_cursor()`, made when no other write is under way,
  // shows: at one instant.
  template <typename MakeCursor>
  absl::Status DeleteAll(MakeCursor&& make_cursor) {
    absl::Status status;
    commit_.Exclusively([&] { status = DeleteAllAlone(std::forward<MakeCursor>(make_cursor)()); });
    return status;
  }

  // Everything written so far is durable on return, in the log.
  absl::Status Flush() {
    absl::Status status;
    commit_.Exclusively([&] { status = journal_.Flush(); });
    return status;
  }

  // Everything written so far is in the pages on return.
  absl::Status Checkpoint() {
    absl::Status status;
    commit_.Exclusively([&] { status = journal_.Cut(); });
    KV_RETURN_IF_ERROR(status);
    return store_.WaitForCheckpoint();
  }

  // Drops what nobody needs from the leaves of [begin, end), and joins small ones. An empty `end`
  // is no bound.
  absl::Status Tidy(std::string_view begin, std::string_view end) {
    std::string key(begin);
    std::string next;
    absl::Status status;
    for (bool more = true; more && status.ok() && (end.empty() || key.compare(end) < 0);) {
      // A few at a time: writers wait meanwhile.
      commit_.Exclusively([&] {
        status = journal_.MakeRoom();
        for (int i = 0; i < kLeavesAtOnce && more && status.ok(); ++i) {
          status = store_.writer().Tidy(key, &next, &more);
          std::swap(key, next);
        }
      });
    }
    return status;
  }

  // Ends what the policy does by itself.
  void Stop() { commit_.Stop(); }
  // Ends the log and puts everything into the pages. No write comes after this.
  absl::Status Close() { return journal_.Close(); }

 private:
  static constexpr int kLeavesAtOnce = 16;

  static absl::Status CheckBytes(const WriteBatch& batch) {
    if (batch.Bytes().size() <= kMaxLogPayloadBytes) [[likely]]
      return absl::OkStatus();
    return Invalid(
        fmt::format("batch of {} bytes is over {}", batch.Bytes().size(), kMaxLogPayloadBytes));
  }

  template <typename Cursor>
  absl::Status DeleteAllAlone(Cursor cursor) {
    WriteBatch deletes;
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) deletes.Delete(cursor.key());
    KV_RETURN_IF_ERROR(cursor.status());
    if (deletes.Empty()) return absl::OkStatus();
    KV_RETURN_IF_ERROR(CheckBytes(deletes));
    return CommitAlone<typename Parts::Commit>(journal_, deletes);
  }

  StoreType& store_;
  JournalType& journal_;
  typename Parts::Commit commit_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_WRITES_H_
