#include "bench/remote/load/key_numbers.h"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace bench::remote {
namespace {

constexpr uint64_t kYcsbItems = 10'000'000'000;

std::optional<Zipf> MakeZipf(const LoadPlan& plan) {
  switch (plan.distribution.pattern) {
    case KeyPattern::kYcsbZipf:
      return Zipf(kYcsbItems, plan.distribution.theta);
    case KeyPattern::kZipf:
    case KeyPattern::kLatest:
      return Zipf(plan.keys, plan.distribution.theta);
    default:
      return std::nullopt;
  }
}

}  // namespace

KeyNumbers::KeyNumbers(const LoadPlan& plan, int thread)
    : plan_(plan),
      pattern_(plan.distribution.pattern),
      zipf_(MakeZipf(plan)),
      permutation_(plan.keys, plan.seed),
      position_(static_cast<uint64_t>(thread) % plan.keys),
      hot_keys_(std::clamp<uint64_t>(
          static_cast<uint64_t>(
              std::ceil(plan.distribution.hot_keys * static_cast<double>(plan.keys))),
          1, plan.keys)),
      hot_threshold_(static_cast<uint64_t>(plan.distribution.hot_requests * 0x1.0p32)) {}

uint64_t KeyNumbers::Settled() const {
  // relaxed: only a bound, which trails behind what other threads insert anyway.
  const uint64_t next = plan_.next_record->load(std::memory_order_relaxed);
  return std::max(plan_.keys, next - std::min(next, kUnsettled));
}

uint64_t KeyNumbers::Insert() {
  // relaxed: only the number must be unique.
  return plan_.next_record->fetch_add(1, std::memory_order_relaxed);
}

uint64_t KeyNumbers::Present(Random& random) {
  switch (pattern_) {
    case KeyPattern::kUniform:
      break;
    case KeyPattern::kZipf:
      return permutation_(zipf_->Next(random));
    case KeyPattern::kYcsbZipf:
      return YcsbHash(zipf_->Next(random)) % plan_.keys;
    case KeyPattern::kLatest: {
      const uint64_t settled = Settled();
      zipf_->Grow(settled);
      return zipf_->items() - 1 - zipf_->Next(random);
    }
    case KeyPattern::kSequential: {
      const uint64_t number = position_;
      // Threads stand beside each other and take as many steps at once.
      position_ = (position_ + static_cast<uint64_t>(plan_.threads)) % plan_.keys;
      return number;
    }
    case KeyPattern::kHot:
      if (random.Next() >> 32 < hot_threshold_ || hot_keys_ == plan_.keys) {
        return random.Uniform(hot_keys_);
      }
      return hot_keys_ + random.Uniform(plan_.keys - hot_keys_);
  }
  return random.Uniform(plan_.keys);
}

}  // namespace bench::remote
