// YCSB core A to F on the tables of its Redis binding (operations.h), and the Twitter cache
// clusters.
#include <algorithm>
#include <deque>

#include "bench/remote/load/suites.h"
#include "fmt/format.h"

namespace bench::remote {
namespace {

// Enough records that a cluster of large values fits into a small server.
constexpr uint64_t kTwitterBytes = uint64_t{128} << 20;

Load Ycsb(std::string_view name, std::string_view description, KeyPattern pattern,
          std::vector<Step> steps) {
  return {.name = name,
          .description = description,
          .steps = std::move(steps),
          .keys = 50'000,
          .distribution = {.pattern = pattern}};
}

std::string_view OperationOf(TwitterOperation operation) {
  switch (operation) {
    case TwitterOperation::kNone:
    case TwitterOperation::kGet:
    case TwitterOperation::kGets:
      return "GET";
    case TwitterOperation::kSet:
      return "SET";
    case TwitterOperation::kAdd:
      return "ADD";
    case TwitterOperation::kReplace:
      return "REPLACE";
    case TwitterOperation::kCas:
      return "CAS";
    case TwitterOperation::kAppend:
      return "APPEND";
    case TwitterOperation::kPrepend:
      return "PREPEND";
    case TwitterOperation::kDelete:
      return "DELETE";
    case TwitterOperation::kIncr:
      return "INCRBY";
    case TwitterOperation::kDecr:
      return "DECRBY";
  }
  return "GET";
}

Load Twitter(const TwitterProfile& profile, std::deque<std::string>* strings) {
  Load load = {.name = strings->emplace_back(fmt::format("twitter_cluster{:02}", profile.cluster)),
               .steady_hits = false,
               .profile = &profile};
  const uint64_t bytes = std::max<uint64_t>(1, profile.key_bytes + profile.value_bytes);
  load.keys = std::clamp<uint64_t>(kTwitterBytes / bytes, 1000, 100'000);
  load.value_sizes = {{profile.value_bytes, profile.value_bytes}};
  load.distribution = {.pattern = KeyPattern::kZipf, .theta = profile.zipf_alpha};
  if (profile.miss_ratio != TwitterProfile::kUnknown) load.hit_ratio = 1 - profile.miss_ratio;
  for (const auto& [seconds, share] : profile.ttls) {
    if (share > 0) load.ttls.push_back({seconds, seconds, share});
  }
  double total = 0;
  for (const auto& [operation, share] : profile.operations) total += share;
  std::string mix;
  for (const auto& [operation, share] : profile.operations) {
    if (share <= 0) continue;
    const std::string_view name = OperationOf(operation);
    load.steps.push_back({.share = share, .operation = name, .reads = name == "GET"});
    mix += fmt::format("{:.0f} % {}, ", 100 * share / total, name);
  }
  load.description = strings->emplace_back(
      profile.key_bytes == 0 || load.steps.empty()
          ? std::string("Twitter cache cluster whose sizes and mix are not published; refused")
          : fmt::format("Twitter cache cluster: {}keys {} B, values {} B; mean sizes, no "
                        "production pace, counters apart from other keys",
                        mix, profile.key_bytes, profile.value_bytes));
  return load;
}

}  // namespace

std::vector<Load> YcsbLoads() {
  const Step read = {.share = 0.95, .operation = "READ", .reads = true};
  const Step insert = {
      .share = 0.05, .operation = "INSERT", .then = "INSERT_INDEX", .adds_record = true};
  return {
      Ycsb("ycsb_a", "YCSB A: 50 % reads of 10 fields, 50 % updates of one, zipfian; no scans",
           KeyPattern::kYcsbZipf,
           {{.share = 0.5, .operation = "READ", .reads = true},
            {.share = 0.5, .operation = "UPDATE"}}),
      Ycsb("ycsb_b", "YCSB B: 95 % reads of 10 fields, 5 % updates of one, zipfian; no scans",
           KeyPattern::kYcsbZipf, {read, {.share = 0.05, .operation = "UPDATE"}}),
      Ycsb("ycsb_c", "YCSB C: reads of 10 fields only, zipfian; no writes", KeyPattern::kYcsbZipf,
           {{.share = 1, .operation = "READ", .reads = true}}),
      Ycsb("ycsb_d",
           "YCSB D: 95 % reads of the latest records, 5 % inserts; not of the newest few "
           "hundred, which may be on their way",
           KeyPattern::kLatest, {read, insert}),
      Ycsb(
          "ycsb_e",
          "YCSB E: 95 % scans of 1-100 records, 5 % inserts, zipfian; the reads of a scan do "
          "not wait for its reply",
          KeyPattern::kYcsbZipf,
          {{.share = 0.95, .operation = "SCAN", .reads = true, .then = "READ", .longest_scan = 100},
           insert}),
      Ycsb("ycsb_f",
           "YCSB F: 50 % reads, 50 % a read and a write of the same record, zipfian; the write "
           "does not wait for the read",
           KeyPattern::kYcsbZipf,
           {{.share = 0.5, .operation = "READ", .reads = true},
            {.share = 0.5, .operation = "READ", .reads = true, .then = "UPDATE"}}),
  };
}

std::vector<Load> TwitterLoads() {
  // Immortal, as the views into it are.
  static auto* const strings = new std::deque<std::string>;
  std::vector<Load> loads;
  for (const TwitterProfile& profile : kTwitterProfiles) {
    loads.push_back(Twitter(profile, strings));
  }
  return loads;
}

}  // namespace bench::remote
