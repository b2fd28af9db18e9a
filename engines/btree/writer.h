// The tree's writer: inserts versions, splits what is full, and takes out what is empty.
//
// Most inserts go into the gap of a leaf that is dirty already, without a lock (leaf.h). A leaf
// with no room is written anew without the versions that nobody needs (pruning.h), into one frame
// or two; an inner page gets a new frame for each change. New frames are complete before readers
// meet them, and what belongs together appears at once (tree.h).
//
// Thread safety: one thread at a time, beside any readers and a checkpoint.
#ifndef ENGINES_BTREE_WRITER_H_
#define ENGINES_BTREE_WRITER_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/btree/page_builder.h"
#include "engines/btree/page_maker.h"
#include "engines/btree/pruning.h"
#include "engines/btree/reader_list.h"
#include "engines/btree/tree.h"

namespace kv::btree {

template <FileSystem Files, typename Pages, typename Expiry, typename Clock>
class Writer {
 public:
  static constexpr size_t kPageBytes = Pages::kBytes;
  using TreeType = Tree<Files, kPageBytes>;
  using PoolType = typename TreeType::PoolType;
  using Missing = typename TreeType::Missing;

  Writer(TreeType& tree, const ReaderList& readers, Clock clock)
      : tree_(tree),
        pool_(tree.pool()),
        maker_(pool_),
        readers_(readers),
        clock_(std::move(clock)) {}

  // A version that is there already changes nothing. Errors are those of reading pages in.
  absl::Status Insert(const Record& record) {
    if (record.value.size() > Pages::kMaxInlineValue) return InsertBlob(record);
    return InsertItem({.key = record.key,
                       .value = record.value,
                       .sequence = record.sequence,
                       .expires_at = record.expires_at,
                       .kind = record.kind});
  }

  // Makes the empty tree.
  void PlantLocked() {
    Frame* const root = maker_.NewPage(kRootId, PageKind::kLeaf, 0, 0);
    FillLeaf(root->page(), {}, 0, 0);
    pool_.ReplaceLocked(root);
  }

  // Inner pages are not joined: they are a hundredth of the leaves, and go with their last child.
  //
  // Writes the leaf of `key` anew if that drops something, together with its right neighbour if one
  // page is enough for both. Sets `next` to where to go on, and `more` to whether there is more.
  absl::Status Tidy(std::string_view key, std::string* next, bool* more) {
    return WithPath(key, [&](Path& path) -> absl::StatusOr<PageId> {
      *more = false;
      for (const Step& step : path.steps) {
        const Page page = step.frame->page();
        if (step.rank == page.count()) continue;
        next->assign(page.separator(step.rank));
        *more = true;
      }
      // Separators that are out of order would lead round and round.
      if (*more && next->compare(key) <= 0) return tree_.Misplaced(path.leaf->id);
      const Readers readers = ReadersNow();
      std::vector<LeafItem> items = ItemsOf(path.leaf->page());
      const size_t before = items.size();
      Pruned pruned = Prune<Expiry>(readers, &items);
      Changes changes{.pruned_at = readers.visible};
      if (items.empty() && !path.steps.empty()) {
        RemoveChild(path, &changes);
        Apply(&changes, pruned);
        return PageId{0};
      }
      if (Frame* neighbour = nullptr; LeafBytes(items) < kMergeBytes && HasNeighbour(path)) {
        const Step& parent = path.steps.back();
        const PageId id = parent.frame->page().child(parent.rank + 1);
        neighbour = pool_.Find(id);
        if (neighbour == nullptr) return id;
        if (neighbour->page().level() != 0) return tree_.Misplaced(id);
        path.Pin(neighbour);
        std::vector<LeafItem> others = ItemsOf(neighbour->page());
        const Pruned pruned_others = Prune<Expiry>(readers, &others);
        if (LeafBytes(items) + LeafBytes(others) - kPageHeaderBytes <= kMergeBytes) {
          items.insert(items.end(), others.begin(), others.end());
          pruned.blobs.insert(pruned.blobs.end(), pruned_others.blobs.begin(),
                              pruned_others.blobs.end());
          pruned.expired += pruned_others.expired;
          changes.fresh.push_back(maker_.NewLeaf(path.leaf->id, items, readers.visible));
          RemoveNeighbour(path, &changes);
          Apply(&changes, pruned);
          next->assign(key);
          return PageId{0};
        }
      }
      if (items.size() == before && pruned.expired == 0) return PageId{0};
      changes.fresh.push_back(maker_.NewLeaf(path.leaf->id, items, readers.visible));
      Apply(&changes, pruned);
      return PageId{0};
    });
  }

  uint64_t expired() const { return expired_; }

 private:
  static constexpr size_t kFullBytes = kPageBytes * 7 / 8;
  static constexpr size_t kMergeBytes = kPageBytes * 3 / 4;

  // An inner page on the way to a leaf, and the rank of the child taken.
  struct Step {
    Frame* frame;
    size_t rank;
  };
  struct Path {
    Path() = default;
    Path(const Path&) = delete;
    Path& operator=(const Path&) = delete;
    ~Path() {
      for (Frame* frame : pinned) frame->pinned = false;
    }

    // What is on the path must not be evicted while new frames are made.
    void Pin(Frame* frame) {
      frame->pinned = true;
      pinned.push_back(frame);
    }

    std::vector<Step> steps;  // from the root
    Frame* leaf = nullptr;
    std::vector<Frame*> pinned;
  };
  // What becomes visible at once.
  struct Changes {
    Sequence pruned_at = 0;
    std::vector<Frame*> fresh = {};
    std::vector<PageId> gone = {};
  };

  static bool HasNeighbour(const Path& path) {
    if (path.steps.empty()) return false;
    const Step& parent = path.steps.back();
    return parent.rank < parent.frame->page().count();
  }

  absl::Status InsertBlob(const Record& record) {
    char reference[kBlobReferenceBytes];
    {
      const std::lock_guard lock(pool_.mutex());
      pool_.NewBlobLocked(record.value).Encode(reference);
    }
    return InsertItem({.key = record.key,
                       .value = std::string_view(reference, sizeof reference),
                       .sequence = record.sequence,
                       .expires_at = record.expires_at,
                       .kind = record.kind,
                       .blob = true});
  }

  absl::Status InsertItem(const LeafItem& item) {
    Frame* frame;
    {
      // A page that is dirty is not evicted; others could be, as soon as the guard is gone.
      const auto guard = pool_.Enter();
      Missing missing;
      frame = tree_.Descend(Toward::kKey, item.key, &missing, [](Page, size_t) {});
      // acquire: pairs with the pool's release, when the checkpoint has read the page.
      if (frame != nullptr &&
          (frame->dirty_epoch.load(std::memory_order_acquire) != pool_.epoch() ||
           !FitsInPlace(frame->page(), item))) {
        frame = nullptr;
      }
    }
    if (frame != nullptr) [[likely]] {
      InsertInPlace(frame, item);
      return absl::OkStatus();
    }
    return WithPath(item.key, [&](Path& path) -> absl::StatusOr<PageId> {
      if (FitsInPlace(path.leaf->page(), item)) {
        InsertInPlace(pool_.WritableLocked(path.leaf), item);
      } else {
        InsertAnew(path, item);
      }
      return PageId{0};
    });
  }

  // Calls action(path) with the mutex held and all pages of the path in memory, until it needs no
  // further page (0).
  template <typename Action>
  absl::Status WithPath(std::string_view key, Action&& action) {
    for (;;) {
      Missing missing;
      {
        const std::lock_guard lock(pool_.mutex());
        Path path;
        path.leaf = tree_.Descend(Toward::kKey, key, &missing, [&](Page page, size_t rank) {
          path.steps.push_back({pool_.Find(page.id()), rank});
          path.Pin(path.steps.back().frame);
        });
        if (path.leaf != nullptr) {
          path.Pin(path.leaf);
          KV_ASSIGN_OR_RETURN(missing.id, action(path));
          if (missing.id == 0) return absl::OkStatus();
        }
      }
      KV_RETURN_IF_ERROR(tree_.Bring(missing));
    }
  }

  static std::vector<LeafItem> ItemsOf(Page page) {
    std::vector<LeafItem> items(page.count());
    for (size_t i = 0; i < items.size(); ++i) items[i] = page.item(i);
    return items;
  }

  Readers ReadersNow() const { return readers_.List(clock_.UnixMillis()); }

  // The item does not fit into the leaf as it is.
  void InsertAnew(Path& path, const LeafItem& item) {
    Frame* const leaf = path.leaf;
    const Page page = leaf->page();
    std::vector<LeafItem> items = ItemsOf(page);
    const size_t rank = RankInLeafOfAny(page, items.size(), item.key, item.sequence);
    const bool appends = rank == items.size() && IsLast(path);
    if (rank < items.size() && items[rank].key == item.key &&
        items[rank].sequence == item.sequence) {
      return;
    }
    items.insert(items.begin() + static_cast<ptrdiff_t>(rank), item);
    const Readers readers = ReadersNow();
    const Pruned pruned = Prune<Expiry>(readers, &items);
    const Sequence pruned_at = readers.visible;
    Changes changes{.pruned_at = pruned_at};
    const size_t boundary = LeafBytes(items) > kFullBytes ? SplitBoundary(items, appends) : 0;
    if (items.empty() && !path.steps.empty()) {
      RemoveChild(path, &changes);
    } else if (boundary == 0) {
      changes.fresh.push_back(maker_.NewLeaf(leaf->id, items, pruned_at));
    } else {
      const std::span all(items);
      std::string separator = Separator(items[boundary - 1].key, items[boundary].key);
      const PageId right = pool_.NewIdLocked();
      const size_t shared = CommonPrefixLength(items[boundary - 1].key, items[boundary].key);
      // One that is the first of an ascending run: what comes next will be as like it as it is to
      // what came before, but for a carry.
      const size_t skip = appends && shared > 2 ? shared - 2 : 0;
      changes.fresh.push_back(maker_.NewLeaf(right, all.subspan(boundary), pruned_at, skip));
      const PageId left = path.steps.empty() ? pool_.NewIdLocked() : leaf->id;
      changes.fresh.push_back(maker_.NewLeaf(left, all.first(boundary), pruned_at));
      AddBranch(path, left, {std::move(separator), right}, 1, &changes);
    }
    Apply(&changes, pruned);
  }

  static bool IsLast(const Path& path) {
    return std::ranges::all_of(
        path.steps, [](const Step& step) { return step.rank == step.frame->page().count(); });
  }

  // Hangs `branch` in behind the child `left` at the end of `path`; `level` is that of the parent.
  // Takes the last step off the path.
  void AddBranch(Path& path, PageId left, Branch branch, uint8_t level, Changes* changes) {
    if (path.steps.empty()) {
      const Branch branches[] = {std::move(branch)};
      changes->fresh.push_back(maker_.NewInner(kRootId, level, left, branches));
      return;
    }
    const Step parent = path.steps.back();
    const bool last = IsLast(path) && parent.rank == parent.frame->page().count();
    path.steps.pop_back();
    const Page page = parent.frame->page();
    std::vector<Branch> branches = BranchesOf(page);
    branches.insert(branches.begin() + static_cast<ptrdiff_t>(parent.rank), std::move(branch));
    const PageId first = page.first_child();
    if (InnerBytes(branches) <= kPageBytes || branches.size() < 5) {
      changes->fresh.push_back(maker_.NewInner(page.id(), level, first, branches));
      return;
    }
    const size_t middle = last ? branches.size() - 2 : branches.size() / 2;
    const std::span all(branches);
    const PageId right = pool_.NewIdLocked();
    const PageId left_id = path.steps.empty() ? pool_.NewIdLocked() : page.id();
    changes->fresh.push_back(
        maker_.NewInner(right, level, branches[middle].child, all.subspan(middle + 1)));
    changes->fresh.push_back(maker_.NewInner(left_id, level, first, all.first(middle)));
    AddBranch(path, left_id, {std::move(branches[middle].key), right},
              static_cast<uint8_t>(level + 1), changes);
  }

  // Takes the child at the end of `path` out of its parent, and parents that have no other child.
  void RemoveChild(const Path& path, Changes* changes) {
    changes->gone.push_back(path.leaf->id);
    for (size_t i = path.steps.size(); i-- > 0;) {
      const auto& [frame, rank] = path.steps[i];
      const Page page = frame->page();
      if (page.count() == 0) {
        if (page.id() != kRootId) {
          changes->gone.push_back(page.id());
          continue;
        }
        changes->fresh.push_back(maker_.NewLeaf(kRootId, {}, changes->pruned_at));
        return;
      }
      changes->fresh.push_back(maker_.WithoutChild(page, rank));
      return;
    }
  }

  // Takes the right neighbour of the leaf at the end of `path` out.
  void RemoveNeighbour(const Path& path, Changes* changes) {
    const auto& [frame, rank] = path.steps.back();
    changes->gone.push_back(frame->page().child(rank + 1));
    changes->fresh.push_back(maker_.WithoutChild(frame->page(), rank + 1));
  }

  void Apply(Changes* changes, const Pruned& pruned) {
    expired_ += pruned.expired;
    tree_.BeginChange();
    if (!changes->gone.empty()) tree_.set_removed_at(changes->pruned_at);
    for (Frame* frame : changes->fresh) pool_.ReplaceLocked(frame);
    for (const PageId id : changes->gone) pool_.FreeIdLocked(id);
    tree_.EndChange();
    for (const PageId id : pruned.blobs) pool_.FreeIdLocked(id);
  }

  TreeType& tree_;
  PoolType& pool_;
  PageMaker<PoolType, kPageBytes> maker_;
  const ReaderList& readers_;
  Clock clock_;
  uint64_t expired_ = 0;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_WRITER_H_
