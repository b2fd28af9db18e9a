// Commit policies on a log in a file, with no engine around it.
//
//   Commit/<policy>/bytes:<b>/insert:<n>/threads:<t>
//     bytes    of each request; those of a put of 16 + 100 bytes, of 1 KiB, and of a batch
//     insert   nanoseconds that the memtable takes for a request; burnt, not slept
//     threads  writers in a closed loop: each has one request under way
// `items_per_second` counts requests, `per_sync` how many share a sync (absent where none is made
// by the policy itself in that time).
//
// The log is a recycled one of 64 MiB in the directory $TEST_TMPDIR (or /tmp), so put that on the
// disk that is meant. Rows of one run are comparable if nothing else uses the machine:
//   bazel run -c opt //kv/commit:commit_benchmark -- --benchmark_enable_random_interleaving=true
//       --benchmark_repetitions=9 --benchmark_report_aggregates_only=true
// Does not measure: memtable rotation, compaction beside the writers, reads.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "kv/base/clock.h"
#include "kv/commit/every_write.h"
#include "kv/commit/group.h"
#include "kv/commit/interval.h"
#include "kv/commit/none.h"
#include "kv/commit/pipelined.h"
#include "kv/io/log_writer.h"
#include "kv/io/posix.h"

namespace kv {
namespace {

using Writer = LogWriter<PosixFileSystem>;

class LogJournal {
 public:
  static constexpr bool kBackgroundThreads = true;

  LogJournal(std::string path, bool synced, uint64_t insert_nanos)
      : path_(std::move(path)), synced_(synced), insert_nanos_(insert_nanos) {}
  ~LogJournal() { files_.Remove(path_).IgnoreError(); }

  // Writes the file once, so that what is measured are overwrites, as in a store that has run a
  // while.
  absl::Status Prepare() {
    {
      KV_ASSIGN_OR_RETURN(auto file, files_.Create(path_));
      const std::string piece(size_t{1} << 20, '\0');
      for (uint64_t size = 0; size < 2 * kLogBytes; size += piece.size()) {
        KV_RETURN_IF_ERROR(file.Append(piece));
      }
      KV_RETURN_IF_ERROR(file.Sync());
    }
    return Restart();
  }

  uint64_t MonotonicNanos() const { return clock_.MonotonicNanos(); }
  bool HasRoom(CommitGroup) const { return log_->End() < kLogBytes; }
  absl::Status Reserve(CommitGroup group) { return HasRoom(group) ? absl::OkStatus() : Restart(); }

  absl::Status Log(CommitGroup group) {
    uint64_t count = 0;
    for (CommitRequest* request : group) {
      request->first = next_ + count;
      count += request->count;
    }
    KV_RETURN_IF_ERROR(
        log_->AppendRecord(next_, static_cast<uint32_t>(count), [&](std::string* to) {
          for (const CommitRequest* request : group) to->append(request->entries);
        }));
    next_ += count;
    return absl::OkStatus();
  }

  absl::Status WriteOut() { return log_->WriteOut(); }

  absl::Status Sync() {
    // relaxed: a count, read when the writers have ended.
    syncs_.fetch_add(1, std::memory_order_relaxed);
    return log_->SyncFile();
  }

  void Insert(CommitGroup group) {
    const uint64_t end = clock_.MonotonicNanos() + insert_nanos_ * group.size();
    while (clock_.MonotonicNanos() < end) {
    }
  }

  void Publish(CommitGroup) {}

  uint64_t Syncs() const { return syncs_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint64_t kLogBytes = uint64_t{32} << 20;

  absl::Status Restart() {
    KV_ASSIGN_OR_RETURN(
        auto log, Writer::Start(files_, path_, {.generation = ++generation_, .synced = synced_}));
    log_.emplace(std::move(log));
    return absl::OkStatus();
  }

  PosixFileSystem files_;
  const std::string path_;
  const bool synced_;
  const uint64_t insert_nanos_;
  SystemClock clock_;
  std::optional<Writer> log_;
  uint64_t generation_ = 0;
  Sequence next_ = 1;
  std::atomic<uint64_t> syncs_{0};
};

template <typename C>
struct Bench {
  std::unique_ptr<LogJournal> journal;
  std::unique_ptr<C> commit;
};

// What the threads of a row share. Google Benchmark starts them and has no place for it; thread 0
// makes and unmakes it outside the loop, whose ends are barriers.
template <typename C>
Bench<C> shared;

template <typename C>
void Commit(benchmark::State& state) {
  Bench<C>& bench = shared<C>;
  if (state.thread_index() == 0) {
    const char* const directory = std::getenv("TEST_TMPDIR");
    const std::string path = fmt::format("{}/commit_benchmark_{}.log",
                                         directory == nullptr ? "/tmp" : directory, ::getpid());
    bench.journal = std::make_unique<LogJournal>(path, C::kDurableOnReturn,
                                                 static_cast<uint64_t>(state.range(1)));
    bench.commit = std::make_unique<C>();
    if (absl::Status status = bench.journal->Prepare(); !status.ok()) {
      state.SkipWithError(status.ToString().c_str());
    }
  }
  const std::string entries(static_cast<size_t>(state.range(0)), 'e');
  for (auto _ : state) {
    CommitRequest request{.entries = entries, .count = 1};
    if (absl::Status status = bench.commit->Commit(*bench.journal, request); !status.ok()) {
      state.SkipWithError(status.ToString().c_str());
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) {
    bench.commit->Stop();
    const auto syncs = static_cast<double>(bench.journal->Syncs());
    if (syncs > 0) {
      state.counters["per_sync"] =
          static_cast<double>(state.iterations() * state.threads()) / syncs;
    }
    bench.commit.reset();
    bench.journal.reset();
  }
}

void Rows(benchmark::internal::Benchmark* rows) {
  rows->ArgNames({"bytes", "insert"})->UseRealTime();
  for (const int threads : {1, 4, 16}) rows->Threads(threads);
  rows->Args({125, 300})->Args({1050, 500})->Args({8000, 30'000})->Args({70'000, 60'000});
}

BENCHMARK_TEMPLATE(Commit, EveryWriteCommit)->Apply(Rows);
BENCHMARK_TEMPLATE(Commit, GroupCommit<>)->Apply(Rows);
BENCHMARK_TEMPLATE(Commit, PipelinedCommit)->Apply(Rows);
BENCHMARK_TEMPLATE(Commit, IntervalCommit<>)->Apply(Rows);
BENCHMARK_TEMPLATE(Commit, NoCommit)->Apply(Rows);

}  // namespace
}  // namespace kv

BENCHMARK_MAIN();
