// The buffer pool: which pages are in memory, and in what state.
//
//   state of a page   dirty_epoch              changed by the writer     evicted
//   clean             0                        becomes dirty             yes
//   dirty             the current epoch        in place                  no
//   frozen            the epoch before it      a copy takes its place    no
//
// A checkpoint (checkpoint.h) begins a new epoch: all that was dirty is frozen at one stroke, and
// stays as it is until it has been written. What goes when there is no room is frames.h's to say.
// The budget is soft: changed pages stay until they are written, and the journal slows writers down
// before they are many.
//
// Invariant: places_[id] is where the newest written state of a page is. It does not change while
// the page is being read in, unless the id is freed, and then the read is thrown away.
//
// Thread safety: functions whose name ends in Locked want mutex() held, and those which change
// pages the writer besides; the others are for any thread.
#ifndef ENGINES_BTREE_POOL_H_
#define ENGINES_BTREE_POOL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engines/btree/blobs.h"
#include "engines/btree/frames.h"
#include "engines/btree/page.h"
#include "engines/btree/page_builder.h"
#include "engines/btree/space.h"
#include "kv/base/read_gate.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"

namespace kv::btree {

// What a checkpoint has to write: the changes of one epoch.
struct ChangeSet {
  uint64_t epoch = 0;
  std::vector<PageId> dirty;  // may name a page twice, or one that is gone
  std::vector<PageId> freed;  // may have been used again since
  std::vector<NewBlob> blobs;
  PageId id_limit = 0;  // ids in use are below
};

template <FileSystem Files, size_t kPageBytes>
class Pool {
 public:
  using ReadableFile = typename Files::ReadableFile;

  // Owns the store's file for reading. `budget_bytes` of memory for pages, about.
  Pool(ReadableFile file, std::string path, uint64_t budget_bytes)
      : file_(std::move(file)), path_(std::move(path)), frames_(budget_bytes) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (auto& [id, superseded] : superseded_) frames_.RecycleLocked(superseded.frame);
  }

  ReadGate::Guard Enter() { return frames_.Enter(); }
  Frame* Find(PageId id) const { return frames_.Find(id); }
  std::mutex& mutex() { return mutex_; }
  uint64_t epoch() const { return epoch_; }
  const std::string& path() const { return path_; }
  const ReadableFile& file() const { return file_; }
  uint64_t budget_units() const { return frames_.budget_units(); }

  // relaxed: stored before any place of the generation is, under the mutex that guards places.
  uint64_t Generation() const { return newest_generation_.load(std::memory_order_relaxed); }
  // relaxed: figures for the journal's judgement and for statistics.
  uint64_t DirtyUnits() const { return dirty_units_.load(std::memory_order_relaxed); }
  uint64_t ResidentUnits() const { return frames_.ResidentUnits(); }
  uint64_t Misses() const { return misses_.load(std::memory_order_relaxed); }
  // Whether every page of the tree is surely in memory.
  bool AllResident() const { return began_empty_ && frames_.Evictions() == 0; }

  // Reads page `id` in, if it is not there. kNotFound: no such page. Not within a guard.
  absl::Status Load(PageId id) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (frames_.Find(id) != nullptr) return absl::OkStatus();
      if (!loading_.contains(id)) break;
      loaded_.wait(lock);
    }
    if (id >= places_.size() || places_[id].units == 0) return NotFound();
    const Extent at = places_[id];
    loading_[id] = true;
    // relaxed: a figure.
    misses_.fetch_add(1, std::memory_order_relaxed);
    Frame* const frame = NewFrameLocked(id, static_cast<uint32_t>(at.units));
    lock.unlock();
    absl::Status status = ReadPage(file_, path_, id, at, Generation(), frame->page().bytes());
    lock.lock();
    const bool wanted = loading_[id];
    loading_.erase(id);
    loaded_.notify_all();
    if (!status.ok() || !wanted) {
      frames_.RecycleLocked(frame);
      return wanted ? status : absl::OkStatus();
    }
    frames_.PublishLoadedLocked(frame);
    return absl::OkStatus();
  }

  // Reads and checks the page at `at`; `to` has room for it. A page of a later checkpoint than
  // `newest` was written over one that an earlier state of the store had there.
  static absl::Status ReadPage(const ReadableFile& file, const std::string& path, PageId id,
                               Extent at, uint64_t newest, char* to) {
    const size_t bytes = at.units * kPageBytes;
    KV_RETURN_IF_ERROR(file.ReadAt(at.place * kPageBytes, bytes, to));
    const Page page(to);
    if (page.id() != id || page.units() != at.units || page.generation() > newest ||
        page.checksum() != page.ComputeChecksum(bytes) || !IsWellFormed(page, bytes)) {
      return Corruption(path, at.place * kPageBytes,
                        fmt::format("page {} does not match its checksum or its place", id));
    }
    return absl::OkStatus();
  }

  // ---- The writer's ----

  // A frame for a page of `units`, in no table yet and not initialized. May evict clean pages.
  Frame* NewFrameLocked(PageId id, uint32_t units) { return frames_.NewLocked(id, units); }

  // The frame of a page, to be changed in place: itself, or a copy if it is frozen.
  Frame* WritableLocked(Frame* frame) {
    const uint64_t dirty = frame->dirty_epoch.load(std::memory_order_relaxed);
    if (dirty == 0) MarkDirtyLocked(frame);
    if (dirty == 0 || dirty == epoch_) return frame;
    Frame* const copy = NewFrameLocked(frame->id, frame->units);
    std::memcpy(copy->page().bytes(), frame->page().bytes(), frame->units * kPageBytes);
    ReplaceLocked(copy);
    return copy;
  }

  // Puts a page in the place of the one that had its id, if any.
  void ReplaceLocked(Frame* fresh) {
    Frame* const old = frames_.Find(fresh->id);
    MarkDirtyLocked(fresh);
    frames_.PublishLocked(fresh);
    if (const auto load = loading_.find(fresh->id); load != loading_.end()) load->second = false;
    if (old != nullptr) DismissLocked(old, /*freed=*/false);
  }

  PageId NewIdLocked() {
    if (!free_ids_.empty()) {
      const PageId id = free_ids_.back();
      free_ids_.pop_back();
      return id;
    }
    const PageId id = next_id_++;
    places_.resize(std::max<size_t>(places_.size(), next_id_));
    return id;
  }

  // Gives up the page or blob `id`.
  void FreeIdLocked(PageId id) {
    if (Frame* const frame = frames_.Find(id); frame != nullptr) {
      frames_.UnpublishLocked(id);
      DismissLocked(frame, /*freed=*/true);
    }
    if (const auto old = superseded_.find(id); old != superseded_.end()) old->second.freed = true;
    if (const auto load = loading_.find(id); load != loading_.end()) load->second = false;
    blobs_.ForgetLocked(id);
    places_[id] = {};
    freed_.push_back(id);
    free_ids_.push_back(id);
  }

  // Keeps a value outside of the tree.
  BlobReference NewBlobLocked(std::string_view value) {
    const BlobReference reference{NewIdLocked(), value.size(), 0};
    // relaxed: a figure.
    dirty_units_.fetch_add(value.size() / kPageBytes + 1, std::memory_order_relaxed);
    return blobs_.AddLocked(reference.id, value);
  }

  // Appends the blob to the empty `value`. kAborted when it is not there (any more), so that the
  // caller looks again where it had the reference from.
  //
  // A value moves only towards the file's front while something refers to it, so a place that has
  // not changed was not used for anything else in between.
  absl::Status ReadBlob(const BlobReference& reference, std::string* value) {
    Extent at;
    {
      const std::lock_guard lock(mutex_);
      if (const auto bytes = blobs_.FindLocked(reference.id); bytes != nullptr) {
        if (BlobChecksum(reference.id, *bytes) != reference.checksum) return BlobMoved();
        value->assign(*bytes);
        return absl::OkStatus();
      }
      if (reference.id >= places_.size() ||
          places_[reference.id].units != BlobUnits(reference.size, kPageBytes)) {
        return BlobMoved();
      }
      at = places_[reference.id];
    }
    absl::Status status = ReadBlobAt(file_, path_, reference, at.place * kPageBytes, value);
    if (status.ok()) return status;
    const std::lock_guard lock(mutex_);
    return places_[reference.id].place == at.place ? status : BlobMoved();
  }

  // ---- The checkpoint's ----

  // Between two groups of writes: takes the changes since the last call, and begins a new epoch.
  ChangeSet CutLocked() {
    ChangeSet changes{.epoch = epoch_,
                      .dirty = std::exchange(dirty_, {}),
                      .freed = std::exchange(freed_, {}),
                      .blobs = blobs_.TakeNewLocked(),
                      .id_limit = next_id_};
    ++epoch_;
    dirty_units_.store(0, std::memory_order_relaxed);  // a figure
    return changes;
  }
  bool AnyChangesLocked() const {
    return !dirty_.empty() || !freed_.empty() || blobs_.AnyNewLocked();
  }

  // The frozen frame of `id` in the epoch; null when it needs no writing. It stays as it is until
  // WrittenLocked.
  Frame* FrozenLocked(PageId id, uint64_t epoch) {
    const auto superseded = superseded_.find(id);
    Frame* const frame =
        superseded != superseded_.end() ? superseded->second.frame : frames_.Find(id);
    const bool frozen =
        frame != nullptr && frame->dirty_epoch.load(std::memory_order_relaxed) == epoch;
    return frozen ? frame : nullptr;
  }

  void WrittenLocked(PageId id, Extent at) {
    if (const auto old = superseded_.find(id); old != superseded_.end()) {
      if (!old->second.freed) places_[id] = at;
      frames_.RetireLocked(old->second.frame);
      superseded_.erase(old);
      return;
    }
    places_[id] = at;
    // release: pairs with the writer's acquire in Tree: the page has been read by then.
    frames_.Find(id)->dirty_epoch.store(0, std::memory_order_release);
  }

  void BlobWrittenLocked(const NewBlob& blob, Extent at) {
    if (blobs_.WrittenLocked(blob)) places_[blob.id] = at;
  }

  // Whether the page or value `id`, whose bytes at `from` have been copied to `to`, may leave
  // `from`: not while it is being read from there. Who looks for it from here on finds it at `to`.
  bool MovedLocked(PageId id, Extent from, Extent to) {
    if (loading_.contains(id)) return false;
    // Otherwise it has been given up, and the checkpoint will hear of that in time.
    if (id < places_.size() && places_[id].place == from.place) places_[id] = to;
    return true;
  }

  // A checkpoint begins to write pages of this generation.
  void SetGeneration(uint64_t generation) {
    newest_generation_.store(generation, std::memory_order_relaxed);  // before WrittenLocked
  }

  // ---- Opening ----

  void SetPlaces(std::vector<Extent> places) {
    places_ = std::move(places);
    began_empty_ = places_.empty();
    next_id_ = static_cast<PageId>(std::max<size_t>(places_.size(), kRootId + 1));
    places_.resize(next_id_);
    for (PageId id = next_id_ - 1; id > kRootId; --id) {
      if (places_[id].units == 0) free_ids_.push_back(id);
    }
  }

 private:
  // A frozen frame that is not the newest state of its page any more.
  struct Superseded {
    Frame* frame = nullptr;
    bool freed = false;  // since: the id has no place, or is another page
  };

  static absl::Status BlobMoved() { return absl::AbortedError("the blob has moved"); }

  void MarkDirtyLocked(Frame* frame) {
    frame->dirty_epoch.store(epoch_, std::memory_order_relaxed);
    dirty_.push_back(frame->id);
    // relaxed: a figure.
    dirty_units_.fetch_add(frame->units, std::memory_order_relaxed);
  }

  void DismissLocked(Frame* frame, bool freed) {
    frames_.TakeOutLocked(frame);
    const uint64_t dirty = frame->dirty_epoch.load(std::memory_order_relaxed);
    if (dirty != 0 && dirty != epoch_) {
      superseded_[frame->id] = {frame, freed};
    } else {
      frames_.RetireLocked(frame);
    }
  }

  const ReadableFile file_;
  const std::string path_;
  bool began_empty_ = false;  // set before other threads come
  Frames<kPageBytes> frames_;

  std::atomic<uint64_t> newest_generation_{0};
  std::mutex mutex_;  // guards all that follows
  std::condition_variable loaded_;
  std::unordered_map<PageId, bool> loading_;  // to: whether the result is still wanted
  std::vector<Extent> places_;                // by id; no units: none
  std::vector<PageId> free_ids_;
  PageId next_id_ = kRootId + 1;
  uint64_t epoch_ = 1;  // changes between groups only, so the writer may read it
  std::vector<PageId> dirty_;
  std::vector<PageId> freed_;
  Blobs blobs_;
  std::unordered_map<PageId, Superseded> superseded_;
  std::atomic<uint64_t> dirty_units_{0};
  std::atomic<uint64_t> misses_{0};
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_POOL_H_
