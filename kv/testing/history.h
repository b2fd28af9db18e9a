// Histories: random sequences of contract calls, as data. A history is made from a seed, replayed
// on an engine and on the ReferenceEngine side by side, and the answers of every call compared;
// one that fails is shrunk to a few steps and printed. (The idea is Pebble's metamorphic test.)
//
// The steps are a function of the seed and the capabilities alone, but for the times in them, which
// begin at the composition's clock; so the same history can be run over many compositions.
#ifndef KV_TESTING_HISTORY_H_
#define KV_TESTING_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kv/testing/composition.h"

namespace kv::testing {

enum class StepKind {
  kGet,
  kPut,
  kDelete,
  kBatch,
  kDeleteRange,
  kBulkLoad,
  kMultiGet,
  kCas,
  kCount,
  kExpireAt,
  kExpiresAt,
  kScan,          // both ways, with bounds
  kSnapshot,      // takes one, and lets the oldest of many go
  kReadSnapshot,  // point read and scan of one that is held
  kFlush,
  kCompact,
  kCompactRange,
  kCheckpoint,  // and looks at the copy, or goes on with it
  kReopen,
  kAdvanceClock,  // only on a manual clock
};

// What `kind` needs of these; the rest is not used.
struct Step {
  StepKind kind = StepKind::kGet;
  std::string key = {};
  std::optional<std::string> expected = {};  // kCas: nullopt is absent
  std::optional<std::string> desired = {};   // kCas: nullopt deletes
  std::string value = {};                    // kPut; the upper bound of a range
  uint64_t number = 0;                       // expires_at; which snapshot; milliseconds; which copy
  // kBatch: puts and deletes; kBulkLoad: puts in key order; kMultiGet: gets.
  std::vector<Step> batch = {};
};

std::string ToString(const Step& step);
std::string ToString(const std::vector<Step>& steps);

// Every key that a history may use.
std::vector<std::string> KeysOfHistories();

std::vector<Step> MakeHistory(uint64_t seed, size_t length, const Composition& composition);

// Runs the steps on a new store; the first answer that differs from the reference's, in words.
std::optional<std::string> Replay(const Composition& composition, const std::vector<Step>& steps);

// The shortest history that still fails, by leaving out ever smaller pieces, within `replays`
// runs. A history that does not fail again (a race) comes back as it was.
std::vector<Step> Shrink(const Composition& composition, std::vector<Step> steps, int replays);

}  // namespace kv::testing

#endif  // KV_TESTING_HISTORY_H_
