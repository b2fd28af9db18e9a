// What is on a disk and what is not yet: the state that SimulatedFileSystem puts a lock, faults and
// a trace around. Files are in simulated_file.h; this is the tree of names above them.
//
// Invariants:
//   1. Each directory has the names that lookups see, those that are durable, and the unsynced
//      changes that lead from the second to the first.
//   2. Only SyncDirectory makes a name durable, and CreateDirectories, which syncs every directory
//      to which it adds a name, as fsync does: whole.
//   3. A rename within one directory is atomic. One across two directories is an entry in each:
//      each is synced on its own, and in CrashMode::kArbitrary one may survive without the other.
//   4. A file may have several names, each durable or not by itself; its bytes are synced once for
//      all of them. Renaming one name of a file to another does nothing, as rename(2).
//   5. An open file lives on without a name until its last handle is gone.
//
// Omits: symbolic links, permissions, removal of directories, renaming a directory to
// another parent (EXDEV), "..".
// Thread safety: none.
#ifndef KV_IO_SIMULATED_DISK_H_
#define KV_IO_SIMULATED_DISK_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/simulated_crash.h"
#include "kv/io/simulated_file.h"

namespace kv {
namespace simulated {

struct Node;
using NodeRef = std::shared_ptr<Node>;
using Entries = std::map<std::string, NodeRef>;

// The names in one directory.
struct Directory {
  struct Change {
    uint64_t sequence;
    std::vector<std::pair<std::string, NodeRef>> entries;  // null: no longer there
  };

  void Apply(uint64_t sequence, std::vector<std::pair<std::string, NodeRef>> entries) {
    unsynced.push_back({sequence, std::move(entries)});
    Fold(unsynced.back(), &visible);
  }

  void Sync(uint64_t last) {
    size_t folded = 0;
    for (; folded < unsynced.size() && unsynced[folded].sequence <= last; ++folded) {
      Fold(unsynced[folded], &durable);
    }
    unsynced.erase(unsynced.begin(), unsynced.begin() + static_cast<ptrdiff_t>(folded));
  }

  static void Fold(const Change& change, Entries* entries) {
    for (const auto& [name, node] : change.entries) {
      if (node == nullptr) {
        entries->erase(name);
      } else {
        (*entries)[name] = node;
      }
    }
  }

  Entries visible;
  Entries durable;
  std::vector<Change> unsynced;
};

struct Node {
  std::variant<File, Directory> content;

  File* file() { return std::get_if<File>(&content); }
  Directory* directory() { return std::get_if<Directory>(&content); }
};

inline NodeRef NewDirectory() { return std::make_shared<Node>(Node{Directory()}); }

// A tree of directories and files. Paths are taken from the root whether or not they begin with a
// slash. Errors are those of the system calls.
class Disk {
 public:
  Disk() = default;
  Disk(Disk&&) = default;  // not copyable: a copy would share the tree
  Disk& operator=(Disk&&) = default;

  // The number of the newest change.
  uint64_t sequence() const { return sequence_; }

  absl::StatusOr<NodeRef> Create(const std::string& path) {
    KV_ASSIGN_OR_RETURN(const Place place, Locate("open", path));
    if (place.node == nullptr) return Add(place);
    KV_RETURN_IF_ERROR(RequireFile("open", path, place));
    if (!place.node->file()->visible().empty()) place.node->file()->Truncate(++sequence_, 0);
    return place.node;
  }

  // An existing file; made, and empty, where `create` says so.
  absl::StatusOr<NodeRef> Open(const std::string& path, bool create) {
    KV_ASSIGN_OR_RETURN(const Place place, Locate("open", path));
    if (place.node == nullptr && create) return Add(place);
    KV_RETURN_IF_ERROR(RequireFile("open", path, place));
    return place.node;
  }

  void Write(const NodeRef& file, uint64_t offset, std::string_view bytes) {
    file->file()->Write(++sequence_, offset, bytes);
  }

  void Truncate(const NodeRef& file, uint64_t size) { file->file()->Truncate(++sequence_, size); }

  absl::Status Rename(const std::string& from, const std::string& to) {
    const std::string both = fmt::format("{} to {}", from, to);
    KV_ASSIGN_OR_RETURN(const Place source, Locate("rename", from));
    KV_ASSIGN_OR_RETURN(const Place target, Locate("rename", to));
    if (source.node == nullptr) return IoError("rename", both, ENOENT);
    if (source.node == target.node) return absl::OkStatus();
    if (source.name.empty() || target.name.empty()) return IoError("rename", both, EBUSY);
    if (Directory* const moved = source.node->directory(); moved != nullptr) {
      if (source.parent != target.parent) return IoError("rename", both, EXDEV);
      if (target.node != nullptr) {
        if (target.node->file() != nullptr) return IoError("rename", both, ENOTDIR);
        if (!target.node->directory()->visible.empty()) return IoError("rename", both, ENOTEMPTY);
      }
    } else if (target.node != nullptr && target.node->directory() != nullptr) {
      return IoError("rename", both, EISDIR);
    }
    ++sequence_;
    if (source.parent == target.parent) {
      source.parent->directory()->Apply(sequence_,
                                        {{source.name, nullptr}, {target.name, source.node}});
    } else {
      target.parent->directory()->Apply(sequence_, {{target.name, source.node}});
      source.parent->directory()->Apply(sequence_, {{source.name, nullptr}});
    }
    return absl::OkStatus();
  }

  absl::Status Link(const std::string& from, const std::string& to) {
    const std::string both = fmt::format("{} to {}", from, to);
    KV_ASSIGN_OR_RETURN(const Place source, Locate("link", from));
    KV_ASSIGN_OR_RETURN(const Place target, Locate("link", to));
    if (source.node == nullptr) return IoError("link", both, ENOENT);
    if (target.node != nullptr) return IoError("link", both, EEXIST);
    if (source.node->directory() != nullptr) return IoError("link", both, EPERM);
    target.parent->directory()->Apply(++sequence_, {{target.name, source.node}});
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) {
    KV_ASSIGN_OR_RETURN(const Place place, Locate("remove", path));
    KV_RETURN_IF_ERROR(RequireFile("remove", path, place));
    place.parent->directory()->Apply(++sequence_, {{place.name, nullptr}});
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const {
    KV_ASSIGN_OR_RETURN(const NodeRef node, FindDirectory("list", path));
    std::vector<std::string> names;
    for (const auto& [name, child] : node->directory()->visible) {
      if (child->file() != nullptr) names.push_back(name);
    }
    return names;
  }

  absl::Status CreateDirectories(const std::string& path) {
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> names, Split(path));
    NodeRef node = root_;
    for (const std::string& name : names) {
      Directory* const directory = node->directory();
      if (!directory->visible.contains(name)) {
        directory->Apply(++sequence_, {{name, NewDirectory()}});
        directory->Sync(sequence_);
      }
      node = NodeRef(directory->visible[name]);
      if (node->file() != nullptr) return IoError("create directory", path, ENOTDIR);
    }
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& path, uint64_t last) {
    KV_ASSIGN_OR_RETURN(const NodeRef node, FindDirectory("sync directory", path));
    node->directory()->Sync(last);
    return absl::OkStatus();
  }

  bool Exists(const std::string& path) const {
    const absl::StatusOr<Place> place = Locate("stat", path);
    return place.ok() && place->node != nullptr;
  }

  // The sizes of all files that have a name, in bytes; each once, however many names it has.
  uint64_t UsedBytes() const {
    std::set<const Node*> seen;
    return UsedBytes(root_, &seen);
  }

  // The disk as it may be found afterwards; `notes` gets a line for each file and directory that
  // had unsynced changes. This disk stays as it is.
  Disk AfterCrash(CrashMode mode, uint64_t seed, std::vector<std::string>* notes) const {
    std::vector<uint64_t> unsynced;
    std::map<const Node*, NodeRef> seen;
    Walk(root_, &seen, [&](Node& node) {
      if (File* const file = node.file(); file != nullptr) {
        file->CollectUnsynced(&unsynced);
      } else {
        for (const auto& change : node.directory()->unsynced) unsynced.push_back(change.sequence);
      }
    });
    Disk crashed;
    crashed.sequence_ = sequence_;
    Crash crash{mode, Survival(mode, seed, std::move(unsynced)), {}, notes};
    crashed.root_ = AfterCrash(root_, "", &crash);
    return crashed;
  }

 private:
  // Where a path leads: `node` is null when the name is free. The root has no parent and no name.
  struct Place {
    NodeRef parent;
    std::string name;
    NodeRef node;
  };

  struct Crash {
    CrashMode mode;
    Survival survival;
    std::map<const Node*, NodeRef> copies;  // a file may be found under two names
    std::vector<std::string>* notes;
  };

  static absl::StatusOr<std::vector<std::string>> Split(const std::string& path) {
    std::vector<std::string> names;
    for (size_t begin = 0; begin < path.size();) {
      const size_t end = std::min(path.find('/', begin), path.size());
      std::string name = path.substr(begin, end - begin);
      if (name == "..") return Invalid(fmt::format("{}: \"..\" is not simulated", path));
      if (!name.empty() && name != ".") names.push_back(std::move(name));
      begin = end + 1;
    }
    return names;
  }

  absl::StatusOr<Place> Locate(std::string_view operation, const std::string& path) const {
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> names, Split(path));
    Place place{.parent = nullptr, .name = "", .node = root_};
    for (const std::string& name : names) {
      if (place.node == nullptr) return IoError(operation, path, ENOENT);
      if (place.node->file() != nullptr) return IoError(operation, path, ENOTDIR);
      const Entries& entries = place.node->directory()->visible;
      const auto found = entries.find(name);
      place = {.parent = place.node,
               .name = name,
               .node = found == entries.end() ? nullptr : found->second};
    }
    return place;
  }

  absl::StatusOr<NodeRef> FindDirectory(std::string_view operation, const std::string& path) const {
    KV_ASSIGN_OR_RETURN(const Place place, Locate(operation, path));
    if (place.node == nullptr) return IoError(operation, path, ENOENT);
    if (place.node->file() != nullptr) return IoError(operation, path, ENOTDIR);
    return place.node;
  }

  static absl::Status RequireFile(std::string_view operation, const std::string& path,
                                  const Place& place) {
    if (place.node == nullptr) return IoError(operation, path, ENOENT);
    if (place.node->file() == nullptr) return IoError(operation, path, EISDIR);
    return absl::OkStatus();
  }

  NodeRef Add(const Place& place) {
    NodeRef node = std::make_shared<Node>(Node{File()});
    place.parent->directory()->Apply(++sequence_, {{place.name, node}});
    return node;
  }

  static uint64_t UsedBytes(const NodeRef& node, std::set<const Node*>* seen) {
    if (!seen->insert(node.get()).second) return 0;
    if (const File* const file = node->file(); file != nullptr) return file->visible().size();
    uint64_t used = 0;
    for (const auto& [name, child] : node->directory()->visible) used += UsedBytes(child, seen);
    return used;
  }

  // Visits every node that any outcome of a crash could show, once.
  template <typename Visit>
  static void Walk(const NodeRef& node, std::map<const Node*, NodeRef>* seen, Visit visit) {
    if (node == nullptr || !seen->emplace(node.get(), node).second) return;
    visit(*node);
    Directory* const directory = node->directory();
    if (directory == nullptr) return;
    for (const auto& [name, child] : directory->visible) Walk(child, seen, visit);
    for (const auto& [name, child] : directory->durable) Walk(child, seen, visit);
    for (const auto& change : directory->unsynced) {
      for (const auto& [name, child] : change.entries) Walk(child, seen, visit);
    }
  }

  // Children are visited in the order of their names: a seed must not depend on addresses.
  static NodeRef AfterCrash(const NodeRef& node, const std::string& path, Crash* crash) {
    if (node == nullptr) return nullptr;
    const auto [copy, is_new] = crash->copies.emplace(node.get(), nullptr);
    if (!is_new) return copy->second;
    NodeRef& result = copy->second;
    if (const File* const file = node->file(); file != nullptr) {
      result = std::make_shared<Node>(Node{
          crash->mode == CrashMode::kKeepAll ? *file : file->AfterPowerLoss(&crash->survival)});
      if (file->unsynced_changes() != 0 || !file->LooksAs(*result->file())) {
        crash->notes->push_back(fmt::format("{}: {} unsynced changes, {} bytes became {}", path,
                                            file->unsynced_changes(), file->visible().size(),
                                            result->file()->visible().size()));
      }
      return result;
    }
    const Directory& before = *node->directory();
    Directory after;
    const auto copy_entries = [&](const Entries& entries) {
      Entries copied;
      for (const auto& [name, child] : entries) {
        copied[name] = AfterCrash(child, path + "/" + name, crash);
      }
      return copied;
    };
    if (crash->mode == CrashMode::kKeepAll) {
      after.visible = copy_entries(before.visible);
      after.durable = copy_entries(before.durable);
      for (const Directory::Change& change : before.unsynced) {
        after.unsynced.push_back({change.sequence, {}});
        for (const auto& [name, child] : change.entries) {
          after.unsynced.back().entries.emplace_back(name,
                                                     AfterCrash(child, path + "/" + name, crash));
        }
      }
    } else {
      Entries survivors = before.durable;
      size_t kept = 0;
      for (const Directory::Change& change : before.unsynced) {
        if (!crash->survival.Keeps(change.sequence)) continue;
        Directory::Fold(change, &survivors);
        ++kept;
      }
      if (!before.unsynced.empty()) {
        crash->notes->push_back(
            fmt::format("{}/: {} of {} unsynced changes kept", path, kept, before.unsynced.size()));
      }
      after.visible = copy_entries(survivors);
      after.durable = after.visible;
    }
    return result = std::make_shared<Node>(Node{std::move(after)});
  }

  NodeRef root_ = NewDirectory();
  uint64_t sequence_ = 0;
};

}  // namespace simulated
}  // namespace kv

#endif  // KV_IO_SIMULATED_DISK_H_
