// Reads of the B+tree engine against LMDB's: both stores hold the same records, both are asked for
// the same keys in the same order, round by round in turn, and what counts is the ratio.
//
//   bazel run //bench/against_lmdb
//
//   readrandom  a get of a random key that is there, its value copied out. LMDB's gets share one
//               read transaction, its cheapest way; ours each see the newest state.
//   readseq     a cursor over all records, forward; keys and values are looked at where they are.
//
// Everything is in memory: LMDB's pages are mapped, ours are in the pool. Not measured: writes,
// more than one thread, data beyond memory. Everything read is compared with what was written, by
// the sum of the values' first bytes.
#include <lmdb.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/random.h"
#include "engines/compositions/btree.h"
#include "fmt/format.h"

namespace bench {
namespace {

struct Plan {
  uint64_t num = 1'000'000;
  size_t value_size = 100;
  int rounds = 5;
  std::string directory;
};

[[noreturn]] void Fail(std::string_view what) {
  fmt::print(stderr, "against_lmdb: {}\n", what);
  std::exit(1);
}

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

void CheckLmdb(int error) {
  if (error != MDB_SUCCESS) Fail(::mdb_strerror(error));
}

// Sixteen digits, so that both engines compare what most keys look like.
std::string KeyOf(uint64_t number) { return fmt::format("{:016}", number); }

std::vector<uint64_t> Shuffled(uint64_t num, uint64_t seed) {
  std::vector<uint64_t> numbers(num);
  for (uint64_t i = 0; i < num; ++i) numbers[i] = i;
  Random random(seed);
  for (uint64_t i = num; i > 1; --i) std::swap(numbers[i - 1], numbers[random.Uniform(i)]);
  return numbers;
}

std::string ValueOf(uint64_t number, size_t size) {
  std::string value(size, static_cast<char>('a' + number % 26));
  return value;
}

class Ours {
 public:
  explicit Ours(const Plan& plan) {
    kv::Options options;
    options.directory = plan.directory + "/btree";
    options.cache_bytes = 4 * plan.num * (plan.value_size + 64) + (uint64_t{64} << 20);
    auto store = kv::BtreeDurable::Open(options);
    Check(store.status());
    store_ = *std::move(store);
    kv::WriteBatch batch;
    for (const uint64_t number : Shuffled(plan.num, 1)) {
      batch.Put(KeyOf(number), ValueOf(number, plan.value_size));
      if (batch.Count() < 1000) continue;
      Check(store_->Write(batch));
      batch.Clear();
    }
    Check(store_->Write(batch));
    Check(store_->Compact());
  }

  uint64_t ReadRandom(const std::vector<std::string>& keys) {
    uint64_t sum = 0;
    std::string value;
    for (const std::string& key : keys) {
      Check(store_->Get(key, &value));
      sum += static_cast<unsigned char>(value[0]);
    }
    return sum;
  }

  uint64_t ReadSeq() {
    uint64_t sum = 0;
    auto cursor = store_->NewCursor();
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      sum += static_cast<unsigned char>(cursor.value()[0]) + cursor.key().size();
    }
    Check(cursor.status());
    return sum;
  }

 private:
  std::unique_ptr<kv::BtreeDurable> store_;
};

class Lmdb {
 public:
  explicit Lmdb(const Plan& plan) {
    const std::string directory = plan.directory + "/lmdb";
    std::filesystem::create_directories(directory);
    CheckLmdb(::mdb_env_create(&environment_));
    CheckLmdb(::mdb_env_set_mapsize(environment_,
                                    8 * plan.num * (plan.value_size + 64) + (size_t{64} << 20)));
    CheckLmdb(::mdb_env_open(environment_, directory.c_str(), MDB_NOSYNC, 0644));
    MDB_txn* write = nullptr;
    CheckLmdb(::mdb_txn_begin(environment_, nullptr, 0, &write));
    CheckLmdb(::mdb_dbi_open(write, nullptr, MDB_CREATE, &database_));
    for (const uint64_t number : Shuffled(plan.num, 1)) {
      std::string key = KeyOf(number);
      std::string value = ValueOf(number, plan.value_size);
      MDB_val mdb_key{key.size(), key.data()};
      MDB_val mdb_value{value.size(), value.data()};
      CheckLmdb(::mdb_put(write, database_, &mdb_key, &mdb_value, 0));
    }
    CheckLmdb(::mdb_txn_commit(write));
    CheckLmdb(::mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &read_));
  }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;
  ~Lmdb() {
    ::mdb_txn_abort(read_);
    ::mdb_env_close(environment_);
  }

  uint64_t ReadRandom(const std::vector<std::string>& keys) {
    uint64_t sum = 0;
    std::string value;
    for (const std::string& key : keys) {
      MDB_val mdb_key{key.size(), const_cast<char*>(key.data())};
      MDB_val found{};
      CheckLmdb(::mdb_get(read_, database_, &mdb_key, &found));
      value.assign(static_cast<const char*>(found.mv_data), found.mv_size);
      sum += static_cast<unsigned char>(value[0]);
    }
    return sum;
  }

  uint64_t ReadSeq() {
    uint64_t sum = 0;
    MDB_cursor* cursor = nullptr;
    CheckLmdb(::mdb_cursor_open(read_, database_, &cursor));
    MDB_val key{};
    MDB_val value{};
    int error = ::mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (error == MDB_SUCCESS) {
      sum += *static_cast<const unsigned char*>(value.mv_data) + key.mv_size;
      error = ::mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (error != MDB_NOTFOUND) CheckLmdb(error);
    ::mdb_cursor_close(cursor);
    return sum;
  }

 private:
  MDB_env* environment_ = nullptr;
  MDB_dbi database_ = 0;
  MDB_txn* read_ = nullptr;
};

template <typename Run>
double Seconds(uint64_t expected, Run&& run) {
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t sum = run();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  if (sum != expected) Fail("a read found something else than was written");
  return passed.count();
}

struct Row {
  std::vector<double> ours;  // seconds, by round
  std::vector<double> lmdb;
};

double Median(std::vector<double> figures) {
  std::sort(figures.begin(), figures.end());
  return figures[figures.size() / 2];
}

void Print(std::string_view name, const Row& row, uint64_t num) {
  std::vector<double> ratios;
  for (size_t i = 0; i < row.ours.size(); ++i) ratios.push_back(row.lmdb[i] / row.ours[i]);
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  const double thousands = static_cast<double>(num) / 1000;
  fmt::print("{:<12} {:>10.0f} {:>10.0f} {:>8.2f}x ({:.2f} - {:.2f})\n", name,
             thousands / Median(row.ours), thousands / Median(row.lmdb), Median(ratios), *least,
             *most);
}

void Run(const Plan& plan) {
  std::filesystem::remove_all(plan.directory);
  std::filesystem::create_directories(plan.directory);
  {
    Ours ours(plan);
    Lmdb lmdb(plan);
    std::vector<std::string> keys;
    uint64_t sum = 0;
    for (const uint64_t number : Shuffled(plan.num, 2)) {
      keys.push_back(KeyOf(number));
      sum += static_cast<unsigned char>('a' + number % 26);
    }
    const uint64_t scan_sum = sum + plan.num * keys[0].size();
    Row random;
    Row seq;
    // Round 0 warms both up and is not counted.
    for (int round = 0; round <= plan.rounds; ++round) {
      const double ours_random = Seconds(sum, [&] { return ours.ReadRandom(keys); });
      const double lmdb_random = Seconds(sum, [&] { return lmdb.ReadRandom(keys); });
      const double ours_seq = Seconds(scan_sum, [&] { return ours.ReadSeq(); });
      const double lmdb_seq = Seconds(scan_sum, [&] { return lmdb.ReadSeq(); });
      if (round == 0) continue;
      random.ours.push_back(ours_random);
      random.lmdb.push_back(lmdb_random);
      seq.ours.push_back(ours_seq);
      seq.lmdb.push_back(lmdb_seq);
    }
    fmt::print("{} records of 16 + {} bytes, {} rounds; k ops/s, medians; ratio (range)\n",
               plan.num, plan.value_size, plan.rounds);
    fmt::print("{:<12} {:>10} {:>10} {:>9}\n", "", "btree", "lmdb", "ratio");
    Print("readrandom", random, plan.num);
    Print("readseq", seq, plan.num);
  }
  std::filesystem::remove_all(plan.directory);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Plan plan;
  const char* const scratch = std::getenv("TEST_TMPDIR");
  plan.directory = fmt::format("{}/against_lmdb", scratch == nullptr ? "/tmp" : scratch);
  CLI::App app("Reads of the B+tree engine against LMDB's.");
  app.add_option("--num", plan.num, "records")->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--value_size", plan.value_size, "bytes")->check(CLI::Range(1, 1024));
  app.add_option("--rounds", plan.rounds, "of each workload")->check(CLI::Range(1, 1000));
  app.add_option("--directory", plan.directory, "is made empty, and removed");
  CLI11_PARSE(app, argc, argv);
  bench::Run(plan);
  return 0;
}
