// A manifest edit: one atomic change of what a store consists of, and the state that a sequence of
// edits adds up to.
//
//   edit  := field*
//   field := 1 log_number:varint            oldest log that recovery still needs
//          | 2 next_file:varint             no file number from this on is in use
//          | 3 last_sequence:varint         last sequence number in any table
//          | 4 level:varint meta            a table is added (meta: table_meta.h)
//          | 5 level:varint number:varint   a table is removed
//          | 6 log:varint end:varint        closed cleanly: this log is sealed and ends here
//          | 7 size:varint bytes            the composition's format (first edit of a manifest)
//          | 8 tombstone                    a range tombstone is added (range_tombstone.h)
//          | 9 tombstone                    a range tombstone is removed
//          | 10 meta                        a value file is added (meta: value_format.h)
//          | 11 number:varint               a value file is removed
//
// Each field begins with its number as one byte.
//
// Thread safety: plain values.
#ifndef ENGINES_LSM_MANIFEST_EDIT_H_
#define ENGINES_LSM_MANIFEST_EDIT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/range_tombstone.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/value_format.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"

namespace kv {

struct CleanClose {
  uint64_t log = 0;
  uint64_t end = 0;
};

struct ManifestEdit {
  std::optional<uint64_t> log_number;
  std::optional<uint64_t> next_file;
  std::optional<Sequence> last_sequence;
  std::optional<CleanClose> clean_close;
  std::optional<std::string> format;
  std::vector<std::pair<size_t, TableMeta>> added;
  std::vector<std::pair<size_t, uint64_t>> removed;
  std::vector<RangeTombstone> ranges_added;
  std::vector<RangeTombstone> ranges_removed;
  std::vector<ValueFileMeta> values_added;
  std::vector<uint64_t> values_removed;

  std::string Encode() const {
    std::string bytes;
    if (format) {
      bytes.push_back(kFormat);
      AppendLengthPrefixed(&bytes, *format);
    }
    AppendOptional(&bytes, kLogNumber, log_number);
    AppendOptional(&bytes, kNextFile, next_file);
    AppendOptional(&bytes, kLastSequence, last_sequence);
    for (const auto& [level, meta] : added) {
      bytes.push_back(kAdded);
      AppendVarint64(&bytes, level);
      meta.AppendTo(&bytes);
    }
    for (const auto& [level, number] : removed) {
      bytes.push_back(kRemoved);
      AppendVarint64(&bytes, level);
      AppendVarint64(&bytes, number);
    }
    AppendRanges(&bytes, kRangeAdded, ranges_added);
    AppendRanges(&bytes, kRangeRemoved, ranges_removed);
    for (const ValueFileMeta& meta : values_added) {
      bytes.push_back(kValuesAdded);
      meta.AppendTo(&bytes);
    }
    for (const uint64_t number : values_removed) {
      bytes.push_back(kValuesRemoved);
      AppendVarint64(&bytes, number);
    }
    if (clean_close) {
      bytes.push_back(kCleanClose);
      AppendVarint64(&bytes, clean_close->log);
      AppendVarint64(&bytes, clean_close->end);
    }
    return bytes;
  }

  // False when `bytes` are not an edit.
  bool Decode(std::string_view bytes) {
    while (!bytes.empty()) {
      const char field = bytes.front();
      bytes.remove_prefix(1);
      if (!TakeField(field, &bytes)) return false;
    }
    return true;
  }

 private:
  enum Field : char {
    kLogNumber = 1,
    kNextFile = 2,
    kLastSequence = 3,
    kAdded = 4,
    kRemoved = 5,
    kCleanClose = 6,
    kFormat = 7,
    kRangeAdded = 8,
    kRangeRemoved = 9,
    kValuesAdded = 10,
    kValuesRemoved = 11,
  };

  static void AppendOptional(std::string* to, char field, const std::optional<uint64_t>& value) {
    if (!value) return;
    to->push_back(field);
    AppendVarint64(to, *value);
  }

  static void AppendRanges(std::string* to, char field, const std::vector<RangeTombstone>& ranges) {
    for (const RangeTombstone& range : ranges) {
      to->push_back(field);
      range.AppendTo(to);
    }
  }

  bool TakeField(char field, std::string_view* bytes) {
    uint64_t level = 0;
    switch (field) {
      case kLogNumber:
        return TakeVarint64(bytes, &log_number.emplace());
      case kNextFile:
        return TakeVarint64(bytes, &next_file.emplace());
      case kLastSequence:
        return TakeVarint64(bytes, &last_sequence.emplace());
      case kAdded: {
        TableMeta meta;
        if (!TakeVarint64(bytes, &level) || !TableMeta::Take(bytes, &meta)) return false;
        added.emplace_back(level, std::move(meta));
        return true;
      }
      case kRemoved: {
        uint64_t number = 0;
        if (!TakeVarint64(bytes, &level) || !TakeVarint64(bytes, &number)) return false;
        removed.emplace_back(level, number);
        return true;
      }
      case kCleanClose: {
        CleanClose& close = clean_close.emplace();
        return TakeVarint64(bytes, &close.log) && TakeVarint64(bytes, &close.end);
      }
      case kFormat: {
        std::string_view text;
        if (!TakeLengthPrefixed(bytes, &text)) return false;
        format = std::string(text);
        return true;
      }
      case kRangeAdded:
        return RangeTombstone::Take(bytes, &ranges_added.emplace_back());
      case kRangeRemoved:
        return RangeTombstone::Take(bytes, &ranges_removed.emplace_back());
      case kValuesAdded:
        return ValueFileMeta::Take(bytes, &values_added.emplace_back());
      case kValuesRemoved:
        return TakeVarint64(bytes, &values_removed.emplace_back());
      default:
        return false;
    }
  }
};

// What a store consists of.
struct ManifestState {
  static constexpr size_t kMaxLevels = 64;

  std::string format;
  uint64_t log_number = 0;
  uint64_t next_file = 1;
  Sequence last_sequence = 0;
  std::optional<CleanClose> clean_close;  // set by the last edit only
  std::vector<std::vector<TableMeta>> levels;
  std::vector<RangeTombstone> ranges;  // in their order
  std::vector<ValueFileMeta> values;   // ascending by number

  // Fails when the edit does not fit the state: a level that cannot be, a table, range tombstone or
  // value file added twice or removed without being there. The state is then half changed and of no
  // use.
  absl::Status Apply(const ManifestEdit& edit) {
    if (edit.format) format = *edit.format;
    if (edit.log_number) log_number = *edit.log_number;
    if (edit.next_file) next_file = *edit.next_file;
    if (edit.last_sequence) last_sequence = *edit.last_sequence;
    clean_close = edit.clean_close;
    for (const auto& [level, number] : edit.removed) {
      if (level >= levels.size() || std::erase_if(levels[level], [n = number](const auto& meta) {
                                      return meta.number == n;
                                    }) != 1) {
        return absl::DataLossError(
            fmt::format("table {} is removed from level {}, where it is not", number, level));
      }
    }
    for (const auto& [level, meta] : edit.added) {
      if (level >= kMaxLevels) {
        return absl::DataLossError(fmt::format("table {} is on level {}", meta.number, level));
      }
      for (const auto& tables : levels) {
        if (std::ranges::find(tables, meta.number, &TableMeta::number) != tables.end()) {
          return absl::DataLossError(fmt::format("table {} is added twice", meta.number));
        }
      }
      if (levels.size() <= level) levels.resize(level + 1);
      levels[level].push_back(meta);
    }
    KV_RETURN_IF_ERROR(ApplyValues(edit));
    return ApplyRanges(edit);
  }

  // The one edit that makes this state out of nothing.
  ManifestEdit AsEdit() const {
    ManifestEdit edit;
    edit.format = format;
    edit.log_number = log_number;
    edit.next_file = next_file;
    edit.last_sequence = last_sequence;
    edit.clean_close = clean_close;
    for (size_t level = 0; level < levels.size(); ++level) {
      for (const TableMeta& meta : levels[level]) edit.added.emplace_back(level, meta);
    }
    edit.ranges_added = ranges;
    edit.values_added = values;
    return edit;
  }

 private:
  absl::Status ApplyValues(const ManifestEdit& edit) {
    for (const uint64_t number : edit.values_removed) {
      const auto file = std::ranges::lower_bound(values, number, {}, &ValueFileMeta::number);
      if (file == values.end() || file->number != number) {
        return absl::DataLossError(
            fmt::format("value file {} is removed, but is not there", number));
      }
      values.erase(file);
    }
    for (const ValueFileMeta& meta : edit.values_added) {
      const auto place = std::ranges::lower_bound(values, meta.number, {}, &ValueFileMeta::number);
      if (place != values.end() && place->number == meta.number) {
        return absl::DataLossError(fmt::format("value file {} is added twice", meta.number));
      }
      values.insert(place, meta);
    }
    return absl::OkStatus();
  }

  absl::Status ApplyRanges(const ManifestEdit& edit) {
    if (edit.ranges_added.empty() && edit.ranges_removed.empty()) return absl::OkStatus();
    std::vector<RangeTombstone> removed = edit.ranges_removed;
    std::vector<RangeTombstone> added = edit.ranges_added;
    std::sort(removed.begin(), removed.end());
    std::sort(added.begin(), added.end());
    std::vector<RangeTombstone> kept;
    std::set_difference(ranges.begin(), ranges.end(), removed.begin(), removed.end(),
                        std::back_inserter(kept));
    const bool fits = kept.size() + removed.size() == ranges.size() &&
                      std::ranges::adjacent_find(added) == added.end();
    ranges.clear();
    std::set_union(kept.begin(), kept.end(), added.begin(), added.end(),
                   std::back_inserter(ranges));
    if (fits && ranges.size() == kept.size() + added.size()) return absl::OkStatus();
    return absl::DataLossError("a range tombstone is added twice or removed where it is not");
  }
};

}  // namespace kv

#endif  // ENGINES_LSM_MANIFEST_EDIT_H_
