#include "kv/testing/script_text.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include "fmt/format.h"
#include "kv/base/status.h"

namespace kv::testing {
namespace {

// Of a word that is written as another one, many times.
constexpr size_t kMostWordBytes = size_t{128} << 10;

// Takes the first word off `line`; false when it is not one.
bool TakeWord(std::string_view* line, std::string* word) {
  word->clear();
  if (!line->starts_with('"')) {
    const size_t end = std::min(line->find(' '), line->size());
    word->assign(line->substr(0, end));
    line->remove_prefix(end);
    return true;
  }
  size_t at = 1;
  for (; at < line->size() && (*line)[at] != '"'; ++at) {
    if ((*line)[at] != '\\') {
      word->push_back((*line)[at]);
    } else if (line->substr(at + 1).starts_with('x') && at + 3 < line->size()) {
      const std::string digits(line->substr(at + 2, 2));
      word->push_back(static_cast<char>(std::strtoul(digits.c_str(), nullptr, 16)));
      at += 3;
    } else if (at + 1 < line->size()) {
      word->push_back((*line)[++at]);
    }
  }
  if (at == line->size()) return false;
  line->remove_prefix(at + 1);
  if (!line->starts_with('*')) return true;
  const size_t end = std::min(line->find(' '), line->size());
  const std::string part = *word;
  word->clear();
  const int times = std::atoi(std::string(line->substr(1, end - 1)).c_str());
  for (int i = part.empty() ? 0 : times; i > 0; --i) {
    if (word->size() + part.size() > kMostWordBytes) return false;
    *word += part;
  }
  line->remove_prefix(end);
  return true;
}

std::optional<std::vector<std::string>> WordsOf(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    if (line.front() == ' ') {
      line.remove_prefix(1);
      continue;
    }
    std::string word;
    if (!TakeWord(&line, &word)) return std::nullopt;
    words.push_back(std::move(word));
  }
  return words;
}

absl::Status ReadNeeds(const std::vector<std::string>& words, Needs* needs) {
  for (size_t i = 1; i < words.size(); ++i) {
    bool* const need = words[i] == "ordered"   ? &needs->ordered
                       : words[i] == "expiry"  ? &needs->expiry
                       : words[i] == "durable" ? &needs->durable
                                               : nullptr;
    if (need == nullptr) return Invalid("unknown need " + words[i]);
    *need = true;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Script> ParseScript(std::string name, std::string_view text) {
  Script script{.name = name,
                .check_name = "Script_" + name,
                .needs = {},
                .commands = {},
                .text = {},
                .ends = {}};
  std::istringstream lines{std::string(text)};
  bool in_body = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto error = [&](std::string_view what) {
      return Invalid(fmt::format("{}.txt:{}: {}", name, number, what));
    };
    if (line.starts_with("  ") && !in_body) {
      if (script.commands.empty()) return error("an answer before the first command");
      script.commands.back().expected.push_back(line.substr(2));
      continue;
    }
    script.text.push_back(line);
    if (line.empty() || line.starts_with('#')) continue;
    auto words = WordsOf(line);
    if (!words) return error("a quote is not closed, or a word is too long");
    if (words->empty()) continue;  // nothing but spaces
    if (words->front() == "needs") {
      if (!ReadNeeds(*words, &script.needs).ok()) return error("an unknown need");
    } else if (in_body && words->front() == "end") {
      in_body = false;
      script.ends.back() = script.text.size();
    } else if (in_body) {
      script.commands.back().body.push_back(*std::move(words));
    } else {
      in_body = words->front() == "batch" || words->front() == "bulk";
      script.commands.push_back({.line = number, .words = *std::move(words)});
      script.ends.push_back(script.text.size());
    }
  }
  if (in_body) return Invalid(name + ".txt: `end` is missing");
  return script;
}

std::string WithAnswers(const Script& script,
                        const std::vector<std::vector<std::string>>& answers) {
  std::string text;
  size_t command = 0;
  for (size_t line = 0; line <= script.text.size(); ++line) {
    for (; command < script.ends.size() && script.ends[command] == line; ++command) {
      for (const std::string& answer : answers[command]) text += "  " + answer + "\n";
    }
    if (line < script.text.size()) text += script.text[line] + "\n";
  }
  return text;
}

}  // namespace kv::testing
