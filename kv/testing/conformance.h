// The conformance suite: the promises of kv/contract/engine.h as checks, each a function that runs
// an engine on a Stage. Compiled once; every composition runs the checks that its capabilities
// call for.
//
//   RegisterConformance(composition)   makes a gtest case of each check, named after composition
//   RunCheck(check, composition)       what went wrong, for tests of the suite itself
//
// A check is written against the contract alone: it may not know which engine it runs, and it
// asserts nothing about time.
#ifndef KV_TESTING_CONFORMANCE_H_
#define KV_TESTING_CONFORMANCE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/composition.h"
#include "kv/testing/needs.h"
#include "kv/testing/stage.h"

namespace kv::testing {

struct Script;

struct Check {
  std::string_view name;
  Needs needs;
  void (*run)(Stage& stage);
  // Run instead, where there is a script (script.h).
  const Script* script = nullptr;
  void (*run_script)(const Script& script, Stage& stage) = nullptr;
};

// One list for each theme, in the file of its name.
std::span<const Check> PointChecks();
std::span<const Check> BatchChecks();
std::span<const Check> RangeChecks();
std::span<const Check> BulkChecks();
std::span<const Check> CasChecks();
std::span<const Check> ExpiryChecks();
std::span<const Check> CursorChecks();
std::span<const Check> ConcurrencyChecks();
std::span<const Check> LinearizabilityChecks();
std::span<const Check> LifecycleChecks();
std::span<const Check> DurableChecks();
std::span<const Check> CheckpointChecks();
std::span<const Check> CorruptionChecks();
std::span<const Check> DefectChecks();
std::span<const Check> HistoryChecks();
// One for each golden script.
std::vector<Check> ScriptChecks();

// All of them (all_checks.cc). In a program that is linked with :conformance_threads instead, those
// of the themes that call an engine from several threads (threads_checks.cc).
std::vector<Check> AllChecks();

bool Applies(const Check& check, const Composition& composition);

// Runs `check` on an engine of its own; empty when the promise is kept.
std::vector<std::string> RunCheck(const Check& check, const Composition& composition);

// Runs every check that applies; the names of those that failed, for tests of the suite itself.
std::vector<std::string> FailingChecks(const Composition& composition,
                                       std::span<const Check> checks = AllChecks());

// Call before RUN_ALL_TESTS. Returns true, so that a namespace-scope constant can be made of it.
bool RegisterConformance(const Composition& composition,
                         std::span<const Check> checks = AllChecks());

}  // namespace kv::testing

#endif  // KV_TESTING_CONFORMANCE_H_
