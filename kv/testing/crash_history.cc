#include "kv/testing/crash_history.h"

#include <map>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/list_source.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

CrashStepKind SomeKind(Random& random) {
  const uint64_t roll = random.Below(112);
  if (roll < 40) return CrashStepKind::kPut;
  if (roll < 55) return CrashStepKind::kDelete;
  if (roll < 75) return CrashStepKind::kBatch;
  if (roll < 90) return CrashStepKind::kCas;
  if (roll < 96) return CrashStepKind::kFlush;
  if (roll < 100) return CrashStepKind::kCompact;
  if (roll < 104) return CrashStepKind::kDeleteRange;
  return roll < 108 ? CrashStepKind::kBulkLoad : CrashStepKind::kCheckpoint;
}

// Values of each step are its own, so that no two states look alike by chance; large ones, so that
// a memtable is soon full.
std::string SomeValue(Random& random, int step, CrashValues values) {
  const bool large = values == CrashValues::kSomeLarge && random.OneIn(kLargeValueEvery);
  return fmt::format("step {} ", step) +
         random.Bytes((large ? kLargeValueBytes : 0) + random.Below(1500));
}

}  // namespace

std::string CrashKey(uint64_t number) { return fmt::format("key{:02}", number); }

std::vector<CrashStep> MakeCrashSteps(uint64_t seed, int steps, CrashValues values) {
  Random random(seed);
  std::vector<CrashStep> made;
  Contents state;
  for (int i = 0; i < steps; ++i) {
    CrashStep step{.kind = SomeKind(random)};
    const auto some_key = [&] { return CrashKey(random.Below(kCrashKeys)); };
    const auto put = [&](const std::string& key) {
      state[key] = SomeValue(random, i, values);
      step.writes.Put(key, state[key]);
    };
    const auto erase = [&](const std::string& key) {
      state.erase(key);
      step.writes.Delete(key);
    };
    switch (step.kind) {
      case CrashStepKind::kPut:
        put(some_key());
        break;
      case CrashStepKind::kDelete:
        erase(some_key());
        break;
      case CrashStepKind::kBatch:
        for (uint64_t n = 2 + random.Below(5); n > 0; --n) {
          const std::string key = some_key();
          random.OneIn(4) ? erase(key) : put(key);
        }
        break;
      case CrashStepKind::kCas: {
        const std::string key = some_key();
        if (const auto found = state.find(key); found != state.end()) {
          step.cas_expected = found->second;
        }
        put(key);
        break;
      }
      case CrashStepKind::kDeleteRange: {
        const uint64_t first = random.Below(kCrashKeys);
        step.begin = CrashKey(first);
        if (!random.OneIn(4)) step.end = CrashKey(first + 1 + random.Below(4));
        const auto end = step.end.empty() ? state.end() : state.lower_bound(step.end);
        state.erase(state.lower_bound(step.begin), end);
        break;
      }
      case CrashStepKind::kBulkLoad:
        for (uint64_t key = random.Below(4); key < kCrashKeys; key += 1 + random.Below(5)) {
          put(CrashKey(key));
          step.within.push_back(state);
        }
        break;
      case CrashStepKind::kCheckpoint:
        step.copy = fmt::format("/copy{}", i);
        break;
      case CrashStepKind::kFlush:
      case CrashStepKind::kCompact:
        break;
    }
    step.after = state;
    made.push_back(std::move(step));
  }
  return made;
}

absl::StatusOr<Contents> ReadCrashKeys(const Composition& composition, AnyEngine& engine) {
  Contents contents;
  std::vector<std::string> keys = {std::string(kAfterTheCrash)};
  for (uint64_t i = 0; i < kCrashKeys; ++i) keys.push_back(CrashKey(i));
  for (const std::string& key : keys) {
    KV_ASSIGN_OR_RETURN(auto value, Lookup(engine, key));
    if (value) contents[key] = *std::move(value);
  }
  KV_ASSIGN_OR_RETURN(const uint64_t count, engine.Count(""));
  if (count != contents.size()) return absl::InternalError("Count and Get disagree");
  if (!composition.has.ordered) return contents;
  KV_ASSIGN_OR_RETURN(const Contents scanned, Scan(*engine.NewCursor()));
  if (scanned != contents) return absl::InternalError("a scan and Get disagree");
  return contents;
}

absl::Status PerformCrashStep(AnyEngine& engine, const CrashStep& step) {
  Record record;
  std::string_view bytes = step.writes.Bytes();
  WriteBatch::TakeEntry(&bytes, &record);
  switch (step.kind) {
    case CrashStepKind::kPut:
      return engine.Put(record.key, record.value);
    case CrashStepKind::kDelete:
      return engine.Delete(record.key);
    case CrashStepKind::kBatch:
      return engine.Write(step.writes);
    case CrashStepKind::kCas: {
      const auto result = engine.CompareAndSet(record.key, step.cas_expected, record.value);
      if (result.ok() && !result->swapped) {
        return absl::InternalError("CompareAndSet did not find what was there");
      }
      return result.status();
    }
    case CrashStepKind::kDeleteRange:
      return engine.DeleteRange(step.begin, step.end);
    case CrashStepKind::kBulkLoad: {
      std::vector<ListSource::Entry> entries;
      WriteBatch::ForEach(step.writes.Bytes(), 0, [&](const Record& put) {
        entries.push_back({std::string(put.key), std::string(put.value)});
      });
      ListSource source(std::move(entries));
      return engine.BulkLoad(source);
    }
    case CrashStepKind::kFlush:
      return engine.Flush();
    case CrashStepKind::kCompact:
      return engine.Compact();
    case CrashStepKind::kCheckpoint:
      return engine.Checkpoint(step.copy);
  }
  return absl::OkStatus();
}

}  // namespace kv::testing
