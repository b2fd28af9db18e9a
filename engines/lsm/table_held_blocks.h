// Blocks that a table builder holds back, because how they are compressed is not known yet: in the
// form in which a dictionary is trained on them, and with what it takes to store them later.
//
// Memory: the blocks, and 60 bytes and a separator for each.
// Thread safety: none.
#ifndef ENGINES_LSM_TABLE_HELD_BLOCKS_H_
#define ENGINES_LSM_TABLE_HELD_BLOCKS_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "kv/base/status.h"

namespace kv {

class HeldBlocks {
 public:
  // Where a block's directory lies among the directories.
  struct Place {
    size_t directory_begin = 0;
    size_t directory_bytes = 0;
  };

  void Add(std::string_view contents, const Place& place, std::string_view separator) {
    contents_.append(contents);
    sizes_.push_back(contents.size());
    rest_.push_back({.place = place, .separator = std::string(separator)});
  }

  size_t Bytes() const { return contents_.size(); }

  // One after the other.
  std::string_view contents() const { return contents_; }
  std::span<const size_t> sizes() const { return sizes_; }

  // Calls `store(contents, place, separator)` for each in order, until one fails.
  template <typename Store>
  absl::Status ForEach(Store store) const {
    size_t begin = 0;
    for (size_t i = 0; i < sizes_.size(); begin += sizes_[i++]) {
      KV_RETURN_IF_ERROR(store(std::string_view(contents_).substr(begin, sizes_[i]), rest_[i].place,
                               std::string_view(rest_[i].separator)));
    }
    return absl::OkStatus();
  }

 private:
  struct Rest {
    Place place;
    std::string separator;
  };

  std::string contents_;
  std::vector<size_t> sizes_;
  std::vector<Rest> rest_;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_HELD_BLOCKS_H_
