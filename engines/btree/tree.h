// The tree as readers see it: from a key to its leaf, without locks.
//
// Pages are found through the pool's table by logical ids, so a page can change its frame and its
// place on disk without its parent knowing. An inner page never changes in its frame: the writer
// puts another frame in its place. A leaf changes under its version (leaf.h). What concerns
// several pages (a split, a leaf that goes) happens under the tree's version, `structure`: a reader
// that finds it changed begins again at the root. Splits come once in dozens of inserts, so that is
// rare, and a page that had to be read in meanwhile is there the next time.
//
// A reader loads the sequence number it reads at before it looks for the leaf; so the leaf has
// every version up to it, unless one was dropped since: the page's pruned_at tells, or
// `removed_at_` if the page itself is gone.
//
// Pages that were read in are well formed (page_builder.h), which does not say that they hang
// together well. In a tree that was written wrongly, walks and searches come to an end all the
// same: Descend goes down one level at a time, and CopyLeaf wants the key between the bounds. The
// rest is for Verify to find (verify.h).
//
// There is one writer at a time (writer.h): commit policies let one thread into the journal, so
// locks for writers would guard nothing.
//
// Memory order: `structure` is a sequence lock over frames in the table, as leaf.h has it for
// slots: the table's entries are stored with release and loaded with acquire. Thread safety: any
// thread. Source: optimistic lock coupling (Leis et al., 2016).
#ifndef ENGINES_BTREE_TREE_H_
#define ENGINES_BTREE_TREE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engines/btree/frame.h"
#include "engines/btree/leaf.h"
#include "engines/btree/page.h"
#include "engines/btree/pool.h"
#include "engines/btree/search.h"
#include "kv/base/atomic.h"
#include "kv/base/status.h"

namespace kv::btree {

// Which leaf: the one that holds the key, or would; or the last one with keys before it; or the
// leaf at an end of the tree.
enum class Toward { kKey, kBefore, kFirst, kLast };

template <FileSystem Files, size_t kPageBytes>
class Tree {
 public:
  using PoolType = Pool<Files, kPageBytes>;
  static constexpr size_t kBytes = kPageBytes;

  explicit Tree(PoolType& pool) : pool_(pool) {}

  PoolType& pool() const { return pool_; }

  // Calls use(const LeafItem&) with the newest version of `key` at or before `at`,
  // within a guard: it must not wait. kNotFound: there is none. kAborted: `at` is too old for a
  // reader that is not registered; read again, at a newer sequence number.
  template <typename Use>
  absl::Status Find(std::string_view key, Sequence at, bool registered, Use&& use) const {
    for (;;) {
      Missing missing;
      {
        const auto guard = pool_.Enter();
        Frame* const frame = Descend(Toward::kKey, key, &missing, [](Page, size_t) {});
        if (frame != nullptr) [[likely]] {
          frame->Touch();
          const uint64_t version = StableVersion(frame->version);
          const Page page = frame->page();
          const size_t count = page.count();
          const size_t rank = RankInLeaf(page, count, key, at);
          const Sequence removed = removed_at_.load(std::memory_order_acquire);
          LeafItem item;
          if (rank < count) item = page.item(rank);
          if (!Unchanged(frame, version, missing.structure)) continue;
          if (!registered && (page.pruned_at() > at || removed > at)) return TooOld();
          if (rank == count || item.key != key) return NotFound();
          std::forward<Use>(use)(static_cast<const LeafItem&>(item));
          return absl::OkStatus();
        }
      }
      KV_RETURN_IF_ERROR(Bring(missing));
    }
  }

  // What lies between the separators around a leaf (none: false), and for prefetching only, where
  // the leaf behind it is in memory (null: it is not, or has another parent).
  struct Bounds {
    std::string lower;
    std::string upper;
    bool has_lower = false;
    bool has_upper = false;
    const Frame* next = nullptr;
  };
  // Calls copy(Page) with a leaf at one instant, within a guard.
  template <typename Copy>
  absl::Status CopyLeaf(Toward toward, std::string_view key, Bounds* bounds, Copy&& copy) const {
    for (;;) {
      Missing missing;
      {
        const auto guard = pool_.Enter();
        // Inner pages do not change in their frames, so views of them hold within the guard.
        std::optional<std::string_view> lower;
        std::optional<std::string_view> upper;
        PageId next = 0;
        Frame* const frame = Descend(toward, key, &missing, [&](Page page, size_t rank) {
          if (rank > 0) lower = page.separator(rank - 1);
          const bool last = rank == page.count();
          if (!last) upper = page.separator(rank);
          next = last ? 0 : page.child(rank + 1);
        });
        if (frame != nullptr) [[likely]] {
          bounds->has_lower = lower.has_value();
          bounds->has_upper = upper.has_value();
          if (lower) bounds->lower.assign(*lower);
          if (upper) bounds->upper.assign(*upper);
          bounds->next = next == 0 ? nullptr : pool_.Find(next);
          frame->Touch();
          const uint64_t version = StableVersion(frame->version);
          copy(frame->page());
          if (!Unchanged(frame, version, missing.structure)) continue;
          return Surround(*bounds, toward, key) ? absl::OkStatus() : Misplaced(frame->id);
        }
      }
      KV_RETURN_IF_ERROR(Bring(missing));
    }
  }

  // Reads in the pages on the way to `key`.
  absl::Status Prefault(std::string_view key) const {
    for (;;) {
      Missing missing;
      {
        const auto guard = pool_.Enter();
        Frame* const frame = Descend(Toward::kKey, key, &missing, [](Page, size_t) {});
        if (frame != nullptr) {
          frame->Touch();
          return absl::OkStatus();
        }
      }
      KV_RETURN_IF_ERROR(Bring(missing));
    }
  }

  // Why a way ended before its leaf, and at which version of the tree it began.
  struct Missing {
    PageId id = 0;           // the page that is not in memory,
    bool misplaced = false;  // or which is, but not of the level below the page that names it
    uint64_t structure = 0;
  };

  // The frame of the leaf; or null, and what is missing. visit(inner page, rank of the child taken)
  // on the way. Within a guard, or with the pool's mutex.
  template <typename Visit>
  Frame* Descend(Toward toward, std::string_view key, Missing* missing, Visit&& visit) const {
    missing->structure = StableVersion(structure_);
    PageId id = kRootId;
    size_t above = 0;
    for (;;) {
      Frame* const frame = pool_.Find(id);
      if (frame == nullptr) [[unlikely]] {
        missing->id = id;
        return nullptr;
      }
      Prefetch(frame);
      const Page page = frame->page();
      const size_t level = page.level();
      if (above != 0 && level + 1 != above) [[unlikely]] {
        missing->id = id;
        missing->misplaced = true;
        return nullptr;
      }
      if (level == 0) return frame;
      above = level;
      const size_t rank = Rank(toward, page, key);
      visit(page, rank);
      id = page.child(rank);
    }
  }

  // Reads in what was missing, outside of guards and without the mutex: then begin again. An error:
  // it can never be there.
  absl::Status Bring(const Missing& missing) const {
    if (!missing.misplaced) {
      absl::Status status = pool_.Load(missing.id);
      if (!absl::IsNotFound(status)) return status;
    }
    // The page went while we came for it, and another one may have its id. If nothing has changed,
    // it was wrong from the beginning.
    if (structure_.load(std::memory_order_acquire) != missing.structure) return absl::OkStatus();
    return missing.misplaced ? Misplaced(missing.id) : Damaged(missing.id, "is nowhere");
  }

  absl::Status Misplaced(PageId id) const { return Damaged(id, "is in the wrong place"); }

  // The writer's: what happens between is one step for readers. It must not wait.
  void BeginChange() {
    structure_.store(structure_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void EndChange() {
    structure_.store(structure_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  // Pages without anything that a reader at `at` or later, or a registered one, could see are being
  // taken out. Between BeginChange and EndChange.
  void set_removed_at(Sequence at) { removed_at_.store(at, std::memory_order_release); }

 private:
  absl::Status Damaged(PageId id, std::string_view why) const {
    return Corruption(pool_.path(), 0,
                      fmt::format("page {} is named in the tree, but {}", id, why));
  }

  // A walk goes on at a bound of its leaf, which must lead it on.
  static bool Surround(const Bounds& bounds, Toward toward, std::string_view key) {
    switch (toward) {
      case Toward::kKey:
        return !bounds.has_upper || bounds.upper.compare(key) > 0;
      case Toward::kBefore:
        return !bounds.has_lower || bounds.lower.compare(key) < 0;
      default:
        return true;
    }
  }

  static absl::Status TooOld() { return absl::AbortedError("versions were dropped meanwhile"); }

  static size_t Rank(Toward toward, Page page, std::string_view key) {
    switch (toward) {
      case Toward::kKey:
        return RankInInner<true>(page, key);
      case Toward::kBefore:
        return RankInInner<false>(page, key);
      case Toward::kFirst:
        return 0;
      case Toward::kLast:
        return page.count();
    }
    return 0;
  }

  // The lines that a search is going to touch, at once rather than one after the other.
  static void Prefetch(const Frame* frame) {
    const char* const line = reinterpret_cast<const char*>(frame);
    for (size_t at = 0; at < 10 * size_t{64}; at += 64) __builtin_prefetch(line + at);
  }

  bool Unchanged(const Frame* frame, uint64_t version, uint64_t structure) const {
    return frame->version.load(std::memory_order_relaxed) == version &&
           structure_.load(std::memory_order_relaxed) == structure;
  }

  PoolType& pool_;
  alignas(64) Atomic<uint64_t> structure_{0};
  Atomic<Sequence> removed_at_{0};
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_TREE_H_
