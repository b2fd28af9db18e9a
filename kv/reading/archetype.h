// ReadingArchetype: the least that models Reading, and a trivially right one: a room of its own for
// each view, and windows that bring along nothing. For tests.
#ifndef KV_READING_ARCHETYPE_H_
#define KV_READING_ARCHETYPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/reading/concept.h"

namespace kv {

struct ReadingArchetype {
  static constexpr std::string_view kName = "archetype";
  static constexpr bool kMapped = false;

  template <typename File>
  class Reader {
   public:
    class Room {
     public:
      Room() = default;
      Room(Room&&) = default;
      Room& operator=(Room&&) = default;

      size_t Bytes() const { return lines_.size() * sizeof(Line); }

     private:
      friend class Reader;
      struct alignas(kReadingAlignment) Line {
        char bytes[kReadingAlignment];
      };
      std::vector<Line> lines_;
    };

    class Window {
     public:
      bool Holds(uint64_t, size_t, std::string_view*) const { return false; }

      absl::Status Read(const Reader& reader, uint64_t offset, size_t size, uint64_t, ReadDirection,
                        std::string_view* bytes) {
        return reader.View(offset, size, &room_, bytes);
      }

     private:
      Room room_;
    };

    static absl::StatusOr<Reader> Open(File file) { return Reader(std::move(file)); }

    absl::Status View(uint64_t offset, size_t size, Room* room, std::string_view* bytes) const {
      room->lines_.clear();
      room->lines_.resize(size / kReadingAlignment + 2);
      char* const to = room->lines_[0].bytes + offset % kReadingAlignment;
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

static_assert(Reading<ReadingArchetype>);

}  // namespace kv

#endif  // KV_READING_ARCHETYPE_H_
