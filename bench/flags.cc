#include "bench/flags.h"

#include <algorithm>

#include "CLI/CLI.hpp"
#include "bench/command_line.h"
#include "bench/text.h"
#include "bench/workload.h"
#include "fmt/format.h"
#include "kv/contract/engine.h"

namespace bench {
namespace {

constexpr int kMaxThreads = 1024;

constexpr std::string_view kExamples = R"(
Examples:
  {0}                                       a representative set, under two minutes
  {0} --workloads=fillrandom,readrandom --num=10M
  {0} --workloads=readrandom --threads=1,4 --duration=10s --repetitions=5
  {0} --workloads=ycsb_a,ycsb_e,twitter_cluster12 --json=out.json
  {0} --replay=trace.csv                    every read is checked
  {0} --dir=/data/store --keep --workloads=fillrandom
  {0} --dir=/data/store --use_existing --workloads=readrandom
Flags of Google Benchmark (--benchmark_filter=REGEX, --benchmark_out=FILE, ...) pass through.
Exit status: 0; 1 a run failed or a read was wrong; 2 the command line is wrong.)";

std::optional<std::vector<int>> ParseThreads(const std::string& text) {
  std::vector<int> threads;
  for (const std::string& part : SplitList(text)) {
    const auto count = ParseCount(part);
    if (!count || *count == 0 || *count > kMaxThreads) return std::nullopt;
    threads.push_back(static_cast<int>(*count));
  }
  if (threads.empty()) return std::nullopt;
  return threads;
}

std::optional<uint64_t> ParseMegabytes(const std::string& text) {
  const auto count = ParseCount(text);
  if (!count || *count == 0 || *count > (uint64_t{1} << 24)) return std::nullopt;
  return *count << 20;
}

std::optional<ValueText> ParseValueText(const std::string& text) {
  if (text == "half") return ValueText::kHalf;
  if (text == "alphanumeric") return ValueText::kAlphanumeric;
  return std::nullopt;
}

std::optional<double> ParseTheta(const std::string& text) {
  try {
    size_t used = 0;
    const double theta = std::stod(text, &used);
    if (used == text.size() && theta >= 0 && theta <= 10) return theta;
  } catch (const std::exception&) {
  }
  return std::nullopt;
}

void Define(CLI::App& app, Flags* flags) {
  constexpr uint64_t kMost = 1'000'000'000'000;
  AddParsed(
      app, "--workloads",
      [](const std::string& text) { return std::make_optional(SplitList(text)); },
      &flags->workloads, "comma-separated names, run in this order on one store");
  AddParsed(app, "--num", CountWithin(1, kMost), &flags->num,
            "number of keys, 1M by default; 10k, 1M, 2G are fine");
  AddParsed(app, "--reads", CountWithin(1, kMost), &flags->reads,
            "operations a thread of rows that do not fill; as --num by default");
  AddParsed(app, "--threads", ParseThreads, &flags->threads,
            "worker threads; a list such as 1,4 runs everything once for each");
  AddParsed(app, "--key_size", CountWithin(4, kv::kMaxKeyBytes - 1), &flags->key_size,
            "bytes of a key, 16 by default");
  AddParsed(app, "--value_size", CountWithin(0, kv::kMaxValueBytes), &flags->value_size,
            "bytes of a value, 100 by default");
  AddParsed(app, "--value_text", ParseValueText, &flags->value_text,
            "half: compresses about 2:1 (the default); alphanumeric: random letters and digits");
  AddParsed(app, "--duration", ParseSeconds, &flags->seconds,
            "run rows for this long (10s, 500ms, 2m) instead of by count; fills end at --num too");
  AddParsed(app, "--seed", CountWithin(0, ~uint64_t{0}), &flags->seed,
            "of keys, values and operations; 42 by default");
  AddParsed(app, "--batch_size", CountWithin(1, 100'000), &flags->batch_size,
            "keys of a MultiGet and of putbatch, 100 by default");
  AddParsed(app, "--zipf_theta", ParseTheta, &flags->zipf_theta,
            "Zipf exponent, 0 to 10; 0.99 for YCSB and as published for Twitter by default");
  app.add_option("--dir", flags->directory,
                 "directory of the store; empty or absent, unless --use_existing")
      ->type_name("");
  app.add_flag("--keep", flags->keep, "leave the store behind");
  app.add_flag("--use_existing", flags->use_existing, "run on the store that is in --dir");
  AddParsed(app, "--memtable_mb", ParseMegabytes, &flags->memtable_bytes,
            "MiB of writes held in memory, 32 by default");
  AddParsed(app, "--cache_mb", ParseMegabytes, &flags->cache_bytes,
            "MiB of block cache, 256 by default");
  app.add_option("--replay", flags->replay, "replay a trace file (block or Twitter cache format)")
      ->type_name("FILE");
  AddParsed(app, "--replay_limit", CountWithin(1, kMost), &flags->replay_limit,
            "replay only so many requests");
  app.add_flag("--skip_bad_lines", flags->skip_bad_lines, "count bad lines of the trace and go on");
  app.add_option("--json", flags->json, "write the results as Google Benchmark's JSON")
      ->type_name("FILE");
  AddParsed(app, "--repetitions", CountWithin(1, 1000), &flags->repetitions,
            "repeat each row; the table then shows medians and their spread");
  app.add_flag("--list", flags->list, "list the workloads");
}

std::string UnknownWorkload(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Workload& workload : Workloads()) names.push_back(workload.name);
  return Unknown("workload", name, names) + " (--list lists them)";
}

// Empty when the flags go together.
std::string Contradiction(const Flags& flags) {
  for (const std::string& name : flags.workloads) {
    const Workload* const workload = FindWorkload(name);
    if (workload == nullptr) return UnknownWorkload(name);
    const std::string refusal = Refusal(*workload, flags.zipf_theta.has_value());
    if (!refusal.empty()) return refusal;
    if (flags.use_existing && workload->store == StoreUse::kFresh) {
      return fmt::format("{} starts with a fresh store, which --use_existing rules out", name);
    }
  }
  if (flags.use_existing && flags.directory.empty()) return "--use_existing needs --dir";
  if (flags.use_existing && !flags.replay.empty()) {
    return "--replay checks every read, so it starts with a fresh store: not with --use_existing";
  }
  if (flags.use_existing && flags.workloads.empty()) return "--use_existing needs --workloads";
  if (flags.replay.empty() && (flags.skip_bad_lines || flags.replay_limit != 0)) {
    return "--skip_bad_lines and --replay_limit need --replay";
  }
  return "";
}

}  // namespace

ParsedFlags ParseFlags(std::string_view program, const std::vector<std::string>& arguments) {
  ParsedFlags parsed;
  Flags& flags = parsed.flags;
  CLI::App app(fmt::format("Benchmarks of the composition {}, without flags a representative set.",
                           program));
  app.name(std::string(program));
  app.footer(fmt::format(fmt::runtime(kExamples), program));
  app.allow_extras();
  Define(app, &flags);

  std::vector<std::string> own;
  for (const std::string& argument : arguments) {
    const bool benchmarks = argument.starts_with("--benchmark_") || argument.starts_with("--v=");
    (benchmarks ? flags.benchmark_flags : own).push_back(argument);
  }
  std::reverse(own.begin(), own.end());  // CLI11 takes its arguments from the back.
  try {
    app.parse(own);
  } catch (const CLI::CallForHelp&) {
    parsed.exit_status = 0;
    parsed.output = app.help();
    return parsed;
  } catch (const CLI::ParseError& error) {
    return Wrong(std::move(parsed), error.what());
  }
  const auto extras = app.remaining();
  if (!extras.empty()) return Wrong(std::move(parsed), UnknownFlag(app, extras.front()));
  if (flags.list) {
    parsed.exit_status = 0;
    parsed.output = WorkloadList();
    return parsed;
  }
  const std::string contradiction = Contradiction(flags);
  if (!contradiction.empty()) return Wrong(std::move(parsed), contradiction);
  flags.directory = FromCaller(flags.directory);
  flags.replay = FromCaller(flags.replay);
  flags.json = FromCaller(flags.json);
  return parsed;
}

std::string WorkloadList() {
  std::string list;
  for (const Workload& workload : Workloads()) {
    list += fmt::format("{:<22} {}\n", workload.name, workload.description);
  }
  return list;
}

}  // namespace bench
