#include "kv/testing/script.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "fmt/format.h"

namespace kv::testing {
namespace {

constexpr const char* kFolder = "kv/testing/testdata";

std::vector<Script> ReadScripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Script> scripts;
  for (const auto& path : paths) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    auto script = ParseScript(path.stem().string(), text.str());
    if (!script.ok()) throw std::runtime_error(script.status().ToString());
    scripts.push_back(*std::move(script));
  }
  return scripts;
}

}  // namespace

const std::vector<Script>& Scripts() {
  static const std::vector<Script>* const scripts = new std::vector<Script>(ReadScripts());
  return *scripts;
}

void RunScript(const Script& script, Stage& stage) {
  const auto answers = AnswersTo(script, stage);
  const auto joined = [](const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += "\n    " + line;
    return text;
  };
  for (size_t i = 0; i < script.commands.size() && !stage.failed(); ++i) {
    const Command& command = script.commands[i];
    const std::vector<std::string> answer = i < answers.size() ? answers[i] : decltype(answer)();
    if (answer == command.expected) continue;
    stage.Fail(fmt::format("{}/{}.txt:{}:\n  expected{}\n  got{}", kFolder, script.name,
                           command.line, joined(command.expected), joined(answer)));
  }
}

std::vector<Check> ScriptChecks() {
  std::vector<Check> checks;
  for (const Script& script : Scripts()) {
    checks.push_back({script.check_name, script.needs, nullptr, &script, RunScript});
  }
  return checks;
}

}  // namespace kv::testing
