// Writes values into value files, one after the other, as they come: the side of a flush, a
// compaction or a bulk load that RunWriter leaves to it.
//
// Use: Add for each value, then Finish, which makes the files durable (their names are the
// caller's to make durable, by SyncDirectory) and opens them; or Abandon, which removes them.
//
// Memory: a write buffer of 512 KiB, and a value.
// Thread safety: one thread for each writer; several writers of one store may run at once.
#ifndef ENGINES_LSM_VALUE_WRITER_H_
#define ENGINES_LSM_VALUE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/lsm/value_file.h"
#include "engines/lsm/value_format.h"
#include "engines/lsm/value_pointer.h"
#include "kv/base/status.h"

namespace kv {

template <typename Parts, typename StoreType>
class ValueWriter {
 public:
  using Files = typename StoreType::Files;
  using File = ValueFile<Parts, Files>;

  explicit ValueWriter(StoreType& store) : store_(store) {}

  // Sets `*pointer` to where `value`, which is copied, will be.
  absl::Status Add(std::string_view value, ValuePointer* pointer) {
    if (value.size() > kMaxTableValueBytes) return Invalid("a value is longer than 256 MiB");
    if (file_ && offset_ >= Parts::Values::kFileBytes) KV_RETURN_IF_ERROR(FinishFile());
    if (!file_) KV_RETURN_IF_ERROR(StartFile());
    *pointer = {.file = meta_.number, .offset = offset_, .bytes = value.size()};
    AppendValueRecord(&buffer_, value, meta_.number, offset_);
    offset_ += pointer->RecordBytes();
    ++meta_.records;
    return buffer_.size() < kWriteBytes ? absl::OkStatus() : WriteBuffer();
  }

  // The files that were written. Nothing may follow.
  absl::StatusOr<std::vector<std::shared_ptr<File>>> Finish() {
    if (file_) KV_RETURN_IF_ERROR(FinishFile());
    return std::move(files_);
  }

  void Abandon() {
    for (const auto& file : files_) file->MarkObsolete();
    files_.clear();
    if (meta_.number == 0) return;
    file_.reset();
    store_.environment().file_system.Remove(store_.names().Values(meta_.number)).IgnoreError();
  }

 private:
  static constexpr size_t kWriteBytes = size_t{512} << 10;
  static constexpr uint64_t kWritebackBytes = uint64_t{1} << 20;

  absl::Status StartFile() {
    meta_ = {.number = store_.NewFileNumber()};
    written_back_ = 0;
    KV_ASSIGN_OR_RETURN(
        auto created, store_.environment().file_system.Create(store_.names().Values(meta_.number)));
    file_.emplace(std::move(created));
    AppendValueHeader(&buffer_, meta_.number);
    offset_ = buffer_.size();
    return absl::OkStatus();
  }

  absl::Status FinishFile() {
    meta_.bytes = offset_ + kValueFooterBytes;
    AppendValueFooter(&buffer_, meta_);
    KV_RETURN_IF_ERROR(WriteBuffer());
    KV_RETURN_IF_ERROR(file_->Sync());
    KV_RETURN_IF_ERROR(file_->Close());
    KV_ASSIGN_OR_RETURN(auto opened, File::Open(store_.environment().file_system,
                                                store_.names().Values(meta_.number), meta_));
    files_.push_back(std::move(opened));
    file_.reset();
    meta_ = {};
    return absl::OkStatus();
  }

  absl::Status WriteBuffer() {
    KV_RETURN_IF_ERROR(file_->Append(buffer_));
    buffer_.clear();
    if (buffer_.capacity() > 4 * kWriteBytes) buffer_.shrink_to_fit();  // after a huge value
    const uint64_t size = file_->Size();
    if (size - written_back_ >= kWritebackBytes) {
      file_->StartWriteback(written_back_, size - written_back_);
      written_back_ = size;
    }
    return absl::OkStatus();
  }

  StoreType& store_;
  std::vector<std::shared_ptr<File>> files_;
  std::optional<typename Files::WritableFile> file_;
  ValueFileMeta meta_;  // of file_; `bytes` is set by FinishFile
  std::string buffer_;  // of bytes that end at offset_
  uint64_t offset_ = 0;
  uint64_t written_back_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_WRITER_H_
