// Writes one write-ahead log (format: log_format.h).
//
// Records are staged in a buffer, so that an unsynced record costs a memory copy and not a system
// call. An unsynced log's buffer reaches the file when it is full, or when the caller says so; a
// synced log's only when the caller says so, since each write-out must be synced before the next
// (log_format.h). A synced log is written into bytes that the file already has: a recycled file as
// it is, a new one after zeros, a stretch ahead of the records. Syncing an overwrite spares the
// file system the update of its own metadata.
//
// After the first error every later call returns it: what a failed write or sync left in the file
// is unknown (see docs on fsync errors, e.g. Rebello et al., "Can Applications Recover from fsync
// Failures?", ATC 2020). A want of space is no such error where it is met in time: a record is only
// accepted when it has its bytes in the file (synced) or in the buffer, and what is refused has
// left nothing behind. The log goes on when there is space again.
//
// Thread safety: one thread at a time, except that SyncFile() may run in another thread beside
// AppendRecord(), WriteOut() and the accessors. Movable while only one thread knows it.
#ifndef KV_IO_LOG_WRITER_H_
#define KV_IO_LOG_WRITER_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kv/base/status.h"
#include "kv/base/sticky_error.h"
#include "kv/io/file_system.h"
#include "kv/io/log_format.h"

namespace kv {

// `Codec` compresses payloads (NoLogCodec: nothing does).
template <FileSystem Files, typename Codec = NoLogCodec>
class LogWriter {
 public:
  // Starts the log in a new file, or over the bytes of an existing one. The header is durable on
  // return; the caller syncs the directory. The header's codec is set here.
  static absl::StatusOr<LogWriter> Start(Files& files, const std::string& path, LogHeader header) {
    auto file = files.Exists(path) ? files.OpenForOverwrite(path) : files.Create(path);
    if (!file.ok()) return std::move(file).status();
    header.codec = Codec::kId;
    LogWriter log(*std::move(file), header);
    log.buffer_ = header.Encode();
    KV_RETURN_IF_ERROR(log.Sync());
    return log;
  }

  // Adds one record of the payload pieces that `append(std::string* to)` writes. `count` entries
  // are numbered from `first` on. Durable after the next Sync.
  template <typename Append>
  absl::Status AppendRecord(uint64_t first, uint32_t count, Append&& append) {
    KV_RETURN_IF_ERROR(shared_->error.Get());
    const size_t begin = buffer_.size();
    const uint32_t joined = Joined() ? kLogJoinedMark : 0;
    buffer_.resize(begin + kLogRecordHeaderBytes);
    std::forward<Append>(append)(&buffer_);
    const uint32_t packed = Pack(begin + kLogRecordHeaderBytes) ? kLogPackedMark : 0;
    const size_t size = buffer_.size() - begin - kLogRecordHeaderBytes;
    char* const header = buffer_.data() + begin;
    StoreFixed32(header + 8, static_cast<uint32_t>(size));
    StoreFixed32(header + 12, count | joined | packed);
    StoreFixed64(header + 16, first);
    const std::string_view covered(header + 8, kLogRecordHeaderBytes - 8 + size);
    StoreFixed64(header, Checksum(covered, LogRecordSeed(header_.generation, written_ + begin)));
    absl::Status status = MakeRoom();
    // Nobody has been told of it yet; a part of it that is in the file has no checksum that fits.
    if (IsOutOfSpace(status)) buffer_.resize(begin);
    return status;
  }

  // Hands every record so far to the file: a kill of the process does not lose them any more. An
  // unsynced log that finds no space keeps them in its buffer, for the next call.
  absl::Status WriteOut() {
    KV_RETURN_IF_ERROR(shared_->error.Get());
    if (buffer_.empty()) return absl::OkStatus();
    KV_RETURN_IF_ERROR(FillAhead(End()));
    absl::Status status = file_.WriteAt(written_, buffer_);
    // The records of a synced log are those that are refused now, and must not come with the next.
    const bool again = IsOutOfSpace(status) && !header_.synced;
    if (!status.ok()) return again ? status : shared_->error.Set(Final(std::move(status)));
    written_ += buffer_.size();
    // release: the bytes are in the file; pairs with the acquire in SyncFile.
    shared_->handed_out.store(written_, std::memory_order_release);
    buffer_.clear();
    // One huge batch must not hold its memory for the life of the log.
    if (buffer_.capacity() > 16 * kBufferBytes) buffer_.shrink_to_fit();
    return absl::OkStatus();
  }

  // Makes durable every record that WriteOut() handed out before this call.
  absl::Status SyncFile() {
    KV_RETURN_IF_ERROR(shared_->error.Get());
    // acquire: pairs with the release in WriteOut.
    const uint64_t covered = shared_->handed_out.load(std::memory_order_acquire);
    KV_RETURN_IF_ERROR(shared_->error.Keep(Final(file_.Sync())));
    // release: the sync came first; pairs with the acquire in Durable.
    shared_->durable.store(covered, std::memory_order_release);
    return absl::OkStatus();
  }

  // Makes every record so far durable; costs nothing where they are.
  absl::Status Sync() {
    KV_RETURN_IF_ERROR(WriteOut());
    return Durable() == written_ ? absl::OkStatus() : SyncFile();
  }

  // Ends the log; `next` is the sequence number of the next write. The records are durable before
  // the seal is written, and the seal on return.
  absl::Status Seal(uint64_t next) {
    KV_RETURN_IF_ERROR(Sync());
    KV_RETURN_IF_ERROR(AppendRecord(next, 0, [](std::string*) {}));
    return Sync();
  }

  // Up to where the log is durable, in bytes from the start of the file.
  // acquire: pairs with the release in SyncFile.
  uint64_t Durable() const { return shared_->durable.load(std::memory_order_acquire); }
  // Where the next record goes.
  uint64_t End() const { return written_ + buffer_.size(); }
  uint64_t Generation() const { return header_.generation; }

 private:
  static constexpr size_t kBufferBytes = size_t{64} << 10;
  static constexpr uint64_t kLeastFillBytes = uint64_t{64} << 10;
  static constexpr uint64_t kMostFillBytes = uint64_t{1} << 20;

  LogWriter(typename Files::WritableFile file, LogHeader header)
      : file_(std::move(file)), header_(header), filled_(file_.Size()) {}

  // What the thread in SyncFile() shares with the one that writes.
  struct Shared {
    StickyError error;
    std::atomic<uint64_t> handed_out{0};  // == written_
    std::atomic<uint64_t> durable{0};
  };

  // Whether the next record can be in the file before all that is ahead of it is durable.
  bool Joined() const {
    if (!buffer_.empty()) return true;
    return !header_.synced && Durable() != written_;
  }

  // Compresses what is in the buffer from `begin` on, if that pays. A payload that the codec
  // refuses (too large, no memory) is kept as it is.
  bool Pack([[maybe_unused]] size_t begin) {
    if constexpr (Codec::kId == NoLogCodec::kId) {
      return false;
    } else {
      const std::string_view payload = std::string_view(buffer_).substr(begin);
      if (payload.size() < kMinPackedPayloadBytes) return false;
      if (!Codec::Compress(payload, &packed_).ok()) return false;
      const size_t size = VarintBytes(payload.size()) + packed_.size();
      if (size > payload.size() - payload.size() / 8) return false;
      char raw_size[kMaxVarint64Bytes];
      const char* const end = StoreVarint64(raw_size, payload.size());
      buffer_.resize(begin);
      buffer_.append(raw_size, static_cast<size_t>(end - raw_size)).append(packed_);
      if (packed_.capacity() > 16 * kBufferBytes) packed_ = std::string();
      return true;
    }
  }

  // Sees to it that what is in the buffer can be written out, or will be when there is space.
  absl::Status MakeRoom() {
    if (header_.synced) return FillAhead(End());
    return buffer_.size() < kBufferBytes ? absl::OkStatus() : WriteOut();
  }

  absl::Status FillAhead(uint64_t end) {
    if (!header_.synced || end <= filled_) return absl::OkStatus();
    // As much again as there is, within limits: a store that writes little keeps a short log.
    const uint64_t ahead = std::clamp(end, kLeastFillBytes, kMostFillBytes);
    absl::Status status = FillUpTo((end + ahead) / kLeastFillBytes * kLeastFillBytes);
    // The last bytes of a disk are as good as others.
    if (IsOutOfSpace(status)) status = FillUpTo(end);
    return status.ok() || IsOutOfSpace(status) ? status : shared_->error.Set(std::move(status));
  }
  absl::Status FillUpTo(uint64_t end) {
    KV_RETURN_IF_ERROR(file_.WriteAt(filled_, std::string(end - filled_, '\0')));
    filled_ = end;
    return absl::OkStatus();
  }

  typename Files::WritableFile file_;
  LogHeader header_;
  std::string buffer_;    // records from offset written_ on
  std::string packed_;    // scratch
  uint64_t written_ = 0;  // bytes handed to the file
  uint64_t filled_ = 0;   // bytes the file has
  std::unique_ptr<Shared> shared_ = std::make_unique<Shared>();
};

}  // namespace kv

#endif  // KV_IO_LOG_WRITER_H_
