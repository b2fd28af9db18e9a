// Durable engines: what is written is there when the store is opened again, compaction changes
// nothing that is seen, and a store that cannot be opened says why.
#include <filesystem>
#include <fstream>
#include <string>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

// Single writes and batches, so that a store that syncs each is not all waiting.
void Fill(Stage& stage, AnyEngine& engine, Random& random, int writes, Contents* contents) {
  WriteBatch batch;
  for (int i = 0; i < writes; ++i) {
    const std::string key = fmt::format("key{:03}", random.Below(300));
    if (random.OneIn(4)) {
      batch.Delete(key);
      contents->erase(key);
    } else {
      (*contents)[key] = random.Bytes(random.Below(200));
      batch.Put(key, (*contents)[key]);
    }
    if (!random.OneIn(5) && i + 1 < writes) continue;
    stage.ExpectOk(engine.Write(batch), "Write");
    batch.Clear();
  }
}

void ReopenKeepsEverything(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  if (!stage.Reopen(&engine, options)) return;
  stage.ExpectContents(*engine, {});
  Random random(21);
  Contents contents;
  for (int round = 0; round < 12; ++round) {
    // Few writes stay in the log; many go through flushes and compactions.
    Fill(stage, *engine, random, round % 3 == 0 ? 10 : 400, &contents);
    if (round % 4 == 3) stage.ExpectOk(engine->Flush(), "Flush");
    stage.ExpectContents(*engine, contents);
    if (!stage.Reopen(&engine, options)) return;
    stage.ExpectContents(*engine, contents);
    if (stage.failed()) return;
  }
  stage.ExpectOk(engine->Verify(), "Verify");
}

// Without Close: what the commit policy promised, and what Flush promised, holds.
void DestructionKeepsWhatWasPromised(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  Random random(22);
  Contents contents;
  for (int round = 0; round < 6; ++round) {
    auto engine = stage.Open(options);
    if (engine == nullptr) return;
    stage.ExpectContents(*engine, contents);
    if (stage.failed()) return;
    Fill(stage, *engine, random, 150, &contents);
    if (!stage.has().durable_on_return) stage.ExpectOk(engine->Flush(), "Flush");
  }
}

void BatchesAndCasSurvive(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  WriteBatch batch;
  batch.Put("a", "1");
  batch.Put("b", "2");
  batch.Delete("a");
  batch.Put("c", "");
  batch.Put(std::string("\0binary\xff", 8), std::string("\0\xff", 2));
  stage.ExpectOk(engine->Write(batch), "Write");
  stage.ExpectOk(engine->CompareAndSet("b", "2", "3").status(), "CompareAndSet");
  stage.ExpectOk(engine->CompareAndSet("c", "", std::nullopt).status(), "CompareAndSet");
  stage.ExpectOk(engine->CompareAndSet("d", std::nullopt, "4").status(), "CompareAndSet");
  stage.ExpectOk(engine->CompareAndSet("d", std::nullopt, "5").status(), "CompareAndSet");
  if (!stage.Reopen(&engine, options)) return;
  stage.ExpectContents(
      *engine,
      {{std::string("\0binary\xff", 8), std::string("\0\xff", 2)}, {"b", "3"}, {"d", "4"}});
}

void ExpirySurvives(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  const uint64_t later = stage.composition().unix_millis() + 3'600'000;
  stage.ExpectOk(engine->Put("put", "v", {.expires_at = later}), "Put");
  stage.ExpectOk(engine->Put("set", "v"), "Put");
  stage.ExpectOk(engine->ExpireAt("set", later + 1), "ExpireAt");
  stage.ExpectOk(engine->Put("cleared", "v", {.expires_at = later}), "Put");
  stage.ExpectOk(engine->ExpireAt("cleared", kNeverExpires), "ExpireAt");
  stage.ExpectOk(engine->Put("expired", "old"), "Put");
  stage.ExpectOk(engine->Put("expired", "new", {.expires_at = 1}), "Put");
  for (int round = 0; round < 2; ++round) {
    if (!stage.Reopen(&engine, options)) return;
    stage.ExpectContents(*engine, {{"cleared", "v"}, {"put", "v"}, {"set", "v"}});
    for (const auto& [key, at] : {std::pair("put", later), std::pair("set", later + 1),
                                  std::pair("cleared", uint64_t{0})}) {
      const auto found = engine->ExpiresAt(key);
      stage.Expect(found.ok() && *found == at, fmt::format("{} has another expiry", key));
    }
    stage.ExpectOk(engine->Compact(), "Compact");
  }
}

void CompactKeepsContents(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Compact(), "Compact of an empty store");
  Random random(23);
  Contents contents;
  for (int round = 0; round < 5; ++round) {
    Fill(stage, *engine, random, 500, &contents);
    stage.ExpectOk(engine->Compact(), "Compact");
    stage.ExpectContents(*engine, contents);
    stage.ExpectOk(engine->Compact(), "Compact with nothing to do");
    stage.ExpectOk(engine->Verify(), "Verify");
    stage.ExpectContents(*engine, contents);
  }
  for (const auto& [key, value] : contents) stage.ExpectOk(engine->Delete(key), "Delete");
  stage.ExpectOk(engine->Compact(), "Compact to nothing");
  stage.ExpectContents(*engine, {});
  if (!stage.Reopen(&engine, options)) return;
  stage.ExpectContents(*engine, {});
}

// A tombstone is dropped only where nothing older can lie below it: the value is in the deepest
// level, the tombstone goes down step by step, with a reopen at each.
void TombstonesHoldThroughCompaction(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  WriteBatch old;
  for (int i = 0; i < 300; ++i) old.Put(fmt::format("key{:03}", i), std::string(100, 'o'));
  stage.ExpectOk(engine->Write(old), "Write");
  stage.ExpectOk(engine->Compact(), "Compact");
  Contents contents;
  for (int i = 0; i < 300; ++i) {
    const std::string key = fmt::format("key{:03}", i);
    if (i % 3 != 0) {
      contents[key] = std::string(100, 'o');
      continue;
    }
    if (i % 2 == 0) {
      stage.ExpectOk(engine->Delete(key), "Delete");
    } else {
      stage.ExpectOk(engine->CompareAndSet(key, std::string(100, 'o'), std::nullopt).status(),
                     "CompareAndSet");
    }
  }
  for (int step = 0; step < 4; ++step) {
    stage.ExpectContents(*engine, contents);
    stage.ExpectOk(engine->Flush(), "Flush");
    // Other keys over the same range, so that flushes overlap and compaction has work.
    WriteBatch batch;
    for (int i = 0; i < 400; ++i) {
      const std::string key = fmt::format("key{:03}.{}", (i * 37) % 300, step);
      contents[key] = std::string(100, 'n');
      batch.Put(key, contents[key]);
      if (i % 10 != 9) continue;
      stage.ExpectOk(engine->Write(batch), "Write");
      batch.Clear();
    }
    stage.ExpectContents(*engine, contents);
    if (!stage.Reopen(&engine, options)) return;
    if (stage.failed()) return;
  }
  stage.ExpectOk(engine->Compact(), "Compact");
  stage.ExpectContents(*engine, contents);
  if (!stage.Reopen(&engine, options)) return;
  stage.ExpectContents(*engine, contents);
}

// Order comes from sequence numbers, not from a clock: many writes of one key within a second, in
// memory, in the log and in tables, and across reopens.
void NewestWriteWins(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  std::string newest;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 10; ++i) {
      newest = fmt::format("round {} write {}", round, i);
      stage.ExpectOk(engine->Put("key", newest), "Put");
    }
    if (round % 2 == 0) stage.ExpectOk(engine->Flush(), "Flush");
    if (round % 5 == 1) stage.ExpectOk(engine->Compact(), "Compact");
    if (round % 3 == 2 && !stage.Reopen(&engine, options)) return;
    stage.ExpectContents(*engine, {{"key", newest}});
  }
}

void OpenOptionsAreObeyed(Stage& stage) {
  const std::string directory = stage.NewDirectory();
  Options options = Stage::SmallOptions(directory);
  options.create_if_missing = false;
  stage.ExpectCode(stage.composition().open(options).status(), absl::StatusCode::kNotFound,
                   "Open of a missing store");
  options.create_if_missing = true;
  options.error_if_exists = true;
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  stage.ExpectOk(engine->Close(), "Close");
  engine.reset();
  stage.ExpectCode(stage.composition().open(options).status(), absl::StatusCode::kAlreadyExists,
                   "Open of an existing store");
  options.error_if_exists = false;
  options.create_if_missing = false;
  engine = stage.Open(options);
  if (engine == nullptr) return;
  stage.ExpectContents(*engine, {{"key", "v"}});
  // Neither of the refused calls left a lock or anything else behind; other sizes are fine.
  engine.reset();
  options.memtable_bytes = 1 << 20;
  options.cache_bytes = 0;
  engine = stage.Open(options);
  if (engine != nullptr) stage.ExpectContents(*engine, {{"key", "v"}});
}

void SecondOpenIsRefused(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  for (int attempt = 0; attempt < 2; ++attempt) {
    stage.ExpectCode(stage.composition().open(options).status(),
                     absl::StatusCode::kFailedPrecondition, "second Open");
  }
  stage.ExpectOk(engine->Put("key", "w"), "Put after a refused Open");
  stage.ExpectContents(*engine, {{"key", "w"}});
  if (!stage.Reopen(&engine, options)) return;
  stage.ExpectContents(*engine, {{"key", "w"}});
}

// The directory is a file, or below one, or where nothing can be made: an error that names it.
void WrongDirectoryIsAnError(Stage& stage) {
  const std::string file = stage.NewDirectory();
  if (!std::ofstream(file).put('x').good()) return;
  for (const std::string& directory : {file, file + "/below", std::string("/proc/ashlar/store")}) {
    const absl::Status status = stage.composition().open(Stage::SmallOptions(directory)).status();
    stage.Expect(!status.ok(), fmt::format("Open of {} is fine", directory));
    stage.Expect(status.ok() || status.ToString().find(directory) != std::string::npos ||
                     directory.starts_with("/proc"),
                 fmt::format("the error does not name {}: {}", directory, status.ToString()));
  }
  stage.Expect(std::filesystem::is_regular_file(file), "Open removed what was in its way");
  if (!std::filesystem::exists(file)) return;
  stage.Expect(std::filesystem::file_size(file) == 1, "Open wrote into a file that was there");
}

constexpr Needs kDurable = {.durable = true};
constexpr Check kChecks[] = {
    {"ReopenKeepsEverything", kDurable, ReopenKeepsEverything},
    {"DestructionKeepsWhatWasPromised", kDurable, DestructionKeepsWhatWasPromised},
    {"BatchesAndCasSurvive", kDurable, BatchesAndCasSurvive},
    {"ExpirySurvives", {.expiry = true, .durable = true}, ExpirySurvives},
    {"CompactKeepsContents", kDurable, CompactKeepsContents},
    {"TombstonesHoldThroughCompaction", kDurable, TombstonesHoldThroughCompaction},
    {"NewestWriteWins", kDurable, NewestWriteWins},
    {"OpenOptionsAreObeyed", kDurable, OpenOptionsAreObeyed},
    {"SecondOpenIsRefused", kDurable, SecondOpenIsRefused},
    {"WrongDirectoryIsAnError", {.durable = true, .real_files = true}, WrongDirectoryIsAnError},
};

}  // namespace

std::span<const Check> DurableChecks() { return kChecks; }

}  // namespace kv::testing
