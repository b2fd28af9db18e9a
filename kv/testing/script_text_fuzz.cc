// Fuzzes ParseScript(): any bytes as a golden script.
//
// What must hold: it is refused with kInvalidArgument and the line, or it is read, and then every
// command has words, and the script written with its own answers is the same script again.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/fuzzing.h"
#include "kv/testing/script_text.h"

namespace kv::testing {
namespace {

std::string Written(const Script& script) {
  std::vector<std::vector<std::string>> answers;
  for (const Command& command : script.commands) answers.push_back(command.expected);
  return WithAnswers(script, answers);
}

// In all but the numbers of lines: answers are written right behind their commands.
void RequireSame(const Script& a, const Script& b) {
  Require(a.text == b.text && a.ends == b.ends && a.commands.size() == b.commands.size() &&
              a.needs.ordered == b.needs.ordered && a.needs.expiry == b.needs.expiry &&
              a.needs.durable == b.needs.durable,
          "a script that was written anew is another");
  for (size_t i = 0; i < a.commands.size(); ++i) {
    Require(a.commands[i].words == b.commands[i].words &&
                a.commands[i].body == b.commands[i].body &&
                a.commands[i].expected == b.commands[i].expected,
            "a command that was written anew is another");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  return {"# Words.\nneeds ordered expiry\n\nput \"a b\\x00\\\"\\\\\" \"xy\"*3 \"\"\n  OK\n",
          "batch\nput a 1\ndel b\nend\n  OK\nscan\n  a = 1\n  b = 2\ncas a - 2\n  1\n"};
}

bool FuzzRun(std::string_view input) {
  const auto script = ParseScript("fuzzed", input);
  if (!script.ok()) {
    Require(absl::IsInvalidArgument(script.status()), "a script is refused with another error");
    Require(script.status().ToString().find("fuzzed.txt:") != std::string::npos,
            "an error does not say where");
    return false;
  }
  Require(script->commands.size() == script->ends.size(), "a command has no end");
  for (const Command& command : script->commands) {
    Require(!command.words.empty(), "a command has no words");
  }
  const auto again = ParseScript("fuzzed", Written(*script));
  Require(again.ok(), "a script that was written anew is refused");
  RequireSame(*script, *again);
  return true;
}

}  // namespace kv::testing
