// Writes one write-ahead log (format: log_format.h).
//
// Records are staged in a buffer and reach the file when it is full or is synced, so that an
// unsynced record costs a memory copy and not a system call. A synced log is written into bytes
// that the file already has: a recycled file as it is, a new one after zeros, a stretch ahead of
// the records. Syncing an overwrite spares the file system the update of its own metadata.
//
// After the first error every later call returns it: what a failed write or sync left in the file
// is unknown (see docs on fsync errors, e.g. Rebello et al., "Can Applications Recover from fsync
// Failures?", ATC 2020).
//
// Thread safety: one thread at a time.
#ifndef KV_IO_LOG_WRITER_H_
#define KV_IO_LOG_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "kv/base/status.h"
#include "kv/io/file_system.h"
#include "kv/io/log_format.h"

namespace kv {

template <FileSystem Files>
class LogWriter {
 public:
  // Starts the log in a new file, or over the bytes of an existing one. The header is durable on
  // return; the caller syncs the directory.
  static absl::StatusOr<LogWriter> Start(Files& files, const std::string& path, LogHeader header) {
    auto file = files.Exists(path) ? files.OpenForOverwrite(path) : files.Create(path);
    if (!file.ok()) return std::move(file).status();
    LogWriter log(*std::move(file), header);
    log.buffer_ = header.Encode();
    KV_RETURN_IF_ERROR(log.Sync());
    return log;
  }

  // Adds one record of the payload pieces that `append(std::string* to)` writes. `count` entries
  // are numbered from `first` on. Durable after the next Sync.
  template <typename Append>
  absl::Status AppendRecord(uint64_t first, uint32_t count, Append&& append) {
    KV_RETURN_IF_ERROR(error_);
    const size_t begin = buffer_.size();
    buffer_.resize(begin + kLogRecordHeaderBytes);
    std::forward<Append>(append)(&buffer_);
    const size_t size = buffer_.size() - begin - kLogRecordHeaderBytes;
    char* const header = buffer_.data() + begin;
    StoreFixed32(header + 8, static_cast<uint32_t>(size));
    StoreFixed32(header + 12, count);
    StoreFixed64(header + 16, first);
    const std::string_view covered(header + 8, kLogRecordHeaderBytes - 8 + size);
    StoreFixed64(header, Checksum(covered, LogRecordSeed(header_.generation, written_ + begin)));
    return buffer_.size() >= kBufferBytes ? WriteOut() : absl::OkStatus();
  }

  // Hands every record so far to the file: a kill of the process does not lose them any more.
  absl::Status WriteOut() {
    KV_RETURN_IF_ERROR(error_);
    if (buffer_.empty()) return absl::OkStatus();
    if (absl::Status status = FillAhead(End()); !status.ok()) return error_ = status;
    if (absl::Status status = file_.WriteAt(written_, buffer_); !status.ok()) {
      return error_ = status;
    }
    written_ += buffer_.size();
    buffer_.clear();
    // One huge batch must not hold its memory for the life of the log.
    if (buffer_.capacity() > 16 * kBufferBytes) buffer_.shrink_to_fit();
    return absl::OkStatus();
  }

  // Makes every record so far durable.
  absl::Status Sync() {
    KV_RETURN_IF_ERROR(WriteOut());
    if (absl::Status status = file_.Sync(); !status.ok()) return error_ = status;
    return absl::OkStatus();
  }

  // Ends the log; `next` is the sequence number of the next write. The records are durable before
  // the seal is written, and the seal on return.
  absl::Status Seal(uint64_t next) {
    KV_RETURN_IF_ERROR(Sync());
    KV_RETURN_IF_ERROR(AppendRecord(next, 0, [](std::string*) {}));
    return Sync();
  }

  // Where the next record goes, in bytes from the start of the file.
  uint64_t End() const { return written_ + buffer_.size(); }
  uint64_t Generation() const { return header_.generation; }

 private:
  static constexpr size_t kBufferBytes = size_t{64} << 10;
  static constexpr uint64_t kZeroFillBytes = uint64_t{1} << 20;

  LogWriter(typename Files::WritableFile file, LogHeader header)
      : file_(std::move(file)), header_(header), filled_(file_.Size()) {}

  absl::Status FillAhead(uint64_t end) {
    if (!header_.synced || end <= filled_) return absl::OkStatus();
    const uint64_t from = filled_;
    filled_ = (end / kZeroFillBytes + 1) * kZeroFillBytes;
    return file_.WriteAt(from, std::string(filled_ - from, '\0'));
  }

  typename Files::WritableFile file_;
  LogHeader header_;
  std::string buffer_;    // records from offset written_ on
  uint64_t written_ = 0;  // bytes handed to the file
  uint64_t filled_ = 0;   // bytes the file has
  absl::Status error_;    // sticky
};

}  // namespace kv

#endif  // KV_IO_LOG_WRITER_H_
