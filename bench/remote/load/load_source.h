// The requests of a load, one thread's.
//
//   auto plan = PlanLoad(*FindLoad("structures"), {.threads = 2});
//   CleanupSource(*plan, thread), then PreloadSource(*plan, thread), each to its end;
//   LoadSource(*plan, thread) for as long as is wanted;
//   CleanupSource(*plan, thread) once more.
//
// Keys are prefix, kind and number ("ashlar:list:000000000012"), and each value begins with the
// number of its key, so that a reply with another key's value is a wrong one. Of a reply with many
// elements the first is looked at.
//
// Equal plans and threads give equal requests, but for the numbers of inserted records where
// several threads insert (YCSB D and E).
//
// What a load does by waiting for replies elsewhere is sent without waiting here: the reads of a
// scan follow the scan and are of the records behind its start; the write of a read-modify-write
// follows its read.
//
// Thread safety: none; one source a thread. Sources of one plan share its next_record.
// Complexity: Next takes 20-60 ns and no allocation; 90-130 ns where keys follow Zipf's law, and
// 100-200 ns where a request has ten of them.
// Each source keeps a copy of the plan's values.
#ifndef BENCH_REMOTE_LOAD_LOAD_SOURCE_H_
#define BENCH_REMOTE_LOAD_LOAD_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/random.h"
#include "bench/remote/drive/request.h"
#include "bench/remote/load/draws.h"
#include "bench/remote/load/key_numbers.h"
#include "bench/remote/load/plan.h"
#include "bench/remote/load/reply_judge.h"
#include "bench/remote/load/request_builder.h"
#include "clients/reply.h"

namespace bench::remote {

class LoadSource {
 public:
  // The plan must outlive the source.
  LoadSource(const LoadPlan& plan, int thread);

  Request Next();
  Outcome Judge(uint16_t operation, uint64_t subject, const clients::Reply& reply) const;
  size_t operations() const { return operations_.size(); }
  std::string_view OperationName(uint16_t operation) const { return operations_[operation]->name; }

 private:
  static constexpr uint16_t kNone = 0xffff;
  struct Turn {
    uint16_t operation = kNone;
    uint16_t undo = kNone;
    uint16_t then = kNone;
    bool reads = false;
    bool adds_record = false;
    uint32_t longest_scan = 0;
  };
  // What is still to be taken back.
  struct Debt {
    uint16_t operation = kNone;
    uint64_t number = 0;
    uint64_t element = 0;
  };

  Request Make(uint16_t operation, const Target& target);
  Request Balanced(const Turn& turn);
  uint64_t Number(const Turn& turn);
  uint16_t Index(std::string_view name) const;

  const LoadPlan& plan_;
  std::vector<const Operation*> operations_;
  std::vector<Turn> turns_;
  Random random_;
  WeightedDraw draw_;
  KeyNumbers numbers_;
  RequestBuilder builder_;
  uint64_t hit_threshold_;  // of 2^32
  // A ring, full but for one place once it has been filled.
  std::vector<Debt> debts_;
  size_t first_debt_ = 0;
  size_t debt_count_ = 0;
  uint64_t next_fresh_;  // element that no structure has
  uint64_t fresh_step_;
  // What follows the request before.
  uint16_t following_ = kNone;
  uint64_t following_count_ = 0;
  Target following_target_;
};

// Writes all that the load reads, each thread its share of the keys, in any order of arrival.
// Twice on the same data it doubles lists: clean up before.
class PreloadSource {
 public:
  PreloadSource(const LoadPlan& plan, int thread);

  Request Next();
  Outcome Judge(uint16_t operation, uint64_t subject, const clients::Reply& reply) const;
  size_t operations() const { return stages_.size(); }
  std::string_view OperationName(uint16_t operation) const;

 private:
  // One kind of key.
  struct Stage {
    const Operation* operation = nullptr;
    uint64_t numbers = 0;      // of which this thread has every threads-th
    uint64_t number_step = 1;  // keys that one request writes
    uint64_t elements = 0;     // in each key, ten a request; 0: the key is one value
  };
  friend uint64_t PreloadRequests(const LoadPlan& plan);
  static std::vector<Stage> StagesOf(const LoadPlan& plan);

  const LoadPlan& plan_;
  const std::vector<Stage> stages_;
  RequestBuilder builder_;
  const uint64_t thread_;
  size_t stage_ = 0;
  uint64_t number_;  // in steps
  uint64_t element_ = 0;
};

// How many requests the PreloadSources of all threads make; 0: the load reads nothing that it must
// write before, or starts without data on purpose.
uint64_t PreloadRequests(const LoadPlan& plan);

// Removes (UNLINK) every key that the plan's sources may have written, each thread its share. Keys
// of other plans under the same prefix stay.
class CleanupSource {
 public:
  CleanupSource(const LoadPlan& plan, int thread);

  Request Next();
  Outcome Judge(uint16_t operation, uint64_t subject, const clients::Reply& reply) const;
  size_t operations() const { return 1; }
  std::string_view OperationName(uint16_t) const { return "UNLINK"; }

 private:
  struct Stage {
    Space space = Space::kNone;
    uint64_t numbers = 0;
    uint64_t number_step = 1;  // keys that one request removes
  };

  const LoadPlan& plan_;
  std::vector<Stage> stages_;
  RequestBuilder builder_;
  const uint64_t thread_;
  size_t stage_ = 0;
  uint64_t number_;  // in steps
};

static_assert(RequestSource<LoadSource>);
static_assert(RequestSource<PreloadSource>);
static_assert(RequestSource<CleanupSource>);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_LOAD_SOURCE_H_
