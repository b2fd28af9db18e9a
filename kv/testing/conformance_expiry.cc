// Expiry: from its moment on a key is absent, everywhere and for good; engines without an Expiry
// part refuse it instead of ignoring it.
#include <array>
#include <string>

#include "fmt/format.h"
#include "kv/testing/conformance.h"

namespace kv::testing {
namespace {

constexpr PutOptions kLongAgo = {.expires_at = 1};
constexpr uint64_t kHour = 3'600'000;

uint64_t InAnHour(const Stage& stage) { return stage.composition().unix_millis() + kHour; }

void ExpectExpiresAt(Stage& stage, AnyEngine& engine, std::string_view key, uint64_t expected,
                     Stage::Location where = Stage::Location::current()) {
  const absl::StatusOr<uint64_t> at = engine.ExpiresAt(key);
  if (!stage.ExpectOk(at.status(), fmt::format("ExpiresAt {}", Show(key)), where)) return;
  stage.Expect(*at == expected, fmt::format("{} expires at {}, not {}", Show(key), *at, expected),
               where);
}

void ExpiryIsRefusedWhereItIsMissing(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  const PutOptions later = {.expires_at = InAnHour(stage)};
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  for (const PutOptions& expiring : {later, kLongAgo}) {
    stage.ExpectCode(engine->Put("new", "v", expiring), kInvalid, "Put that expires");
    stage.ExpectCode(engine->CompareAndSet("new", std::nullopt, "v", expiring).status(), kInvalid,
                     "CompareAndSet that expires");
    stage.ExpectCode(engine->ExpireAt("key", expiring.expires_at), kInvalid, "ExpireAt");
    WriteBatch batch;
    batch.Put("beside", "v");
    batch.Put("new", "v", expiring.expires_at);
    stage.ExpectCode(engine->Write(batch), kInvalid, "Write that expires");
  }
  stage.ExpectOk(engine->Put("key", "w", PutOptions{}), "Put that never expires");
  ExpectExpiresAt(stage, *engine, "key", kNeverExpires);
  stage.ExpectCode(engine->ExpiresAt("new").status(), absl::StatusCode::kNotFound, "ExpiresAt");
  stage.ExpectContents(*engine, {{"key", "w"}});
}

void ExpiryIsKept(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const uint64_t later = InAnHour(stage);
  stage.ExpectOk(engine->Put("put", "v", {.expires_at = later}), "Put");
  stage.ExpectOk(
      engine->CompareAndSet("cas", std::nullopt, "v", {.expires_at = later + 1}).status(),
      "CompareAndSet");
  WriteBatch batch;
  batch.Put("batch", "v", later + 2);
  batch.Put("never", "v");
  stage.ExpectOk(engine->Write(batch), "Write");
  const auto expect_all = [&] {
    ExpectExpiresAt(stage, *engine, "put", later);
    ExpectExpiresAt(stage, *engine, "cas", later + 1);
    ExpectExpiresAt(stage, *engine, "batch", later + 2);
    ExpectExpiresAt(stage, *engine, "never", kNeverExpires);
    stage.ExpectContents(*engine, {{"batch", "v"}, {"cas", "v"}, {"never", "v"}, {"put", "v"}});
  };
  expect_all();
  stage.ExpectOk(engine->Flush(), "Flush");
  expect_all();
  stage.ExpectCode(engine->ExpiresAt("absent").status(), absl::StatusCode::kNotFound, "ExpiresAt");
}

void ExpireAtSetsAndClears(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const uint64_t later = InAnHour(stage);
  stage.ExpectCode(engine->ExpireAt("absent", later), absl::StatusCode::kNotFound, "ExpireAt");
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  stage.ExpectOk(engine->ExpireAt("key", later), "ExpireAt");
  ExpectExpiresAt(stage, *engine, "key", later);
  stage.ExpectGet(*engine, "key", "v");
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectOk(engine->ExpireAt("key", kNeverExpires), "ExpireAt");
  ExpectExpiresAt(stage, *engine, "key", kNeverExpires);
  stage.ExpectGet(*engine, "key", "v");
  // A moment in the past takes effect at once.
  stage.ExpectOk(engine->ExpireAt("key", 1), "ExpireAt");
  stage.ExpectContents(*engine, {});
  stage.ExpectCode(engine->ExpireAt("key", later), absl::StatusCode::kNotFound, "ExpireAt");
  stage.ExpectCode(engine->ExpiresAt("key").status(), absl::StatusCode::kNotFound, "ExpiresAt");
}

void OverwritingClearsExpiry(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const PutOptions later = {.expires_at = InAnHour(stage)};
  for (const std::string_view key : {"put", "cas", "batch", "deleted"}) {
    stage.ExpectOk(engine->Put(key, "v", later), "Put");
  }
  stage.ExpectOk(engine->Put("put", "w"), "Put");
  stage.ExpectOk(engine->CompareAndSet("cas", "v", "w").status(), "CompareAndSet");
  WriteBatch batch;
  batch.Put("batch", "w");
  batch.Delete("deleted");
  batch.Put("deleted", "w");
  stage.ExpectOk(engine->Write(batch), "Write");
  for (const std::string_view key : {"put", "cas", "batch", "deleted"}) {
    ExpectExpiresAt(stage, *engine, key, kNeverExpires);
    stage.ExpectGet(*engine, key, "w");
  }
}

// Absent to every call that reads, and to CompareAndSet.
void ExpectAbsentEverywhere(Stage& stage, AnyEngine& engine, std::string_view key) {
  stage.ExpectGet(engine, key, std::nullopt);
  stage.ExpectCount(engine, key, 0);
  const std::array<std::string_view, 2> keys = {key, key};
  std::array<std::string, 2> values;
  std::array<absl::Status, 2> statuses;
  engine.MultiGet(keys, values, statuses);
  for (const absl::Status& status : statuses) {
    stage.ExpectCode(status, absl::StatusCode::kNotFound, "MultiGet of an expired key");
  }
  stage.ExpectCode(engine.ExpiresAt(key).status(), absl::StatusCode::kNotFound,
                   "ExpiresAt of an expired key");
  stage.ExpectCode(engine.ExpireAt(key, kNeverExpires), absl::StatusCode::kNotFound,
                   "ExpireAt of an expired key");
  const auto swap = engine.CompareAndSet(key, "expired", "new");
  if (stage.ExpectOk(swap.status(), "CompareAndSet")) {
    stage.Expect(!swap->swapped && !swap->current.has_value(),
                 "CompareAndSet finds the value of an expired key");
  }
  if (!stage.has().ordered) return;
  const auto cursor = engine.NewCursor();
  cursor->Seek(key);
  stage.Expect(!cursor->Valid() || cursor->key() != key, "a cursor stands on an expired key");
  cursor->SeekForPrev(key);
  stage.Expect(!cursor->Valid() || cursor->key() != key, "a cursor stands on an expired key");
  const auto snapshot = engine.TakeSnapshot();
  std::string value;
  stage.ExpectCode(engine.Get(key, &value, *snapshot), absl::StatusCode::kNotFound,
                   "Get of an expired key in a snapshot");
}

void ExpiredIsAbsentEverywhere(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("before", "1"), "Put");
  stage.ExpectOk(engine->Put("expired key", "expired", kLongAgo), "Put");
  stage.ExpectOk(engine->Put("last", "2"), "Put");
  ExpectAbsentEverywhere(stage, *engine, "expired key");
  stage.ExpectOk(engine->Flush(), "Flush");
  ExpectAbsentEverywhere(stage, *engine, "expired key");
  stage.ExpectContents(*engine, {{"before", "1"}, {"last", "2"}});
  const auto swap = engine->CompareAndSet("expired key", std::nullopt, "fresh");
  stage.Expect(swap.ok() && swap->swapped, "an expired key is absent to CompareAndSet");
  ExpectExpiresAt(stage, *engine, "expired key", kNeverExpires);
  stage.ExpectContents(*engine, {{"before", "1"}, {"expired key", "fresh"}, {"last", "2"}});
}

// The search does not go on to older versions, whether both are in memory, in one table or in two,
// and not after a compaction that drops the expired one.
void ExpiredHidesOlderVersions(Stage& stage) {
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  auto engine = stage.Open(options);
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("memory", "old"), "Put");
  stage.ExpectOk(engine->Put("two tables", "old"), "Put");
  stage.ExpectOk(engine->Put("expire at", "old"), "Put");
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectOk(engine->Put("one table", "old"), "Put");
  stage.ExpectOk(engine->Put("one table", "new", kLongAgo), "Put");
  stage.ExpectOk(engine->Put("two tables", "new", kLongAgo), "Put");
  stage.ExpectOk(engine->ExpireAt("expire at", 1), "ExpireAt");
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectOk(engine->Put("memory", "new", kLongAgo), "Put");
  const auto expect_all = [&] {
    for (const std::string_view key : {"memory", "one table", "two tables", "expire at"}) {
      ExpectAbsentEverywhere(stage, *engine, key);
    }
    stage.ExpectContents(*engine, {});
  };
  expect_all();
  if (!stage.has().durable) return;
  stage.ExpectOk(engine->Compact(), "Compact");
  expect_all();
  if (!stage.Reopen(&engine, options)) return;
  expect_all();
}

void KeysExpireAsTimePasses(Stage& stage) {
  const Composition& composition = stage.composition();
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  // On the machine's clock nothing is asserted about the time before: it may already be over.
  constexpr uint64_t kMillis = 20;
  const uint64_t soon = composition.unix_millis() + kMillis;
  stage.ExpectOk(engine->Put("key", "old"), "Put");
  stage.ExpectOk(engine->Put("key", "expired", {.expires_at = soon}), "Put");
  stage.ExpectOk(engine->Put("stays", "v", {.expires_at = soon + kHour}), "Put");
  if (composition.manual_clock) {
    composition.advance_millis(kMillis - 1);
    stage.ExpectContents(*engine, {{"key", "expired"}, {"stays", "v"}});
    composition.advance_millis(1);
  } else {
    while (composition.unix_millis() < soon) composition.advance_millis(1);
  }
  ExpectAbsentEverywhere(stage, *engine, "key");
  stage.ExpectContents(*engine, {{"stays", "v"}});
  if (!composition.manual_clock) return;
  composition.advance_millis(kHour);
  stage.ExpectContents(*engine, {});
}

constexpr Check kChecks[] = {
    {"ExpiryIsRefusedWhereItIsMissing", {.no_expiry = true}, ExpiryIsRefusedWhereItIsMissing},
    {"ExpiryIsKept", {.expiry = true}, ExpiryIsKept},
    {"ExpireAtSetsAndClears", {.expiry = true}, ExpireAtSetsAndClears},
    {"OverwritingClearsExpiry", {.expiry = true}, OverwritingClearsExpiry},
    {"ExpiredIsAbsentEverywhere", {.expiry = true}, ExpiredIsAbsentEverywhere},
    {"ExpiredHidesOlderVersions", {.expiry = true}, ExpiredHidesOlderVersions},
    {"KeysExpireAsTimePasses", {.expiry = true}, KeysExpireAsTimePasses},
};

}  // namespace

std::span<const Check> ExpiryChecks() { return kChecks; }

}  // namespace kv::testing
