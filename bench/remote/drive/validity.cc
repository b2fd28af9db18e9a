#include "bench/remote/drive/validity.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "fmt/format.h"

namespace bench::remote {
namespace {

constexpr double kMostCpu = 0.95;
constexpr double kMostLate = 0.001;
constexpr double kMostMissing = 0.01;  // of the hit ratio
// Of the standard deviation of a hit ratio: chance exceeds it once in 700 runs.
constexpr double kDeviations = 3;

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// "OOM 12, ERR 3", the most frequent first and few of them.
std::string List(const std::map<std::string, uint64_t>& counts) {
  constexpr size_t kMost = 3;
  std::vector<std::pair<uint64_t, std::string>> rows;
  for (const auto& [name, count] : counts) rows.emplace_back(count, name);
  std::sort(rows.rbegin(), rows.rend());
  std::string text;
  for (size_t i = 0; i < std::min(rows.size(), kMost); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", rows[i].second, rows[i].first);
  }
  if (rows.size() > kMost) text += ", ...";
  return text;
}

std::string InBrackets(const std::string& text) {
  return text.empty() ? text : fmt::format(" ({})", text);
}

void CheckCpu(const DrivePlan& plan, const DriveResult& result, const Expectation& expectation,
              std::vector<std::string>* reasons) {
  if (result.busiest_thread_share <= kMostCpu) return;
  const auto& server = expectation.server_cpu_share;
  const bool is_closed = plan.schedule.pace == Pace::kClosed;
  if (is_closed && server.has_value() && *server > kMostCpu) return;
  std::string beside;
  if (is_closed && server.has_value()) {
    beside = fmt::format(", and the server's busiest thread {:.1f} %", 100 * *server);
  } else if (is_closed) {
    beside = ", and of the server it is not known";
  }
  reasons->push_back(fmt::format(
      "the generator was CPU-bound: its busiest thread used {:.1f} % of a core, limit {:.0f} %{}",
      100 * result.busiest_thread_share, 100 * kMostCpu, beside));
}

void CheckSlips(const DrivePlan& plan, const DriveResult& result, uint64_t sent,
                std::vector<std::string>* reasons) {
  if (plan.schedule.pace == Pace::kClosed) return;
  const double late = Ratio(result.sent_late, result.planned);
  if (late > kMostLate) {
    reasons->push_back(fmt::format(
        "the schedule slipped: {} of {} requests ({:.2f} %) were sent over 1 ms late although a "
        "connection had room, limit {:.1f} %; the worst by {:.1f} ms",
        result.sent_late, result.planned, 100 * late, 100 * kMostLate,
        static_cast<double>(result.worst_slip_nanos) / 1e6));
  }
  if (sent < result.planned) {
    reasons->push_back(
        fmt::format("the schedule slipped: {} of {} planned requests were never sent, limit 0: "
                    "the server did not keep up with the rate",
                    result.planned - sent, result.planned));
  }
}

void CheckHits(const OperationResult& total, double implied, std::vector<std::string>* reasons) {
  const uint64_t reads = total.hits + total.misses;
  if (reads == 0) {
    if (total.answered == 0) return;
    reasons->push_back(
        fmt::format("no read was answered by a hit or a miss, where the load implies {:.1f} % hits",
                    100 * implied));
    return;
  }
  const double deviation = std::sqrt(implied * (1 - implied) / static_cast<double>(reads));
  const double limit = implied - std::max(kMostMissing, kDeviations * deviation);
  const double hits = Ratio(total.hits, reads);
  if (hits >= limit) return;
  reasons->push_back(
      fmt::format("{:.1f} % of {} reads hit, limit {:.1f} %: the load implies {:.1f} %", 100 * hits,
                  reads, 100 * limit, 100 * implied));
}

void CheckErrors(const DriveResult& result, const OperationResult& total,
                 std::vector<std::string>* reasons) {
  if (total.errors > 0) {
    reasons->push_back(fmt::format("{} error replies, limit 0{}", total.errors,
                                   InBrackets(List(result.error_words))));
  }
  if (total.wrong_replies > 0) {
    std::map<std::string, uint64_t> by_operation;
    for (const OperationResult& operation : result.operations) {
      if (operation.wrong_replies > 0) by_operation[operation.name] = operation.wrong_replies;
    }
    reasons->push_back(fmt::format("{} wrong replies, limit 0{}", total.wrong_replies,
                                   InBrackets(List(by_operation))));
  }
  if (total.lost > 0) {
    reasons->push_back(fmt::format("{} requests were never answered, limit 0{}", total.lost,
                                   InBrackets(List(result.lost_reasons))));
  }
}

}  // namespace

std::vector<std::string> WhyInvalid(const DrivePlan& plan, const DriveResult& result,
                                    const Expectation& expectation) {
  std::vector<std::string> reasons;
  const OperationResult total = TotalOf(result);
  if (total.answered == 0) {
    reasons.push_back(fmt::format("nothing was answered: {} replies, limit 1", total.answered));
  }
  CheckCpu(plan, result, expectation, &reasons);
  CheckSlips(plan, result, total.answered + total.lost, &reasons);
  if (expectation.hit_ratio.has_value()) CheckHits(total, *expectation.hit_ratio, &reasons);
  if (!expectation.errors_allowed) CheckErrors(result, total, &reasons);
  for (const OperationResult& operation : result.operations) {
    if (operation.latency->Overflow() == 0) continue;
    reasons.push_back(fmt::format("{} latencies of {} are beyond the histogram, limit {:.0f} s",
                                  operation.latency->Overflow(), operation.name,
                                  static_cast<double>(kv::Histogram::kMaxNanos) / 1e9));
  }
  return reasons;
}

}  // namespace bench::remote
