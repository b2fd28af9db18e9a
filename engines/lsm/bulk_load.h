// Bulk loading: sorted entries go into tables directly, without the log and the memtable.
//
// They go in chunks. While a chunk is written, other writes wait and reads go on. All entries of a
// chunk bear one sequence number, the newest, so readers see all of it at the instant when that
// number is published. A search must not come upon anything older first: so the memtables are
// flushed before, and the tables go to the deepest level with nothing that overlaps them in it or
// above it. That is the bottom when nothing overlaps, and the front of level 0 when something there
// does.
//
// Durable on return, whatever the commit policy: the tables and the edit that adds them are synced.
// A crash leaves whole chunks, in order; an error of the source, and a key out of order, leave what
// came before it.
//
// Thread safety: the caller sees to it that no other write is under way during a chunk.
#ifndef ENGINES_LSM_BULK_LOAD_H_
#define ENGINES_LSM_BULK_LOAD_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "engines/lsm/counters.h"
#include "engines/lsm/journal.h"
#include "engines/lsm/store.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/contract/sorted_source.h"

namespace kv {

// What is left of a source, as records of one sequence number: as much of a RecordCursor as writing
// tables takes. Ends at about `chunk_bytes`, at the end of the source, and before an entry that is
// out of order or that `check(const Record&) -> absl::Status` refuses.
template <SortedSource Source, typename Check>
class SourceChunk {
 public:
  // `last` is the key before, and becomes the last one of this chunk.
  SourceChunk(Source& source, std::optional<std::string>* last, Sequence sequence,
              uint64_t chunk_bytes, Check check)
      : source_(source), last_(*last), left_(chunk_bytes), check_(std::move(check)) {
    record_.sequence = sequence;
  }

  void SeekToFirst() { Look(); }
  bool Valid() const { return valid_; }
  const Record& record() const { return record_; }
  void Next() {
    const uint64_t size = record_.key.size() + record_.value.size();
    bytes_ += size;
    ++entries_;
    left_ -= std::min(left_, size + 1);
    if (last_) {
      last_->assign(record_.key);
    } else {
      last_.emplace(record_.key);
    }
    source_.Next();
    Look();
  }
  // Writing goes on to its end whatever ended the chunk; see refused().
  absl::Status status() const { return absl::OkStatus(); }

  // Why the entry that the source stands on must not be loaded.
  const absl::Status& refused() const { return refused_; }
  uint64_t entries() const { return entries_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void Look() {
    valid_ = left_ > 0 && source_.Valid();
    if (!valid_) return;
    record_.key = source_.key();
    record_.value = source_.value();
    record_.expires_at = ExpiresAtOf(source_);
    if (last_ && record_.key <= *last_) {
      refused_ = Invalid(fmt::format("a sorted source has the key \"{}\" after \"{}\"",
                                     absl::CHexEscape(std::string(record_.key)),
                                     absl::CHexEscape(*last_)));
    } else {
      refused_ = check_(record_);
    }
    valid_ = refused_.ok();
  }

  Source& source_;
  std::optional<std::string>& last_;
  uint64_t left_;
  Check check_;
  Record record_;
  bool valid_ = false;
  absl::Status refused_;
  uint64_t entries_ = 0;
  uint64_t bytes_ = 0;
};

// Loads one chunk of `source`. `last` as in SourceChunk. Expects the journal and the writes of
// every key to itself. `*more` says whether the source may have more to give.
template <typename Parts, typename Environment, SortedSource Source, typename Check>
absl::Status LoadChunk(Store<Parts, Environment>& store, LsmJournal<Parts, Environment>& journal,
                       Source& source, std::optional<std::string>* last, Check check, bool* more) {
  constexpr uint64_t kChunkBytes = uint64_t{256} << 20;
  *more = false;
  KV_RETURN_IF_ERROR(journal.Rotate());
  KV_RETURN_IF_ERROR(store.FlushAll());
  const Sequence sequence = journal.TakeNumber();
  SourceChunk<Source, Check> chunk(source, last, sequence, kChunkBytes, std::move(check));
  KV_RETURN_IF_ERROR(store.Ingest(chunk, sequence));
  store.counters().Add(LsmCounter::kWrites, chunk.entries());
  store.counters().Add(LsmCounter::kUserBytesWritten, chunk.bytes());
  KV_RETURN_IF_ERROR(chunk.refused());
  *more = source.Valid();
  return source.status();
}

}  // namespace kv

#endif  // ENGINES_LSM_BULK_LOAD_H_
