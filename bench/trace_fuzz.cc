// Fuzzes ParseTrace(): any bytes as a recorded stream of requests, of either format.
//
// What comes in: the choice's lowest bit says whether bad lines are left out, the bytes are the
// trace. What must hold: it is refused with kInvalidArgument and the path; or it is read, and then
//   - every request names a key, every key is named and there once, and no size is over its limit;
//   - a trace without bad lines reads the same whether they are left out or not, and one with bad
//     lines is refused when they are not left out;
//   - written anew, a line a request, it reads the same;
//   - a limit gives the first requests.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/operation.h"
#include "bench/trace.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/contract/engine.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

using bench::OperationKind;
using bench::ParseTrace;
using bench::Trace;
using bench::TraceFormat;
using bench::TraceRequest;

constexpr char kPath[] = "trace.csv";
// Of keys, when they are written anew: a line may ask for one of 64 KiB in a few bytes.
constexpr size_t kMostRewritten = size_t{1} << 20;

std::string_view Name(OperationKind kind) {
  switch (kind) {
    case OperationKind::kGet:
      return "get";
    case OperationKind::kPut:
      return "set";
    case OperationKind::kAdd:
      return "add";
    case OperationKind::kReplace:
      return "replace";
    case OperationKind::kCas:
      return "cas";
    case OperationKind::kAppend:
      return "append";
    case OperationKind::kPrepend:
      return "prepend";
    case OperationKind::kDelete:
      return "delete";
    case OperationKind::kAddDecimal:
      return "incr";
    case OperationKind::kSubtractDecimal:
      return "decr";
    default:
      StopFuzzing("a trace has an operation that no trace can ask for");
  }
}

uint64_t Second(const TraceRequest& request) { return request.at_micros / 1'000'000; }

std::string Line(const Trace& trace, const TraceRequest& request) {
  const std::string& key = trace.keys[request.key];
  if (trace.format == TraceFormat::kBlock) {
    Require(request.kind == OperationKind::kGet || request.kind == OperationKind::kPut,
            "a block is neither read nor written");
    return fmt::format("1,{},{},{},{}\n", Second(request),
                       request.kind == OperationKind::kGet ? "28" : "2a", request.value_bytes,
                       LoadBig64(key.data()));
  }
  return fmt::format("{},{},{},{},2,{},{}\n", Second(request), key, key.size(), request.value_bytes,
                     Name(request.kind), request.ttl_seconds);
}

void RequireSame(const Trace& a, const Trace& b, std::string_view what) {
  Require(a.format == b.format && a.keys == b.keys && a.largest_value == b.largest_value &&
              a.requests.size() == b.requests.size(),
          what);
  for (size_t i = 0; i < a.requests.size(); ++i) {
    const TraceRequest& x = a.requests[i];
    const TraceRequest& y = b.requests[i];
    Require(x.key == y.key && x.value_bytes == y.value_bytes && x.ttl_seconds == y.ttl_seconds &&
                x.kind == y.kind && x.at_micros == y.at_micros,
            what);
  }
}

void CheckFigures(const Trace& trace) {
  std::set<uint32_t> named;
  uint64_t last = 0;
  for (const TraceRequest& request : trace.requests) {
    Require(request.at_micros >= last, "time goes back");
    last = request.at_micros;
    Require(request.key < trace.keys.size(), "a request names no key");
    Require(request.value_bytes <= trace.largest_value, "the largest value is not the largest");
    named.insert(request.key);
  }
  Require(trace.largest_value <= kMaxValueBytes, "a value is over the limit");
  Require(named.size() == trace.keys.size(), "a key is named by no request");
  Require(
      std::set<std::string_view>(trace.keys.begin(), trace.keys.end()).size() == trace.keys.size(),
      "a key is there twice");
  for (const std::string& key : trace.keys) {
    Require(key.size() <= kMaxKeyBytes, "a key is over the limit");
    Require(trace.format != TraceFormat::kBlock || key.size() == 8,
            "a block number has no 8 bytes");
  }
}

absl::StatusOr<Trace> Parse(std::string_view content, bool skip_bad_lines, uint64_t limit = 0) {
  auto trace = ParseTrace(content, kPath, {.skip_bad_lines = skip_bad_lines, .limit = limit});
  if (trace.ok()) return trace;
  Require(absl::IsInvalidArgument(trace.status()), "a trace is refused with another error");
  Require(trace.status().ToString().find(kPath) != std::string::npos, "an error names no file");
  return trace;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  const std::string_view block = "version,time,op,size,lbn\n1,10,2a,512,7\n1,11,28,4096,7\r\n\n";
  const std::string_view twitter =
      "5,key,3,20,1,get,0\n6,a,b,c,8,0,12,set,600\n7,key,3,1,1,incr,0\n8,x,1,5,2,delete,0\n";
  for (const uint8_t choice : {0, 1}) {
    for (const std::string_view content : {block, twitter}) {
      seeds.emplace_back(1, static_cast<char>(choice)).append(content);
    }
  }
  seeds.emplace_back(1, '\1').append("1,10,2a,512,7\n1,10,99,512,7\nno line at all\n1,1,8,1,1");
  return seeds;
}

bool FuzzRun(std::string_view input) {
  const FuzzInput fuzzed(input);
  const bool skip = fuzzed.choice % 2 == 1;
  const auto trace = Parse(fuzzed.bytes, skip);
  const auto other = Parse(fuzzed.bytes, !skip);
  const auto& strict = skip ? other : trace;
  const auto& lenient = skip ? trace : other;
  if (strict.ok()) {
    RequireOk(lenient.status(), "a trace without bad lines is refused when those are left out:");
    Require(lenient->bad_lines == 0, "a trace without bad lines has some");
    RequireSame(*strict, *lenient, "a trace without bad lines reads otherwise");
  } else {
    Require(!lenient.ok() || lenient->bad_lines > 0, "a trace is refused that has no bad line");
  }
  if (!trace.ok()) return false;
  CheckFigures(*trace);
  const auto first = Parse(fuzzed.bytes, skip, 1);
  RequireOk(first.status(), "the first request alone is refused:");
  Require(first->requests.size() == 1 && first->keys.front() == trace->keys.front(),
          "a limit gives another request");

  std::string written;
  for (const TraceRequest& request : trace->requests) {
    written += Line(*trace, request);
    if (written.size() > kMostRewritten) return true;
  }
  const auto again = Parse(written, /*skip_bad_lines=*/false);
  RequireOk(again.status(), "a trace that was written anew is refused:");
  RequireSame(*trace, *again, "a trace that was written anew reads otherwise");
  return true;
}

}  // namespace kv::testing
