// A disk in memory that loses what it may lose: the FileSystem of crash and fault tests.
//
// Contract: file_system.h, to the letter and no kinder. Close() does not sync; syncing a file does
// not sync its name; a failed Sync() may drop the bytes, after which the next one says OK. Crash()
// gives the disk as it may be found after a kill or a power loss, and leaves this one as it is, so
// many outcomes of one moment can be looked at. crash_points.h enumerates moments and outcomes.
//
// Deterministic: the same seed and the same calls from one thread give the same disk, byte for
// byte. A test that fails prints the seed and Trace().
//
// Where the model stops is listed in simulated_disk.h and simulated_file.h. StartWriteback() does
// nothing, since a hint promises nothing; Close() always succeeds while the power is on.
// Not for: benchmarks, or data beyond what fits in memory three times.
// Thread safety: as the concept has it; copies of a handle share one machine.
#ifndef KV_IO_SIMULATED_H_
#define KV_IO_SIMULATED_H_

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"
#include "kv/io/simulated_crash.h"
#include "kv/io/simulated_disk.h"
#include "kv/io/simulated_machine.h"

namespace kv {

class SimulatedWritableFile {
 public:
  SimulatedWritableFile(std::shared_ptr<simulated::Machine> machine, simulated::NodeRef node,
                        std::string path, uint64_t size)
      : machine_(std::move(machine)), node_(std::move(node)), path_(std::move(path)), size_(size) {}

  absl::Status Append(std::string_view bytes) { return WriteAt(size_, bytes); }

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) {
    if (node_ == nullptr) return IoError("write", path_, EBADF);
    KV_RETURN_IF_ERROR(machine_->Write(node_, path_, offset, bytes));
    size_ = std::max(size_, bytes.empty() ? 0 : offset + bytes.size());
    return absl::OkStatus();
  }

  absl::Status Extend(uint64_t size) {
    if (size < size_) return Invalid(fmt::format("{} has {} bytes, not {}", path_, size_, size));
    return WriteAt(size_, std::string(size - size_, '\0'));
  }

  absl::Status Truncate(uint64_t size) {
    if (node_ == nullptr) return IoError("truncate", path_, EBADF);
    if (size > size_) return Invalid(fmt::format("{} has {} bytes, not {}", path_, size_, size));
    KV_RETURN_IF_ERROR(
        machine_->Run(FileOperation::kTruncate, path_, [&](simulated::Disk& disk) -> absl::Status {
          disk.Truncate(node_, size);
          return absl::OkStatus();
        }));
    size_ = size;
    return absl::OkStatus();
  }

  absl::Status Sync() {
    if (node_ == nullptr) return IoError("sync", path_, EBADF);
    return machine_->Sync(node_, path_);
  }

  void StartWriteback(uint64_t /*offset*/, uint64_t /*size*/) {}

  uint64_t Size() const { return size_; }

  absl::Status Close() {
    if (node_ == nullptr) return absl::OkStatus();
    node_ = nullptr;
    if (!machine_->power_lost()) return absl::OkStatus();
    return absl::UnavailableError(fmt::format("close {}: the power is off", path_));
  }

 private:
  std::shared_ptr<simulated::Machine> machine_;
  simulated::NodeRef node_;  // null once closed
  std::string path_;
  uint64_t size_;
};

class SimulatedReadableFile {
 public:
  SimulatedReadableFile(std::shared_ptr<simulated::Machine> machine, simulated::NodeRef node,
                        std::string path, uint64_t size)
      : state_(new State{.machine = std::move(machine),
                         .node = std::move(node),
                         .path = std::move(path),
                         .size = size}) {}

  absl::Status ReadAt(uint64_t offset, size_t size, char* scratch) const {
    return state_->machine->Run(
        FileOperation::kRead, state_->path, [&](const simulated::Disk&) -> absl::Status {
          const std::string& bytes = state_->node->file()->visible();
          const size_t got =
              offset > bytes.size() ? 0 : std::min<uint64_t>(size, bytes.size() - offset);
          if (got != 0) std::memcpy(scratch, bytes.data() + offset, got);
          if (got == size) return absl::OkStatus();
          return Corruption(state_->path, offset,
                            fmt::format("the file ends after {} of {} bytes", got, size));
        });
  }

  // A copy: bytes that are used after the file is destroyed are found by AddressSanitizer.
  absl::StatusOr<std::string_view> Map() const {
    const std::lock_guard lock(state_->map_mutex);
    if (!state_->mapped.has_value()) {
      KV_ASSIGN_OR_RETURN(
          state_->mapped,
          state_->machine->Run(FileOperation::kMap, state_->path, [&](const simulated::Disk&) {
            return absl::StatusOr<std::string>(
                state_->node->file()->visible().substr(0, state_->size));
          }));
    }
    return std::string_view(*state_->mapped);
  }

  void ReleaseMapping() const {}

  uint64_t Size() const { return state_->size; }

 private:
  // On the heap, so that a move disturbs neither the mapping nor the mutex.
  struct State {
    const std::shared_ptr<simulated::Machine> machine;
    const simulated::NodeRef node;
    const std::string path;
    const uint64_t size;
    std::mutex map_mutex = {};
    std::optional<std::string> mapped = std::nullopt;  // guarded by map_mutex
  };
  std::unique_ptr<State> state_;
};

class SimulatedFileSystem {
 public:
  static constexpr std::string_view kName = "simulated";

  using WritableFile = SimulatedWritableFile;
  using ReadableFile = SimulatedReadableFile;
  using Hook = simulated::Machine::Hook;

  class Lock {
   public:
    Lock(std::shared_ptr<simulated::Machine> machine, simulated::NodeRef node)
        : machine_(std::move(machine)), node_(std::move(node)) {}
    Lock(Lock&& other) noexcept = default;
    Lock& operator=(Lock&& other) noexcept {
      std::swap(machine_, other.machine_);
      std::swap(node_, other.node_);
      return *this;
    }
    ~Lock() {
      if (node_ != nullptr) machine_->Unlock(node_);
    }

   private:
    std::shared_ptr<simulated::Machine> machine_;
    simulated::NodeRef node_;  // null once moved from
  };

  // An empty disk. `seed` decides what failed syncs drop and where short writes end.
  explicit SimulatedFileSystem(uint64_t seed = 0)
      : machine_(std::make_shared<simulated::Machine>(seed)) {}

  // ---- The FileSystem ----

  absl::StatusOr<WritableFile> Create(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto node,
                        machine_->Run(FileOperation::kCreate, path,
                                      [&](simulated::Disk& disk) { return disk.Create(path); }));
    return WritableFile(machine_, std::move(node), path, 0);
  }

  absl::StatusOr<WritableFile> OpenForOverwrite(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto opened, Open(path));
    return WritableFile(machine_, std::move(opened.node), path, opened.size);
  }

  absl::StatusOr<ReadableFile> OpenForRead(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto opened, Open(path));
    return ReadableFile(machine_, std::move(opened.node), path, opened.size);
  }

  absl::Status Rename(const std::string& from, const std::string& to) {
    return machine_->Run(FileOperation::kRename, fmt::format("{} to {}", from, to),
                         [&](simulated::Disk& disk) { return disk.Rename(from, to); });
  }

  absl::Status Link(const std::string& from, const std::string& to) {
    return machine_->Run(FileOperation::kLink, fmt::format("{} to {}", from, to),
                         [&](simulated::Disk& disk) { return disk.Link(from, to); });
  }

  absl::Status Remove(const std::string& path) {
    return machine_->Run(FileOperation::kRemove, path,
                         [&](simulated::Disk& disk) { return disk.Remove(path); });
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) {
    return machine_->Run(FileOperation::kList, path,
                         [&](simulated::Disk& disk) { return disk.List(path); });
  }

  absl::Status CreateDirectories(const std::string& path) {
    return machine_->Run(FileOperation::kCreateDirectories, path,
                         [&](simulated::Disk& disk) { return disk.CreateDirectories(path); });
  }

  absl::Status SyncDirectory(const std::string& path) { return machine_->SyncDirectory(path); }

  bool Exists(const std::string& path) {
    return !machine_->power_lost() &&
           machine_->Inspect([&](simulated::Disk& disk) { return disk.Exists(path); });
  }

  absl::StatusOr<Lock> LockFile(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto node, machine_->Lock(path, ::getpid()));
    return Lock(machine_, std::move(node));
  }

  // ---- Crashes ----

  // The disk as the next process may find it, after a kill (kKeepAll) or a power loss (the others)
  // at this moment. Its locks are free, its power is on, no faults are planned. This one goes on.
  SimulatedFileSystem Crash(uint64_t seed, CrashMode mode) const {
    return SimulatedFileSystem(machine_->Crash(seed, mode));
  }

  // Lets `count` more counted operations through. Then everything fails as unavailable and nothing
  // changes any more, until Crash().
  void CutPowerAfter(uint64_t count) { machine_->CutPowerAfter(count); }
  bool power_lost() const { return machine_->power_lost(); }

  // Operations so far, of those that change something: see FileOperation.
  uint64_t operations() const { return machine_->operations(); }

  // ---- Faults ----

  // Of the operations that `fault` can strike, lets `count` through and fails the next `times`.
  void FailAfter(uint64_t count, Fault fault, uint64_t times = 1) {
    machine_->FailAfter(count, fault, times);
  }
  uint64_t faults_injected() const { return machine_->faults_injected(); }

  // The files may hold so many bytes together; a write that needs more is cut short, with ENOSPC.
  void SetCapacity(uint64_t bytes) { machine_->SetCapacity(bytes); }
  uint64_t UsedBytes() const {
    return machine_->Inspect([](simulated::Disk& disk) { return disk.UsedBytes(); });
  }

  // Flips bit `bit` (0 to 7) of the byte at `offset`, on the platter and in the cache. Bytes that
  // are already mapped stay as they are.
  absl::Status FlipBit(const std::string& path, uint64_t offset, unsigned bit) {
    if (bit > 7) return Invalid(fmt::format("a byte has no bit {}", bit));
    return machine_->Inspect([&](simulated::Disk& disk) -> absl::Status {
      KV_ASSIGN_OR_RETURN(const auto node, disk.Open(path, /*create=*/false));
      if (offset >= node->file()->visible().size()) {
        return Invalid(fmt::format("{} has no byte at offset {}", path, offset));
      }
      node->file()->FlipBit(offset, bit);
      return absl::OkStatus();
    });
  }

  // Called before each operation except Exists() and Close(), without a lock: it may sleep, to make
  // the disk slow, or call Crash(), Trace() and the other functions below this line and above, but
  // not the operations of the FileSystem. An empty hook takes the old one away.
  void SetHook(Hook hook) { machine_->SetHook(std::move(hook)); }

  // ---- Looking ----

  // The bytes that reads of `path` would see. Not an operation: never counted, never failing.
  absl::StatusOr<std::string> Contents(const std::string& path) const {
    return machine_->Inspect([&](simulated::Disk& disk) -> absl::StatusOr<std::string> {
      KV_ASSIGN_OR_RETURN(const auto node, disk.Open(path, /*create=*/false));
      return node->file()->visible();
    });
  }

  // The last 10,000 counted or failed operations, one a line, and the crashes between them.
  std::string Trace() const { return machine_->Trace(); }

 private:
  struct Opened {
    simulated::NodeRef node;
    uint64_t size;
  };

  explicit SimulatedFileSystem(std::shared_ptr<simulated::Machine> machine)
      : machine_(std::move(machine)) {}

  absl::StatusOr<Opened> Open(const std::string& path) {
    return machine_->Run(FileOperation::kOpen, path,
                         [&](simulated::Disk& disk) -> absl::StatusOr<Opened> {
                           KV_ASSIGN_OR_RETURN(auto node, disk.Open(path, /*create=*/false));
                           const uint64_t size = node->file()->visible().size();
                           return Opened{std::move(node), size};
                         });
  }

  std::shared_ptr<simulated::Machine> machine_;
};

static_assert(FileSystem<SimulatedFileSystem>);

}  // namespace kv

#endif  // KV_IO_SIMULATED_H_
