// A segment of an open store, and the directory by which locations find segments.
//
// Life of a segment: written to (its bytes are the writer's memory), sealed (its bytes are the
// mapped file), obsolete (a merge has moved what was needed of it). The last one to hold it closes
// it, and removes its files if it is obsolete.
//
// Who follows a Location does so inside the store's read gate: the segment leaves the directory
// only after everyone has left who was in the gate when the index ceased to point to it, and is
// closed, or its memory freed, only after everyone has left who was in the gate then.
//
// Thread safety: Read, Bytes and the counts from any thread, the rest as noted.
#ifndef ENGINES_LOG_SEGMENT_H_
#define ENGINES_LOG_SEGMENT_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/log/file_names.h"
#include "engines/log/hint.h"
#include "engines/log/location.h"
#include "engines/log/manifest.h"
#include "engines/log/record_format.h"
#include "engines/log/segment_writer.h"
#include "kv/base/atomic.h"
#include "kv/base/status.h"

namespace kv {

// What a merge policy and the dropping of tombstones need to know of a sealed segment.
struct SegmentSummary {
  uint64_t entries = 0;
  uint64_t tombstone_bytes = 0;
  Sequence newest_tombstone = 0;
  uint64_t expiring_bytes = 0;
  uint64_t newest_expiry = 0;  // when the last of them expires

  static SegmentSummary Of(const HintView& hint) {
    SegmentSummary summary{.entries = hint.Count(),
                           .newest_tombstone = hint.NewestTombstone(),
                           .newest_expiry = hint.NewestExpiry()};
    for (size_t i = 0; i < hint.Count(); ++i) {
      const HintEntry entry = hint.Entry(i);
      if (entry.tombstone) summary.tombstone_bytes += entry.bytes;
      if (entry.expires) summary.expiring_bytes += entry.bytes;
    }
    return summary;
  }
};

template <FileSystem Files>
class Segment {
 public:
  using Writer = SegmentWriter<Files>;

  // A segment that is being written.
  Segment(Files files, const SegmentFileNames& names, std::unique_ptr<Writer> writer)
      : files_(std::move(files)),
        names_(names),
        path_(names.Written(writer->Number())),
        number_(writer->Number()),
        merged_(false),
        writer_(std::move(writer)) {
    SetBytes(writer_->Memory());
  }

  // A sealed segment; `number` and `merged` say which file.
  Segment(Files files, const SegmentFileNames& names, uint64_t number, bool merged)
      : files_(std::move(files)),
        names_(names),
        path_(merged ? names.Merged(number) : names.Written(number)),
        number_(number),
        merged_(merged) {}

  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment() {
    if (!obsolete_.load(std::memory_order_relaxed)) return;  // relaxed: the last holder is alone
    file_.reset();
    // What stays behind is removed by the next open.
    files_.Remove(path_).IgnoreError();
    files_.Remove(names_.Hint(number_)).IgnoreError();
  }

  // Maps the file, which is not written to any more. Readers turn to the mapping at once; the
  // writer's memory is theirs until FreeWriter.
  absl::Status Map() {
    KV_ASSIGN_OR_RETURN(auto file, files_.OpenForRead(path_));
    KV_ASSIGN_OR_RETURN(const std::string_view bytes, file.Map());
    file_.emplace(std::move(file));
    SetBytes(bytes);
    return absl::OkStatus();
  }
  bool Mapped() const { return file_.has_value(); }
  // With nobody in the gate who was there before Map.
  void FreeWriter() { writer_.reset(); }

  std::string_view Bytes() const {
    // acquire: pairs with SetBytes. A size that is newer than the data is not larger than theirs.
    const char* const data = data_.load(std::memory_order_acquire);
    return {data, size_.load(std::memory_order_acquire)};
  }

  // The record at `offset`, checked; its bytes live as long as the caller is in the gate.
  absl::Status Read(uint64_t offset, LogEntry* entry) const {
    const std::string_view bytes = Bytes();
    if (!entry->Parse(bytes, offset) || !entry->Intact(bytes, offset, number_)) [[unlikely]] {
      return Corruption(path_, offset, "record does not match its checksum");
    }
    return absl::OkStatus();
  }

  uint64_t number() const { return number_; }
  bool merged() const { return merged_; }
  const std::string& path() const { return path_; }
  Writer* writer() { return writer_.get(); }

  uint32_t place = 0;  // in the directory; set before it is shared
  // Of a sealed segment; set before it is in the store's list of those.
  uint64_t end = 0;
  Sequence cleaned = 0;
  SegmentSummary summary;

  // Bytes of records that the index does not point to, tombstones not counted. relaxed: a count.
  void AddDead(uint64_t bytes) { dead_.fetch_add(bytes, std::memory_order_relaxed); }
  uint64_t Dead() const { return dead_.load(std::memory_order_relaxed); }

  // Once it is sealed.
  bool Empty() const { return end == kSegmentHeaderBytes; }
  SealedSegment Sealed() const {
    return {.number = number_, .end = end, .cleaned = cleaned, .merged = merged_};
  }
  // relaxed: a hint for the next merge.
  void MarkDamaged() { damaged_.store(true, std::memory_order_relaxed); }
  bool Damaged() const { return damaged_.load(std::memory_order_relaxed); }

  // relaxed: read when the last reference goes, which orders it.
  void MarkObsolete() { obsolete_.store(true, std::memory_order_relaxed); }

 private:
  void SetBytes(std::string_view bytes) {
    // release: pairs with Bytes. The size first: the mapping is not longer than the memory.
    size_.store(bytes.size(), std::memory_order_release);
    data_.store(bytes.data(), std::memory_order_release);
  }

  Files files_;
  const SegmentFileNames& names_;
  const std::string path_;
  const uint64_t number_;
  const bool merged_;
  std::unique_ptr<Writer> writer_;
  std::optional<typename Files::ReadableFile> file_;
  std::atomic<const char*> data_{nullptr};
  std::atomic<uint64_t> size_{0};
  std::atomic<uint64_t> dead_{0};
  std::atomic<bool> damaged_{false};
  std::atomic<bool> obsolete_{false};
};

// From a place to the segment that is there.
template <typename S>
class SegmentDirectory {
 public:
  SegmentDirectory() = default;
  SegmentDirectory(const SegmentDirectory&) = delete;
  SegmentDirectory& operator=(const SegmentDirectory&) = delete;
  ~SegmentDirectory() {
    for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);  // relaxed: alone
  }

  // Null if none is there, which a location that the index has validated never finds.
  S* At(uint32_t place) const {
    // acquire: pairs with Add.
    const Chunk* const chunk = chunks_[place / kChunk].load(std::memory_order_acquire);
    if (chunk == nullptr) return nullptr;
    return (*chunk)[place % kChunk].load(std::memory_order_acquire);
  }

  // Gives `segment` a place.
  absl::Status Add(S* segment) {
    const std::lock_guard lock(mutex_);
    uint32_t place = next_;
    if (!free_.empty()) {
      place = free_.back();
      free_.pop_back();
    } else if (next_ == kMaxSegments) {
      return absl::ResourceExhaustedError(fmt::format("more than {} segments", kMaxSegments));
    } else {
      ++next_;
    }
    segment->place = place;
    auto& chunk = chunks_[place / kChunk];
    // release: the chunk's zeros, and the segment, are seen by At.
    if (chunk.load(std::memory_order_relaxed) == nullptr) {
      chunk.store(new Chunk{}, std::memory_order_release);
    }
    (*chunk.load(std::memory_order_relaxed))[place % kChunk].store(segment,
                                                                   std::memory_order_release);
    return absl::OkStatus();
  }

  // The place may be given away again after Release. In between everyone leaves the gate.
  void Remove(uint32_t place) {
    // relaxed: who enters the gate after they have left sees it (read_gate.h, invariant 2), and
    // there is nothing behind a null.
    (*chunks_[place / kChunk].load(std::memory_order_relaxed))[place % kChunk].store(
        nullptr, std::memory_order_relaxed);
  }
  void Release(uint32_t place) {
    const std::lock_guard lock(mutex_);
    free_.push_back(place);
  }

 private:
  static constexpr size_t kChunk = kModelled ? 2 : 1024;
  static constexpr size_t kChunks = kModelled ? 2 : kMaxSegments / kChunk;
  using Chunk = std::array<Atomic<S*>, kChunk>;

  std::array<Atomic<Chunk*>, kChunks> chunks_{};
  std::mutex mutex_;
  uint32_t next_ = 0;           // guarded by mutex_
  std::vector<uint32_t> free_;  // guarded by mutex_
};

}  // namespace kv

#endif  // ENGINES_LOG_SEGMENT_H_
