// One shard of the index (index.h): a table, the lock of its writers, and the version by which
// readers, who take no lock, see whether it has changed under them.
//
// Memory order: a version is made odd (relaxed) before slots are stored (release) and even
// (release) after them. A reader loads the version (acquire), slots (acquire), the version
// (relaxed): if it saw any slot of a change, it sees that change's odd version or a later one.
// Seqlocks: Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.
//
// Thread safety: readers from any thread, inside the gate; changes with the lock held.
#ifndef ENGINES_LOG_INDEX_SHARD_H_
#define ENGINES_LOG_INDEX_SHARD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "engines/log/index_table.h"
#include "kv/base/atomic.h"
#include "kv/base/shard_lock.h"

namespace kv {

struct alignas(64) IndexShard {
  Atomic<uint64_t> version{0};
  Atomic<IndexTable*> table{nullptr};  // == owned.get()
  ShardLock lock;
  std::shared_ptr<IndexTable> owned;  // guarded by lock

  // acquire: pairs with the release of the version that was read.
  uint64_t StableVersion() const {
    for (int spins = 0;; ++spins) {
      const uint64_t now = version.load(std::memory_order_acquire);
      if ((now & 1) == 0) return now;
      if (kModelled || spins >= kSpins) GiveWay();
    }
  }
  // relaxed: after acquire loads of slots; see "Memory order" above.
  uint64_t Version() const { return version.load(std::memory_order_relaxed); }
  void BeginChange() {
    // relaxed: the slots' release stores come after; see "Memory order" above.
    version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void EndChange() {
    // release: pairs with StableVersion.
    version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  std::shared_ptr<IndexTable> Adopt(std::shared_ptr<IndexTable> fresh) {
    owned.swap(fresh);
    // release: pairs with the acquires of readers. The gate sees to those who still have the old.
    table.store(owned.get(), std::memory_order_release);
    return fresh;
  }

  // A change from its beginning to its end.
  class Change {
   public:
    explicit Change(IndexShard& shard) : shard_(shard) { shard_.BeginChange(); }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() { shard_.EndChange(); }

   private:
    IndexShard& shard_;
  };

 private:
  static constexpr int kSpins = 128;
};

}  // namespace kv

#endif  // ENGINES_LOG_INDEX_SHARD_H_
