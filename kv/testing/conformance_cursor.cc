// Cursors and snapshots of ordered engines: order, bounds, both directions, isolation.
#include <iterator>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

using namespace std::string_view_literals;

// Keys that share prefixes and are prefixes of each other, binary bytes included.
std::string SomeKey(Random& random) {
  constexpr std::string_view kAlphabet = "ab\0\xff"sv;
  std::string key;
  for (uint64_t length = random.Below(5); length > 0; --length) {
    key.push_back(kAlphabet[random.Below(kAlphabet.size())]);
  }
  return random.OneIn(3) ? "a long shared prefix " + key : key;
}

// Puts and deletes in such numbers that versions and tombstones of one key lie in several places;
// what they leave is in `contents`. In batches, so that a store that syncs each is not all waiting.
void FillAtRandom(Stage& stage, AnyEngine& engine, Random& random, int writes, Contents* contents) {
  WriteBatch batch;
  for (int i = 0; i < writes; ++i) {
    const std::string key = SomeKey(random);
    if (random.OneIn(3)) {
      batch.Delete(key);
      contents->erase(key);
    } else {
      (*contents)[key] = random.Bytes(random.Below(60));
      batch.Put(key, (*contents)[key]);
    }
    if (!random.OneIn(10) && i + 1 < writes) continue;
    stage.ExpectOk(engine.Write(batch), "Write");
    batch.Clear();
    if (random.OneIn(15)) stage.ExpectOk(engine.Flush(), "Flush");
  }
}

// Where a cursor stands next to where the model says it should: an iterator into the live keys.
class CursorModel {
 public:
  CursorModel(const Contents& contents, const CursorBounds& bounds) {
    for (const auto& [key, value] : contents) {
      if (key >= bounds.lower && (bounds.upper.empty() || key < bounds.upper)) {
        live_.emplace(key, value);
      }
    }
    at_ = live_.end();
  }

  bool Valid() const { return at_ != live_.end(); }
  const std::string& key() const { return at_->first; }
  const std::string& value() const { return at_->second; }
  void SeekToFirst() { at_ = live_.begin(); }
  void SeekToLast() { StandBefore(live_.end()); }
  void Seek(std::string_view key) { at_ = live_.lower_bound(key); }
  void SeekForPrev(std::string_view key) { StandBefore(live_.upper_bound(key)); }
  void Next() { ++at_; }
  void Prev() { StandBefore(at_); }

 private:
  void StandBefore(Contents::const_iterator position) {
    at_ = position == live_.begin() ? live_.end() : std::prev(position);
  }

  Contents live_;
  Contents::const_iterator at_;
};

// One random move of both; a description of it.
std::string MoveBoth(Random& random, AnyCursor& cursor, CursorModel& model) {
  // Next and Prev in even numbers, so that the direction switches often.
  const uint64_t choice = model.Valid() ? random.Below(10) : random.Below(4);
  const std::string key = SomeKey(random);
  switch (choice) {
    case 0:
      cursor.SeekToFirst(), model.SeekToFirst();
      return "SeekToFirst";
    case 1:
      cursor.SeekToLast(), model.SeekToLast();
      return "SeekToLast";
    case 2:
      cursor.Seek(key), model.Seek(key);
      return "Seek " + Show(key);
    case 3:
      cursor.SeekForPrev(key), model.SeekForPrev(key);
      return "SeekForPrev " + Show(key);
    case 4:
    case 5:
    case 6:
      cursor.Next(), model.Next();
      return "Next";
    default:
      cursor.Prev(), model.Prev();
      return "Prev";
  }
}

void ExpectWalksAgree(Stage& stage, Random& random, AnyCursor& cursor, CursorModel model, int moves,
                      std::string_view context) {
  stage.Expect(!cursor.Valid(), "a new cursor is valid");
  std::vector<std::string> trail;
  for (int i = 0; i < moves; ++i) {
    trail.push_back(MoveBoth(random, cursor, model));
    const bool agree =
        cursor.Valid() == model.Valid() &&
        (!model.Valid() || (cursor.key() == model.key() && cursor.value() == model.value()));
    if (agree && cursor.status().ok()) continue;
    std::string last_moves;
    for (size_t m = trail.size() < 6 ? 0 : trail.size() - 6; m < trail.size(); ++m) {
      last_moves += " " + trail[m];
    }
    stage.Fail(fmt::format("{}, after{}: the cursor is at {}, expected {} ({})", context,
                           last_moves, cursor.Valid() ? Show(cursor.key()) : "no key",
                           model.Valid() ? Show(model.key()) : "no key",
                           cursor.status().ToString()));
    return;
  }
}

void CursorOfAnEmptyStore(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("deleted", "v"), "Put");
  stage.ExpectOk(engine->Delete("deleted"), "Delete");
  const auto cursor = engine->NewCursor();
  stage.Expect(!cursor->Valid(), "valid before a seek");
  cursor->SeekToFirst();
  stage.Expect(!cursor->Valid(), "valid in an empty store");
  cursor->SeekToLast();
  stage.Expect(!cursor->Valid(), "valid in an empty store");
  cursor->Seek("");
  stage.Expect(!cursor->Valid(), "valid in an empty store");
  cursor->SeekForPrev("z");
  stage.Expect(!cursor->Valid(), "valid in an empty store");
  stage.ExpectOk(cursor->status(), "status");
}

void CursorSeeksAndTurns(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  for (const std::string_view key : {"b", "d", "f"}) {
    stage.ExpectOk(engine->Put(key, "old"), "Put");
    stage.ExpectOk(engine->Put(key, "new"), "Put");
  }
  stage.ExpectOk(engine->Put("c", "deleted"), "Put");
  stage.ExpectOk(engine->Delete("c"), "Delete");
  const auto expect_at = [&](const AnyCursor& cursor, std::string_view key,
                             Stage::Location where = Stage::Location::current()) {
    stage.Expect(cursor.Valid() && cursor.key() == key && cursor.value() == "new",
                 fmt::format("expected to stand on {}, is on {}", key,
                             cursor.Valid() ? Show(cursor.key()) : "no key"),
                 where);
  };
  const auto cursor = engine->NewCursor();
  cursor->Seek("b"), expect_at(*cursor, "b");
  cursor->Seek("c"), expect_at(*cursor, "d");
  cursor->SeekForPrev("c"), expect_at(*cursor, "b");
  cursor->SeekForPrev("d"), expect_at(*cursor, "d");
  // Back and forth around the deleted key.
  cursor->Prev(), expect_at(*cursor, "b");
  cursor->Next(), expect_at(*cursor, "d");
  cursor->Prev(), expect_at(*cursor, "b");
  cursor->Next(), expect_at(*cursor, "d");
  cursor->Next(), expect_at(*cursor, "f");
  cursor->Prev(), expect_at(*cursor, "d");
  cursor->SeekForPrev("a");
  stage.Expect(!cursor->Valid(), "a key before the first");
  cursor->Seek("g");
  stage.Expect(!cursor->Valid(), "a key after the last");
  // Off either end, and on again.
  cursor->SeekToLast(), expect_at(*cursor, "f");
  cursor->Next();
  stage.Expect(!cursor->Valid(), "valid past the last key");
  cursor->SeekToFirst(), expect_at(*cursor, "b");
  cursor->Prev();
  stage.Expect(!cursor->Valid(), "valid before the first key");
  stage.ExpectOk(cursor->status(), "status");
}

void CursorKeepsItsBounds(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  for (const std::string_view key : {"a", "b", "c", "d", "e"}) {
    stage.ExpectOk(engine->Put(key, "v"), "Put");
  }
  const auto keys = [&](const CursorBounds& bounds) {
    std::string forward;
    std::string backward;
    const auto cursor = engine->NewCursor(bounds);
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) forward += cursor->key();
    for (cursor->SeekToLast(); cursor->Valid(); cursor->Prev()) backward += cursor->key();
    stage.Expect(std::string(backward.rbegin(), backward.rend()) == forward,
                 fmt::format("forward {}, backward {}", forward, backward));
    return forward;
  };
  stage.Expect(keys({}) == "abcde", "no bounds");
  stage.Expect(keys({.lower = "b", .upper = "d"}) == "bc", "upper is excluded, lower is not");
  stage.Expect(keys({.lower = "b", .upper = ""}) == "bcde", "no upper bound");
  stage.Expect(keys({.lower = "", .upper = "c"}) == "ab", "no lower bound");
  stage.Expect(keys({.lower = "bb", .upper = "dd"}) == "cd", "bounds between keys");
  stage.Expect(keys({.lower = "c", .upper = "c"}).empty(), "equal bounds");
  stage.Expect(keys({.lower = "x", .upper = "z"}).empty(), "bounds past the last key");
  // Seeks go no further than the bounds.
  const auto cursor = engine->NewCursor({.lower = "b", .upper = "d"});
  cursor->Seek("a");
  stage.Expect(cursor->Valid() && cursor->key() == "b", "Seek below the lower bound");
  cursor->Seek("d");
  stage.Expect(!cursor->Valid(), "Seek at the upper bound");
  cursor->SeekForPrev("z");
  stage.Expect(cursor->Valid() && cursor->key() == "c", "SeekForPrev above the upper bound");
  cursor->SeekForPrev("a");
  stage.Expect(!cursor->Valid(), "SeekForPrev below the lower bound");
}

void CursorWalksAtRandom(Stage& stage) {
  for (uint64_t seed = 1; seed <= 4 && !stage.failed(); ++seed) {
    const auto engine = stage.OpenNew();
    if (engine == nullptr) return;
    Random random(seed);
    Contents contents;
    FillAtRandom(stage, *engine, random, 1200, &contents);
    for (int walk = 0; walk < 12; ++walk) {
      CursorBounds bounds;
      if (!random.OneIn(3)) bounds.lower = SomeKey(random);
      if (!random.OneIn(3)) bounds.upper = SomeKey(random);
      const auto cursor = engine->NewCursor(bounds);
      ExpectWalksAgree(
          stage, random, *cursor, CursorModel(contents, bounds), 300,
          fmt::format("seed {}, bounds [{}, {})", seed, Show(bounds.lower), Show(bounds.upper)));
    }
  }
}

// Cursors and snapshots taken along the way still show their own state after everything was
// overwritten, deleted, flushed and compacted under them.
void CursorsAndSnapshotsAreIsolated(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  Random random(11);
  struct Moment {
    Contents contents;
    std::unique_ptr<AnySnapshot> snapshot;
    std::unique_ptr<AnyCursor> cursor;
  };
  std::vector<Moment> moments;
  Contents contents;
  for (int i = 0; i < 6; ++i) {
    FillAtRandom(stage, *engine, random, 300, &contents);
    moments.push_back({contents, engine->TakeSnapshot(), engine->NewCursor()});
    // Half of the cursors stand in the middle while the store changes.
    if (i % 2 == 0) moments.back().cursor->Seek("a");
  }
  FillAtRandom(stage, *engine, random, 300, &contents);
  for (const Moment& moment : moments) {
    for (const auto& [key, value] : moment.contents) {
      if (random.OneIn(2)) {
        stage.ExpectOk(engine->Delete(key), "Delete");
        contents.erase(key);
      }
    }
  }
  stage.ExpectOk(engine->Flush(), "Flush");
  if (stage.has().durable) stage.ExpectOk(engine->Compact(), "Compact");
  for (size_t i = 0; i < moments.size(); ++i) {
    Moment& moment = moments[i];
    const auto by_cursor = Scan(*moment.cursor);
    stage.Expect(by_cursor.ok() && *by_cursor == moment.contents,
                 fmt::format("cursor {} sees later writes", i));
    const auto of_snapshot = engine->NewCursor({}, moment.snapshot.get());
    ExpectWalksAgree(stage, random, *of_snapshot, CursorModel(moment.contents, {}), 200,
                     fmt::format("snapshot {}", i));
    for (int look = 0; look < 200; ++look) {
      const std::string key = SomeKey(random);
      std::string value;
      const absl::Status status = engine->Get(key, &value, *moment.snapshot);
      const auto it = moment.contents.find(key);
      const bool same = it == moment.contents.end() ? absl::IsNotFound(status)
                                                    : status.ok() && value == it->second;
      stage.Expect(same, fmt::format("snapshot {} answers {} {} for {}", i, status.ToString(),
                                     Show(value), Show(key)));
    }
  }
  stage.ExpectContents(*engine, contents);
}

void SnapshotOutlivesManyVersions(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("key", "0"), "Put");
  stage.ExpectOk(engine->Put("deleted later", "x"), "Put");
  const auto snapshot = engine->TakeSnapshot();
  for (int i = 1; i <= 300; ++i) {
    WriteBatch batch;
    batch.Put("key", std::to_string(i));
    batch.Put(fmt::format("filler{}", i), std::string(200, 'f'));
    stage.ExpectOk(engine->Write(batch), "Write");
  }
  stage.ExpectOk(engine->Delete("deleted later"), "Delete");
  stage.ExpectOk(engine->Flush(), "Flush");
  std::string value;
  stage.ExpectOk(engine->Get("key", &value, *snapshot), "Get in a snapshot");
  stage.Expect(value == "0", "a snapshot sees a later write");
  stage.ExpectOk(engine->Get("deleted later", &value, *snapshot), "Get in a snapshot");
  stage.ExpectCode(engine->Get("filler1", &value, *snapshot), absl::StatusCode::kNotFound,
                   "Get in a snapshot");
  stage.ExpectGet(*engine, "key", "300");
}

constexpr Needs kOrdered = {.ordered = true};
constexpr Check kChecks[] = {
    {"CursorOfAnEmptyStore", kOrdered, CursorOfAnEmptyStore},
    {"CursorSeeksAndTurns", kOrdered, CursorSeeksAndTurns},
    {"CursorKeepsItsBounds", kOrdered, CursorKeepsItsBounds},
    {"CursorWalksAtRandom", kOrdered, CursorWalksAtRandom},
    {"CursorsAndSnapshotsAreIsolated", kOrdered, CursorsAndSnapshotsAreIsolated},
    {"SnapshotOutlivesManyVersions", kOrdered, SnapshotOutlivesManyVersions},
};

}  // namespace

std::span<const Check> CursorChecks() { return kChecks; }

}  // namespace kv::testing
