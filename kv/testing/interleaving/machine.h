// Machine: the threads, clocks and choices of one run; what Explore drives and Atomic asks.
//
// Internal to this folder.
//
// Where threads change: before each operation that others can notice (a store, a read-modify-write,
// a notification), before each sequentially consistent one, and before the first load behind one of
// these. A change before any other load would add nothing: the loads since the last of these places
// may be taken to come behind what the other threads do meanwhile, since they may see older stores.
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
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/fiber.h"
#include "kv/testing/interleaving/run_memory.h"

namespace kv::testing::interleaving {

// Thread 0 is the one that runs the program's body; the others are those of Trial::Run.
inline constexpr size_t kMaxThreads = 6;

// A value of an atomic object, zero-extended.
using Bits = uint64_t;

// A set of threads, a bit for each.
using Threads = uint32_t;

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

// What ThreadSanitizer takes for points at which threads synchronize. A plain address, which the
// machine owns: to it the reference counts of shared pointers would synchronize, too. Each is a
// word of the heap, since the sanitizer forgets what was released there when that is freed.
using Handle = uint64_t*;
using Handles = RunVector<Handle>;

// Hides from ThreadSanitizer what the model itself does, which is no part of the program.
class Hidden {
 public:
  Hidden();
  ~Hidden();
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
};

// Shows ThreadSanitizer that the program uses an atomic object: a race with its construction, or
// with the end of its life.
void Touch(const void* object, size_t bytes);

// Ends a thread of a run that has failed; only Machine catches it.
struct Abandoned {};

// The stores of one atomic object in one run. All functions are the running thread's.
class Location {
 public:
  explicit Location(Bits initial) : stores_{StoreEvent{.value = initial}} {}

  Bits Load(std::memory_order order);
  void Store(std::memory_order order, Bits value);
  // For an operation that reads and perhaps writes: what it sees, and then, with the order of the
  // case, what it stores, if anything.
  Bits newest() const { return stores_.back().value; }
  void Exchange(std::memory_order order, const Bits* value);
  // Nothing older than the newest store is seen from here on.
  void SeeNewest();

 private:
  struct StoreEvent {
    Bits value = 0;
    size_t thread = 0;
    uint32_t time = 0;
    uint64_t seq_cst = 0;   // its place among the sequentially consistent operations, if it is one
    VectorClock sync = {};  // what whoever acquires it synchronizes with
    Handles handles = {};   // ThreadSanitizer's of the same
  };

  size_t last() const { return stores_.size() - 1; }
  size_t Oldest(std::memory_order order) const;
  void See(size_t index, std::memory_order order);
  void Append(std::memory_order order, Bits value, const StoreEvent* continued);

  RunVector<StoreEvent> stores_;
  std::array<size_t, kMaxThreads> seen_{};
};

class Machine {
 public:
  struct Choice {
    uint32_t taken = 0;
    uint32_t count = 0;
  };

  Machine(const Plan& plan, const std::vector<Choice>& script, bool tells)
      : plan_(plan), script_(script), tells_(tells) {}
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The one whose threads run; null outside of Trial::Run.
  static Machine* Running() { return running_machine_; }

  void Run(std::vector<std::function<void()>> bodies);
  void Fail(std::string_view what);

  // Begins an operation on the object at `address`, whose value is `value` if this is the first;
  // another thread may go first. `acts`: the operation is not just a load that may see old stores.
  Location& Enter(const void* address, Bits value, bool acts, const std::source_location& where);
  // A new object at `address`.
  void Forget(const void* address) { locations_.erase(address); }
  void Fence(std::memory_order order);
  // A fence on every thread (barrier.h).
  void FenceEverybody();

  // For a loop that waits: until another thread has stored.
  void Yield();
  // Until Notify of the object, if its value is `old`.
  void Park(const void* address, Bits old);
  void Notify(const void* address, bool all);
  // Below `count`, which is above 0.
  size_t Choose(size_t count);

  struct Thread {
    VectorClock clock;
    VectorClock acquirable;  // what relaxed loads saw, for an acquire fence
    VectorClock released;    // at the last release fence
    VectorClock ordered;     // by sequentially consistent fences; bounds what loads see, no more
    uint64_t fence = 0;      // the place of the last of these
    Handles acquirable_handles = {};
    Handle released_handle = nullptr;
    bool acted = false;            // since the last place where threads may change
    bool yielded = false;          // waits for a store of another thread
    bool wants_newest = false;     // has waited: loads see the newest store
    const void* parked = nullptr;  // waits for a notification
    bool done = false;
    Handle ended = nullptr;
  };
  Thread& self() { return threads_[running_]; }
  size_t running() const { return running_; }
  bool failed() const { return !failure_.empty(); }

  // A new handle with all that the running thread has done.
  Handle Release();

  uint64_t NextSeqCst() { return ++seq_cst_operations_; }
  const VectorClock& seq_cst() const { return seq_cst_; }
  // After a store: whoever waits for one may go on.
  void HasStored();

  // For the story of a run that failed.
  bool tells() const { return tells_; }
  void Tell(const std::string& line);

  const RunVector<Choice>& choices() const { return choices_; }
  std::string Story() const;

 private:
  void CountStep();
  void Point();
  Threads Runnable() const;
  Threads RunnableOrRevived(bool again);
  void SwitchTo(size_t thread);
  void SwitchAway();
  static void Abandon();
  Fiber* End();

  static inline Machine* running_machine_ = nullptr;

  const Plan& plan_;
  const std::vector<Choice>& script_;  // the choices to begin with
  const bool tells_;
  RunVector<Choice> choices_;
  std::array<Thread, kMaxThreads> threads_;
  RunVector<std::unique_ptr<Fiber>> fibers_;  // in the order of threads
  RunMap<const void*, Location> locations_;
  RunVector<std::unique_ptr<uint64_t[]>> handles_;
  size_t handles_left_ = 0;  // of the last of these
  size_t running_ = 0;
  int preemptions_ = 0;
  uint64_t steps_ = 0;
  VectorClock seq_cst_;
  uint64_t seq_cst_operations_ = 0;
  std::string failure_;
  std::string at_;  // the operation under way, for the story
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

std::string_view NameOf(std::memory_order order);

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_MACHINE_H_
