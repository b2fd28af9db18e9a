// Runs a bench binary at toy sizes and checks its table, its JSON and its exit statuses. No timing.
//
//   smoke_check <binary> durable|volatile
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "bench/row_context.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace {

int failures = 0;

void Expect(bool holds, const std::string& what, const std::string& output = "") {
  if (holds) return;
  ++failures;
  fmt::print(stderr, "FAILED: {}\n{}\n", what, output);
}

// What a command prints (both streams) and its exit status.
struct Outcome {
  int status = -1;
  std::string output;
};

Outcome Run(const std::string& command) {
  Outcome outcome;
  std::FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  for (size_t read; (read = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.output.append(buffer, read);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  return outcome;
}

bool Contains(const Outcome& outcome, const std::string& text) {
  return outcome.output.find(text) != std::string::npos;
}

// `num` is small where each put waits for the disk.
void CheckRows(const std::string& binary, const std::string& scratch, int num) {
  const std::vector<std::string> workloads = {
      "fillseq",  "fillbatch",    "overwrite", "readrandom",      "fillsync",
      "cas",      "ycsb_a",       "ycsb_d",    "multireadrandom", "twitter_cluster14",
      "putbatch", "count_1_in_5", "count_none"};
  std::string list;
  for (const std::string& workload : workloads) list += workload + ",";
  const std::string json = scratch + "/out.json";
  const Outcome run = Run(
      fmt::format("{} --workloads={} --num={} --threads=1,2 --json={}", binary, list, num, json));
  Expect(run.status == 0, "a run of many workloads exits with 0", run.output);
  for (const std::string& workload : workloads) {
    Expect(Contains(run, "\n" + workload + " "), "the table has a row of " + workload, run.output);
  }
  std::ifstream file(json);
  const auto parsed = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  Expect(!parsed.is_discarded(), "the JSON parses");
  if (parsed.is_discarded()) return;
  for (const std::string& missing : bench::Defect08FiguresWithoutTheirSizes(parsed)) {
    Expect(false, "Defect08FiguresWithoutTheirSizes: " + missing);
  }
  Expect(parsed["benchmarks"].size() == 2 * workloads.size(), "the JSON has a row for each");
  for (const auto& row : parsed["benchmarks"]) {
    const std::string name = row.value("name", "");
    Expect(!row.value("error_occurred", false), name + " has no error");
    Expect(row.value("ops", 0.0) > 0, name + " did something");
    Expect(row.value("real_time", 0.0) > 0, name + " took time");
  }
}

void CheckReplay(const std::string& binary, const std::string& scratch) {
  const std::string trace = scratch + "/trace.csv";
  std::ofstream(trace) << "0,k1,2,100,1,set,0\n1,k1,2,0,1,get,0\n2,k2,2,0,1,get,0\n"
                          "3,k1,2,10,1,append,0\n4,k1,2,0,2,gets,0\n5,k1,2,0,2,delete,0\n"
                          "6,k1,2,0,2,get,0\n";
  const Outcome good = Run(fmt::format("{} --replay={}", binary, trace));
  Expect(good.status == 0, "a replay exits with 0", good.output);
  Expect(Contains(good,
                  "requests 7, reads verified 3, absences verified 1, read misses of never "
                  "written keys 1, mismatches 0"),
         "the replay verified what it should", good.output);
  std::ofstream(trace, std::ios::app) << "7,k1,2,0,2,frobnicate,0\n";
  const Outcome bad = Run(fmt::format("{} --replay={}", binary, trace));
  Expect(bad.status == 1 && Contains(bad, "trace.csv:8: unknown operation"),
         "a bad line is named and fails", bad.output);
  const Outcome skipped = Run(fmt::format("{} --replay={} --skip_bad_lines", binary, trace));
  Expect(skipped.status == 0 && Contains(skipped, "bad lines left out: 1"),
         "a bad line can be left out", skipped.output);
}

void CheckMisuse(const std::string& binary) {
  const Outcome flag = Run(binary + " --workload=fillseq");
  Expect(flag.status == 2 && Contains(flag, "--workloads"), "an unknown flag", flag.output);
  const Outcome workload = Run(binary + " --workloads=readrandm");
  Expect(workload.status == 2 && Contains(workload, "did you mean readrandom?"),
         "an unknown workload", workload.output);
  const Outcome list = Run(binary + " --list");
  Expect(list.status == 0 && Contains(list, "twitter_cluster54"), "--list", list.output);
  const Outcome help = Run(binary + " --help");
  Expect(help.status == 0 && Contains(help, "Examples:"), "--help", help.output);
  const Outcome trace = Run(binary + " --replay=/nonexistent/trace");
  Expect(trace.status == 1 && Contains(trace, "/nonexistent/trace"), "no trace", trace.output);
}

void CheckKeptStore(const std::string& binary, const std::string& scratch) {
  const std::string store = scratch + "/store";
  const Outcome kept =
      Run(fmt::format("{} --dir={} --keep --workloads=fillbatch --num=2k", binary, store));
  Expect(kept.status == 0, "--keep", kept.output);
  const Outcome again = Run(fmt::format("{} --dir={} --workloads=readrandom", binary, store));
  Expect(again.status == 1 && Contains(again, "not empty"), "a used directory", again.output);
  const Outcome existing =
      Run(fmt::format("{} --dir={} --use_existing --workloads=readrandom --num=2k", binary, store));
  Expect(existing.status == 0 && !Contains(existing, "found only"), "--use_existing",
         existing.output);
  const std::string empty = scratch + "/empty";
  Run("mkdir " + empty);
  const Outcome none =
      Run(fmt::format("{} --dir={} --use_existing --workloads=readrandom --num=2k", binary, empty));
  Expect(none.status == 1 && Contains(none, "error:"), "no store to use", none.output);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: smoke_check <binary> durable|volatile\n");
    return 2;
  }
  const std::string binary = argv[1];
  const char* const parent = std::getenv("TEST_TMPDIR");
  std::string scratch = std::string(parent != nullptr ? parent : "/tmp") + "/smoke_XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) {
    fmt::print(stderr, "cannot make a scratch directory\n");
    return 1;
  }
  setenv("TMPDIR", scratch.c_str(), 1);
  unsetenv("BUILD_WORKING_DIRECTORY");
  const bool durable = std::string(argv[2]) == "durable";
  CheckRows(binary, scratch, durable ? 100 : 2000);
  CheckReplay(binary, scratch);
  CheckMisuse(binary);
  if (durable) CheckKeptStore(binary, scratch);
  const Outcome left = Run("ls -d " + scratch + "/ashlar_bench_*");
  Expect(left.status != 0, "temporary stores are removed", left.output);
  Run("rm -rf " + scratch);
  if (failures == 0) fmt::print("all smoke checks hold\n");
  return failures == 0 ? 0 : 1;
}
