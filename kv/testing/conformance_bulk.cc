// BulkLoad: puts out of a sorted source, in order, durable on return, and beside other calls.
//
// Memory order: the default, seq_cst, for the flag that says when a load is over.
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/beside.h"
#include "kv/testing/conformance.h"
#include "kv/testing/list_source.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

Contents SomeContents(uint64_t seed, int keys, size_t value_bytes) {
  Random random(seed);
  Contents contents;
  for (int i = 0; i < keys; ++i) {
    contents[fmt::format("key{:05}", random.Below(100'000))] =
        random.Bytes(random.Below(value_bytes));
  }
  return contents;
}

// What is there of `entries` in `engine`, which held nothing else, is a prefix of them.
void ExpectPrefix(Stage& stage, AnyEngine& engine, const std::vector<ListSource::Entry>& entries) {
  const auto count = engine.Count("");
  if (!stage.ExpectOk(count.status(), "Count")) return;
  if (!stage.Expect(*count <= entries.size(), "there is more than the sound entries")) return;
  Contents prefix;
  for (size_t i = 0; i < *count; ++i) prefix[entries[i].key] = entries[i].value;
  stage.ExpectContents(engine, prefix);
}

void BulkLoadPutsEverything(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  ListSource nothing(std::vector<ListSource::Entry>{});
  stage.ExpectOk(engine->BulkLoad(nothing), "BulkLoad of nothing");
  stage.ExpectContents(*engine, {});
  Contents contents = SomeContents(91, 3000, 150);
  contents[""] = "the empty key";
  contents[std::string("\0", 1)] = "";
  contents["\xff\xff"] = std::string(70'000, 'l');
  ListSource source = ListSource::Of(contents);
  stage.ExpectOk(engine->BulkLoad(source), "BulkLoad");
  stage.Expect(!source.Valid(), "the source was not read to its end");
  stage.ExpectContents(*engine, contents);
  if (!stage.has().durable) return;
  stage.ExpectOk(engine->Verify(), "Verify");
  if (!stage.Reopen(&engine, options)) return;
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->Compact(), "Compact");
  stage.ExpectContents(*engine, contents);
}

void BulkLoadBeginsWhereTheSourceStands(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  // What comes before is none of the load's business, its order neither.
  ListSource source(std::vector<ListSource::Entry>{{"z", "skipped"}, {"a", "1"}, {"b", "2"}});
  source.Next();
  stage.ExpectOk(engine->BulkLoad(source), "BulkLoad");
  stage.ExpectContents(*engine, {{"a", "1"}, {"b", "2"}});
}

// The loaded value is newer than what is there, in memory or on disk, and older than what follows.
void BulkLoadGoesOverWhatIsThere(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  Contents contents;
  for (int round = 0; round < 4; ++round) {
    WriteBatch batch;
    for (int i = 0; i < 60; ++i) {
      const std::string key = fmt::format("k{:03}", (i * 7 + round * 13) % 200);
      batch.Put(key, contents[key] = fmt::format("put in round {}", round));
    }
    batch.Delete("k100");
    contents.erase("k100");
    stage.ExpectOk(engine->Write(batch), "Write");
    if (round % 2 == 1) stage.ExpectOk(engine->Flush(), "Flush");
    if (round == 3 && stage.has().durable) stage.ExpectOk(engine->Compact(), "Compact");
    if (round == 2) {
      stage.ExpectOk(engine->DeleteRange("k050", "k150"), "DeleteRange");
      contents.erase(contents.lower_bound("k050"), contents.lower_bound("k150"));
    }
    std::vector<ListSource::Entry> entries;
    for (int i = round; i < 200; i += 3) {
      const std::string key = fmt::format("k{:03}", i);
      entries.push_back({key, contents[key] = fmt::format("loaded in round {}", round)});
    }
    ListSource source(entries);
    stage.ExpectOk(engine->BulkLoad(source), "BulkLoad");
    stage.ExpectContents(*engine, contents);
    for (const char* key : {"k000", "k001", "k002"}) {
      stage.ExpectOk(engine->Put(key, contents[key] = fmt::format("after round {}", round)), "Put");
    }
    stage.ExpectOk(engine->Delete("k003"), "Delete");
    contents.erase("k003");
    stage.ExpectContents(*engine, contents);
    if (stage.has().durable && !stage.Reopen(&engine, options)) return;
    stage.ExpectContents(*engine, contents);
  }
}

void BulkLoadRefusesDisorder(Stage& stage) {
  for (const std::string bad : {"c", "b", "a", ""}) {
    const auto engine = stage.OpenNew();
    if (engine == nullptr) return;
    const std::vector<ListSource::Entry> sound = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
    std::vector<ListSource::Entry> entries = sound;
    entries.push_back({bad, "out of order"});
    entries.push_back({"d", "4"});
    ListSource source(entries);
    const absl::Status status = engine->BulkLoad(source);
    stage.ExpectCode(status, kInvalid, fmt::format("BulkLoad of {} after \"c\"", Show(bad)));
    stage.Expect(
        status.ToString().find("\"" + bad + "\"") != std::string::npos,
        fmt::format("the error does not name the key {}: {}", Show(bad), status.ToString()));
    ExpectPrefix(stage, *engine, sound);
    // It goes on as if nothing had been.
    stage.ExpectOk(engine->DeleteRange("", ""), "DeleteRange");
    ListSource again(sound);
    stage.ExpectOk(engine->BulkLoad(again), "BulkLoad of the sound entries");
    stage.ExpectContents(*engine, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  }
}

// Late enough that much has been written out when it comes.
void AFailedBulkLoadLeavesAPrefix(Stage& stage) {
  const Contents contents = SomeContents(92, 1500, 200);
  std::vector<ListSource::Entry> sound;
  for (const auto& [key, value] : contents) sound.push_back({key, value});
  const auto expect = [&](ListSource source, absl::StatusCode code, std::string_view what) {
    const Options options = Stage::SmallOptions(stage.NewDirectory());
    auto engine = stage.Open(options);
    if (engine == nullptr) return;
    stage.ExpectCode(engine->BulkLoad(source), code, what);
    ExpectPrefix(stage, *engine, sound);
    if (!stage.has().durable || !stage.Reopen(&engine, options)) return;
    ExpectPrefix(stage, *engine, sound);
  };
  expect(ListSource(sound, absl::DataLossError("the source is damaged")),
         absl::StatusCode::kDataLoss, "BulkLoad from a source that fails");
  std::vector<ListSource::Entry> entries = sound;
  entries.push_back({std::string(kMaxKeyBytes + 1, 'z'), "too long"});
  expect(ListSource(entries), kInvalid, "BulkLoad of a key that is too long");
  entries = sound;
  entries.push_back({"key", "before the first"});
  expect(ListSource(entries), kInvalid, "BulkLoad out of order");
}

void BulkLoadKeepsExpiry(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const uint64_t later = stage.composition().unix_millis() + 3'600'000;
  stage.ExpectOk(engine->Put("b", "under what expired"), "Put");
  stage.ExpectOk(engine->Put("c", "under", {.expires_at = later}), "Put");
  ListSource source({{"a", "1", later}, {"b", "2", 1}, {"c", "3"}});
  stage.ExpectOk(engine->BulkLoad(source), "BulkLoad");
  for (int round = 0; round < 2; ++round) {
    stage.ExpectContents(*engine, {{"a", "1"}, {"c", "3"}});
    for (const auto& [key, expected] : {std::pair("a", later), std::pair("c", uint64_t{0})}) {
      const auto found = engine->ExpiresAt(key);
      stage.Expect(found.ok() && *found == expected, fmt::format("{} has another expiry", key));
    }
    stage.ExpectOk(engine->Flush(), "Flush");
  }
}

void BulkLoadRefusesExpiryWhereItIsMissing(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const uint64_t later = stage.composition().unix_millis() + 3'600'000;
  ListSource source({{"a", "1"}, {"b", "2", later}});
  stage.ExpectCode(engine->BulkLoad(source), kInvalid, "BulkLoad of an entry that expires");
  ExpectPrefix(stage, *engine, {{"a", "1"}});
}

// A cursor is a source: of another store, with its bounds, from where it stands.
void BulkLoadFromACursor(Stage& stage) {
  const auto from = stage.OpenNew();
  const auto to = stage.OpenNew();
  if (from == nullptr || to == nullptr) return;
  Contents contents = SomeContents(93, 800, 100);
  WriteBatch batch;
  for (const auto& [key, value] : contents) batch.Put(key, value);
  stage.ExpectOk(from->Write(batch), "Write");
  const auto cursor = from->NewCursor({.lower = "key2", .upper = "key7"});
  cursor->Seek("key3");
  stage.ExpectOk(from->DeleteRange("", ""), "DeleteRange");
  stage.ExpectOk(to->BulkLoad(*cursor), "BulkLoad from a cursor");
  contents.erase(contents.begin(), contents.lower_bound("key3"));
  contents.erase(contents.lower_bound("key7"), contents.end());
  stage.ExpectContents(*to, contents);
}

void SnapshotsDoNotSeeALaterBulkLoad(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("b", "before"), "Put");
  const auto snapshot = engine->TakeSnapshot();
  const auto cursor = engine->NewCursor();
  Contents loaded = SomeContents(94, 500, 100);
  loaded["b"] = "after";
  ListSource source = ListSource::Of(loaded);
  stage.ExpectOk(engine->BulkLoad(source), "BulkLoad");
  for (int round = 0; round < 2; ++round) {
    std::string value;
    stage.ExpectOk(engine->Get("b", &value, *snapshot), "Get in a snapshot");
    stage.Expect(value == "before", "a snapshot sees a load that came later");
    const auto seen = Scan(*engine->NewCursor({}, snapshot.get()));
    stage.Expect(seen.ok() && *seen == Contents{{"b", "before"}},
                 "a cursor of a snapshot sees a load that came later");
    stage.ExpectContents(*engine, loaded);
    if (stage.has().durable) stage.ExpectOk(engine->Compact(), "Compact");
  }
  const auto seen = Scan(*cursor);
  stage.Expect(seen.ok() && *seen == Contents{{"b", "before"}},
               "a cursor sees a load that came later");
}

// Without Close, and also where the commit policy promises nothing.
void BulkLoadIsDurableOnReturn(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  Contents contents;
  for (uint64_t round = 0; round < 3; ++round) {
    const auto engine = stage.Open(options);
    if (engine == nullptr) return;
    stage.ExpectContents(*engine, contents);
    const Contents loaded = SomeContents(95 + round, 300, 100);
    for (const auto& [key, value] : loaded) contents[key] = value;
    ListSource source = ListSource::Of(loaded);
    stage.ExpectOk(engine->BulkLoad(source), "BulkLoad");
  }
}

// Readers beside a load see a prefix of it at any time; a writer's keys among the loaded ones go
// forward: what it was told is written stays, unless the loaded value came after it.
void BulkLoadBesideReadersAndWriters(Stage& stage) {
  constexpr int kKeys = 300;
  const auto key_of = [](int i) { return fmt::format("load/{:03}", i); };
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  for (int load = 0; load < 4 && !stage.failed(); ++load) {
    stage.ExpectOk(engine->DeleteRange("load/", "load0"), "DeleteRange");
    std::vector<ListSource::Entry> entries;
    for (int i = 0; i < kKeys; ++i) entries.push_back({key_of(i), std::string(100, 'l')});
    std::atomic<bool> loading = true;
    std::thread loader([&] {
      ListSource source(entries);
      stage.ExpectOk(engine->BulkLoad(source), "BulkLoad");
      loading.store(false);
    });
    std::string last;
    RunBeside(
        stage,
        [&](int number) {
          last = fmt::format("{:08}", load * 1'000'000 + number);
          stage.ExpectOk(engine->Put("among", last), "Put");
          stage.ExpectGet(*engine, "among", last);
          stage.ExpectOk(engine->Put(key_of(kKeys / 2), last), "Put");
          const auto found = Lookup(*engine, key_of(kKeys / 2));
          if (!stage.ExpectOk(found.status(), "Get")) return;
          stage.Expect(*found == last || *found == entries[0].value,
                       fmt::format("after {} was put, {} is found", last, ShowFound(*found)));
        },
        [&] {
          // From the last to the first: once one is there, those before it are.
          bool there = false;
          for (int i = kKeys - 1; i >= 0; i -= 7) {
            if (i == kKeys / 2) continue;
            const auto found = Lookup(*engine, key_of(i));
            if (!stage.ExpectOk(found.status(), "Get")) return;
            stage.Expect(!there || found->has_value(),
                         "a later entry of a load is there and an earlier one is not");
            there = there || found->has_value();
          }
        },
        {.steps = 100, .reads = 10});
    loader.join();
    stage.Expect(!loading.load(), "the load did not end");
    for (int i = 0; i < kKeys; ++i) {
      if (i != kKeys / 2) stage.ExpectGet(*engine, key_of(i), entries[0].value);
    }
    const auto found = Lookup(*engine, key_of(kKeys / 2));
    stage.Expect(found.ok() && (*found == last || *found == entries[0].value),
                 "the writer's last value is gone");
    stage.ExpectGet(*engine, "among", last);
  }
}

constexpr Needs kOrdered = {.ordered = true};
constexpr Check kChecks[] = {
    {"BulkLoadPutsEverything", {}, BulkLoadPutsEverything},
    {"BulkLoadBeginsWhereTheSourceStands", {}, BulkLoadBeginsWhereTheSourceStands},
    {"BulkLoadGoesOverWhatIsThere", {}, BulkLoadGoesOverWhatIsThere},
    {"BulkLoadRefusesDisorder", {}, BulkLoadRefusesDisorder},
    {"AFailedBulkLoadLeavesAPrefix", {}, AFailedBulkLoadLeavesAPrefix},
    {"BulkLoadKeepsExpiry", {.expiry = true}, BulkLoadKeepsExpiry},
    {"BulkLoadRefusesExpiryWhereItIsMissing",
     {.no_expiry = true},
     BulkLoadRefusesExpiryWhereItIsMissing},
    {"BulkLoadFromACursor", kOrdered, BulkLoadFromACursor},
    {"SnapshotsDoNotSeeALaterBulkLoad", kOrdered, SnapshotsDoNotSeeALaterBulkLoad},
    {"BulkLoadIsDurableOnReturn", {.durable = true}, BulkLoadIsDurableOnReturn},
    {"BulkLoadBesideReadersAndWriters", {}, BulkLoadBesideReadersAndWriters},
};

}  // namespace

std::span<const Check> BulkChecks() { return kChecks; }

}  // namespace kv::testing
