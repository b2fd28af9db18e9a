// Makes the checksums of a B+tree's file right, for fuzz targets: a mutation of its bytes is then
// met by the code behind the checksums. For logs: kv/io/log_repair.h.
//
// Goes along the format (store_header.h) as far as that leads, and leaves what it does not
// understand as it is: the reader's refusal of that is what is tested. Values that have extents of
// their own stay as they are.
//
// Thread safety: a function of its arguments.
#ifndef ENGINES_BTREE_CHECKSUM_REPAIR_H_
#define ENGINES_BTREE_CHECKSUM_REPAIR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/btree/page.h"
#include "engines/btree/store_header.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"

namespace kv::btree {

// The header in force, after both have been made right.
inline std::optional<StoreHeader> RepairHeaders(size_t page_bytes, std::string* tree) {
  const std::string_view whole(*tree);
  constexpr size_t kCovered = kStoreHeaderBytes - sizeof(uint64_t);
  std::optional<StoreHeader> best;
  for (const size_t which : {size_t{0}, size_t{1}}) {
    const size_t at = which * page_bytes;
    if (whole.size() < at + kStoreHeaderBytes || !whole.substr(at).starts_with(kStoreMagic)) {
      continue;
    }
    StoreFixed64(tree->data() + at + kCovered, Checksum(whole.substr(at, kCovered), which));
    StoreHeader header;
    if (!header.Decode(whole.substr(at, kStoreHeaderBytes), which)) continue;
    if (header.page_bytes != page_bytes) continue;
    if (!best || header.generation > best->generation) best = header;
  }
  return best;
}

inline void RepairTree(size_t page_bytes, std::string* tree) {
  const std::optional<StoreHeader> header = RepairHeaders(page_bytes, tree);
  const std::string_view whole(*tree);
  const uint64_t units = whole.size() / page_bytes;
  const auto fits = [units](const Extent& extent) {
    return extent.units > 0 && extent.units <= units && extent.place <= units - extent.units;
  };
  if (!header || header->directory_count > units) return;
  const Extent directory{header->directory_place,
                         DirectoryUnits(header->directory_count, page_bytes)};
  if (!fits(directory)) return;
  char* const places = tree->data() + directory.place * page_bytes;
  StoreFixed64(places, Checksum(whole.substr(directory.place * page_bytes + 8,
                                             directory.units * page_bytes - 8),
                                header->generation));
  for (uint64_t number = 0; number < header->directory_count; ++number) {
    const Place place = LoadFixed64(places + 16 + number * 8);
    if (!fits({place, 1})) continue;
    const Page table(tree->data() + place * page_bytes);
    for (size_t i = 0; i < TableEntries(page_bytes); ++i) {
      const Extent extent = UnpackExtent(LoadFixed64(table.bytes() + kPageHeaderBytes + i * 8));
      if (!fits(extent)) continue;
      // What has another id there is a value, or a page that is not meant.
      const Page page(tree->data() + extent.place * page_bytes);
      if (page.id() != number * TableEntries(page_bytes) + i) continue;
      page.set_checksum(page.ComputeChecksum(extent.units * page_bytes));
    }
    table.set_checksum(table.ComputeChecksum(page_bytes));
  }
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_CHECKSUM_REPAIR_H_
