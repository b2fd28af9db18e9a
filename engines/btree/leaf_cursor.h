// A cursor over all versions in the tree, in internal order.
//
// It stands in a copy of a leaf, made at one instant, and takes the next leaf by the key that
// bounds the copy: so it holds no page, and writers and eviction go on. Who reads at a registered
// sequence number finds all versions it may see in each copy, however old the copy is: what was
// visible then was in the leaf, and is in no other.
//
// Models RecordCursor (kv/contract/record.h). A value that has an extent of its own is read when
// the cursor comes to it, if it is what the reader sees of its key; other versions show none.
// Thread safety: one thread.
#ifndef ENGINES_BTREE_LEAF_CURSOR_H_
#define ENGINES_BTREE_LEAF_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "engines/btree/page.h"
#include "engines/btree/search.h"
#include "engines/btree/tree.h"
#include "kv/contract/record.h"

namespace kv::btree {

// Whether a cursor's user looks at values.
enum class Values { kRead, kSkip };

template <typename TreeType>
class LeafCursor {
 public:
  // Over nothing: never valid.
  LeafCursor() = default;
  // Of versions up to `at`, which is registered; newer ones may be among the others.
  LeafCursor(const TreeType* tree, Sequence at, Values values)
      : tree_(tree), at_(at), values_(values) {}

  bool Valid() const { return valid_; }
  const Record& record() const { return record_; }
  const absl::Status& status() const { return status_; }

  void SeekToFirst() {
    if (TakeLeaf(Toward::kFirst, {})) Forward(0);
  }

  void SeekToLast() {
    if (TakeLeaf(Toward::kLast, {})) Backward(count_);
  }

  void Seek(std::string_view key, Sequence sequence) {
    if (TakeLeaf(Toward::kKey, key)) Forward(RankInLeafOfAny(page(), count_, key, sequence));
  }

  void Next() {
    PrefetchAhead();
    Forward(at_slot_ + 1);
  }
  void Prev() { Backward(at_slot_); }

 private:
  Page page() const { return Page(copy_.get()); }

  // Has the next leaf come into the processor's cache while this one is walked over, some lines
  // with each record: a walk waits for memory otherwise. An address that is not the leaf's any more
  // does no harm.
  void PrefetchAhead() {
    for (size_t i = 0; i < ahead_step_ && ahead_ < kFrameBytes; ++i, ahead_ += kLineBytes) {
      __builtin_prefetch(reinterpret_cast<const char*>(bounds_.next) + ahead_);
    }
  }

  // Stands on `slot`, or the first record behind it.
  void Forward(size_t slot) {
    while (slot >= count_) {
      if (!bounds_.has_upper) {
        valid_ = false;
        return;
      }
      std::swap(bound_, bounds_.upper);
      if (!TakeLeaf(Toward::kKey, bound_)) return;
      slot = RankOfBound();
    }
    Show(slot);
  }

  // Where the leaf just taken goes on: it may have been joined with the one before, which the
  // cursor has walked over.
  size_t RankOfBound() const { return RankInLeafOfAny(page(), count_, bound_, kMaxSequence); }

  // Stands on the record before `slot`.
  void Backward(size_t slot) {
    while (slot == 0) {
      if (!bounds_.has_lower) {
        valid_ = false;
        return;
      }
      std::swap(bound_, bounds_.lower);
      if (!TakeLeaf(Toward::kBefore, bound_)) return;
      slot = RankOfBound();
    }
    Show(slot - 1);
  }

  void Show(size_t slot) {
    at_slot_ = slot;
    const LeafItem item = page().item(slot);
    record_ = {.key = item.key,
               .value = item.value,
               .sequence = item.sequence,
               .expires_at = item.expires_at,
               .kind = item.kind};
    valid_ = true;
    if (!item.blob) [[likely]]
      return;
    record_.value = {};
    if (item.sequence > at_ || values_ == Values::kSkip || HiddenByNewer(item, slot)) return;
    const BlobReference reference = BlobReference::Decode(item.value);
    absl::Status read;
    do {
      // Its version is kept for this reader, so the blob is somewhere, though it may move.
      read = tree_->pool().ReadBlob(reference, &value_);
    } while (absl::IsAborted(read) && --patience_ > 0);
    if (!read.ok()) return Fail(std::move(read));
    record_.value = value_;
  }

  // Whether the reader sees a newer version of the item's key. If so, nobody keeps the item for it,
  // and its value may have been given up since the leaf was copied.
  bool HiddenByNewer(const LeafItem& item, size_t slot) const {
    if (slot == 0) return false;
    const LeafItem newer = page().item(slot - 1);
    return newer.key == item.key && newer.sequence <= at_;
  }

  // False on an error.
  bool TakeLeaf(Toward toward, std::string_view key) {
    valid_ = false;
    if (tree_ == nullptr) return false;
    absl::Status taken = tree_->CopyLeaf(toward, key, &bounds_, [&](Page from) { Copy(from); });
    if (taken.ok()) [[likely]] {
      status_ = absl::OkStatus();
      ahead_ = bounds_.next == nullptr ? kFrameBytes : 0;
      ahead_step_ = kFrameBytes / kLineBytes / (count_ + 1) + 1;
      return true;
    }
    Fail(std::move(taken));
    return false;
  }

  // Of a page that may be changing; then the copy is thrown away. Items do not change, and those
  // that slots lead to are at or behind heap_begin.
  void Copy(Page from) {
    const size_t bytes = size_t{from.units()} * TreeType::kBytes;
    if (bytes > capacity_) {
      copy_.reset(static_cast<char*>(::operator new (bytes, std::align_val_t{64})));
      capacity_ = bytes;
    }
    count_ = from.count();
    const uint32_t heap = from.heap_begin();
    page().set_skip(from.skip());
    for (size_t i = 0; i < count_; ++i) page().set_slot(i, from.slot(i));
    std::memcpy(copy_.get() + heap, from.bytes() + heap, bytes - heap);
  }

  void Fail(absl::Status status) {
    status_ = std::move(status);
    valid_ = false;
    count_ = 0;
    bounds_.has_lower = bounds_.has_upper = false;
  }

  struct Deleter {
    void operator()(char* bytes) const { ::operator delete (bytes, std::align_val_t{64}); }
  };

  static constexpr size_t kLineBytes = 64;
  static constexpr size_t kFrameBytes = sizeof(Frame) + TreeType::kBytes;

  const TreeType* tree_ = nullptr;
  Sequence at_ = 0;
  Values values_ = Values::kRead;
  std::unique_ptr<char, Deleter> copy_;
  size_t capacity_ = 0;
  size_t count_ = 0;
  size_t at_slot_ = 0;
  size_t ahead_ = kFrameBytes;  // of the next leaf's frame: what was not prefetched yet
  size_t ahead_step_ = 0;       // in lines
  typename TreeType::Bounds bounds_;
  std::string bound_;  // the key by which the leaf was found
  Record record_;
  std::string value_;
  int patience_ = 1000;
  absl::Status status_;
  bool valid_ = false;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_LEAF_CURSOR_H_
