// Memtables against ordered maps behind one mutex: T threads put while T others get.
//
// Each writer inserts `num` keys of its own in random order, each reader asks for `num` random keys
// of all of them, beside the writers, so that many are not there yet. Keys are 20 bytes, values 20,
// and a get copies the value out. A fresh table for each round; the clock runs from the common
// start to the end of the last thread, so neither thread creation nor the table's destruction is
// in it. Operations are puts and gets together.
//
// A memtable that takes one inserter at a time is given a mutex for its inserts, as an engine's
// commit policy would.
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/btree_map.h"
#include "bench/claims/cases.h"
#include "bench/cycle_clock.h"
#include "bench/key_generator.h"
#include "bench/random.h"
#include "bench/start_line.h"
#include "fmt/format.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/memtable/skip_list.h"

namespace bench {
namespace {

constexpr std::string_view kValue = "twenty bytes of text";

template <typename Map>
class LockedMap {
 public:
  void Put(std::string_view key, std::string_view value) {
    const std::lock_guard lock(mutex_);
    map_.insert_or_assign(std::string(key), std::string(value));
  }
  bool Get(std::string_view key, std::string* value) {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    if (found == map_.end()) return false;
    value->assign(found->second);
    return true;
  }

 private:
  std::mutex mutex_;
  Map map_;
};

template <typename M>
class Memtable {
 public:
  void Put(std::string_view key, std::string_view value) {
    std::optional<std::lock_guard<std::mutex>> lock;
    if constexpr (!M::kConcurrentInsert) lock.emplace(mutex_);
    // relaxed: sequence numbers only have to differ.
    const uint64_t sequence = next_.fetch_add(1, std::memory_order_relaxed);
    table_.Insert({.key = key, .value = value, .sequence = sequence});
  }
  bool Get(std::string_view key, std::string* value) {
    kv::Record record;
    if (!table_.Get(key, kv::kMaxSequence, &record)) return false;
    value->assign(record.value);
    return true;
  }

 private:
  std::mutex mutex_;
  std::atomic<uint64_t> next_ = 1;
  M table_;
};

std::string KeyOf(uint64_t number) { return fmt::format("key:{:016}", SplitMix64(number) >> 12); }

// Every key that a round inserts, writer after writer.
std::vector<std::string> KeysOf(const MicroPlan& plan) {
  const uint64_t count = plan.num * static_cast<uint64_t>(plan.threads);
  const Permutation permutation(count, plan.seed);
  std::vector<std::string> keys;
  keys.reserve(count);
  for (uint64_t i = 0; i < count; ++i) keys.push_back(KeyOf(permutation(i)));
  return keys;
}

template <typename Table>
double Round(const MicroPlan& plan, const std::vector<std::string>& keys, uint64_t seed) {
  auto table = std::make_unique<Table>();
  std::vector<std::thread> threads;
  StartLine line(2 * plan.threads);
  const auto work = [&](uint64_t thread, bool writes) {
    Random random(seed + thread);
    std::string value;
    line.Wait();
    for (uint64_t i = 0; i < plan.num; ++i) {
      if (writes) {
        table->Put(keys[thread * plan.num + i], kValue);
      } else {
        table->Get(keys[random.Uniform(keys.size())], &value);
      }
    }
  };
  for (uint64_t i = 0; i < static_cast<uint64_t>(plan.threads); ++i) {
    threads.emplace_back(work, i, true);
    threads.emplace_back(work, i, false);
  }
  const uint64_t begin = line.Start();
  for (std::thread& thread : threads) thread.join();
  return CycleClock::Get().ToSeconds(CycleClock::Get().Now() - begin);
}

template <typename Table>
absl::StatusOr<MicroResult> PutAndGet(const MicroPlan& plan) {
  const std::vector<std::string> keys = KeysOf(plan);
  MicroResult result;
  do {
    result.seconds += Round<Table>(plan, keys, plan.seed + result.operations);
    result.operations += 2 * plan.num * static_cast<uint64_t>(plan.threads);
  } while (result.seconds < plan.seconds);
  return result;
}

using LockedStdMap = LockedMap<std::map<std::string, std::string, std::less<>>>;
using LockedBtreeMap = LockedMap<absl::btree_map<std::string, std::string, std::less<>>>;

constexpr std::string_view kWorkload = "put_and_get";
constexpr MicroCase kCases[] = {
    {kWorkload, "locked_std_map", "T threads put, T get; std::map behind a mutex; no deletes",
     PutAndGet<LockedStdMap>},
    {kWorkload, "locked_btree_map",
     "T threads put, T get; absl::btree_map behind a mutex; no deletes", PutAndGet<LockedBtreeMap>},
    {kWorkload, "skip_list", "T threads put, T get; the lock-free skip list; no versions of a key",
     PutAndGet<Memtable<kv::SkipListMemtable>>},
    {kWorkload, "bplus_tree", "T threads put, T get; the B+tree, inserts behind a mutex",
     PutAndGet<Memtable<kv::BPlusTreeMemtable>>},
};

}  // namespace

std::span<const MicroCase> MemtableCases() { return kCases; }

}  // namespace bench
