// Memtables against the ordered maps a program would use instead, under a shared_mutex.
//
//   <operation>/<table>/<keys>/<order>/<records>
//     Insert   one thread fills an empty table; the table's destruction is not timed
//     Get      one thread, keys in random order, all present
//     Iterate  one forward walk; reads one byte of each value; the hash table sorts for it
//     Seek10   seek to a present key in random order, then ten records on; the hash table has
//              sorted before the first
//   keys   db_bench: 16 bytes, an 8-byte big-endian number and 8 times '0'
//          ycsb: "user" and 19 digits of a hash
//   order  in which they are inserted: random or ascending
// Values are 100 bytes. `per_op` is the time of one insert, get, record or seek; `overhead` the
// memory a record takes above its key and value, in bytes: as counted by the memtable, or by the
// allocator for the maps (absent where the allocator does not say).
//
// Does not measure: more than one thread, versions of one key, values of other sizes, the first
// touch of memory that a flush gave back (Insert starts from memory the process does not have, so
// page faults are in it).
// The maps hold one version of a key and need no sequence comparison, which is in their favour.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/memtable/art.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/memtable/hash.h"
#include "kv/memtable/skip_list.h"

namespace kv {
namespace {

constexpr size_t kValueBytes = 100;

// ---- Keys, one behind the other in one string, so that reading them costs the same everywhere.

enum class Shape { kDbBench, kYcsb };
enum class Order { kRandom, kAscending };

class Keys {
 public:
  Keys(Shape shape, Order order, size_t count, uint64_t seed) : bytes_(KeyBytes(shape)) {
    std::vector<std::string> keys(count);
    for (size_t i = 0; i < count; ++i) keys[i] = Make(shape, i);
    std::sort(keys.begin(), keys.end());
    if (order == Order::kRandom) std::shuffle(keys.begin(), keys.end(), std::mt19937_64(seed));
    all_.reserve(count * bytes_);
    for (const std::string& key : keys) all_ += key;
  }

  size_t size() const { return all_.size() / bytes_; }
  size_t key_bytes() const { return bytes_; }
  std::string_view operator[](size_t i) const { return {all_.data() + i * bytes_, bytes_}; }

 private:
  static size_t KeyBytes(Shape shape) { return shape == Shape::kYcsb ? 23 : 16; }

  static std::string Make(Shape shape, uint64_t number) {
    if (shape == Shape::kYcsb) {
      uint64_t hash = (number + 1) * 0x9e3779b97f4a7c15;
      hash = (hash ^ hash >> 32) * 0xbf58476d1ce4e5b9;
      return fmt::format("user{:019}", (hash ^ hash >> 29) >> 1);
    }
    std::string key(16, '0');
    StoreBig64(key.data(), number);
    return key;
  }

  size_t bytes_;
  std::string all_;
};

// ---- The peers, with the operations of a memtable that the benchmark uses.

size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

template <typename Map>
class LockedMap {
 public:
  void Insert(const Record& record) {
    const std::unique_lock lock(mutex_);
    map_.emplace(record.key, record.value);
  }

  bool Get(std::string_view key, Sequence, Record* found) const {
    const std::shared_lock lock(mutex_);
    const auto place = map_.find(key);
    if (place == map_.end()) return false;
    found->value = place->second;
    return true;
  }

  size_t MemoryBytes() const { return AllocatedBytes() - before_; }

  class Cursor {
   public:
    explicit Cursor(const LockedMap* map) : map_(map), lock_(map->mutex_) {}
    bool Valid() const { return at_ != map_->map_.end(); }
    void SeekToFirst() { at_ = map_->map_.begin(); }
    void Seek(std::string_view key, Sequence) { at_ = map_->map_.lower_bound(key); }
    void Next() { ++at_; }
    Record record() const { return {at_->first, at_->second}; }

   private:
    const LockedMap* map_;
    std::shared_lock<std::shared_mutex> lock_;
    typename Map::const_iterator at_;
  };

 private:
  const size_t before_ = AllocatedBytes();
  mutable std::shared_mutex mutex_;
  Map map_;
};

using LockedStdMap = LockedMap<std::map<std::string, std::string, std::less<>>>;
using LockedBtreeMap = LockedMap<absl::btree_map<std::string, std::string, std::less<>>>;

// ---- Operations.

struct Load {
  Shape shape;
  Order order;
  size_t records;

  friend bool operator==(const Load&, const Load&) = default;
};

template <typename Table>
void Fill(const Keys& keys, Table* table) {
  const std::string value(kValueBytes, 'v');
  for (size_t i = 0; i < keys.size(); ++i) table->Insert({keys[i], value, i + 1});
}

void ReportPerOp(benchmark::State& state, double ops_per_iteration) {
  state.counters["per_op"] =
      benchmark::Counter(ops_per_iteration, benchmark::Counter::kIsIterationInvariantRate |
                                                benchmark::Counter::kInvert);
}

// The full table of the benchmark that ran last, of whatever type: the library calls a benchmark
// several times, and filling takes longer than most of what is measured.
struct Kept {
  const void* type = nullptr;
  Load load = {};
  std::shared_ptr<const void> table;
};

Kept& SharedKept() {
  static Kept kept;
  return kept;
}

template <typename Table>
const Table& FullTable(const Load& load) {
  static const char type = 0;
  Kept& kept = SharedKept();
  if (kept.type != &type || kept.load != load) {
    kept = Kept{};
    auto table = std::make_shared<Table>();
    Fill(Keys(load.shape, load.order, load.records, 1), table.get());
    kept = Kept{&type, load, table};
  }
  return *static_cast<const Table*>(kept.table.get());
}

template <typename Table>
void Insert(benchmark::State& state, Load load) {
  const Keys keys(load.shape, load.order, load.records, 1);
  double overhead = 0;
  for (auto _ : state) {
    auto table = std::make_unique<Table>();
    Fill(keys, table.get());
    state.PauseTiming();
    overhead = static_cast<double>(table->MemoryBytes()) / static_cast<double>(keys.size()) -
               static_cast<double>(keys.key_bytes() + kValueBytes);
    table.reset();
    state.ResumeTiming();
  }
  ReportPerOp(state, static_cast<double>(keys.size()));
  if (overhead > 0) state.counters["overhead"] = overhead;
}

template <typename Table>
void Get(benchmark::State& state, Load load) {
  const Table& table = FullTable<Table>(load);
  const Keys keys(load.shape, Order::kRandom, load.records, 2);
  size_t at = 0;
  for (auto _ : state) {
    Record found;
    if (!table.Get(keys[at], kMaxSequence, &found)) state.SkipWithError("key not found");
    benchmark::DoNotOptimize(found);
    at = at + 1 == keys.size() ? 0 : at + 1;
  }
  ReportPerOp(state, 1);
}

template <typename Table>
void Iterate(benchmark::State& state, Load load) {
  const Table& table = FullTable<Table>(load);
  for (auto _ : state) {
    size_t records = 0;
    typename Table::Cursor cursor(&table);
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      const Record& record = cursor.record();
      records += record.value[kValueBytes / 2] == 'v';
    }
    if (records != load.records) state.SkipWithError("records missing");
  }
  ReportPerOp(state, static_cast<double>(load.records));
}

template <typename Table>
void Seek10(benchmark::State& state, Load load) {
  const Table& table = FullTable<Table>(load);
  const Keys keys(load.shape, Order::kRandom, load.records, 2);
  size_t at = 0;
  typename Table::Cursor cursor(&table);
  for (auto _ : state) {
    cursor.Seek(keys[at], kMaxSequence);
    for (int i = 0; i < 10 && cursor.Valid(); ++i) {
      const Record& record = cursor.record();
      benchmark::DoNotOptimize(record.value.data());
      cursor.Next();
    }
    at = at + 1 == keys.size() ? 0 : at + 1;
  }
  ReportPerOp(state, 1);
}

template <typename Table>
void Register(const std::string& table) {
  for (const size_t records : {size_t{10'000}, size_t{1'000'000}}) {
    for (const Load& load : {Load{Shape::kDbBench, Order::kRandom, records},
                             Load{Shape::kDbBench, Order::kAscending, records},
                             Load{Shape::kYcsb, Order::kRandom, records}}) {
      const std::string suffix =
          fmt::format("/{}/{}/{}/{}", table, load.shape == Shape::kYcsb ? "ycsb" : "db_bench",
                      load.order == Order::kRandom ? "random" : "ascending", records);
      const auto add = [&](const char* operation, auto function) {
        benchmark::RegisterBenchmark((operation + suffix).c_str(), function, load);
      };
      add("Insert", Insert<Table>);
      add("Get", Get<Table>);
      add("Iterate", Iterate<Table>);
      add("Seek10", Seek10<Table>);
    }
  }
}

}  // namespace
}  // namespace kv

int main(int argc, char** argv) {
  kv::Register<kv::BPlusTreeMemtable>("bplus_tree");
  kv::Register<kv::SkipListMemtable>("skip_list");
  kv::Register<kv::HashMemtable>("hash");
  kv::Register<kv::ArtMemtable>("art");
  kv::Register<kv::LockedBtreeMap>("locked_absl_btree_map");
  kv::Register<kv::LockedStdMap>("locked_std_map");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
