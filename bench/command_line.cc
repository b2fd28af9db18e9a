#include "bench/command_line.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bench/text.h"

namespace bench {

std::string FromCaller(const std::string& path) {
  const char* const caller = std::getenv("BUILD_WORKING_DIRECTORY");
  if (path.empty() || caller == nullptr) return path;
  return (std::filesystem::path(caller) / path).string();
}

absl::StatusOr<std::string> FromEnvironment(const std::string& text) {
  constexpr std::string_view kScheme = "env:";
  if (!text.starts_with(kScheme)) return text;
  const std::string name = text.substr(kScheme.size());
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) {
    return absl::InvalidArgumentError("the environment has no variable " + name);
  }
  return std::string(value);
}

std::function<std::optional<uint64_t>(const std::string&)> CountWithin(uint64_t least,
                                                                       uint64_t most) {
  return [=](const std::string& text) -> std::optional<uint64_t> {
    const auto count = ParseCount(text);
    if (!count || *count < least || *count > most) return std::nullopt;
    return count;
  };
}

std::string UnknownFlag(const CLI::App& app, const std::string& argument) {
  if (!argument.starts_with('-') && argument.find_first_of(":@") != std::string::npos) {
    return "an argument that is no flag (--help lists them)";
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    names.push_back("--" + option->get_single_name());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return Unknown("flag", argument.substr(0, argument.find('=')), views) + " (--help lists them)";
}

}  // namespace bench
