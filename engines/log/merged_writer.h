// Writes what a merge keeps: a segment and its hint, under the next file number.
//
// The number is taken when the first record comes, so a merge that keeps nothing makes no file.
// Records are written a stretch at a time, and written back as they come, so that the sync at the
// end has little left to do. What does not come to its end is removed: the disk may be full of it.
//
// Thread safety: one thread.
#ifndef ENGINES_LOG_MERGED_WRITER_H_
#define ENGINES_LOG_MERGED_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engines/log/hint.h"
#include "engines/log/record_format.h"
#include "engines/log/segment_format.h"
#include "engines/log/store.h"
#include "kv/base/status.h"

namespace kv {

template <typename Environment>
class MergedWriter {
 public:
  using StoreType = LogStore<Environment>;
  using SegmentRef = typename StoreType::SegmentRef;

  explicit MergedWriter(StoreType& store) : store_(store) {}
  MergedWriter(const MergedWriter&) = delete;
  MergedWriter& operator=(const MergedWriter&) = delete;
  ~MergedWriter() {
    if (!file_ || finished_) return;
    store_.files().Remove(store_.names().Merged(number_)).IgnoreError();
    store_.files().Remove(store_.names().Hint(number_)).IgnoreError();
  }

  // The offset at which the next record goes.
  uint64_t End() const { return written_ + buffer_.size(); }

  absl::Status Add(const Record& record, uint64_t hash) {
    if (!file_) KV_RETURN_IF_ERROR(Start());
    const uint64_t offset = End();
    const size_t begin = buffer_.size();
    LogEntry entry{.record = record, .bytes = LogEntryBytes(record), .group = {}};
    buffer_.resize(begin + entry.bytes);
    LogEntry::Encode(record, {}, number_, offset, buffer_.data() + begin);
    hint_.Add(entry, offset, hash);
    return buffer_.size() < kBufferBytes ? absl::OkStatus() : WriteOut();
  }

  // The segment, sealed, mapped and in the directory, its files and their names durable; null if
  // nothing was added.
  absl::StatusOr<SegmentRef> Finish(Sequence cleaned) {
    if (!file_) return SegmentRef();
    KV_RETURN_IF_ERROR(WriteOut());
    KV_RETURN_IF_ERROR(file_->Sync());
    KV_RETURN_IF_ERROR(file_->Close());
    const std::string hint = hint_.Finish(number_, written_);
    KV_RETURN_IF_ERROR(WriteWholeFile(store_.files(), store_.names().Hint(number_), hint));
    KV_RETURN_IF_ERROR(store_.files().SyncDirectory(store_.names().Directory()));
    auto segment = std::make_shared<typename StoreType::SegmentType>(store_.files(), store_.names(),
                                                                     number_, /*merged=*/true);
    KV_RETURN_IF_ERROR(segment->Map());
    HintView view;
    view.Decode(hint, number_, written_);
    segment->summary = SegmentSummary::Of(view);
    segment->end = written_;
    segment->cleaned = cleaned;
    KV_RETURN_IF_ERROR(store_.keydir().Add(segment.get()));
    finished_ = true;
    return segment;
  }

 private:
  static constexpr size_t kBufferBytes = size_t{1} << 20;

  absl::Status Start() {
    number_ = store_.NewNumber();
    KV_ASSIGN_OR_RETURN(auto file, store_.files().Create(store_.names().Merged(number_)));
    file_.emplace(std::move(file));
    buffer_ = SegmentHeader{.number = number_}.Encode();
    return absl::OkStatus();
  }

  absl::Status WriteOut() {
    KV_RETURN_IF_ERROR(file_->Append(buffer_));
    file_->StartWriteback(written_, buffer_.size());
    written_ += buffer_.size();
    buffer_.clear();
    return absl::OkStatus();
  }

  StoreType& store_;
  std::optional<typename StoreType::Files::WritableFile> file_;
  uint64_t number_ = 0;
  uint64_t written_ = 0;
  bool finished_ = false;
  std::string buffer_ = std::string(kSegmentHeaderBytes, '\0');  // so that End() is right at once
  HintBuilder hint_;
};

}  // namespace kv

#endif  // ENGINES_LOG_MERGED_WRITER_H_
