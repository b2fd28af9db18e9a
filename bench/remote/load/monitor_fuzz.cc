// Fuzzes MonitorRecord::Parse(): any bytes as the output of MONITOR.
//
// What comes in: the choice's lowest bit says whether bad lines are left out, the bytes are the
// output. What must hold: it is refused with kInvalidArgument and the path; or it is read, and then
//   - every request has a command, and times do not fall;
//   - output without bad lines reads the same whether they are left out or not, and output with bad
//     lines is refused when they are not left out;
//   - written anew as a server writes it, it reads the same;
//   - a limit gives the first request.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/remote/load/monitor.h"
#include "fmt/format.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

using bench::remote::IsMonitorOutput;
using bench::remote::MonitorRecord;

constexpr char kPath[] = "monitor.txt";

// As Redis' sdscatrepr writes it.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    switch (c) {
      case '\\':
      case '"':
        quoted += fmt::format("\\{}", c);
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\a':
        quoted += "\\a";
        break;
      case '\b':
        quoted += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          quoted.push_back(c);
        } else {
          quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  return quoted + "\"";
}

std::string Line(const MonitorRecord& record, size_t request) {
  const uint64_t micros = record.at_micros(request);
  std::string line =
      fmt::format("{}.{:06} [0 127.0.0.1:1]", micros / 1'000'000, micros % 1'000'000);
  for (size_t i = 0; i < record.arguments(request); ++i) {
    line += " " + Quoted(record.argument(request, i));
  }
  return line + "\n";
}

void RequireSame(const MonitorRecord& a, const MonitorRecord& b, std::string_view what) {
  Require(a.size() == b.size() && a.most_arguments() == b.most_arguments(), what);
  for (size_t request = 0; request < a.size(); ++request) {
    Require(a.at_micros(request) == b.at_micros(request) &&
                a.arguments(request) == b.arguments(request),
            what);
    for (size_t i = 0; i < a.arguments(request); ++i) {
      Require(a.argument(request, i) == b.argument(request, i), what);
    }
  }
}

void CheckFigures(const MonitorRecord& record) {
  Require(record.size() > 0 && record.at_micros(0) == 0, "no first request at the time 0");
  for (size_t request = 0; request < record.size(); ++request) {
    Require(record.arguments(request) > 0 && record.arguments(request) <= record.most_arguments(),
            "a number of arguments is wrong");
    Require(!record.argument(request, 0).empty(), "a command is empty");
    Require(request == 0 || record.at_micros(request) >= record.at_micros(request - 1),
            "time goes back");
  }
}

absl::StatusOr<MonitorRecord> Parse(std::string_view content, bool skip_bad_lines,
                                    uint64_t limit = 0) {
  auto record =
      MonitorRecord::Parse(content, kPath, {.skip_bad_lines = skip_bad_lines, .limit = limit});
  if (record.ok()) return record;
  Require(absl::IsInvalidArgument(record.status()), "output is refused with another error");
  Require(record.status().ToString().find(kPath) != std::string::npos, "an error names no file");
  return record;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  const std::string_view plain =
      "OK\n1339518083.107412 [0 127.0.0.1:60866] \"set\" \"k\" \"a\\\"b\\xff\\\\\"\n"
      "1339518084.000001 [1 [::1]:5] \"ping\"\r\n\n1339518084.5 [0 lua] \"x\"\n";
  const std::string_view short_one = "1.000000 [0 lua] \"a\"\n1.000000 [0 u] \"b\" \"\" \"\\n\"";
  seeds.emplace_back(1, '\1').append(plain);
  seeds.emplace_back(1, '\0').append(short_one);
  seeds.emplace_back(1, '\1').append(short_one);
  return seeds;
}

bool FuzzRun(std::string_view input) {
  const FuzzInput fuzzed(input);
  const bool skip = fuzzed.choice % 2 == 1;
  const auto record = Parse(fuzzed.bytes, skip);
  const auto other = Parse(fuzzed.bytes, !skip);
  const auto& strict = skip ? other : record;
  const auto& lenient = skip ? record : other;
  if (strict.ok()) {
    RequireOk(lenient.status(), "output without bad lines is refused when those are left out:");
    Require(lenient->bad_lines() == 0, "output without bad lines has some");
    RequireSame(*strict, *lenient, "output without bad lines reads otherwise");
  } else {
    Require(!lenient.ok() || lenient->bad_lines() > 0, "output is refused that has no bad line");
  }
  if (!record.ok()) return false;
  CheckFigures(*record);
  const auto first = Parse(fuzzed.bytes, skip, 1);
  RequireOk(first.status(), "the first request alone is refused:");
  Require(first->size() == 1 && first->argument(0, 0) == record->argument(0, 0),
          "a limit gives another request");

  std::string written;
  for (size_t request = 0; request < record->size(); ++request) written += Line(*record, request);
  Require(IsMonitorOutput(written), "output that was written anew is not known again");
  const auto again = Parse(written, /*skip_bad_lines=*/false);
  RequireOk(again.status(), "output that was written anew is refused:");
  RequireSame(*record, *again, "output that was written anew reads otherwise");
  return true;
}

}  // namespace kv::testing
