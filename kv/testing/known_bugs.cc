#include "kv/testing/known_bugs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/crash_history.h"
#include "kv/testing/random.h"
#include "kv/testing/simulated_store.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

bool IsWrite(const CrashStep& step) {
  return !step.Syncs() && step.kind != CrashStepKind::kCheckpoint;
}

// The names of the store's files of which `matches(name)` holds, with their bytes.
template <typename Matches>
std::map<std::string, std::string> FilesOf(SimulatedFileSystem files, Matches&& matches) {
  std::map<std::string, std::string> found;
  const auto names = files.List(kStoreDirectory);
  if (!names.ok()) return found;
  for (const std::string& name : *names) {
    if (!matches(name)) continue;
    if (auto bytes = files.Contents(kStoreDirectory + "/" + name); bytes.ok()) {
      found[name] = *std::move(bytes);
    }
  }
  return found;
}

bool IsLog(const std::string& name) { return RoleOfFile(name) == FileRole::kLog; }

}  // namespace

std::vector<FileEvent> EventsOfAHistory(const SimulatedFactory& factory, uint64_t seed, int steps) {
  SimulatedFileSystem files(seed);
  FileRecorder recorder(files);
  const Composition composition = On(factory, files);
  std::unique_ptr<AnyEngine> engine;
  const auto open = [&] {
    auto opened = composition.open(Stage::SmallOptions(kStoreDirectory));
    if (opened.ok()) engine = *std::move(opened);
    recorder.Mark(Milestone::kOpened, kStoreDirectory);
    return opened.ok();
  };
  if (!open()) return {};
  const std::vector<CrashStep> history = MakeCrashSteps(seed, steps);
  for (size_t i = 0; i < history.size(); ++i) {
    // At one third it is closed first, at two thirds not: a destructor closes, but what a failed
    // Close leaves is what a kill does.
    if (i == history.size() / 3 || i == history.size() * 2 / 3) {
      if (i == history.size() / 3) {
        if (!engine->Close().ok()) return {};
        recorder.Mark(Milestone::kSynced, kStoreDirectory);
      }
      engine.reset();
      if (!open()) return {};
    }
    const CrashStep& step = history[i];
    if (!PerformCrashStep(*engine, step).ok()) return {};
    if (step.kind == CrashStepKind::kCheckpoint) recorder.Mark(Milestone::kSynced, step.copy);
    if (step.Syncs()) recorder.Mark(Milestone::kSynced, kStoreDirectory);
    if (IsWrite(step) && composition.has.durable_on_return) {
      recorder.Mark(Milestone::kAcknowledged, kStoreDirectory);
    }
  }
  return recorder.Events();
}

std::vector<std::string> CheckStaleTails(const SimulatedFactory& factory, uint64_t seed,
                                         int rounds) {
  std::vector<std::string> failures;
  SimulatedFileSystem files(seed);
  const Composition composition = On(factory, files);
  const auto engine = composition.open(Stage::SmallOptions(kStoreDirectory));
  if (!engine.ok()) return {engine.status().ToString()};
  Random random(seed);
  std::vector<std::string> logs_seen;  // up to their last records, each at some moment
  const auto show = [&](SimulatedFileSystem fs) -> absl::StatusOr<Contents> {
    const Composition later = On(factory, fs);
    KV_ASSIGN_OR_RETURN(const auto opened, later.open(Stage::SmallOptions(kStoreDirectory)));
    return ReadCrashKeys(later, *opened);
  };
  int tried = 0;
  for (int round = 0; round < rounds && failures.empty(); ++round) {
    // Records of one size begin in the same places in every log, and none ends in a zero.
    absl::Status status;
    for (uint64_t writes = random.Below(30); writes > 0 && status.ok(); --writes) {
      status = (*engine)->Put(CrashKey(random.Below(kCrashKeys)),
                              fmt::format("{:06} {}", round, std::string(300, 'v')));
    }
    if (status.ok() && random.OneIn(4)) status = (*engine)->Flush();
    if (status.ok() && random.OneIn(6)) status = (*engine)->Compact();
    if (!status.ok()) return {status.ToString()};
    const std::map<std::string, std::string> logs = FilesOf(files, IsLog);
    if (logs.empty()) continue;
    const auto& [name, bytes] = *logs.rbegin();
    // The last byte of a header, which is part of its checksum, may be a zero.
    constexpr size_t kHeaderBytes = 64;
    const size_t end = std::max(bytes.find_last_not_of('\0') + 1, kHeaderBytes);
    const std::string newest = bytes.substr(0, end);
    const absl::StatusOr<Contents> expected = show(files.Crash(0, CrashMode::kKeepAll));
    if (!expected.ok()) return {expected.status().ToString()};
    for (const std::string& old : logs_seen) {
      if (old.size() <= newest.size() || old.starts_with(newest)) continue;
      SimulatedFileSystem stale = files.Crash(0, CrashMode::kKeepAll);
      auto file = stale.OpenForOverwrite(kStoreDirectory + "/" + name);
      if (!file.ok() || !file->WriteAt(newest.size(), old.substr(newest.size())).ok()) continue;
      ++tried;
      const absl::StatusOr<Contents> found = show(stale);
      if (!found.ok()) {
        failures.push_back("a stale tail is taken for damage: " + found.status().ToString());
      } else if (*found != *expected) {
        failures.push_back("a stale tail is taken for data");
      }
    }
    constexpr size_t kKept = 6;
    if (logs_seen.size() < kKept) {
      logs_seen.push_back(newest);
    } else {
      logs_seen[random.Below(kKept)] = newest;
    }
  }
  if (failures.empty() && tried == 0) failures.push_back("no log was ever longer than another");
  return failures;
}

std::vector<std::string> CheckLongReaders(const SimulatedFactory& factory) {
  constexpr int kKeys = 40;
  constexpr int kRounds = 12;
  const std::string value(1000, 'v');
  // Bytes of the store's files, but for logs, which are used again.
  const auto bytes_of = [](const SimulatedFileSystem& files) {
    uint64_t bytes = 0;
    const auto counts = [](const std::string& name) { return !name.ends_with(".log"); };
    for (const auto& [name, contents] : FilesOf(files, counts)) bytes += contents.size();
    return bytes;
  };
  enum Reader { kNobody, kSnapshot, kCursor };
  // By how much the store grows in the second half of the rounds, while this reader is there.
  const auto growth = [&](Reader reader) -> absl::StatusOr<uint64_t> {
    SimulatedFileSystem files;
    const Composition composition = On(factory, files);
    KV_ASSIGN_OR_RETURN(const auto engine, composition.open(Stage::SmallOptions(kStoreDirectory)));
    const auto write_all = [&](int round) -> absl::Status {
      for (int i = 0; i < kKeys; ++i) {
        const std::string key = fmt::format("key{:02}", i);
        KV_RETURN_IF_ERROR(engine->Put(key, fmt::format("{} {}", round, value)));
      }
      return engine->Compact();
    };
    KV_RETURN_IF_ERROR(write_all(0));
    const auto snapshot = reader == kSnapshot ? engine->TakeSnapshot() : nullptr;
    const auto cursor = reader == kCursor ? engine->NewCursor() : nullptr;
    if (cursor != nullptr) cursor->SeekToFirst();
    uint64_t half = 0;
    for (int round = 1; round <= kRounds; ++round) {
      KV_RETURN_IF_ERROR(write_all(round));
      if (round == kRounds / 2) half = bytes_of(files);
    }
    const uint64_t end = bytes_of(files);
    // And they see what they saw.
    int seen = 0;
    if (snapshot != nullptr) {
      std::string found;
      KV_RETURN_IF_ERROR(engine->Get("key00", &found, *snapshot));
      if (!found.starts_with("0 ")) return absl::InternalError("the snapshot shows a later value");
    }
    for (; cursor != nullptr && cursor->Valid(); cursor->Next(), ++seen) {
      if (!cursor->value().starts_with("0 ")) {
        return absl::InternalError("the cursor shows a later value");
      }
    }
    if (cursor != nullptr && seen != kKeys) return absl::InternalError("the cursor lost keys");
    return end > half ? end - half : 0;
  };
  std::vector<std::string> failures;
  const absl::StatusOr<uint64_t> alone = growth(kNobody);
  if (!alone.ok()) return {alone.status().ToString()};
  for (const auto& [reader, name] : {std::pair(kSnapshot, "a snapshot"), {kCursor, "a cursor"}}) {
    const absl::StatusOr<uint64_t> with = growth(reader);
    // Twice what is live, for what is still to be reclaimed; each round writes it once.
    const uint64_t slack = 2 * kKeys * value.size();
    if (!with.ok()) {
      failures.push_back(fmt::format("beside {}: {}", name, with.status().ToString()));
    } else if (*with > *alone + slack) {
      failures.push_back(
          fmt::format("beside {} the store grows by {} bytes, without by {}", name, *with, *alone));
    }
  }
  return failures;
}

}  // namespace kv::testing
