// CheckMemtableConcurrent<M>(seed, records): readers beside one inserter, and several inserters at
// once where M::kConcurrentInsert. Part of kv/memtable/conformance.h.
//
// Inserters publish how far they got; readers check that all that was published before they began
// is found by Get, Seek and whole walks, that a cursor's order is strict, and that no record is
// torn: key and sequence give the value. Run it under a thread sanitizer as well.
#ifndef KV_MEMTABLE_CONFORMANCE_CONCURRENT_H_
#define KV_MEMTABLE_CONFORMANCE_CONCURRENT_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/conformance_report.h"

namespace kv {

namespace memtable_conformance {

// Key and sequence give the value, so a reader can judge a record without a reference.
enum class Spread {
  kScattered,  // all over the table
  kClustered,  // among the newest 256 keys, so that readers of the newest meet the inserter
  kAscending,  // behind the newest key
};

inline std::string RacingKey(Spread spread, uint64_t number) {
  if (spread == Spread::kAscending) return fmt::format("r/{:09}", number);
  // Every eighth is a version of the key of a number before.
  if (spread == Spread::kScattered && number % 8 == 0) number /= 16;
  char bytes[8];
  StoreBig64(bytes, number * 0x9e3779b97f4a7c15);
  if (spread == Spread::kScattered) return "r/" + std::string(bytes, 6) + std::to_string(number);
  return fmt::format("r/{:06}", number / 256) + std::string(bytes, 2) + std::to_string(number);
}
inline std::string RacingValue(std::string_view key, Sequence sequence) {
  return fmt::format("{}@{}", key.substr(2), sequence);
}

// Whether what a cursor shows is whole, and strictly behind (before) what it showed last.
inline absl::Status CheckRacingRecord(const Record& record, const Record* last, bool forwards) {
  if (record.value != RacingValue(record.key, record.sequence)) {
    return Failure(fmt::format("torn record {}", Show(record)));
  }
  if (last != nullptr) {
    const int order = CompareInternal(last->key, last->sequence, record.key, record.sequence);
    if (forwards ? order >= 0 : order <= 0) {
      return Failure(fmt::format("out of order: {} after {}", Show(record), Show(*last)));
    }
  }
  return absl::OkStatus();
}

// One full walk in either direction; at least `published` records must be met.
template <typename M>
absl::Status CheckRacingWalk(const M& memtable, bool forwards, size_t published) {
  typename M::Cursor cursor(&memtable);
  forwards ? cursor.SeekToFirst() : cursor.SeekToLast();
  Record last;
  size_t met = 0;
  for (; cursor.Valid(); forwards ? cursor.Next() : cursor.Prev()) {
    const Record record = cursor.record();
    KV_RETURN_IF_ERROR(CheckRacingRecord(record, met == 0 ? nullptr : &last, forwards));
    last = record;  // the views live as long as the memtable
    ++met;
  }
  if (met < published) {
    return Failure(fmt::format("a walk {} met {} records of {} published before it",
                               forwards ? "forwards" : "backwards", met, published));
  }
  return absl::OkStatus();
}

// Readers beside inserters. Inserter t inserts numbers t, t + inserters, ... at sequence number
// number + 1, then publishes how far it got; what was published must be found.
template <typename M>
absl::Status CheckRace(uint64_t seed, Spread spread, size_t inserters, size_t readers,
                       uint64_t records) {
  M memtable;
  std::vector<std::atomic<uint64_t>> published(inserters);  // records of each inserter
  std::atomic<bool> failed{false};
  std::vector<absl::Status> failures(readers);

  const auto insert = [&](size_t self) {
    for (uint64_t i = 0; self + i * inserters < records; ++i) {
      if (failed.load(std::memory_order_relaxed)) return;
      const uint64_t number = self + i * inserters;
      const std::string key = RacingKey(spread, number);
      memtable.Insert({key, RacingValue(key, number + 1), number + 1});
      // release: pairs with the acquire of the reader that relies on the record.
      published[self].store(i + 1, std::memory_order_release);
    }
  };
  const auto total = [&] {
    uint64_t sum = 0;
    for (auto& count : published) sum += count.load(std::memory_order_acquire);
    return sum;
  };
  const auto read_one = [&](Random* random) -> absl::Status {
    const size_t inserter = (*random)() % inserters;
    const uint64_t count = published[inserter].load(std::memory_order_acquire);
    if (count == 0) return absl::OkStatus();
    // The newest ones half of the time: those lie where the inserter works.
    const uint64_t back =
        (*random)() % ((*random)() % 2 == 0 ? count : std::min<uint64_t>(count, 4));
    const uint64_t number = inserter + (count - 1 - back) * inserters;
    const std::string key = RacingKey(spread, number);
    Record found;
    if (!memtable.Get(key, number + 1, &found) || found.key != key ||
        found.sequence != number + 1) {
      return Failure(fmt::format("Get missed published record {}", number));
    }
    KV_RETURN_IF_ERROR(CheckRacingRecord(found, nullptr, true));
    // Where a seek may sort all records, few of them.
    if (!M::kOrdered && (*random)() % 256 != 0) return absl::OkStatus();
    typename M::Cursor cursor(&memtable);
    cursor.Seek(key, number + 1);
    if (!cursor.Valid() || Record(cursor.record()) != found) {
      return Failure(fmt::format("Seek missed published record {}", number));
    }
    Record last = found;
    const bool forwards = (*random)() % 2 == 0;
    const int steps = (*random)() % 4 == 0 ? 100 : 4;
    for (int i = 0; i < steps; ++i) {
      forwards ? cursor.Next() : cursor.Prev();
      if (!cursor.Valid()) break;
      KV_RETURN_IF_ERROR(CheckRacingRecord(cursor.record(), &last, forwards));
      last = cursor.record();
    }
    // A key that is on its way: whether it is met or not, nothing before it may be.
    const std::string ahead = RacingKey(spread, number + (*random)() % 100 * inserters);
    cursor.Seek(ahead, kMaxSequence);
    if (!cursor.Valid()) return absl::OkStatus();
    const Record met = cursor.record();
    if (met.key < ahead)
      return Failure(fmt::format("Seek stopped before its key at {}", Show(met)));
    return CheckRacingRecord(met, nullptr, true);
  };
  const auto read = [&](size_t self) {
    Random random(seed + self);
    for (bool last_round = false; failures[self].ok() && !last_round;) {
      const uint64_t before = total();
      last_round = before == records;  // a round more after the end, when all must be there
      for (int i = 0; i < 1000 && failures[self].ok(); ++i) failures[self] = read_one(&random);
      if (failures[self].ok()) {
        failures[self] = CheckRacingWalk(memtable, random() % 2 == 0, before);
      }
      if (failed.load(std::memory_order_relaxed)) return;
    }
    if (!failures[self].ok()) failed.store(true, std::memory_order_relaxed);
  };

  std::vector<std::thread> threads;
  for (size_t i = 0; i < readers; ++i) threads.emplace_back(read, i);
  for (size_t i = 0; i < inserters; ++i) threads.emplace_back(insert, i);
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& failure : failures) KV_RETURN_IF_ERROR(failure);
  if (memtable.Entries() != records) return Failure("Entries is not the number inserted");
  for (uint64_t number = 0; number < records; ++number) {
    const std::string key = RacingKey(spread, number);
    Record found;
    if (!memtable.Get(key, number + 1, &found) || found.sequence != number + 1) {
      return Failure(fmt::format("record {} was lost", number));
    }
  }
  KV_RETURN_IF_ERROR(CheckRacingWalk(memtable, true, records));
  return CheckRacingWalk(memtable, false, records);
}

}  // namespace memtable_conformance

template <Memtable M>
absl::Status CheckMemtableConcurrent(uint64_t seed, uint64_t records = 20'000) {
  using memtable_conformance::CheckRace;
  using memtable_conformance::Spread;
  for (const Spread spread : {Spread::kScattered, Spread::kClustered, Spread::kAscending}) {
    KV_RETURN_IF_ERROR(CheckRace<M>(seed, spread, 1, 2, records));
    if constexpr (M::kConcurrentInsert) {
      KV_RETURN_IF_ERROR(CheckRace<M>(seed + 1, spread, 3, 1, records));
    }
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_MEMTABLE_CONFORMANCE_CONCURRENT_H_
