// Sorted tables alone: build, point reads, scans and seeks in one table of 1 M records of 16 + 100
// bytes, everything in the page cache.
//
// Not measured: more than one table, more than one thread, data beyond memory. "first" rows include
// verifying checksums; the others run on a table whose blocks were all touched. "cold" rows read
// random keys of a file that is not in the page cache, the device's own caches notwithstanding.
//
// Mapped: in place. Copied: pread, and a cache that holds all blocks. Uncached: pread each time.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engines/lsm/table.h"
#include "engines/lsm/table_builder.h"
#include "engines/lsm/table_meta.h"
#include "fmt/format.h"
#include "kv/base/hash.h"
#include "kv/cache/clock.h"
#include "kv/cache/none.h"
#include "kv/compression/none.h"
#include "kv/compression/zstd.h"
#include "kv/contract/record.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/io/posix.h"
#include "kv/reading/mmap.h"
#include "kv/reading/pread.h"

namespace kv {
namespace {

struct Mapped {
  using Filter = BlockedBloomFilter<10>;
  using Cache = NoCache;
  using Compression = NoCompression;
  using Reading = MmapReading;
};

struct Compressed {
  using Filter = BlockedBloomFilter<10>;
  using Cache = ClockCache;
  using Compression = ZstdCompression<>;
  using Reading = MmapReading;
};

struct Copied : Mapped {
  using Cache = ClockCache;
  using Reading = PreadReading;
};

struct Uncached : Mapped {
  using Reading = PreadReading;
};

constexpr uint64_t kKeys = 1'000'000;
constexpr size_t kQueries = size_t{1} << 16;

// Present keys are even.
std::string Key(uint64_t i) { return fmt::format("{:016}", i * 2); }

uint64_t NextRandom(uint64_t* state) {
  *state = *state * 6364136223846793005 + 1442695040888963407;
  return *state >> 33;
}

// Half of it compresses, as in db_bench.
std::string Value(uint64_t* state) {
  std::string value(100, 'v');
  for (size_t i = 0; i < 50; ++i) value[i] = static_cast<char>(NextRandom(state));
  return value;
}

void Require(const absl::Status& status) {
  if (!status.ok()) {
    fmt::print(stderr, "{}\n", status.ToString());
    std::abort();
  }
}

template <typename Parts>
TableMeta Build(const std::string& path, bool zero_sequences) {
  auto builder = TableBuilder<Parts, PosixFileSystem>::Create(PosixFileSystem(), path, 1);
  Require(builder.status());
  uint64_t state = 1;
  std::vector<std::string> values(64);
  for (std::string& value : values) value = Value(&state);
  for (uint64_t i = 0; i < kKeys; ++i) {
    const std::string key = Key(i);
    Require(builder->Add({.key = key,
                          .value = values[i % values.size()],
                          .sequence = zero_sequences ? 0 : NextRandom(&state) % kKeys + 1}));
  }
  auto meta = builder->Finish();
  Require(meta.status());
  return *meta;
}

template <typename Parts>
struct Fixture {
  using TableType = Table<Parts, PosixFileSystem>;

  explicit Fixture(bool zero_sequences)
      : path(fmt::format("/tmp/table_benchmark.{}.{}.{}.{}", Parts::Compression::kName,
                         Parts::Reading::kName, Parts::Cache::kName, zero_sequences)),
        meta(Build<Parts>(path, zero_sequences)) {
    Reopen();
    Require(table->Verify());
    WarmUp();
    FillCache();
    uint64_t state = 7;
    for (size_t i = 0; i < kQueries; ++i) {
      hits.push_back(Key(NextRandom(&state) % kKeys));
      misses.push_back(fmt::format("{:016}", NextRandom(&state) % kKeys * 2 + 1));
    }
  }
  ~Fixture() { PosixFileSystem().Remove(path).IgnoreError(); }

  void Reopen() {
    auto opened = TableType::Open(PosixFileSystem(), path, meta, &cache);
    Require(opened.status());
    table = *std::move(opened);
  }

  void WarmUp() {
    typename TableType::Cursor cursor(table.get());
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    }
    Require(cursor.status());
  }

  // With the blocks that point reads bring in; cursors leave a cache as it is.
  void FillCache() {
    typename TableType::Pin pin;
    Record record;
    absl::Status status;
    for (uint64_t i = 0; i < kKeys; i += 16) {
      table->Get(Key(i), HashKey(Key(i)), kMaxSequence, &record, &pin, &status);
    }
    Require(status);
  }

  static Fixture& Get(bool zero_sequences = false) {
    static Fixture plain(false);
    static Fixture zero(true);
    return zero_sequences ? zero : plain;
  }

  std::string path;
  TableMeta meta;
  typename Parts::Cache cache{size_t{512} << 20};
  std::unique_ptr<TableType> table;
  std::vector<std::string> hits;
  std::vector<std::string> misses;
};

template <typename Parts>
void BM_Build(benchmark::State& state) {
  for (auto _ : state) Build<Parts>("/tmp/table_benchmark.build", false);
  PosixFileSystem().Remove("/tmp/table_benchmark.build").IgnoreError();
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kKeys));
}

template <typename Parts>
void Gets(benchmark::State& state, const std::vector<std::string>& keys, bool touch) {
  auto& fixture = Fixture<Parts>::Get();
  typename Fixture<Parts>::TableType::Pin pin;
  Record record;
  absl::Status status;
  size_t i = 0;
  uint64_t sum = 0;
  for (auto _ : state) {
    const std::string& key = keys[i++ % kQueries];
    const TableAnswer answer =
        fixture.table->Get(key, HashKey(key), kMaxSequence, &record, &pin, &status);
    if (touch) sum += answer == TableAnswer::kFound ? static_cast<uint64_t>(record.value[0]) : 0;
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}

template <typename Parts>
void BM_GetHit(benchmark::State& state) {
  Gets<Parts>(state, Fixture<Parts>::Get().hits, true);
}

template <typename Parts>
void BM_GetMiss(benchmark::State& state) {
  Gets<Parts>(state, Fixture<Parts>::Get().misses, false);
}

// Each key depends on the last answer, so that misses of the processor's caches do not overlap.
template <typename Parts>
void BM_GetHitDependent(benchmark::State& state) {
  auto& fixture = Fixture<Parts>::Get();
  typename Fixture<Parts>::TableType::Pin pin;
  Record record;
  absl::Status status;
  size_t i = 0;
  for (auto _ : state) {
    const std::string& key = fixture.hits[i % kQueries];
    fixture.table->Get(key, HashKey(key), kMaxSequence, &record, &pin, &status);
    i += 1 + (static_cast<unsigned char>(record.value[99]) == 0);
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename Parts>
void BM_Forward(benchmark::State& state) {
  auto& fixture = Fixture<Parts>::Get(state.range(0) != 0);
  uint64_t sum = 0;
  for (auto _ : state) {
    typename Fixture<Parts>::TableType::Cursor cursor(fixture.table.get());
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      sum += static_cast<unsigned char>(cursor.record().key[15]) + cursor.record().value.size();
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kKeys));
}

template <typename Parts>
void BM_ForwardFirst(benchmark::State& state) {
  auto& fixture = Fixture<Parts>::Get();
  for (auto _ : state) {
    state.PauseTiming();
    fixture.Reopen();
    state.ResumeTiming();
    fixture.WarmUp();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kKeys));
}

template <typename Parts>
void BM_Reverse(benchmark::State& state) {
  auto& fixture = Fixture<Parts>::Get();
  uint64_t sum = 0;
  for (auto _ : state) {
    typename Fixture<Parts>::TableType::Cursor cursor(fixture.table.get());
    for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) {
      sum += static_cast<unsigned char>(cursor.record().key[15]) + cursor.record().value.size();
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kKeys));
}

template <typename Parts>
void BM_Seek(benchmark::State& state) {
  auto& fixture = Fixture<Parts>::Get();
  typename Fixture<Parts>::TableType::Cursor cursor(fixture.table.get());
  size_t i = 0;
  uint64_t sum = 0;
  for (auto _ : state) {
    cursor.Seek(fixture.misses[i++ % kQueries], kMaxSequence);
    for (int64_t next = 0; next < state.range(0) && cursor.Valid(); ++next) {
      sum += cursor.record().value.size();
      cursor.Next();
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}

template <typename Parts>
void BM_Open(benchmark::State& state) {
  auto& fixture = Fixture<Parts>::Get();
  for (auto _ : state) fixture.Reopen();
  fixture.WarmUp();
  state.counters["index_bytes"] = static_cast<double>(fixture.table->MemoryBytes());
  state.counters["file_bytes"] = static_cast<double>(fixture.meta.bytes);
}

// Drops the file from the page cache before each batch of keys.
template <typename Parts>
void BM_GetCold(benchmark::State& state) {
  constexpr size_t kBatch = 500;
  auto& fixture = Fixture<Parts>::Get();
  uint64_t sum = 0;
  size_t i = 0;
  for (auto _ : state) {
    state.PauseTiming();
    fixture.table.reset();
    fixture.cache.EraseFile(fixture.meta.number);
    const int file = ::open(fixture.path.c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
    fixture.Reopen();
    typename Fixture<Parts>::TableType::Pin pin;
    Record record;
    absl::Status status;
    state.ResumeTiming();
    for (size_t n = 0; n < kBatch; ++n) {
      const std::string& key = fixture.hits[i++ % kQueries];
      if (fixture.table->Get(key, HashKey(key), kMaxSequence, &record, &pin, &status) ==
          TableAnswer::kFound) {
        sum += static_cast<uint64_t>(record.value[0]);
      }
    }
  }
  benchmark::DoNotOptimize(sum);
  fixture.WarmUp();
  fixture.FillCache();
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

BENCHMARK(BM_Build<Mapped>)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Open<Mapped>)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_GetHit<Mapped>);
BENCHMARK(BM_GetHitDependent<Mapped>);
BENCHMARK(BM_GetMiss<Mapped>);
BENCHMARK(BM_Forward<Mapped>)->ArgName("zero_sequences")->Arg(0)->Arg(1);
BENCHMARK(BM_ForwardFirst<Mapped>)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Reverse<Mapped>);
BENCHMARK(BM_Seek<Mapped>)->ArgName("nexts")->Arg(0)->Arg(10);
BENCHMARK(BM_GetCold<Mapped>)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Open<Copied>)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_GetHit<Copied>);
BENCHMARK(BM_GetMiss<Copied>);
BENCHMARK(BM_GetCold<Copied>)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Forward<Copied>)->ArgName("zero_sequences")->Arg(0);
BENCHMARK(BM_Seek<Copied>)->ArgName("nexts")->Arg(0)->Arg(10);
BENCHMARK(BM_GetHit<Uncached>);
BENCHMARK(BM_Forward<Uncached>)->ArgName("zero_sequences")->Arg(0);
BENCHMARK(BM_Reverse<Uncached>);
BENCHMARK(BM_Seek<Uncached>)->ArgName("nexts")->Arg(0)->Arg(10);
BENCHMARK(BM_Build<Compressed>)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_GetHit<Compressed>);
BENCHMARK(BM_GetMiss<Compressed>);
BENCHMARK(BM_Forward<Compressed>)->ArgName("zero_sequences")->Arg(0);
BENCHMARK(BM_Seek<Compressed>)->ArgName("nexts")->Arg(0)->Arg(10);

}  // namespace
}  // namespace kv

BENCHMARK_MAIN();
