// Drives a server, or a cluster, with a load: sends requests by a schedule, measures how long each
// takes, and counts what comes of it.
//
//   const auto result = Drive(plan, [&](int thread) {
//     return std::make_unique<LoadSource>(load_plan, thread);
//   });
//
// Every request that is sent is answered or lost, and counted once. All connections are made before
// the clock starts; where that takes over a second, standard error says how far it is. What
// validity.h says decides whether the result may be believed.
//
// Errors, which name the server where one is concerned:
//   kInvalidArgument    a plan that cannot be driven
//   of clients/dialer.h a connection could not be made, or made again within
//                       ConnectOptions::reconnect_for after it was lost
// Error replies are no errors here: they are counted.
//
// Thread safety: make_source is called in the calling thread; each source is used by one thread.
// Complexity: a thread for each of plan.threads, and one beside it from its first lost connection
// on; memory is 1 KiB a connection, 136 KiB an operation and thread, and what tally.h says.
// For: load. Not for: a handful of commands (clients/connection.h).
#ifndef BENCH_REMOTE_DRIVE_DRIVER_H_
#define BENCH_REMOTE_DRIVE_DRIVER_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/drive/driver_thread.h"
#include "bench/remote/drive/links.h"
#include "bench/remote/drive/request.h"
#include "bench/remote/drive/tally.h"
#include "clients/deadline.h"
#include "kv/base/status.h"

namespace bench::remote {

// kInvalidArgument with the reason: Drive would refuse the plan.
absl::Status CheckPlan(const DrivePlan& plan);

// What all threads of the run need: of a cluster, its slot map.
absl::StatusOr<DriveTarget> FindTarget(const DrivePlan& plan);

// Where the threads of a run wait until all of them are connected.
class StartGate {
 public:
  explicit StartGate(const DrivePlan& plan) : plan_(plan) {}

  // Of the threads: how it went, and then when to begin. nullopt: another one failed.
  std::optional<clients::Deadline> Await(const absl::Status& connected);
  // Of the leader: waits for all of them and lets them go. The first failure.
  absl::StatusOr<clients::Deadline> Open();

  std::atomic<size_t>* connected() { return &connected_; }
  std::atomic<bool>* failed() { return &failed_; }

 private:
  const DrivePlan& plan_;
  std::atomic<size_t> connected_ = 0;  // connections
  std::atomic<bool> failed_ = false;   // a thread, once it runs
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;                         // guarded by mutex_
  absl::Status failure_;                    // guarded by mutex_
  bool is_open_ = false;                    // guarded by mutex_
  std::optional<clients::Deadline> begin_;  // guarded by mutex_
};

// `make_source(int thread)` gives a std::unique_ptr to a RequestSource, of one type and with the
// same operations for all threads.
template <typename MakeSource>
absl::StatusOr<DriveResult> Drive(const DrivePlan& plan, MakeSource make_source) {
  using Source = typename std::invoke_result_t<MakeSource, int>::element_type;
  static_assert(RequestSource<Source>, "make_source gives no RequestSource");
  KV_RETURN_IF_ERROR(CheckPlan(plan));
  KV_ASSIGN_OR_RETURN(const DriveTarget target, FindTarget(plan));
  std::vector<std::unique_ptr<DriverThread<Source>>> drivers;
  std::vector<ThreadResult*> results;
  for (int i = 0; i < plan.threads; ++i) {
    drivers.push_back(std::make_unique<DriverThread<Source>>(plan, target, i, make_source(i)));
    results.push_back(&drivers.back()->result());
  }
  std::vector<std::string> operations;
  Source& any = drivers.front()->source();
  for (size_t i = 0; i < any.operations(); ++i) {
    operations.emplace_back(any.OperationName(static_cast<uint16_t>(i)));
  }

  StartGate gate(plan);
  std::vector<std::thread> threads;
  for (const auto& driver : drivers) {
    threads.emplace_back([&gate, driver = driver.get()] {
      const auto begin = gate.Await(driver->Connect(gate.connected()));
      if (begin.has_value()) driver->Run(*begin, gate.failed());
    });
  }
  const absl::StatusOr<clients::Deadline> begin = gate.Open();
  for (std::thread& thread : threads) thread.join();
  KV_RETURN_IF_ERROR(begin.status());
  return MergeResults(results, operations, *begin + TimeOf(plan.warmup_seconds),
                      plan.interval_seconds);
}

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_DRIVER_H_
