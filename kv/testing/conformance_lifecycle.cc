// Flush and Close, and what an engine says of itself.
#include <array>
#include <string>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/list_source.h"

namespace kv::testing {
namespace {

void DescriptorNamesItsParts(Stage& stage) {
  const std::string& text = stage.composition().descriptor;
  stage.Expect(
      text.starts_with('{') && text.ends_with('}') && text.find("\"engine\"") != std::string::npos,
      fmt::format("the descriptor is not a JSON object that names the engine: {}", text));
}

void FlushChangesNothingThatIsSeen(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Flush(), "Flush of an empty store");
  stage.ExpectContents(*engine, {});
  Contents contents;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = fmt::format("key{}", (i * 7 + round) % 30);
      contents[key] = fmt::format("round {} value {}", round, i);
      stage.ExpectOk(engine->Put(key, contents[key]), "Put");
    }
    stage.ExpectOk(engine->Delete(fmt::format("key{}", round)), "Delete");
    contents.erase(fmt::format("key{}", round));
    stage.ExpectContents(*engine, contents);
    stage.ExpectOk(engine->Flush(), "Flush");
    stage.ExpectOk(engine->Flush(), "Flush with nothing to do");
    stage.ExpectContents(*engine, contents);
  }
}

void ClosedEngineRefuses(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  stage.ExpectOk(engine->Close(), "Close");
  constexpr auto kClosed = absl::StatusCode::kFailedPrecondition;
  std::string value = "untouched";
  stage.ExpectCode(engine->Get("key", &value), kClosed, "Get after Close");
  stage.Expect(value == "untouched", "a refused Get leaves the value alone");
  stage.ExpectCode(engine->Put("key", "w"), kClosed, "Put after Close");
  stage.ExpectCode(engine->Put("key", "w", PutOptions{}), kClosed, "Put after Close");
  stage.ExpectCode(engine->Delete("key"), kClosed, "Delete after Close");
  WriteBatch batch;
  batch.Put("key", "w");
  stage.ExpectCode(engine->Write(batch), kClosed, "Write after Close");
  stage.ExpectCode(engine->DeleteRange("a", "z"), kClosed, "DeleteRange after Close");
  ListSource source = ListSource::Of({{"key", "w"}});
  stage.ExpectCode(engine->BulkLoad(source), kClosed, "BulkLoad after Close");
  stage.ExpectCode(engine->CompareAndSet("key", "v", "w").status(), kClosed,
                   "CompareAndSet after Close");
  const std::array<std::string_view, 2> keys = {"key", "absent"};
  std::array<std::string, 2> values;
  std::array<absl::Status, 2> statuses;
  engine->MultiGet(keys, values, statuses);
  for (const absl::Status& status : statuses) {
    stage.ExpectCode(status, kClosed, "MultiGet after Close");
  }
  stage.ExpectCode(engine->Count("").status(), kClosed, "Count after Close");
  stage.ExpectCode(engine->ExpiresAt("key").status(), kClosed, "ExpiresAt after Close");
  if (stage.has().expiry) {
    stage.ExpectCode(engine->ExpireAt("key", kNeverExpires), kClosed, "ExpireAt after Close");
  }
  stage.ExpectCode(engine->Flush(), kClosed, "Flush after Close");
  stage.ExpectCode(engine->Close(), kClosed, "Close after Close");
  // No status to refuse with, but no harm either.
  static_cast<void>(engine->Stats());
  if (stage.has().ordered) {
    const auto cursor = engine->NewCursor();
    cursor->SeekToFirst();
    stage.Expect(!cursor->Valid(), "a cursor of a closed engine is valid");
    stage.ExpectCode(cursor->status(), kClosed, "cursor after Close");
  }
  if (stage.has().durable) {
    stage.ExpectCode(engine->Compact(), kClosed, "Compact after Close");
    stage.ExpectCode(engine->Verify(), kClosed, "Verify after Close");
    stage.ExpectCode(engine->Checkpoint(stage.NewDirectory()), kClosed, "Checkpoint after Close");
    if (stage.has().ordered) {
      stage.ExpectCode(engine->CompactRange("", ""), kClosed, "CompactRange after Close");
    }
  }
}

// Opening and closing in any number leaves nothing behind that the next one trips over.
void ManyStoresAtOnce(Stage& stage) {
  std::vector<std::unique_ptr<AnyEngine>> engines;
  for (int i = 0; i < 4; ++i) {
    engines.push_back(stage.OpenNew());
    if (engines.back() == nullptr) return;
    stage.ExpectOk(engines[static_cast<size_t>(i)]->Put("key", std::to_string(i)), "Put");
  }
  for (int i = 0; i < 4; ++i) {
    stage.ExpectContents(*engines[static_cast<size_t>(i)], {{"key", std::to_string(i)}});
  }
}

constexpr Check kChecks[] = {
    {"DescriptorNamesItsParts", {}, DescriptorNamesItsParts},
    {"FlushChangesNothingThatIsSeen", {}, FlushChangesNothingThatIsSeen},
    {"ClosedEngineRefuses", {}, ClosedEngineRefuses},
    {"ManyStoresAtOnce", {}, ManyStoresAtOnce},
};

}  // namespace

std::span<const Check> LifecycleChecks() { return kChecks; }

}  // namespace kv::testing
