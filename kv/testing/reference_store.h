// ReferenceStore: the durable engine that is right because it is simple: a ReferenceEngine in front
// of one log. The kill, crash and corruption suites first have to pass on it, and have to refuse it
// when one of its Parts is turned wrong.
//
//   log     := magic:fixed64  base_bytes:fixed64  checksum:fixed64  record*
//   record  := payload_bytes:fixed32  checksum:fixed64  payload        payload: WriteBatch::Bytes()
//
// The first base_bytes of records were synced before the log got its name: damage there is
// kDataLoss. After them the log ends at the first record that does not check out. Open, Compact
// and Close write a new log that is all base.
//
// Thread safety: as the contract says; one mutex around everything, syncs included.
// Not for use outside tests.
#ifndef KV_TESTING_REFERENCE_STORE_H_
#define KV_TESTING_REFERENCE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"
#include "kv/base/sticky_error.h"
#include "kv/contract/engine.h"
#include "kv/io/environment.h"
#include "kv/testing/reference_engine.h"

namespace kv::testing {

// What a planted bug turns.
struct SoundParts {
  static constexpr bool kDurableOnReturn = true;  // what is promised
  static constexpr bool kSyncsEachWrite = true;   // what is done
  static constexpr bool kBuffersWrites = false;   // in this process, until there is a lot or a sync
  static constexpr bool kBatchIsOneRecord = true;   // else one record for each entry
  static constexpr bool kSyncsBeforeRename = true;  // a new log, before it takes the old one's name
  static constexpr bool kChecksRecords = true;      // recovery looks at checksums
  static constexpr bool kSyncsBulkLoads = true;
  static constexpr bool kSyncsCheckpoints = true;
  static constexpr bool kGoesOnAfterFullDisk = true;
  static constexpr bool kForgetsRefused = true;  // a record that found no space
  static constexpr bool kShowsRefused = false;
  static constexpr bool kStopsAfterErrors = true;  // takes no writes after a failed one
};

struct UnsyncedParts : SoundParts {
  static constexpr bool kDurableOnReturn = false;
  static constexpr bool kSyncsEachWrite = false;
  static constexpr bool kBuffersWrites = true;
};

template <typename Env = SystemEnvironment, typename Parts = SoundParts>
class ReferenceStore {
  using Files = typename Env::FileSystem;
  using Model = BasicReferenceEngine<typename Env::Clock>;
  static constexpr uint64_t kMagic = 0x31474f4c52414c53;
  static constexpr size_t kHeaderBytes = 24;
  static constexpr size_t kFrameBytes = 12;

 public:
  static constexpr bool kDurable = true;
  static constexpr bool kOrdered = true;
  static constexpr bool kExpiry = true;
  static constexpr bool kDurableOnReturn = Parts::kDurableOnReturn;
  using Environment = Env;
  using Cursor = typename Model::Cursor;
  using Snapshot = typename Model::Snapshot;

  static std::string Descriptor() { return R"({"engine":"reference_store"})"; }

  static absl::StatusOr<std::unique_ptr<ReferenceStore>> Open(const Options& options) {
    return Open(options, Env{});
  }

  static absl::StatusOr<std::unique_ptr<ReferenceStore>> Open(const Options& options,
                                                              const Env& environment) {
    std::unique_ptr<ReferenceStore> store(new ReferenceStore(options.directory, environment));
    Files& files = store->files_;
    if (options.create_if_missing) KV_RETURN_IF_ERROR(files.CreateDirectories(options.directory));
    if (!files.Exists(options.directory)) {
      return absl::NotFoundError(fmt::format("{}: there is no store", options.directory));
    }
    KV_ASSIGN_OR_RETURN(auto lock, files.LockFile(options.directory + "/lock"));
    store->lock_.emplace(std::move(lock));
    const bool exists = files.Exists(store->log_path_);
    if (!exists && !options.create_if_missing) {
      return absl::NotFoundError(fmt::format("{}: there is no store", options.directory));
    }
    if (exists && options.error_if_exists) {
      return absl::AlreadyExistsError(fmt::format("{}: there is a store", options.directory));
    }
    if (exists) KV_RETURN_IF_ERROR(store->ReadLog(&store->model_));
    KV_RETURN_IF_ERROR(store->RewriteLog());
    return store;
  }

  absl::Status Get(std::string_view key, std::string* value) { return model_.Get(key, value); }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    WriteBatch batch;
    batch.Put(key, value, options.expires_at);
    return Write(batch);
  }

  absl::Status Delete(std::string_view key) {
    WriteBatch batch;
    batch.Delete(key);
    return Write(batch);
  }

  absl::Status Write(const WriteBatch& batch) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckBatch(batch));
    absl::Status logged = Log(batch);
    if (!logged.ok() && !(Parts::kShowsRefused && IsOutOfSpace(logged))) return logged;
    KV_RETURN_IF_ERROR(model_.Write(batch));
    return logged;
  }

  // Logged as one batch that deletes what is there.
  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(Usable());
    KV_RETURN_IF_ERROR(CheckSizes(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    WriteBatch deletes;
    model_.AppendRangeTo(begin, end, &deletes);
    if (deletes.Empty()) return absl::OkStatus();
    KV_RETURN_IF_ERROR(Log(deletes));
    return model_.Write(deletes);
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    absl::Status status = ForEachSorted(source, [this](const Record& record) {
      return Put(record.key, record.value, {.expires_at = record.expires_at});
    });
    if constexpr (Parts::kSyncsBulkLoads) status.Update(Flush());
    return status;
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    model_.MultiGet(keys, values, statuses);
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    std::lock_guard lock(mutex_);
    WriteBatch batch;
    if (desired) {
      batch.Put(key, *desired, options.expires_at);
    } else {
      batch.Delete(key);
    }
    KV_RETURN_IF_ERROR(CheckBatch(batch));
    const std::optional<std::string> found = model_.Peek(key);
    const bool holds = found ? expected == *found : !expected;
    if (holds) KV_RETURN_IF_ERROR(Log(batch));
    return model_.CompareAndSet(key, expected, desired, options);
  }

  absl::StatusOr<uint64_t> Count(std::string_view prefix) { return model_.Count(prefix); }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(Usable());
    const std::optional<std::string> value = model_.Peek(key);
    if (!value) return NotFound();
    WriteBatch batch;
    batch.Put(key, *value, expires_at);
    KV_RETURN_IF_ERROR(Log(batch));
    return model_.Write(batch);
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) { return model_.ExpiresAt(key); }
  Statistics Stats() { return model_.Stats(); }

  absl::Status Flush() {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(Usable());
    KV_RETURN_IF_ERROR(WriteOut());
    return Poison(log_->Sync());
  }

  absl::Status Close() {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(Usable());
    const absl::Status status = RewriteLog();
    error_ = absl::FailedPreconditionError("the store is closed");
    model_.Close().IgnoreError();
    log_.reset();
    lock_.reset();
    return status;
  }

  absl::Status Compact() {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(Usable());
    return Poison(RewriteLog());
  }

  absl::Status CompactRange(std::string_view, std::string_view) { return Compact(); }

  absl::Status Checkpoint(const std::string& directory) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(Usable());
    KV_RETURN_IF_ERROR(files_.CreateDirectories(directory));
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> there, files_.List(directory));
    if (!there.empty()) return absl::AlreadyExistsError(directory + " is not empty");
    return WriteLog<Parts::kSyncsCheckpoints>(directory).status();
  }

  absl::Status Verify() {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(Usable());
    KV_RETURN_IF_ERROR(WriteOut());
    Model scratch(environment_.clock);
    return ReadLog(&scratch);
  }

  Snapshot TakeSnapshot() { return model_.TakeSnapshot(); }
  absl::Status Get(std::string_view key, std::string* value, const Snapshot& snapshot) {
    return model_.Get(key, value, snapshot);
  }
  Cursor NewCursor(const CursorBounds& bounds = {}) { return model_.NewCursor(bounds); }
  Cursor NewCursor(const CursorBounds& bounds, const Snapshot& snapshot) {
    return model_.NewCursor(bounds, snapshot);
  }

 private:
  ReferenceStore(std::string directory, const Env& environment)
      : directory_(std::move(directory)),
        log_path_(LogPath(directory_)),
        environment_(environment),
        files_(environment_.file_system),
        model_(environment_.clock) {}

  static std::string LogPath(const std::string& directory) { return directory + "/log"; }

  absl::Status Usable() const { return error_; }

  // After a failed write nobody knows what is in the log: no further writes. What found no space is
  // written over by the next.
  absl::Status Poison(absl::Status status) {
    if (Parts::kGoesOnAfterFullDisk && IsOutOfSpace(status)) return status;
    if (status.ok() || !Parts::kStopsAfterErrors) return status;
    if (error_.ok()) {
      const std::string_view message(status.message().data(), status.message().size());
      error_ = absl::Status(status.code(), fmt::format("{}; {}", message, kReopenAdvice));
    }
    return error_;
  }

  absl::Status CheckBatch(const WriteBatch& batch) const {
    KV_RETURN_IF_ERROR(Usable());
    absl::Status sizes;
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      sizes.Update(CheckSizes(record.key, record.value));
    });
    return sizes;
  }

  // The seed is the offset, so that a record in another place does not pass.
  static std::string Frame(std::string_view payload, uint64_t offset) {
    std::string frame;
    AppendFixed32(&frame, static_cast<uint32_t>(payload.size()));
    AppendFixed64(&frame, Checksum(payload, offset));
    return frame.append(payload);
  }

  absl::Status Log(const WriteBatch& batch) {
    if constexpr (Parts::kBatchIsOneRecord) {
      KV_RETURN_IF_ERROR(AppendRecord(batch.Bytes()));
    } else {
      std::string_view rest = batch.Bytes();
      Record record;
      for (std::string_view before = rest; WriteBatch::TakeEntry(&rest, &record); before = rest) {
        KV_RETURN_IF_ERROR(AppendRecord(before.substr(0, before.size() - rest.size())));
      }
    }
    if constexpr (Parts::kSyncsEachWrite) KV_RETURN_IF_ERROR(Poison(log_->Sync()));
    return absl::OkStatus();
  }

  absl::Status AppendRecord(std::string_view payload) {
    constexpr size_t kBufferBytes = Parts::kBuffersWrites ? 4096 : 0;
    const size_t before = buffer_.size();
    buffer_ += Frame(payload, log_->Size() + buffer_.size());
    if (buffer_.size() <= kBufferBytes) return absl::OkStatus();
    absl::Status status = WriteOut();
    if (Parts::kForgetsRefused && IsOutOfSpace(status)) buffer_.resize(before);
    return status;
  }

  absl::Status WriteOut() {
    KV_RETURN_IF_ERROR(Poison(log_->Append(buffer_)));
    buffer_.clear();
    return absl::OkStatus();
  }

  absl::Status RewriteLog() {
    KV_ASSIGN_OR_RETURN(auto file, WriteLog<Parts::kSyncsBeforeRename>(directory_));
    log_.emplace(std::move(file));
    buffer_.clear();  // the new log has it all
    return absl::OkStatus();
  }

  template <bool kSyncs>
  absl::StatusOr<typename Files::WritableFile> WriteLog(const std::string& directory) {
    // Everything, the expired with it: the clock may be turned back before the next Open.
    WriteBatch all;
    model_.AppendAllTo(&all);
    const std::string base = Frame(all.Bytes(), kHeaderBytes);
    std::string header;
    AppendFixed64(&header, kMagic);
    AppendFixed64(&header, base.size());
    AppendFixed64(&header, Checksum(header, 0));
    const std::string path = LogPath(directory);
    const std::string new_path = path + ".new";
    KV_ASSIGN_OR_RETURN(auto file, files_.Create(new_path));
    KV_RETURN_IF_ERROR(file.Append(header));
    KV_RETURN_IF_ERROR(file.Append(base));
    if constexpr (kSyncs) KV_RETURN_IF_ERROR(file.Sync());
    KV_RETURN_IF_ERROR(files_.Rename(new_path, path));
    KV_RETURN_IF_ERROR(files_.SyncDirectory(directory));
    return file;
  }

  absl::Status ReadLog(Model* into) {
    KV_ASSIGN_OR_RETURN(auto file, files_.OpenForRead(log_path_));
    std::string bytes(file.Size(), '\0');
    KV_RETURN_IF_ERROR(file.ReadAt(0, bytes.size(), bytes.data()));
    if (bytes.size() < kHeaderBytes || LoadFixed64(bytes.data()) != kMagic ||
        LoadFixed64(bytes.data() + 16) != Checksum(std::string_view(bytes).substr(0, 16), 0)) {
      return Corruption(log_path_, 0, "not a log header");
    }
    const uint64_t base_end = kHeaderBytes + LoadFixed64(bytes.data() + 8);
    if (base_end > bytes.size()) return Corruption(log_path_, bytes.size(), "cut short");
    for (uint64_t at = kHeaderBytes; at < bytes.size();) {
      const std::optional<std::string_view> payload = RecordAt(bytes, at);
      if (!payload) {
        if (at < base_end) return Corruption(log_path_, at, "a record does not check out");
        break;
      }
      WriteBatch::ForEach(*payload, 0, [&](const Record& record) { into->Load(record); });
      at += kFrameBytes + payload->size();
    }
    return absl::OkStatus();
  }

  static std::optional<std::string_view> RecordAt(std::string_view bytes, uint64_t at) {
    if (bytes.size() - at < kFrameBytes) return std::nullopt;
    const uint32_t size = LoadFixed32(bytes.data() + at);
    const uint64_t checksum = LoadFixed64(bytes.data() + at + 4);
    if (bytes.size() - at - kFrameBytes < size) return std::nullopt;
    const std::string_view payload = bytes.substr(at + kFrameBytes, size);
    // An unwritten extent of zeros is no record.
    if (Parts::kChecksRecords && Checksum(payload, at) != checksum) return std::nullopt;
    if (!Parts::kChecksRecords && size == 0) return std::nullopt;
    return payload;
  }

  const std::string directory_;
  const std::string log_path_;
  Env environment_;
  Files& files_;
  std::optional<typename Files::Lock> lock_;
  std::mutex mutex_;  // guards what follows; the model's own mutex is taken after it
  absl::Status error_;
  std::optional<typename Files::WritableFile> log_;
  std::string buffer_;  // goes to the end of log_
  Model model_;
};

static_assert(OrderedEngine<ReferenceStore<>> && DurableEngine<ReferenceStore<>>);

}  // namespace kv::testing

#endif  // KV_TESTING_REFERENCE_STORE_H_
