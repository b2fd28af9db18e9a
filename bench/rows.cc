// Which rows a command line means.
#include <algorithm>
#include <iterator>

#include "bench/session.h"
#include "bench/text.h"
#include "fmt/format.h"

namespace bench {
namespace {

// The representative set: what a first look should show. Counts are chosen so that the whole takes
// under two minutes on two slow cores; no row runs for longer than its seconds. A composition that
// syncs each put does not finish its single puts in that time, so the reads come after fillbatch.
constexpr double kDefaultRowSeconds = 4;
constexpr double kDefaultLoadSeconds = 20;

struct DefaultRow {
  std::string_view workload;
  uint64_t num;
  uint64_t reads = 0;
  int threads = 1;
  bool durable_only = false;
  double seconds = kDefaultRowSeconds;
};

constexpr DefaultRow kDefaultRows[] = {
    {"fillrandom", 1'000'000, 0},
    {.workload = "fillbatch", .num = 1'000'000, .seconds = kDefaultLoadSeconds},
    {"overwrite", 1'000'000, 1'000'000},
    {"readrandom", 1'000'000, 1'000'000},
    {"readrandom", 1'000'000, 500'000, 2},
    {"readmissing", 1'000'000, 1'000'000},
    {"readseq", 1'000'000, 1'000'000},
    {"seekrandom", 1'000'000, 100'000},
    {"readwhilewriting", 1'000'000, 300'000},
    {"ycsb_a", 100'000, 100'000},
    {"ycsb_b", 100'000, 200'000},
    {"ycsb_e", 100'000, 20'000},
    {"cas", 100'000, 300'000},
    {"cas", 100'000, 150'000, 2},
    {"twitter_cluster14", 200'000, 300'000},
    {"fillsync", 200'000, 0, 1, true},
    {"fillsync", 800'000, 0, 4, true},
};

}  // namespace

std::string Unsupported(const Workload& workload, const Capabilities& capabilities) {
  if (workload.NeedsOrder() && !capabilities.ordered) {
    return fmt::format("{}: not run, {} is not ordered", workload.name, capabilities.name);
  }
  if (workload.ttl_millis != 0 && !capabilities.expiry) {
    return fmt::format("{}: not run, {} has no expiry", workload.name, capabilities.name);
  }
  if (workload.mix[0].kind == OperationKind::kCompact && !capabilities.compaction) {
    return fmt::format("{}: not run, {} does not compact", workload.name, capabilities.name);
  }
  return "";
}

std::vector<Row> RowsFor(const Flags& flags, const Capabilities& capabilities,
                         std::vector<std::string>* notes) {
  std::vector<Row> rows;
  const auto add = [&](const Row& row) {
    const std::string reason = Unsupported(*row.workload, capabilities);
    if (reason.empty()) {
      rows.push_back(row);
    } else if (std::find(notes->begin(), notes->end(), reason) == notes->end()) {
      notes->push_back(reason);
    }
  };
  if (flags.workloads.empty() && flags.replay.empty()) {
    for (const DefaultRow& row : kDefaultRows) {
      if (row.durable_only && !capabilities.durable) continue;
      add({.workload = FindWorkload(row.workload),
           .threads = row.threads,
           .num = flags.num.value_or(row.num),
           .reads = flags.reads.has_value() ? *flags.reads
                    : flags.num.has_value() ? *flags.num
                                            : row.reads,
           .seconds = flags.seconds > 0 ? flags.seconds : row.seconds,
           .until_seconds = flags.seconds > 0});
    }
  }
  for (const int threads : flags.threads) {
    for (const std::string& name : flags.workloads) {
      add({.workload = FindWorkload(name),
           .threads = threads,
           .num = flags.num.value_or(kDefaultNum),
           .reads = flags.reads,
           .seconds = flags.seconds,
           .until_seconds = flags.seconds > 0});
    }
    if (!flags.replay.empty()) rows.push_back({.workload = nullptr, .threads = threads});
  }
  return rows;
}

}  // namespace bench
