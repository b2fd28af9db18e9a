// What the command lines of the lab's programs share: flags whose texts are parsed, paths as their
// caller means them, values from the environment, and words for what is wrong.
//
// What looks like a URL and is no flag, or follows the name of an unknown one, is not quoted: it
// may have a password.
//
// Thread safety: pure functions, but for what they read of the environment.
#ifndef BENCH_COMMAND_LINE_H_
#define BENCH_COMMAND_LINE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"

namespace bench {

// A path as the user wrote it: `bazel run` starts programs in another directory than the user's,
// which BUILD_WORKING_DIRECTORY names.
std::string FromCaller(const std::string& path);

// "env:NAME" is the value of that variable of the environment, so that `ps` shows no password;
// any other text is itself. kInvalidArgument: there is no such variable.
absl::StatusOr<std::string> FromEnvironment(const std::string& text);

// A flag whose text `parse` turns into a value; nullopt is "not valid".
template <typename T, typename Parse>
CLI::Option* AddParsed(CLI::App& app, const std::string& name, Parse parse, T* target,
                       const std::string& description) {
  return app
      .add_option_function<std::string>(
          name,
          [name, parse, target](const std::string& text) {
            const auto value = parse(text);
            if (!value) throw CLI::ValidationError(name, "not valid: " + text);
            *target = *value;
          },
          description)
      ->type_name("");
}

// A count as ParseCount reads it, within [least, most].
std::function<std::optional<uint64_t>(const std::string&)> CountWithin(uint64_t least,
                                                                       uint64_t most);

// Of an argument that `app` does not know.
std::string UnknownFlag(const CLI::App& app, const std::string& argument);

// What a program has parsed that is to stop with this message.
template <typename Parsed>
Parsed Wrong(Parsed parsed, const std::string& message) {
  parsed.exit_status = 2;
  parsed.error = message + "\n";
  return parsed;
}

}  // namespace bench

#endif  // BENCH_COMMAND_LINE_H_
