// Where results go: the table on standard output as rows are done, and at the end the notes below
// it, the JSON and the log of histograms.
//
// Thread safety: none.
#ifndef BENCH_REMOTE_REPORT_H_
#define BENCH_REMOTE_REPORT_H_

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/remote/flags.h"
#include "bench/remote/json.h"
#include "bench/remote/row.h"

namespace bench::remote {

class Report {
 public:
  // `start` is when the program began, in seconds since 1970.
  Report(const Flags& flags, std::string executable, std::string label, double start,
         std::FILE* out);

  // The files that the flags name can be written.
  absl::Status OpenFiles();
  void Begin(const std::string& preamble,
             const std::vector<std::pair<std::string, std::string>>& context);
  // One repetition of a row; the row is printed when EndRow comes.
  void Add(const RowResult& result);
  void EndRow();
  // Of a row that could not be run.
  void AddFailure(const Row& row, const std::string& why);
  void AddNote(const std::string& note);  // each once
  absl::Status Finish(const std::vector<Row>& rows);

  // Rows and repetitions that were added, and how many of them may not be believed.
  size_t added() const { return added_; }
  size_t invalid() const { return invalid_; }

 private:
  void LogHistograms(const RowResult& result);

  const Flags& flags_;
  const std::string label_;
  const double start_;
  std::FILE* const out_;
  JsonReport json_;
  std::ofstream hdr_log_;
  std::optional<Row> row_;            // that is under way
  std::vector<Figures> repetitions_;  // of it
  std::string below_;                 // its lines
  std::vector<std::string> notes_;
  size_t added_ = 0;
  size_t invalid_ = 0;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_REPORT_H_
