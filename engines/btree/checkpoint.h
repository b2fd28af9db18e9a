// Writes checkpoints: what has changed since the last one goes to places that the last one does not
// use, then a header makes it the state of the store.
//
//   1. frozen pages and new blobs        5. sync
//   2. some that lie far behind          6. the header, into the older of the two
//      (vacuum.h), moved to the front    7. sync
//   3. pages of the page table           8. the places that this one does not use any more are free
//   4. the directory                     9. what is free at the file's end is cut off
//
// Invariant: a place that the header in force leads to is not written, so what happens in between
// does not matter, and neither do torn pages.
//
// The space is taken before anything else (Reserve), so that a want of it leaves all as it was, and
// the same checkpoint can be written later.
//
// An error of Write is final: what a failed write or sync left in the file is unknown. The store
// takes no writes any more, and the state on disk is the last checkpoint's and the logs'.
//
// Thread safety: one checkpoint at a time; beside the writer and readers.
#ifndef ENGINES_BTREE_CHECKPOINT_H_
#define ENGINES_BTREE_CHECKPOINT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/btree/image.h"
#include "engines/btree/pool.h"
#include "engines/btree/store_header.h"
#include "engines/btree/vacuum.h"

namespace kv::btree {

// What a checkpoint says besides its pages.
struct CheckpointOrder {
  ChangeSet changes;
  Sequence sequence = 0;
  uint64_t replay_log = 0;
  uint64_t clean_end = 0;
};

template <FileSystem Files, size_t kPageBytes>
class CheckpointWriter {
 public:
  using WritableFile = typename Files::WritableFile;
  using PoolType = Pool<Files, kPageBytes>;

  // `image`: the state of the file, which the first checkpoint follows.
  CheckpointWriter(WritableFile file, PoolType& pool, Image image)
      : file_(std::move(file)),
        pool_(pool),
        header_(std::move(image.header)),
        pages_(std::move(image.pages)),
        table_pages_(std::move(image.table_pages)),
        directory_(image.directory),
        space_(std::move(image.space)) {
    changed_tables_.resize(table_pages_.size());
  }

  // Makes the file as long as a checkpoint of `changes` may need it; what is too much is cut off in
  // the end. A file that is longer than its header says is as good.
  absl::Status Reserve(const ChangeSet& changes) {
    uint64_t anywhere = 0;  // units
    uint64_t in_a_row = 0;  // perhaps only at the end
    for (size_t i = 0; i < changes.dirty.size();) {
      // Not held for long: writers wait for it.
      const std::lock_guard lock(pool_.mutex());
      for (const size_t end = std::min(i + kRunPages, changes.dirty.size()); i < end; ++i) {
        const Frame* const frame = pool_.FrozenLocked(changes.dirty[i], changes.epoch);
        if (frame != nullptr) (frame->units > 1 ? in_a_row : anywhere) += frame->units;
      }
    }
    for (const NewBlob& blob : changes.blobs) {
      in_a_row += BlobUnits(blob.bytes->size(), kPageBytes);
    }
    // The vacuum may have taken what is free before these are written.
    const uint64_t tables =
        std::max<uint64_t>(table_pages_.size(), changes.id_limit / TableEntries(kPageBytes) + 1);
    in_a_row += tables + DirectoryUnits(tables, kPageBytes);
    const uint64_t free = space_.End() - space_.Used();
    const uint64_t end = space_.End() + in_a_row + (anywhere > free ? anywhere - free : 0);
    return end * kPageBytes > file_.Size() ? file_.Extend(end * kPageBytes) : absl::OkStatus();
  }

  // After Reserve. The header in force is `order`'s on return.
  absl::Status Write(CheckpointOrder order) {
    ++header_.generation;
    pool_.SetGeneration(header_.generation);
    for (const PageId id : order.changes.freed) Move(id, {});
    KV_RETURN_IF_ERROR(WritePages(order.changes));
    for (const NewBlob& blob : order.changes.blobs) KV_RETURN_IF_ERROR(WriteBlob(blob));
    KV_RETURN_IF_ERROR(MoveForward());
    header_.id_limit = order.changes.id_limit;
    KV_RETURN_IF_ERROR(WriteTables());
    KV_RETURN_IF_ERROR(WriteDirectory());
    header_.sequence = order.sequence;
    header_.replay_log = order.replay_log;
    header_.clean_end = order.clean_end;
    header_.units = space_.EndWithout(leaving_);
    // The file is at least as long as the header says.
    if (header_.units * kPageBytes > file_.Size()) {
      KV_RETURN_IF_ERROR(Out(header_.units - 1, std::string(kPageBytes, '\0')));
    }
    KV_RETURN_IF_ERROR(file_.Sync());
    KV_RETURN_IF_ERROR(file_.WriteAt(header_.Which() * kPageBytes, header_.Encode()));
    KV_RETURN_IF_ERROR(file_.Sync());
    for (const Extent extent : leaving_) space_.Release(extent);
    leaving_.clear();
    if (space_.End() * kPageBytes < file_.Size()) {
      // Neither durable nor important: a file that is longer than its header says is as good.
      file_.Truncate(space_.End() * kPageBytes).IgnoreError();
    }
    return absl::OkStatus();
  }

  // Whether another checkpoint would probably make the file shorter.
  bool WantsVacuum() const {
    return space_.End() > Vacuum::Limit(space_) && idle_rounds_ <= Vacuum::Rounds(pages_) + 1;
  }

  const StoreHeader& header() const { return header_; }
  const std::vector<Extent>& pages() const { return pages_; }
  uint64_t written_bytes() const { return written_bytes_; }
  uint64_t FileBytes() const { return file_.Size(); }
  uint64_t UsedBytes() const { return space_.Used() * kPageBytes; }

 private:
  static constexpr size_t kRunPages = 64;

  // Notes that `id` is at `to` (no units: nowhere) from this checkpoint on.
  void Move(PageId id, Extent to) {
    if (id >= pages_.size()) pages_.resize(id + 1);
    if (pages_[id].units != 0) leaving_.push_back(pages_[id]);
    pages_[id] = to;
    const size_t table = id / TableEntries(kPageBytes);
    if (table >= changed_tables_.size()) {
      changed_tables_.resize(table + 1);
      table_pages_.resize(table + 1);
    }
    changed_tables_[table] = true;
  }

  absl::Status Out(Place place, std::string_view bytes) {
    written_bytes_ += bytes.size();
    return file_.WriteAt(place * kPageBytes, bytes);
  }

  // Pages of one unit go out in runs; what is free is mostly in runs, too.
  absl::Status WritePages(const ChangeSet& changes) {
    std::vector<Frame*> run;
    for (size_t i = 0; i < changes.dirty.size();) {
      run.clear();
      Frame* jumbo = nullptr;
      {
        const std::lock_guard lock(pool_.mutex());
        for (; i < changes.dirty.size() && run.size() < kRunPages && jumbo == nullptr; ++i) {
          Frame* const frame = pool_.FrozenLocked(changes.dirty[i], changes.epoch);
          // A page that is named twice must not be taken twice.
          if (frame == nullptr || frame->taken_in == changes.epoch) continue;
          frame->taken_in = changes.epoch;
          if (frame->units > 1) {
            jumbo = frame;
          } else {
            run.push_back(frame);
          }
        }
      }
      for (size_t done = 0; done < run.size();) {
        const Extent place = space_.AllocateRun(run.size() - done);
        KV_RETURN_IF_ERROR(WriteRun(place, &run[done]));
        done += place.units;
      }
      if (jumbo != nullptr) KV_RETURN_IF_ERROR(WriteRun(space_.Allocate(jumbo->units), &jumbo));
    }
    return absl::OkStatus();
  }

  // Frames that fill `place` together.
  absl::Status WriteRun(Extent place, Frame* const* frames) {
    buffer_.resize(place.units * kPageBytes);
    size_t count = 0;
    for (uint64_t unit = 0; unit < place.units; ++count) {
      Frame* const frame = frames[count];
      Render(frame->page(), frame->units * kPageBytes, buffer_.data() + unit * kPageBytes);
      unit += frame->units;
    }
    KV_RETURN_IF_ERROR(Out(place.place, buffer_));
    const std::lock_guard lock(pool_.mutex());
    Place at = place.place;
    for (size_t i = 0; i < count; ++i) {
      const Extent extent{at, frames[i]->units};
      at += frames[i]->units;
      const PageId id = frames[i]->id;
      pool_.WrittenLocked(id, extent);  // the frame may be gone now
      Move(id, extent);
    }
    return absl::OkStatus();
  }

  // The page as it is on disk: what is between slots and heap is zeros.
  void Render(Page page, size_t bytes, char* to) {
    const size_t slots_end = kPageHeaderBytes + page.count() * kSlotBytes;
    const size_t heap = page.heap_begin();
    std::memcpy(to, page.bytes(), slots_end);
    std::memset(to + slots_end, 0, heap - slots_end);
    std::memcpy(to + heap, page.bytes() + heap, bytes - heap);
    const Page rendered(to);
    rendered.set_generation(header_.generation);
    rendered.set_checksum(rendered.ComputeChecksum(bytes));
  }

  absl::Status WriteBlob(const NewBlob& blob) {
    const uint64_t units = BlobUnits(blob.bytes->size(), kPageBytes);
    const Extent place = space_.Allocate(units);
    KV_RETURN_IF_ERROR(Out(place.place, *blob.bytes));
    if (const size_t rest = units * kPageBytes - blob.bytes->size(); rest > 0) {
      const uint64_t end = place.place * kPageBytes + blob.bytes->size();
      KV_RETURN_IF_ERROR(file_.WriteAt(end, std::string(rest, '\0')));
    }
    Move(blob.id, place);
    const std::lock_guard lock(pool_.mutex());
    pool_.BlobWrittenLocked(blob, place);
    return absl::OkStatus();
  }

  // Moves some of what lies far behind, bytes as they are.
  absl::Status MoveForward() {
    const Place limit = Vacuum::Limit(space_);
    if (space_.End() <= limit) return absl::OkStatus();
    ++idle_rounds_;
    for (const PageId id : vacuum_.Choose(pages_, limit)) {
      const Extent from = pages_[id];
      const Extent to = space_.AllocateBelow(from.units, limit);
      if (to.units == 0) continue;
      buffer_.resize(from.units * kPageBytes);
      KV_RETURN_IF_ERROR(
          pool_.file().ReadAt(from.place * kPageBytes, buffer_.size(), buffer_.data()));
      KV_RETURN_IF_ERROR(Out(to.place, buffer_));
      const std::lock_guard lock(pool_.mutex());
      if (pool_.MovedLocked(id, from, to)) {
        Move(id, to);
        idle_rounds_ = 0;
      } else {
        space_.Release(to);
      }
    }
    for (size_t number = 0; number < table_pages_.size(); ++number) {
      if (table_pages_[number] >= limit) changed_tables_[number] = true;
    }
    return absl::OkStatus();
  }

  absl::Status WriteTables() {
    std::string bytes(kPageBytes, '\0');
    for (size_t number = 0; number < changed_tables_.size(); ++number) {
      if (!changed_tables_[number] && table_pages_[number] != 0) continue;
      const Page page(bytes.data());
      page.Initialize(static_cast<PageId>(number), 1, kPageBytes, PageKind::kTable, 0);
      page.set_generation(header_.generation);
      const size_t first = number * TableEntries(kPageBytes);
      for (size_t i = 0; i < TableEntries(kPageBytes); ++i) {
        const size_t id = first + i;
        StoreFixed64(bytes.data() + kPageHeaderBytes + i * 8,
                     id < pages_.size() ? PackExtent(pages_[id]) : 0);
      }
      page.set_checksum(page.ComputeChecksum(kPageBytes));
      if (table_pages_[number] != 0) leaving_.push_back({table_pages_[number], 1});
      table_pages_[number] = space_.Allocate(1).place;
      changed_tables_[number] = false;
      KV_RETURN_IF_ERROR(Out(table_pages_[number], bytes));
    }
    return absl::OkStatus();
  }

  absl::Status WriteDirectory() {
    std::string places;
    for (const Place place : table_pages_) AppendFixed64(&places, place);
    const std::string bytes = EncodeDirectory(places, header_.generation, kPageBytes);
    if (directory_.units != 0) leaving_.push_back(directory_);
    directory_ = space_.Allocate(bytes.size() / kPageBytes);
    header_.directory_place = directory_.place;
    header_.directory_count = table_pages_.size();
    return Out(directory_.place, bytes);
  }

  WritableFile file_;
  PoolType& pool_;
  StoreHeader header_;
  // The page table as the next header will have it. places_ of the pool runs ahead of it.
  std::vector<Extent> pages_;
  std::vector<Place> table_pages_;
  std::vector<bool> changed_tables_;
  Extent directory_;
  Space space_;
  Vacuum vacuum_;
  size_t idle_rounds_ = 0;       // in which it moved nothing
  std::vector<Extent> leaving_;  // in use until the next header is in force
  std::string buffer_;
  uint64_t written_bytes_ = 0;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_CHECKPOINT_H_
