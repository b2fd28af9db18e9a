// The machine around a simulated disk: one lock, a counter of operations, planned faults, a power
// switch, a hook and a trace. Handles (simulated.h) share one and run every operation through it.
//
// Invariants:
//   1. Operations take effect one at a time, in the order of the trace.
//   2. With one thread, what happens is a function of the seed and the calls.
//   3. Once the power is cut no operation succeeds, and neither the disk nor the cache changes.
//
// Thread safety: all functions may be called from many threads; the hook runs outside the lock.
#ifndef KV_IO_SIMULATED_MACHINE_H_
#define KV_IO_SIMULATED_MACHINE_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/simulated_crash.h"
#include "kv/io/simulated_disk.h"

namespace kv {

enum class FileOperation {
  // These change something, and are the ones that are counted.
  kCreate,
  kWrite,
  kTruncate,
  kSync,
  kRename,
  kLink,
  kRemove,
  kCreateDirectories,
  kSyncDirectory,
  kLock,
  // These only look.
  kOpen,
  kRead,
  kMap,
  kList,
};

inline bool IsCounted(FileOperation operation) { return operation < FileOperation::kOpen; }

inline std::string_view ToString(FileOperation operation) {
  constexpr std::string_view kNames[] = {"create",
                                         "write",
                                         "truncate",
                                         "sync",
                                         "rename",
                                         "link",
                                         "remove",
                                         "create directories",
                                         "sync directory",
                                         "lock",
                                         "open",
                                         "read",
                                         "map",
                                         "list"};
  return kNames[static_cast<size_t>(operation)];
}

enum class Fault {
  kIoError,  // EIO from a counted operation, which does nothing; from a sync, as kSyncFailure
  kNoSpace,  // ENOSPC from a create, write, link, lock or create directories; a part may be written
  kShortWrite,   // EIO from a write of which a part, but not all, was written
  kSyncFailure,  // EIO from a file's sync: unsynced bytes are dropped or kept, seeded
  kReadError,    // EIO from an open, read, map or list
};

inline bool Strikes(Fault fault, FileOperation operation) {
  switch (fault) {
    case Fault::kIoError:
      return IsCounted(operation);
    case Fault::kNoSpace:
      return operation == FileOperation::kCreate || operation == FileOperation::kWrite ||
             operation == FileOperation::kLink || operation == FileOperation::kLock ||
             operation == FileOperation::kCreateDirectories;
    case Fault::kShortWrite:
      return operation == FileOperation::kWrite;
    case Fault::kSyncFailure:
      return operation == FileOperation::kSync;
    case Fault::kReadError:
      return !IsCounted(operation);
  }
  return false;
}

namespace simulated {

class Machine {
 public:
  using Hook = std::function<void(FileOperation operation, const std::string& path)>;

  explicit Machine(uint64_t seed) : random_(seed) {}

  // What a power loss or a kill at this moment leaves, in a machine of its own, with its power on,
  // its locks free and no faults planned. This machine goes on undisturbed.
  std::shared_ptr<Machine> Crash(uint64_t seed, CrashMode mode) const {
    const std::lock_guard lock(mutex_);
    auto machine = std::make_shared<Machine>(seed);
    std::vector<std::string> notes;
    machine->disk_ = disk_.AfterCrash(mode, seed, &notes);
    machine->capacity_ = capacity_;
    machine->trace_ = trace_;
    machine->Note(fmt::format("crash, mode {}, seed {}", ToString(mode), seed));
    for (const std::string& note : notes) machine->Note("  " + note);
    return machine;
  }

  // Runs `act(disk)`, which returns a Status or a StatusOr, as one operation.
  template <typename Act>
  auto Run(FileOperation operation, const std::string& path, Act act)
      -> decltype(act(std::declval<Disk&>())) {
    CallHook(operation, path);
    const std::lock_guard lock(mutex_);
    std::optional<Fault> fault;
    absl::Status admitted = Admit(operation, path, &fault);
    if (admitted.ok() && fault.has_value()) {
      admitted = IoError(ToString(operation), path, *fault == Fault::kNoSpace ? ENOSPC : EIO);
    }
    if (!admitted.ok()) {
      Record(operation, path, admitted);
      return admitted;
    }
    auto result = act(disk_);
    Record(operation, path, StatusOf(result));
    return result;
  }

  absl::Status Write(const NodeRef& node, const std::string& path, uint64_t offset,
                     std::string_view bytes) {
    CallHook(FileOperation::kWrite, path);
    const std::lock_guard lock(mutex_);
    const std::string what = fmt::format("{}, {} bytes at {}", path, bytes.size(), offset);
    std::optional<Fault> fault;
    absl::Status status = Admit(FileOperation::kWrite, path, &fault);
    if (status.ok()) {
      size_t written = std::min(bytes.size(), Room(node, offset, bytes.size()));
      int error = written == bytes.size() ? 0 : ENOSPC;
      if (fault == Fault::kIoError) {
        written = 0;
        error = EIO;
      } else if (fault.has_value()) {
        written = bytes.empty() ? 0 : std::min(written, random_.Below(bytes.size()));
        error = *fault == Fault::kNoSpace ? ENOSPC : EIO;
      }
      disk_.Write(node, offset, bytes.substr(0, written));
      if (error != 0) status = IoError("write", path, error);
    }
    Record(FileOperation::kWrite, what, status);
    return status;
  }

  absl::Status Sync(const NodeRef& node, const std::string& path) {
    const uint64_t last = Sequence();  // before the hook: what is written meanwhile is not covered
    CallHook(FileOperation::kSync, path);
    const std::lock_guard lock(mutex_);
    std::optional<Fault> fault;
    absl::Status status = Admit(FileOperation::kSync, path, &fault);
    if (status.ok() && fault.has_value()) {
      node->file()->DropUnsynced(&random_);
      status = IoError("sync", path, EIO);
    } else if (status.ok()) {
      node->file()->Sync(last);
    }
    Record(FileOperation::kSync, path, status);
    return status;
  }

  absl::Status SyncDirectory(const std::string& path) {
    const uint64_t last = Sequence();
    return Run(FileOperation::kSyncDirectory, path,
               [&](Disk& disk) { return disk.SyncDirectory(path, last); });
  }

  // The node of a lock file that nobody else has locked. Give it back to Unlock().
  absl::StatusOr<NodeRef> Lock(const std::string& path, int holder) {
    return Run(FileOperation::kLock, path, [&](Disk& disk) -> absl::StatusOr<NodeRef> {
      KV_ASSIGN_OR_RETURN(NodeRef node, disk.Open(path, /*create=*/true));
      if (!locked_.insert(node.get()).second) {
        return absl::FailedPreconditionError(
            fmt::format("lock {}: held by process {}", path, holder));
      }
      return node;
    });
  }

  void Unlock(const NodeRef& node) {
    const std::lock_guard lock(mutex_);
    locked_.erase(node.get());
  }

  // Looks at the disk behind the back of the lock, the faults and the trace.
  template <typename Look>
  auto Inspect(Look look) {
    const std::lock_guard lock(mutex_);
    return look(disk_);
  }

  void FailAfter(uint64_t count, Fault fault, uint64_t times) {
    const std::lock_guard lock(mutex_);
    plan_.push_back({fault, count, times});
  }

  void CutPowerAfter(uint64_t count) {
    const std::lock_guard lock(mutex_);
    power_lasts_ = operations_ + count;
  }

  void SetCapacity(uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    capacity_ = bytes;
  }

  void SetHook(Hook hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::make_shared<const Hook>(std::move(hook));
  }

  uint64_t operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
  }

  uint64_t faults_injected() const {
    const std::lock_guard lock(mutex_);
    return faults_injected_;
  }

  bool power_lost() const {
    const std::lock_guard lock(mutex_);
    return operations_ >= power_lasts_;
  }

  std::string Trace() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const std::string& line : trace_) text += line + "\n";
    return text;
  }

 private:
  static constexpr size_t kTraceLines = 10'000;

  struct PlannedFault {
    Fault fault;
    uint64_t spared;  // so many operations that it could strike go by first
    uint64_t times;
  };

  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }

  void CallHook(FileOperation operation, const std::string& path) {
    std::shared_ptr<const Hook> hook;
    {
      const std::lock_guard lock(mutex_);
      hook = hook_;
    }
    if (hook != nullptr && *hook) (*hook)(operation, path);
  }

  uint64_t Sequence() const {
    const std::lock_guard lock(mutex_);
    return disk_.sequence();
  }

  // Counts the operation. An error if the power is off; otherwise `*fault` is what strikes it.
  absl::Status Admit(FileOperation operation, const std::string& path,
                     std::optional<Fault>* fault) {
    if (operations_ >= power_lasts_) {
      return absl::UnavailableError(
          fmt::format("{} {}: the power is off", ToString(operation), path));
    }
    if (IsCounted(operation)) ++operations_;
    for (PlannedFault& planned : plan_) {
      if (!Strikes(planned.fault, operation)) continue;
      if (planned.spared > 0) {
        --planned.spared;
      } else if (planned.times > 0 && !fault->has_value()) {
        --planned.times;
        ++faults_injected_;
        *fault = planned.fault;
      }
    }
    return absl::OkStatus();
  }

  // How many of the `size` bytes at `offset` the disk has room for.
  size_t Room(const NodeRef& node, uint64_t offset, size_t size) const {
    if (!capacity_.has_value()) return size;
    const uint64_t end = offset + size;
    const uint64_t now = node->file()->visible().size();
    const uint64_t growth = end > now ? end - now : 0;
    const uint64_t used = disk_.UsedBytes();
    const uint64_t free = *capacity_ > used ? *capacity_ - used : 0;
    if (growth <= free) return size;
    return size - std::min<uint64_t>(size, growth - free);
  }

  void Record(FileOperation operation, const std::string& what, const absl::Status& status) {
    if (IsCounted(operation) || !status.ok()) {
      Note(fmt::format("{:>5} {} {}{}{}", operations_, ToString(operation), what,
                       status.ok() ? "" : ": ", status.ok() ? "" : status.ToString()));
    }
  }

  void Note(std::string line) {
    if (trace_.size() == kTraceLines) trace_.pop_front();
    trace_.push_back(std::move(line));
  }

  mutable std::mutex mutex_;  // guards all that follows
  Disk disk_;
  Random random_;
  uint64_t operations_ = 0;
  uint64_t power_lasts_ = UINT64_MAX;  // in operations since the start
  uint64_t faults_injected_ = 0;
  std::optional<uint64_t> capacity_;
  std::vector<PlannedFault> plan_;
  std::set<const Node*> locked_;
  std::shared_ptr<const Hook> hook_;
  std::deque<std::string> trace_;
};

}  // namespace simulated
}  // namespace kv

#endif  // KV_IO_SIMULATED_MACHINE_H_
