// Queues of libraries with a flag for each slot: what a program would pick that looks for something
// faster than a mutex. moodycamel::ConcurrentQueue (per-producer queues) and oneTBB's
// concurrent_queue.
#ifndef BENCH_COORD_LIBRARY_PEERS_H_
#define BENCH_COORD_LIBRARY_PEERS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bench/coord/ready_set.h"
#include "concurrentqueue/blockingconcurrentqueue.h"
#include "concurrentqueue/concurrentqueue.h"
#include "tbb/concurrent_queue.h"

namespace bench {

// A flag for each slot, set while it is queued.
class SlotFlags {
 public:
  explicit SlotFlags(size_t slots) : flags_(std::make_unique<std::atomic<uint8_t>[]>(slots)) {}

  // Whether it was clear. seq_cst: a registration that finds it set has its message seen by the
  // run, as the fence in Clear has it.
  bool Set(Index index) { return flags_[index.slot].exchange(1, std::memory_order_seq_cst) == 0; }

  void Clear(std::span<const Index> batch) {
    // relaxed: the fence orders all of them before the runs.
    for (const Index index : batch) flags_[index.slot].store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

 private:
  const std::unique_ptr<std::atomic<uint8_t>[]> flags_;
};

// moodycamel's queues: `Queue` with try_dequeue_bulk and, for the blocking one, a semaphore.
template <typename Queue>
class MoodycamelPeer : public PlainSlots {
 public:
  explicit MoodycamelPeer(size_t slots) : flags_(slots), queue_(slots) {}

  bool Register(Index index) {
    if (!flags_.Set(index)) return false;
    queue_.enqueue(index);
    return true;
  }

  size_t RegisterBatch(std::span<const Index> indices) {
    std::array<Index, kChunk> chosen;
    size_t total = 0;
    for (; !indices.empty(); indices = indices.subspan(std::min(kChunk, indices.size()))) {
      size_t count = 0;
      for (const Index index : indices.first(std::min(kChunk, indices.size()))) {
        if (flags_.Set(index)) chosen[count++] = index;
      }
      if (count > 0) queue_.enqueue_bulk(chosen.data(), count);
      total += count;
    }
    return total;
  }

  size_t Drain(size_t max, std::vector<Index>* out) {
    const size_t before = out->size();
    out->resize(before + max);
    const size_t count = queue_.try_dequeue_bulk(out->data() + before, max);
    out->resize(before + count);
    if (count > 0) flags_.Clear(std::span(*out).subspan(before));
    return count;
  }

  void FinishAgain(Index index) { Register(index); }

 protected:
  static constexpr size_t kChunk = 64;
  SlotFlags flags_;
  Queue queue_;
};

class Moodycamel : public MoodycamelPeer<moodycamel::ConcurrentQueue<Index>> {
 public:
  static constexpr std::string_view kName = "moodycamel";
  using MoodycamelPeer::MoodycamelPeer;
};

class MoodycamelBlocking : public MoodycamelPeer<moodycamel::BlockingConcurrentQueue<Index>> {
 public:
  static constexpr std::string_view kName = "moodycamel_blocking";
  using MoodycamelPeer::MoodycamelPeer;

  // Its wait takes what it waited for: that is kept for the next Drain.
  size_t Drain(size_t max, std::vector<Index>* out) {
    if (!taken_.has_value()) return MoodycamelPeer::Drain(max, out);
    out->push_back(*taken_);
    flags_.Clear({&*taken_, 1});
    taken_.reset();
    return 1;
  }
  void Wait() {
    Index index;
    queue_.wait_dequeue(index);
    if (index != kEnd) taken_ = index;
  }
  void Shutdown() { queue_.enqueue(kEnd); }

 private:
  static constexpr Index kEnd{~uint32_t{0}, 0};
  std::optional<Index> taken_;  // of the only worker
};

class Tbb : public PlainSlots {
 public:
  static constexpr std::string_view kName = "tbb";

  explicit Tbb(size_t slots) : flags_(slots) {}

  bool Register(Index index) {
    if (!flags_.Set(index)) return false;
    queue_.push(index);
    return true;
  }

  size_t RegisterBatch(std::span<const Index> indices) {
    size_t count = 0;
    for (const Index index : indices) count += Register(index) ? 1 : 0;
    return count;
  }

  size_t Drain(size_t max, std::vector<Index>* out) {
    const size_t before = out->size();
    Index index;
    size_t count = 0;
    for (; count < max && queue_.try_pop(index); ++count) out->push_back(index);
    if (count > 0) flags_.Clear(std::span(*out).subspan(before));
    return count;
  }

  void FinishAgain(Index index) { Register(index); }

 private:
  SlotFlags flags_;
  tbb::concurrent_queue<Index> queue_;
};

}  // namespace bench

#endif  // BENCH_COORD_LIBRARY_PEERS_H_
