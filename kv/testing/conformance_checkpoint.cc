// Checkpoint: a store of its own that holds one state of this one. And CompactRange.
//
// Memory order: the default, seq_cst, for the counts of what is written and who copies.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <source_location>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

constexpr auto kExists = absl::StatusCode::kAlreadyExists;

// Single writes, batches, deletes and range deletes over 300 keys.
void Fill(Stage& stage, AnyEngine& engine, Random& random, int writes, Contents* contents) {
  for (int done = 0; done < writes && !stage.failed();) {
    WriteBatch batch;
    for (uint64_t i = 1 + random.Below(20); i > 0; --i, ++done) {
      const std::string key = fmt::format("key{:03}", random.Below(300));
      if (random.OneIn(4)) {
        batch.Delete(key);
        contents->erase(key);
      } else {
        batch.Put(key, (*contents)[key] = random.Bytes(random.Below(200)));
      }
    }
    stage.ExpectOk(engine.Write(batch), "Write");
    if (!random.OneIn(10)) continue;
    const std::string begin = fmt::format("key{:03}", random.Below(300));
    const std::string end = begin + "9";
    stage.ExpectOk(engine.DeleteRange(begin, end), "DeleteRange");
    contents->erase(contents->lower_bound(begin), contents->lower_bound(end));
  }
}

// The store at `directory`, which must be there.
std::unique_ptr<AnyEngine> OpenExisting(
    Stage& stage, const std::string& directory,
    std::source_location where = std::source_location::current()) {
  Options options = Stage::SmallOptions(directory);
  options.create_if_missing = false;
  return stage.Open(options, where);
}

void CheckpointHoldsTheContents(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const std::string of_nothing = stage.NewDirectory();
  stage.ExpectOk(engine->Checkpoint(of_nothing), "Checkpoint of an empty store");
  Random random(41);
  Contents contents;
  for (int round = 0; round < 4; ++round) {
    // The newest writes are in memory and in the log; older ones in files.
    Fill(stage, *engine, random, round == 0 ? 10 : 400, &contents);
    const std::string directory = stage.NewDirectory();
    stage.ExpectOk(engine->Checkpoint(directory), "Checkpoint");
    stage.ExpectContents(*engine, contents);
    if (stage.failed()) return;
    if (const auto copy = OpenExisting(stage, directory); copy != nullptr) {
      stage.ExpectContents(*copy, contents);
      stage.ExpectOk(copy->Verify(), "Verify of a copy");
    }
    if (round == 1) stage.ExpectOk(engine->Compact(), "Compact");
    if (round == 2) stage.ExpectOk(engine->Flush(), "Flush");
  }
  if (const auto copy = OpenExisting(stage, of_nothing); copy != nullptr) {
    stage.ExpectContents(*copy, {});
  }
  stage.ExpectOk(engine->Verify(), "Verify");
}

void CheckpointKeepsExpiry(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const uint64_t later = stage.composition().unix_millis() + 3'600'000;
  stage.ExpectOk(engine->Put("a", "1", {.expires_at = later}), "Put");
  stage.ExpectOk(engine->Put("b", "under"), "Put");
  stage.ExpectOk(engine->Put("b", "expired", {.expires_at = 1}), "Put");
  stage.ExpectOk(engine->Put("c", "3"), "Put");
  const std::string directory = stage.NewDirectory();
  stage.ExpectOk(engine->Checkpoint(directory), "Checkpoint");
  const auto copy = OpenExisting(stage, directory);
  if (copy == nullptr) return;
  stage.ExpectContents(*copy, {{"a", "1"}, {"c", "3"}});
  for (const auto& [key, expected] : {std::pair("a", later), std::pair("c", uint64_t{0})}) {
    const auto found = copy->ExpiresAt(key);
    stage.Expect(found.ok() && *found == expected, fmt::format("{} has another expiry", key));
  }
}

// Original and copy, and a copy of the copy, go their own ways, through reopening and compaction.
void CheckpointsAreIndependent(Stage& stage) {
  constexpr size_t kStores = 3;
  std::vector<Options> options;
  for (size_t i = 0; i < kStores; ++i) {
    options.push_back(Stage::SmallOptions(stage.NewDirectory()));
  }
  std::vector<std::unique_ptr<AnyEngine>> stores(kStores);
  std::vector<Contents> contents(kStores);
  Random random(42);
  for (size_t i = 0; i < kStores; ++i) {
    stores[i] = stage.Open(options[i]);
    if (stores[i] == nullptr || !stage.ExpectContents(*stores[i], contents[i])) return;
    Fill(stage, *stores[i], random, 300, &contents[i]);
    if (i + 1 == kStores) break;
    stage.ExpectOk(stores[i]->Checkpoint(options[i + 1].directory), "Checkpoint");
    contents[i + 1] = contents[i];
    // Before the copy is opened: nothing of this may be found in it.
    Fill(stage, *stores[i], random, 100, &contents[i]);
  }
  for (int round = 0; round < 4; ++round) {
    for (size_t i = 0; i < kStores; ++i) {
      Fill(stage, *stores[i], random, 150, &contents[i]);
      if (random.OneIn(2)) stage.ExpectOk(stores[i]->Compact(), "Compact");
      if (random.OneIn(2) && !stage.Reopen(&stores[i], options[i])) return;
    }
    for (size_t i = 0; i < kStores; ++i) {
      stage.ExpectContents(*stores[i], contents[i]);
      stage.ExpectOk(stores[i]->Verify(), "Verify");
    }
    if (stage.failed()) return;
  }
}

void ACopyOutlivesTheOriginal(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  const std::string directory = stage.NewDirectory();
  Random random(43);
  Contents contents;
  {
    const auto engine = stage.Open(options);
    if (engine == nullptr) return;
    Fill(stage, *engine, random, 500, &contents);
    stage.ExpectOk(engine->Checkpoint(directory), "Checkpoint");
  }
  std::filesystem::remove_all(options.directory);
  auto copy = OpenExisting(stage, directory);
  if (copy == nullptr) return;
  stage.ExpectContents(*copy, contents);
  stage.ExpectOk(copy->Verify(), "Verify");
  Fill(stage, *copy, random, 300, &contents);
  stage.ExpectOk(copy->Compact(), "Compact");
  if (stage.Reopen(&copy, Stage::SmallOptions(directory))) stage.ExpectContents(*copy, contents);
}

void CheckpointIsRefusedWhereSomethingIs(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  const Options taken = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  Random random(44);
  Contents contents;
  Fill(stage, *engine, random, 200, &contents);
  stage.ExpectOk(engine->Checkpoint(taken.directory), "Checkpoint");
  const Contents copied = contents;
  Fill(stage, *engine, random, 200, &contents);
  stage.ExpectCode(engine->Checkpoint(taken.directory), kExists, "Checkpoint over a copy");
  stage.ExpectCode(engine->Checkpoint(options.directory), kExists, "Checkpoint over itself");
  {
    const auto copy = OpenExisting(stage, taken.directory);
    if (copy == nullptr) return;
    stage.ExpectCode(engine->Checkpoint(taken.directory), kExists, "Checkpoint over an open store");
    stage.ExpectContents(*copy, copied);
  }
  stage.ExpectContents(*engine, contents);
  if (!stage.Reopen(&engine, options)) return;
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->Checkpoint(stage.NewDirectory()), "Checkpoint after refusals");
}

void CheckpointTakesAnEmptyDirectoryOnly(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  const std::string empty = stage.NewDirectory();
  std::filesystem::create_directories(empty);
  stage.ExpectOk(engine->Checkpoint(empty), "Checkpoint into an empty directory");
  if (const auto copy = OpenExisting(stage, empty); copy != nullptr) {
    stage.ExpectContents(*copy, {{"key", "v"}});
  }
  const std::string used = stage.NewDirectory();
  std::filesystem::create_directories(used);
  std::ofstream(used + "/letter") << "not a store";
  stage.ExpectCode(engine->Checkpoint(used), kExists, "Checkpoint beside somebody's file");
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(used)) ++files;
  stage.Expect(files == 1, "a refused Checkpoint left files behind");
}

// One writer counts up, first in "a", then in "b", then in a batch of both "c" and "d"; each copy
// shows one moment of that, between the call and the return, and old values are not overtaken by
// flushes and compactions meanwhile. Two threads make copies at once.
void CheckpointIsOneState(Stage& stage) {
  constexpr int kCopies = 3;
  constexpr int kStepsPerCopy = 60;
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  std::atomic<int> begun = 0;
  std::atomic<int> written = 0;
  std::atomic<int> copying = 2;
  std::vector<std::string> directories;
  for (int i = 0; i < 2 * kCopies; ++i) directories.push_back(stage.NewDirectory());
  std::thread writer([&] {
    for (int n = 1; (copying.load() > 0 || n < kStepsPerCopy) && !stage.failed(); ++n) {
      begun.store(n);
      const std::string number = std::to_string(n);
      stage.ExpectOk(engine->Put("a", number), "Put");
      stage.ExpectOk(engine->Put("b", number), "Put");
      WriteBatch batch;
      batch.Put("c", number);
      batch.Put(fmt::format("filler{}", n % 100), std::string(300, 'f'));
      batch.Put("d", number);
      stage.ExpectOk(engine->Write(batch), "Write");
      written.store(n);
      if (n % 50 == 0) stage.ExpectOk(engine->Compact(), "Compact");
    }
  });
  const auto copy_them = [&](int first) {
    for (int i = 0; i < kCopies && !stage.failed(); ++i) {
      for (const int from = written.load(); written.load() < from + kStepsPerCopy / 6;) {
        if (stage.failed()) break;
        std::this_thread::yield();
      }
      const std::string& directory = directories[static_cast<size_t>(first + i)];
      const int before = written.load();
      stage.ExpectOk(engine->Checkpoint(directory), "Checkpoint");
      const int after = begun.load();
      const auto copy = OpenExisting(stage, directory);
      if (copy == nullptr) break;
      int seen[4] = {};
      for (int k = 0; k < 4; ++k) {
        const std::string key(1, static_cast<char>('a' + k));
        const auto found = Lookup(*copy, key);
        if (!stage.ExpectOk(found.status(), "Get from a copy")) break;
        seen[k] = found->has_value() ? std::stoi(**found) : 0;
      }
      const std::string text = fmt::format("a={} b={} c={} d={}, written {} to {}", seen[0],
                                           seen[1], seen[2], seen[3], before, after);
      stage.Expect(seen[2] == seen[3], "a copy holds half a batch: " + text);
      stage.Expect(seen[0] >= seen[1] && seen[1] >= seen[2] && seen[0] <= seen[2] + 1,
                   "a copy holds no state that ever was: " + text);
      stage.Expect(before <= seen[2] && seen[0] <= after,
                   "a copy holds a state of another time: " + text);
      stage.ExpectOk(copy->Verify(), "Verify of a copy");
    }
    copying.fetch_sub(1);
  };
  std::thread other([&] { copy_them(kCopies); });
  copy_them(0);
  other.join();
  writer.join();
  stage.ExpectOk(engine->Verify(), "Verify");
}

void SnapshotsOutliveCheckpoints(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  Random random(45);
  Contents contents;
  Fill(stage, *engine, random, 300, &contents);
  const auto snapshot = engine->TakeSnapshot();
  const Contents before = contents;
  const std::string directory = stage.NewDirectory();
  Fill(stage, *engine, random, 300, &contents);
  stage.ExpectOk(engine->Checkpoint(directory), "Checkpoint");
  const auto seen = Scan(*engine->NewCursor({}, snapshot.get()));
  stage.Expect(seen.ok() && *seen == before, "a snapshot shows other contents after Checkpoint");
  const auto copy = OpenExisting(stage, directory);
  if (copy == nullptr) return;
  stage.ExpectContents(*copy, contents);
  // Nobody holds a snapshot of the copy: its versions may go, and its contents stay.
  stage.ExpectOk(copy->Compact(), "Compact");
  stage.ExpectContents(*copy, contents);
}

void CompactRangeKeepsContents(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  stage.ExpectOk(engine->CompactRange("", ""), "CompactRange of an empty store");
  Random random(46);
  Contents contents;
  Fill(stage, *engine, random, 500, &contents);
  const auto snapshot = engine->TakeSnapshot();
  const Contents before = contents;
  const std::pair<const char*, const char*> ranges[] = {
      {"key100", "key200"}, {"", "key050"},        {"key250", ""}, {"key2", "key2"},
      {"key2", "key1"},     {"absent", "absent2"}, {"", ""}};
  for (const auto& [begin, end] : ranges) {
    Fill(stage, *engine, random, 200, &contents);
    stage.ExpectOk(engine->CompactRange(begin, end), "CompactRange");
    if (!stage.ExpectContents(*engine, contents)) return;
  }
  const auto seen = Scan(*engine->NewCursor({}, snapshot.get()));
  stage.Expect(seen.ok() && *seen == before, "a snapshot shows other contents after CompactRange");
  stage.ExpectOk(engine->Verify(), "Verify");
  stage.ExpectOk(engine->DeleteRange("key1", "key2"), "DeleteRange");
  contents.erase(contents.lower_bound("key1"), contents.lower_bound("key2"));
  stage.ExpectOk(engine->CompactRange("key1", "key15"), "CompactRange in a deleted range");
  stage.ExpectContents(*engine, contents);
}

constexpr Needs kDurable = {.durable = true};
constexpr Needs kBoth = {.ordered = true, .durable = true};
constexpr Needs kFiles = {.durable = true, .real_files = true};
constexpr Check kChecks[] = {
    {"CheckpointHoldsTheContents", kDurable, CheckpointHoldsTheContents},
    {"CheckpointKeepsExpiry", {.expiry = true, .durable = true}, CheckpointKeepsExpiry},
    {"CheckpointsAreIndependent", kDurable, CheckpointsAreIndependent},
    {"ACopyOutlivesTheOriginal", kFiles, ACopyOutlivesTheOriginal},
    {"CheckpointIsRefusedWhereSomethingIs", kDurable, CheckpointIsRefusedWhereSomethingIs},
    {"CheckpointTakesAnEmptyDirectoryOnly", kFiles, CheckpointTakesAnEmptyDirectoryOnly},
    {"CheckpointIsOneState", kDurable, CheckpointIsOneState},
    {"SnapshotsOutliveCheckpoints", kBoth, SnapshotsOutliveCheckpoints},
    {"CompactRangeKeepsContents", kBoth, CompactRangeKeepsContents},
};

}  // namespace

std::span<const Check> CheckpointChecks() { return kChecks; }

}  // namespace kv::testing
