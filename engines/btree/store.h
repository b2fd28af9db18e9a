// Everything of an open store that its parts share: the tree, the registered readers, and the
// checkpoint that is under way.
//
// A checkpoint begins in the journal, between two groups of writes (journal.h), and is written by
// the background thread, or where it begins on an environment that has none.
//
// Thread safety: any thread, but Begin, which is the journal's.
#ifndef ENGINES_BTREE_STORE_H_
#define ENGINES_BTREE_STORE_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coord/jobs.h"
#include "engines/btree/checkpoint.h"
#include "engines/btree/copy.h"
#include "engines/btree/counters.h"
#include "engines/btree/file_names.h"
#include "engines/btree/pool.h"
#include "engines/btree/reader_list.h"
#include "engines/btree/tree.h"
#include "engines/btree/verify.h"
#include "engines/btree/writer.h"
#include "kv/base/sticky_error.h"
#include "kv/contract/options.h"
#include "kv/contract/statistics.h"
#include "kv/io/environment.h"

namespace kv::btree {

// What is done in the background (background.h).
enum class Job { kCheckpoint };
using Jobs = coord::Jobs<Job, 1>;

template <typename Parts, typename Environment>
class Store {
 public:
  using Files = typename Environment::FileSystem;
  using Clock = typename Environment::Clock;
  using Expiry = typename Parts::Expiry;
  static constexpr size_t kPageBytes = Parts::Pages::kBytes;
  using PoolType = Pool<Files, kPageBytes>;
  using TreeType = Tree<Files, kPageBytes>;
  using WriterType = Writer<Files, typename Parts::Pages, Expiry, Clock>;
  using CheckpointType = CheckpointWriter<Files, kPageBytes>;

  // `readable` and `writable` are the same file, whose state is `image`.
  Store(const Options& options, Environment environment, FileNames names,
        typename Files::ReadableFile readable, typename Files::WritableFile writable, Image image)
      : environment_(std::move(environment)),
        names_(std::move(names)),
        pool_(std::move(readable), names_.Tree(), options.cache_bytes),
        tree_(pool_),
        writer_(tree_, readers_, environment_.clock),
        // A quarter of the pool may change before a checkpoint begins.
        checkpoint_units_(std::max<uint64_t>(pool_.budget_units() / 4, 4)),
        checkpoint_log_bytes_(kLogBytesPerMemtableByte * options.memtable_bytes) {
    pool_.SetGeneration(image.header.generation);
    pool_.SetPlaces(image.pages);
    readers_.Publish(image.header.sequence);
    checkpoint_ = std::make_unique<CheckpointType>(std::move(writable), pool_, std::move(image));
  }

  Environment& environment() { return environment_; }
  const FileNames& names() const { return names_; }
  PoolType& pool() { return pool_; }
  TreeType& tree() { return tree_; }
  WriterType& writer() { return writer_; }
  ReaderList& readers() { return readers_; }
  BtreeCounters& counters() { return counters_; }
  // While no checkpoint is under way, or with checkpoint_mutex().
  CheckpointType& checkpoint() { return *checkpoint_; }
  // Held while the file's state changes or must not change.
  std::mutex& checkpoint_mutex() { return checkpoint_mutex_; }

  // How much there is for a checkpoint to write, as a part of what may be there when it begins.
  double Debt(uint64_t log_bytes) const {
    return std::max(static_cast<double>(pool_.DirtyUnits()) / double(checkpoint_units_),
                    static_cast<double>(log_bytes) / double(checkpoint_log_bytes_));
  }

  // ---- Checkpoints ----

  bool CheckpointRunning() const {
    const std::lock_guard lock(mutex_);
    return order_.has_value();
  }

  // Hands the order to the background, or carries it out. None is under way.
  absl::Status Begin(CheckpointOrder order) {
    {
      const std::lock_guard lock(mutex_);
      KV_RETURN_IF_ERROR(error_.Get());
      order_ = std::move(order);
    }
    if constexpr (Environment::kBackgroundWork == BackgroundWork::kInline) {
      return Run();
    } else {
      jobs_.Ask(Job::kCheckpoint);
      return absl::OkStatus();
    }
  }

  // Waits for the checkpoint that is under way, if any. The error of this or an earlier one. One
  // that waits for space is tried again.
  absl::Status WaitForCheckpoint() {
    if constexpr (Environment::kBackgroundWork == BackgroundWork::kThreads) {
      std::unique_lock lock(mutex_);
      if (!stopping_) {
        try_again_ = order_.has_value() && !shortage_.ok();
        if (try_again_) jobs_.Ask(Job::kCheckpoint);
        changed_.wait(lock,
                      [&] { return !order_.has_value() || (!shortage_.ok() && !try_again_); });
        return order_.has_value() ? shortage_ : error_.Get();
      }
    }
    return CheckpointRunning() ? Run() : error_.Get();  // there is nobody else
  }

  // Whether a checkpoint has failed, or the tree is not whole, and why.
  bool failed() const { return error_.failed(); }
  absl::Status error() const { return error_.Get(); }

  // For the background: what it is asked for, when there is an order, or when somebody wants
  // another try.
  Jobs& jobs() { return jobs_; }

  // Whether there is an order. While it waits for space, only when somebody has asked for another
  // try.
  bool HasOrder() {
    const std::lock_guard lock(mutex_);
    return order_.has_value() && (shortage_.ok() || try_again_);
  }
  // From here on nothing is left to the background, though it finishes what it was asked for.
  void Stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }

  // Reads and checks what the last checkpoint wrote; the next one waits.
  absl::Status Verify() {
    const std::lock_guard lock(checkpoint_mutex_);
    KV_ASSIGN_OR_RETURN(const auto file, environment_.file_system.OpenForRead(names_.Tree()));
    return TreeVerifier<Files, kPageBytes>::Verify(file, names_.Tree());
  }

  // Makes of `directory` a store of its own (copy.h); the next checkpoint waits.
  absl::Status CopyTo(const std::string& directory) {
    const std::lock_guard lock(checkpoint_mutex_);
    KV_RETURN_IF_ERROR(error());
    return CopyStore(environment_.file_system, pool_.file(), checkpoint_->header(),
                     FileNames(directory));
  }

  bool WantsVacuum() {
    const std::lock_guard lock(checkpoint_mutex_);
    return checkpoint_->WantsVacuum();
  }

  void AddGauges(Statistics* statistics) {
    {
      const std::lock_guard lock(checkpoint_mutex_);
      statistics->live_bytes_estimate = checkpoint_->UsedBytes();
    }
    const auto add_file = [&](const std::string& path) {
      const auto file = environment_.file_system.OpenForRead(path);
      if (file.ok()) statistics->disk_bytes += file->Size();
    };
    add_file(names_.Tree());
    for (const uint64_t log : Logs()) add_file(names_.Log(log));
  }

  // Carries the order out. Where there is no space for it, it remains, and all is as it was.
  absl::Status Run() {
    const uint64_t replay_log = order_->replay_log;
    absl::Status status;
    {
      const std::lock_guard file_lock(checkpoint_mutex_);
      status = checkpoint_->Reserve(order_->changes);
      if (IsOutOfSpace(status)) return Postpone(std::move(status));
      const uint64_t before = checkpoint_->written_bytes();
      if (status.ok()) status = checkpoint_->Write(std::move(*order_));
      counters_.Add(BtreeCounter::kFlushes);
      counters_.Add(BtreeCounter::kFlushBytes, checkpoint_->written_bytes() - before);
    }
    if (status.ok()) RecycleLogsBefore(replay_log);
    const std::lock_guard lock(mutex_);
    if (!status.ok()) error_.Set(status).IgnoreError();
    order_.reset();
    shortage_ = absl::OkStatus();
    try_again_ = false;
    changed_.notify_all();
    return status;
  }

  // An acknowledged write could not be put into the tree, so reads would miss it: they fail from
  // here on, until the store is opened again and the log is read.
  void Break(absl::Status why) {
    error_.Set(std::move(why)).IgnoreError();
    // release: pairs with the acquire in CheckWhole.
    broken_.store(true, std::memory_order_release);
  }
  absl::Status CheckWhole() const {
    if (broken_.load(std::memory_order_acquire)) [[unlikely]]
      return error();
    return absl::OkStatus();
  }

  // ---- Logs ----

  uint64_t NewLogNumber() {
    const std::lock_guard lock(mutex_);
    return next_log_++;
  }
  void SetNextLog(uint64_t number) { next_log_ = number; }
  void AddLog(uint64_t number) {
    const std::lock_guard lock(mutex_);
    logs_.insert(number);
  }
  std::vector<uint64_t> Logs() const {
    const std::lock_guard lock(mutex_);
    return {logs_.begin(), logs_.end()};
  }

  // A file that a new log may be written over.
  std::optional<uint64_t> TakeSpareLog() {
    const std::lock_guard lock(mutex_);
    return std::exchange(spare_log_, std::nullopt);
  }

  // Gives up logs whose writes are all in the pages. What cannot be removed now is found again by
  // the next open.
  void RecycleLogsBefore(uint64_t number) {
    std::vector<uint64_t> surplus;
    {
      const std::lock_guard lock(mutex_);
      while (!logs_.empty() && *logs_.begin() < number) {
        const uint64_t log = *logs_.begin();
        logs_.erase(logs_.begin());
        if (spare_log_.has_value()) {
          surplus.push_back(log);
        } else {
          spare_log_ = log;
        }
      }
    }
    for (const uint64_t log : surplus) {
      environment_.file_system.Remove(names_.Log(log)).IgnoreError();
    }
  }

 private:
  static constexpr uint64_t kLogBytesPerMemtableByte = 8;

  absl::Status Postpone(absl::Status shortage) {
    const std::lock_guard lock(mutex_);
    shortage_ = std::move(shortage);
    try_again_ = false;
    changed_.notify_all();
    return shortage_;
  }

  Environment environment_;
  const FileNames names_;
  BtreeCounters counters_;
  ReaderList readers_;
  PoolType pool_;
  TreeType tree_;
  WriterType writer_;
  const uint64_t checkpoint_units_;
  const uint64_t checkpoint_log_bytes_;
  std::mutex checkpoint_mutex_;
  std::unique_ptr<CheckpointType> checkpoint_;
  StickyError error_{kReopenAdvice};  // of a checkpoint
  std::atomic<bool> broken_{false};

  Jobs jobs_;

  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable changed_;
  std::optional<CheckpointOrder> order_;  // under way, or waiting for space
  absl::Status shortage_;                 // why it waits
  bool try_again_ = false;                // somebody waits for it
  bool stopping_ = false;
  std::set<uint64_t> logs_;  // in use
  std::optional<uint64_t> spare_log_;
  uint64_t next_log_ = 1;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_STORE_H_
