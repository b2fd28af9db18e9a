// Writes a stream of records out as a run of tables: what a flush and a compaction have in common.
//
// Versions that no reader needs are left out (retention.h). Tables are cut at a size, but never
// between two versions of a key, because the files of a level are told apart by key.
//
// Thread safety: one thread for each writer; several writers of one store may run at once.
#ifndef ENGINES_LSM_RUN_WRITER_H_
#define ENGINES_LSM_RUN_WRITER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/counters.h"
#include "engines/lsm/retention.h"
#include "engines/lsm/table_builder.h"
#include "engines/lsm/tree_ranges.h"
#include "engines/lsm/tree_values.h"
#include "engines/lsm/value_placer.h"
#include "kv/base/status.h"
#include "kv/compression/concept.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Parts, typename StoreType>
class RunWriter {
 public:
  using AddedFiles = typename StoreType::AddedFiles;

  // `ranges`: of the tree that the output joins (retention.h); never null. `values`: of the tree
  // that the records come from, null when there is none (value_placer.h).
  RunWriter(StoreType& store, size_t level, bool bottommost, uint64_t file_bytes,
            std::shared_ptr<const TreeRanges> ranges,
            std::shared_ptr<const TreeValues<Parts, typename StoreType::Files>> values)
      : store_(store),
        level_(level),
        depth_(bottommost ? CompressionDepth::kBottom : CompressionDepth::kUpper),
        file_bytes_(file_bytes),
        ranges_(std::move(ranges)),
        retention_(store.ReadSequences(), bottommost, store.environment().clock.UnixMillis(),
                   ranges_->index()),
        values_(store, std::move(values)) {}

  // The tables are open, and synced with their directory, on return. On an error none is left.
  // Of a RecordCursor, only what walks forward from the first record is used.
  template <typename Records>
  absl::StatusOr<AddedFiles> Write(Records& records) {
    if (absl::Status status = WriteAll(records); !status.ok()) {
      if constexpr (kSeparates) values_.Abandon();
      for (const auto& [unused, file] : added_) file->MarkObsolete();
      if (builder_) {
        builder_.reset();
        store_.environment().file_system.Remove(store_.names().Table(number_)).IgnoreError();
      }
      return status;
    }
    store_.counters().Add(LsmCounter::kExpiredDropped, retention_.Expired());
    return std::move(added_);
  }

 private:
  using Builder = TableBuilder<Parts, typename StoreType::Files>;
  static constexpr bool kSeparates = Parts::Values::kSeparates;

  template <typename Records>
  absl::Status WriteAll(Records& records) {
    uint64_t count = 0;
    for (records.SeekToFirst(); records.Valid(); records.Next()) {
      if (++count % 1024 == 0 && store_.Stopping()) {
        return absl::CancelledError("the store is closing");
      }
      Record record = records.record();
      if (!retention_.Keep(&record)) continue;
      if constexpr (kSeparates) KV_RETURN_IF_ERROR(values_.Place(&record));
      KV_RETURN_IF_ERROR(Add(record));
    }
    KV_RETURN_IF_ERROR(records.status());
    if (builder_) KV_RETURN_IF_ERROR(FinishTable());
    if constexpr (kSeparates) KV_RETURN_IF_ERROR(values_.Finish(added_));
    return store_.environment().file_system.SyncDirectory(store_.names().Directory());
  }

  absl::Status Add(const Record& record) {
    if (builder_ && builder_->FileBytes() >= file_bytes_ && record.key != last_key_) {
      KV_RETURN_IF_ERROR(FinishTable());
    }
    if (!builder_) {
      number_ = store_.NewFileNumber();
      KV_ASSIGN_OR_RETURN(
          auto created, Builder::Create(store_.environment().file_system,
                                        store_.names().Table(number_), number_, {.depth = depth_}));
      builder_.emplace(std::move(created));
    }
    last_key_.assign(record.key);
    oldest_needed_ = std::min(oldest_needed_, retention_.TakeOldestNeeded());
    return builder_->Add(record);
  }

  absl::Status FinishTable() {
    builder_->SetRangesApplied(std::min(ranges_->newest(), oldest_needed_ - 1));
    oldest_needed_ = kMaxSequence + 1;
    KV_ASSIGN_OR_RETURN(const TableMeta meta, builder_->Finish());
    KV_ASSIGN_OR_RETURN(auto file, store_.OpenTable(meta));
    builder_.reset();
    added_.emplace_back(level_, std::move(file));
    return absl::OkStatus();
  }

  StoreType& store_;
  const size_t level_;
  const CompressionDepth depth_;
  const uint64_t file_bytes_;
  const std::shared_ptr<const TreeRanges> ranges_;
  Retention<typename Parts::Expiry> retention_;
  ValuePlacer<Parts, StoreType> values_;
  AddedFiles added_;
  std::optional<Builder> builder_;  // of the table being written
  uint64_t number_ = 0;             // its file number
  std::string last_key_;
  Sequence oldest_needed_ = kMaxSequence + 1;  // of the range tombstones over its records
};

}  // namespace kv

#endif  // ENGINES_LSM_RUN_WRITER_H_
