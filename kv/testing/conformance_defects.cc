// The defects of the stores that these engines replace, each as a scenario that any engine must
// come through. They overlap with the other themes on purpose: a defect that real stores had is
// worth a name of its own. docs/defects.md lists them all, with the broken engines that each check
// refuses. (The eighth is about benchmark figures: bench/row_context.h.)
//
// Memory order: the default, seq_cst, for the flags that say when to stop.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/beside.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

namespace fs = std::filesystem;

// Of each file its size and when it was written.
std::map<std::string, std::pair<uint64_t, fs::file_time_type>> Listing(const std::string& directory,
                                                                       std::error_code* error) {
  std::map<std::string, std::pair<uint64_t, fs::file_time_type>> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    std::error_code gone;
    const fs::file_time_type written = entry.last_write_time(gone);
    const uint64_t size = gone || entry.is_directory(gone) ? 0 : entry.file_size(gone);
    if (gone) *error = gone;
    files[entry.path().filename()] = {size, written};
  }
  return files;
}

// What a kill of the process leaves of `directory`: its files as they are, in a directory of their
// own. Empty when that fails. Nothing may be written meanwhile but by the engine's own threads: a
// copy during which they changed something is of no one moment, and is made again.
std::string FilesAfterAKill(Stage& stage, const std::string& directory) {
  constexpr int kAttempts = 500;
  const std::string copy = stage.NewDirectory();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::error_code error;
    fs::remove_all(copy);
    const auto before = Listing(directory, &error);
    if (!error) fs::copy(directory, copy, fs::copy_options::recursive, error);
    if (!error && Listing(directory, &error) == before && !error) return copy;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  stage.Fail(fmt::format("{} does not come to rest", directory));
  return "";
}

// Log numbers were compared with table names, and a flush claimed more than it held, so that a
// crash after a compaction lost what had been acknowledged.
void CrashAfterCompactionKeepsAcknowledgedWrites(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  const auto engine = stage.Open(options);
  if (engine == nullptr) return;
  Random random(71);
  Contents acknowledged;
  const auto put = [&](int writes) {
    for (int i = 0; i < writes; ++i) {
      const std::string key = fmt::format("key{:03}", random.Below(400));
      acknowledged[key] = random.Bytes(random.Below(150));
      stage.ExpectOk(engine->Put(key, acknowledged[key]), "Put");
    }
  };
  for (int round = 0; round < 4; ++round) {
    put(200);
    stage.ExpectOk(round % 2 == 0 ? engine->Compact() : engine->Flush(), "Compact or Flush");
    put(15);
    stage.ExpectOk(engine->Compact(), "Compact");
    // These are in the log alone.
    put(3 * round);
    if (!stage.has().durable_on_return) stage.ExpectOk(engine->Flush(), "Flush");
    const std::string killed = FilesAfterAKill(stage, options.directory);
    if (stage.failed()) return;
    const auto after = stage.Open(Stage::SmallOptions(killed));
    if (after == nullptr) return;
    stage.ExpectContents(*after, acknowledged);
  }
}

// Compaction dropped tombstones at every level, and deleted values came back from below.
void DeletedKeysStayDeletedThroughCompaction(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  const bool durable = stage.has().durable;
  Contents contents;
  WriteBatch deep;
  for (int i = 0; i < 200; ++i) {
    const std::string key = fmt::format("key{:03}", i);
    deep.Put(key, contents[key] = std::string(100, 'd'));
  }
  stage.ExpectOk(engine->Write(deep), "Write");
  stage.ExpectOk(durable ? engine->Compact() : engine->Flush(), "Compact or Flush");
  for (int i = 0; i < 200; i += 2) {
    const std::string key = fmt::format("key{:03}", i);
    stage.ExpectOk(engine->Delete(key), "Delete");
    contents.erase(key);
  }
  // The tombstones sink step by step, among neighbours that make every step a merge.
  for (int step = 0; step < 5; ++step) {
    stage.ExpectOk(engine->Flush(), "Flush");
    WriteBatch neighbours;
    for (int i = 0; i < 100; ++i) {
      const std::string key = fmt::format("key{:03}+{}", (i * 37) % 200, step);
      neighbours.Put(key, contents[key] = std::string(100, 'n'));
    }
    stage.ExpectOk(engine->Write(neighbours), "Write");
    if (durable && stage.has().ordered) {
      stage.ExpectOk(engine->CompactRange(fmt::format("key{:03}", 40 * step),
                                          fmt::format("key{:03}", 40 * step + 40)),
                     "CompactRange");
    }
    if (!stage.ExpectContents(*engine, contents)) return;
    if (durable && !stage.Reopen(&engine, options)) return;
  }
  if (durable) stage.ExpectOk(engine->Compact(), "Compact");
  stage.ExpectContents(*engine, contents);
}

// Merges went by the second of the clock in which a file was made.
void OrderDoesNotComeFromTheClock(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  std::string newest;
  for (int write = 0; write < 60; ++write) {
    newest = fmt::format("write {}", write);
    stage.ExpectOk(engine->Put("key", newest), "Put");
    // Each version is in a file of its own, all made within moments.
    stage.ExpectOk(engine->Flush(), "Flush");
    stage.ExpectGet(*engine, "key", newest);
    if (stage.has().durable && write % 20 == 19 && !stage.Reopen(&engine, options)) return;
    if (!stage.ExpectContents(*engine, {{"key", newest}})) return;
  }
  stage.ExpectOk(engine->Delete("key"), "Delete");
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectContents(*engine, {});
  if (!stage.has().durable) return;
  stage.ExpectOk(engine->Compact(), "Compact");
  if (stage.Reopen(&engine, options)) stage.ExpectContents(*engine, {});
}

// A block in which everything had expired answered "not found", and the search went on to stale
// values in older tables.
void ExpiredValuesHideOlderOnes(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  constexpr int kKeys = 150;
  const uint64_t soon = stage.composition().unix_millis() + 20;
  WriteBatch stale;
  WriteBatch expiring;
  for (int i = 0; i < kKeys; ++i) {
    stale.Put(fmt::format("key{:03}", i), "stale");
    expiring.Put(fmt::format("key{:03}", i), std::string(100, 'e'), soon);
  }
  stale.Put("other", "kept");
  stage.ExpectOk(engine->Write(stale), "Write");
  stage.ExpectOk(engine->Flush(), "Flush");
  if (stage.has().durable) stage.ExpectOk(engine->Compact(), "Compact");
  stage.ExpectOk(engine->Write(expiring), "Write");
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.composition().advance_millis(40);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kKeys; ++i) {
      stage.ExpectGet(*engine, fmt::format("key{:03}", i), std::nullopt);
    }
    stage.ExpectCount(*engine, "key", 0);
    stage.ExpectContents(*engine, {{"other", "kept"}});
    const auto swapped = engine->CompareAndSet("key000", "stale", "wrong");
    stage.Expect(swapped.ok() && !swapped->swapped, "CompareAndSet finds a stale value");
    if (!stage.has().durable || stage.failed()) return;
    if (round == 0) stage.ExpectOk(engine->Compact(), "Compact");
    if (round == 1 && !stage.Reopen(&engine, options)) return;
  }
}

// Pages were overwritten in place, the root was saved on shutdown only, half a batch was replayed,
// and a value had to fit a page.
void TornBatchesAndAnUnsavedRootAreNoLoss(Stage& stage) {
  constexpr int kBatch = 20;
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  const auto engine = stage.Open(options);
  if (engine == nullptr) return;
  Contents contents;
  for (int i = 0; i < 300; ++i) {
    const std::string key = fmt::format("key{:03}", (i * 7) % 300);
    contents[key] = std::string(i % 50 == 0 ? 40'000 : 60, static_cast<char>('a' + i % 26));
    stage.ExpectOk(engine->Put(key, contents[key]), "Put");
  }
  stage.ExpectOk(engine->Flush(), "Flush");
  const std::string without_close = FilesAfterAKill(stage, options.directory);
  if (stage.failed()) return;
  if (const auto after = stage.Open(Stage::SmallOptions(without_close)); after != nullptr) {
    stage.ExpectContents(*after, contents);
  }
  WriteBatch batch;
  for (int i = 0; i < kBatch; ++i) batch.Put(fmt::format("batch{:02}", i), std::string(50, 'b'));
  stage.ExpectOk(engine->Write(batch), "Write");
  const std::string killed = FilesAfterAKill(stage, options.directory);
  Random random(75);
  for (const fs::directory_entry& entry : fs::directory_iterator(killed)) {
    const uint64_t size = entry.is_regular_file() ? entry.file_size() : 0;
    for (int cut = 0; size > 0 && cut < 6 && !stage.failed(); ++cut) {
      const std::string torn = FilesAfterAKill(stage, killed);
      if (torn.empty()) return;
      fs::resize_file(fs::path(torn) / entry.path().filename(),
                      size - 1 - random.Below(std::min<uint64_t>(size, 1500)));
      const auto after = stage.composition().open(Stage::SmallOptions(torn));
      if (!after.ok()) continue;
      int found = 0;
      bool readable = true;
      for (int i = 0; i < kBatch; ++i) {
        const auto value = Lookup(**after, fmt::format("batch{:02}", i));
        readable = readable && value.ok();
        if (value.ok() && value->has_value()) ++found;
      }
      stage.Expect(!readable || found == 0 || found == kBatch,
                   fmt::format("{} cut: {} of {} entries of a batch are there",
                               entry.path().filename().string(), found, kBatch));
    }
  }
}

// A torn tail was a panic, and a read beside a compaction took its bytes from the wrong offset.
void ReadsBesideCompactionFindTheirValues(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  constexpr uint64_t kKeys = 100;
  // A value says whose it is, and they differ in size, so that a wrong offset shows.
  const auto value_of = [](uint64_t key, int version) {
    return fmt::format("{}/{}/{}", key, version, std::string(key * 3 % 170, 'v'));
  };
  Random random(76);
  const auto put = [&](int version) {
    const uint64_t key = random.Below(kKeys);
    stage.ExpectOk(engine->Put(fmt::format("key{}", key), value_of(key, version)), "Put");
  };
  for (uint64_t key = 0; key < kKeys; ++key) {
    stage.ExpectOk(engine->Put(fmt::format("key{}", key), value_of(key, 0)), "Put");
  }
  RunBeside(
      stage,
      [&](int step) {
        for (int i = 0; i < 10; ++i) put(step);
        if (step % 4 == 3 && stage.has().durable) stage.ExpectOk(engine->Compact(), "Compact");
      },
      [&] {
        for (uint64_t key = 0; key < kKeys; ++key) {
          const auto found = Lookup(*engine, fmt::format("key{}", key));
          if (!stage.ExpectOk(found.status(), "Get beside a compaction")) return;
          stage.Expect(found->has_value() && (*found)->starts_with(fmt::format("{}/", key)) &&
                           (*found)->ends_with("/" + std::string(key * 3 % 170, 'v')),
                       fmt::format("key{} is {}", key, ShowFound(*found)));
        }
      },
      {.steps = 60, .reads = 10});
}

// Two of four engines took an expiry and forgot it.
void ExpiryIsKeptOrRefused(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const PutOptions past{.expires_at = 1};
  for (const char* key : {"put", "write", "cas", "set"}) {
    stage.ExpectOk(engine->Put(key, "old"), "Put");
  }
  WriteBatch batch;
  batch.Put("write", "new", past.expires_at);
  const absl::Status answers[] = {engine->Put("put", "new", past), engine->Write(batch),
                                  engine->CompareAndSet("cas", "old", "new", past).status(),
                                  engine->ExpireAt("set", past.expires_at)};
  for (const absl::Status& answer : answers) {
    stage.ExpectCode(
        answer, stage.has().expiry ? absl::StatusCode::kOk : absl::StatusCode::kInvalidArgument,
        "a write with an expiry");
  }
  if (stage.has().expiry) return (void)stage.ExpectContents(*engine, {});
  stage.ExpectContents(*engine, {{"cas", "old"}, {"put", "old"}, {"set", "old"}, {"write", "old"}});
}

// Put and Delete went past the locks of CompareAndSet.
void CasIsAtomicAgainstPutAndDelete(Stage& stage) {
  constexpr int kRoots = 60;
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  std::atomic<bool> done = false;
  // Appends to whatever it finds; never makes the key.
  std::thread appender([&] {
    while (!done.load()) {
      const auto found = Lookup(*engine, "key");
      if (!stage.ExpectOk(found.status(), "Get")) return;
      if (!found->has_value()) continue;
      const std::string longer = (*found)->size() < 100 ? **found + "+" : **found;
      stage.ExpectOk(engine->CompareAndSet("key", **found, longer).status(), "CompareAndSet");
    }
  });
  for (int root = 0; root < kRoots && !stage.failed(); ++root) {
    const std::string name = fmt::format("root {} ", root);
    stage.ExpectOk(engine->Put("key", name), "Put");
    // Until it has grown, which bounds nothing but the time that is spent here. It sleeps between
    // looks, so that the appender has a processor.
    for (int look = 0; look < 2'000 && !stage.failed(); ++look) {
      const auto found = Lookup(*engine, "key");
      if (!stage.ExpectOk(found.status(), "Get")) break;
      stage.Expect(found->has_value() && (*found)->starts_with(name),
                   fmt::format("after {}was put, {} is there", name, ShowFound(*found)));
      if (found->has_value() && (*found)->size() > name.size() + 1) break;
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    if (root % 2 == 0) continue;
    stage.ExpectOk(engine->Delete("key"), "Delete");
    for (int look = 0; look < 3; ++look) stage.ExpectGet(*engine, "key", std::nullopt);
  }
  done.store(true);
  appender.join();
}

// A replay put all puts before all deletes, and a batch was synced once for each entry.
void BatchKeepsItsOrderInOneSync(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  constexpr int kKeys = 50;
  WriteBatch batch;
  Contents contents;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = fmt::format("key{:02}", i);
    batch.Put(key, "first");
    batch.Delete(key);
    if (i % 2 == 0) batch.Put(key, contents[key] = "last");
  }
  const uint64_t before = engine->Stats().wal_syncs;
  stage.ExpectOk(engine->Write(batch), "Write");
  const uint64_t syncs = engine->Stats().wal_syncs - before;
  stage.Expect(syncs < kKeys, fmt::format("{} syncs for one batch", syncs));
  stage.ExpectContents(*engine, contents);
  if (!stage.has().durable) return;
  for (int round = 0; round < 2; ++round) {
    if (!stage.Reopen(&engine, options)) return;
    stage.ExpectContents(*engine, contents);
    stage.ExpectOk(engine->Compact(), "Compact");
  }
}

constexpr Needs kFiles = {.durable = true, .real_files = true};
constexpr Check kChecks[] = {
    {"Defect01CrashAfterCompactionKeepsAcknowledgedWrites", kFiles,
     CrashAfterCompactionKeepsAcknowledgedWrites},
    {"Defect02DeletedKeysStayDeletedThroughCompaction",
     {},
     DeletedKeysStayDeletedThroughCompaction},
    {"Defect03OrderDoesNotComeFromTheClock", {}, OrderDoesNotComeFromTheClock},
    {"Defect04ExpiredValuesHideOlderOnes", {.expiry = true}, ExpiredValuesHideOlderOnes},
    {"Defect05TornBatchesAndAnUnsavedRootAreNoLoss", kFiles, TornBatchesAndAnUnsavedRootAreNoLoss},
    {"Defect06ReadsBesideCompactionFindTheirValues", {}, ReadsBesideCompactionFindTheirValues},
    {"Defect07ExpiryIsKeptOrRefused", {}, ExpiryIsKeptOrRefused},
    {"Defect09CasIsAtomicAgainstPutAndDelete", {}, CasIsAtomicAgainstPutAndDelete},
    {"Defect10BatchKeepsItsOrderInOneSync", {}, BatchKeepsItsOrderInOneSync},
};

}  // namespace

std::span<const Check> DefectChecks() { return kChecks; }

}  // namespace kv::testing
