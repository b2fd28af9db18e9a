#include "kv/testing/file_order.h"

#include <charconv>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "fmt/format.h"

namespace kv::testing {
namespace {

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string DirectoryOf(const std::string& path) {
  return path.substr(0, std::min(path.rfind('/'), path.size()));
}

uint64_t NumberAt(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What is known of one file, whatever it is called.
struct File {
  std::string path;            // its newest name
  bool unsynced = false;       // some of its bytes are
  bool unsynced_head = false;  // of TREE: the last header is
  bool synced_as_log = false;  // since it was created, or renamed to be another log
  bool sync_failed = false;    // since the last Open
};
using FileRef = std::shared_ptr<File>;

class OrderChecker {
 public:
  explicit OrderChecker(bool durable_on_return) : durable_on_return_(durable_on_return) {}

  void See(const FileEvent& event) {
    now_ = event.number;
    if (event.milestone) return Reach(*event.milestone, event.path);
    if (event.failed) {
      if (event.operation == FileOperation::kSync) Written(event.path)->sync_failed = true;
      return;
    }
    switch (*event.operation) {
      case FileOperation::kCreate:
        return Create(event.path);
      case FileOperation::kWrite:
        return Write(event);
      case FileOperation::kTruncate:
        // What is cut off may come back: engines cut off only what nothing leads to.
        return MustNotHaveFailed(*Written(event.path), "is cut off");
      case FileOperation::kSync:
        return Sync(*Written(event.path));
      case FileOperation::kRename:
        return Rename(event.path, event.to);
      case FileOperation::kLink:
        names_[event.to] = Written(event.path);
        pending_.insert(event.to);
        return;
      case FileOperation::kRemove:
        MustBeObsolete(event.path, "is removed");
        names_.erase(event.path);
        pending_.erase(event.path);
        return;
      case FileOperation::kSyncDirectory:
        std::erase_if(pending_, [&](const auto& name) { return DirectoryOf(name) == event.path; });
        std::erase_if(renamed_, [&](const auto& name) { return DirectoryOf(name) == event.path; });
        return;
      default:
        return;
    }
  }

  std::vector<FileViolation> violations;

 private:
  void Violate(FileRule rule, const std::string& text) {
    violations.push_back({rule, fmt::format("operation {}: {}", now_, text)});
  }

  // The file of this name, also when it has been removed.
  FileRef Written(const std::string& path) {
    FileRef& file = handles_[path];
    if (file == nullptr) {
      file = std::make_shared<File>(File{.path = path});
      names_.emplace(path, file);
    }
    return file;
  }

  bool IsPending(const std::string& name) const { return pending_.contains(name); }

  void Create(const std::string& path) {
    const FileRole role = RoleOfFile(path);
    if (role == FileRole::kUnknown) {
      Violate(FileRule::kFilesAreKnown, fmt::format("{} is of no known kind", path));
    }
    if (role == FileRole::kData && !data_names_.insert(path).second) {
      Violate(FileRule::kNamesAreNotUsedAgain, fmt::format("there was another {} before", path));
    }
    if (const auto there = names_.find(path); there != names_.end()) {
      there->second->unsynced = true;
      there->second->sync_failed = false;
      there->second->synced_as_log = false;
      handles_[path] = there->second;
      return;
    }
    handles_[path] = names_[path] = std::make_shared<File>(File{.path = path});
    pending_.insert(path);
  }

  void MustNotHaveFailed(const File& file, std::string_view what) {
    if (!file.sync_failed) return;
    Violate(FileRule::kFailedSyncIsFinal,
            fmt::format("{} {} after a sync of it had failed", file.path, what));
  }

  static bool IsTree(const std::string& path) { return NameOf(path) == "TREE"; }

  // A header lies at the start of one of the first two pages and is smaller than any page.
  static bool IsTreeHeader(const FileEvent& write) {
    constexpr uint64_t kHeaderBytes = 512;
    constexpr uint64_t kLargestPage = 65536;
    const bool at_a_page = (write.offset & (write.offset - 1)) == 0;  // 0 too
    return write.bytes == kHeaderBytes && at_a_page && write.offset <= kLargestPage;
  }

  void Write(const FileEvent& event) {
    const FileRef file = Written(event.path);
    const std::string& path = file->path;
    MustNotHaveFailed(*file, "is written");
    const auto current = current_manifests_.find(DirectoryOf(path));
    if (current != current_manifests_.end() && current->second == path) MustAllBeDurable(path);
    if (IsTree(path)) {
      if (IsTreeHeader(event)) {
        if (file->unsynced) {
          Violate(FileRule::kNamedFilesAreDurable,
                  fmt::format("a header of {} is written before what it leads to is synced", path));
        }
        MustAllBeDurable(path);
        file->unsynced_head = true;
      } else if (file->unsynced_head) {
        Violate(FileRule::kRemovalsComeLast,
                fmt::format("{} is written over before its new header is synced", path));
      }
    }
    if (RoleOfFile(path) == FileRole::kLog && path == NewestLog(DirectoryOf(path))) {
      MustFollowWholeLogs(path);
    }
    file->unsynced = true;
  }

  void Sync(File& file) {
    MustNotHaveFailed(file, "is synced");
    file.unsynced = file.unsynced_head = false;
    file.synced_as_log = true;
  }

  void Rename(const std::string& from, const std::string& to) {
    const FileRef file = Written(from);
    const FileRole role = RoleOfFile(to);
    if (role == FileRole::kUnknown) {
      Violate(FileRule::kFilesAreKnown, fmt::format("{} is of no known kind", to));
    }
    if (role == FileRole::kLog) {
      MustBeObsolete(from, "becomes another log");
      file->synced_as_log = false;
    }
    if (role == FileRole::kManifest) {
      if (file->unsynced) {
        Violate(FileRule::kNamedFilesAreDurable, fmt::format("{} becomes {} unsynced", from, to));
      }
      MustAllBeDurable(to);
      renamed_.insert(to);
      if (NameOf(to) == "CURRENT") current_manifests_[DirectoryOf(to)] = NewestManifest(to);
    }
    names_.erase(from);
    pending_.erase(from);
    names_[to] = handles_[to] = file;
    pending_.insert(to);
    file->path = to;
  }

  // The name, in a directory, of the file of this kind with the highest number; empty if none.
  template <typename Matches>
  std::string Newest(const std::string& directory, Matches&& matches) const {
    std::string newest;
    uint64_t highest = 0;
    for (const auto& [name, file] : names_) {
      if (DirectoryOf(name) != directory || !matches(name)) continue;
      const std::string_view text = NameOf(name);
      const size_t digit = text.find_first_of("0123456789");
      const uint64_t number = digit == std::string_view::npos ? 0 : NumberAt(text.substr(digit));
      if (!newest.empty() && number < highest) continue;
      newest = name;
      highest = number;
    }
    return newest;
  }
  std::string NewestLog(const std::string& directory) const {
    return Newest(directory, [](const auto& name) { return RoleOfFile(name) == FileRole::kLog; });
  }
  std::string NewestManifest(const std::string& current) const {
    return Newest(DirectoryOf(current),
                  [](const auto& name) { return NameOf(name).starts_with("MANIFEST-"); });
  }

  // `manifest` is about to name what there is beside it.
  void MustAllBeDurable(const std::string& manifest) {
    const std::string directory = DirectoryOf(manifest);
    const std::string newest_log = NewestLog(directory);
    const auto refuse = [&](const std::string& name, std::string_view what) {
      Violate(FileRule::kNamedFilesAreDurable,
              fmt::format("{} changes while {} of {} is not durable", manifest, what, name));
    };
    for (const auto& [name, file] : names_) {
      if (DirectoryOf(name) != directory || name == manifest) continue;
      const FileRole role = RoleOfFile(name);
      if (role == FileRole::kLog && name == newest_log) {
        if (!file->synced_as_log) refuse(name, "the header");
        if (IsPending(name)) refuse(name, "the name");
      } else if (role == FileRole::kData || name.ends_with(".segment") ||
                 (NameOf(manifest) == "CURRENT" && role == FileRole::kManifest)) {
        if (file->unsynced) refuse(name, "a part");
        if (IsPending(name)) refuse(name, "the name");
      }
    }
  }

  void MustFollowWholeLogs(const std::string& newest) {
    if (!durable_on_return_) return;
    for (const auto& [name, file] : names_) {
      if (name == newest || !file->unsynced || RoleOfFile(name) != FileRole::kLog) continue;
      if (DirectoryOf(name) != DirectoryOf(newest)) continue;
      Violate(FileRule::kLogsAreWholeInOrder,
              fmt::format("{} is written while a part of {} is not durable", newest, name));
    }
  }

  void MustBeObsolete(const std::string& path, std::string_view what) {
    if (RoleOfFile(path) == FileRole::kTemporary) return;
    for (const auto& [name, file] : names_) {
      if (name == path || DirectoryOf(name) != DirectoryOf(path)) continue;
      if (RoleOfFile(name) != FileRole::kManifest) continue;
      if (file->unsynced || renamed_.contains(name)) {
        Violate(FileRule::kRemovalsComeLast,
                fmt::format("{} {} while the change of {} is not durable", path, what, name));
      }
    }
  }

  void Reach(Milestone milestone, const std::string& directory) {
    if (milestone == Milestone::kOpened) {
      for (const auto& [name, file] : names_) file->sync_failed = false;
      data_names_.clear();
      return;
    }
    const std::string newest_log = NewestLog(directory);
    for (const auto& [name, file] : names_) {
      if (DirectoryOf(name) != directory) continue;
      const FileRole role = RoleOfFile(name);
      if (role == FileRole::kLock || role == FileRole::kTemporary) continue;
      // The logs before it, of a store that does not sync them, are in tables now.
      if (role == FileRole::kLog && !durable_on_return_ && name != newest_log) continue;
      if (file->unsynced || IsPending(name)) {
        Violate(FileRule::kPromisesAreKept,
                fmt::format("{} of {} is not durable, although a call that promises it returned",
                            file->unsynced ? "a part" : "the name", name));
      }
    }
  }

  const bool durable_on_return_;
  uint64_t now_ = 0;
  std::map<std::string, FileRef> names_;    // what a List would show
  std::map<std::string, FileRef> handles_;  // the same, and what has been removed
  std::set<std::string> pending_;           // names that are not durable
  std::set<std::string> renamed_;           // of them, manifests that took another's place
  std::set<std::string> data_names_;        // created since the last Open
  std::map<std::string, std::string> current_manifests_;  // by directory: what CURRENT names
};

}  // namespace

std::vector<FileViolation> CheckFileOrder(const std::vector<FileEvent>& events,
                                          bool durable_on_return) {
  OrderChecker checker(durable_on_return);
  for (const FileEvent& event : events) checker.See(event);
  return std::move(checker.violations);
}

std::vector<std::string> TextsOf(FileRule rule, const std::vector<FileViolation>& violations) {
  std::vector<std::string> texts;
  for (const FileViolation& violation : violations) {
    if (violation.rule == rule) texts.push_back(violation.text);
  }
  return texts;
}

}  // namespace kv::testing
