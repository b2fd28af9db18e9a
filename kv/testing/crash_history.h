// The history that a crash test runs: steps whose effects are all known beforehand.
//
// Everything is computed once, from a seed: a CompareAndSet expects what it will find, and beside
// each step stand the states that it may leave: the one after it, and, for a BulkLoad that did not
// return, those after each of its entries.
#ifndef KV_TESTING_CRASH_HISTORY_H_
#define KV_TESTING_CRASH_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/any_engine.h"
#include "kv/testing/composition.h"
#include "kv/testing/stage.h"

namespace kv::testing {

enum class CrashStepKind {
  kPut,
  kDelete,
  kBatch,
  kCas,
  kDeleteRange,
  kBulkLoad,
  kFlush,
  kCompact,
  kCheckpoint,
};

struct CrashStep {
  CrashStepKind kind = CrashStepKind::kPut;
  WriteBatch writes = {};                        // of kPut, kDelete, kBatch, kCas, kBulkLoad
  std::string begin = {};                        // kDeleteRange
  std::string end = {};                          // kDeleteRange
  std::string copy = {};                         // kCheckpoint: the directory
  std::optional<std::string> cas_expected = {};  // kCas
  std::vector<Contents> within = {};             // kBulkLoad: after each entry
  Contents after = {};                           // the state of the store after this step

  // On return everything up to it is durable, whatever the commit policy.
  bool Syncs() const {
    return kind == CrashStepKind::kFlush || kind == CrashStepKind::kCompact ||
           kind == CrashStepKind::kBulkLoad;
  }
};

// Keys that the steps may write, "key00" and so on; few, so that they are overwritten and deleted.
inline constexpr int kCrashKeys = 16;
std::string CrashKey(uint64_t number);

// One value in `kLargeValueEvery` has kLargeValueBytes or more where `values` says so, which no log
// has space for without growing. Others have at most 1500.
enum class CrashValues { kSmall, kSomeLarge };
inline constexpr uint64_t kLargeValueEvery = 8;
inline constexpr uint64_t kLargeValueBytes = uint64_t{70} << 10;

std::vector<CrashStep> MakeCrashSteps(uint64_t seed, int steps,
                                      CrashValues values = CrashValues::kSmall);

// What a store with such a history shows, by point reads and by a scan where there is one;
// kInternal when the two, or Count, do not agree. Also of kAfterTheCrash.
absl::StatusOr<Contents> ReadCrashKeys(const Composition& composition, AnyEngine& engine);
inline constexpr std::string_view kAfterTheCrash = "after the crash";

// kInternal when the engine's answer, and not a failed file operation, is wrong.
absl::Status PerformCrashStep(AnyEngine& engine, const CrashStep& step);

}  // namespace kv::testing

#endif  // KV_TESTING_CRASH_HISTORY_H_
