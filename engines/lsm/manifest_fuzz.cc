// Fuzzes ReadManifest(): any bytes as the manifest that CURRENT names, with the edits in it:
// tables, range tombstones, value files.
//
// What must hold: it is refused with an error that names the file, or it is read, and then
//   - the state is one that a store can have: levels below the most there are, no table twice,
//   range
//     tombstones and value files in order and once each, every range with its begin before its end;
//   - the one edit that makes the state out of nothing decodes to the same edit;
//   - a new manifest that is started with the state reads the same.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/checksum_repair.h"
#include "engines/lsm/manifest.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

constexpr uint64_t kNumber = 5;

const FileNames& Names() {
  static const FileNames names("/store");
  return names;
}

TableMeta Table(uint64_t number, std::string smallest, std::string largest) {
  TableMeta meta{.number = number,
                 .bytes = 4000 + number,
                 .entries = 30,
                 .tombstones = 2,
                 .expiring = 1,
                 .raw_bytes = 3000,
                 .min_sequence = 7,
                 .max_sequence = 300,
                 .ranges_applied = 5,
                 .earliest_expiry = 1'700'000'000'000,
                 .latest_expiry = 1'700'000'000'000,
                 .smallest = std::move(smallest),
                 .largest = std::move(largest)};
  if (number % 2 == 0) meta.values = {{.file = 9, .bytes = 100}, {.file = 11, .bytes = 12}};
  return meta;
}

// A manifest as a store leaves it behind: a whole state, then changes.
ExactFiles MakeManifest() {
  ExactFiles files;
  ManifestState state;
  state.format = "lsm filter=none compression=none expiry=none";
  state.log_number = 3;
  state.next_file = 20;
  state.last_sequence = 300;
  state.levels = {{Table(6, "a", "m"), Table(7, "c", "z")}, {Table(8, "", std::string(40, 'k'))}};
  state.ranges = {{"b", "d", 250}, {"x", "", 30}};
  state.values = {{.number = 9, .bytes = 4096, .records = 4}, {11, 200, 1}};
  auto manifest = Manifest<ExactFiles>::Start(files, Names(), kNumber, state);
  RequireOk(manifest.status(), "a manifest cannot be started:");
  ManifestEdit flush{.log_number = 12, .next_file = 22, .last_sequence = 400};
  flush.added = {{0, Table(13, "aa", "bb")}};
  // Nearly the same: a mutation makes them the same.
  flush.ranges_added = {{"b", "c", 391}, {"b", "c", 390}};
  flush.values_added = {{.number = 14, .bytes = 900, .records = 3}};
  ManifestEdit compaction;
  compaction.removed = {{0, 6}, {0, 7}};
  compaction.added = {{1, Table(15, "l", "z")}};
  compaction.ranges_removed = {{"b", "d", 250}};
  compaction.values_removed = {11};
  ManifestEdit close;
  close.clean_close = CleanClose{.log = 12, .end = 512};
  for (const ManifestEdit& edit : {flush, compaction, close}) {
    RequireOk(manifest->Append(edit), "an edit cannot be appended:");
  }
  return files;
}

void CheckState(const ManifestState& state) {
  std::set<uint64_t> numbers;
  Require(state.levels.size() <= ManifestState::kMaxLevels, "there are too many levels");
  for (const auto& level : state.levels) {
    for (const TableMeta& meta : level) {
      Require(numbers.insert(meta.number).second, "a table is there twice");
    }
  }
  for (size_t i = 0; i < state.ranges.size(); ++i) {
    const RangeTombstone& range = state.ranges[i];
    Require(IsBefore(range.begin, range.end) && range.sequence <= kMaxSequence,
            "a range tombstone covers nothing");
    Require(i == 0 || state.ranges[i - 1] < range, "range tombstones are not in order");
  }
  for (size_t i = 1; i < state.values.size(); ++i) {
    Require(state.values[i - 1].number < state.values[i].number, "value files are not in order");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const std::string whole = MakeManifest().Contents(Names().Manifest(kNumber));
  std::vector<std::string> seeds;
  AddSeeds(0, whole, &seeds);
  // Its last edit was torn, and is dropped.
  AddSeeds(0, std::string_view(whole).substr(0, whole.size() - 3), &seeds);
  ExactFiles fresh;
  RequireOk(Manifest<ExactFiles>::Start(fresh, Names(), kNumber, {}).status(), "no manifest:");
  AddSeeds(0, fresh.Contents(Names().Manifest(kNumber)), &seeds);
  return seeds;
}

bool FuzzRun(std::string_view input) {
  static const ExactFiles made = MakeManifest();
  FuzzInput fuzzed(input);
  if (fuzzed.repair) RepairManifest(kNumber, &fuzzed.bytes);
  ExactFiles files = made.Copy();
  files.Set(Names().Manifest(kNumber), fuzzed.bytes);
  const auto read = ReadManifest(files, Names());
  if (!read.ok()) {
    RequireRefusal(read.status(), Names().Manifest(kNumber));
    return false;
  }
  CheckState(read->state);

  const std::string bytes = read->state.AsEdit().Encode();
  ManifestEdit edit;
  ManifestState state;
  Require(edit.Decode(bytes), "a state's edit does not decode");
  RequireOk(state.Apply(edit), "a state's edit does not apply:");
  Require(state.AsEdit().Encode() == bytes, "a state's edit makes another state");

  RequireOk(Manifest<ExactFiles>::Start(files, Names(), kNumber + 1, read->state).status(),
            "a manifest cannot be started:");
  const auto again = ReadManifest(files, Names());
  RequireOk(again.status(), "a manifest that was written anew is refused:");
  Require(!again->dropped_tail && again->path == Names().Manifest(kNumber + 1) &&
              again->state.AsEdit().Encode() == bytes,
          "a manifest that was written anew reads otherwise");
  return true;
}

}  // namespace kv::testing
