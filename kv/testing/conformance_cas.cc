// CompareAndSet: its four forms, what it hands back, and that it is atomic against every write.
//
// Memory order: the default, seq_cst, for the flags that stop the helpers and the counts that are
// read after the threads are joined. None orders an access to the engine.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/conformance.h"

namespace kv::testing {
namespace {

using Expected = std::optional<std::string_view>;

// Runs one CompareAndSet and checks whether it swapped and, if not, what it says it found.
void ExpectCas(Stage& stage, AnyEngine& engine, std::string_view key, Expected expected,
               Expected desired, bool swaps, Expected current = std::nullopt,
               Stage::Location where = Stage::Location::current()) {
  const absl::StatusOr<CasResult> result = engine.CompareAndSet(key, expected, desired);
  if (!stage.ExpectOk(result.status(), "CompareAndSet", where)) return;
  stage.Expect(result->swapped == swaps,
               swaps ? "CompareAndSet did not swap" : "CompareAndSet swapped", where);
  if (swaps || result->swapped) return;
  stage.Expect(result->current.has_value() == current.has_value() &&
                   (!current || *result->current == *current),
               fmt::format("CompareAndSet found {}, not {}", ShowFound(result->current),
                           current ? Show(*current) : "absent"),
               where);
}

void CasInAllForms(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  // Absent to absent holds, and changes nothing.
  ExpectCas(stage, *engine, "key", std::nullopt, std::nullopt, true);
  stage.ExpectContents(*engine, {});
  // A value is expected of an absent key.
  ExpectCas(stage, *engine, "key", "value", "new", false, std::nullopt);
  ExpectCas(stage, *engine, "key", "", "new", false, std::nullopt);
  ExpectCas(stage, *engine, "key", "value", std::nullopt, false, std::nullopt);
  stage.ExpectContents(*engine, {});
  // Absent to a value.
  ExpectCas(stage, *engine, "key", std::nullopt, "one", true);
  stage.ExpectGet(*engine, "key", "one");
  ExpectCas(stage, *engine, "key", std::nullopt, "two", false, "one");
  ExpectCas(stage, *engine, "key", std::nullopt, std::nullopt, false, "one");
  stage.ExpectGet(*engine, "key", "one");
  // A value to a value; an empty value is not an absent one, and a prefix is not the value.
  ExpectCas(stage, *engine, "key", "on", "two", false, "one");
  ExpectCas(stage, *engine, "key", "one\n", "two", false, "one");
  ExpectCas(stage, *engine, "key", "", "two", false, "one");
  ExpectCas(stage, *engine, "key", "one", "", true);
  stage.ExpectGet(*engine, "key", "");
  ExpectCas(stage, *engine, "key", std::nullopt, "two", false, "");
  ExpectCas(stage, *engine, "key", "", "two", true);
  ExpectCas(stage, *engine, "key", "two", "two", true);
  stage.ExpectGet(*engine, "key", "two");
  // A value to absent.
  ExpectCas(stage, *engine, "key", "three", std::nullopt, false, "two");
  ExpectCas(stage, *engine, "key", "two", std::nullopt, true);
  stage.ExpectContents(*engine, {});
  ExpectCas(stage, *engine, "key", std::nullopt, "again", true);
  stage.ExpectContents(*engine, {{"key", "again"}});
}

// What CompareAndSet compares with may lie in the memtable or anywhere below it.
void CasSeesFlushedValues(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const std::string large(100'000, 'x');
  stage.ExpectOk(engine->Put("key", large), "Put");
  stage.ExpectOk(engine->Put("gone", "1"), "Put");
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectOk(engine->Delete("gone"), "Delete");
  stage.ExpectOk(engine->Flush(), "Flush");
  ExpectCas(stage, *engine, "key", "y", "z", false, large);
  ExpectCas(stage, *engine, "key", large, "small", true);
  ExpectCas(stage, *engine, "gone", "1", "2", false, std::nullopt);
  ExpectCas(stage, *engine, "gone", std::nullopt, "2", true);
  stage.ExpectContents(*engine, {{"gone", "2"}, {"key", "small"}});
}

// Concurrent increments of a few counters by CompareAndSet, while another thread puts to other
// keys, which may share a lock with them. Each lost update is one missing from the sum.
void CasIncrementsAreNotLost(Stage& stage) {
  constexpr int kThreads = 3;
  constexpr int kIncrements = 150;
  constexpr int kCounters = 2;
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  std::atomic<bool> done = false;
  std::thread bystander([&] {
    for (int i = 0; !done.load(); i = (i + 1) % 64) {
      stage.ExpectOk(engine->Put(fmt::format("other{}", i), "x"), "Put");
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kIncrements && !stage.failed();) {
        const std::string key = fmt::format("counter{}", (t + i) % kCounters);
        const auto found = Lookup(*engine, key);
        if (!stage.ExpectOk(found.status(), "Get")) return;
        const int next = found->has_value() ? std::stoi(**found) + 1 : 1;
        const auto result = engine->CompareAndSet(
            key, found->has_value() ? Expected(**found) : std::nullopt, std::to_string(next));
        if (!stage.ExpectOk(result.status(), "CompareAndSet")) return;
        if (result->swapped) ++i;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.store(true);
  bystander.join();
  int sum = 0;
  for (int i = 0; i < kCounters; ++i) {
    const auto found = Lookup(*engine, fmt::format("counter{}", i));
    if (found.ok() && found->has_value()) sum += std::stoi(**found);
  }
  stage.Expect(sum == kThreads * kIncrements,
               fmt::format("{} increments of {} were lost", kThreads * kIncrements - sum,
                           kThreads * kIncrements));
}

// One thread writes a new root ("root:0") and then looks at it; another takes what it finds one
// step further by CompareAndSet ("root:depth" to "root:depth+1"). Whatever is found after the
// write of a root descends from it; a CompareAndSet that is not atomic against the write brings an
// older root back. A third thread sees roots and depths that never go back.
//
// `write_root(i)` makes i the root.
template <typename WriteRoot>
void ExpectCasAtomicAgainst(Stage& stage, AnyEngine& engine, std::string_view key,
                            WriteRoot write_root) {
  constexpr int kRoots = 100;
  std::atomic<bool> done = false;
  std::thread stepper([&] {
    while (!done.load()) {
      const auto found = Lookup(engine, key);
      if (!stage.ExpectOk(found.status(), "Get")) return;
      if (!found->has_value()) {
        std::this_thread::yield();
        continue;
      }
      const size_t colon = (*found)->find(':');
      const int depth = std::stoi((*found)->substr(colon + 1));
      const std::string next = fmt::format("{}:{}", (*found)->substr(0, colon), depth + 1);
      stage.ExpectOk(engine.CompareAndSet(key, **found, next).status(), "CompareAndSet");
    }
  });
  std::thread watcher([&] {
    std::pair<int, int> last(-1, -1);
    // It yields, as there may be fewer processors than threads.
    for (; !done.load(); std::this_thread::yield()) {
      const auto found = Lookup(engine, key);
      if (!stage.ExpectOk(found.status(), "Get")) return;
      if (!found->has_value()) continue;
      const size_t colon = (*found)->find(':');
      const std::pair now(std::stoi((*found)->substr(0, colon)),
                          std::stoi((*found)->substr(colon + 1)));
      stage.Expect(now >= last, fmt::format("{}:{} was seen after {}:{}", now.first, now.second,
                                            last.first, last.second));
      last = now;
    }
  });
  for (int root = 0; root < kRoots && !stage.failed(); ++root) {
    write_root(root);
    // Until the other thread has taken the root on: then a CompareAndSet that was under way when
    // the root was written has landed, and the next root meets one under way. It sleeps between
    // looks, so that the other thread has a processor. Looks are bounded, in case no CompareAndSet
    // succeeds at all.
    const std::string prefix = fmt::format("{}:", root);
    for (int look = 0; look < 20'000 && !stage.failed(); ++look) {
      const auto found = Lookup(engine, key);
      if (!stage.ExpectOk(found.status(), "Get")) break;
      const bool descends = found->has_value() && (*found)->starts_with(prefix);
      stage.Expect(descends,
                   fmt::format("after root {} was written, {} is found", root, ShowFound(*found)));
      if (descends && std::stoi((*found)->substr(prefix.size())) >= 2) break;
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
  done.store(true);
  stepper.join();
  watcher.join();
}

void CasIsAtomicAgainstPut(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  ExpectCasAtomicAgainst(stage, *engine, "key", [&](int root) {
    stage.ExpectOk(engine->Put("key", fmt::format("{}:0", root)), "Put");
  });
}

void CasIsAtomicAgainstWrite(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  ExpectCasAtomicAgainst(stage, *engine, "key", [&](int root) {
    WriteBatch batch;
    batch.Put("beside", "x");
    batch.Put("key", fmt::format("{}:0", root));
    batch.Put("besides", "x");
    stage.ExpectOk(engine->Write(batch), "Write");
  });
}

void CasIsAtomicAgainstDelete(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  ExpectCasAtomicAgainst(stage, *engine, "key", [&](int root) {
    stage.ExpectOk(engine->Delete("key"), "Delete");
    // The other thread swaps values only; nothing brings an absent key back.
    for (int look = 0; look < 4; ++look) stage.ExpectGet(*engine, "key", std::nullopt);
    stage.ExpectOk(engine->Put("key", fmt::format("{}:0", root)), "Put");
  });
}

void CasIsAtomicAgainstDeleteRange(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  ExpectCasAtomicAgainst(stage, *engine, "key", [&](int root) {
    stage.ExpectOk(engine->DeleteRange("k", "l"), "DeleteRange");
    for (int look = 0; look < 4; ++look) stage.ExpectGet(*engine, "key", std::nullopt);
    stage.ExpectOk(engine->Put("key", fmt::format("{}:0", root)), "Put");
  });
}

// Of many threads that all want the key absent, one gets it.
void CasOfAnAbsentKeyHasOneWinner(Stage& stage) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 100;
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  std::vector<std::atomic<int>> winners(kRounds);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < kRounds; ++round) {
        const auto result =
            engine->CompareAndSet(fmt::format("lock{}", round), std::nullopt, std::to_string(t));
        if (!stage.ExpectOk(result.status(), "CompareAndSet")) return;
        if (result->swapped) winners[round].fetch_add(1);
        stage.Expect(result->swapped || result->current.has_value(), "a lost race names no winner");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int round = 0; round < kRounds; ++round) {
    stage.Expect(winners[round].load() == 1,
                 fmt::format("{} threads created one key", winners[round].load()));
  }
}

constexpr Check kChecks[] = {
    {"CasInAllForms", {}, CasInAllForms},
    {"CasSeesFlushedValues", {}, CasSeesFlushedValues},
    {"CasIncrementsAreNotLost", {}, CasIncrementsAreNotLost},
    {"CasIsAtomicAgainstPut", {}, CasIsAtomicAgainstPut},
    {"CasIsAtomicAgainstWrite", {}, CasIsAtomicAgainstWrite},
    {"CasIsAtomicAgainstDelete", {}, CasIsAtomicAgainstDelete},
    {"CasIsAtomicAgainstDeleteRange", {}, CasIsAtomicAgainstDeleteRange},
    {"CasOfAnAbsentKeyHasOneWinner", {}, CasOfAnAbsentKeyHasOneWinner},
};

}  // namespace

std::span<const Check> CasChecks() { return kChecks; }

}  // namespace kv::testing
