// Conformance suite of the Striping concept: everything in concept.h that a compiler cannot check.
//
//   absl::Status CheckStripingExcludes<S>()   who must wait for whom, and who must not
//   absl::Status CheckStripingFair<S>()       endless sharers against an excluder, and vice versa
//   absl::Status CheckStripingStress<S>(seed) invariants under load; batches in any order get by
//
// Each hands back the first failure in words, so that a test can also assert that a broken model is
// refused. A right model is never refused for being slow: where a thread must wait, the suite gives
// it a moment to break in, and where it must not, ten seconds to arrive. Run them with
// ThreadSanitizer too.
//
// Memory order: the suite's own flags and counts have the default, seq_cst, which is the easiest to
// reason about; their cost does not matter. The pairs of the stress check are relaxed, because
// their order is what the guards have to provide.
#ifndef KV_STRIPING_CONFORMANCE_H_
#define KV_STRIPING_CONFORMANCE_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "kv/base/status.h"
#include "kv/striping/concept.h"

namespace kv {

namespace striping_conformance {

using std::chrono::milliseconds;

inline constexpr milliseconds kMoment{60};
inline constexpr milliseconds kLong{10'000};

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

// Whether `flag` is set before `patience` is over.
inline bool SetWithin(const std::atomic<bool>& flag, milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!flag.load()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

// Whether another thread's `take` succeeds, within `patience`, beside a guard from `hold`.
template <typename Hold, typename Take>
bool GetsInBeside(Hold hold, Take take, milliseconds patience) {
  std::atomic<bool> started{false};
  std::atomic<bool> in{false};
  std::thread other;
  bool beside = false;
  {
    const auto guard = hold();
    other = std::thread([&] {
      started = true;
      const auto taken = take();
      in = true;
    });
    static_cast<void>(SetWithin(started, kLong));
    beside = SetWithin(in, patience);
  }
  other.join();
  return beside;
}

// Two threads that keep handing `take` over to one another, so that one of them always holds it if
// the model lets it. Stops when destroyed.
template <typename Take>
class Relay {
 public:
  explicit Relay(Take take) {
    for (size_t me = 0; me < 2; ++me) {
      threads_[me] = std::thread([this, take, me] {
        while (!stop_.load()) {
          const auto guard = take();
          const uint64_t seen = turns_[1 - me].load();
          turns_[me].fetch_add(1);
          // Leave once the other has come in, or cannot.
          for (int i = 0; i < 20 && turns_[1 - me].load() == seen; ++i) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
          }
        }
      });
    }
  }
  ~Relay() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::array<std::atomic<uint64_t>, 2> turns_{};
  std::array<std::thread, 2> threads_;
};

// Whether `take` succeeds, within `patience`, while a Relay of `relayed` is on.
template <typename Relayed, typename Take>
bool GetsInDuringRelay(Relayed relayed, Take take, milliseconds patience) {
  std::atomic<bool> in{false};
  std::thread other;
  bool during = false;
  {
    const Relay<Relayed> relay(relayed);
    std::this_thread::sleep_for(milliseconds(10));
    other = std::thread([&] {
      const auto taken = take();
      in = true;
    });
    during = SetWithin(in, patience);
  }
  other.join();
  return during;
}

}  // namespace striping_conformance

template <Striping S>
absl::Status CheckStripingExcludes() {
  using striping_conformance::Failure;
  using striping_conformance::GetsInBeside;
  using striping_conformance::kLong;
  using striping_conformance::kMoment;
  const auto stripes = std::make_unique<S>();
  const uint64_t key = 12'345;
  // The key is first, last and repeated, among keys of other stripes.
  const std::array<uint64_t, 5> batch = {key, 99, 7, key, 12'344};
  const std::array<uint64_t, 3> key_last = {99, 7, key};
  const auto share = [&] { return stripes->Share(key); };
  const auto exclude = [&] { return stripes->Exclude(key); };
  const auto share_all = [&] { return stripes->ShareAll(batch); };
  const auto share_all_last = [&] { return stripes->ShareAll(key_last); };
  const auto share_every = [&] { return stripes->ShareEvery(); };

  if (!GetsInBeside(share, share, kLong)) return Failure("Share waits for Share");
  if (!GetsInBeside(share, share_all, kLong)) return Failure("ShareAll waits for Share");
  if (!GetsInBeside(share_all, share, kLong)) return Failure("Share waits for ShareAll");
  if (!GetsInBeside(share_all, share_all_last, kLong)) return Failure("ShareAll waits for another");
  if (!GetsInBeside(share_every, share, kLong)) return Failure("Share waits for ShareEvery");
  if (!GetsInBeside(share_all, share_every, kLong)) return Failure("ShareEvery waits for ShareAll");
  if (!GetsInBeside(share_every, share_every, kLong))
    return Failure("ShareEvery waits for another");

  if (GetsInBeside(exclude, exclude, kMoment)) return Failure("Exclude beside Exclude");
  if (GetsInBeside(exclude, share, kMoment)) return Failure("Share beside Exclude");
  if (GetsInBeside(share, exclude, kMoment)) return Failure("Exclude beside Share");
  if (GetsInBeside(exclude, share_all, kMoment)) return Failure("ShareAll beside Exclude");
  if (GetsInBeside(exclude, share_all_last, kMoment)) return Failure("ShareAll beside Exclude");
  if (GetsInBeside(share_all, exclude, kMoment)) return Failure("Exclude beside ShareAll");
  if (GetsInBeside(share_all_last, exclude, kMoment)) return Failure("Exclude beside ShareAll");
  // Whatever the key: of neighbouring hashes many a stripe is first, last and in between.
  for (uint64_t any = 0; any < 3; ++any) {
    const auto exclude_any = [&] { return stripes->Exclude(any * 127 + 1); };
    if (GetsInBeside(exclude_any, share_every, kMoment)) {
      return Failure("ShareEvery beside Exclude");
    }
    if (GetsInBeside(share_every, exclude_any, kMoment)) {
      return Failure("Exclude beside ShareEvery");
    }
  }

  // An empty batch holds nothing that could be asked for wrongly; it must only come and go.
  const auto none = stripes->ShareAll({});
  return absl::OkStatus();
}

template <Striping S>
absl::Status CheckStripingFair() {
  using striping_conformance::GetsInDuringRelay;
  const auto stripes = std::make_unique<S>();
  const auto share = [&] { return stripes->Share(1); };
  const auto exclude = [&] { return stripes->Exclude(1); };
  const std::chrono::milliseconds patience{3'000};
  if (!GetsInDuringRelay(share, exclude, patience)) {
    return striping_conformance::Failure("sharers starve an excluder");
  }
  if (!GetsInDuringRelay(exclude, share, patience)) {
    return striping_conformance::Failure("excluders starve a sharer");
  }
  return absl::OkStatus();
}

template <Striping S>
absl::Status CheckStripingStress(uint64_t seed) {
  constexpr size_t kKeys = 8;
  constexpr size_t kThreads = 4;
  constexpr int kRounds = 3'000;
  // Under exclusion the two are changed one after the other, so a sharer never sees them differ.
  // relaxed throughout: the guards have to provide the order.
  struct Pair {
    std::atomic<uint64_t> left{0};
    std::atomic<uint64_t> right{0};
  };
  const auto stripes = std::make_unique<S>();
  std::array<Pair, kKeys> pairs;
  std::atomic<uint64_t> excluded{0};
  std::atomic<uint64_t> torn{0};

  const auto read = [&](uint64_t key) {
    if (pairs[key].left.load(std::memory_order_relaxed) !=
        pairs[key].right.load(std::memory_order_relaxed)) {
      ++torn;
    }
  };
  const auto work = [&](uint64_t thread_seed) {
    std::mt19937_64 random(thread_seed);
    for (int round = 0; round < kRounds; ++round) {
      const uint64_t key = random() % kKeys;
      switch (random() % 4) {
        case 0: {
          const auto guard = stripes->Exclude(key);
          read(key);
          const uint64_t value = pairs[key].left.load(std::memory_order_relaxed) + 1;
          pairs[key].left.store(value, std::memory_order_relaxed);
          if (random() % 16 == 0) std::this_thread::yield();
          pairs[key].right.store(value, std::memory_order_relaxed);
          ++excluded;
          break;
        }
        case 1: {
          std::array<uint64_t, 4> batch;
          for (uint64_t& member : batch) member = random() % kKeys;
          const auto guard = stripes->ShareAll(batch);
          for (const uint64_t member : batch) read(member);
          break;
        }
        default: {
          const auto guard = stripes->Share(key);
          read(key);
          if (random() % 64 == 0) std::this_thread::yield();
          break;
        }
      }
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) threads.emplace_back(work, seed * kThreads + i);
  for (std::thread& thread : threads) thread.join();

  uint64_t counted = 0;
  for (const Pair& pair : pairs) counted += pair.left.load(std::memory_order_relaxed);
  if (torn.load() != 0)
    return striping_conformance::Failure("a sharer saw half an exclusive change");
  if (counted != excluded.load()) {
    return striping_conformance::Failure("exclusive changes overwrote one another");
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_STRIPING_CONFORMANCE_H_
