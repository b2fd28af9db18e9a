// Recovery: from the files in a directory to a store that takes writes.
//
//   1. The newer intact header of TREE leads to the page table; both are read and checked.
//   2. The logs from the header's replay_log on are read and checked, in order of their numbers.
//      Each must go on where the one before it ended, for it was synced before the next one was
//      begun, whatever the commit policy; where one does not, writes were lost and the store does
//      not open.
//   3. The header is made durable, what was in the logs goes into the tree, a new log is begun, and
//      a checkpoint is written that names it. Only then are logs given up.
//
// Nothing is changed before steps 1 and 2 have succeeded, so a store that does not open is as it
// was, for repair or for a newer program. After a clean close there is nothing to do in step 3 but
// the new log and header.
//
// A new store is made under another name and renamed: a TREE without an intact header is damaged.
//
// Thread safety: before any other thread knows the store.
#ifndef ENGINES_BTREE_RECOVERY_H_
#define ENGINES_BTREE_RECOVERY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/btree/file_names.h"
#include "engines/btree/image.h"
#include "engines/btree/journal.h"
#include "engines/btree/store.h"
#include "kv/contract/options.h"
#include "kv/contract/write_batch.h"
#include "kv/io/log_reader.h"

namespace kv::btree {

template <typename Parts, typename Environment>
class Recovery {
 public:
  using StoreType = Store<Parts, Environment>;
  using Files = typename StoreType::Files;
  using JournalType = Journal<Parts, Environment>;

  struct Result {
    std::unique_ptr<StoreType> store;
    std::unique_ptr<JournalType> journal;
  };

  // `format` describes what the composition writes to disk (Btree::Format). The caller holds the
  // directory's lock.
  static absl::StatusOr<Result> Run(const Options& options, Environment environment,
                                    std::string format) {
    Recovery recovery(options, std::move(environment), std::move(format));
    KV_RETURN_IF_ERROR(recovery.ReadDirectory());
    if (!recovery.files_.Exists(recovery.names_.Tree())) {
      KV_RETURN_IF_ERROR(recovery.CheckFresh());
      return recovery.Create();
    }
    KV_RETURN_IF_ERROR(recovery.ReadTree());
    KV_RETURN_IF_ERROR(recovery.CheckLogs());
    return recovery.Begin();
  }

 private:
  static constexpr size_t kPageBytes = StoreType::kPageBytes;

  Recovery(const Options& options, Environment environment, std::string format)
      : options_(options),
        environment_(std::move(environment)),
        files_(environment_.file_system),
        names_(options.directory),
        format_(std::move(format)) {}

  absl::Status ReadDirectory() {
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> listed, files_.List(names_.Directory()));
    for (const std::string& name : listed) {
      if (const auto log = FileNames::ParseLog(name)) {
        logs_on_disk_.push_back(*log);
        next_log_ = std::max(next_log_, *log + 1);
      }
      if (!FileNames::IsOurs(name)) stranger_ = name;
    }
    std::ranges::sort(logs_on_disk_);
    return absl::OkStatus();
  }

  // No TREE: either there is no store here yet, or it has lost its pages.
  absl::Status CheckFresh() {
    for (const uint64_t log : logs_on_disk_) {
      // A store that was cut off while it was being made has an empty log and no TREE yet.
      KV_ASSIGN_OR_RETURN(const LogSummary summary, Summary(log));
      if (summary.sealed || summary.next != 0 || summary.header.previous_generation != 0) {
        return Corruption(names_.Tree(), 0,
                          "missing, although the directory holds the logs of a store");
      }
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
    return absl::OkStatus();
  }

  absl::Status ReadTree() {
    if (options_.error_if_exists) {
      return absl::AlreadyExistsError(fmt::format("{} holds a store", names_.Directory()));
    }
    KV_ASSIGN_OR_RETURN(readable_, files_.OpenForRead(names_.Tree()));
    KV_ASSIGN_OR_RETURN(StoreHeader header, ReadStoreHeader(*readable_, names_.Tree()));
    if (header.format != format_ || header.page_bytes != kPageBytes) {
      return absl::FailedPreconditionError(
          fmt::format("{} holds a store of another composition: {}; this program's writes {}",
                      names_.Directory(), header.format, format_));
    }
    KV_ASSIGN_OR_RETURN(image_, ReadImage(*readable_, names_.Tree(), std::move(header)));
    next_log_ = std::max(next_log_, image_.header.replay_log + 1);
    return absl::OkStatus();
  }

  absl::StatusOr<LogSummary> Summary(uint64_t log) {
    return ReadLog(files_, names_.Log(log), log, [](const LogRecord&) { return absl::OkStatus(); });
  }

  absl::Status CheckLogs() {
    const uint64_t first_log = image_.header.replay_log;
    const auto first = std::ranges::lower_bound(logs_on_disk_, first_log);
    if (first == logs_on_disk_.end() || *first != first_log) {
      return Corruption(names_.Log(first_log), 0,
                        fmt::format("missing, although {} names it", names_.Tree()));
    }
    std::optional<LogSummary> last;
    for (auto log = first; log != logs_on_disk_.end(); ++log) {
      const std::string path = names_.Log(*log);
      KV_ASSIGN_OR_RETURN(const LogSummary summary, Summary(*log));
      if (!summary.started) {
        // A header is durable before anything names its log. The store's header names the first.
        if (!last) return Corruption(path, 0, "log header is missing");
        // This one was cut off while it was being started, and holds nothing. If that is not so,
        // the next log does not go on from the one before.
        continue;
      }
      // An open starts its log before the store's header names it, and takes writes only then. So
      // without a record this is what an open that was cut off left.
      if (last && summary.header.previous_generation == 0 && summary.next == 0) continue;
      if (last && (summary.header.previous_generation != last->header.generation ||
                   summary.header.previous_end != last->end)) {
        return Corruption(
            names_.Log(last->header.generation), last->end,
            fmt::format("log ends here, but {} goes on from offset {} of log {}", path,
                        summary.header.previous_end, summary.header.previous_generation));
      }
      if (!last && image_.header.clean_end != 0 &&
          (!summary.sealed || summary.end != image_.header.clean_end)) {
        return Corruption(path, summary.end,
                          fmt::format("the store was closed with this log ending at {}, but its "
                                      "records end here",
                                      image_.header.clean_end));
      }
      last = summary;
      replayed_.push_back(*log);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Result> Begin() {
    KV_ASSIGN_OR_RETURN(auto writable, files_.OpenForOverwrite(names_.Tree()));
    // A process that was killed may have written the header and not synced it. What the header
    // before it leads to is free now, and must not be written over as long as that one can come
    // back. Written once more, for a sync that failed may have left it clean and lost.
    const StoreHeader& header = image_.header;
    KV_RETURN_IF_ERROR(writable.WriteAt(header.Which() * kPageBytes, header.Encode()));
    KV_RETURN_IF_ERROR(writable.Sync());
    Sequence last = image_.header.sequence;
    store_ = std::make_unique<StoreType>(options_, environment_, names_, *std::move(readable_),
                                         std::move(writable), std::move(image_));
    for (const uint64_t log : replayed_) {
      const std::string path = names_.Log(log);
      KV_RETURN_IF_ERROR(ReadLog(files_, path, log, [&](const LogRecord& record) {
                           return Replay(path, record, &last);
                         }).status());
    }
    for (const uint64_t log : logs_on_disk_) store_->AddLog(log);
    return Start(last);
  }

  absl::Status Replay(const std::string& path, const LogRecord& record, Sequence* last) {
    uint64_t count = 0;
    absl::Status status;
    const bool whole = WriteBatch::ForEach(record.payload, record.first, [&](const Record& entry) {
      ++count;
      if (entry.sequence <= *last || !status.ok()) return;
      if (entry.kind == RecordKind::kRangeTombstone) {
        status = Corruption(path, 0, "a range tombstone, which this engine does not write");
        return;
      }
      status = store_->writer().Insert(entry);
      *last = entry.sequence;
      store_->readers().Publish(entry.sequence);
    });
    KV_RETURN_IF_ERROR(status);
    if (whole && count == record.count) return absl::OkStatus();
    return absl::DataLossError(
        fmt::format("{}: the record of sequence number {} passes its checksum, but is no batch of "
                    "{} entries",
                    path, record.first, record.count));
  }

  // A new log, and a checkpoint that names it.
  absl::StatusOr<Result> Start(Sequence last) {
    store_->SetNextLog(next_log_);
    const uint64_t number = store_->NewLogNumber();
    KV_ASSIGN_OR_RETURN(auto log, JournalType::StartLog(*store_, number, nullptr));
    KV_RETURN_IF_ERROR(
        store_->checkpoint().Write({.changes = Changes(), .sequence = last, .replay_log = number}));
    store_->RecycleLogsBefore(number);
    Result result;
    result.journal = std::make_unique<JournalType>(*store_, std::move(log), last + 1);
    result.store = std::move(store_);
    return result;
  }

  ChangeSet Changes() {
    const std::lock_guard lock(store_->pool().mutex());
    return store_->pool().CutLocked();
  }

  // An empty tree in a file that gets its name when it is complete.
  absl::StatusOr<Result> Create() {
    KV_ASSIGN_OR_RETURN(auto writable, files_.Create(names_.NewTree()));
    KV_ASSIGN_OR_RETURN(auto readable, files_.OpenForRead(names_.NewTree()));
    Image image;
    image.header.page_bytes = kPageBytes;
    image.header.format = format_;
    image.space.Mark({0, kFirstPlace});
    store_ = std::make_unique<StoreType>(options_, environment_, names_, std::move(readable),
                                         std::move(writable), std::move(image));
    {
      const std::lock_guard lock(store_->pool().mutex());
      store_->writer().PlantLocked();
    }
    for (const uint64_t log : logs_on_disk_) store_->AddLog(log);
    KV_ASSIGN_OR_RETURN(Result result, Start(0));
    KV_RETURN_IF_ERROR(files_.Rename(names_.NewTree(), names_.Tree()));
    KV_RETURN_IF_ERROR(files_.SyncDirectory(names_.Directory()));
    return result;
  }

  const Options& options_;
  Environment environment_;
  Files& files_;
  const FileNames names_;
  const std::string format_;
  std::vector<uint64_t> logs_on_disk_;   // ascending
  std::optional<std::string> stranger_;  // a file that is none of ours
  uint64_t next_log_ = 1;
  std::optional<typename Files::ReadableFile> readable_;
  Image image_;
  std::vector<uint64_t> replayed_;
  std::unique_ptr<StoreType> store_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_RECOVERY_H_
