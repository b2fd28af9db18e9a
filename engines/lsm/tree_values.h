// The value files of a tree, and how much of each its tables point to: part of each version.
//
// What is alive in a file is the sum of what the tables say that they refer to (TableMeta::values),
// and the rest is garbage. So the count cannot drift: it is right whenever the list of tables is,
// after a crash as well, and a file that no table refers to leaves the tree with the edit that took
// the last reference. A version of a key that a snapshot needs is a record of a table, and so not
// garbage.
//
// Thread safety: immutable.
#ifndef ENGINES_LSM_TREE_VALUES_H_
#define ENGINES_LSM_TREE_VALUES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engines/lsm/manifest_edit.h"
#include "engines/lsm/value_file.h"
#include "engines/lsm/value_format.h"
#include "engines/lsm/value_pointer.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/values/concept.h"

namespace kv {

template <typename Parts, typename Files>
class TreeValues {
 public:
  using File = ValueFile<Parts, Files>;
  using Room = typename File::Room;

  struct Use {
    std::shared_ptr<File> file;
    uint64_t live = 0;  // bytes of records that tables point to

    // Expects at most as much alive as there is, which recovery checks.
    ValueFileUse Sizes() const {
      const uint64_t bytes = file->meta().RecordBytes();
      return {.bytes = bytes, .garbage = bytes - std::min(live, bytes)};
    }
    bool IsCollected() const { return Parts::Values::IsCollected(Sizes()); }
  };

  // Of the tables in `levels`, which know their value files. O(references * log references).
  template <typename Levels>
  static std::shared_ptr<const TreeValues> Of(const Levels& levels) {
    auto values = std::make_shared<TreeValues>();
    std::vector<Use>& uses = values->uses_;
    for (const auto& level : levels) {
      for (const auto& table : level) {
        for (size_t i = 0; i < table->Values().size(); ++i) {
          uses.push_back({table->Values()[i], table->Meta().values[i].bytes});
        }
      }
    }
    std::ranges::sort(uses, {}, &TreeValues::NumberOf);
    size_t kept = 0;
    for (size_t i = 0; i < uses.size(); ++i) {
      if (kept > 0 && uses[kept - 1].file == uses[i].file) {
        uses[kept - 1].live += uses[i].live;
      } else {
        if (kept != i) uses[kept] = std::move(uses[i]);
        ++kept;
      }
    }
    uses.resize(kept);
    return values;
  }

  // Ascending by file number.
  const std::vector<Use>& uses() const { return uses_; }

  // Of all files together.
  ValueFileUse Sizes() const {
    ValueFileUse all;
    for (const Use& use : uses_) {
      const ValueFileUse sizes = use.Sizes();
      all.bytes += sizes.bytes;
      all.garbage += sizes.garbage;
    }
    return all;
  }

  // nullptr if no table refers to it. O(log files).
  const Use* Find(uint64_t number) const {
    const auto use = std::ranges::lower_bound(uses_, number, {}, &TreeValues::NumberOf);
    return use == uses_.end() || NumberOf(*use) != number ? nullptr : &*use;
  }

  // Sets `*value` to the value of a record of RecordKind::kSeparated, as ValueFile::Read does.
  absl::Status Read(const Record& record, Room* room, std::string_view* value) const {
    ValuePointer pointer;
    const Use* use = nullptr;
    KV_RETURN_IF_ERROR(FindPointer(record.value, &pointer, &use));
    return use->file->Read(pointer, room, value);
  }

  // Takes a record's pointer apart.
  absl::Status FindPointer(std::string_view bytes, ValuePointer* pointer, const Use** use) const {
    if (!ValuePointer::Parse(bytes, pointer)) [[unlikely]] {
      return absl::DataLossError("the pointer to a separated value is malformed");
    }
    *use = Find(pointer->file);
    if (*use != nullptr) [[likely]]
      return absl::OkStatus();
    return absl::DataLossError(
        fmt::format("a table points to value file {}, which it does not name", pointer->file));
  }

  // What a manifest edit must say so that a state with the files `before` has those of this.
  void Difference(const std::vector<ValueFileMeta>& before, ManifestEdit* edit) const {
    for (const Use& use : uses_) {
      if (std::ranges::find(before, NumberOf(use), &ValueFileMeta::number) == before.end()) {
        edit->values_added.push_back(use.file->meta());
      }
    }
    for (const ValueFileMeta& meta : before) {
      if (Find(meta.number) == nullptr) edit->values_removed.push_back(meta.number);
    }
  }

  // Files that are not in `next` any more go with their last reader.
  void GiveUpAllBut(const TreeValues& next) const {
    for (const Use& use : uses_) {
      if (next.Find(NumberOf(use)) == nullptr) use.file->MarkObsolete();
    }
  }

 private:
  static uint64_t NumberOf(const Use& use) { return use.file->meta().number; }

  std::vector<Use> uses_;
};

}  // namespace kv

#endif  // ENGINES_LSM_TREE_VALUES_H_
