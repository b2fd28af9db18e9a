// A row of a report: what was run, what came of it, and the figures by name.
//
// Names of rows are <label>/<load>/connections:<n>, and what tells them from other rows of the same
// run (pipeline:<n>, rate:<n>) only where there are some: a comparison finds its rows by name.
//
// Thread safety: plain values and pure functions.
#ifndef BENCH_REMOTE_ROW_H_
#define BENCH_REMOTE_ROW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/remote/drive/drive.h"
#include "bench/remote/drive/schedule.h"
#include "bench/remote/info_sampler.h"
#include "bench/remote/memory_per_key.h"
#include "bench/remote/server_info.h"
#include "bench/session.h"

namespace bench::remote {

struct Row {
  std::string load;
  int threads = 1;
  int connections = 50;
  int pipeline = 1;
  Schedule schedule;
  double warmup_seconds = 0;
  double seconds = 0;     // 0: by requests
  uint64_t requests = 0;  // 0: by seconds
  std::string suffix;     // of its name; see NameApart
};

struct RowResult {
  Row row;
  int repetition = 0;        // counted from 0
  double begin_seconds = 0;  // when the warm-up had ended, since the program's start
  DriveResult drive;
  uint64_t answered = 0;             // with the warm-up, for what the server counts as well
  std::vector<std::string> invalid;  // why; empty: it may be believed
  // Where the server answers INFO.
  std::optional<InfoSampler::Snapshot> before;
  std::optional<InfoSampler::Snapshot> after;
  std::vector<ServerFigures> samples;  // on the clock of drive.intervals
  std::optional<MemoryPerKey> memory;  // of the data that it ran on
};

// Whether planned times, and not replies, say when to send.
inline bool IsOpenLoop(const Schedule& schedule) { return schedule.pace != Pace::kClosed; }

// "10,000/s", "1,000..50,000/s", "as recorded"; "closed" where replies say when to send.
std::string PaceText(const Schedule& schedule);

// Gives rows that would have the same name a suffix of what tells them apart.
void NameApart(std::vector<Row>* rows);

// `operation` between the load and the connections; empty: the whole row.
std::string NameOf(std::string_view label, const Row& row, std::string_view operation = "");

// Names end in their unit. What is not known is not there.
Figures FiguresOf(const RowResult& result);
// Of one operation of a row that took `seconds`.
Figures FiguresOf(const OperationResult& operation, double seconds);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_ROW_H_
