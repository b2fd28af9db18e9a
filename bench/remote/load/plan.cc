#include "bench/remote/load/plan.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

constexpr uint64_t kMostElements = 1'000'000'000;
constexpr uint32_t kLargestValue = 512 << 20;  // Redis' proto-max-bulk-len
constexpr uint32_t kMostSeconds = 1'000'000'000;
constexpr uint64_t kMostKeyBytes = 1 << 20;

bool IsShare(double number) { return number >= 0 && number <= 1; }

const Operation& The(std::string_view name) { return *FindOperation(name); }

bool UsesSpace(const Load& load, Space space) {
  const auto operations = OperationsOf(load);
  return std::any_of(operations.begin(), operations.end(),
                     [&](const Operation* operation) { return operation->space == space; });
}

bool HasPart(const Load& load, PartKind kind) {
  const auto operations = OperationsOf(load);
  return std::any_of(operations.begin(), operations.end(),
                     [&](const Operation* operation) { return Has(*operation, kind); });
}

absl::Status CheckRanges(const std::vector<RangeShare>& ranges, uint32_t most,
                         std::string_view what) {
  if (ranges.empty()) return absl::OkStatus();
  double total = 0;
  for (const RangeShare& range : ranges) {
    if (range.lowest > range.highest || range.highest > most) {
      return kv::Invalid(fmt::format("{} of {} to {} is not a range up to {}", what, range.lowest,
                                     range.highest, most));
    }
    if (!(range.weight >= 0) || !std::isfinite(range.weight)) {
      return kv::Invalid(fmt::format("{}: a weight of {}", what, range.weight));
    }
    total += range.weight;
  }
  if (!(total > 0)) return kv::Invalid(fmt::format("{}: all weights are 0", what));
  return absl::OkStatus();
}

// Whether the load can be generated at all.
absl::Status CheckLoad(const Load& load, const LoadOptions& options) {
  if (!load.rows.empty()) {
    return kv::Invalid(fmt::format("{} stands for {} loads, of which each is planned by itself",
                                   load.name, load.rows.size()));
  }
  if (load.replays) {
    return kv::Invalid(fmt::format("{} sends what a record has: name its file", load.name));
  }
  if (load.profile == nullptr) return absl::OkStatus();
  if (load.profile->key_bytes == 0 || load.steps.empty()) {
    return kv::Invalid(fmt::format(
        "{}: its key size, value size and operation mix are not published (N/A in the source), so "
        "it cannot be generated",
        load.name));
  }
  if (load.profile->zipf_alpha == TwitterProfile::kUnknown && !options.distribution) {
    return kv::Invalid(fmt::format(
        "{}: its Zipf exponent is not published (NA in the source); give a key distribution",
        load.name));
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const LoadOptions& options) {
  if (options.keys && (*options.keys == 0 || *options.keys > kMissingKeys)) {
    return kv::Invalid(fmt::format("{} keys are not from 1 to {}", *options.keys, kMissingKeys));
  }
  if (options.elements && (*options.elements == 0 || *options.elements > kMostElements)) {
    return kv::Invalid(
        fmt::format("{} elements are not from 1 to {}", *options.elements, kMostElements));
  }
  if (options.threads < 1) return kv::Invalid(fmt::format("{} threads", options.threads));
  const std::pair<std::string_view, double> shares[] = {
      {"compressibility", options.compressibility},
      {"read ratio", options.read_ratio.value_or(0)},
      {"hit ratio", options.hit_ratio.value_or(0)},
  };
  for (const auto& [what, share] : shares) {
    if (!IsShare(share)) {
      return kv::Invalid(fmt::format("a {} of {} is not from 0 to 1", what, share));
    }
  }
  if (options.distribution) {
    const KeyDistribution& keys = *options.distribution;
    if (!(keys.theta >= 0 && keys.theta <= 10)) {
      return kv::Invalid(fmt::format("theta of {} is not from 0 to 10", keys.theta));
    }
    if (!IsShare(keys.hot_keys) || !IsShare(keys.hot_requests)) {
      return kv::Invalid("the shares of a hot set are not from 0 to 1");
    }
  }
  if (options.prefix.size() > kMostKeyBytes) return kv::Invalid("a prefix of over 1 MiB");
  KV_RETURN_IF_ERROR(CheckRanges(options.value_sizes, kLargestValue, "a value size"));
  return CheckRanges(options.ttls, kMostSeconds, "a TTL");
}

// Options that the load would ignore in silence.
absl::Status CheckUse(const Load& load, const LoadOptions& options) {
  if (options.read_ratio && load.read_ratio < 0) {
    return kv::Invalid(
        fmt::format("{} has a mix of its own, which no read ratio changes", load.name));
  }
  if (!options.ttls.empty() && !HasPart(load, PartKind::kExpiry)) {
    return kv::Invalid(fmt::format("{} writes nothing that could expire", load.name));
  }
  if (options.hit_ratio.value_or(1) < 1 && UsesSpace(load, Space::kRecord)) {
    return kv::Invalid(
        fmt::format("{} reads records that are there, by its definition", load.name));
  }
  if (options.cluster && options.prefix.find('{') != std::string::npos) {
    return kv::Invalid("a prefix with a { is a hash tag, which puts all keys on one node");
  }
  if (options.key_file == nullptr) return absl::OkStatus();
  for (const Operation* const operation : OperationsOf(load)) {
    if (operation->space != Space::kString) {
      return kv::Invalid(fmt::format("{} ({}) takes no keys from a file: those are for strings",
                                     load.name, operation->name));
    }
  }
  if (options.keys) return kv::Invalid("the number of keys is that of the key file's lines");
  return absl::OkStatus();
}

// Bytes from which ten values of one request can be cut without touching each other.
size_t PoolBytes(const LoadPlan& plan) {
  uint32_t largest = 0;
  for (const RangeShare& range : plan.value_sizes) largest = std::max(largest, range.highest);
  bool has_many = false;
  for (const Space space : {Space::kGroup, Space::kList, Space::kHash, Space::kRecord}) {
    has_many |= UsesSpace(*plan.load, space);
  }
  return size_t{largest} * (has_many ? kKeysOfGroup + 1 : 1);
}

bool ChecksValues(const LoadPlan& plan) {
  const auto operations = OperationsOf(*plan.load);
  if (std::none_of(operations.begin(), operations.end(),
                   [](const Operation* operation) { return Appends(*operation); })) {
    return true;
  }
  if (plan.key_file != nullptr && plan.key_file->has_values()) return false;
  return std::all_of(plan.value_sizes.begin(), plan.value_sizes.end(),
                     [](const RangeShare& range) { return range.lowest >= kVerifiedBytes; });
}

// How many requests `then` becomes, on average.
double Followers(const Step& step) {
  if (step.then.empty()) return 0;
  return step.longest_scan == 0 ? 1 : (1.0 + step.longest_scan) / 2;
}

}  // namespace

std::vector<const Operation*> OperationsOf(const Load& load) {
  std::vector<const Operation*> operations;
  for (const Step& step : load.steps) {
    for (const std::string_view name : {step.operation, step.undo, step.then}) {
      if (name.empty()) continue;
      const Operation* const operation = &The(name);
      if (std::find(operations.begin(), operations.end(), operation) == operations.end()) {
        operations.push_back(operation);
      }
    }
  }
  return operations;
}

absl::StatusOr<LoadPlan> PlanLoad(const Load& load, const LoadOptions& options) {
  KV_RETURN_IF_ERROR(CheckLoad(load, options));
  KV_RETURN_IF_ERROR(CheckNumbers(options));
  KV_RETURN_IF_ERROR(CheckUse(load, options));
  LoadPlan plan;
  plan.load = &load;
  plan.prefix = options.prefix;
  plan.keys =
      options.key_file != nullptr ? options.key_file->size() : options.keys.value_or(load.keys);
  if (UsesSpace(load, Space::kGroup)) {
    plan.keys = (plan.keys + kKeysOfGroup - 1) / kKeysOfGroup * kKeysOfGroup;
  }
  plan.elements = options.elements.value_or(load.elements);
  plan.distribution = options.distribution.value_or(load.distribution);
  plan.value_sizes = options.value_sizes.empty() ? load.value_sizes : options.value_sizes;
  plan.ttls = options.ttls.empty() ? load.ttls : options.ttls;
  plan.read_ratio = options.read_ratio.value_or(load.read_ratio);
  plan.hit_ratio = options.hit_ratio.value_or(load.hit_ratio);
  plan.cluster = options.cluster;
  plan.key_file = options.key_file;
  plan.seed = options.seed;
  plan.threads = options.threads;
  if (load.profile != nullptr) plan.key_bytes = load.profile->key_bytes;
  plan.checks_values = ChecksValues(plan);
  plan.values = std::make_shared<const ValuePool>(
      ValuePool::Compressible(options.compressibility, PoolBytes(plan)));
  plan.next_record = std::make_shared<std::atomic<uint64_t>>(plan.keys);
  return plan;
}

std::vector<double> StepShares(const LoadPlan& plan) {
  double reads = 0;
  double writes = 0;
  for (const Step& step : plan.load->steps) (step.reads ? reads : writes) += step.share;
  std::vector<double> shares;
  for (const Step& step : plan.load->steps) {
    if (plan.read_ratio < 0) {
      shares.push_back(step.share / (reads + writes));
    } else if (step.reads) {
      shares.push_back(step.share / reads * plan.read_ratio);
    } else {
      shares.push_back(step.share / writes * (1 - plan.read_ratio));
    }
  }
  return shares;
}

std::optional<double> ImpliedHitRatio(const LoadPlan& plan) {
  const Load& load = *plan.load;
  if (!load.preloads || !load.steady_hits) return std::nullopt;
  for (const RangeShare& ttl : plan.ttls) {
    if (ttl.highest > 0 && ttl.weight > 0) return std::nullopt;
  }
  const std::vector<double> shares = StepShares(plan);
  double hits = 0;
  double all = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    const Step& step = load.steps[i];
    if (step.reads) {
      const double finding =
          shares[i] * (FindsOrMisses(The(step.operation).rule) ? 1 : 0) +
          shares[i] *
              (step.then.empty() || !FindsOrMisses(The(step.then).rule) ? 0 : Followers(step));
      hits += finding * plan.hit_ratio;
      all += finding;
    }
    if (!step.undo.empty() && FindsOrMisses(The(step.undo).rule)) {
      hits += shares[i] / 2;
      all += shares[i] / 2;
    }
  }
  if (all == 0) return std::nullopt;
  return hits / all;
}

}  // namespace bench::remote
