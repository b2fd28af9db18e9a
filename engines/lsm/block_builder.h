// Builds one data block and its directory; table_block.h has the picture.
//
// The caller adds records in strict internal order, of sizes within the format's limits, and takes
// the block when it is large enough: the builder checks neither. Reset and reused, it allocates
// nothing once it has seen its largest block.
//
// Thread safety: none.
#ifndef ENGINES_LSM_BLOCK_BUILDER_H_
#define ENGINES_LSM_BLOCK_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/lsm/table_block.h"
#include "kv/base/bytes.h"
#include "kv/contract/record.h"

namespace kv {

class BlockBuilder {
 public:
  bool empty() const { return offsets_.empty(); }

  // The block's bytes so far, without the directory.
  size_t Bytes() const { return contents_.size(); }

  // An upper bound of Bytes() with `record` in it; above it by what the keys share.
  size_t BytesWith(const Record& record) const {
    return contents_.size() + 2 * VarintBytes(record.key.size()) +
           VarintBytes(record.value.size()) + VarintBytes(BlockTag(record)) +
           (record.expires_at != kNeverExpires ? sizeof(uint64_t) : 0) + record.key.size() +
           record.value.size();
  }

  void Add(const Record& record, uint64_t key_hash) {
    size_t shared = 0;
    if (offsets_.size() % kBlockRestartInterval == 0) {
      restart_keys_.push_back({restart_bytes_.size(), record.key.size()});
      restart_bytes_.append(record.key);
    } else {
      shared = CommonPrefixLength(
          std::string_view(restart_bytes_).substr(restart_keys_.back().begin), record.key);
    }
    offsets_.push_back(static_cast<uint32_t>(contents_.size()));
    fingerprints_.push_back(static_cast<char>(BlockFingerprint(key_hash)));

    char header[4 * kMaxVarint64Bytes + sizeof(uint64_t)];
    char* end = StoreVarint64(header, shared);
    end = StoreVarint64(end, record.key.size() - shared);
    end = StoreVarint64(end, record.value.size());
    end = StoreVarint64(end, BlockTag(record));
    if (record.expires_at != kNeverExpires) {
      StoreFixed64(end, record.expires_at);
      end += sizeof(uint64_t);
    }
    contents_.append(header, static_cast<size_t>(end - header));
    contents_.append(record.key.substr(shared));
    contents_.append(record.value);
  }

  // The block, of at least one record, which lives until Reset(). Appends its directory to
  // `directories`. `last_key` is the key of the last record.
  std::string_view Finish(std::string_view last_key, std::string* directories) const {
    const bool wide = Bytes() > kMaxNarrowBlockBytes;
    const std::string_view keys = restart_bytes_;
    const size_t prefix = CommonPrefixLength(keys.substr(0, restart_keys_[0].size), last_key);
    AppendFixed32(directories, static_cast<uint32_t>(offsets_.size()));
    AppendFixed32(directories, static_cast<uint32_t>(prefix));
    directories->append(fingerprints_);
    FillUp(directories);
    for (const uint32_t offset : offsets_) {
      directories->append(reinterpret_cast<const char*>(&offset),
                          wide ? sizeof(uint32_t) : sizeof(uint16_t));
    }
    FillUp(directories);
    for (const RestartKey& key : restart_keys_) {
      AppendFixed64(directories, KeyHead(keys.substr(key.begin, key.size).substr(prefix)));
    }
    return contents_;
  }

  // Empties the builder for another block.
  void Reset() {
    contents_.clear();
    offsets_.clear();
    fingerprints_.clear();
    restart_keys_.clear();
    restart_bytes_.clear();
  }

 private:
  struct RestartKey {
    size_t begin;
    size_t size;
  };

  // Directories are multiples of 8 bytes, so the end of all of them is as good as that of this one.
  static void FillUp(std::string* directories) {
    directories->append(RoundUpTo8(directories->size()) - directories->size(), '\0');
  }

  std::string contents_;
  std::vector<uint32_t> offsets_;
  std::string fingerprints_;
  std::vector<RestartKey> restart_keys_;  // in restart_bytes_
  std::string restart_bytes_;
};

}  // namespace kv

#endif  // ENGINES_LSM_BLOCK_BUILDER_H_
