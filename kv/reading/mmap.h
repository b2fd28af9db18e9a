// MmapReading: files are mapped, and read where they lie: no copy, no system call, no memory beside
// the page cache.
//
// For: files that fit in memory; processes that share them.
// Not for: data that exceeds memory by far with random reads: a page fault costs more than reading
// the block, stalls the whole thread, and evicts by the page what is hot by the record (pread.h);
// devices that fail, where an unreadable sector is SIGBUS and no status.
//
// Thread safety: as the concept has it.
#ifndef KV_READING_MMAP_H_
#define KV_READING_MMAP_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/base/status.h"
#include "kv/reading/concept.h"

namespace kv {

struct MmapReading {
  static constexpr std::string_view kName = "mmap";
  static constexpr bool kMapped = true;

  template <typename File>
  class Reader {
   public:
    struct Room {
      size_t Bytes() const { return 0; }
    };

    // The kernel reads ahead as it sees fit.
    struct Window {
      bool Holds(uint64_t, size_t, std::string_view*) const { return false; }

      absl::Status Read(const Reader& reader, uint64_t offset, size_t size, uint64_t /*end*/,
                        ReadDirection, std::string_view* bytes) {
        return reader.View(offset, size, nullptr, bytes);
      }
    };

    static absl::StatusOr<Reader> Open(File file) {
      KV_ASSIGN_OR_RETURN(const std::string_view mapped, file.Map());
      return Reader(std::move(file), mapped);
    }

    absl::Status View(uint64_t offset, size_t size, Room* /*room*/, std::string_view* bytes) const {
      *bytes = std::string_view(mapped_.data() + offset, size);
      return absl::OkStatus();
    }

    uint64_t Size() const { return mapped_.size(); }
    void Release() const { file_.ReleaseMapping(); }

   private:
    Reader(File file, std::string_view mapped) : file_(std::move(file)), mapped_(mapped) {}

    File file_;
    std::string_view mapped_;  // page-aligned; stays when file_ moves
  };
};

static_assert(Reading<MmapReading>);

}  // namespace kv

#endif  // KV_READING_MMAP_H_
