// The bytes of one file of the simulated disk, as they are read and as they would survive.
//
//   visible    what reads see: the page cache
//   durable    what is on the platter and survives anything
//   unsynced   the changes between the two, oldest first, numbered over the whole disk
//
// Invariants:
//   1. Folding all of `unsynced` into `durable` gives `visible`, except for what a failed sync
//      dropped: that stays visible and never becomes durable, as on Linux, until it is written
//      again or shares a sector with a write that is synced.
//   2. Only Sync changes `durable` (and FlipBit, which damages every copy).
//   3. A sector of 512 bytes reaches the platter whole, as it looked after one of the writes to it.
//      So it carries all earlier writes to the sector, because the cache holds one copy of it; but
//      two writes to different sectors are in no order.
//   4. After power loss the extent of a lost write may lie within the file's size; it then holds
//      zeros or garbage. Holes hold zeros.
//
// Cost: a write copies every sector that it touches, and keeps the copy until the next sync.
// Thread safety: none.
#ifndef KV_IO_SIMULATED_FILE_H_
#define KV_IO_SIMULATED_FILE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/io/simulated_bytes.h"
#include "kv/io/simulated_crash.h"

namespace kv {
namespace simulated {

inline constexpr size_t kSectorBytes = 512;

class File {
 public:
  const std::string& visible() const { return visible_.Read(); }
  // Whether reads see the same of both. O(1) for a file and its copy.
  bool LooksAs(const File& other) const { return visible_ == other.visible_; }

  void Write(uint64_t sequence, uint64_t offset, std::string_view bytes) {
    if (bytes.empty()) return;
    const uint64_t end = offset + bytes.size();
    std::string& visible = visible_.Change();
    visible.resize(std::max<uint64_t>(visible.size(), end));
    visible.replace(offset, bytes.size(), bytes);
    const uint64_t first = offset / kSectorBytes * kSectorBytes;
    const uint64_t last = (end + kSectorBytes - 1) / kSectorBytes * kSectorBytes;
    unsynced_.push_back({.sequence = sequence,
                         .truncates = false,
                         .offset = first,
                         .sectors = visible.substr(first, last - first),
                         .size_after = visible.size()});
  }

  // `size`: at most what it is.
  void Truncate(uint64_t sequence, uint64_t size) {
    visible_.Change().resize(size);
    unsynced_.push_back(
        {.sequence = sequence, .truncates = true, .offset = 0, .sectors = "", .size_after = size});
  }

  // Makes the changes up to number `last` durable: those made while a sync runs are not its own.
  void Sync(uint64_t last) {
    size_t folded = 0;
    for (; folded < unsynced_.size() && unsynced_[folded].sequence <= last; ++folded) {
      const Change& change = unsynced_[folded];
      if (change.truncates) {
        const uint64_t size = std::min<uint64_t>(durable_.Read().size(), change.size_after);
        durable_.Change().resize(size);
      } else {
        Overlay(&durable_.Change(), change.offset, change.sectors);
      }
    }
    unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<ptrdiff_t>(folded));
  }

  // A failed sync: half the time every unsynced write is dropped, else each one is or is not.
  // Either way reads still see them, and the next sync says OK.
  void DropUnsynced(Random* random) {
    const bool all = random->Coin();
    std::erase_if(unsynced_, [&](const Change& change) {
      return !change.truncates && (all || random->Coin());
    });
  }

  // Damages the bit wherever there is a copy of it.
  void FlipBit(uint64_t offset, unsigned bit) {
    const auto flip = [&](std::string* bytes, uint64_t at) {
      if (offset < at || offset - at >= bytes->size()) return;
      char& byte = (*bytes)[offset - at];
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1u << bit));
    };
    flip(&visible_.Change(), 0);
    flip(&durable_.Change(), 0);
    for (Change& change : unsynced_) flip(&change.sectors, change.offset);
  }

  size_t unsynced_changes() const { return unsynced_.size(); }

  void CollectUnsynced(std::vector<uint64_t>* sequences) const {
    for (const Change& change : unsynced_) sequences->push_back(change.sequence);
  }

  File AfterPowerLoss(Survival* survival) const {
    Bytes image = durable_;
    uint64_t kept = image.Read().size();  // what survived; unwritten extents may lie beyond
    std::vector<uint64_t> sizes = {kept};
    const bool garbage = survival->Garbage();
    for (const Change& change : unsynced_) {
      if (change.truncates) {
        if (survival->Keeps(change.sequence)) {
          const uint64_t size = std::min<uint64_t>(image.Read().size(), change.size_after);
          image.Change().resize(size);
          kept = std::min<uint64_t>(kept, change.size_after);
        } else if (survival->DataWaitForTruncation()) {
          break;
        }
      } else {
        ApplyPart(change, survival, garbage, &image.Change(), &kept);
      }
      sizes.push_back(change.size_after);
    }
    const uint64_t size = survival->Size(kept, sizes);
    if (size != image.Read().size()) image.Change().resize(size);
    File file;
    file.visible_ = image;
    file.durable_ = image;
    return file;
  }

 private:
  struct Change {
    uint64_t sequence;
    bool truncates;
    uint64_t offset;      // a multiple of kSectorBytes
    std::string sectors;  // as visible after the change; the last one may be cut by the size
    uint64_t size_after;
  };

  static void Overlay(std::string* image, uint64_t offset, std::string_view bytes) {
    image->resize(std::max<uint64_t>(image->size(), offset + bytes.size()));
    image->replace(offset, bytes.size(), bytes);
  }

  static void ApplyPart(const Change& change, Survival* survival, bool garbage, std::string* image,
                        uint64_t* kept) {
    const size_t count = (change.sectors.size() + kSectorBytes - 1) / kSectorBytes;
    const std::vector<bool> survives = survival->Sectors(change.sequence, count);
    for (size_t i = 0; i < count; ++i) {
      const uint64_t begin = change.offset + i * kSectorBytes;
      const std::string_view sector =
          std::string_view(change.sectors).substr(i * kSectorBytes, kSectorBytes);
      if (survives[i]) {
        Overlay(image, begin, sector);
        // Beyond the end of the file its last sector holds zeros. That shows where the file was
        // emptied before the write, and the emptying is what was lost.
        const uint64_t end = std::min<uint64_t>(image->size(), begin + kSectorBytes);
        std::fill(image->begin() + static_cast<ptrdiff_t>(begin + sector.size()),
                  image->begin() + static_cast<ptrdiff_t>(end), '\0');
        *kept = std::max<uint64_t>(*kept, begin + sector.size());
      } else if (begin >= image->size()) {  // allocated, never written
        std::string unwritten(sector.size(), '\0');
        if (garbage) {
          std::generate(unwritten.begin(), unwritten.end(),
                        [&] { return survival->GarbageByte(); });
        }
        Overlay(image, begin, unwritten);
      }
    }
  }

  Bytes visible_;
  Bytes durable_;
  std::vector<Change> unsynced_;
};

}  // namespace simulated
}  // namespace kv

#endif  // KV_IO_SIMULATED_FILE_H_
