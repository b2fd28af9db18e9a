// What the caches have in common: how a block's key is hashed, what a block is charged, and the
// handle that keeps it in place.
//
// Thread safety: pure functions; a handle as kv/cache/concept.h says.
#ifndef KV_CACHE_BLOCK_H_
#define KV_CACHE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace kv {

// Two rounds of multiply and fold: files and offsets are small and regular numbers.
inline uint64_t HashBlockKey(uint64_t file, uint64_t offset) {
  uint64_t hash = (file + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 29) ^ offset) * 0x94d049bb133111eb;
  return hash ^ (hash >> 32);
}

inline constexpr size_t kMallocHeader = 16;

// Allocated bytes of the block and of malloc's header.
inline size_t BlockCharge(const std::string& block) { return block.capacity() + kMallocHeader; }

// A block of cache C that stays while this lives. `Slot` is what C keeps a block in: it has the
// bytes in its member `block`, and C::Unpin(Slot*) lets go of it. Or a block that the cache did not
// keep, which the handle owns.
template <typename C, typename Slot>
class BlockHandle {
 public:
  BlockHandle() = default;
  // `slot` is pinned; the handle takes the pin over.
  BlockHandle(C* cache, Slot* slot) : cache_(cache), slot_(slot) {}
  explicit BlockHandle(std::string block)
      : owned_(std::make_unique<std::string>(std::move(block))) {}

  BlockHandle(BlockHandle&& from) noexcept
      : cache_(from.cache_),
        slot_(std::exchange(from.slot_, nullptr)),
        owned_(std::move(from.owned_)) {}
  BlockHandle& operator=(BlockHandle&& from) noexcept {
    BlockHandle old(std::move(*this));
    cache_ = from.cache_;
    slot_ = std::exchange(from.slot_, nullptr);
    owned_ = std::move(from.owned_);
    return *this;
  }
  ~BlockHandle() {
    if (slot_ != nullptr) cache_->Unpin(slot_);
  }

  explicit operator bool() const { return slot_ != nullptr || owned_ != nullptr; }
  std::string_view bytes() const { return slot_ != nullptr ? slot_->block : *owned_; }

 private:
  C* cache_ = nullptr;
  Slot* slot_ = nullptr;
  std::unique_ptr<std::string> owned_;
};

}  // namespace kv

#endif  // KV_CACHE_BLOCK_H_
