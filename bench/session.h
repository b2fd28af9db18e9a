// A session: the rows of one run, in order, on one store. Opens, empties and preloads the store as
// the workloads ask, runs each row through the Subject, and turns raw results into named figures.
//
// Semantics are db_bench's: fill* rows begin with a fresh store; other rows use what is there. A
// row that needs data of another layout (YCSB after db_bench, another Twitter cluster) or finds
// none has a fresh store filled for it first, untimed, and a note says so.
//
// Thread safety: none.
#ifndef BENCH_SESSION_H_
#define BENCH_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/flags.h"
#include "bench/plan.h"
#include "bench/store_directory.h"
#include "bench/trace.h"
#include "bench/workload.h"

namespace bench {

// A row to be run. A null workload is the replay of the trace.
struct Row {
  const Workload* workload = nullptr;
  int threads = 1;
  uint64_t num = kDefaultNum;
  std::optional<uint64_t> reads = {};
  double seconds = 0;  // see RowPlan
  // Rows that do not fill run for `seconds`, however many operations that takes.
  bool until_seconds = false;
};

// Figures by name, as they go into the JSON as user counters.
using Figures = std::vector<std::pair<std::string, double>>;

struct Progress {
  std::atomic<uint64_t> done = 0;
  std::atomic<uint64_t> total = 0;  // 0: unknown
};

class Session {
 public:
  // All must outlive the session; `trace` may be null.
  Session(const Flags& flags, Subject& subject, const StoreDirectory& directory,
          const Trace* trace);

  absl::StatusOr<Figures> Run(const Row& row);
  absl::Status Close();

  Progress& progress() { return progress_; }
  // Sentences for the reader, each once.
  const std::vector<std::string>& notes() const { return notes_; }
  void AddNote(std::string note);
  // Of the last replay, for its closing lines.
  const ReplayResult* replay() const { return replay_.get(); }

 private:
  // What the open store holds.
  struct Loaded {
    bool any = false;
    Layout layout = Layout::kDbBench;
    const TwitterProfile* profile = nullptr;
    uint64_t records = 0;  // key numbers are below this
    size_t key_bytes = 0;
    size_t value_bytes = 0;
    double live_records = 0;  // expected; -1 when unknown
    double record_bytes = 0;
  };

  RowPlan Plan(const Row& row, const Workload& workload);
  absl::Status OpenFresh();
  absl::Status Open();
  absl::Status Prepare(const Row& row, const RowPlan& plan);
  absl::Status Preload(const RowPlan& plan);
  bool Serves(const RowPlan& plan) const;
  void NoteContents(const RowPlan& plan, const RowResult& result);
  absl::StatusOr<Figures> RunReplay(const Row& row);
  absl::StatusOr<uint64_t> SumCounters();

  const Flags& flags_;
  Subject& subject_;
  const StoreDirectory& directory_;
  const Trace* const trace_;
  std::unique_ptr<ReplayValues> replay_values_;
  std::unique_ptr<ValuePool> pool_;
  std::unique_ptr<ReplayResult> replay_;
  std::atomic<uint64_t> next_insert_ = 0;
  Progress progress_;
  Loaded loaded_;
  Workload preload_;
  uint64_t plans_ = 0;
  std::vector<std::string> notes_;
};

// Why this composition cannot run the workload; empty when it can.
std::string Unsupported(const Workload& workload, const Capabilities& capabilities);

// The rows that the flags ask for: every workload at every thread count, then the replay. Rows that
// the composition cannot run are left out and named in `notes`.
std::vector<Row> RowsFor(const Flags& flags, const Capabilities& capabilities,
                         std::vector<std::string>* notes);

}  // namespace bench

#endif  // BENCH_SESSION_H_
