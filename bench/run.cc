#include "bench/run.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench/cycle_clock.h"
#include "bench/flags.h"
#include "bench/progress_line.h"
#include "bench/reporter.h"
#include "bench/session.h"
#include "bench/store_directory.h"
#include "bench/system_info.h"
#include "bench/text.h"
#include "bench/trace.h"
#include "benchmark/benchmark.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"

namespace bench {
namespace {

constexpr int kFailed = 1;

ProgressLine* the_progress_line = nullptr;
void ClearProgressLine() {
  if (the_progress_line != nullptr) the_progress_line->Clear();
}

int Fail(int status, std::string_view message) {
  ClearProgressLine();
  fmt::print(stderr, "error: {}\n", message);
  return status;
}

// What a reader has to know to believe a figure: for the JSON's context and the table's head.
std::vector<std::pair<std::string, std::string>> ContextOf(const Flags& flags,
                                                           const BuildInfo& build,
                                                           const Capabilities& capabilities,
                                                           const std::string& directory) {
  const CycleClock& clock = CycleClock::Get();
  std::vector<std::pair<std::string, std::string>> context = {
      {"composition", capabilities.name},
      {"descriptor", capabilities.descriptor},
      {"configuration_hash", fmt::format("{:016x}", kv::HashKey(capabilities.descriptor))},
      {"compiler", build.compiler},
      {"build", build.flags},
      {"cpu_model", CpuModel()},
      {"kernel", Kernel()},
      {"started", StartTime()},
      {"seed", std::to_string(flags.seed)},
      {"key_size", std::to_string(flags.key_size)},
      {"value_size", std::to_string(flags.value_size)},
      {"value_text", flags.value_text == ValueText::kHalf ? "half" : "alphanumeric"},
      {"num", std::to_string(flags.num.value_or(kDefaultNum))},
      {"memtable_bytes", std::to_string(flags.memtable_bytes)},
      {"cache_bytes", std::to_string(flags.cache_bytes)},
      {"clock", std::string(clock.Name())},
      {"clock_overhead_ns", fmt::format("{:.1f}", clock.OverheadNanos())},
      {"clock_step_ns", fmt::format("{:.1f}", clock.StepNanos())},
      {"load", "closed loop"},
  };
  const std::string commit = Commit();
  if (!commit.empty()) context.emplace_back("commit", commit);
  if (!flags.replay.empty()) context.emplace_back("trace", flags.replay);
  if (capabilities.durable) {
    context.emplace_back("directory", directory);
    context.emplace_back("file_system", FileSystemType(directory));
    // An existing store's directory is not written to by anyone but its engine.
    const auto probe = flags.use_existing ? std::nullopt : ProbeFdatasync(directory);
    if (probe) context.emplace_back("fdatasync_p50_us", fmt::format("{:.1f}", *probe));
  }
  return context;
}

std::string Preamble(const std::vector<std::pair<std::string, std::string>>& context,
                     const Flags& flags, const Capabilities& capabilities) {
  const auto get = [&](std::string_view name) -> std::string {
    const auto found = std::find_if(context.begin(), context.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == context.end() ? "unknown" : found->second;
  };
  std::string text = fmt::format(
      "{}  {}\n  machine  {}, {} CPUs, {}\n  build    {}, {}\n"
      "  data     keys {} B, values {} B unless the workload says otherwise, seed {}\n"
      "  memory   memtable {} MiB, cache {} MiB\n"
      "  clock    {}, {} ns a reading (subtracted), steps of {} ns; closed loop\n",
      capabilities.name, capabilities.descriptor, get("cpu_model"), CpuCount(), get("kernel"),
      get("compiler"), get("build"), flags.key_size, flags.value_size, flags.seed,
      flags.memtable_bytes >> 20, flags.cache_bytes >> 20, get("clock"), get("clock_overhead_ns"),
      get("clock_step_ns"));
  if (capabilities.durable) {
    text += fmt::format("  store    {} ({}), fdatasync p50 {} us\n", get("directory"),
                        get("file_system"), get("fdatasync_p50_us"));
  } else {
    text += "  store    in memory only; nothing is durable\n";
  }
  return text;
}

// One program run; what the rows' closures share.
struct Shared {
  Session* session;
  ProgressLine* progress;
  size_t rows = 0;
  size_t started = 0;
  std::string failure;  // of the first row that failed; the rows after it do not run
};

void RunRow(benchmark::State& state, const Row& row, const std::string& title, Shared* shared) {
  for ([[maybe_unused]] auto iteration : state) {
    if (!shared->failure.empty()) {
      state.SkipWithError("not run: an earlier row failed");
      return;
    }
    shared->progress->Start(title);
    auto figures = shared->session->Run(row);
    shared->progress->Clear();
    if (!figures.ok()) {
      shared->failure = std::string(figures.status().message());
      if (shared->failure.empty()) shared->failure = figures.status().ToString();
      state.SkipWithError(shared->failure.c_str());
      return;
    }
    double operations = 1;
    double seconds = 0;
    for (const auto& [name, value] : *figures) {
      state.counters[name] = value;
      if (name == "ops") operations = std::max(1.0, value);
      if (name == "seconds") seconds = value;
    }
    state.SetIterationTime(seconds / operations);
  }
}

void Register(const std::vector<Row>& rows, const Flags& flags, const Capabilities& capabilities,
              Shared* shared) {
  for (const Row& row : rows) {
    const std::string workload =
        row.workload == nullptr ? "replay" : std::string(row.workload->name);
    const std::string name =
        fmt::format("{}/{}/threads:{}", capabilities.name, workload, row.threads);
    const std::string title = fmt::format("[{}/{}] {}", ++shared->rows, rows.size(), workload);
    benchmark::RegisterBenchmark(
        name.c_str(),
        [row, title, shared](benchmark::State& state) { RunRow(state, row, title, shared); })
        ->UseManualTime()
        ->Iterations(1)
        ->Repetitions(flags.repetitions);
  }
}

bool HasFlag(const std::vector<std::string>& flags, std::string_view name) {
  return std::any_of(flags.begin(), flags.end(), [&](const std::string& flag) {
    return flag.starts_with(name) && (flag.size() == name.size() || flag[name.size()] == '=');
  });
}

// Hands Google Benchmark its flags; the first that it does not know, or empty. It keeps a pointer
// to the program's name, so the strings live for ever.
std::string InitializeBenchmark(const char* program, const std::vector<std::string>& flags) {
  static std::vector<std::string> arguments;
  arguments = flags;
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, pointers.data());
  return count > 1 ? pointers[1] : "";
}

std::string ReplaySummary(const Trace& trace, const ReplayResult& replay) {
  std::string text = fmt::format(
      "\nreplay of {}\n  requests {}, reads verified {}, absences verified {}, "
      "read misses of never written keys {}, mismatches {}\n",
      trace.path, WithThousands(replay.requests), WithThousands(replay.reads_verified),
      WithThousands(replay.absences_verified), WithThousands(replay.never_written),
      WithThousands(replay.mismatches));
  if (trace.bad_lines != 0) {
    text += fmt::format("  bad lines left out: {}; the first: {}\n", WithThousands(trace.bad_lines),
                        trace.first_bad_line);
  }
  return text;
}

int RunSession(const Flags& flags, const char* program, const BuildInfo& build, Subject& subject,
               const StoreDirectory& directory, const Trace* trace) {
  const Capabilities& capabilities = subject.capabilities();
  std::vector<std::string> notes;
  const std::vector<Row> rows = RowsFor(flags, capabilities, &notes);
  if (rows.empty()) return Fail(kFailed, fmt::format("nothing to run: {}", notes.front()));

  Session session(flags, subject, directory, trace);
  for (std::string& note : notes) session.AddNote(std::move(note));
  const auto context = ContextOf(flags, build, capabilities, directory.path());
  if (capabilities.durable && FileSystemType(directory.path()) == "tmpfs") {
    session.AddNote("the store is on tmpfs: durable rows do not measure a disk; give --dir");
  }
  if (!build.optimized || build.asserts) {
    session.AddNote("this build is not optimized, or has asserts on: its figures say little");
  }

  std::vector<std::string> benchmark_flags = flags.benchmark_flags;
  if (!flags.json.empty()) {
    if (!std::ofstream(flags.json)) return Fail(kFailed, "cannot write " + flags.json);
    benchmark_flags.push_back("--benchmark_out=" + flags.json);
  }
  const std::string unknown = InitializeBenchmark(program, benchmark_flags);
  if (!unknown.empty()) return Fail(2, "Google Benchmark has no flag " + unknown);
  for (const auto& [name, value] : context) benchmark::AddCustomContext(name, value);

  ProgressLine progress(session.progress());
  the_progress_line = &progress;
  Shared shared{.session = &session, .progress = &progress};
  Register(rows, flags, capabilities, &shared);
  TableReporter table(Preamble(context, flags, capabilities), stdout, ClearProgressLine);
  JsonReporter json;
  const bool writes_json = HasFlag(benchmark_flags, "--benchmark_out") &&
                           !HasFlag(benchmark_flags, "--benchmark_out_format");
  const size_t ran = writes_json ? benchmark::RunSpecifiedBenchmarks(&table, &json)
                                 : benchmark::RunSpecifiedBenchmarks(&table);
  the_progress_line = nullptr;
  if (shared.failure.empty()) {
    const absl::Status closed = session.Close();
    if (!closed.ok()) shared.failure = std::string(closed.message());
  } else {
    // The first error is the one to report.
    static_cast<void>(session.Close());
  }

  if (session.replay() != nullptr) {
    fmt::print("{}", ReplaySummary(*trace, *session.replay()));
  }
  for (const std::string& note : session.notes()) fmt::print("  * {}\n", note);
  if (!flags.json.empty()) fmt::print("  * JSON written to {}\n", flags.json);
  if (flags.keep && capabilities.durable) {
    fmt::print("  * the store is left in {}\n", directory.path());
  }
  std::fflush(stdout);
  if (!shared.failure.empty()) return Fail(kFailed, shared.failure);
  if (session.replay() != nullptr && session.replay()->mismatches != 0) {
    return Fail(kFailed,
                fmt::format("{} reads were wrong; the first: {}", session.replay()->mismatches,
                            session.replay()->first_mismatch));
  }
  if (ran == 0) return Fail(kFailed, "no row matches --benchmark_filter");
  return 0;
}

}  // namespace

int Main(int argc, char** argv, const BuildInfo& build, Subject& subject) {
  const ParsedFlags parsed =
      ParseFlags(subject.capabilities().name, std::vector<std::string>(argv + 1, argv + argc));
  if (parsed.exit_status.has_value()) {
    fmt::print("{}", parsed.output);
    if (!parsed.error.empty()) fmt::print(stderr, "error: {}", parsed.error);
    return *parsed.exit_status;
  }
  const Flags& flags = parsed.flags;
  std::unique_ptr<Trace> trace;
  if (!flags.replay.empty()) {
    auto read = ReadTrace(flags.replay,
                          {.skip_bad_lines = flags.skip_bad_lines, .limit = flags.replay_limit});
    if (!read.ok()) return Fail(kFailed, std::string(read.status().message()));
    trace = std::make_unique<Trace>(*std::move(read));
  }
  RemoveDirectoryOnInterrupt();
  // Engines in memory need no directory, and are given none of the caller's.
  const bool durable = subject.capabilities().durable;
  auto directory = StoreDirectory::Make({.path = durable ? flags.directory : "",
                                         .use_existing = durable && flags.use_existing,
                                         .keep = durable && flags.keep});
  if (!directory.ok()) return Fail(kFailed, std::string(directory.status().message()));
  return RunSession(flags, argv[0], build, subject, *directory, trace.get());
}

}  // namespace bench
