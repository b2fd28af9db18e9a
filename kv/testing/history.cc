#include "kv/testing/history.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/random.h"
#include "kv/testing/reference_engine.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

// The reference reads the time where the engine under test does.
struct BorrowedClock {
  const Composition* composition;
  uint64_t UnixMillis() const { return composition->unix_millis(); }
  uint64_t MonotonicNanos() const { return UnixMillis() * 1'000'000; }
};
static_assert(Clock<BorrowedClock>);
using Reference = BasicReferenceEngine<BorrowedClock>;

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

// Long past or far ahead, or, where the clock is in our hand, soon.
uint64_t SomeExpiry(Random& random, const Composition& composition, uint64_t now) {
  if (!composition.has.expiry || random.OneIn(2)) return kNeverExpires;
  if (composition.manual_clock && random.OneIn(2)) return now + random.Below(200);
  return random.OneIn(2) ? 1 : now + 1'000'000'000;
}

Step SomeStep(Random& random, const Composition& composition, uint64_t now) {
  Step step;
  step.key = SomeKey(random);
  const uint64_t roll = random.Below(100);
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
    step.number = random.Below(100);
  } else if (roll < 97) {
    step.kind = StepKind::kFlush;
  } else {
    step.kind = !composition.has.durable ? StepKind::kGet
                : roll == 97             ? StepKind::kCompact
                                         : StepKind::kReopen;
  }
  return step;
}

WriteBatch BatchOf(const Step& step) {
  WriteBatch batch;
  for (const Step& write : step.batch) {
    if (write.kind == StepKind::kDelete) {
      batch.Delete(write.key);
    } else {
      batch.Put(write.key, write.value, write.number);
    }
  }
  return batch;
}

std::string Answer(const absl::Status& status, std::string_view value = "") {
  return status.ok() ? "OK " + Show(value) : std::string(absl::StatusCodeToString(status.code()));
}

// Both ways over the keys within the bounds.
std::string AnswerOfScan(AnyEngine& engine, const Step& step, const AnySnapshot* snapshot) {
  const auto cursor = engine.NewCursor({.lower = step.key, .upper = step.value}, snapshot);
  std::string answer;
  for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
    answer += Show(cursor->key()) + "=" + Show(cursor->value()) + " ";
  }
  answer += "and back ";
  for (cursor->SeekToLast(); cursor->Valid(); cursor->Prev()) answer += Show(cursor->key()) + " ";
  // From the middle, with turns.
  cursor->Seek("k12");
  for (const char move : std::string_view("+-+--++-")) {
    if (!cursor->Valid()) break;
    answer += Show(cursor->key()) + move;
    move == '+' ? cursor->Next() : cursor->Prev();
  }
  answer += cursor->Valid() ? Show(cursor->key()) : "nowhere";
  return answer + " " + Answer(cursor->status());
}

// One of the two engines that a history runs on, with the snapshots that it holds.
class Side {
 public:
  explicit Side(std::unique_ptr<AnyEngine> engine) : engine_(std::move(engine)) {}

  AnyEngine& engine() { return *engine_; }

  std::string Run(const Step& step) {
    switch (step.kind) {
      case StepKind::kGet: {
        std::string value;
        const absl::Status status = engine_->Get(step.key, &value);
        return Answer(status, value);
      }
      case StepKind::kPut:
        return Answer(step.number == kNeverExpires
                          ? engine_->Put(step.key, step.value)
                          : engine_->Put(step.key, step.value, {.expires_at = step.number}));
      case StepKind::kDelete:
        return Answer(engine_->Delete(step.key));
      case StepKind::kBatch:
        return Answer(engine_->Write(BatchOf(step)));
      case StepKind::kMultiGet:
        return MultiGet(step);
      case StepKind::kCas: {
        const auto result = engine_->CompareAndSet(step.key, step.expected, step.desired,
                                                   {.expires_at = step.number});
        if (!result.ok()) return Answer(result.status());
        return result->swapped ? "swapped" : "found " + ShowFound(result->current);
      }
      case StepKind::kCount:
        return Answer(engine_->Count(step.key));
      case StepKind::kExpireAt:
        return Answer(engine_->ExpireAt(step.key, step.number));
      case StepKind::kExpiresAt:
        return Answer(engine_->ExpiresAt(step.key));
      case StepKind::kScan:
        return AnswerOfScan(*engine_, step, nullptr);
      case StepKind::kSnapshot:
        if (snapshots_.size() == 4) snapshots_.pop_front();
        snapshots_.push_back(engine_->TakeSnapshot());
        return "";
      case StepKind::kReadSnapshot:
        return ReadSnapshot(step);
      case StepKind::kFlush:
        return Answer(engine_->Flush());
      case StepKind::kCompact:
      case StepKind::kReopen:
      case StepKind::kAdvanceClock:
        return "";  // Replay does these
    }
    return "";
  }

  absl::Status Reopen(const Composition& composition, const Options& options) {
    snapshots_.clear();
    KV_RETURN_IF_ERROR(engine_->Close());
    engine_.reset();
    auto engine = composition.open(options);
    if (!engine.ok()) return engine.status();
    engine_ = *std::move(engine);
    return absl::OkStatus();
  }

  void DropSnapshots() { snapshots_.clear(); }

 private:
  static std::string Answer(const absl::Status& status, std::string_view value = "") {
    return testing::Answer(status, value);
  }
  static std::string Answer(const absl::StatusOr<uint64_t>& number) {
    return number.ok() ? std::to_string(*number) : Answer(number.status());
  }

  std::string MultiGet(const Step& step) {
    std::vector<std::string_view> keys;
    for (const Step& get : step.batch) keys.push_back(get.key);
    std::vector<std::string> values(keys.size());
    std::vector<absl::Status> statuses(keys.size());
    engine_->MultiGet(keys, values, statuses);
    std::string answer;
    for (size_t i = 0; i < keys.size(); ++i) answer += Answer(statuses[i], values[i]) + " ";
    return answer;
  }

  std::string ReadSnapshot(const Step& step) {
    if (snapshots_.empty()) return "";
    const AnySnapshot& snapshot = *snapshots_[step.number % snapshots_.size()];
    std::string value;
    const absl::Status status = engine_->Get(step.key, &value, snapshot);
    return Answer(status, value) + " " + AnswerOfScan(*engine_, step, &snapshot);
  }

  // The snapshots go before the engine.
  std::unique_ptr<AnyEngine> engine_;
  std::deque<std::unique_ptr<AnySnapshot>> snapshots_;
};

}  // namespace

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
    case StepKind::kBatch:
    case StepKind::kMultiGet: {
      std::string text = step.kind == StepKind::kBatch ? "batch {" : "multi-get {";
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
  const uint64_t now = composition.unix_millis();
  std::vector<Step> steps;
  while (steps.size() < length) steps.push_back(SomeStep(random, composition, now));
  return steps;
}

std::optional<std::string> Replay(const Composition& composition, const std::vector<Step>& steps) {
  Stage stage(composition);
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto opened = composition.open(options);
  if (!opened.ok()) return "Open: " + opened.status().ToString();
  Side engine(*std::move(opened));
  Side reference(std::make_unique<EngineAdapter<Reference>>(
      std::make_unique<Reference>(BorrowedClock{&composition})));
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    absl::Status status;
    if (step.kind == StepKind::kReopen) {
      status = engine.Reopen(composition, options);
      reference.DropSnapshots();
    } else if (step.kind == StepKind::kCompact) {
      status = engine.engine().Compact();
    } else if (step.kind == StepKind::kAdvanceClock) {
      composition.advance_millis(step.number);
    }
    if (!status.ok()) {
      return fmt::format("step {}, {}: {}", i, ToString(step), status.ToString());
    }
    const std::string actual = engine.Run(step);
    const std::string expected = reference.Run(step);
    if (actual != expected) {
      return fmt::format("step {}, {}:\n  expected {}\n  got      {}", i, ToString(step), expected,
                         actual);
    }
  }
  // However it came about, in the end both hold the same.
  if (composition.has.ordered) {
    const std::string actual = AnswerOfScan(engine.engine(), Step(), nullptr);
    const std::string expected = AnswerOfScan(reference.engine(), Step(), nullptr);
    if (actual != expected) {
      return fmt::format("at the end:\n  expected {}\n  got      {}", expected, actual);
    }
  }
  return std::nullopt;
}

std::vector<Step> Shrink(const Composition& composition, std::vector<Step> steps, int replays) {
  for (size_t piece = steps.size() / 2; piece > 0 && replays > 0; piece /= 2) {
    for (size_t at = 0; at + piece <= steps.size() && replays > 0;) {
      std::vector<Step> shorter = steps;
      const auto begin = shorter.begin() + static_cast<ptrdiff_t>(at);
      shorter.erase(begin, begin + static_cast<ptrdiff_t>(piece));
      --replays;
      if (Replay(composition, shorter)) {
        steps = std::move(shorter);
      } else {
        at += piece;
      }
    }
  }
  return steps;
}

}  // namespace kv::testing
