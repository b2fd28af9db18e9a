// A tree of tables in memory that does what an engine does with choices, and knows what every key
// should read as. For tests of policies.
//
// Several compactions may run at once: Start() takes the inputs, Finish() puts the outputs in their
// place. An entry counts one byte. What is dropped reads as deleted from then on.
//
// Omits: snapshots. Only the newest version of a key is ever kept by a merge.
// Thread safety: none.
#ifndef KV_COMPACTION_TREE_MODEL_H_
#define KV_COMPACTION_TREE_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/compaction/choice.h"

namespace kv {

class TreeModel {
 public:
  struct Version {
    uint64_t sequence = 0;
    bool tombstone = false;
  };
  // A table's content, or a flush's.
  using Content = std::map<std::string, Version>;

  uint64_t now_unix_millis = 0;  // of the shapes

  // Puts a memtable of these keys (true: deleted) into level 0, as its newest file, all of whose
  // records have expired at `expiry`, if that is not 0. The model itself forgets nothing then.
  void Flush(const std::map<std::string, bool>& keys, uint64_t expiry = 0) {
    File file{.number = ++last_file_, .latest_expiry = expiry};
    for (const auto& [key, tombstone] : keys) {
      Version& newest = truth_[key];
      if (newest.sequence != 0 && !newest.tombstone) --live_keys_;
      newest = {.sequence = ++last_sequence_, .tombstone = tombstone};
      if (!tombstone) ++live_keys_;
      file.Add(key, newest);
    }
    if (levels_.empty()) levels_.resize(1);
    bytes_flushed_ += file.content.size();
    levels_[0].insert(levels_[0].begin(), std::move(file));
  }

  uint64_t BytesFlushed() const { return bytes_flushed_; }
  uint64_t BytesMerged() const { return bytes_merged_; }  // written by compactions
  // Keys that read as present.
  uint64_t LiveKeys() const { return live_keys_; }

  TreeShape Shape() const {
    TreeShape shape;
    shape.now_unix_millis = now_unix_millis;
    for (const std::vector<File>& level : levels_) {
      shape.levels.emplace_back();
      for (const File& file : level) {
        FileShape& described = shape.levels.back().emplace_back();
        described.number = file.number;
        described.bytes = file.content.size();
        described.smallest = file.content.begin()->first;
        described.largest = file.content.rbegin()->first;
        described.entries = file.content.size();
        described.tombstones = file.tombstones;
        described.being_compacted = file.being_compacted;
        described.latest_expiry = file.latest_expiry;
      }
    }
    return shape;
  }

  // The inputs must exist (see CheckChoice).
  void Start(const Choice& choice) {
    for (const CompactionInput& input : choice.inputs) Find(input).being_compacted = true;
    running_.push_back(choice);
  }

  size_t Running() const { return running_.size(); }

  // Finishes the compaction that was started `index` places after the oldest one that runs.
  absl::Status Finish(size_t index, uint64_t output_file_bytes) {
    Apply(index, output_file_bytes);
    return Check();
  }

  // The same without looking at every key afterwards.
  void Apply(size_t index, uint64_t output_file_bytes) {
    const Choice choice = running_[index];
    running_.erase(running_.begin() + static_cast<ptrdiff_t>(index));
    std::vector<File> outputs;
    size_t place = 0;  // in level 0, where order is age: where the newest input was
    if (choice.drop) {
      for (const CompactionInput& input : choice.inputs) Forget(Find(input));
    } else if (choice.output_level == 0) {
      while (!IsInput(choice, 0, levels_[0][place].number)) ++place;
    }
    if (choice.trivial_move) {
      outputs.push_back(Find(choice.inputs.front()));
      outputs.back().being_compacted = false;
    } else if (!choice.drop) {
      outputs = Merge(choice, output_file_bytes);
      for (const File& file : outputs) bytes_merged_ += file.content.size();
    }
    const size_t output_level = static_cast<size_t>(choice.output_level);
    if (levels_.size() <= output_level) levels_.resize(output_level + 1);
    for (size_t level = 0; level < levels_.size(); ++level) {
      std::erase_if(levels_[level], [&](const File& file) {
        return IsInput(choice, static_cast<int>(level), file.number);
      });
    }
    std::vector<File>& level = levels_[output_level];
    level.insert(level.begin() + static_cast<ptrdiff_t>(place),
                 std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end()));
    if (output_level > 0) {
      std::sort(level.begin(), level.end(), [](const File& a, const File& b) {
        return a.content.begin()->first < b.content.begin()->first;
      });
    }
  }

  // Every level below 0 is disjoint, and every key reads as what was last written.
  absl::Status Check() const {
    for (size_t level = 1; level < levels_.size(); ++level) {
      for (size_t i = 1; i < levels_[level].size(); ++i) {
        const std::string& end = levels_[level][i - 1].content.rbegin()->first;
        const std::string& begin = levels_[level][i].content.begin()->first;
        if (end >= begin) {
          return absl::FailedPreconditionError(fmt::format(
              "level {}: a file ends at {} and the next begins at {}", level, end, begin));
        }
      }
    }
    for (const auto& [key, wanted] : truth_) {
      const Version* const read = Get(key);
      const bool gone = read == nullptr || read->tombstone;
      if (gone != wanted.tombstone || (!gone && read->sequence != wanted.sequence)) {
        return absl::FailedPreconditionError(
            fmt::format("key {}: {}, but was last {} with sequence {}", key,
                        gone ? "absent" : fmt::format("reads sequence {}", read->sequence),
                        wanted.tombstone ? "deleted" : "written", wanted.sequence));
      }
    }
    return absl::OkStatus();
  }

 private:
  struct File {
    uint64_t number = 0;
    bool being_compacted = false;
    uint64_t latest_expiry = 0;
    uint64_t tombstones = 0;  // in the content; kept, because shapes are asked for often
    Content content = {};

    void Add(const std::string& key, const Version& version) {
      content.emplace(key, version);
      tombstones += version.tombstone;
    }
  };

  // What was newest in `file` reads as deleted.
  void Forget(const File& file) {
    for (const auto& [key, version] : file.content) {
      Version& newest = truth_[key];
      if (newest.sequence != version.sequence || newest.tombstone) continue;
      newest.tombstone = true;
      --live_keys_;
    }
  }

  static bool IsInput(const Choice& choice, int level, uint64_t number) {
    return std::find(choice.inputs.begin(), choice.inputs.end(), CompactionInput{level, number}) !=
           choice.inputs.end();
  }

  File& Find(const CompactionInput& input) {
    std::vector<File>& level = levels_[static_cast<size_t>(input.level)];
    return *std::find_if(level.begin(), level.end(),
                         [&](const File& file) { return file.number == input.file; });
  }

  std::vector<File> Merge(const Choice& choice, uint64_t output_file_bytes) {
    Content merged;
    uint64_t latest_expiry = 1;
    for (const CompactionInput& input : choice.inputs) {
      const File& file = Find(input);
      const bool both = latest_expiry > 0 && file.latest_expiry > 0;
      latest_expiry = both ? std::max(latest_expiry, file.latest_expiry) : 0;
      for (const auto& [key, version] : file.content) {
        Version& newest = merged[key];
        if (version.sequence > newest.sequence) newest = version;
      }
    }
    if (choice.bottommost)
      std::erase_if(merged, [](const auto& entry) { return entry.second.tombstone; });
    std::vector<File> outputs;
    for (const auto& [key, version] : merged) {
      if (outputs.empty() || outputs.back().content.size() >= output_file_bytes) {
        outputs.push_back({.number = ++last_file_, .latest_expiry = latest_expiry});
      }
      outputs.back().Add(key, version);
    }
    return outputs;
  }

  // As an engine reads: level by level, and in level 0 file by file.
  const Version* Get(const std::string& key) const {
    for (const std::vector<File>& level : levels_) {
      for (const File& file : level) {
        if (const auto found = file.content.find(key); found != file.content.end()) {
          return &found->second;
        }
      }
    }
    return nullptr;
  }

  std::vector<std::vector<File>> levels_;
  std::vector<Choice> running_;
  std::map<std::string, Version> truth_;
  uint64_t live_keys_ = 0;
  uint64_t last_sequence_ = 0;
  uint64_t last_file_ = 0;
  uint64_t bytes_flushed_ = 0;
  uint64_t bytes_merged_ = 0;
};

}  // namespace kv

#endif  // KV_COMPACTION_TREE_MODEL_H_
