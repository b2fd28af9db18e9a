// One run of the program: the rows in order, on one server.
//
// For each row: the data that its load reads are written, INFO is asked, the load is driven, INFO
// is asked again, and the result is judged (bench/remote/drive/validity.h). The first row that
// cannot be run ends the run; what was measured until then is reported.
//
// Thread safety: none; use it in the main thread.
#ifndef BENCH_REMOTE_LAB_H_
#define BENCH_REMOTE_LAB_H_

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/progress_line.h"
#include "bench/remote/dataset.h"
#include "bench/remote/flags.h"
#include "bench/remote/info_sampler.h"
#include "bench/remote/record.h"
#include "bench/remote/report.h"
#include "bench/remote/row.h"
#include "bench/remote/server_description.h"
#include "bench/remote/target.h"
#include "bench/run.h"
#include "bench/session.h"

namespace bench::remote {

class Lab {
 public:
  // Starts or finds the server, and looks at it. `flags` outlives the lab.
  static absl::StatusOr<std::unique_ptr<Lab>> Open(const Flags& flags, const BuildInfo& build,
                                                   const std::atomic<bool>* stop);

  // Runs `rows` and prints to `out`. An error: a row or a file that failed; the rest is reported.
  absl::Status Run(const std::vector<Row>& rows, std::FILE* out);

  // Of Run: rows that may not be believed.
  size_t invalid() const { return invalid_; }

 private:
  Lab(const Flags& flags, const BuildInfo& build, const std::atomic<bool>* stop, Target target)
      : flags_(flags), build_(build), stop_(stop), target_(std::move(target)) {}

  absl::Status Look();
  bool IsStopped() const { return stop_->load(std::memory_order_relaxed); }  // says nothing else
  std::vector<std::pair<std::string, std::string>> Context() const;
  std::string Preamble() const;
  DrivePlan PlanOf(const Row& row);
  absl::Status RunRow(const Row& row, const std::string& title, ProgressLine* line, Report* report);
  absl::Status RunOnce(const Row& row, int repetition, Report* report);
  absl::Status Prepare(const Row& row, Report* report);
  void NoteMemory(const Row& row, Report* report);

  const Flags& flags_;
  const BuildInfo build_;
  const std::atomic<bool>* const stop_;
  const clients::Deadline begin_ = clients::Now();
  Target target_;
  std::vector<clients::Connection> nodes_;
  std::unique_ptr<InfoSampler> sampler_;  // null: INFO is not permitted
  std::string no_info_;                   // why
  ServerDescription server_;
  std::optional<Record> record_;
  std::unique_ptr<Dataset> data_;
  Progress progress_;
  std::set<std::string> noted_;  // loads whose memory was told
  size_t invalid_ = 0;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LAB_H_
