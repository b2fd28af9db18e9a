// What a compaction policy sees, and what it answers. Values without behaviour, so that policies
// are pure functions and are tested from text (testdata/).
#ifndef KV_COMPACTION_CHOICE_H_
#define KV_COMPACTION_CHOICE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kv {

// One SSTable. Keys are user keys; both ends belong to the file.
struct FileShape {
  uint64_t number = 0;
  uint64_t bytes = 0;
  std::string smallest;
  std::string largest;
  uint64_t entries = 0;
  uint64_t tombstones = 0;       // of the entries
  bool being_compacted = false;  // an input of a compaction that has not finished
  // Unix milliseconds at which the last record of the file has expired; 0: some record never does.
  uint64_t latest_expiry = 0;
};

// The tree, as it is read: what stands in a shallower level, or further left in level 0, is newer.
//
//   levels[0]     newest file first; ranges may overlap
//   levels[1..]   ascending by key; ranges are disjoint, so no user key is in two files of a level
//
// Levels that are missing at the end are empty.
struct TreeShape {
  std::vector<std::vector<FileShape>> levels;
  uint64_t now_unix_millis = 0;  // the time at which the shape was taken
};

struct CompactionInput {
  int level = 0;
  uint64_t file = 0;

  friend bool operator==(const CompactionInput&, const CompactionInput&) = default;
};

// Merge `inputs`, write the result to `output_level`, and remove the inputs, in one step of the
// manifest. Of each key the newest version stays, and whatever snapshots still need.
struct Choice {
  std::vector<CompactionInput> inputs;  // shallower levels first, each in the order of its level
  int output_level = 0;
  // The one input goes to output_level as it is: only the manifest changes.
  bool trivial_move = false;
  // The inputs are removed, with all that they hold, and nothing is written; output_level has no
  // meaning, and neither flag beside this one is set.
  bool drop = false;
  // No data older than the inputs lies within their key range outside of them, so a tombstone that
  // no snapshot needs may be dropped.
  bool bottommost = false;
  // How urgent it is: 1 or more when the policy wants it, 0 when it was asked for by hand.
  double score = 0;
  std::string_view reason = "";  // a literal
};

}  // namespace kv

#endif  // KV_COMPACTION_CHOICE_H_
