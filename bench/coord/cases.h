// Every load of one system, as the cases of a micro program (bench/micro/micro.h).
#ifndef BENCH_COORD_CASES_H_
#define BENCH_COORD_CASES_H_

#include <concepts>
#include <string_view>
#include <vector>

#include "bench/coord/ready_set.h"
#include "bench/coord/wake.h"
#include "bench/coord/workloads.h"
#include "bench/micro/micro.h"

namespace bench {

template <ReadySet S>
void AddLoads(std::vector<MicroCase>* cases) {
  const auto add = [&](std::string_view workload, std::string_view description, auto run) {
    cases->push_back({workload, S::kName, description, run});
  };
  add("source_cycle", "threads are made, register num slots each, then one drain; no runs",
      SourceCycle<S>);
  add("register", "one thread registers, 64 at a time; no contention", CostOf<S, Call::kRegister>);
  add("duplicate", "one thread registers what is queued; no contention",
      CostOf<S, Call::kDuplicate>);
  add("drain", "one thread drains 64 at a time; no contention", CostOf<S, Call::kDrain>);
  if constexpr (!std::derived_from<S, PlainSlots>) {
    add("finish", "one thread ends empty runs; no contention", CostOf<S, Call::kFinish>);
  }
  add("steady", "each thread registers 64, drains 64, finishes them; runs are empty",
      SteadyOf<S, 0>);
  add("duplicates_25", "steady, a quarter of it duplicates", SteadyOf<S, kBatch / 4>);
  add("duplicates_50", "steady, half of it duplicates", SteadyOf<S, kBatch / 2>);
  add("duplicates_75", "steady, three quarters of it duplicates", SteadyOf<S, kBatch * 3 / 4>);
  add("batches", "steady, one call for 64 neighbouring slots", SteadyOf<S, 0, 0, true>);
  add("hot_set", "steady, all threads at random among 64 slots", SteadyOf<S, 0, 64>);
  add("reregistration", "all threads drain, each run wants another; runs are empty",
      Reregistration<S>);
  add("one_worker", "the threads register, one other drains; runs are empty", OneWorker<S>);
}

template <WaitingSet S>
void AddWake(std::vector<MicroCase>* cases) {
  cases->push_back(
      {"wake", S::kName, "from registration to run, the only worker asleep", WakeToRun<S>});
}

// Of our coordinators, and of what they are compared with; each in the file of its name.
void AddOurs(std::vector<MicroCase>* cases);
void AddLockedPeers(std::vector<MicroCase>* cases);
void AddLibraryPeers(std::vector<MicroCase>* cases);
void AddSourcePeers(std::vector<MicroCase>* cases);

}  // namespace bench

#endif  // BENCH_COORD_CASES_H_
