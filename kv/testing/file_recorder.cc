// What a store does to its files, read from the trace of the simulated machine.
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/file_order.h"

namespace kv::testing {
namespace {

uint64_t NumberAt(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// One line of the trace (simulated_machine.h); none for operations that only look.
std::optional<FileEvent> ParseLine(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  FileEvent event;
  event.number = NumberAt(line);
  const size_t space = line.find(' ');
  if (event.number == 0 || space == std::string_view::npos) return std::nullopt;
  line.remove_prefix(space + 1);
  // The longest name that fits: "sync" is the beginning of "sync directory".
  size_t matched = 0;
  for (int i = 0; IsCounted(static_cast<FileOperation>(i)); ++i) {
    const std::string_view name = ToString(static_cast<FileOperation>(i));
    if (!line.starts_with(fmt::format("{} ", name)) || name.size() < matched) continue;
    matched = name.size();
    event.operation = static_cast<FileOperation>(i);
  }
  if (!event.operation) return std::nullopt;
  line.remove_prefix(matched + 1);
  const size_t error = line.find(": ");
  event.failed = error != std::string_view::npos;
  line = line.substr(0, error);
  if (event.operation == FileOperation::kWrite) {
    const size_t comma = line.find(", ");
    const size_t at = line.rfind(" at ");
    event.bytes = NumberAt(line.substr(comma + 2));
    event.offset = NumberAt(line.substr(at + 4));
    line = line.substr(0, comma);
  }
  const size_t to = line.find(" to ");
  if (to != std::string_view::npos) {
    event.to = line.substr(to + 4);
    line = line.substr(0, to);
  }
  event.path = line;
  return event;
}

}  // namespace

FileRole RoleOfFile(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto ends = [name](auto... suffixes) { return (name.ends_with(suffixes) || ...); };
  if (name == "LOCK" || name == "lock") return FileRole::kLock;
  if (ends(".tmp", ".new")) return FileRole::kTemporary;
  if (name == "log" || ends(".log", ".segment")) return FileRole::kLog;
  if (ends(".table", ".values", ".merged", ".hint")) return FileRole::kData;
  const bool manifest = name == "CURRENT" || name == "SEGMENTS" || name == "TREE";
  return manifest || name.starts_with("MANIFEST-") ? FileRole::kManifest : FileRole::kUnknown;
}

void FileRecorder::Mark(Milestone milestone, std::string path) {
  milestones_.push_back(
      {.number = files_.operations(), .milestone = milestone, .path = std::move(path)});
}

std::vector<FileEvent> FileRecorder::Events() const {
  std::vector<FileEvent> events;
  auto mark = milestones_.begin();
  const auto add_marks_before = [&](uint64_t number) {
    for (; mark != milestones_.end() && mark->number < number; ++mark) events.push_back(*mark);
  };
  // The trace has the name under which a handle was opened; the file may have another since.
  std::map<std::string, std::string> called;
  const auto follow = [&](FileEvent* event) {
    switch (*event->operation) {
      case FileOperation::kCreate:
        called.erase(event->path);
        return;
      case FileOperation::kRename:
        if (event->failed) return;
        for (auto& [opened, name] : called) {
          if (name == event->path) name = event->to;
        }
        called[event->path] = event->to;
        called.erase(event->to);
        return;
      case FileOperation::kWrite:
      case FileOperation::kTruncate:
      case FileOperation::kSync:
        if (const auto name = called.find(event->path); name != called.end()) {
          event->path = name->second;
        }
        return;
      default:
        return;
    }
  };
  const std::string trace = files_.Trace();
  for (size_t begin = 0; begin < trace.size();) {
    const size_t end = std::min(trace.find('\n', begin), trace.size());
    if (auto event = ParseLine(std::string_view(trace).substr(begin, end - begin))) {
      add_marks_before(event->number);
      follow(&*event);
      events.push_back(*std::move(event));
    }
    begin = end + 1;
  }
  add_marks_before(UINT64_MAX);
  return events;
}

}  // namespace kv::testing
