// Recovery: from the files in a directory to a store that takes writes.
//
//   1. CURRENT names the manifest, the manifest names the tables and the oldest log still needed.
//   2. Every value file and every table is opened and checked against what the manifest says of it.
//   3. The logs are read in order of their numbers. Each must go on where the one before it ended;
//      where a synced log does not, writes were lost and the store does not open. Logs that were
//      never synced may have lost their ends to a power failure: then reading stops there, so that
//      what is left is a prefix.
//   4. What was in the logs is written out as tables of level 0, a new log and a new manifest are
//      begun, and only then are files that nothing names any more removed.
//
// Nothing is changed before steps 1 to 3 have succeeded, so a store that does not open is as it
// was, for repair or for a newer program.
//
// Thread safety: before any other thread knows the store.
#ifndef ENGINES_LSM_RECOVERY_H_
#define ENGINES_LSM_RECOVERY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/descriptor.h"
#include "engines/lsm/file_names.h"
#include "engines/lsm/journal.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/store.h"
#include "engines/lsm/tree_ranges.h"
#include "engines/lsm/value_file.h"
#include "engines/lsm/value_format.h"
#include "engines/lsm/value_pointer.h"
#include "kv/contract/options.h"
#include "kv/contract/write_batch.h"
#include "kv/io/log_reader.h"

namespace kv {

template <typename Parts, typename Environment>
class Recovery {
 public:
  using StoreType = Store<Parts, Environment>;
  using Files = typename StoreType::Files;
  using Memory = typename StoreType::Memory;
  using Tree = typename StoreType::Tree;
  using Journal = LsmJournal<Parts, Environment>;
  using WalCodec = typename Parts::WalCompression;
  using OpenedValues = ValueFile<Parts, Files>;

  struct Result {
    std::unique_ptr<StoreType> store;
    std::unique_ptr<Journal> journal;
  };

  // Refuses, before there is a lock file in it, a directory that Run would refuse because it holds
  // no store: kFailedPrecondition or kNotFound. Another process may be about to make one there, so
  // nothing else that is found counts.
  static absl::Status CheckPlace(const Options& options, Environment environment) {
    Recovery recovery(options, std::move(environment), "");
    const FileNames& names = recovery.names_;
    if (recovery.files_.Exists(names.Lock()) || recovery.files_.Exists(names.Current())) {
      return absl::OkStatus();
    }
    KV_RETURN_IF_ERROR(recovery.ReadDirectory());
    absl::Status status = recovery.CheckFresh();
    const bool counts = absl::IsFailedPrecondition(status) || absl::IsNotFound(status);
    return counts ? status : absl::OkStatus();
  }

  // `format` describes what the composition writes to disk (Lsm::Format). The caller holds the
  // directory's lock.
  static absl::StatusOr<Result> Run(const Options& options, Environment environment,
                                    std::string format) {
    Recovery recovery(options, std::move(environment), std::move(format));
    KV_RETURN_IF_ERROR(recovery.ReadDirectory());
    KV_RETURN_IF_ERROR(recovery.ReadState());
    KV_RETURN_IF_ERROR(recovery.OpenTables());
    KV_RETURN_IF_ERROR(recovery.ReadLogs());
    return recovery.Begin();
  }

 private:
  Recovery(const Options& options, Environment environment, std::string format)
      : options_(options),
        environment_(std::move(environment)),
        files_(environment_.file_system),
        names_(options.directory),
        format_(std::move(format)) {}

  absl::Status ReadDirectory() {
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> listed, files_.List(names_.Directory()));
    for (const std::string& name : listed) {
      const auto log = FileNames::ParseLog(name);
      const auto table = FileNames::ParseTable(name);
      const auto values = FileNames::ParseValues(name);
      const auto manifest = FileNames::ParseManifest(name);
      if (log) logs_on_disk_.push_back(*log);
      if (table) tables_on_disk_.push_back(*table);
      if (values) values_on_disk_.push_back(*values);
      if (manifest) manifests_on_disk_.push_back(*manifest);
      for (const auto& number : {log, table, values, manifest}) {
        if (number) next_file_ = std::max(next_file_, *number + 1);
      }
      if (!log && !table && !values && !manifest && name != "LOCK" && name != "CURRENT" &&
          !name.ends_with(kTemporarySuffix)) {
        stranger_ = name;
      }
    }
    std::ranges::sort(logs_on_disk_);
    return absl::OkStatus();
  }

  absl::Status ReadState() {
    if (!files_.Exists(names_.Current())) return CheckFresh();
    if (options_.error_if_exists) {
      return absl::AlreadyExistsError(fmt::format("{} holds a store", names_.Directory()));
    }
    KV_ASSIGN_OR_RETURN(manifest_, ReadManifest(files_, names_));
    if (manifest_.state.format != format_ &&
        manifest_.state.format + std::string(kValuesFormat) != format_) {
      return absl::FailedPreconditionError(
          fmt::format("{} holds a store of another composition: {}; this program's writes {}",
                      names_.Directory(), manifest_.state.format, format_));
    }
    next_file_ = std::max(next_file_, manifest_.state.next_file);
    return absl::OkStatus();
  }

  // No CURRENT: either there is no store here yet, or it has lost its head.
  absl::Status CheckFresh() {
    bool lost = !tables_on_disk_.empty() || !values_on_disk_.empty();
    for (const uint64_t log : logs_on_disk_) {
      // A store that was cut off while it was being made has an empty log and no CURRENT yet.
      KV_ASSIGN_OR_RETURN(const LogSummary summary,
                          ReadLog<WalCodec>(files_, names_.Log(log), log,
                                            [](const LogRecord&) { return absl::OkStatus(); }));
      lost |= summary.sealed || summary.next != 0;
    }
    if (lost) {
      return Corruption(
          names_.Current(), 0,
          "missing, although the directory holds the logs, tables or values of a store");
    }
    if (!options_.create_if_missing) {
      return absl::NotFoundError(
          fmt::format("{} holds no store, and create_if_missing is off", names_.Directory()));
    }
    if (stranger_) {
      return absl::FailedPreconditionError(
          fmt::format("{} holds no store but other files ({}); use an empty or new directory",
                      names_.Directory(), *stranger_));
    }
    fresh_ = true;
    return absl::OkStatus();
  }

  // A file that the manifest names is not there. If the manifest's last edit could not be read,
  // that is where the damage is.
  absl::Status Missing(const std::string& path) const {
    if (manifest_.dropped_tail) {
      return Corruption(manifest_.path, *manifest_.dropped_tail,
                        fmt::format("unreadable edit, and without it {} is missing", path));
    }
    return Corruption(path, 0, fmt::format("missing, although {} names it", manifest_.path));
  }

  absl::Status OpenTables() {
    store_ = std::make_unique<StoreType>(options_, environment_, names_, manifest_.state);
    typename StoreType::AddedFiles added;
    KV_RETURN_IF_ERROR(OpenValues());
    const auto& levels = manifest_.state.levels;
    for (size_t level = 0; level < levels.size(); ++level) {
      for (const TableMeta& meta : levels[level]) {
        if (!files_.Exists(names_.Table(meta.number))) return Missing(names_.Table(meta.number));
        KV_ASSIGN_OR_RETURN(auto file, store_->OpenTable(meta));
        KV_RETURN_IF_ERROR(AttachValues(*file));
        added.emplace_back(level, std::move(file));
      }
    }
    Tree tree = Tree().With({}, added);
    KV_RETURN_IF_ERROR(CheckValues(tree));
    tree.ranges = std::make_shared<TreeRanges>(manifest_.state.ranges);
    tree_ = std::make_shared<Tree>(std::move(tree));
    return absl::OkStatus();
  }

  absl::Status OpenValues() {
    for (const ValueFileMeta& meta : manifest_.state.values) {
      const std::string path = names_.Values(meta.number);
      if (!files_.Exists(path)) return Missing(path);
      KV_ASSIGN_OR_RETURN(auto file, OpenedValues::Open(files_, path, meta));
      values_.push_back(std::move(file));
    }
    return absl::OkStatus();
  }

  absl::Status AttachValues(typename StoreType::File& table) const {
    std::vector<std::shared_ptr<OpenedValues>> files;
    for (const ValueReference& reference : table.Meta().values) {
      const auto file = std::ranges::lower_bound(
          values_, reference.file, {}, [](const auto& opened) { return opened->meta().number; });
      if (file == values_.end() || (*file)->meta().number != reference.file) {
        return Corruption(manifest_.path, 0,
                          fmt::format("table {} refers to value file {}, which is not named",
                                      table.Meta().number, reference.file));
      }
      files.push_back(*file);
    }
    table.SetValues(std::move(files));
    return absl::OkStatus();
  }

  absl::Status CheckValues(const Tree& tree) const {
    if constexpr (Parts::Values::kSeparates) {
      for (const auto& use : tree.values->uses()) {
        if (use.live <= use.file->meta().RecordBytes()) continue;
        return Corruption(
            manifest_.path, 0,
            fmt::format("tables refer to more than there is in {}", use.file->path()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadLogs() {
    last_ = manifest_.state.last_sequence;
    if (fresh_) return absl::OkStatus();
    const auto first = std::ranges::lower_bound(logs_on_disk_, manifest_.state.log_number);
    if (first == logs_on_disk_.end() || *first != manifest_.state.log_number) {
      return Missing(names_.Log(manifest_.state.log_number));
    }
    for (auto log = first; log != logs_on_disk_.end(); ++log) {
      const std::string path = names_.Log(*log);
      // The records are kept aside: whether this log counts is known once its header is read.
      std::unique_ptr<Memory> memory = std::make_unique<Memory>(*log);
      KV_ASSIGN_OR_RETURN(LogSummary summary,
                          ReadLog<WalCodec>(files_, path, *log, [&](const LogRecord& record) {
                            return Replay(path, record, memory.get());
                          }));
      if (!summary.started) {
        // A header is durable before anything names its log. The manifest names the first one.
        if (!last_log_) return Corruption(path, 0, "log header is missing");
        // This one was cut off while it was being started, and holds nothing. If that is not so,
        // the next log does not go on from the one before.
        continue;
      }
      // An open starts its log before it makes the manifest name it, and takes writes only then. So
      // without a record this is what an open that was cut off left.
      const bool first_of_open = summary.header.previous_generation == 0;
      if (last_log_ && first_of_open && summary.next == 0) continue;
      if (last_log_ && (summary.header.previous_generation != last_log_->header.generation ||
                        summary.header.previous_end != last_log_->end)) {
        if (!last_log_->header.synced) break;
        return Corruption(
            names_.Log(last_log_->header.generation), last_log_->end,
            fmt::format("log ends here, but {} goes on from offset {} of log {}", path,
                        summary.header.previous_end, summary.header.previous_generation));
      }
      KV_RETURN_IF_ERROR(CheckCleanClose(path, summary));
      last_ = std::max(last_, summary.next == 0 ? 0 : summary.next - 1);
      if (!memory->Empty()) memories_.push_back(std::move(memory));
      last_log_ = summary;
    }
    // Behind the log that was closed there may be empty ones, of opens that were cut off.
    const std::optional<CleanClose>& close = manifest_.state.clean_close;
    if (!close || close->log <= last_log_->header.generation) return absl::OkStatus();
    return Corruption(names_.Log(close->log), 0,
                      "missing or out of its place, although the store was closed with it");
  }

  absl::Status CheckCleanClose(const std::string& path, const LogSummary& log) const {
    const std::optional<CleanClose>& close = manifest_.state.clean_close;
    if (!close || log.header.generation != close->log || log.end == close->end) {
      return absl::OkStatus();
    }
    return Corruption(path, log.end,
                      fmt::format("the store was closed with this log ending at {}, but its "
                                  "records end here",
                                  close->end));
  }

  static absl::Status Replay(const std::string& path, const LogRecord& record, Memory* memory) {
    uint64_t count = 0;
    bool sound = true;
    const bool whole = WriteBatch::ForEach(record.payload, record.first, [&](const Record& entry) {
      ++count;
      // The index of range tombstones takes none that covers nothing, and nobody writes one.
      sound &= entry.kind != RecordKind::kRangeTombstone || IsBefore(entry.key, entry.value);
      if (sound) memory->Insert(entry);
    });
    if (whole && sound && count == record.count) return absl::OkStatus();
    return absl::DataLossError(
        fmt::format("{}: the record of sequence number {} passes its checksum, but is no batch of "
                    "{} entries",
                    path, record.first, record.count));
  }

  absl::StatusOr<Result> Begin() {
    const uint64_t log_number = next_file_++;
    store_->SetNumbers(last_, next_file_);
    ManifestEdit edit;
    edit.format = format_;
    edit.log_number = log_number;
    edit.last_sequence = last_;
    const std::shared_ptr<const TreeRanges> ranges_before = tree_->ranges;
    for (const auto& memory : memories_) {
      KV_ASSIGN_OR_RETURN(auto added, store_->WriteMemory(*memory, *tree_));
      for (const auto& [level, file] : added) edit.added.emplace_back(level, file->Meta());
      Tree tree = tree_->With({}, added);
      tree.ranges = store_->RangesOf(tree, memory.get());
      tree_ = std::make_shared<Tree>(std::move(tree));
    }
    ranges_before->Difference(*tree_->ranges, &edit);
    if constexpr (Parts::Values::kSeparates) {
      tree_->values->Difference(manifest_.state.values, &edit);
    }
    KV_ASSIGN_OR_RETURN(auto log, Journal::StartLog(*store_, log_number, nullptr));
    KV_RETURN_IF_ERROR(store_->StartManifest(edit));
    store_->SetView(std::make_shared<Memory>(log_number), tree_);
    RemoveUnreferenced(log_number);
    Result result;
    result.journal =
        std::make_unique<Journal>(*store_, std::move(log), options_.memtable_bytes, last_ + 1);
    result.store = std::move(store_);
    return result;
  }

  // Files that the new manifest does not name: left by a crash, or made obsolete by recovery. What
  // cannot be removed now is found again by the next open.
  void RemoveUnreferenced(uint64_t log_number) {
    for (const uint64_t log : logs_on_disk_) {
      if (log != log_number) store_->AddSpareLog(log);
    }
    for (const uint64_t number : tables_on_disk_) {
      const auto& levels = tree_->levels;
      const bool live = std::ranges::any_of(levels, [number](const auto& level) {
        return std::ranges::any_of(
            level, [number](const auto& file) { return file->Meta().number == number; });
      });
      if (!live) files_.Remove(names_.Table(number)).IgnoreError();
    }
    for (const uint64_t number : values_on_disk_) {
      if constexpr (Parts::Values::kSeparates) {
        if (tree_->values->Find(number) != nullptr) continue;
      }
      files_.Remove(names_.Values(number)).IgnoreError();
    }
    for (const uint64_t number : manifests_on_disk_) {
      files_.Remove(names_.Manifest(number)).IgnoreError();
    }
  }

  const Options& options_;
  Environment environment_;
  Files& files_;
  const FileNames names_;
  const std::string format_;
  std::vector<uint64_t> logs_on_disk_;  // ascending
  std::vector<uint64_t> tables_on_disk_;
  std::vector<uint64_t> values_on_disk_;
  std::vector<uint64_t> manifests_on_disk_;
  std::optional<std::string> stranger_;  // a file that is none of ours
  bool fresh_ = false;
  uint64_t next_file_ = 1;
  RecoveredManifest manifest_;
  std::unique_ptr<StoreType> store_;
  std::vector<std::shared_ptr<OpenedValues>> values_;  // ascending by number
  std::shared_ptr<const Tree> tree_;
  std::vector<std::unique_ptr<Memory>> memories_;  // oldest first
  std::optional<LogSummary> last_log_;             // the last one that counts
  Sequence last_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LSM_RECOVERY_H_
