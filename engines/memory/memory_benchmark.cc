// The memory engines beside absl::flat_hash_map under 256 mutexes: get, missing get, batches of
// gets, put, overwrite, delete, compare-and-set, count, scan, and bytes of memory per entry.
//
// Keys are 16 bytes in random order, values 100 bytes; the argument is the number of keys.
// Measures the engines with keys made beforehand. It does not measure key generation, the
// allocator against others, or latency under load (see //bench).
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engines/memory/test_parts.h"
#include "kv/base/hash.h"

namespace kv {
namespace {

using Memory = testing::Sharded;
using MemoryOrdered = testing::OnTree;

constexpr size_t kValueBytes = 100;
constexpr size_t kBatch = 32;

// What a program would otherwise write by hand.
class ShardedMap {
 public:
  static constexpr bool kOrdered = false;
  absl::Status Get(std::string_view key, std::string* value) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto it = shard.map.find(ToAbsl(key));
    if (it == shard.map.end()) return NotFound();
    *value = it->second;
    return absl::OkStatus();
  }
  absl::Status Put(std::string_view key, std::string_view value) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto [it, added] = shard.map.try_emplace(ToAbsl(key), value);
    if (!added) it->second.assign(value);
    return absl::OkStatus();
  }
  absl::Status Delete(std::string_view key) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    shard.map.erase(ToAbsl(key));
    return absl::OkStatus();
  }
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto it = shard.map.find(ToAbsl(key));
    if (it == shard.map.end() || it->second != *expected) return CasResult{};
    it->second.assign(*desired);
    return CasResult{.swapped = true, .current = std::nullopt};
  }
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    for (size_t i = 0; i < keys.size(); ++i) statuses[i] = Get(keys[i], &values[i]);
  }

 private:
  struct alignas(64) Shard {
    std::mutex mutex;
    absl::flat_hash_map<std::string, std::string> map;
  };
  Shard& ShardOf(std::string_view key) { return shards_[HashKey(key) & 255]; }
  std::array<Shard, 256> shards_;
};

template <typename E>
std::unique_ptr<E> OpenNew() {
  if constexpr (requires { E::Open(Options{}); }) {
    return *E::Open(Options{});
  } else {
    return std::make_unique<E>();
  }
}

// Keys one after the other in memory, so that taking the next one costs nothing beside what is
// measured. Each is a random number in hexadecimal: neighbours in this order are far apart in the
// store's.
class Keys {
 public:
  static constexpr size_t kBytes = 16;
  Keys(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    char text[kBytes + 1];
    for (size_t i = 0; i < count; ++i) {
      std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random()));
      bytes_.append(text, kBytes);
    }
  }
  size_t size() const { return bytes_.size() / kBytes; }
  std::string_view operator[](size_t i) const { return {bytes_.data() + i * kBytes, kBytes}; }
  // The same keys in another order.
  Keys Shuffled(uint64_t seed) const {
    std::vector<uint32_t> order(size());
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
    Keys shuffled(0, 0);
    for (const uint32_t i : order) shuffled.bytes_.append((*this)[i]);
    return shuffled;
  }

 private:
  std::string bytes_;
};

// Of the process, whatever allocator or mapping they come from.
size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Opened and filled once for all benchmarks of one engine and size.
template <typename E>
struct Filled {
  explicit Filled(size_t count) : keys(Keys(count, 1).Shuffled(3)), absent(count, 2) {
    const size_t before = ResidentBytes();
    engine = OpenNew<E>();
    const std::string value(kValueBytes, 'v');
    const Keys in_order(count, 1);
    for (size_t i = 0; i < count; ++i) {
      benchmark::DoNotOptimize(engine->Put(in_order[i], value));
    }
    const size_t after = ResidentBytes();
    bytes_per_entry =
        (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(count);
  }

  static Filled& Of(size_t count) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    static std::unique_ptr<Filled> filled;
    if (filled == nullptr || filled->keys.size() != count) {
      filled.reset();
      filled = std::make_unique<Filled>(count);
    }
    return *filled;
  }

  Keys keys;
  Keys absent;
  std::unique_ptr<E> engine;
  double bytes_per_entry = 0;
};

template <typename E>
void BM_Get(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  std::string value;
  size_t i = filled.keys.size() / 2 * static_cast<size_t>(state.thread_index());
  for (auto _ : state) {
    i = i + 1 < filled.keys.size() ? i + 1 : 0;
    benchmark::DoNotOptimize(filled.engine->Get(filled.keys[i], &value));
  }
  state.SetItemsProcessed(state.iterations());
  // Memory beyond the 116 bytes of key and value.
  if (state.thread_index() == 0) {
    state.counters["overhead_B"] = filled.bytes_per_entry - 16 - kValueBytes;
  }
}

template <typename E>
void BM_GetMissing(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  std::string value;
  size_t i = 0;
  for (auto _ : state) {
    i = i + 1 < filled.keys.size() ? i + 1 : 0;
    benchmark::DoNotOptimize(filled.engine->Get(filled.absent[i], &value));
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename E>
void BM_MultiGet(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  std::vector<std::string_view> keys(kBatch);
  std::vector<std::string> values(kBatch);
  std::vector<absl::Status> statuses(kBatch);
  size_t i = 0;
  for (auto _ : state) {
    for (std::string_view& key : keys) {
      i = i + 1 < filled.keys.size() ? i + 1 : 0;
      key = filled.keys[i];
    }
    filled.engine->MultiGet(keys, values, statuses);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

template <typename E>
void BM_Overwrite(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  const std::string value(kValueBytes, 'w');
  size_t i = filled.keys.size() / 2 * static_cast<size_t>(state.thread_index());
  for (auto _ : state) {
    i = i + 1 < filled.keys.size() ? i + 1 : 0;
    benchmark::DoNotOptimize(filled.engine->Put(filled.keys[i], value));
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename E>
void BM_CompareAndSet(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  const std::string value(kValueBytes, 'c');
  for (size_t k = 0; k < filled.keys.size(); ++k) {
    benchmark::DoNotOptimize(filled.engine->Put(filled.keys[k], value));
  }
  size_t i = 0;
  for (auto _ : state) {
    i = i + 1 < filled.keys.size() ? i + 1 : 0;
    benchmark::DoNotOptimize(filled.engine->CompareAndSet(filled.keys[i], value, value));
  }
  state.SetItemsProcessed(state.iterations());
}

// Fills an empty store; one iteration is the whole fill.
template <typename E>
void BM_FillRandom(benchmark::State& state) {
  const Keys keys(static_cast<size_t>(state.range(0)), 1);
  const std::string value(kValueBytes, 'v');
  for (auto _ : state) {
    state.PauseTiming();
    auto engine = OpenNew<E>();
    state.ResumeTiming();
    for (size_t i = 0; i < keys.size(); ++i) benchmark::DoNotOptimize(engine->Put(keys[i], value));
    state.PauseTiming();
    engine.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <typename E>
void BM_DeleteRandom(benchmark::State& state) {
  const Keys keys(static_cast<size_t>(state.range(0)), 1);
  const std::string value(kValueBytes, 'v');
  for (auto _ : state) {
    state.PauseTiming();
    auto engine = OpenNew<E>();
    for (size_t i = 0; i < keys.size(); ++i) benchmark::DoNotOptimize(engine->Put(keys[i], value));
    state.ResumeTiming();
    for (size_t i = 0; i < keys.size(); ++i) benchmark::DoNotOptimize(engine->Delete(keys[i]));
    state.PauseTiming();
    engine.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// Items are the entries of the store, all of which a hash engine looks at.
template <typename E>
void BM_Count(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(filled.engine->Count("a"));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <typename E>
void BM_Scan(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    auto cursor = filled.engine->NewCursor();
    size_t bytes = 0;
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) bytes += cursor.value().size();
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <typename E>
void BM_SeekAndTen(benchmark::State& state) {
  auto& filled = Filled<E>::Of(static_cast<size_t>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    i = i + 1 < filled.keys.size() ? i + 1 : 0;
    auto cursor = filled.engine->NewCursor();
    cursor.Seek(filled.absent[i]);
    for (int n = 0; n < 10 && cursor.Valid(); ++n) cursor.Next();
    benchmark::DoNotOptimize(cursor.Valid());
  }
  state.SetItemsProcessed(state.iterations());
}

#define KV_MEMORY_BENCHMARKS(E)                                                 \
  BENCHMARK(BM_Get<E>)                                                          \
      ->Arg(1'000)                                                              \
      ->Arg(100'000)                                                            \
      ->Arg(1'000'000)                                                          \
      ->ThreadRange(1, 2)                                                       \
      ->UseRealTime();                                                          \
  BENCHMARK(BM_GetMissing<E>)->Arg(1'000'000);                                  \
  BENCHMARK(BM_MultiGet<E>)->Arg(1'000'000);                                    \
  BENCHMARK(BM_Overwrite<E>)->Arg(1'000'000)->ThreadRange(1, 2)->UseRealTime(); \
  BENCHMARK(BM_CompareAndSet<E>)->Arg(1'000'000);                               \
  BENCHMARK(BM_FillRandom<E>)->Arg(1'000'000)->Unit(benchmark::kMillisecond);   \
  BENCHMARK(BM_DeleteRandom<E>)->Arg(1'000'000)->Unit(benchmark::kMillisecond)

KV_MEMORY_BENCHMARKS(ShardedMap);
KV_MEMORY_BENCHMARKS(Memory);
KV_MEMORY_BENCHMARKS(MemoryOrdered);
BENCHMARK(BM_Count<Memory>)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Count<MemoryOrdered>)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Scan<MemoryOrdered>)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_SeekAndTen<MemoryOrdered>)->Arg(1'000'000);

}  // namespace
}  // namespace kv

BENCHMARK_MAIN();
