// Reads what a checkpoint wrote: the header leads to the directory, that to the page table, and
// that to the pages.
//
// Thread safety: a function; nothing shared.
#ifndef ENGINES_BTREE_IMAGE_H_
#define ENGINES_BTREE_IMAGE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/btree/store_header.h"

namespace kv::btree {

struct Image {
  StoreHeader header;
  std::vector<Extent> pages;       // by id; no units: none
  std::vector<Place> table_pages;  // by number
  Extent directory;
  Space space;  // what all of these and the headers take
};

// kDataLoss for damage, and for places that two things claim.
template <typename File>
absl::StatusOr<Image> ReadImage(const File& file, const std::string& path, StoreHeader header) {
  const size_t page_bytes = header.page_bytes;
  // A header that passes its checksum may still be wrong: none of its figures is multiplied or
  // allocated before it is known to fit the file.
  if (page_bytes < kStoreHeaderBytes || header.units > file.Size() / page_bytes) {
    return Corruption(path, file.Size(),
                      fmt::format("the file ends before its {} pages", header.units));
  }
  Image image;
  const auto claim = [&](Extent extent, std::string_view what) -> absl::Status {
    if (extent.place < kFirstPlace || extent.units > header.units ||
        extent.place > header.units - extent.units || !image.space.Mark(extent)) {
      return Corruption(path, extent.place * page_bytes,
                        fmt::format("the place of {} is not its own", what));
    }
    return absl::OkStatus();
  };
  image.space.Mark({0, kFirstPlace});
  const uint64_t count = header.directory_count;
  if (count > header.units || header.id_limit > count * TableEntries(page_bytes)) {
    return Corruption(path, 0, "the header's figures do not fit together");
  }
  image.directory = {header.directory_place, DirectoryUnits(count, page_bytes)};
  const uint64_t offset = header.directory_place * page_bytes;
  KV_RETURN_IF_ERROR(claim(image.directory, "the directory"));
  std::string bytes(image.directory.units * page_bytes, '\0');
  KV_RETURN_IF_ERROR(file.ReadAt(offset, bytes.size(), bytes.data()));
  if (LoadFixed64(bytes.data()) != Checksum(std::string_view(bytes).substr(8), header.generation) ||
      LoadFixed64(bytes.data() + 8) != count) {
    return Corruption(path, offset, "the directory does not match its checksum");
  }
  for (uint64_t i = 0; i < count; ++i) {
    image.table_pages.push_back(LoadFixed64(bytes.data() + 16 + i * 8));
  }
  std::string table(page_bytes, '\0');
  image.pages.resize(count * TableEntries(page_bytes));
  for (uint64_t number = 0; number < count; ++number) {
    const Extent at{image.table_pages[number], 1};
    KV_RETURN_IF_ERROR(claim(at, "a page of the page table"));
    KV_RETURN_IF_ERROR(file.ReadAt(at.place * page_bytes, page_bytes, table.data()));
    const Page page(table.data());
    if (page.kind() != PageKind::kTable || page.id() != number ||
        page.checksum() != page.ComputeChecksum(page_bytes)) {
      return Corruption(
          path, at.place * page_bytes,
          fmt::format("page {} of the page table does not match its checksum", number));
    }
    for (size_t i = 0; i < TableEntries(page_bytes); ++i) {
      const Extent extent = UnpackExtent(LoadFixed64(table.data() + kPageHeaderBytes + i * 8));
      if (extent.units == 0) continue;
      KV_RETURN_IF_ERROR(claim(extent, "a page"));
      image.pages[number * TableEntries(page_bytes) + i] = extent;
    }
  }
  image.pages.resize(std::min<size_t>(image.pages.size(), header.id_limit));
  image.header = std::move(header);
  return image;
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_IMAGE_H_
