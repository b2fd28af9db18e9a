// The head of a store's file: two pages, written in turn, of which the one with the higher
// generation counts. Writing one is what makes a checkpoint take effect.
//
//   file   := header0 header1 page-or-extent*                  each header at the start of a page
//   header := magic:8 "ashlrbtr"  version:u32  page_bytes:u32  generation:u64  sequence:u64
//             replay_log:u64  clean_end:u64  directory_place:u64  directory_count:u64
//             id_limit:u64  units:u64  format_size:u32  format[format_size]  zeros  checksum:u64
//                                                                               (512 bytes)
//   directory := checksum:u64  count:u64  place:u64[count]  zeros             in whole pages
//                the places of the page-table pages, in order; seeded with the generation
//   table page := the header of a page (page.h), of kind 3 and with its number for an id, then
//                 (place << 24 | units):u64 for each id that it covers; 0: no such page
//
//   sequence    every write up to it is in the pages
//   replay_log  the log with the writes after it
//   clean_end   where replay_log was sealed by a clean close; 0: it was not
//   id_limit    page ids in use are below it
//   units       the file has at least so many pages
//   checksum    seeded with the place of the header
//
// No page that the header in force leads to is written over; so a checkpoint that was cut off
// leaves the state before it, whatever it had written. A header that does not match its checksum
// was torn by a crash, and then the log that the other one names is there; or it was damaged, and
// then that log is gone or does not end where it should.
//
// Thread safety: values and functions.
#ifndef ENGINES_BTREE_STORE_HEADER_H_
#define ENGINES_BTREE_STORE_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engines/btree/page.h"
#include "engines/btree/space.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"

namespace kv::btree {

inline constexpr std::string_view kStoreMagic = "ashlrbtr";
inline constexpr uint32_t kStoreVersion = 1;
inline constexpr size_t kStoreHeaderBytes = 512;
inline constexpr Place kFirstPlace = 2;  // behind the headers
inline constexpr size_t kMaxFormatBytes = 256;

struct StoreHeader {
  uint32_t version = kStoreVersion;
  uint32_t page_bytes = 0;
  uint64_t generation = 0;
  Sequence sequence = 0;
  uint64_t replay_log = 0;
  uint64_t clean_end = 0;
  Place directory_place = 0;
  uint64_t directory_count = 0;
  uint64_t id_limit = 0;
  uint64_t units = 0;
  std::string format;

  // Which of the two it is written to.
  size_t Which() const { return generation % 2; }

  std::string Encode() const {
    std::string bytes(kStoreMagic);
    AppendFixed32(&bytes, version);
    AppendFixed32(&bytes, page_bytes);
    for (const uint64_t field : {generation, sequence, replay_log, clean_end, directory_place,
                                 directory_count, id_limit, units}) {
      AppendFixed64(&bytes, field);
    }
    AppendFixed32(&bytes, static_cast<uint32_t>(format.size()));
    bytes.append(format);
    bytes.resize(kStoreHeaderBytes - 8);
    AppendFixed64(&bytes, Checksum(bytes, Which()));
    return bytes;
  }

  // False when `bytes` are not an intact header that belongs in place `which`.
  bool Decode(std::string_view bytes, size_t which) {
    if (bytes.size() != kStoreHeaderBytes || !bytes.starts_with(kStoreMagic)) return false;
    const std::string_view body = bytes.substr(0, kStoreHeaderBytes - 8);
    if (LoadFixed64(bytes.data() + body.size()) != Checksum(body, which)) return false;
    version = LoadFixed32(bytes.data() + 8);
    page_bytes = LoadFixed32(bytes.data() + 12);
    const char* at = bytes.data() + 16;
    for (uint64_t* field : {&generation, &sequence, &replay_log, &clean_end, &directory_place,
                            &directory_count, &id_limit, &units}) {
      *field = LoadFixed64(at);
      at += 8;
    }
    const uint32_t size = LoadFixed32(at);
    if (size > kMaxFormatBytes) return false;
    format.assign(at + 4, size);
    return Which() == which;
  }
};

// The header in force. One that the disk does not give out may be the newer one, so that is an
// error of the disk, whatever the other says.
template <typename File>
absl::StatusOr<StoreHeader> ReadStoreHeader(const File& file, const std::string& path) {
  std::optional<StoreHeader> best;
  absl::Status status;
  // The second header's offset depends on the page size, which the first one tells; so without
  // the first, every size is tried.
  const auto consider = [&](uint64_t offset, size_t which) {
    if (offset + kStoreHeaderBytes > file.Size()) return;
    std::string bytes(kStoreHeaderBytes, '\0');
    StoreHeader header;
    status.Update(file.ReadAt(offset, bytes.size(), bytes.data()));
    if (!status.ok()) return;
    if (!header.Decode(bytes, which) || header.page_bytes * which != offset) return;
    if (!best || header.generation > best->generation) best = std::move(header);
  };
  consider(0, 0);
  for (uint64_t page_bytes = 512; page_bytes <= 65536; page_bytes *= 2) consider(page_bytes, 1);
  KV_RETURN_IF_ERROR(status);
  if (!best) return Corruption(path, 0, "neither of the two headers matches its checksum");
  if (best->version > kStoreVersion) {
    return absl::FailedPreconditionError(
        fmt::format("{}: format version {} is newer than this program's {}", path, best->version,
                    kStoreVersion));
  }
  return *std::move(best);
}

// An entry of the page table.
inline uint64_t PackExtent(Extent extent) { return extent.place << 24 | extent.units; }
inline Extent UnpackExtent(uint64_t entry) { return {entry >> 24, entry & 0xffffff}; }

inline constexpr size_t TableEntries(size_t page_bytes) {
  return (page_bytes - kPageHeaderBytes) / 8;
}

inline uint64_t DirectoryUnits(uint64_t count, size_t page_bytes) {
  return (16 + count * 8 + page_bytes - 1) / page_bytes;
}

inline std::string EncodeDirectory(const std::string& places, uint64_t generation,
                                   size_t page_bytes) {
  const uint64_t count = places.size() / 8;
  std::string bytes(8, '\0');
  AppendFixed64(&bytes, count);
  bytes += places;
  bytes.resize(DirectoryUnits(count, page_bytes) * page_bytes);
  StoreFixed64(bytes.data(), Checksum(std::string_view(bytes).substr(8), generation));
  return bytes;
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_STORE_HEADER_H_
