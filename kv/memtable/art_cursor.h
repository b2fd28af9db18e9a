// ArtCursor: ArtMemtable::Cursor, the part of kv/memtable/art.h that walks.
//
// Contract: RecordCursor (kv/contract/record.h), as kv/memtable/concept.h narrows it.
//
// It keeps the nodes from the root to where it stands, each with the symbol it went down by. A node
// that was replaced meanwhile is as complete as it was when the cursor came to it, so everything
// inserted before the positioning is met; and every slot leads to keys of its own symbol only, so
// the order is strict. Versions of a key are followed from the head that the cursor came to.
//
// Cost: Seek goes down twice, first to find how much of the key is in the tree. A move within a key
// is O(1) forwards, O(versions) backwards; to another key it is a step in the lowest node mostly.
#ifndef KV_MEMTABLE_ART_CURSOR_H_
#define KV_MEMTABLE_ART_CURSOR_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "kv/base/bytes.h"
#include "kv/contract/record.h"
#include "kv/memtable/art_node.h"
#include "kv/memtable/version_chain.h"

namespace kv {

template <typename Tree>
class ArtCursor {
  using Branch = art_internal::Branch;
  using Child = art_internal::Child;
  using Node = art_internal::Node;

 public:
  explicit ArtCursor(const Tree* tree) : tree_(tree) {}

  bool Valid() const { return version_ != nullptr; }
  const Record& record() const { return record_; }
  absl::Status status() const { return absl::OkStatus(); }

  void SeekToFirst() {
    path_.clear();
    GoDown<true>(tree_->root_.Load());
  }
  void SeekToLast() {
    path_.clear();
    GoDown<false>(tree_->root_.Load());
  }

  void Seek(std::string_view key, Sequence sequence) {
    while (!TrySeek(key, sequence)) {
    }
  }

  void Next() {
    if (const ChainedVersion* const older = version_->older()) {
      Arrive(older);
    } else {
      NextKey();
    }
  }

  void Prev() {
    if (version_ == head_) {
      PreviousKey();
      return;
    }
    const ChainedVersion* newer = head_;
    while (newer->older() != version_) newer = newer->older();
    Arrive(newer);
  }

 private:
  struct Step {
    const Node* node;
    int symbol;
  };

  // False when the key was inserted in the middle of it, or one that shares more bytes with it.
  bool TrySeek(std::string_view key, Sequence sequence) {
    path_.clear();
    Child child = tree_->root_.Load();
    if (!child) {
      Arrive(nullptr);
      return true;
    }
    const std::string_view near = tree_->Nearest(key)->entry()->key();
    const size_t shared = CommonPrefixLength(key, near);
    const bool here = shared == key.size() && shared == near.size();
    while (!child.IsLeaf() && child.node()->depth() <= shared) {
      const Node* const node = child.node();
      const int symbol = art_internal::SymbolAt(key, node->depth());
      const art_internal::Slot* const slot = node->Find(symbol);
      path_.push_back({node, symbol});
      if (slot == nullptr) {
        NextKey();
        return true;
      }
      // Nobody shared that byte when we looked for the nearest key.
      if (node->depth() == shared && !here) return false;
      child = slot->Load();
    }
    if (here) {
      head_ = child.leaf();
      const ChainedVersion* const version = ChainedVersion::Find(head_, sequence);
      version == nullptr ? NextKey() : Arrive(version);
    } else if (art_internal::SymbolAt(near, shared) > art_internal::SymbolAt(key, shared)) {
      // All of what is below shares its first bytes with `near`.
      GoDown<true>(child);
    } else {
      NextKey();
    }
    return true;
  }

  // To the first or last record below `child`.
  template <bool kFirst>
  void GoDown(Child child) {
    if (!child) {
      Arrive(nullptr);
      return;
    }
    while (!child.IsLeaf()) {
      const Node* const node = child.node();
      const Branch branch =
          kFirst ? node->Next(art_internal::kBefore) : node->Prev(art_internal::kBehind);
      if constexpr (kFirst) node->PrefetchAround(branch.symbol, true);
      path_.push_back({node, branch.symbol});
      child = branch.child;
    }
    head_ = child.leaf();
    const ChainedVersion* version = head_;
    if constexpr (!kFirst) {
      while (const ChainedVersion* const older = version->older()) version = older;
    }
    Arrive(version);
  }

  void NextKey() {
    for (; !path_.empty(); path_.pop_back()) {
      Step& step = path_.back();
      const Branch branch = step.node->Next(step.symbol);
      if (!branch.child) continue;
      step.symbol = branch.symbol;
      step.node->PrefetchAround(branch.symbol, false);
      GoDown<true>(branch.child);
      return;
    }
    Arrive(nullptr);
  }

  void PreviousKey() {
    for (; !path_.empty(); path_.pop_back()) {
      Step& step = path_.back();
      const Branch branch = step.node->Prev(step.symbol);
      if (!branch.child) continue;
      step.symbol = branch.symbol;
      GoDown<false>(branch.child);
      return;
    }
    Arrive(nullptr);
  }

  void Arrive(const ChainedVersion* version) {
    version_ = version;
    if (version != nullptr) record_ = version->entry()->record();
  }

  const Tree* tree_;
  std::vector<Step> path_;
  const ChainedVersion* head_ =
      nullptr;  // the newest version of the key, when the cursor came to it
  const ChainedVersion* version_ = nullptr;  // where the cursor stands
  Record record_;
};

}  // namespace kv

#endif  // KV_MEMTABLE_ART_CURSOR_H_
