// Where the values of a run go that is being written: beside their keys, or into value files.
//
//   inline, and large enough        to a value file: flushes, bulk loads, and compactions of
//                                   records from before the composition separated values
//   separated, in a file that is    read and written again: into a new file, or inline where the
//   collected                       policy has it so by now
//   all others                      as they are: compaction copies pointers
//
// Thread safety: one thread.
#ifndef ENGINES_LSM_VALUE_PLACER_H_
#define ENGINES_LSM_VALUE_PLACER_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engines/lsm/counters.h"
#include "engines/lsm/tree_values.h"
#include "engines/lsm/value_pointer.h"
#include "engines/lsm/value_writer.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Parts, typename StoreType>
class ValuePlacer {
 public:
  using Values = TreeValues<Parts, typename StoreType::Files>;

  // `values`: of the tree that separated records come from; null when there are none.
  ValuePlacer(StoreType& store, std::shared_ptr<const Values> values)
      : store_(store), values_(std::move(values)), writer_(store) {}

  // Changes the record as it is to be written. Its value lives until the next call.
  absl::Status Place(Record* record) {
    if (record->kind == RecordKind::kValue) {
      if (!Parts::Values::Separates(record->value.size())) return absl::OkStatus();
      return Separate(record->value, record);
    }
    if (record->kind != RecordKind::kSeparated) return absl::OkStatus();
    ValuePointer pointer;
    const typename Values::Use* use = nullptr;
    KV_RETURN_IF_ERROR(values_->FindPointer(record->value, &pointer, &use));
    if (!use->IsCollected()) return absl::OkStatus();
    std::string_view value;
    KV_RETURN_IF_ERROR(use->file->Read(pointer, &room_, &value));
    store_.counters().Add(LsmCounter::kValueBytesMoved, value.size());
    if (Parts::Values::Separates(value.size())) return Separate(value, record);
    record->kind = RecordKind::kValue;
    record->value = value;
    return absl::OkStatus();
  }

  // Makes the value files durable, but for their directory, and tells each of the tables `added`,
  // pairs of level and file, which ones it refers to.
  template <typename AddedFiles>
  absl::Status Finish(const AddedFiles& added) {
    KV_ASSIGN_OR_RETURN(const auto written, writer_.Finish());
    for (const auto& [level, table] : added) {
      std::vector<std::shared_ptr<typename Values::File>> files;
      for (const ValueReference& reference : table->Meta().values) {
        const auto fresh = std::ranges::find(written, reference.file,
                                             [](const auto& file) { return file->meta().number; });
        files.push_back(fresh != written.end() ? *fresh : values_->Find(reference.file)->file);
      }
      table->SetValues(std::move(files));
    }
    return absl::OkStatus();
  }

  void Abandon() { writer_.Abandon(); }

 private:
  absl::Status Separate(std::string_view value, Record* record) {
    ValuePointer pointer;
    KV_RETURN_IF_ERROR(writer_.Add(value, &pointer));
    pointer_.clear();
    pointer.AppendTo(&pointer_);
    record->kind = RecordKind::kSeparated;
    record->value = pointer_;
    return absl::OkStatus();
  }

  StoreType& store_;
  const std::shared_ptr<const Values> values_;
  ValueWriter<Parts, StoreType> writer_;
  typename Values::Room room_;
  std::string pointer_;
};

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_PLACER_H_
