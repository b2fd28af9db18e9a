// The order of a store's file operations, held against rules that every durable engine keeps.
//
// A crash test finds a missing sync when a crash falls between two operations and the simulated
// disk happens to lose the right one. These rules look at each operation instead: whether, when it
// is done, what it relies on is durable. They know files by the names that the engines give them:
//
//   log        *.log, *.segment, log           writes go here first, in ascending numbers
//   data       *.table, *.values, *.merged, *.hint    written once, then named
//   manifest   CURRENT, MANIFEST-*, SEGMENTS, TREE    says which of the others count
//   temporary  *.tmp, *.new                    not part of the store yet
//
// A file of another name is a failure, so that an engine with a new kind of file comes by here.
//
// Thread safety: none.
#ifndef KV_TESTING_FILE_ORDER_H_
#define KV_TESTING_FILE_ORDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/io/simulated.h"

namespace kv::testing {

enum class FileRole { kLock, kLog, kData, kManifest, kTemporary, kUnknown };
// `path` may be a path or a name.
FileRole RoleOfFile(std::string_view path);

enum class Milestone {
  kOpened,        // an Open returned: the store at `path` is another process's, as it were
  kAcknowledged,  // a write returned OK, and the composition is durable on return
  kSynced,        // a call returned OK that makes everything in the store at `path` durable
};

// One file operation of the store, or a moment in its life.
struct FileEvent {
  uint64_t number = 0;  // of the operation, or of the last one before the milestone; from 1
  std::optional<FileOperation> operation = {};  // none: a milestone
  std::optional<Milestone> milestone = {};
  std::string path = {};  // the newest name of the file
  std::string to = {};    // of renames and links
  uint64_t offset = 0;    // of writes
  uint64_t bytes = 0;
  bool failed = false;
};

// Collects the events of one simulated machine.
class FileRecorder {
 public:
  explicit FileRecorder(SimulatedFileSystem files) : files_(std::move(files)) {}
  void Mark(Milestone milestone, std::string path);
  // All since the machine was made, while they are few enough for its trace (simulated.h): then the
  // first has number 1.
  std::vector<FileEvent> Events() const;

 private:
  SimulatedFileSystem files_;
  std::vector<FileEvent> milestones_;
};

enum class FileRule {
  // When a manifest names files, their bytes and their names are durable. For the log that takes
  // the writes from then on, its header is.
  kNamedFilesAreDurable,
  // When a file is removed or written over, the manifest that does without it is durable: synced,
  // and where it was renamed, so is the directory.
  kRemovalsComeLast,
  // When anything is written to a log, all before it are durable. Where the composition is durable
  // on return; the others have headers that tell.
  kLogsAreWholeInOrder,
  // At a milestone that says so, nothing of the store is left to be synced.
  kPromisesAreKept,
  // A file whose sync failed is neither written nor synced again before the next Open, unless it is
  // emptied.
  kFailedSyncIsFinal,
  // No two data files have the same name between two Opens: what a cache knows of the one is never
  // taken for the other.
  kNamesAreNotUsedAgain,
  // Every file is of a known kind.
  kFilesAreKnown,
};

struct FileViolation {
  FileRule rule;
  std::string text;  // with the number of the operation
};

// Every breach of a rule, in the order of the events. O(events * files).
std::vector<FileViolation> CheckFileOrder(const std::vector<FileEvent>& events,
                                          bool durable_on_return);

// Those of one rule, as texts.
std::vector<std::string> TextsOf(FileRule rule, const std::vector<FileViolation>& violations);

}  // namespace kv::testing

#endif  // KV_TESTING_FILE_ORDER_H_
