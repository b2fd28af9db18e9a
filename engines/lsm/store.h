// The store under an LSM engine: the shared state and the jobs that change its tree: flush,
// compaction, and the writing of tables from outside.
//
// Locks, before those of the shared state:
//   flush_mutex_, compaction_mutex_   one flush and one compaction at a time, each in whichever
//                                     thread asks for it
//
// Thread safety: as each function says.
#ifndef ENGINES_LSM_STORE_H_
#define ENGINES_LSM_STORE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/counters.h"
#include "engines/lsm/manifest_edit.h"
#include "engines/lsm/range_work.h"
#include "engines/lsm/run_writer.h"
#include "engines/lsm/shared_state.h"
#include "engines/lsm/tree_ranges.h"
#include "engines/lsm/tree_values.h"
#include "engines/lsm/value_work.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"

namespace kv {

template <typename Parts, typename Environment>
class Store : public SharedState<Parts, Environment> {
 public:
  using State = SharedState<Parts, Environment>;
  using State::AddSpareLog;
  using State::counters;
  using State::PublishSequence;
  using State::ReadSequences;
  using State::Share;
  using State::State;
  using State::Visible;
  using typename State::AddedFiles;
  using typename State::File;
  using typename State::Files;
  using typename State::Memory;
  using typename State::Memtable;
  using typename State::Records;
  using typename State::RemovedFiles;
  using typename State::RunCursor;
  using typename State::Tree;
  using typename State::View;

  // Writes the oldest immutable memtable out as a table of level 0. OK also if there is none.
  absl::Status FlushOldest() {
    const std::lock_guard flush_lock(flush_mutex_);
    const std::shared_ptr<const View> view = Share();
    if (view->immutable.empty()) return absl::OkStatus();
    const size_t oldest = view->immutable.size() - 1;
    const Memory& memory = *view->immutable[oldest];
    const Memory& newer = oldest == 0 ? *view->active : *view->immutable[oldest - 1];
    absl::Status status = [&]() -> absl::Status {
      KV_ASSIGN_OR_RETURN(AddedFiles added, WriteMemory(memory, *view->version));
      ManifestEdit edit;
      edit.log_number = newer.log_number;
      edit.last_sequence = Visible();
      counters().Add(LsmCounter::kFlushBytes, BytesWritten(added, *view->version));
      KV_RETURN_IF_ERROR(Install(std::move(edit), {}, added, &memory));
      counters().Add(LsmCounter::kFlushes);
      AddSpareLog(memory.log_number);
      return absl::OkStatus();
    }();
    FlushEnded(status);
    return status;
  }

  // Flushes every memtable that is immutable now. Memtables that become so meanwhile may remain.
  absl::Status FlushAll() {
    const std::shared_ptr<const View> view = Share();
    if (view->immutable.empty()) return absl::OkStatus();
    const Memory* const last = view->immutable.front().get();
    for (;;) {
      const std::shared_ptr<const View> now = Share();
      const bool waits = std::ranges::any_of(
          now->immutable, [last](const auto& memory) { return memory.get() == last; });
      if (!waits) return absl::OkStatus();
      KV_RETURN_IF_ERROR(FlushOldest());
    }
  }

  // Writes sorted `records` of one sequence number, which is newer than all others, into tables and
  // publishes it. Expects empty memtables, and no other write until it returns. The tables go as
  // deep as no older data of their keys is above them. `records` as in RunWriter::Write.
  template <typename SortedRecords>
  absl::Status Ingest(SortedRecords& records, Sequence sequence) {
    KV_ASSIGN_OR_RETURN(AddedFiles added,
                        WriteTables(records, 0, false, Parts::Compaction::kOutputFileBytes,
                                    Share()->version->ranges, nullptr));
    if (added.empty()) return absl::OkStatus();
    // No compaction may put tables of its own between ours.
    const std::lock_guard compaction_lock(compaction_mutex_);
    const size_t level = DeepestLevelFor(*Share()->version, added.front().second->Meta().smallest,
                                         added.back().second->Meta().largest);
    for (auto& [to, file] : added) to = level;
    ManifestEdit edit;
    edit.last_sequence = sequence;
    absl::Status status = Install(std::move(edit), {}, added, nullptr);
    if (status.ok()) PublishSequence(sequence);
    return status;
  }

  // Runs one compaction that `choose(const TreeShape&) -> std::optional<Choice>` asks for, or one
  // that the range tombstones need: dead tables go first, and where the tombstones are not too
  // many, tables are rewritten for their sake last. False when there is nothing to do, as when all
  // that a policy would drop has to wait for snapshots.
  template <typename Choose>
  absl::StatusOr<bool> CompactOnce(Choose&& choose) {
    const std::lock_guard compaction_lock(compaction_mutex_);
    const std::shared_ptr<const Tree> tree = Share()->version;
    std::optional<Choice> choice;
    if (!tree->ranges->empty()) choice = ForRanges(*tree, tree->ranges->size() > kManyRanges);
    if constexpr (Parts::Values::kSeparates) {
      if (!choice && CollectingIsUrgent<typename Parts::Values>(*tree->values)) {
        choice = ValueRewrite(*tree);
      }
    }
    std::unique_lock<std::mutex> no_new_snapshots;
    if (!choice) {
      choice = std::forward<Choose>(choose)(Shape(*tree));
      if (choice && choice->drop) {
        no_new_snapshots = State::HoldOffSnapshots();
        KeepWhatSnapshotsSee(*tree, &*choice);
        if (choice->inputs.empty()) {
          choice.reset();
          no_new_snapshots.unlock();
        }
      }
    }
    if (!choice && !tree->ranges->empty()) choice = ForRanges(*tree, true);
    if constexpr (Parts::Values::kSeparates) {
      if (!choice) choice = ValueRewrite(*tree);
    }
    if (!choice) return false;
    KV_RETURN_IF_ERROR(Compact(*tree, *choice));
    return true;
  }

  // Writes a memtable's records out for level 0 of `tree`. What its range tombstones hide, or those
  // of the tree, is left out if no reader needs it.
  absl::StatusOr<AddedFiles> WriteMemory(const Memory& memory, const Tree& tree) {
    Records records;
    records.Add(typename Memtable::Cursor(&memory.table));
    return WriteTables(records, 0, false, std::numeric_limits<uint64_t>::max(),
                       tree.ranges->With(memory.ranges.Tombstones(), ReadSequences()), nullptr);
  }

 private:
  using State::FlushEnded;
  using State::GiveUp;
  using State::Install;
  using State::Shape;

  // Writes what readers still need of `records` into tables of about `file_bytes` each, opened and
  // synced with their directory, for `level`. On an error no file is left behind.
  template <typename SortedRecords>
  absl::StatusOr<AddedFiles> WriteTables(SortedRecords& records, size_t level, bool bottommost,
                                         uint64_t file_bytes,
                                         std::shared_ptr<const TreeRanges> ranges,
                                         std::shared_ptr<const TreeValues<Parts, Files>> values) {
    return RunWriter<Parts, Store>(*this, level, bottommost, file_bytes, std::move(ranges),
                                   std::move(values))
        .Write(records);
  }

  // The deepest level, among those in use or level 1, that has no table of [smallest, largest] in
  // it or above it; 0 if there is none.
  static size_t DeepestLevelFor(const Tree& tree, std::string_view smallest,
                                std::string_view largest) {
    // Depth tells the age, and this is the newest data.
    if constexpr (kCompactsByAge<typename Parts::Compaction>) return 0;
    constexpr auto kLevels = static_cast<size_t>(Parts::Compaction::kMaxLevels);
    const size_t in_use = std::min(std::max<size_t>(tree.levels.size(), 2), kLevels);
    size_t deepest = 0;
    for (size_t level = 0; level < in_use; ++level) {
      const bool free =
          level >= tree.levels.size() ||
          std::ranges::none_of(tree.levels[level], [&](const auto& file) {
            return file->Meta().largest >= smallest && file->Meta().smallest <= largest;
          });
      if (!free) break;
      deepest = level;
    }
    return deepest;
  }

  // A policy drops tables without regard to snapshots, the oldest first, which stand last. Takes
  // out of its choice the first that a snapshot may see into, and all that are newer. What has
  // expired is seen by nobody.
  void KeepWhatSnapshotsSee(const Tree& tree, Choice* drop) {
    const std::vector<Sequence> readers = ReadSequences();
    if (readers.size() == 1) return;  // no snapshot, only the newest state
    const Sequence newest_snapshot = readers[readers.size() - 2];
    const uint64_t now = State::environment().clock.UnixMillis();
    const auto may_go = [&](const CompactionInput& input) {
      const TableMeta& meta = tree.Find(static_cast<size_t>(input.level), input.file)->Meta();
      const uint64_t expired = meta.AllExpiredAt();
      return meta.min_sequence > newest_snapshot || (expired != 0 && expired <= now);
    };
    auto& inputs = drop->inputs;
    const auto stays = std::find_if_not(inputs.rbegin(), inputs.rend(), may_go);
    inputs.erase(inputs.begin(), stays.base());
  }

  std::optional<Choice> ForRanges(const Tree& tree, bool rewrite) const {
    const std::vector<Sequence> readers = ReadSequences();
    std::optional<Choice> choice = DeadTables(tree, readers);
    return choice || !rewrite ? choice : RangeRewrite(tree, readers.front());
  }

  // Of the tables `added`, and of the value files that came with them: those that are not in
  // `before`.
  static uint64_t BytesWritten(const AddedFiles& added, const Tree& before) {
    uint64_t bytes = 0;
    std::set<uint64_t> fresh;
    for (const auto& [level, table] : added) {
      bytes += table->Meta().bytes;
      for (const auto& file : table->Values()) {
        if (before.values->Find(file->meta().number) != nullptr) continue;
        if (fresh.insert(file->meta().number).second) bytes += file->meta().bytes;
      }
    }
    return bytes;
  }

  // Does what `choice` says of `tree`, the current one; compaction_mutex_ is held.
  absl::Status Compact(const Tree& tree, const Choice& choice) {
    std::vector<std::shared_ptr<File>> inputs;
    RemovedFiles removed;
    uint64_t input_bytes = 0;
    for (const CompactionInput& input : choice.inputs) {
      const auto level = static_cast<size_t>(input.level);
      inputs.push_back(tree.Find(level, input.file));
      removed.emplace_back(level, input.file);
      input_bytes += inputs.back()->Meta().bytes;
    }
    AddedFiles added;
    if (choice.trivial_move) {
      for (const auto& file : inputs) {
        added.emplace_back(static_cast<size_t>(choice.output_level), file);
      }
    } else if (!choice.drop) {
      KV_ASSIGN_OR_RETURN(added, Merge(inputs, choice, tree));
    }
    KV_RETURN_IF_ERROR(Install({}, removed, added, nullptr));
    if (choice.trivial_move) {
      counters().Add(LsmCounter::kTrivialMoves);
      return absl::OkStatus();
    }
    counters().Add(LsmCounter::kCompactions);
    if (!choice.drop) counters().Add(LsmCounter::kCompactionBytesRead, input_bytes);
    counters().Add(LsmCounter::kCompactionBytesWritten, BytesWritten(added, tree));
    GiveUp(inputs);
    return absl::OkStatus();
  }

  absl::StatusOr<AddedFiles> Merge(const std::vector<std::shared_ptr<File>>& inputs,
                                   const Choice& choice, const Tree& tree) {
    Records records;
    for (const auto& file : inputs) records.Add(RunCursor(std::span(&file, 1)));
    return WriteTables(records, static_cast<size_t>(choice.output_level), choice.bottommost,
                       Parts::Compaction::kOutputFileBytes, tree.ranges, tree.values);
  }

  std::mutex flush_mutex_;
  std::mutex compaction_mutex_;
};

}  // namespace kv

#endif  // ENGINES_LSM_STORE_H_
