// Readers beside writers: each batch is seen whole or not at all, each read sees one state, and
// what was acknowledged is there. Run under ThreadSanitizer for the rest of the story.
//
// Memory order: the default, seq_cst, for the flags and counts that say when to stop.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/beside.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

constexpr int kKeys = 8;

std::string BatchKey(int i) { return fmt::format("batch/{}", i); }

// Sets all of the keys to one number, with a filler that brings flushes about.
void WriteNumberedBatch(Stage& stage, AnyEngine& engine, int number) {
  WriteBatch batch;
  for (int i = 0; i < kKeys; ++i) batch.Put(BatchKey(i), std::to_string(number));
  batch.Put(fmt::format("filler{}", number % 500), std::string(200, 'f'));
  stage.ExpectOk(engine.Write(batch), "Write");
}

void MultiGetSeesWholeBatches(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  std::vector<std::string> names;
  for (int i = 0; i < kKeys; ++i) names.push_back(BatchKey(i));
  const std::vector<std::string_view> keys(names.begin(), names.end());
  RunBeside(
      stage, [&](int number) { WriteNumberedBatch(stage, *engine, number); },
      [&] {
        std::vector<std::string> values(kKeys, "absent");
        std::vector<absl::Status> statuses(kKeys);
        engine->MultiGet(keys, values, statuses);
        for (int i = 0; i < kKeys; ++i) {
          if (!absl::IsNotFound(statuses[i])) stage.ExpectOk(statuses[i], "MultiGet");
          stage.Expect(
              values[i] == values[0],
              fmt::format("MultiGet sees {} beside {} of one batch", values[i], values[0]));
        }
      });
}

void CursorSeesWholeBatches(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  RunBeside(
      stage, [&](int number) { WriteNumberedBatch(stage, *engine, number); },
      [&] {
        const auto cursor = engine->NewCursor({.lower = "batch/", .upper = "batch0"});
        const auto seen = Scan(*cursor);
        if (!stage.ExpectOk(seen.status(), "scan")) return;
        stage.Expect(seen->empty() || seen->size() == kKeys,
                     fmt::format("a cursor sees {} keys of a batch", seen->size()));
        for (const auto& [key, value] : *seen) {
          stage.Expect(value == seen->begin()->second, "a cursor sees two batches in one");
        }
      });
}

void SnapshotSeesWholeBatches(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  RunBeside(
      stage, [&](int number) { WriteNumberedBatch(stage, *engine, number); },
      [&] {
        const auto snapshot = engine->TakeSnapshot();
        std::string first = "absent";
        const absl::Status found = engine->Get(BatchKey(0), &first, *snapshot);
        // Long enough for the writer to come by.
        for (int i = 3 * kKeys; i > 0; --i) {
          std::this_thread::yield();
          std::string value = "absent";
          const absl::Status status = engine->Get(BatchKey(i % kKeys), &value, *snapshot);
          stage.Expect(status.code() == found.code() && value == first,
                       fmt::format("a snapshot sees {} beside {} of one batch", value, first));
        }
      });
}

// Batches that put all keys and batches that delete all keys take turns: Count says all or none.
void CountSeesWholeBatches(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  RunBeside(
      stage,
      [&](int number) {
        WriteBatch batch;
        for (int i = 0; i < kKeys; ++i) {
          if (number % 2 == 0) {
            batch.Put(BatchKey(i), "v");
          } else {
            batch.Delete(BatchKey(i));
          }
        }
        stage.ExpectOk(engine->Write(batch), "Write");
      },
      [&] {
        const absl::StatusOr<uint64_t> count = engine->Count("batch/");
        if (!stage.ExpectOk(count.status(), "Count")) return;
        stage.Expect(*count == 0 || *count == kKeys,
                     fmt::format("Count sees {} keys of a batch", *count));
      });
}

// Each writer owns its keys and reads its own writes; readers see the values of each key in the
// order in which they were written, and in the end every last write is there.
void ReadersSeeEachKeyGoForward(Stage& stage) {
  constexpr int kWriters = 2;
  constexpr int kWrites = 600;
  constexpr int kPasses = 200;  // of a reader over all keys, beside the writers
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const auto key_of = [](uint64_t writer, uint64_t k) { return fmt::format("w{}/{}", writer, k); };
  std::atomic<int> writing = kWriters;
  std::atomic<int> passes = 0;
  std::vector<Contents> last(kWriters);
  std::vector<std::thread> threads;
  for (uint64_t w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      Random random(w + 1);
      for (int number = 1; number <= 50 * kWrites && !stage.failed(); ++number) {
        if (number > kWrites && passes.load() >= kPasses) break;
        const std::string key = key_of(w, random.Below(10));
        const std::string value = fmt::format("{:08}{}", number, std::string(60, 'x'));
        stage.ExpectOk(engine->Put(key, value), "Put");
        last[w][key] = value;
        stage.ExpectGet(*engine, key, value);
        if (number % 200 == 0) stage.ExpectOk(engine->Flush(), "Flush");
      }
      writing.fetch_sub(1);
    });
  }
  Contents seen;
  // It yields, as there may be fewer processors than threads.
  for (; writing.load() != 0 && !stage.failed(); std::this_thread::yield()) {
    for (uint64_t i = 0; i < kWriters * 10; ++i) {
      const std::string key = key_of(i % kWriters, i / kWriters);
      const auto found = Lookup(*engine, key);
      if (!stage.ExpectOk(found.status(), "Get")) break;
      const std::string now = found->value_or("");
      stage.Expect(now >= seen[key],
                   fmt::format("{} went from {} back to {}", key, Show(seen[key]), Show(now)));
      seen[key] = now;
    }
    passes.fetch_add(1);
  }
  for (std::thread& thread : threads) thread.join();
  Contents all;
  for (const Contents& of_writer : last) all.insert(of_writer.begin(), of_writer.end());
  stage.ExpectContents(*engine, all);
}

// A key that is there all the time is found all the time, while flushes and compactions move it
// and neighbours come and go.
void ReadersFindWhatStays(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  for (int i = 0; i < 50; ++i) {
    stage.ExpectOk(engine->Put(fmt::format("stays/{:02}", i), std::string(100, 's')), "Put");
  }
  Random random(5);
  RunBeside(
      stage,
      [&](int number) {
        WriteBatch batch;
        for (int i = 0; i < 4; ++i) {
          const std::string key = fmt::format("goes/{:02}", random.Below(50));
          if (random.OneIn(3)) {
            batch.Delete(key);
          } else {
            batch.Put(key, random.Bytes(100));
          }
        }
        stage.ExpectOk(engine->Write(batch), "Write");
        if (number % 150 == 149 && stage.has().durable) {
          stage.ExpectOk(engine->Compact(), "Compact");
        }
      },
      [&] {
        for (int i = 0; i < 50; ++i) {
          stage.ExpectGet(*engine, fmt::format("stays/{:02}", i), std::string(100, 's'));
        }
        stage.ExpectCount(*engine, "stays/", 50);
        if (!stage.has().ordered) return;
        const auto cursor = engine->NewCursor({.lower = "stays/", .upper = "stays0"});
        int count = 0;
        for (cursor->SeekToLast(); cursor->Valid(); cursor->Prev()) ++count;
        stage.Expect(count == 50, fmt::format("a cursor sees {} keys of 50", count));
      });
}

constexpr Needs kOrdered = {.ordered = true};
constexpr Check kChecks[] = {
    {"MultiGetSeesWholeBatches", {}, MultiGetSeesWholeBatches},
    {"CursorSeesWholeBatches", kOrdered, CursorSeesWholeBatches},
    {"SnapshotSeesWholeBatches", kOrdered, SnapshotSeesWholeBatches},
    {"CountSeesWholeBatches", {}, CountSeesWholeBatches},
    {"ReadersSeeEachKeyGoForward", {}, ReadersSeeEachKeyGoForward},
    {"ReadersFindWhatStays", {}, ReadersFindWhatStays},
};

}  // namespace

std::span<const Check> ConcurrencyChecks() { return kChecks; }

}  // namespace kv::testing
