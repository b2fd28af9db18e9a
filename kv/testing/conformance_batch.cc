// Write: all or nothing, in the order in which it was filled.
#include <string>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

void BatchTakesEffectWhole(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("deleted", "old"), "Put");
  WriteBatch batch;
  stage.ExpectOk(engine->Write(batch), "Write of an empty batch");
  batch.Put("a", "1");
  batch.Put("", "empty key");
  batch.Put("b", "");
  batch.Delete("deleted");
  batch.Delete("never there");
  stage.ExpectContents(*engine, {{"deleted", "old"}});
  stage.ExpectOk(engine->Write(batch), "Write");
  const Contents contents = {{"", "empty key"}, {"a", "1"}, {"b", ""}};
  stage.ExpectContents(*engine, contents);
  // The batch is the caller's: it can be written twice, or be refilled.
  stage.ExpectOk(engine->Write(batch), "Write again");
  stage.ExpectContents(*engine, contents);
  batch.Clear();
  stage.ExpectOk(engine->Write(batch), "Write of a cleared batch");
  stage.ExpectContents(*engine, contents);
}

// Of two writes of one key the later in the batch wins: puts do not all go before deletes.
void BatchKeepsItsOrder(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  WriteBatch batch;
  batch.Put("put put", "first");
  batch.Delete("delete put");
  batch.Put("put delete", "first");
  batch.Put("put delete put", "first");
  batch.Put("put put", "second");
  batch.Put("delete put", "second");
  batch.Delete("put delete");
  batch.Delete("put delete put");
  batch.Put("put delete put", "third");
  stage.ExpectOk(engine->Write(batch), "Write");
  const Contents contents = {
      {"delete put", "second"}, {"put delete put", "third"}, {"put put", "second"}};
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectContents(*engine, contents);
}

// A batch over the memtable and over any log block, with random order inside.
void LargeBatch(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  Random random(4);
  Contents contents;
  WriteBatch batch;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = fmt::format("key{}", random.Below(2000));
    if (random.OneIn(4)) {
      batch.Delete(key);
      contents.erase(key);
    } else {
      contents[key] = random.Bytes(random.Below(100));
      batch.Put(key, contents[key]);
    }
  }
  stage.ExpectOk(engine->Write(batch), "Write");
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectContents(*engine, contents);
}

void RefusedBatchHasNoEffect(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("kept", "1"), "Put");
  WriteBatch batch;
  batch.Delete("kept");
  batch.Put("new", "2");
  batch.Put(std::string(kMaxKeyBytes + 1, 'k'), "too long");
  batch.Put("after", "3");
  stage.ExpectCode(engine->Write(batch), absl::StatusCode::kInvalidArgument, "Write");
  stage.ExpectContents(*engine, {{"kept", "1"}});
}

constexpr Check kChecks[] = {
    {"BatchTakesEffectWhole", {}, BatchTakesEffectWhole},
    {"BatchKeepsItsOrder", {}, BatchKeepsItsOrder},
    {"LargeBatch", {}, LargeBatch},
    {"RefusedBatchHasNoEffect", {}, RefusedBatchHasNoEffect},
};

}  // namespace

std::span<const Check> BatchChecks() { return kChecks; }

}  // namespace kv::testing
