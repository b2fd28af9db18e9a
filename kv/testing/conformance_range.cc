// DeleteRange: every key from the one bound up to the other, at one instant, and nothing else.
#include <algorithm>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/beside.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

void EraseRange(Contents* contents, std::string_view begin, std::string_view end) {
  std::erase_if(*contents, [&](const auto& entry) {
    return entry.first >= begin && (end.empty() || entry.first < end);
  });
}

// Puts of `contents`, in one batch.
void PutAll(Stage& stage, AnyEngine& engine, const Contents& contents) {
  WriteBatch batch;
  for (const auto& [key, value] : contents) batch.Put(key, value);
  stage.ExpectOk(engine.Write(batch), "Write");
}

void DeleteRangeKeepsItsBounds(Stage& stage) {
  const std::string nul("\0", 1);
  const Contents contents = {{"", "0"},       {nul, "1"},       {"a", "2"}, {"b", "3"},
                             {"b" + nul, ""}, {"ba", "5"},      {"c", "6"}, {"c" + nul, ""},
                             {"\xff", "8"},   {"\xff\xff", "9"}};
  const std::string bounds[] = {"", nul, "a", "b", "b" + nul, "bb", "c", "\xff", "\xff\xff\xff"};
  for (const std::string& begin : bounds) {
    for (const std::string& end : bounds) {
      const auto engine = stage.OpenNew();
      if (engine == nullptr) return;
      PutAll(stage, *engine, contents);
      stage.ExpectOk(engine->DeleteRange(begin, end), "DeleteRange");
      Contents left = contents;
      EraseRange(&left, begin, end);
      if (!stage.ExpectContents(*engine, left)) {
        return stage.Fail(fmt::format("after DeleteRange [{}, {})", Show(begin), Show(end)));
      }
    }
  }
}

void DeleteRangeOfNothing(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->DeleteRange("", ""), "DeleteRange of an empty store");
  stage.ExpectContents(*engine, {});
  const Contents contents = {{"a", "1"}, {"c", "3"}};
  PutAll(stage, *engine, contents);
  for (int round = 0; round < 2; ++round) {
    stage.ExpectOk(engine->DeleteRange("a", "a"), "DeleteRange that ends where it begins");
    stage.ExpectOk(engine->DeleteRange("c", "a"), "DeleteRange that ends before it begins");
    stage.ExpectOk(engine->DeleteRange("b", "c"), "DeleteRange between two keys");
    stage.ExpectOk(engine->DeleteRange("d", ""), "DeleteRange behind all keys");
    stage.ExpectContents(*engine, contents);
    stage.ExpectOk(engine->Flush(), "Flush");
  }
}

void DeleteRangeRefusesLongBounds(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const std::string longest(kMaxKeyBytes, 'k');
  const Contents contents = {{"a", "1"}, {longest, "2"}};
  PutAll(stage, *engine, contents);
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  stage.ExpectCode(engine->DeleteRange(longest + "k", ""), kInvalid, "DeleteRange, begin too long");
  stage.ExpectCode(engine->DeleteRange("", longest + "k"), kInvalid, "DeleteRange, end too long");
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->DeleteRange("b", longest), "DeleteRange up to the longest key");
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->DeleteRange(longest, ""), "DeleteRange from the longest key on");
  stage.ExpectContents(*engine, {{"a", "1"}});
}

void DeletedRangeIsAbsentForEveryCall(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  PutAll(stage, *engine, {{"r/1", "old"}, {"r/2", "old"}, {"s", "kept"}});
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectOk(engine->DeleteRange("r/", "r0"), "DeleteRange");
  for (const char* key : {"r/1", "r/2"}) stage.ExpectGet(*engine, key, std::nullopt);
  stage.ExpectGet(*engine, "s", "kept");
  stage.ExpectCount(*engine, "r/", 0);
  stage.ExpectCount(*engine, "", 1);
  const std::vector<std::string_view> keys = {"r/1", "s", "r/2"};
  std::vector<std::string> values(3);
  std::vector<absl::Status> statuses(3);
  engine->MultiGet(keys, values, statuses);
  stage.Expect(absl::IsNotFound(statuses[0]) && absl::IsNotFound(statuses[2]) && statuses[1].ok() &&
                   values[1] == "kept",
               "MultiGet finds what a range delete took, or not what it left");
  stage.ExpectCode(engine->ExpiresAt("r/1").status(), absl::StatusCode::kNotFound, "ExpiresAt");
  if (stage.has().expiry) {
    stage.ExpectCode(engine->ExpireAt("r/1", kNeverExpires), absl::StatusCode::kNotFound,
                     "ExpireAt");
  }
  const auto wrong = engine->CompareAndSet("r/1", "old", "new");
  stage.Expect(wrong.ok() && !wrong->swapped && !wrong->current,
               "CompareAndSet finds what a range delete took");
  const auto right = engine->CompareAndSet("r/2", std::nullopt, "new");
  stage.Expect(right.ok() && right->swapped, "CompareAndSet does not find the key absent");
  stage.ExpectContents(*engine, {{"r/2", "new"}, {"s", "kept"}});
}

// Flush, compaction and reopening move the pieces about; what is seen stays.
template <typename Look>
void ThroughEveryPlace(Stage& stage, std::unique_ptr<AnyEngine>* engine, const Options& options,
                       Look look) {
  look();
  stage.ExpectOk((*engine)->Flush(), "Flush");
  look();
  if (!stage.has().durable) return;
  if (!stage.Reopen(engine, options)) return;
  look();
  stage.ExpectOk((*engine)->Compact(), "Compact");
  look();
  stage.ExpectOk((*engine)->Verify(), "Verify");
  if (!stage.Reopen(engine, options)) return;
  look();
}

void PutsIntoADeletedRangeAreSeen(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  Contents contents;
  for (int i = 0; i < 100; ++i) contents[fmt::format("k{:02}", i)] = "old";
  PutAll(stage, *engine, contents);
  const auto look = [&] {
    if (engine != nullptr) stage.ExpectContents(*engine, contents);
  };
  ThroughEveryPlace(stage, &engine, options, look);
  // The hole's newest neighbour is in the memtable, in a table above, or in the same one.
  for (const bool flush_between : {false, true}) {
    if (engine == nullptr) return;
    stage.ExpectOk(engine->DeleteRange("k20", "k80"), "DeleteRange");
    EraseRange(&contents, "k20", "k80");
    look();
    if (flush_between) stage.ExpectOk(engine->Flush(), "Flush");
    for (const char* key : {"k20", "k50", "k79", "k80"}) {
      contents[key] = fmt::format("new {}", flush_between);
      stage.ExpectOk(engine->Put(key, contents[key]), "Put");
    }
    ThroughEveryPlace(stage, &engine, options, look);
    if (engine == nullptr) return;
    stage.ExpectOk(engine->Delete("k50"), "Delete");
    contents.erase("k50");
    ThroughEveryPlace(stage, &engine, options, look);
  }
}

void DeleteRangeTakesExpiringKeys(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  const uint64_t later = stage.composition().unix_millis() + 3'600'000;
  stage.ExpectOk(engine->Put("a", "1", {.expires_at = later}), "Put");
  stage.ExpectOk(engine->Put("b", "under", {}), "Put");
  stage.ExpectOk(engine->Put("b", "expired", {.expires_at = 1}), "Put");
  stage.ExpectOk(engine->Put("c", "3", {.expires_at = later}), "Put");
  stage.ExpectOk(engine->DeleteRange("", "c"), "DeleteRange");
  stage.ExpectOk(engine->Put("a", "again"), "Put");
  ThroughEveryPlace(stage, &engine, options, [&] {
    if (engine == nullptr) return;
    stage.ExpectContents(*engine, {{"a", "again"}, {"c", "3"}});
    for (const auto& [key, expected] : {std::pair("a", uint64_t{0}), std::pair("c", later)}) {
      const auto found = engine->ExpiresAt(key);
      stage.Expect(found.ok() && *found == expected, fmt::format("{} has another expiry", key));
    }
  });
}

// Snapshots and cursors from before a range delete see what it took; later ones do not.
void SnapshotsOutliveADeletedRange(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  Contents before;
  for (int i = 0; i < 60; ++i) before[fmt::format("k{:02}", i)] = std::string(100, 'b');
  PutAll(stage, *engine, before);
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectOk(engine->Put("k30", before["k30"] = "in the memtable"), "Put");
  const auto old_snapshot = engine->TakeSnapshot();
  const auto old_cursor = engine->NewCursor();
  stage.ExpectOk(engine->DeleteRange("k10", "k50"), "DeleteRange");
  Contents between = before;
  EraseRange(&between, "k10", "k50");
  const auto snapshot = engine->TakeSnapshot();
  Contents after = between;
  for (const char* key : {"k05", "k30", "k55"}) {
    stage.ExpectOk(engine->Put(key, after[key] = "after"), "Put");
  }
  stage.ExpectOk(engine->DeleteRange("k40", "k60"), "DeleteRange");
  EraseRange(&after, "k40", "k60");
  const auto expect_scan = [&](AnyCursor& cursor, const Contents& expected, std::string_view what) {
    const auto seen = Scan(cursor);
    if (stage.ExpectOk(seen.status(), what)) {
      stage.Expect(*seen == expected, fmt::format("{}: other contents", what));
    }
  };
  for (int round = 0; round < 3; ++round) {
    expect_scan(*engine->NewCursor({}, old_snapshot.get()), before, "the snapshot before");
    expect_scan(*engine->NewCursor({}, snapshot.get()), between, "the snapshot between");
    for (const auto& [key, value] : before) {
      std::string found;
      stage.ExpectOk(engine->Get(key, &found, *old_snapshot), "Get in the snapshot before");
      stage.Expect(found == value, "the snapshot before has another value");
      const absl::Status status = engine->Get(key, &found, *snapshot);
      stage.Expect(between.contains(key) ? status.ok() : absl::IsNotFound(status),
                   fmt::format("the snapshot between: {} {}", key, status.ToString()));
    }
    stage.ExpectContents(*engine, after);
    if (round == 0) stage.ExpectOk(engine->Flush(), "Flush");
    if (round == 1 && stage.has().durable) stage.ExpectOk(engine->Compact(), "Compact");
  }
  expect_scan(*old_cursor, before, "the cursor before");
}

// Random puts, deletes and range deletes, with flushes, compactions and reopening in between,
// against a map; cursors walk from random places in both directions.
void RandomRangesAgreeWithAMap(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  Random random(81);
  Contents contents;
  const auto some_key = [&] { return fmt::format("key{:03}", random.Below(300)); };
  for (int round = 0; round < 40 && !stage.failed(); ++round) {
    WriteBatch batch;
    for (int i = 0; i < 60; ++i) {
      const std::string key = some_key();
      batch.Put(key, contents[key] = random.Bytes(random.Below(120)));
    }
    stage.ExpectOk(engine->Write(batch), "Write");
    for (int i = 0; i < 3; ++i) {
      const std::string begin = random.OneIn(8) ? "" : some_key();
      const std::string end = random.OneIn(8)   ? ""
                              : random.OneIn(3) ? some_key()
                                                : fmt::format("{}{}", begin.substr(0, 5), "9");
      stage.ExpectOk(engine->DeleteRange(begin, end), "DeleteRange");
      EraseRange(&contents, begin, end);
      const std::string key = some_key();
      stage.ExpectOk(engine->Put(key, contents[key] = "single"), "Put");
    }
    if (random.OneIn(4)) stage.ExpectOk(engine->Flush(), "Flush");
    if (stage.has().durable && random.OneIn(8)) stage.ExpectOk(engine->Compact(), "Compact");
    if (stage.has().durable && random.OneIn(8) && !stage.Reopen(&engine, options)) return;
    stage.ExpectContents(*engine, contents);
    if (!stage.has().ordered) continue;
    const auto cursor = engine->NewCursor();
    for (int i = 0; i < 20; ++i) {
      const std::string key = some_key();
      auto at = contents.lower_bound(key);
      cursor->Seek(key);
      for (int step = 0; step < 3 && at != contents.end() && cursor->Valid(); ++step, ++at) {
        stage.Expect(cursor->key() == at->first, "a cursor stands elsewhere after Seek and Next");
        cursor->Next();
      }
      stage.Expect(cursor->Valid() == (at != contents.end()), "a cursor ends elsewhere");
      auto back = std::make_reverse_iterator(contents.upper_bound(key));
      cursor->SeekForPrev(key);
      for (int step = 0; step < 3 && back != contents.rend() && cursor->Valid(); ++step, ++back) {
        stage.Expect(cursor->key() == back->first, "a cursor stands elsewhere on its way back");
        cursor->Prev();
      }
      stage.Expect(cursor->Valid() == (back != contents.rend()), "a cursor begins elsewhere");
    }
  }
}

// Batches that put all keys and range deletes that take all of them take turns: MultiGet, Count,
// and a cursor see all or none.
void DeleteRangeTakesEffectAtOnce(Stage& stage) {
  constexpr int kKeys = 40;
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  std::vector<std::string> names;
  for (int i = 0; i < kKeys; ++i) names.push_back(fmt::format("range/{:02}", i));
  const std::vector<std::string_view> keys(names.begin(), names.end());
  RunBeside(
      stage,
      [&](int number) {
        if (number % 2 == 1) {
          return (void)stage.ExpectOk(engine->DeleteRange("range/", "range0"), "DeleteRange");
        }
        WriteBatch batch;
        for (const std::string& name : names) batch.Put(name, "v");
        batch.Put(fmt::format("filler{}", number % 500), std::string(200, 'f'));
        stage.ExpectOk(engine->Write(batch), "Write");
      },
      [&] {
        std::vector<std::string> values(kKeys);
        std::vector<absl::Status> statuses(kKeys);
        engine->MultiGet(keys, values, statuses);
        const auto found = std::ranges::count_if(statuses, [](const auto& s) { return s.ok(); });
        stage.Expect(found == 0 || found == kKeys,
                     fmt::format("MultiGet sees {} keys of a deleted range", found));
        const auto count = engine->Count("range/");
        if (stage.ExpectOk(count.status(), "Count")) {
          stage.Expect(*count == 0 || *count == kKeys,
                       fmt::format("Count sees {} keys of a deleted range", *count));
        }
        if (!stage.has().ordered) return;
        const auto cursor = engine->NewCursor({.lower = "range/", .upper = "range0"});
        int seen = 0;
        for (cursor->SeekToLast(); cursor->Valid(); cursor->Prev()) ++seen;
        stage.Expect(seen == 0 || seen == kKeys,
                     fmt::format("a cursor sees {} keys of a deleted range", seen));
      });
}

constexpr Check kChecks[] = {
    {"DeleteRangeKeepsItsBounds", {}, DeleteRangeKeepsItsBounds},
    {"DeleteRangeOfNothing", {}, DeleteRangeOfNothing},
    {"DeleteRangeRefusesLongBounds", {}, DeleteRangeRefusesLongBounds},
    {"DeletedRangeIsAbsentForEveryCall", {}, DeletedRangeIsAbsentForEveryCall},
    {"PutsIntoADeletedRangeAreSeen", {}, PutsIntoADeletedRangeAreSeen},
    {"DeleteRangeTakesExpiringKeys", {.expiry = true}, DeleteRangeTakesExpiringKeys},
    {"SnapshotsOutliveADeletedRange", {.ordered = true}, SnapshotsOutliveADeletedRange},
    {"RandomRangesAgreeWithAMap", {}, RandomRangesAgreeWithAMap},
    {"DeleteRangeTakesEffectAtOnce", {}, DeleteRangeTakesEffectAtOnce},
};

}  // namespace

std::span<const Check> RangeChecks() { return kChecks; }

}  // namespace kv::testing
