// Google Benchmark reporters: the table that a person reads, and Google's JSON with one row a
// repetition under the name <composition>/<workload>/threads:<n>.
//
// The lab times its rows itself, so what Google Benchmark believes to be one iteration is a whole
// row. Both reporters therefore read the user counters, and the JSON is given the true number of
// operations as iterations, and the wall and processor time of one operation.
#ifndef BENCH_REPORTER_H_
#define BENCH_REPORTER_H_

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "bench/session.h"
#include "benchmark/benchmark.h"

namespace bench {

class TableReporter final : public benchmark::BenchmarkReporter {
 public:
  // `preamble` is printed above the table. `before_row` is called before a row is printed, so that
  // a progress line can get out of the way.
  TableReporter(std::string preamble, std::FILE* out, void (*before_row)());

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

  size_t rows() const { return rows_; }

 private:
  std::string preamble_;
  std::FILE* out_;
  void (*before_row_)();
  size_t rows_ = 0;
};

// The lines of the table: its head, and one row from the figures of its repetitions (medians).
std::string TableHead();
std::string TableRow(std::string_view workload, const std::vector<Figures>& repetitions);

class JsonReporter final : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override;
};

}  // namespace bench

#endif  // BENCH_REPORTER_H_
