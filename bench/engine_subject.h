// Puts an engine before the lab: the only templated part, so the only part compiled once for each
// composition. Knows no workload.
//
// How a row is timed. Each thread fills a block of operations (untimed by the operation, but inside
// the wall time, and reported as gen_ns), then executes it. Latency is the difference of successive
// clock readings less the clock's own cost. If the operations of the last block took less than
// kSampleBelowNanos each, only one in kSampleEvery is timed, with weight kSampleEvery, so that
// reading the clock does not become the load; the row then says that it was sampled.
// Throughput is operations over the wall time from the common start to the last thread's end.
#ifndef BENCH_ENGINE_SUBJECT_H_
#define BENCH_ENGINE_SUBJECT_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/cycle_clock.h"
#include "bench/executor.h"
#include "bench/operation_source.h"
#include "bench/plan.h"
#include "bench/replay.h"
#include "bench/start_line.h"
#include "kv/contract/engine.h"

namespace bench {

inline constexpr double kSampleBelowNanos = 250;
inline constexpr uint64_t kSampleEvery = 16;

template <kv::Engine E>
class EngineSubject final : public Subject {
 public:
  using OpenEngine = std::function<absl::StatusOr<std::unique_ptr<E>>(const kv::Options&)>;

  explicit EngineSubject(std::string_view name)
      : EngineSubject({.name = std::string(name),
                       .descriptor = E::Descriptor(),
                       .durable = E::kDurable,
                       .ordered = E::kOrdered,
                       .expiry = E::kExpiry,
                       .compaction = CompactableEngine<E>},
                      [](const kv::Options& options) { return E::Open(options); }) {}

  // For a type that stands for several engines: what this one can do, and how it is opened.
  EngineSubject(Capabilities capabilities, OpenEngine open)
      : capabilities_(std::move(capabilities)), open_(std::move(open)) {}

  const Capabilities& capabilities() const override { return capabilities_; }
  bool IsOpen() const override { return engine_ != nullptr; }

  absl::Status Open(const kv::Options& options) override {
    auto engine = open_(options);
    if (!engine.ok()) return std::move(engine).status();
    engine_ = *std::move(engine);
    return absl::OkStatus();
  }

  absl::Status Close() override {
    if (engine_ == nullptr) return absl::OkStatus();
    absl::Status status = engine_->Close();
    engine_.reset();
    return status;
  }

  kv::Statistics Stats() override { return engine_->Stats(); }
  absl::Status Put(std::string_view key, std::string_view value) override {
    return engine_->Put(key, value);
  }
  absl::Status Get(std::string_view key, std::string* value) override {
    return engine_->Get(key, value);
  }

  absl::Status Run(const RowPlan& plan, RowResult* result) override {
    StartLine line(plan.threads + (plan.workload->background_writer ? 1 : 0));
    std::vector<Worker> workers(static_cast<size_t>(plan.threads));
    std::vector<std::thread> threads;
    for (int i = 0; i < plan.threads; ++i) {
      threads.emplace_back([&, i] { Work(plan, i, line, &workers[static_cast<size_t>(i)]); });
    }
    std::thread writer;
    Worker written;
    if (plan.workload->background_writer) {
      writer = std::thread([&] { WriteBeside(plan, line, &written); });
    }
    const uint64_t begin = line.Start();
    for (std::thread& thread : threads) thread.join();
    line.Stop();
    if (writer.joinable()) writer.join();

    absl::Status failure = written.failure;
    uint64_t end = begin;
    for (const Worker& worker : workers) {
      failure.Update(worker.failure);
      end = std::max(end, worker.end);
      AddTo(worker, plan.threads, result);
    }
    result->seconds = CycleClock::Get().ToSeconds(end - begin);
    result->writer_operations = written.counts.operations;
    return failure;
  }

  absl::Status Replay(const ReplayPlan& plan, ReplayResult* result) override {
    return ReplayTrace(*engine_, plan, result);
  }

 private:
  struct Worker {
    ExecutorCounts counts;
    absl::Status failure;
    uint64_t end = 0;
    uint64_t generate_ticks = 0;
    uint64_t record_ticks = 0;
    bool sampled = false;
    std::unique_ptr<kv::Histogram> reads = std::make_unique<kv::Histogram>();
    std::unique_ptr<kv::Histogram> writes = std::make_unique<kv::Histogram>();
  };

  static void AddTo(const Worker& worker, int threads, RowResult* result) {
    const CycleClock& clock = CycleClock::Get();
    result->operations += worker.counts.operations;
    result->found += worker.counts.found;
    result->missed += worker.counts.missed;
    result->retries += worker.counts.retries;
    result->user_bytes += worker.counts.user_bytes;
    result->read_bytes += worker.counts.read_bytes;
    result->sampled |= worker.sampled;
    const auto each = static_cast<double>(std::max<uint64_t>(worker.counts.operations, 1));
    result->generate_nanos += clock.ToNanos(worker.generate_ticks) / each / threads;
    result->record_nanos += clock.ToNanos(worker.record_ticks) / each / threads;
    result->reads.Merge(*worker.reads);
    result->writes.Merge(*worker.writes);
  }

  // One thread's row.
  void Work(const RowPlan& plan, int index, StartLine& line, Worker* worker) {
    const CycleClock& clock = CycleClock::Get();
    OperationSource source(plan, index);
    OperationBlock block;
    Executor<E> executor(*engine_);
    Random random(plan.seed + static_cast<uint64_t>(index));
    std::vector<uint64_t> stamps(kBlockOperations + 1);

    line.Wait();
    uint64_t now = clock.Now();
    const uint64_t deadline =
        plan.seconds > 0 ? now + clock.FromSeconds(plan.seconds) : ~uint64_t{0};
    uint64_t left = plan.operations_per_thread;
    bool fast = false;  // whether the last block's operations were too short to time each
    while (left > 0 && now < deadline && !line.Stopped()) {
      left -= std::min(left, source.Fill(left, &block));
      const uint64_t filled = clock.Now();
      worker->generate_ticks += filled - now;
      const uint64_t before = executor.counts().operations;
      const bool ok = fast ? RunSampled(block, executor, random.Uniform(kSampleEvery), worker)
                           : RunTimed(block, executor, filled, deadline, &stamps, worker);
      now = clock.Now();
      worker->sampled |= fast;
      fast = clock.ToNanos(now - filled) <
             kSampleBelowNanos * static_cast<double>(block.operations.size());
      // relaxed: progress is only shown.
      plan.progress->fetch_add(executor.counts().operations - before, std::memory_order_relaxed);
      if (!ok) {
        worker->failure = executor.failure();
        line.Stop();
        break;
      }
    }
    worker->end = now;
    worker->counts = executor.counts();
  }

  // Times each operation. Stops early at the deadline.
  static bool RunTimed(const OperationBlock& block, Executor<E>& executor, uint64_t begin,
                       uint64_t deadline, std::vector<uint64_t>* stamps, Worker* worker) {
    const CycleClock& clock = CycleClock::Get();
    uint64_t* const stamp = stamps->data();
    const size_t count = block.operations.size();
    stamp[0] = begin;
    size_t done = 0;
    bool ok = true;
    while (done < count && ok && stamp[done] < deadline) {
      ok = executor.Execute(block.operations[done]);
      stamp[++done] = clock.Now();
    }
    for (size_t i = 0; i < done; ++i) {
      Record(block.operations[i].kind, clock.Elapsed(stamp[i], stamp[i + 1]), 1, worker);
    }
    worker->record_ticks += clock.Now() - stamp[done];
    return ok;
  }

  static bool RunSampled(const OperationBlock& block, Executor<E>& executor, uint64_t phase,
                         Worker* worker) {
    const CycleClock& clock = CycleClock::Get();
    for (size_t i = 0; i < block.operations.size(); ++i) {
      const Operation& operation = block.operations[i];
      if (i % kSampleEvery != phase) [[likely]] {
        if (!executor.Execute(operation)) return false;
        continue;
      }
      const uint64_t begin = clock.Now();
      if (!executor.Execute(operation)) return false;
      Record(operation.kind, clock.Elapsed(begin, clock.Now()), kSampleEvery, worker);
    }
    return true;
  }

  static void Record(OperationKind kind, uint64_t ticks, uint64_t weight, Worker* worker) {
    const auto nanos = static_cast<uint64_t>(CycleClock::Get().ToNanos(ticks));
    (IsRead(kind) ? worker->reads : worker->writes)->Record(nanos, weight);
  }

  // The extra writer of readwhilewriting: puts random keys until the readers are done.
  void WriteBeside(const RowPlan& plan, StartLine& line, Worker* worker) {
    const Workload* const overwrite = FindWorkload("overwrite");
    RowPlan own = PlanBeside(plan, overwrite);
    OperationSource source(own, plan.threads);
    OperationBlock block;
    Executor<E> executor(*engine_);
    line.Wait();
    while (!line.Stopped() && worker->failure.ok()) {
      source.Fill(kBlockOperations, &block);
      for (const Operation& operation : block.operations) {
        if (line.Stopped()) break;
        if (!executor.Execute(operation)) {
          worker->failure = executor.failure();
          line.Stop();
          break;
        }
      }
    }
    worker->counts = executor.counts();
  }

  static RowPlan PlanBeside(const RowPlan& plan, const Workload* workload) {
    RowPlan own = plan;
    own.workload = workload;
    own.seed = plan.seed + 1;
    return own;
  }

  const Capabilities capabilities_;
  const OpenEngine open_;
  std::unique_ptr<E> engine_;
};

}  // namespace bench

#endif  // BENCH_ENGINE_SUBJECT_H_
