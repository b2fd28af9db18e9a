// Writes one segment (format: segment_format.h).
//
// Records are put together in memory that has room for the whole segment, so that readers find the
// newest records there and a record costs a copy and not a system call; WriteOut hands them to the
// file. A synced segment is written into zeros that were put into the file a stretch ahead: syncing
// an overwrite spares the file system the update of its own metadata.
//
// After the first failure of a write or sync every later call returns it: what a failed sync has
// left in the file is unknown (Rebello et al., "Can Applications Recover from fsync Failures?",
// ATC 2020). A want of space is no such failure: a synced segment has the space of a record before
// the record is appended (TakeSpace), an unsynced one is written out again later.
//
// Thread safety: TakeSpace, Append and Start: one thread at a time. WriteOut and Sync: from any
// thread, beside those and each other; they cover what was appended before the call.
#ifndef ENGINES_LOG_SEGMENT_WRITER_H_
#define ENGINES_LOG_SEGMENT_WRITER_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "engines/log/record_format.h"
#include "engines/log/segment_format.h"
#include "kv/base/status.h"
#include "kv/base/sticky_error.h"
#include "kv/io/file_system.h"

namespace kv {

template <FileSystem Files>
class SegmentWriter {
 public:
  // Starts a segment of up to `capacity` bytes in a new file, its header durable on return; the
  // caller syncs the directory.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Start(Files& files, const std::string& path,
                                                              const SegmentHeader& header,
                                                              uint64_t capacity) {
    KV_ASSIGN_OR_RETURN(auto file, files.Create(path));
    auto writer =
        std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(file), header, capacity));
    KV_RETURN_IF_ERROR(writer->Sync());
    return writer;
  }

  bool HasRoom(uint64_t bytes) const { return bytes <= capacity_ - appended_; }

  // Sees to it that `bytes` more can be appended and written out. IsOutOfSpace: they cannot be now.
  absl::Status TakeSpace(uint64_t bytes) {
    if (!header_.synced) return absl::OkStatus();
    const std::lock_guard lock(write_mutex_);
    return FillAhead(std::min(appended_ + bytes, capacity_));
  }

  // Returns the record's offset. Needs HasRoom(LogEntryBytes(record)). `group.begins_write` is set
  // here.
  uint64_t Append(const Record& record, bool ends_group) {
    const uint64_t offset = appended_;
    // relaxed: WriteOut in another thread may be about to take what is there, and then this record
    // is the first of the next write; being marked although it is not is what must not happen, and
    // without a policy that syncs nobody looks.
    const bool begins = offset == written_.load(std::memory_order_relaxed);
    appended_ += LogEntry::Encode(record, {.begins_write = begins, .ends_group = ends_group},
                                  header_.number, offset, memory_.get() + offset);
    // release: pairs with WriteOut, which then sees the bytes.
    if (ends_group) {
      last_.store(record.sequence, std::memory_order_relaxed);
      end_.store(appended_, std::memory_order_release);
    }
    return offset;
  }

  // Hands every whole group so far to the file: a kill of the process does not lose them any more.
  absl::Status WriteOut() {
    const std::lock_guard lock(write_mutex_);
    KV_RETURN_IF_ERROR(Failure());
    // acquire: pairs with Append.
    const uint64_t end = end_.load(std::memory_order_acquire);
    const uint64_t from = written_.load(std::memory_order_relaxed);
    if (from == end) return absl::OkStatus();
    KV_RETURN_IF_ERROR(FillAhead(end));
    absl::Status status = file_.WriteAt(from, std::string_view(memory_.get() + from, end - from));
    // Some of what a synced segment has not written out is refused now, and must not come later.
    const bool again = IsOutOfSpace(status) && !header_.synced;
    if (!status.ok()) return again ? status : error_.Set(Final(std::move(status)));
    // relaxed: under the mutex; Append and Unwritten only take a hint from it.
    written_.store(end, std::memory_order_relaxed);
    return absl::OkStatus();
  }

  // Makes everything durable that WriteOut has handed out before the call.
  absl::Status SyncFile() {
    const std::lock_guard lock(sync_mutex_);
    KV_RETURN_IF_ERROR(Failure());
    return error_.Keep(Final(file_.Sync()));
  }

  absl::Status Sync() {
    KV_RETURN_IF_ERROR(WriteOut());
    return SyncFile();
  }

  // The error that has ended this segment, if there is one.
  absl::Status Failure() const { return error_.Get(); }

  uint64_t Number() const { return header_.number; }
  // Behind the last record; the appending thread's, as is Unwritten.
  uint64_t End() const { return appended_; }
  uint64_t Unwritten() const { return appended_ - written_.load(std::memory_order_relaxed); }
  // Behind the last whole group, and its last sequence number; from any thread.
  uint64_t WholeEnd() const { return end_.load(std::memory_order_acquire); }
  Sequence Last() const { return last_.load(std::memory_order_relaxed); }
  // Where the readers find the segment.
  std::string_view Memory() const { return {memory_.get(), capacity_}; }

 private:
  static constexpr uint64_t kFillBytes = uint64_t{1} << 20;

  SegmentWriter(typename Files::WritableFile file, const SegmentHeader& header, uint64_t capacity)
      : file_(std::move(file)),
        header_(header),
        capacity_(capacity),
        // Not zeroed: nothing is read that was not written.
        memory_(new char[capacity]),
        appended_(kSegmentHeaderBytes),
        end_(kSegmentHeaderBytes) {
    header_.Encode().copy(memory_.get(), kSegmentHeaderBytes);
  }

  // write_mutex_ is held.
  absl::Status FillAhead(uint64_t end) {
    if (!header_.synced || end <= filled_) return absl::OkStatus();
    absl::Status status = FillUpTo(std::min((end / kFillBytes + 1) * kFillBytes, capacity_));
    // The last bytes of a disk are as good as others.
    if (IsOutOfSpace(status)) status = FillUpTo(end);
    return status.ok() || IsOutOfSpace(status) ? status : error_.Set(std::move(status));
  }
  absl::Status FillUpTo(uint64_t end) {
    KV_RETURN_IF_ERROR(file_.WriteAt(filled_, std::string(end - filled_, '\0')));
    filled_ = end;
    return absl::OkStatus();
  }

  typename Files::WritableFile file_;
  const SegmentHeader header_;
  const uint64_t capacity_;
  const std::unique_ptr<char[]> memory_;
  uint64_t appended_;          // the appending thread's
  std::atomic<uint64_t> end_;  // behind the last whole group
  std::atomic<Sequence> last_{0};
  std::mutex write_mutex_;
  std::atomic<uint64_t> written_{0};  // bytes handed to the file; stored under write_mutex_
  uint64_t filled_ = 0;               // bytes the file has; guarded by write_mutex_
  std::mutex sync_mutex_;
  StickyError error_;
};

}  // namespace kv

#endif  // ENGINES_LOG_SEGMENT_WRITER_H_
