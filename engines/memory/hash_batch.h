// HashBatch: a write batch on its way into the shards: its Pendings and the one flag that commits
// them, in one block that readers may look at.
//
// Life: constructed, best outside any lock (it copies keys and values); takes effect under the
// locks of its shards; the block is then retired like an entry.
//
// Thread safety: one thread, except that readers follow Pendings.
#ifndef ENGINES_MEMORY_HASH_BATCH_H_
#define ENGINES_MEMORY_HASH_BATCH_H_

#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "engines/memory/entry.h"
#include "engines/memory/hash_shard.h"
#include "engines/memory/hash_table.h"
#include "kv/base/hash.h"
#include "kv/contract/write_batch.h"

namespace kv::memory_internal {

// Holds the locks of a set of shards, taken in ascending order so that no circle closes.
template <size_t kShards>
class ShardLocks {
 public:
  using Set = std::bitset<kShards>;
  ShardLocks(std::array<std::unique_ptr<HashShard>, kShards>& shards, const Set& set)
      : shards_(shards), set_(set) {
    ForEach([](HashShard& shard) { shard.lock().lock(); });
  }
  ShardLocks(const ShardLocks&) = delete;
  ShardLocks& operator=(const ShardLocks&) = delete;
  ~ShardLocks() {
    ForEach([](HashShard& shard) { shard.lock().unlock(); });
  }

  template <typename F>
  void ForEach(F&& visit) {
    for (size_t i = 0; i < kShards; ++i) {
      if (set_.test(i)) visit(*shards_[i]);
    }
  }

 private:
  std::array<std::unique_ptr<HashShard>, kShards>& shards_;
  Set set_;
};

class HashBatch {
  struct alignas(Pending) Block {
    std::atomic<bool> committed{false};
  };

 public:
  struct Operation {
    uint64_t hash;
    Pending* pending;
    bool installed = false;
    size_t user_bytes = 0;
  };

  // `batch` is well formed and outlives this.
  explicit HashBatch(const WriteBatch& batch) : bytes_(BlockBytes(batch.Count())) {
    block_ = new (::operator new(bytes_)) Block;
    Pending* pending = reinterpret_cast<Pending*>(block_ + 1);
    operations_.reserve(batch.Count());
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      const Entry* const entry =
          record.kind == RecordKind::kTombstone
              ? nullptr
              : Entry::New(record.key, record.value, record.expires_at).release();
      new (pending) Pending{record.key, nullptr, entry, &block_->committed};
      operations_.push_back(
          {HashKey(record.key), pending++, false, record.key.size() + record.value.size()});
    });
  }
  HashBatch(const HashBatch&) = delete;
  HashBatch& operator=(const HashBatch&) = delete;

  std::vector<Operation>& operations() { return operations_; }

  // Installs the Pendings, commits them at one instant and puts plain words in their place. `locks`
  // holds at least the shards that `shard_of(hash)` names; they have room.
  template <typename Locks, typename ShardOf>
  void TakeEffect(Locks& locks, ShardOf&& shard_of) {
    for (Operation& operation : operations_) {
      operation.installed = shard_of(operation.hash).Prepare(operation.hash, operation.pending);
    }
    locks.ForEach([](HashShard& shard) { shard.BeginChange(); });
    // release: pairs with the acquire in Resolve; the words of all Pendings come before it.
    block_->committed.store(true, std::memory_order_release);
    for (const Operation& operation : operations_) {
      if (operation.installed) shard_of(operation.hash).Finish(operation.hash, *operation.pending);
    }
    locks.ForEach([](HashShard& shard) { shard.EndChange(); });
  }

  // Gives the block away; `shard` is locked and no word leads to the block any more.
  void RetireTo(HashShard* shard) { shard->Retire(std::exchange(block_, nullptr), bytes_); }

 private:
  static_assert(alignof(Pending) <= sizeof(Pending*));
  static size_t BlockBytes(size_t records) { return sizeof(Block) + records * sizeof(Pending); }

  size_t bytes_;
  Block* block_ = nullptr;
  std::vector<Operation> operations_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_HASH_BATCH_H_
