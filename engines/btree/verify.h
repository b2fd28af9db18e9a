// Checks what the last checkpoint wrote, from the disk: every page that its header leads to.
//
//   - the header, the directory and the page table pass their checksums, and no place has two
//   owners
//   - from the root every page is reached once, passes its checksum, is where the table says, and
//   is
//     one level below its parent
//   - the keys of a page are in order and within the separators above it
//   - every value of its own extent passes its checksum
//   - no page of the table is left that nothing leads to
//
// Thread safety: a function; the file's state must not change meanwhile.
#ifndef ENGINES_BTREE_VERIFY_H_
#define ENGINES_BTREE_VERIFY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/btree/blobs.h"
#include "engines/btree/image.h"
#include "engines/btree/page.h"
#include "engines/btree/pool.h"
#include "engines/btree/store_header.h"

namespace kv::btree {

template <FileSystem Files, size_t kPageBytes>
class TreeVerifier {
 public:
  using File = typename Files::ReadableFile;

  static absl::Status Verify(const File& file, const std::string& path) {
    KV_ASSIGN_OR_RETURN(StoreHeader header, ReadStoreHeader(file, path));
    KV_ASSIGN_OR_RETURN(Image image, ReadImage(file, path, std::move(header)));
    return TreeVerifier(file, path, std::move(image)).Run();
  }

 private:
  // The keys that a page may hold: lower <= key < upper.
  struct Range {
    std::optional<std::string> lower;
    std::optional<std::string> upper;
  };

  TreeVerifier(const File& file, const std::string& path, Image image)
      : file_(file), path_(path), image_(std::move(image)), reached_(image_.pages.size()) {}

  absl::Status Run() {
    KV_RETURN_IF_ERROR(VerifyPage(kRootId, {}, std::nullopt));
    for (PageId id = 0; id < image_.pages.size(); ++id) {
      if (image_.pages[id].units != 0 && !reached_[id]) {
        return Damaged(id, "nothing leads to it");
      }
    }
    return absl::OkStatus();
  }

  absl::Status Damaged(PageId id, std::string_view why) const {
    const Place place = id < image_.pages.size() ? image_.pages[id].place : 0;
    return Corruption(path_, place * kPageBytes, fmt::format("page {}: {}", id, why));
  }

  // Notes that something leads to `id`.
  absl::Status Reach(PageId id) {
    if (id >= image_.pages.size() || image_.pages[id].units == 0) {
      return Damaged(id, "is named, but has no place");
    }
    if (reached_[id]) return Damaged(id, "is named twice");
    reached_[id] = true;
    return absl::OkStatus();
  }

  absl::Status VerifyPage(PageId id, const Range& range, std::optional<uint8_t> level) {
    KV_RETURN_IF_ERROR(Reach(id));
    const Extent at = image_.pages[id];
    const std::unique_ptr<char, Deleter> bytes(
        static_cast<char*>(::operator new (at.units* kPageBytes, std::align_val_t{64})));
    KV_RETURN_IF_ERROR((Pool<Files, kPageBytes>::ReadPage(file_, path_, id, at,
                                                          image_.header.generation, bytes.get())));
    const Page page(bytes.get());
    if (level && page.level() != *level) return Damaged(id, "is of the wrong level");
    return page.kind() == PageKind::kLeaf ? VerifyLeaf(page, range) : VerifyInner(page, range);
  }

  static bool Within(std::string_view key, const Range& range) {
    return (!range.lower || key >= *range.lower) && (!range.upper || key < *range.upper);
  }

  // Searches compare the first `skip` bytes with one key of the page only, so all have to agree.
  static bool SharePrefix(std::string_view first, std::string_view last, size_t skip) {
    return first.substr(0, skip) == last.substr(0, skip);
  }

  absl::Status VerifyLeaf(Page page, const Range& range) {
    LeafItem before;
    if (page.count() > 0 &&
        !SharePrefix(page.item(0).key, page.item(page.count() - 1).key, page.skip())) {
      return Damaged(page.id(), "has keys that do not begin alike");
    }
    for (size_t i = 0; i < page.count(); ++i) {
      const LeafItem item = page.item(i);
      if (!Within(item.key, range)) return Damaged(page.id(), "holds a key of another page");
      if (i > 0 && CompareInternal(before.key, before.sequence, item.key, item.sequence) >= 0) {
        return Damaged(page.id(), "is not in order");
      }
      if (page.head(i) != HeadBehind(item.key, page.skip())) {
        return Damaged(page.id(), "has a wrong key head");
      }
      if (item.sequence > image_.header.sequence) {
        return Damaged(page.id(), "holds a version that is newer than its checkpoint");
      }
      if (item.blob) KV_RETURN_IF_ERROR(VerifyBlob(BlobReference::Decode(item.value)));
      before = item;
    }
    return absl::OkStatus();
  }

  absl::Status VerifyBlob(const BlobReference& blob) {
    KV_RETURN_IF_ERROR(Reach(blob.id));
    const Extent at = image_.pages[blob.id];
    if (at.units != BlobUnits(blob.size, kPageBytes)) {
      return Damaged(blob.id, "is not of the value's size");
    }
    std::string value;
    return ReadBlobAt(file_, path_, blob, at.place * kPageBytes, &value);
  }

  absl::Status VerifyInner(Page page, const Range& range) {
    const size_t count = page.count();
    if (count > 0 && !SharePrefix(page.separator(0), page.separator(count - 1), page.skip())) {
      return Damaged(page.id(), "has separators that do not begin alike");
    }
    for (size_t i = 0; i < count; ++i) {
      if (!Within(page.separator(i), range)) return Damaged(page.id(), "separates other pages");
      if (i > 0 && page.separator(i - 1) >= page.separator(i)) {
        return Damaged(page.id(), "is not in order");
      }
      if (page.head(i) != HeadBehind(page.separator(i), page.skip())) {
        return Damaged(page.id(), "has a wrong key head");
      }
    }
    for (size_t rank = 0; rank <= count; ++rank) {
      Range below = range;
      if (rank > 0) below.lower = std::string(page.separator(rank - 1));
      if (rank < count) below.upper = std::string(page.separator(rank));
      KV_RETURN_IF_ERROR(
          VerifyPage(page.child(rank), below, static_cast<uint8_t>(page.level() - 1)));
    }
    return absl::OkStatus();
  }

  struct Deleter {
    void operator()(char* bytes) const { ::operator delete (bytes, std::align_val_t{64}); }
  };

  const File& file_;
  const std::string& path_;
  const Image image_;
  std::vector<bool> reached_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_VERIFY_H_
