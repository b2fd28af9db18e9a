// Golden scripts: calls of the contract in plain text, each followed by its answer. They are run by
// every composition that can, and read as documentation. script_text.h says how they are written.
//
// Thread safety: Scripts() may be called from any thread; its result never changes.
#ifndef KV_TESTING_SCRIPT_H_
#define KV_TESTING_SCRIPT_H_

#include <string>
#include <vector>

#include "kv/testing/conformance.h"
#include "kv/testing/script_text.h"
#include "kv/testing/stage.h"

namespace kv::testing {

// Those of kv/testing/testdata, by name.
const std::vector<Script>& Scripts();

// What the engine of `stage` answers to each command, as lines.
std::vector<std::vector<std::string>> AnswersTo(const Script& script, Stage& stage);

// Expects the answers that the script has.
void RunScript(const Script& script, Stage& stage);

}  // namespace kv::testing

#endif  // KV_TESTING_SCRIPT_H_
