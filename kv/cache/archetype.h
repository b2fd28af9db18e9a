// CacheArchetype: the least that models Cache, and the trivially right one: a std::map under a
// mutex that evicts the block that was inserted first. For tests.
#ifndef KV_CACHE_ARCHETYPE_H_
#define KV_CACHE_ARCHETYPE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "kv/cache/concept.h"

namespace kv {

class CacheArchetype {
 public:
  static constexpr std::string_view kName = "archetype";
  static constexpr bool kEnabled = true;

  class Handle {
   public:
    Handle() = default;
    explicit Handle(std::shared_ptr<const std::string> block) : block_(std::move(block)) {}
    Handle(Handle&&) = default;
    Handle& operator=(Handle&&) = default;
    explicit operator bool() const { return block_ != nullptr; }
    std::string_view bytes() const { return *block_; }

   private:
    std::shared_ptr<const std::string> block_;
  };

  explicit CacheArchetype(size_t capacity_bytes) : capacity_(capacity_bytes) {}

  Handle Lookup(uint64_t file, uint64_t offset) {
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find({file, offset});
    ++(found != blocks_.end() ? counters_.hits : counters_.misses);
    return found == blocks_.end() ? Handle() : Handle(found->second);
  }

  Handle Insert(uint64_t file, uint64_t offset, std::string block) {
    const std::lock_guard lock(mutex_);
    const Key key(file, offset);
    if (const auto found = blocks_.find(key); found != blocks_.end()) return Handle(found->second);
    auto shared = std::make_shared<const std::string>(std::move(block));
    if (Charge(*shared) > capacity_) return Handle(shared);
    while (used_ + Charge(*shared) > capacity_) {
      Remove(order_.front());
      order_.pop_front();
    }
    used_ += Charge(*shared);
    order_.push_back(key);
    blocks_.emplace(key, shared);
    return Handle(shared);
  }

  void EraseFile(uint64_t file) {
    const std::lock_guard lock(mutex_);
    order_.remove_if([&](const Key& key) {
      if (key.first == file) Remove(key);
      return key.first == file;
    });
  }

  CacheCounters Counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
  }
  size_t UsedBytes() const {
    const std::lock_guard lock(mutex_);
    return used_;
  }
  size_t CapacityBytes() const { return capacity_; }

 private:
  using Key = std::pair<uint64_t, uint64_t>;

  // The rest of the charge is a guess at the nodes.
  static size_t Charge(const std::string& block) { return block.capacity() + 160; }

  void Remove(const Key& key) {
    const auto found = blocks_.find(key);
    used_ -= Charge(*found->second);
    blocks_.erase(found);
  }

  const size_t capacity_;
  mutable std::mutex mutex_;
  size_t used_ = 0;
  std::map<Key, std::shared_ptr<const std::string>> blocks_;
  std::list<Key> order_;
  CacheCounters counters_;
};

static_assert(Cache<CacheArchetype>);

}  // namespace kv

#endif  // KV_CACHE_ARCHETYPE_H_
