#include "bench/remote/load/trace_source.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "bench/operation.h"
#include "bench/random.h"
#include "bench/remote/load/key_text.h"

namespace bench::remote {
namespace {

constexpr std::string_view kNames[] = {"GET",    "SET",     "ADD",    "REPLACE", "CAS",
                                       "APPEND", "PREPEND", "DELETE", "INCRBY",  "DECRBY"};

// An index into kNames.
uint16_t IndexOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::kPut:
      return 1;
    case OperationKind::kAdd:
      return 2;
    case OperationKind::kReplace:
      return 3;
    case OperationKind::kCas:
      return 4;
    case OperationKind::kAppend:
      return 5;
    case OperationKind::kPrepend:
      return 6;
    case OperationKind::kDelete:
      return 7;
    case OperationKind::kAddDecimal:
      return 8;
    case OperationKind::kSubtractDecimal:
      return 9;
    default:
      return 0;
  }
}

bool Counts(OperationKind kind) {
  return kind == OperationKind::kAddDecimal || kind == OperationKind::kSubtractDecimal;
}
bool AppendsTo(OperationKind kind) {
  return kind == OperationKind::kAppend || kind == OperationKind::kPrepend;
}

std::vector<const Operation*> OperationsOfTraces() {
  std::vector<const Operation*> operations;
  for (const std::string_view name : kNames) operations.push_back(FindOperation(name));
  return operations;
}

// A counter of more digits would not fit 64 bits.
constexpr size_t kCounterDigits = 18;

}  // namespace

TracePlan::TracePlan(std::shared_ptr<const Trace> trace, std::string prefix, double compressibility,
                     int threads)
    : trace_(std::move(trace)),
      prefix_(std::move(prefix)),
      values_(std::make_shared<const ValuePool>(
          ValuePool::Compressible(compressibility, trace_->largest_value))),
      threads_(static_cast<uint64_t>(threads)),
      marks_(trace_->keys.size()) {
  for (const TraceRequest& request : trace_->requests) {
    if (Counts(request.kind)) marks_[request.key] |= kCounted;
    if (AppendsTo(request.kind)) marks_[request.key] |= kAppended;
  }
}

TraceSource::TraceSource(const TracePlan& plan, int thread)
    : plan_(plan),
      operations_(OperationsOfTraces()),
      thread_(static_cast<uint64_t>(thread)),
      position_(SplitMix64(thread_) % plan.values().bytes().size()) {
  // Nothing is allocated later.
  size_t largest_key = 0;
  for (const std::string& key : plan.trace().keys) largest_key = std::max(largest_key, key.size());
  key_.reserve(plan.prefix().size() + largest_key);
  value_.reserve(std::max<size_t>(plan.trace().largest_value, kCounterDigits));
}

std::string_view TraceSource::Value(const TraceRequest& request) {
  value_.clear();
  if (plan_.is_counted(request.key)) {
    value_.assign(std::clamp<size_t>(request.value_bytes, 1, kCounterDigits), '1');
    return value_;
  }
  const std::string_view bytes = plan_.values().bytes();
  if (position_ + request.value_bytes > bytes.size()) position_ = 0;
  value_.assign(bytes.substr(position_, request.value_bytes));
  position_ += request.value_bytes;
  std::array<char, kDigits> digits;
  WriteDigits(request.key, digits.data());
  const size_t size = std::min(value_.size(), kDigits);
  std::copy_n(digits.data() + kDigits - size, size, value_.data());
  return value_;
}

Request TraceSource::Make(const TraceRequest& request) {
  uint16_t index = IndexOf(request.kind);
  // A number to which something is appended is soon none.
  if (AppendsTo(request.kind) && plan_.is_counted(request.key)) {
    index = IndexOf(OperationKind::kReplace);
  }
  key_.assign(plan_.prefix());
  key_.append(plan_.trace().keys[request.key]);
  size_t count = 0;
  for (const Part& part : operations_[index]->parts) {
    switch (part.kind) {
      case PartKind::kLiteral:
        arguments_[count++] = part.text;
        break;
      case PartKind::kKey:
        arguments_[count++] = key_;
        break;
      case PartKind::kValue:
        arguments_[count++] = Value(request);
        break;
      case PartKind::kExpiry: {
        if (request.ttl_seconds == 0) break;
        arguments_[count++] = "EX";
        char* const end =
            std::to_chars(ttl_.data(), ttl_.data() + ttl_.size(), request.ttl_seconds).ptr;
        arguments_[count++] = {ttl_.data(), static_cast<size_t>(end - ttl_.data())};
        break;
      }
      default:
        break;
    }
  }
  const bool is_judged = !plan_.is_counted(request.key) && !plan_.is_appended(request.key);
  return {.operation = index,
          .key_argument = 1,
          .at_nanos = request.at_micros * 1000,
          .arguments = {arguments_.data(), count},
          .subject = is_judged ? request.key : kAnySubject};
}

Request TraceSource::Next() {
  const std::vector<TraceRequest>& requests = plan_.trace().requests;
  while (next_ < requests.size()) {
    const TraceRequest& request = requests[next_++];
    if (SplitMix64(request.key) % plan_.threads() == thread_) return Make(request);
  }
  return {};
}

Outcome TraceSource::Judge(uint16_t operation, uint64_t subject,
                           const clients::Reply& reply) const {
  const Outcome outcome = JudgeForm(*operations_[operation], reply);
  if (outcome != Outcome::kHit || subject == kAnySubject || operation != 0) return outcome;
  return IsValueOf(subject, reply.text()) ? Outcome::kHit : Outcome::kWrongReply;
}

}  // namespace bench::remote
