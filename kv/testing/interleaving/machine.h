// Machine: the threads, clocks and choices of one run; what Explore drives and Atomic asks.
//
// Internal to this folder.
//
// Memory order: those that are named here are the program's, which the model obeys; its own data is
// of one thread.
#ifndef KV_TESTING_INTERLEAVING_MACHINE_H_
#define KV_TESTING_INTERLEAVING_MACHINE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/fiber.h"

namespace kv::testing::interleaving {

// Thread 0 is the one that runs the program's body; the others are those of Trial::Run.
inline constexpr size_t kMaxThreads = 6;

// How much of each thread's doing happens before something.
class VectorClock {
 public:
  uint32_t& operator[](size_t thread) { return time_[thread]; }
  uint32_t operator[](size_t thread) const { return time_[thread]; }
  void Join(const VectorClock& other) {
    for (size_t i = 0; i < kMaxThreads; ++i) time_[i] = std::max(time_[i], other.time_[i]);
  }

 private:
  std::array<uint32_t, kMaxThreads> time_{};
};

// What ThreadSanitizer takes for a point at which threads synchronize; null is none.
using Handle = std::shared_ptr<char>;

// Hides from ThreadSanitizer what the model itself does, which is no part of the program.
class Hidden {
 public:
  Hidden();
  ~Hidden();
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
};

// The stores of one atomic object, as the model sees them. The values are the object's.
class Location {
 public:
  // Begins an operation: another thread may go first. True where the object is older than the run:
  // its newest value is now the only one.
  bool Enter();

  // Which store is seen; 0 is the initial value. After a store the newest index is last().
  size_t Load(std::memory_order order);
  void Store(std::memory_order order);
  // For an operation that reads and perhaps writes: what it sees, and then, with the order of the
  // case, whether it stores.
  size_t Newest() const { return last(); }
  void Exchange(std::memory_order order, bool stores);

  size_t last() const { return stores_.size() - 1; }

 private:
  struct StoreEvent {
    size_t thread = 0;
    uint32_t time = 0;
    uint64_t seq_cst = 0;   // its place among the sequentially consistent operations, if it is one
    VectorClock sync = {};  // what whoever acquires it synchronizes with
    Handle handle = {};     // ThreadSanitizer's of the same
  };

  size_t Oldest(std::memory_order order) const;
  void See(size_t index, std::memory_order order);
  void Append(std::memory_order order, const StoreEvent* continued);

  uint64_t run_ = 0;  // that the rest is of
  std::vector<StoreEvent> stores_ = {StoreEvent{}};
  std::array<size_t, kMaxThreads> seen_{};
};

class Machine {
 public:
  struct Choice {
    uint32_t taken = 0;
    uint32_t count = 0;
  };

  Machine(const Plan& plan, const std::vector<Choice>& script, bool tells)
      : plan_(plan), script_(script), tells_(tells), run_(++runs_) {}

  // Null outside a trial.
  static Machine* Current() { return current_; }
  static void SetCurrent(Machine* machine) { current_ = machine; }

  void Run(std::vector<std::function<void()>> bodies);
  void Fail(std::string_view what);

  // Before an operation: another thread may go first.
  void Point();
  void Yield();
  // Below `count`, which is above 0.
  size_t Choose(size_t count);

  struct Thread {
    VectorClock clock;
    VectorClock acquirable;  // what relaxed loads saw, for an acquire fence
    VectorClock released;    // at the last release fence
    VectorClock ordered;     // by sequentially consistent fences; bounds what loads see, no more
    uint64_t fence = 0;      // the place of the last of these
    std::vector<Handle> acquirable_handles = {};
    Handle released_handle = {};
    bool yielded = false;       // waits for a store of another thread
    bool wants_newest = false;  // has waited: loads see the newest store
    bool done = false;
    Handle ended = {};
  };
  Thread& self() { return threads_[running_]; }
  size_t running() const { return running_; }
  uint64_t run() const { return run_; }
  bool failed() const { return !failure_.empty(); }

  void Fence(std::memory_order order);
  uint64_t NextSeqCst() { return ++seq_cst_operations_; }
  const VectorClock& seq_cst() const { return seq_cst_; }
  // After a store: whoever waits for one may go on.
  void HasStored();

  // For the story of a run that failed.
  bool tells() const { return tells_; }
  void Tell(const std::string& line);

  const std::vector<Choice>& choices() const { return choices_; }
  std::string Story() const;

 private:
  std::vector<size_t> Runnable() const;
  void SwitchTo(size_t thread);
  std::pair<Fiber*, Fiber*> End();

  static inline Machine* current_ = nullptr;
  static inline uint64_t runs_ = 0;

  const Plan& plan_;
  const std::vector<Choice>& script_;  // the choices to begin with
  const bool tells_;
  const uint64_t run_;
  std::vector<Choice> choices_;
  std::array<Thread, kMaxThreads> threads_;
  std::vector<std::unique_ptr<Fiber>> fibers_;  // in the order of threads
  size_t running_ = 0;
  bool concurrent_ = false;
  int preemptions_ = 0;
  uint64_t steps_ = 0;
  VectorClock seq_cst_;
  uint64_t seq_cst_operations_ = 0;
  std::string failure_;
  std::vector<std::string> story_;
};

inline bool IsAcquire(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst || order == std::memory_order_consume;
}

inline bool IsRelease(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_MACHINE_H_
