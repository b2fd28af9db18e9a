// HashBatch: a write batch on its way into the shards: its Pendings and the one flag that commits
// them, in one block that readers may look at.
//
// Life: constructed, best outside any lock (it copies keys and values); takes effect under the
// locks of its shards; the block is then retired like an entry.
//
// Thread safety: one thread, except that readers follow Pendings.
#ifndef ENGINES_MEMORY_HASH_BATCH_H_
#define ENGINES_MEMORY_HASH_BATCH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "engines/memory/entry.h"
#include "engines/memory/hash_shard.h"
#include "engines/memory/hash_table.h"
#include "kv/base/atomic.h"
#include "kv/base/hash.h"
#include "kv/contract/write_batch.h"

namespace kv::memory_internal {

class HashBatch {
  struct alignas(Pending) Block {
    Atomic<bool> committed{false};
  };

 public:
  struct Operation {
    uint64_t hash;
    HashShard* shard;
    uint32_t user_bytes;
    bool installed = false;
    size_t slot;  // of the Pending, when installed
  };

  // `batch` is well formed and outlives this; `shard_of(hash)` is the shard of a key.
  template <typename ShardOf>
  HashBatch(const WriteBatch& batch, ShardOf&& shard_of) : bytes_(BlockBytes(batch.Count())) {
    block_ = new (::operator new(bytes_)) Block;
    operations_.reserve(batch.Count());
    Pending* pending = pendings();
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      const uint64_t hash = HashKey(record.key);
      HashShard* const shard = shard_of(hash);
      shard->Table().Prefetch(hash);
      const Entry* const entry =
          record.kind == RecordKind::kTombstone
              ? nullptr
              : Entry::New(record.key, record.value, record.expires_at).release();
      new (pending++) Pending{record.key, nullptr, entry, &block_->committed};
      // Filled in place: a copy of what was just stored in parts waits for the stores.
      Operation& operation = operations_.emplace_back();
      operation.hash = hash;
      operation.shard = shard;
      operation.user_bytes = static_cast<uint32_t>(record.key.size() + record.value.size());
    });
  }
  HashBatch(const HashBatch&) = delete;
  HashBatch& operator=(const HashBatch&) = delete;

  const auto& operations() const { return operations_; }

  // Installs the Pendings, commits them at one instant and puts plain words in their place. `locks`
  // holds the locks of the operations' shards at least.
  template <typename Locks>
  void TakeEffect(Locks& locks) {
    for (const Operation& operation : operations_) operation.shard->Expect();
    locks.ForEach([](HashShard& shard) { shard.MakeRoomForExpected(); });
    Pending* pending = pendings();
    for (Operation& operation : operations_) {
      operation.installed = operation.shard->Prepare(operation.hash, pending++, &operation.slot);
    }
    locks.ForEach([](HashShard& shard) { shard.BeginChange(); });
    // release: pairs with the acquire in Resolve; the words of all Pendings come before it.
    block_->committed.store(true, std::memory_order_release);
    pending = pendings();
    for (const Operation& operation : operations_) {
      if (operation.installed) operation.shard->Finish(operation.hash, *pending, operation.slot);
      ++pending;
    }
    locks.ForEach([](HashShard& shard) { shard.EndChange(); });
    // No word leads to the block any more.
    operations_.front().shard->Retire(std::exchange(block_, nullptr), bytes_);
  }

 private:
  // As many live within the object, so that a small batch allocates its block and entries only.
  static constexpr size_t kInlineOperations = 32;

  static_assert(alignof(Pending) <= sizeof(Pending*));
  static size_t BlockBytes(size_t records) { return sizeof(Block) + records * sizeof(Pending); }
  Pending* pendings() { return reinterpret_cast<Pending*>(block_ + 1); }

  size_t bytes_;
  Block* block_ = nullptr;
  absl::InlinedVector<Operation, kInlineOperations> operations_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_HASH_BATCH_H_
