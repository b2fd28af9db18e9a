// PreadReading: bytes are copied out of the file by a system call, into memory that the caller
// keeps: for an engine with a Cache part, which then decides what stays in memory, by the block.
//
// A Window begins with the range asked for and `first_read_ahead` bytes, and doubles with each
// Read() that goes on where it left off, up to `most_read_ahead`: a short scan reads little too
// much, a long one asks the device for as much at a time as it likes to deliver. It holds that much
// memory.
//
// For: data larger than memory; devices that fail (an error is a status, where mmap has SIGBUS).
// Not for: data that fits in memory uncompressed: each miss of the cache is a system call and a
// copy (mmap.h). Without a cache each read is one: use it so to measure, or when next to nothing is
// read twice.
//
// Thread safety: as the concept has it.
#ifndef KV_READING_PREAD_H_
#define KV_READING_PREAD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/reading/concept.h"

namespace kv {

struct PreadShape {
  // Bytes that the first Read() of a window asks for, and the most that a later one does.
  size_t first_read_ahead = size_t{16} << 10;
  size_t most_read_ahead = size_t{512} << 10;
};

template <PreadShape kShape = PreadShape{}>
struct Pread {
  static_assert(kShape.first_read_ahead <= kShape.most_read_ahead);

  static constexpr std::string_view kName = "pread";
  static constexpr bool kMapped = false;

  // Memory that is aligned as the file is. Grows, and shrinks after what was unusually large.
  class Room {
   public:
    size_t Bytes() const { return capacity_; }

    // A place for `size` bytes of offset `offset`. What was there is lost.
    char* Reserve(uint64_t offset, size_t size) {
      const size_t wanted = size + kReadingAlignment;
      if (wanted > capacity_ || capacity_ > wanted + kKeptBytes) {
        memory_.reset();
        memory_.reset(new (std::align_val_t(kReadingAlignment)) char[wanted]);
        capacity_ = wanted;
      }
      return memory_.get() + offset % kReadingAlignment;
    }

   private:
    static constexpr size_t kKeptBytes = 2 * kShape.most_read_ahead;

    struct Delete {
      void operator()(char* memory) const {
        operator delete[](memory, std::align_val_t(kReadingAlignment));
      }
    };
    std::unique_ptr<char[], Delete> memory_;
    size_t capacity_ = 0;
  };

  template <typename File>
  class Reader {
   public:
    using Room = Pread::Room;

    class Window {
     public:
      bool Holds(uint64_t offset, size_t size, std::string_view* bytes) const {
        if (offset < begin_ || offset > end_ || size > end_ - offset) return false;
        *bytes = held_.substr(offset - begin_, size);
        return true;
      }

      absl::Status Read(const Reader& reader, uint64_t offset, size_t size, uint64_t end,
                        ReadDirection direction, std::string_view* bytes) {
        const bool forward = direction == ReadDirection::kForward;
        const bool goes_on = begin_ != end_ && direction == direction_ &&
                             (forward ? offset == end_ : offset + size == begin_);
        ahead_ = goes_on ? std::min(2 * ahead_, kShape.most_read_ahead) : kShape.first_read_ahead;
        direction_ = direction;
        const size_t wanted = std::max(size, ahead_);
        const uint64_t stop = forward ? std::min<uint64_t>(offset + wanted, end) : offset + size;
        const uint64_t start = forward ? offset : stop - std::min<uint64_t>(wanted, stop);
        begin_ = end_ = 0;
        absl::Status status = reader.View(start, stop - start, &room_, &held_);
        if (!status.ok()) return status;
        begin_ = start;
        end_ = stop;
        *bytes = held_.substr(offset - start, size);
        return status;
      }

     private:
      Room room_;
      std::string_view held_;  // in room_: the bytes of [begin_, end_)
      uint64_t begin_ = 0;
      uint64_t end_ = 0;
      size_t ahead_ = 0;
      ReadDirection direction_ = ReadDirection::kForward;
    };

    static absl::StatusOr<Reader> Open(File file) { return Reader(std::move(file)); }

    absl::Status View(uint64_t offset, size_t size, Room* room, std::string_view* bytes) const {
      char* const to = room->Reserve(offset, size);
      *bytes = std::string_view(to, size);
      return file_.ReadAt(offset, size, to);
    }

    uint64_t Size() const { return file_.Size(); }
    void Release() const {}

   private:
    explicit Reader(File file) : file_(std::move(file)) {}

    File file_;
  };
};

using PreadReading = Pread<>;

static_assert(Reading<PreadReading>);

}  // namespace kv

#endif  // KV_READING_PREAD_H_
