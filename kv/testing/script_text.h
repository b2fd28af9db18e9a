// The text of golden scripts: calls of the contract, each followed by its answer, indented.
// script.h runs them.
//
//   # A comment. The line `needs ordered expiry durable` says what an engine must have.
//   put colour red
//     OK
//   get colour
//     red
//
// A word is bare, or in quotes with \xHH, \" and \\ for any bytes; "ab"*100 is "ab" a hundred
// times.
//
//   put K V [MS|past]        MS: expires so many milliseconds from now; past: has expired
//   get K [at S]             S: a snapshot
//   mget K...                one answer a line
//   del K
//   cas K FROM TO [MS|past]  `-` is absent
//   batch / bulk             lines of `put` and `del`, or of `K V [MS|past]`, until `end`
//   delete_range LO HI       "" is no bound, also below
//   count [PREFIX]
//   scan [LO HI] [at S]      each key with its value; rscan the other way
//   walk K MOVES             seeks to K, then moves: > and <
//   snapshot S, release S
//   expire K MS|past|never, expiry K (never, or later)
//   advance MS               time passes
//   flush, compact, compact_range LO HI, verify, reopen
//   checkpoint NAME          into a directory of that name
//   use NAME                 what follows goes to that copy; `use main` goes back
//
// Thread safety: functions of their arguments.
#ifndef KV_TESTING_SCRIPT_TEXT_H_
#define KV_TESTING_SCRIPT_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "kv/testing/needs.h"

namespace kv::testing {

struct Command {
  int line = 0;  // of the script
  std::vector<std::string> words = {};
  std::vector<std::vector<std::string>> body = {};  // of batch and bulk
  std::vector<std::string> expected = {};
};

struct Script {
  std::string name;        // the file's, without its ending
  std::string check_name;  // "Script_" and the name
  Needs needs;
  std::vector<Command> commands;
  std::vector<std::string> text;  // the lines without the answers
  std::vector<size_t> ends;       // of each command: the index in `text` behind it
};

// kInvalidArgument, with the line, for what is no script.
absl::StatusOr<Script> ParseScript(std::string name, std::string_view text);

// The script with these answers instead of its own, of which there is one for each command.
std::string WithAnswers(const Script& script, const std::vector<std::vector<std::string>>& answers);

}  // namespace kv::testing

#endif  // KV_TESTING_SCRIPT_TEXT_H_
