// An open value file: reads of one value, and a full check. value_format.h has the bytes.
//
// Contract: Open() checks size, header and footer against the manifest. A value is checked each
// time that it is read; where the file is mapped, it is not copied. Damage is kDataLoss with path
// and offset, never a wrong value. The file is removed when the last reference to it goes after it
// has become obsolete, as a table is (version.h).
//
// Parts supplies Reading; Files is a FileSystem. Values do not go through the cache: where Reading
// is not mapped, each read is one of the file.
//
// Thread safety: everything const may be called from any number of threads, each with a Room.
#ifndef ENGINES_LSM_VALUE_FILE_H_
#define ENGINES_LSM_VALUE_FILE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/lsm/value_format.h"
#include "engines/lsm/value_pointer.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/status.h"
#include "kv/reading/concept.h"

namespace kv {

template <typename Parts, typename Files>
class ValueFile {
 public:
  using Reader = typename Parts::Reading::template Reader<typename Files::ReadableFile>;
  using Room = typename Reader::Room;

  static absl::StatusOr<std::shared_ptr<ValueFile>> Open(Files files, std::string path,
                                                         const ValueFileMeta& meta) {
    KV_ASSIGN_OR_RETURN(auto handle, files.OpenForRead(path));
    KV_ASSIGN_OR_RETURN(auto reader, Reader::Open(std::move(handle)));
    const std::shared_ptr<ValueFile> file(
        new ValueFile(std::move(files), std::move(path), meta, std::move(reader)));
    KV_RETURN_IF_ERROR(file->CheckEnds());
    return file;
  }

  ValueFile(const ValueFile&) = delete;
  ValueFile& operator=(const ValueFile&) = delete;
  ~ValueFile() {
    reader_.reset();
    // A file that cannot be removed now is removed as unreferenced by the next open.
    // acquire: pairs with MarkObsolete.
    if (obsolete_.load(std::memory_order_acquire)) files_.Remove(path_).IgnoreError();
  }

  const ValueFileMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }

  // Sets `*value` to what `pointer`, into this file, points to: it lives as long as the file and
  // `*room` do, and until the room is used again.
  absl::Status Read(const ValuePointer& pointer, Room* room, std::string_view* value) const {
    const uint64_t end = meta_.RecordsEnd();
    if (pointer.offset < kValueHeaderBytes || pointer.offset > end ||
        pointer.bytes > end - pointer.offset || pointer.RecordBytes() > end - pointer.offset)
        [[unlikely]] {
      return Corruption(path_, pointer.offset,
                        fmt::format("a table points to {} bytes here, which are not in this file",
                                    pointer.bytes));
    }
    std::string_view record;
    KV_RETURN_IF_ERROR(reader_->View(pointer.offset, pointer.RecordBytes(), room, &record));
    KV_RETURN_IF_ERROR(CheckValueRecord(record, meta_.number, pointer.offset, path_));
    *value = record.substr(kValueRecordHeaderBytes);
    return absl::OkStatus();
  }

  // Reads and checks every byte. O(file).
  absl::Status Verify() const {
    KV_RETURN_IF_ERROR(CheckEnds());
    Room room;
    std::string_view bytes;
    uint64_t records = 0;
    uint64_t offset = kValueHeaderBytes;
    for (; offset < meta_.RecordsEnd(); ++records) {
      ValuePointer pointer{.file = meta_.number, .offset = offset};
      if (meta_.RecordsEnd() - offset < kValueRecordHeaderBytes) {
        return Corruption(path_, offset, "a record is cut short");
      }
      KV_RETURN_IF_ERROR(reader_->View(offset, kValueRecordHeaderBytes, &room, &bytes));
      pointer.bytes = LoadFixed32(bytes.data() + sizeof(uint64_t));
      if (pointer.RecordBytes() > meta_.RecordsEnd() - offset) {
        return Corruption(path_, offset, "a record reaches beyond the last one's end");
      }
      KV_RETURN_IF_ERROR(Read(pointer, &room, &bytes));
      offset += pointer.RecordBytes();
    }
    if (records == meta_.records) return absl::OkStatus();
    return Corruption(path_, meta_.RecordsEnd(),
                      fmt::format("{} records where {} should be", records, meta_.records));
  }

  // The memory that the mapping occupies goes at once, the file with the last reference.
  // release: pairs with the destructor's load.
  void MarkObsolete() {
    reader_->Release();
    obsolete_.store(true, std::memory_order_release);
  }

 private:
  ValueFile(Files files, std::string path, const ValueFileMeta& meta, Reader reader)
      : files_(std::move(files)), path_(std::move(path)), meta_(meta), reader_(std::move(reader)) {}

  absl::Status CheckEnds() const {
    if (reader_->Size() != meta_.bytes) {
      return Corruption(
          path_, std::min(reader_->Size(), meta_.bytes),
          fmt::format("the file has {} bytes, but should have {}", reader_->Size(), meta_.bytes));
    }
    Room room;
    std::string_view bytes;
    KV_RETURN_IF_ERROR(reader_->View(0, kValueHeaderBytes, &room, &bytes));
    KV_RETURN_IF_ERROR(CheckValueHeader(bytes, meta_.number, path_));
    KV_RETURN_IF_ERROR(reader_->View(meta_.RecordsEnd(), kValueFooterBytes, &room, &bytes));
    return CheckValueFooter(bytes, meta_, path_);
  }

  Files files_;
  std::string path_;
  ValueFileMeta meta_;
  std::optional<Reader> reader_;
  std::atomic<bool> obsolete_{false};
};

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_FILE_H_
