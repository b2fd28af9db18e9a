#include "bench/remote_watch/flags.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "CLI/CLI.hpp"
#include "bench/command_line.h"
#include "bench/text.h"
#include "fmt/format.h"

namespace bench::remote_watch {
namespace {

constexpr char kExamples[] = R"(
Examples:
  remote_watch --url=redis://:password@host:6379            until Ctrl-C, then the report
  remote_watch --url=redis+cluster://a,b,c --duration=10m --json=watch.json
  remote_watch                       a demonstration: a local server, killed and restarted once
  remote_watch --policy=none         the same where nothing is kept: acknowledged writes are lost
  remote_watch --persistence         kill -9 under load, for rdb, everysec and always
Exit status: 0 no acknowledged write was lost; 1 some were, or could not be read back; 2 the command
line is wrong; 3 it could not start.)";

// An option whose text `read` turns into a value; what it returns is what is wrong with it.
void Add(CLI::App& app, const std::string& name,
         const std::function<std::string(const std::string&)>& read,
         const std::string& description) {
  app.add_option_function<std::string>(
         name,
         [name, read](const std::string& text) {
           const std::string wrong = read(text);
           if (!wrong.empty()) throw CLI::ValidationError(name, wrong);
         },
         description)
      ->type_name("");
}

void AddSeconds(CLI::App& app, const std::string& name, double* seconds,
                const std::string& description) {
  Add(
      app, name,
      [seconds](const std::string& text) -> std::string {
        const auto read = ParseSeconds(text);
        if (!read || *read <= 0) return "not a time over 0 (500ms, 10s, 2m): " + text;
        *seconds = *read;
        return "";
      },
      description);
}

template <typename Number>
void AddCount(CLI::App& app, const std::string& name, uint64_t least, uint64_t most, Number* number,
              const std::string& description) {
  Add(
      app, name,
      [=](const std::string& text) -> std::string {
        const auto read = ParseCount(text);
        if (!read || *read < least || *read > most) {
          return fmt::format("not a number from {} to {}: {}", least, most, text);
        }
        *number = static_cast<Number>(*read);
        return "";
      },
      description);
}

std::string ReadPolicies(const std::string& text, std::vector<const Policy*>* policies) {
  policies->clear();
  for (const std::string& name : SplitList(text)) {
    policies->push_back(FindPolicy(name));
    if (policies->back() == nullptr) return "not one of none, rdb, everysec, always: " + name;
  }
  return policies->empty() ? "no policy is named" : "";
}

void Define(CLI::App& app, Flags* flags) {
  constexpr uint64_t kMost = 1'000'000'000;
  Add(
      app, "--url",
      [flags](const std::string& text) -> std::string {
        const auto told = FromEnvironment(text);
        if (!told.ok()) return std::string(told.status().message());
        auto url = clients::ParseUrl(*told);
        if (!url.ok()) return std::string(url.status().message());
        flags->url = *std::move(url);
        return "";
      },
      "the server or cluster: redis://, rediss://, unix://, redis+cluster://, "
      "rediss+cluster://, or env:NAME for the variable that has it; without it a local server");
  Add(
      app, "--server",
      [flags](const std::string& text) -> std::string {
        if (text != "redis" && text != "valkey") return "neither redis nor valkey: " + text;
        flags->server = text;
        return "";
      },
      "of a local server: redis or valkey; whichever is installed by default");
  app.add_option("--cacert", flags->tls.ca_file, "authorities of TLS, PEM; the system's by default")
      ->type_name("FILE");
  app.add_option("--cert", flags->tls.certificate_file, "certificate of this client, PEM")
      ->type_name("FILE");
  app.add_option("--key", flags->tls.key_file, "key of that certificate, PEM")->type_name("FILE");
  app.add_option("--sni", flags->tls.server_name, "the name that the server's certificate has")
      ->type_name("NAME");
  app.add_flag_callback(
      "--insecure", [flags] { flags->tls.verify = false; }, "trust any certificate");
  AddSeconds(app, "--interval", &flags->interval_seconds, "between probes, 100ms by default");
  AddSeconds(app, "--duration", &flags->duration_seconds,
             "of the watch; until Ctrl-C by default, 10s without --url");
  AddSeconds(app, "--connect_timeout", &flags->connect_timeout_seconds,
             "time-out of the step that connects, 1s by default");
  AddSeconds(app, "--timeout", &flags->timeout_seconds,
             "time-out of each read and write, 1s by default");
  AddCount(app, "--keys", 1, 100'000'000, &flags->keys,
           "keys: a watch remembers so many writes of each path, 65536 by default; --persistence "
           "writes to so many, 100k by default");
  app.add_flag("--keep_keys", flags->keep_keys, "leave the keys of the watch on the server");
  app.add_flag("--persistence", flags->persistence,
               "kill a local server under load and count what is lost, for each policy");
  Add(
      app, "--policy",
      [flags](const std::string& text) { return ReadPolicies(text, &flags->policies); },
      "how a local server keeps data: none, rdb, everysec (the default of a watch) or always; with "
      "--persistence a list, rdb,everysec,always by default");
  AddCount(app, "--rounds", 1, 1000, &flags->rounds, "--persistence: of each policy, 3 by default");
  AddCount(app, "--pipeline", 1, 10'000, &flags->pipeline,
           "--persistence: writes in flight, 16 by default");
  AddSeconds(app, "--write_seconds", &flags->write_seconds,
             "--persistence: at most; the kill comes in the second half, 4s by default");
  AddCount(app, "--value_size", 1, uint64_t{1} << 20, &flags->value_size,
           "--persistence: bytes of a value, 100 by default");
  AddCount(app, "--seed", 0, kMost, &flags->seed, "--persistence: of the moments, 42 by default");
  app.add_option("--json", flags->json, "write the results as JSON")->type_name("FILE");
}

// Empty when the flags go together.
std::string Contradiction(const Flags& flags) {
  if (flags.url.has_value() && flags.persistence) {
    return "--persistence kills its server, so it is a local one: not with --url";
  }
  if (flags.url.has_value() && !flags.server.empty()) return "--server is for a local server";
  if (flags.url.has_value() && !flags.policies.empty()) return "--policy is for a local server";
  if (!flags.persistence && flags.policies.size() > 1) {
    return "a watch has one server, and that one --policy";
  }
  return "";
}

}  // namespace

ParsedFlags ParseFlags(const std::vector<std::string>& arguments) {
  ParsedFlags parsed;
  Flags& flags = parsed.flags;
  CLI::App app(
      "Watches a Redis or Valkey server through a fail-over, restart or upgrade: gaps, lost "
      "acknowledged writes, time to recover.");
  app.name("remote_watch");
  app.footer(kExamples);
  app.allow_extras();
  Define(app, &flags);
  try {
    // CLI11 takes its arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    parsed.exit_status = 0;
    parsed.output = app.help();
    return parsed;
  } catch (const CLI::ParseError& error) {
    return Wrong(std::move(parsed), error.what());
  }
  const auto extras = app.remaining();
  if (!extras.empty()) return Wrong(std::move(parsed), UnknownFlag(app, extras.front()));
  const std::string contradiction = Contradiction(flags);
  if (!contradiction.empty()) return Wrong(std::move(parsed), contradiction);
  for (std::string* path :
       {&flags.json, &flags.tls.ca_file, &flags.tls.certificate_file, &flags.tls.key_file}) {
    *path = FromCaller(*path);
  }
  return parsed;
}

}  // namespace bench::remote_watch
