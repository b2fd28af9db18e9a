// The steps of a history: drawn from a seed, and in words.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/history.h"
#include "kv/testing/random.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

// Few keys, so that they are overwritten, deleted and found; a few of them awkward.
std::string SomeKey(Random& random) {
  switch (random.Below(12)) {
    case 0:
      return "";
    case 1:
      return std::string("k\0", 2);
    case 2:
      return "\xff\xff";
    default:
      return fmt::format("k{:02}", random.Below(24));
  }
}

std::string SomeValue(Random& random) {
  // Few distinct small values, so that a CompareAndSet has a chance; now and then large ones.
  if (!random.OneIn(3)) return fmt::format("v{}", random.Below(3));
  return std::string(random.OneIn(10) ? 5'000 : random.Below(400),
                     static_cast<char>(random.Below(256)));
}

// Expiries and steps of the clock are whole ticks, so that now and then a key is looked at in the
// very moment in which it expires.
constexpr uint64_t kTickMillis = 10;

// Long past or far ahead, or, where the clock is in our hand, soon.
uint64_t SomeExpiry(Random& random, const Composition& composition, uint64_t now) {
  if (!composition.has.expiry || random.OneIn(2)) return kNeverExpires;
  if (composition.manual_clock && random.OneIn(2)) return now + kTickMillis * random.Below(20);
  return random.OneIn(2) ? 1 : now + 1'000'000'000;
}

Step SomeStep(Random& random, const Composition& composition, uint64_t now) {
  Step step;
  step.key = SomeKey(random);
  const uint64_t roll = random.Below(112);
  const auto put = [&](Step* to) {
    to->kind = StepKind::kPut;
    to->value = SomeValue(random);
    to->number = SomeExpiry(random, composition, now);
  };
  if (roll < 30) {
    put(&step);
  } else if (roll < 40) {
    step.kind = StepKind::kDelete;
  } else if (roll < 50) {
    step.kind = StepKind::kBatch;
    for (uint64_t i = random.Below(8); i > 0; --i) {
      Step write;
      write.key = SomeKey(random);
      write.kind = StepKind::kDelete;
      if (!random.OneIn(3)) put(&write);
      step.batch.push_back(std::move(write));
    }
  } else if (roll < 60) {
    step.kind = StepKind::kCas;
    if (!random.OneIn(4)) step.expected = fmt::format("v{}", random.Below(3));
    if (!random.OneIn(4)) step.desired = fmt::format("v{}", random.Below(3));
    step.number = step.desired ? SomeExpiry(random, composition, now) : kNeverExpires;
  } else if (roll < 70) {
    step.kind = StepKind::kGet;
  } else if (roll < 75) {
    step.kind = StepKind::kMultiGet;
    for (uint64_t i = random.Below(6); i > 0; --i) step.batch.push_back({.key = SomeKey(random)});
  } else if (roll < 79) {
    step.kind = StepKind::kCount;
    step.key.resize(std::min<size_t>(step.key.size(), random.Below(3)));
  } else if (roll < 82) {
    step.kind = composition.has.expiry ? StepKind::kExpireAt : StepKind::kGet;
    step.number = SomeExpiry(random, composition, now);
  } else if (roll < 84) {
    step.kind = StepKind::kExpiresAt;
  } else if (roll < 93) {
    const bool ordered = composition.has.ordered;
    step.kind = !ordered    ? StepKind::kGet
                : roll < 87 ? StepKind::kScan
                : roll < 89 ? StepKind::kSnapshot
                            : StepKind::kReadSnapshot;
    step.value = random.OneIn(2) ? "" : SomeKey(random);
    step.number = random.Below(4);
  } else if (roll < 95) {
    step.kind = composition.manual_clock ? StepKind::kAdvanceClock : StepKind::kGet;
    step.number = kTickMillis * random.Below(10);
  } else if (roll < 97) {
    step.kind = StepKind::kFlush;
  } else if (roll < 100) {
    step.kind = !composition.has.durable ? StepKind::kGet
                : roll == 97             ? StepKind::kCompact
                                         : StepKind::kReopen;
  } else if (roll < 105) {
    step.kind = StepKind::kDeleteRange;
    step.value = random.OneIn(4) ? "" : SomeKey(random);
    // Mostly of a few keys, or nothing would ever grow old.
    if (!random.OneIn(4) && step.key.starts_with("k")) step.value = step.key + "9";
  } else if (roll < 108) {
    step.kind = StepKind::kBulkLoad;
    std::map<std::string, Step> sorted;
    for (uint64_t i = random.Below(12); i > 0; --i) {
      Step entry;
      entry.key = SomeKey(random);
      put(&entry);
      sorted[entry.key] = entry;
    }
    for (auto& [key, entry] : sorted) step.batch.push_back(std::move(entry));
  } else if (roll < 110) {
    const bool both = composition.has.durable && composition.has.ordered;
    step.kind = both ? StepKind::kCompactRange : StepKind::kGet;
    step.value = random.OneIn(2) ? "" : SomeKey(random);
  } else {
    step.kind = composition.has.durable ? StepKind::kCheckpoint : StepKind::kGet;
    step.number = random.Below(2);
  }
  return step;
}

}  // namespace

std::vector<std::string> KeysOfHistories() {
  std::vector<std::string> keys = {"", std::string("k\0", 2), "\xff\xff"};
  for (int i = 0; i < 24; ++i) keys.push_back(fmt::format("k{:02}", i));
  return keys;
}

std::string ToString(const Step& step) {
  const auto expiry = [&](uint64_t at) {
    return at == kNeverExpires ? std::string() : fmt::format(" expires {}", at);
  };
  switch (step.kind) {
    case StepKind::kGet:
      return "get " + Show(step.key);
    case StepKind::kPut:
      return fmt::format("put {} {}{}", Show(step.key), Show(step.value), expiry(step.number));
    case StepKind::kDelete:
      return "delete " + Show(step.key);
    case StepKind::kDeleteRange:
      return fmt::format("delete [{}, {})", Show(step.key), Show(step.value));
    case StepKind::kBatch:
    case StepKind::kBulkLoad:
    case StepKind::kMultiGet: {
      std::string text = step.kind == StepKind::kBatch      ? "batch {"
                         : step.kind == StepKind::kBulkLoad ? "bulk-load {"
                                                            : "multi-get {";
      for (const Step& part : step.batch) text += " " + ToString(part) + ";";
      return text + " }";
    }
    case StepKind::kCas:
      return fmt::format("cas {} from {} to {}{}", Show(step.key), ShowFound(step.expected),
                         ShowFound(step.desired), expiry(step.number));
    case StepKind::kCount:
      return "count " + Show(step.key);
    case StepKind::kExpireAt:
      return fmt::format("expire-at {} {}", Show(step.key), step.number);
    case StepKind::kExpiresAt:
      return "expires-at " + Show(step.key);
    case StepKind::kScan:
      return fmt::format("scan [{}, {})", Show(step.key), Show(step.value));
    case StepKind::kSnapshot:
      return "take a snapshot";
    case StepKind::kReadSnapshot:
      return fmt::format("get {} and scan to {} in snapshot {}", Show(step.key), Show(step.value),
                         step.number);
    case StepKind::kFlush:
      return "flush";
    case StepKind::kCompact:
      return "compact";
    case StepKind::kCompactRange:
      return fmt::format("compact [{}, {})", Show(step.key), Show(step.value));
    case StepKind::kCheckpoint:
      return step.number == 0 ? "checkpoint" : "checkpoint and go on with the copy";
    case StepKind::kReopen:
      return "reopen";
    case StepKind::kAdvanceClock:
      return fmt::format("advance the clock by {} ms", step.number);
  }
  return "";
}

std::string ToString(const std::vector<Step>& steps) {
  std::string text;
  for (const Step& step : steps) text += "  " + ToString(step) + "\n";
  return text;
}

std::vector<Step> MakeHistory(uint64_t seed, size_t length, const Composition& composition) {
  Random random(seed);
  uint64_t now = composition.unix_millis();
  std::vector<Step> steps;
  while (steps.size() < length) {
    steps.push_back(SomeStep(random, composition, now));
    if (steps.back().kind == StepKind::kAdvanceClock) now += steps.back().number;
  }
  return steps;
}

}  // namespace kv::testing
