#include "bench/remote/flags.h"

#include <algorithm>
#include <functional>
#include <set>

#include "CLI/CLI.hpp"
#include "bench/command_line.h"
#include "bench/remote/flag_values.h"
#include "bench/remote/load/load.h"
#include "bench/remote/load/plan.h"
#include "bench/remote/suite.h"
#include "bench/text.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

constexpr uint64_t kMostConnections = 100'000;
constexpr uint64_t kMostThreads = 256;
constexpr uint64_t kMostPipeline = 10'000;
constexpr uint64_t kMost = 1'000'000'000'000;

constexpr std::string_view kExamples = R"(
Examples:
  remote                            a server of its own, a representative set, under a minute
  remote --server=valkey --server_setting=io-threads=2
  remote --url=redis://:password@host:6379/0 --load=getset --connections=1,50,200 --pipeline=1,16
  remote --url=rediss://host --cacert=ca.pem --load=structures --operations
  remote --url=env:REDIS_URL       what that variable has: no password on the command line
  remote --url=redis+cluster://host:7000,host:7001 --load=redis_benchmark --json=out.json
  remote --load=getset --rate=50k --duration=1m --hdr_log=out.hlog       open loop
  remote --load=getset --rate=1k..100k --duration=2m                      a ramp
  remote --load=getset --burst=50k:1,1k:9 --duration=1h                   bursts, sustained
  remote --load=ycsb_a --keys=1M --value_size=100:3,1000-2000:1 --key_distribution=zipf:0.8
  remote --replay=trace.csv --pace=recorded
Exit status: 0; 1 a run failed or may not be believed; 2 the command line is wrong.)";

// As AddParsed, where an absl::StatusOr says why not; a URL is not quoted, for it may have a
// password.
template <typename T, typename Parse>
void AddChecked(CLI::App& app, const std::string& name, Parse parse, T* target,
                const std::string& description) {
  app.add_option_function<std::string>(
         name,
         [name, parse, target](const std::string& text) {
           auto value = parse(text);
           if (!value.ok()) {
             throw CLI::ValidationError(name, std::string(value.status().message()));
           }
           *target = *std::move(value);
         },
         description)
      ->type_name("");
}

std::function<std::optional<std::vector<int>>(const std::string&)> NumbersUpTo(uint64_t most) {
  return [most](const std::string& text) { return ParseNumbers(text, 1, most); };
}

// What stands on the command line beside the values that go straight into Flags.
struct Texts {
  std::string pace;
  std::optional<Schedule> rate;
  std::optional<Schedule> burst;
  std::optional<double> speed;
  std::string key_file;
  bool list = false;
  bool insecure = false;
};

absl::StatusOr<clients::Url> UrlOf(const std::string& text) {
  KV_ASSIGN_OR_RETURN(const std::string url, FromEnvironment(text));
  return clients::ParseUrl(url);
}

void DefineTarget(CLI::App& app, Flags* flags, Texts* texts) {
  AddChecked(
      app, "--url", UrlOf, &flags->url,
      "redis://[[user]:password@]host[:port][/db], rediss://, unix:///path, "
      "redis+cluster://host,host, or env:NAME for the variable that has it, so that ps shows no "
      "password; without it a server of its own is started and stopped");
  app.add_option("--server", flags->server,
                 "which server of its own: redis, valkey, or a program's path")
      ->type_name("");
  app.add_option_function<std::vector<std::string>>(
         "--server_setting",
         [flags](const std::vector<std::string>& settings) {
           for (const std::string& text : settings) {
             const auto setting = ParseSetting(text);
             if (!setting) throw CLI::ValidationError("--server_setting", "not valid: " + text);
             flags->server_settings.push_back(*setting);
           }
         },
         "NAME=VALUE of the configuration of a server of its own; may be repeated")
      ->type_name("");
  app.add_option("--cacert", flags->tls.ca_file, "authorities to trust (PEM), for rediss://")
      ->type_name("FILE");
  app.add_option("--cert", flags->tls.certificate_file, "this client's certificate (PEM)")
      ->type_name("FILE");
  app.add_option("--key", flags->tls.key_file, "the key of --cert (PEM)")->type_name("FILE");
  app.add_option("--server_name", flags->tls.server_name,
                 "what the server's certificate has to name; the URL's host by default")
      ->type_name("");
  app.add_flag("--insecure", texts->insecure, "accept any certificate");
  AddParsed(app, "--connect_timeout", ParseDuration, &flags->connect_timeout, "2s by default");
  AddParsed(app, "--command_timeout", ParseDuration, &flags->command_timeout,
            "a connection that answers nothing for this long is lost; 5s by default");
  AddParsed(app, "--reconnect_timeout", ParseDuration, &flags->reconnect_timeout,
            "a lost connection is tried again for this long, then the run ends; 10s by default");
  app.add_option("--label", flags->label,
                 "begins the names of rows; the server's product by default")
      ->type_name("");
}

void DefineLoad(CLI::App& app, Flags* flags, Texts* texts) {
  LoadOptions& load = flags->load;
  AddParsed(
      app, "--load", [](const std::string& text) { return std::make_optional(SplitList(text)); },
      &flags->loads, "comma-separated names, run in this order (--list)");
  AddParsed(app, "--keys", CountWithin(1, kMost), &load.keys, "keys of each kind; by load");
  AddParsed(app, "--elements", CountWithin(1, 1'000'000'000), &load.elements,
            "of each list, hash, set and sorted set; by load");
  app.add_option("--prefix", load.prefix, "of every key that is written; ashlar: by default")
      ->type_name("");
  AddChecked(
      app, "--key_distribution", ParseKeyDistribution, &load.distribution,
      "uniform, zipf[:THETA], latest[:THETA], sequential, hot:SHARE_OF_KEYS:SHARE_OF_REQUESTS");
  AddChecked(app, "--value_size", ParseRanges, &load.value_sizes,
             "bytes: 100, or 100-1000, or with weights 100:3,1000-2000:1");
  AddParsed(app, "--compressibility", ParseShare, &load.compressibility,
            "of values: 0 not at all, 0.5 to a half (the default), 0.75 to a quarter");
  AddChecked(app, "--ttl", ParseRanges, &load.ttls, "seconds, in the form of --value_size");
  AddParsed(app, "--read_ratio", ParseShare, &load.read_ratio, "share of the requests that read");
  AddParsed(app, "--hit_ratio", ParseShare, &load.hit_ratio,
            "share of the reads that go to keys that are there");
  app.add_option("--key_file", texts->key_file, "keys, one a line, or KEY TAB VALUE")
      ->type_name("FILE");
  AddParsed(app, "--seed", CountWithin(0, ~uint64_t{0}), &load.seed,
            "of keys, values and operations; 42 by default");
  app.add_option("--replay", flags->replay, "replay a Twitter or block trace, or MONITOR's output")
      ->type_name("FILE");
  AddParsed(app, "--replay_limit", CountWithin(1, kMost), &flags->replay_limit,
            "replay only so many requests");
  app.add_flag("--skip_bad_lines", flags->skip_bad_lines, "count bad lines of the trace and go on");
}

void DefineDriving(CLI::App& app, Flags* flags, Texts* texts) {
  AddParsed(app, "--connections", NumbersUpTo(kMostConnections), &flags->connections,
            "of all threads together; several, with commas, are a row each; 50 by default");
  AddParsed(
      app, "--threads",
      [](const std::string& text) -> std::optional<int> {
        const auto count = CountWithin(1, kMostThreads)(text);
        return count ? std::make_optional(static_cast<int>(*count)) : std::nullopt;
      },
      &flags->threads, "that drive; 1 by default");
  AddParsed(app, "--pipeline", NumbersUpTo(kMostPipeline), &flags->pipelines,
            "requests in flight on a connection; several are a row each; 1 by default");
  AddParsed(app, "--rate", ParseRate, &texts->rate,
            "open loop: requests a second (10k), or from..to over --duration (1k..50k)");
  AddParsed(app, "--burst", ParseBurst, &texts->burst,
            "open loop: RATE:SECONDS,REST_RATE:SECONDS, again and again (50k:1,1k:9)");
  app.add_option("--pace", texts->pace, "of a --replay: recorded, or flat_out (the default)")
      ->type_name("");
  AddParsed(app, "--speed", ParseDuration, &texts->speed,
            "how many times as fast as recorded; 1 by default");
  AddParsed(app, "--duration", ParseDuration, &flags->seconds,
            "of each row: 10s, 500ms, 2m, 1h; 3s by default");
  AddParsed(app, "--requests", CountWithin(1, kMost), &flags->requests,
            "of each row, instead of or beside --duration");
  AddParsed(app, "--warmup", ParseSeconds, &flags->warmup,
            "sent before each row and not counted; 500ms by default, 0 with --requests");
  AddParsed(
      app, "--repetitions",
      [](const std::string& text) -> std::optional<int> {
        const auto count = CountWithin(1, 1000)(text);
        return count ? std::make_optional(static_cast<int>(*count)) : std::nullopt;
      },
      &flags->repetitions, "repeat each row; the table then shows medians and their spread");
  AddParsed(app, "--interval", ParseDuration, &flags->interval,
            "of the series in the JSON; 1s by default");
}

void DefineReport(CLI::App& app, Flags* flags, Texts* texts) {
  AddParsed(app, "--preload", ParseYes, &flags->preload,
            "no: run on the data that are there (see --keep); yes by default");
  app.add_flag("--keep", flags->keep, "leave the data in the server");
  app.add_flag("--flush", flags->flush,
               "FLUSHALL between loads instead of removing keys one by one; only for a server of "
               "its own");
  app.add_flag("--allow_errors", flags->allow_errors, "a row with errors may be believed");
  app.add_flag("--operations", flags->operations, "a line for each operation of each row");
  app.add_option("--json", flags->json, "write the results in Google Benchmark's form")
      ->type_name("FILE");
  app.add_option("--hdr_log", flags->hdr_log, "write the histograms as an HdrHistogram log")
      ->type_name("FILE");
  app.add_flag("--list", texts->list, "list the loads");
}

std::string UnknownLoad(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Load& load : Loads()) names.push_back(load.name);
  return Unknown("load", name, names) + " (--list lists them)";
}

// Sets what several flags say together. Empty when they do.
std::string Combine(const Texts& texts, Flags* flags) {
  if (texts.rate && texts.burst) return "--rate and --burst are two schedules: give one";
  if (texts.rate) flags->schedule = *texts.rate;
  if (texts.burst) flags->schedule = *texts.burst;
  const bool recorded = texts.pace == "recorded";
  if (!texts.pace.empty() && !recorded && texts.pace != "flat_out") {
    return "--pace: not valid: " + texts.pace + " (recorded or flat_out)";
  }
  if (!texts.pace.empty() && flags->replay.empty()) return "--pace is of a --replay";
  if (recorded && flags->schedule.pace != Pace::kClosed) {
    return "--pace=recorded is a schedule: give no --rate and no --burst";
  }
  if (texts.speed && !recorded) return "--speed needs --pace=recorded";
  if (recorded) flags->schedule = {.pace = Pace::kRecorded, .speed = texts.speed.value_or(1)};
  if (flags->schedule.pace == Pace::kRamp) {
    if (!flags->seconds) return "a ramp rises over --duration: give one";
    flags->schedule.seconds = *flags->seconds;
  }
  flags->tls.verify = !texts.insecure;
  if (texts.key_file.empty()) return "";
  auto keys = KeyFile::Read(FromCaller(texts.key_file));
  if (!keys.ok()) return "--key_file: " + std::string(keys.status().message());
  flags->load.key_file = *std::move(keys);
  return "";
}

std::string TargetContradiction(const Flags& flags, const Texts& texts) {
  const bool own = !flags.url.has_value();
  if (!own && !flags.server.empty()) return "--url names a server, --server starts one: give one";
  if (!own && !flags.server_settings.empty()) {
    return "--server_setting is for a server of its own, not for the one of --url";
  }
  if (!own && flags.flush) {
    return "--flush empties a server: it is refused for the one of --url, which may be somebody's";
  }
  const clients::TlsOptions& tls = flags.tls;
  const bool tls_flags = !tls.ca_file.empty() || !tls.certificate_file.empty() ||
                         !tls.key_file.empty() || !tls.server_name.empty() || texts.insecure;
  if (tls_flags && (own || !flags.url->tls)) return "flags of TLS need a --url of rediss://";
  if (tls.certificate_file.empty() != tls.key_file.empty()) return "--cert and --key go together";
  return "";
}

std::string LoadContradiction(const Flags& flags) {
  for (const std::string& name : flags.loads) {
    if (FindLoad(name) == nullptr) return UnknownLoad(name);
  }
  if (flags.replay.empty() && (flags.skip_bad_lines || flags.replay_limit != 0)) {
    return "--skip_bad_lines and --replay_limit need --replay";
  }
  const auto names_replay = std::find(flags.loads.begin(), flags.loads.end(), "replay");
  if (flags.replay.empty() && names_replay != flags.loads.end()) {
    return "the load replay needs --replay=FILE";
  }
  for (const int connections : flags.connections) {
    if (connections < flags.threads) {
      return fmt::format("{} threads have {} connections: give each at least one", flags.threads,
                         connections);
    }
  }
  // A plan says whether the load takes its options.
  std::set<std::string> planned;
  for (const Row& row : RowsFor(flags)) {
    if (row.load == "replay" || !planned.insert(row.load).second) continue;
    const auto plan = PlanLoad(*FindLoad(row.load), flags.load);
    if (!plan.ok()) return std::string(plan.status().message());
  }
  return "";
}

}  // namespace

ParsedFlags ParseFlags(const std::vector<std::string>& arguments) {
  ParsedFlags parsed;
  Flags& flags = parsed.flags;
  Texts texts;
  CLI::App app("Benchmarks of Redis and Valkey servers; without flags, of one of its own.");
  app.name("remote");
  app.footer(std::string(kExamples));
  app.allow_extras();
  DefineTarget(app, &flags, &texts);
  DefineLoad(app, &flags, &texts);
  DefineDriving(app, &flags, &texts);
  DefineReport(app, &flags, &texts);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);  // CLI11 takes its arguments from the back.
  } catch (const CLI::CallForHelp&) {
    parsed.exit_status = 0;
    parsed.output = app.help();
    return parsed;
  } catch (const CLI::ParseError& error) {
    return Wrong(std::move(parsed), error.what());
  }
  const auto extras = app.remaining();
  if (!extras.empty()) return Wrong(std::move(parsed), UnknownFlag(app, extras.front()));
  for (std::string* path : {&flags.replay, &flags.json, &flags.hdr_log, &flags.tls.ca_file,
                            &flags.tls.certificate_file, &flags.tls.key_file}) {
    *path = FromCaller(*path);
  }
  if (flags.server.find('/') != std::string::npos) flags.server = FromCaller(flags.server);
  if (!flags.replay.empty() && flags.loads.empty()) flags.loads = {"replay"};
  flags.load.threads = flags.threads;
  flags.load.cluster = flags.url.has_value() && flags.url->cluster;
  std::string contradiction = Combine(texts, &flags);
  if (contradiction.empty()) contradiction = TargetContradiction(flags, texts);
  if (contradiction.empty()) contradiction = LoadContradiction(flags);
  if (!contradiction.empty()) return Wrong(std::move(parsed), contradiction);
  // Last, so that a script can have its flags judged without a run.
  if (texts.list) {
    parsed.exit_status = 0;
    parsed.output = LoadList();
  }
  return parsed;
}

std::string LoadList() {
  std::string list;
  for (const Load& load : Loads()) {
    list += fmt::format("{:<24} {}\n", load.name, load.description);
  }
  return list;
}

}  // namespace bench::remote
