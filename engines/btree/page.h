// The bytes of a page of the tree, in memory and on disk.
//
//   page   := header slot[count] gap heap            bytes: units * page_bytes
//   header := checksum:u64  id:u32  units:u32  generation:u64  lsn:u64  pruned_at:u64
//             kind:u8  level:u8  zero:u16  count:u32  heap_begin:u32  skip:u32
//             first_child:u32  zero:u32                                        (64 bytes)
//   slot   := head:u64  offset:u32  extra:u32                                  (16 bytes)
//
//   checksum    of everything after it, seeded with the id: an intact page in the wrong place does
//               not pass. In memory it is stale.
//   units       size of the page: most have one unit of page_bytes. A page whose keys are long, or
//               which holds many versions of one key, has more.
//   generation  of the checkpoint that wrote the page
//   lsn         the newest sequence number among the changes of the page
//   pruned_at   readers at this sequence number or later, and registered ones, find all they may
//               see in the page; versions that only others could see may have been dropped
//   level       0: leaf. An inner page of level n has children of level n - 1.
//   skip        all keys of the page begin with the same `skip` bytes
//   head        the 8 bytes of the slot's key from `skip` on, big-endian, zero-filled: one integer
//               comparison orders most pairs (kv/base/bytes.h, KeyHead)
//   offset      of the slot's item in the heap, from the start of the page; extra: see below
//
//   leaf item  := tag:u64  value_size:u32  [expires_at:u64]  key  value        extra: size of key
//                 tag: sequence << 8 | flags. In the internal order (kv/contract/record.h).
//   inner item := key_size:u32  key                                            extra: a child
//                 The child holds the keys at or after the separator, and before the next one;
//                 first_child those before the first.
//   flags      := bits 0-1: RecordKind; bit 2: expires_at is there; bit 3: `value` is a
//   BlobReference
//
//   BlobReference := id:u32  zero:u32  size:u64  checksum:u64                  (24 bytes)
//                 The value is in an extent of its own (blobs.h).
//
// Memory order: see leaf.h. Slots, count and heap_begin of a leaf change while readers look, so
// they are read with acquire loads here; items never change.
//
// Thread safety: a Page is a view; what may run beside what is said in leaf.h and pool.h.
#ifndef ENGINES_BTREE_PAGE_H_
#define ENGINES_BTREE_PAGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "kv/base/atomic.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/contract/record.h"

namespace kv::btree {

using PageId = uint32_t;
// Where a page is in the file, in units of page_bytes; 0 is the store's header, so never a page.
using Place = uint64_t;

inline constexpr PageId kRootId = 1;  // the root keeps its id
inline constexpr size_t kPageHeaderBytes = 64;
inline constexpr size_t kSlotBytes = 16;
inline constexpr size_t kLeafItemHeaderBytes = 12;
inline constexpr size_t kInnerItemHeaderBytes = 4;
inline constexpr size_t kBlobReferenceBytes = 24;

enum class PageKind : uint8_t { kLeaf = 1, kInner = 2, kTable = 3 };

inline constexpr uint8_t kKindMask = 3;
inline constexpr uint8_t kExpiresFlag = 4;
inline constexpr uint8_t kBlobFlag = 8;

struct BlobReference {
  PageId id = 0;
  uint64_t size = 0;
  uint64_t checksum = 0;  // of the value, seeded with the id

  static BlobReference Decode(std::string_view bytes) {
    return {LoadFixed32(bytes.data()), LoadFixed64(bytes.data() + 8),
            LoadFixed64(bytes.data() + 16)};
  }
  void Encode(char* to) const {
    StoreFixed32(to, id);
    StoreFixed32(to + 4, 0);
    StoreFixed64(to + 8, size);
    StoreFixed64(to + 16, checksum);
  }
  friend bool operator==(const BlobReference&, const BlobReference&) = default;
};

// One version, as a leaf holds it. `value` is a BlobReference if `blob`.
struct LeafItem {
  std::string_view key;
  std::string_view value;
  Sequence sequence = 0;
  uint64_t expires_at = kNeverExpires;
  RecordKind kind = RecordKind::kValue;
  bool blob = false;

  size_t Bytes() const {
    return kLeafItemHeaderBytes + (expires_at != kNeverExpires ? 8 : 0) + key.size() + value.size();
  }
  // With the slot.
  size_t Footprint() const { return Bytes() + kSlotBytes; }

  void Encode(char* to) const {
    const uint8_t flags = static_cast<uint8_t>(kind) |
                          (expires_at != kNeverExpires ? kExpiresFlag : 0) | (blob ? kBlobFlag : 0);
    StoreFixed64(to, sequence << 8 | flags);
    StoreFixed32(to + 8, static_cast<uint32_t>(value.size()));
    to += kLeafItemHeaderBytes;
    if (expires_at != kNeverExpires) {
      StoreFixed64(to, expires_at);
      to += 8;
    }
    if (!key.empty()) std::memcpy(to, key.data(), key.size());
    if (!value.empty()) std::memcpy(to + key.size(), value.data(), value.size());
  }
};

struct Slot {
  uint64_t head;
  uint32_t offset;
  uint32_t extra;
};

// The head of `key` behind its first `skip` bytes; 0 for a key that is shorter.
inline uint64_t HeadBehind(std::string_view key, size_t skip) {
  return skip <= key.size() ? KeyHead(key.substr(skip)) : 0;
}

class Page {
 public:
  explicit Page(char* bytes) : bytes_(bytes) {}

  char* bytes() const { return bytes_; }
  uint64_t checksum() const { return LoadFixed64(bytes_); }
  PageId id() const { return LoadFixed32(bytes_ + 8); }
  uint32_t units() const { return LoadFixed32(bytes_ + 12); }
  uint64_t generation() const { return LoadFixed64(bytes_ + 16); }
  Sequence lsn() const { return LoadFixed64(bytes_ + 24); }
  Sequence pruned_at() const { return LoadFixed64(bytes_ + 32); }
  PageKind kind() const { return static_cast<PageKind>(bytes_[40]); }
  uint8_t level() const { return static_cast<uint8_t>(bytes_[41]); }
  // acquire here and in slot loads: pair with the release stores of the setters below (leaf.h).
  uint32_t count() const { return Field32(44).load(std::memory_order_acquire); }
  uint32_t heap_begin() const { return Field32(48).load(std::memory_order_acquire); }
  uint32_t skip() const { return LoadFixed32(bytes_ + 52); }
  PageId first_child() const { return LoadFixed32(bytes_ + 56); }

  void Initialize(PageId id, uint32_t units, size_t bytes, PageKind kind, uint8_t level) const {
    std::memset(bytes_, 0, kPageHeaderBytes);
    StoreFixed32(bytes_ + 8, id);
    StoreFixed32(bytes_ + 12, units);
    bytes_[40] = static_cast<char>(kind);
    bytes_[41] = static_cast<char>(level);
    set_heap_begin(static_cast<uint32_t>(bytes));
  }
  void set_checksum(uint64_t checksum) const { StoreFixed64(bytes_, checksum); }
  void set_id(PageId id) const { StoreFixed32(bytes_ + 8, id); }
  void set_generation(uint64_t generation) const { StoreFixed64(bytes_ + 16, generation); }
  void set_lsn(Sequence lsn) const { StoreFixed64(bytes_ + 24, lsn); }
  void set_pruned_at(Sequence at) const { StoreFixed64(bytes_ + 32, at); }
  void set_skip(uint32_t skip) const { StoreFixed32(bytes_ + 52, skip); }
  void set_first_child(PageId id) const { StoreFixed32(bytes_ + 56, id); }
  // release: pair with the acquire loads above.
  void set_count(uint32_t count) const { Field32(44).store(count, std::memory_order_release); }
  void set_heap_begin(uint32_t at) const { Field32(48).store(at, std::memory_order_release); }

  uint64_t head(size_t slot) const { return Word(slot, 0).load(std::memory_order_acquire); }
  Slot slot(size_t slot) const {
    const uint64_t rest = Word(slot, 8).load(std::memory_order_acquire);
    return {head(slot), static_cast<uint32_t>(rest), static_cast<uint32_t>(rest >> 32)};
  }
  void set_slot(size_t slot, const Slot& to) const {
    // release: pair with head() and slot().
    Word(slot, 8).store(uint64_t{to.extra} << 32 | to.offset, std::memory_order_release);
    Word(slot, 0).store(to.head, std::memory_order_release);
  }

  // Of a leaf.
  LeafItem item(size_t slot) const { return ItemAt(this->slot(slot)); }
  LeafItem ItemAt(const Slot& slot) const {
    const char* at = bytes_ + slot.offset;
    const uint64_t tag = LoadFixed64(at);
    const uint32_t value_size = LoadFixed32(at + 8);
    at += kLeafItemHeaderBytes;
    LeafItem item;
    if ((tag & kExpiresFlag) != 0) {
      item.expires_at = LoadFixed64(at);
      at += 8;
    }
    item.sequence = tag >> 8;
    item.kind = static_cast<RecordKind>(tag & kKindMask);
    item.blob = (tag & kBlobFlag) != 0;
    item.key = std::string_view(at, slot.extra);
    item.value = std::string_view(at + slot.extra, value_size);
    return item;
  }
  // The key and sequence number alone.
  std::string_view LeafKey(const Slot& slot, Sequence* sequence) const {
    const char* const at = bytes_ + slot.offset;
    const uint64_t tag = LoadFixed64(at);
    *sequence = tag >> 8;
    return {at + kLeafItemHeaderBytes + ((tag & kExpiresFlag) != 0 ? 8 : 0), slot.extra};
  }

  // Of an inner page: separator `slot`, and the child behind `rank` separators.
  std::string_view separator(size_t slot) const {
    const char* const at = bytes_ + this->slot(slot).offset;
    return {at + kInnerItemHeaderBytes, LoadFixed32(at)};
  }
  PageId child(size_t rank) const { return rank == 0 ? first_child() : slot(rank - 1).extra; }

  // Bytes between the slots and the heap.
  size_t FreeBytes() const {
    return heap_begin() - (kPageHeaderBytes + size_t{count()} * kSlotBytes);
  }

  uint64_t ComputeChecksum(size_t bytes) const {
    return Checksum(std::string_view(bytes_ + 8, bytes - 8), id());
  }

 private:
  AtomicRef<uint32_t> Field32(size_t offset) const {
    return AtomicRef<uint32_t>(*reinterpret_cast<uint32_t*>(bytes_ + offset));
  }
  AtomicRef<uint64_t> Word(size_t slot, size_t offset) const {
    return AtomicRef<uint64_t>(
        *reinterpret_cast<uint64_t*>(bytes_ + kPageHeaderBytes + slot * kSlotBytes + offset));
  }

  char* bytes_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_PAGE_H_
