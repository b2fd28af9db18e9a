// What a table gains by keeping its decoded index: gets of random keys from one sorted table, with
// the table left open, and with the table opened, and so its index read, checked and decoded, for
// each get. Opening includes the file's open, map and close, which a cold index needs as well.
//
// `num` records of 20-byte keys and 20-byte values; one thread; everything in the page cache.
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "bench/claims/cases.h"
#include "bench/random.h"
#include "engines/compositions/lsm_leveled.h"
#include "engines/lsm/table.h"
#include "engines/lsm/table_builder.h"
#include "fmt/format.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"
#include "kv/io/posix.h"

namespace bench {
namespace {

using Parts = kv::LsmLeveledParts;
using Table = kv::Table<Parts, kv::PosixFileSystem>;

constexpr int kGetsBetweenClockReadings = 16;

std::string KeyOf(uint64_t number) { return fmt::format("key:{:016}", number); }

absl::StatusOr<kv::TableMeta> Build(const std::string& path, uint64_t num) {
  KV_ASSIGN_OR_RETURN(auto builder, (kv::TableBuilder<Parts, kv::PosixFileSystem>::Create(
                                        kv::PosixFileSystem(), path, 1)));
  for (uint64_t i = 0; i < num; ++i) {
    const std::string key = KeyOf(i);
    KV_RETURN_IF_ERROR(
        builder.Add({.key = key, .value = "twenty bytes of text", .sequence = i + 1}));
  }
  return builder.Finish();
}

enum class Index { kKept, kDecodedForEachGet };

template <Index kIndex>
absl::StatusOr<MicroResult> GetFromTable(const MicroPlan& plan) {
  const std::string path = plan.directory + "/table";
  KV_ASSIGN_OR_RETURN(const kv::TableMeta meta, Build(path, plan.num));
  Parts::Cache cache(size_t{64} << 20);
  Random random(plan.seed);
  std::unique_ptr<Table> table;
  Table::Pin pin;
  kv::Record record;
  absl::Status status;
  MicroResult result;
  const auto begin = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < kGetsBetweenClockReadings; ++i) {
      if (kIndex == Index::kDecodedForEachGet || table == nullptr) {
        KV_ASSIGN_OR_RETURN(table, Table::Open(kv::PosixFileSystem(), path, meta, &cache));
      }
      const std::string key = KeyOf(random.Uniform(plan.num));
      const kv::TableAnswer answer =
          table->Get(key, kv::HashKey(key), kv::kMaxSequence, &record, &pin, &status);
      if (answer != kv::TableAnswer::kFound) {
        return status.ok() ? absl::InternalError("a stored key is not found") : status;
      }
      ++result.operations;
    }
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  } while (result.seconds < plan.seconds);
  return result;
}

constexpr MicroCase kCases[] = {
    {"table_get", "index_kept", "gets from one open table of num records; one thread, warm files",
     GetFromTable<Index::kKept>},
    {"table_get", "index_decoded", "the same, and the table opened for each get",
     GetFromTable<Index::kDecodedForEachGet>},
};

}  // namespace

std::span<const MicroCase> TableIndexCases() { return kCases; }

}  // namespace bench
