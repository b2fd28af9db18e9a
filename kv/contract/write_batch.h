// A write batch: puts and deletes that take effect together or not at all, in the order in which
// they were added; of two writes of one key in a batch the later wins.
//
// The batch is kept as the bytes that a log stores, so that logging it copies once and encodes
// nothing:
//
//   entry := kind:u8  key_size:varint  [value_size:varint]  [expires_at:fixed64]  key  [value]
//
//   kind        low 7 bits: RecordKind; bit 7: expires_at is present
//   value_size, value   not present for kTombstone
//
// A batch holds puts and deletes of keys. An engine's log may hold range tombstones as well, which
// take the same form (AppendRangeTombstone).
//
// Thread safety: none; one thread at a time.
#ifndef KV_CONTRACT_WRITE_BATCH_H_
#define KV_CONTRACT_WRITE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kv/base/bytes.h"
#include "kv/contract/record.h"

namespace kv {

class WriteBatch {
 public:
  // `expires_at`: Unix milliseconds, or kNeverExpires.
  void Put(std::string_view key, std::string_view value, uint64_t expires_at = kNeverExpires) {
    const bool expires = expires_at != kNeverExpires;
    Grow(key.size() + value.size());
    bytes_.push_back(
        static_cast<char>(static_cast<uint8_t>(RecordKind::kValue) | (expires ? kExpiresBit : 0)));
    AppendVarint64(&bytes_, key.size());
    AppendVarint64(&bytes_, value.size());
    if (expires) AppendFixed64(&bytes_, expires_at);
    bytes_.append(key).append(value);
    ++count_;
  }

  void Delete(std::string_view key) {
    Grow(key.size());
    bytes_.push_back(static_cast<char>(RecordKind::kTombstone));
    AppendVarint64(&bytes_, key.size());
    bytes_.append(key);
    ++count_;
  }

  // Appends to the entries in `bytes` one that deletes every key in [begin, end); an empty `end` is
  // no bound.
  static void AppendRangeTombstone(std::string* bytes, std::string_view begin,
                                   std::string_view end) {
    bytes->push_back(static_cast<char>(RecordKind::kRangeTombstone));
    AppendVarint64(bytes, begin.size());
    AppendVarint64(bytes, end.size());
    bytes->append(begin).append(end);
  }

  // Keeps the memory, so that a reused batch allocates nothing.
  void Clear() {
    bytes_.clear();
    count_ = 0;
  }

  void Append(const WriteBatch& other) {
    bytes_.append(other.bytes_);
    count_ += other.count_;
  }

  size_t Count() const { return count_; }
  bool Empty() const { return count_ == 0; }
  // The encoded entries.
  std::string_view Bytes() const { return bytes_; }

  // Takes the first entry off the front of `bytes` into `record`, whose sequence is left alone.
  // False when the bytes are not an entry. O(1); nothing is copied.
  static bool TakeEntry(std::string_view* bytes, Record* record) {
    if (bytes->empty()) return false;
    const auto tag = static_cast<uint8_t>(bytes->front());
    const uint8_t kind = tag & ~kExpiresBit;
    if (kind > static_cast<uint8_t>(RecordKind::kRangeTombstone)) return false;
    std::string_view rest = bytes->substr(1);
    uint64_t key_size = 0;
    uint64_t value_size = 0;
    if (!TakeVarint64(&rest, &key_size)) return false;
    record->kind = static_cast<RecordKind>(kind);
    if (record->kind != RecordKind::kTombstone && !TakeVarint64(&rest, &value_size)) return false;
    record->expires_at = kNeverExpires;
    if ((tag & kExpiresBit) != 0) {
      if (rest.size() < 8) return false;
      record->expires_at = LoadFixed64(rest.data());
      rest.remove_prefix(8);
    }
    if (key_size > rest.size() || value_size > rest.size() - key_size) return false;
    record->key = rest.substr(0, key_size);
    record->value = rest.substr(key_size, value_size);
    rest.remove_prefix(key_size + value_size);
    *bytes = rest;
    return true;
  }

  // Calls visit(const Record&) for each entry of well-formed `bytes`, with consecutive sequence
  // numbers from `first` on. False when the bytes are malformed; entries before that were visited.
  template <typename Visitor>
  static bool ForEach(std::string_view bytes, Sequence first, Visitor&& visit) {
    Record record;
    record.sequence = first;
    while (!bytes.empty()) {
      if (!TakeEntry(&bytes, &record)) return false;
      visit(static_cast<const Record&>(record));
      ++record.sequence;
    }
    return true;
  }

 private:
  static constexpr uint8_t kExpiresBit = 0x80;
  static constexpr size_t kMaxOverhead = 1 + 2 * kMaxVarint64Bytes + 8;

  // One growth check a put instead of one for each part.
  void Grow(size_t payload) {
    const size_t needed = bytes_.size() + payload + kMaxOverhead;
    if (needed > bytes_.capacity()) bytes_.reserve(needed + bytes_.capacity());
  }

  std::string bytes_;
  size_t count_ = 0;
};

}  // namespace kv

#endif  // KV_CONTRACT_WRITE_BATCH_H_
