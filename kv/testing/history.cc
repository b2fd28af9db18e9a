#include "kv/testing/history.h"

#include <deque>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/list_source.h"
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

ListSource SourceOf(const Step& step) {
  std::vector<ListSource::Entry> entries;
  for (const Step& put : step.batch) entries.push_back({put.key, put.value, put.number});
  return ListSource(std::move(entries));
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
      case StepKind::kDeleteRange:
        return Answer(engine_->DeleteRange(step.key, step.value));
      case StepKind::kBulkLoad: {
        ListSource source = SourceOf(step);
        return Answer(engine_->BulkLoad(source));
      }
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
      case StepKind::kCompactRange:
      case StepKind::kCheckpoint:
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

// How the contents of two engines differ, if they do.
std::optional<std::string> DifferenceOf(const Composition& composition, AnyEngine& engine,
                                        AnyEngine& reference) {
  const auto contents_of = [&](AnyEngine& of) {
    if (composition.has.ordered) return AnswerOfScan(of, Step(), nullptr);
    const auto count = of.Count("");
    std::string contents = count.ok() ? fmt::format("{} keys: ", *count) : Answer(count.status());
    for (const std::string& key : KeysOfHistories()) {
      const auto found = Lookup(of, key);
      contents += fmt::format("{}={} ", Show(key),
                              found.ok() ? ShowFound(*found) : found.status().ToString());
    }
    return contents;
  };
  const std::string actual = contents_of(engine);
  const std::string expected = contents_of(reference);
  if (actual == expected) return std::nullopt;
  return fmt::format("\n  expected {}\n  got      {}", expected, actual);
}

// The same for a store that is not open; it is opened and closed again.
std::optional<std::string> DifferenceOf(const Composition& composition, const Options& options,
                                        AnyEngine& reference) {
  const auto engine = composition.open(options);
  if (!engine.ok()) return "Open: " + engine.status().ToString();
  return DifferenceOf(composition, **engine, reference);
}

}  // namespace

std::optional<std::string> Replay(const Composition& composition, const std::vector<Step>& steps) {
  Stage stage(composition);
  Options options = Stage::SmallOptions(stage.NewDirectory());
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
    } else if (step.kind == StepKind::kCompactRange) {
      status = engine.engine().CompactRange(step.key, step.value);
    } else if (step.kind == StepKind::kCheckpoint) {
      const Options copy = Stage::SmallOptions(stage.NewDirectory());
      status = engine.engine().Checkpoint(copy.directory);
      if (status.ok() && step.number == 0) {
        const auto difference = DifferenceOf(composition, copy, reference.engine());
        if (difference) return fmt::format("step {}, the copy: {}", i, *difference);
      } else if (status.ok()) {
        options = copy;
        status = engine.Reopen(composition, options);
        reference.DropSnapshots();
      }
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
  const auto difference = DifferenceOf(composition, engine.engine(), reference.engine());
  if (difference) return "at the end:" + *difference;
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
