// Values that are too large for a leaf: each in an extent of its own, which holds its bytes and
// zeros up to the end of the last unit. The leaf has the checksum (BlobReference).
//
// In memory they are only until a checkpoint has written them: they do not go through the pool.
//
// Thread safety: functions whose name ends in Locked want the pool's mutex.
#ifndef ENGINES_BTREE_BLOBS_H_
#define ENGINES_BTREE_BLOBS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engines/btree/page.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"

namespace kv::btree {

struct NewBlob {
  PageId id = 0;
  std::shared_ptr<const std::string> bytes;
};

inline uint64_t BlobUnits(uint64_t size, size_t page_bytes) {
  return (size + page_bytes - 1) / page_bytes;
}

// The seed keeps a value from passing for one of another id.
inline uint64_t BlobChecksum(PageId id, std::string_view bytes) {
  return Checksum(bytes, uint64_t{id} << 32 | 0xb10b);
}

// Reads a blob at `offset` of `file` and checks it.
template <typename File>
absl::Status ReadBlobAt(const File& file, const std::string& path, const BlobReference& reference,
                        uint64_t offset, std::string* value) {
  std::string bytes(reference.size, '\0');
  KV_RETURN_IF_ERROR(file.ReadAt(offset, bytes.size(), bytes.data()));
  if (BlobChecksum(reference.id, bytes) != reference.checksum) {
    return Corruption(path, offset,
                      fmt::format("value of {} bytes does not match its checksum", bytes.size()));
  }
  *value = std::move(bytes);
  return absl::OkStatus();
}

class Blobs {
 public:
  BlobReference AddLocked(PageId id, std::string_view value) {
    auto bytes = std::make_shared<const std::string>(value);
    new_.push_back({id, bytes});
    memory_[id] = std::move(bytes);
    return {id, value.size(), BlobChecksum(id, value)};
  }

  std::shared_ptr<const std::string> FindLocked(PageId id) const {
    const auto found = memory_.find(id);
    return found == memory_.end() ? nullptr : found->second;
  }

  void ForgetLocked(PageId id) { memory_.erase(id); }

  // Those added since the last call, without those that were given up since.
  std::vector<NewBlob> TakeNewLocked() {
    std::vector<NewBlob> taken = std::exchange(new_, {});
    std::erase_if(taken, [&](const NewBlob& blob) { return FindLocked(blob.id) != blob.bytes; });
    return taken;
  }
  bool AnyNewLocked() const { return !new_.empty(); }

  // False when the blob has been given up since it was taken.
  bool WrittenLocked(const NewBlob& blob) {
    if (FindLocked(blob.id) != blob.bytes) return false;
    memory_.erase(blob.id);
    return true;
  }

 private:
  std::unordered_map<PageId, std::shared_ptr<const std::string>> memory_;  // not written yet
  std::vector<NewBlob> new_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_BLOBS_H_
