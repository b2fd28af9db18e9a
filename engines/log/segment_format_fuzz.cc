// Fuzzes the readers of a log-structured store's files, each on its own: any bytes as a segment
// that was not sealed (choice 0), as a hint (1) or as the manifest (2), as they are or with their
// checksums made right.
//
// What must hold of a segment: it is refused as damage that names the file, or it ends somewhere,
// and then what is before that end is a sealed segment: it reads the same when it is cut off there,
// sequence numbers ascend, each record written anew reads the same, and the hint that is made of it
// says where each record is and what it is. Of a hint: every entry lies within its bytes. Of a
// manifest: what was read, written anew, reads the same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/log/checksum_repair.h"
#include "engines/log/hint.h"
#include "engines/log/manifest.h"
#include "engines/log/record_format.h"
#include "engines/log/segment_format.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

constexpr uint64_t kNumber = 4;
constexpr char kPath[] = "/store/000004.segment";

enum Choice : uint8_t { kSegment = 0, kHint = 1, kManifest = 2, kChoices = 3 };

// Seven records in groups of one and two; the last group has one record, or is cut off.
std::string MakeSegment(bool whole) {
  std::string bytes =
      SegmentHeader{.number = kNumber, .previous_number = 2, .previous_end = 640, .synced = true}
          .Encode();
  for (Sequence sequence = 1; sequence <= 7; ++sequence) {
    const std::string key = "key" + std::to_string(sequence % 4);
    const std::string value(sequence * 9, 'v');
    Record record{.key = key, .value = value, .sequence = sequence};
    if (sequence % 3 == 0) record.expires_at = 1'700'000'000'000;
    if (sequence == 5) {
      record.kind = RecordKind::kTombstone;
      record.value = {};
    }
    const size_t offset = bytes.size();
    bytes.resize(offset + LogEntryBytes(record));
    const bool ends_group = sequence == 7 ? whole : sequence % 3 != 1;
    LogEntry::Encode(record, {.begins_write = sequence % 3 != 2, .ends_group = ends_group}, kNumber,
                     offset, bytes.data() + offset);
  }
  bytes.append(48, '\0');
  return bytes;
}

SegmentManifest MakeManifest() {
  SegmentManifest manifest;
  manifest.format = "log expiry=none";
  manifest.next_number = 9;
  manifest.last_sequence = 77;
  manifest.first_unsealed = 8;
  manifest.segments = {{.number = 2, .end = 640},
                       {.number = 6, .end = 320, .cleaned = 50, .merged = true}};
  return manifest;
}

void CheckHint(std::string_view bytes, uint64_t end, const std::vector<LogEntry>& entries,
               const std::vector<uint64_t>& offsets) {
  const auto made = MakeHint(kPath, bytes, kNumber, end);
  RequireOk(made.status(), "a segment that was read makes no hint:");
  HintView hint;
  Require(hint.Decode(*made, kNumber, end), "a hint that was made is refused");
  Require(hint.Count() == entries.size(), "a hint misses records");
  for (size_t i = 0; i < entries.size(); ++i) {
    const HintEntry entry = hint.Entry(i);
    const Record& record = entries[i].record;
    Require(entry.hash == LogKeyHash(record.key) && entry.offset == offsets[i] &&
                entry.bytes == entries[i].bytes &&
                entry.tombstone == (record.kind == RecordKind::kTombstone) &&
                entry.expires == (record.expires_at != kNeverExpires),
            "a hint says something else than its segment");
  }
}

// Written anew at its place, the record reads the same.
void CheckEntry(const LogEntry& entry, uint64_t offset) {
  std::string bytes(offset + LogEntryBytes(entry.record), '\0');
  LogEntry::Encode(entry.record, entry.group, kNumber, offset, bytes.data() + offset);
  LogEntry again;
  Require(again.Parse(bytes, offset) && again.Intact(bytes, offset, kNumber),
          "a record that was written anew is refused");
  Require(again.record == entry.record && again.group.ends_group == entry.group.ends_group &&
              again.group.begins_write == entry.group.begins_write,
          "a record that was written anew differs");
}

bool RunSegment(std::string_view bytes) {
  const auto found = FindSegmentEnd(kPath, bytes, kNumber);
  if (!found.ok()) {
    RequireRefusal(found.status(), kPath);
    return false;
  }
  if (!found->started) return false;
  Require(found->end >= kSegmentHeaderBytes && found->end <= bytes.size(),
          "the segment ends outside of its file");
  std::vector<LogEntry> entries;
  std::vector<uint64_t> offsets;
  RequireOk(ScanSegment(kPath, bytes, kNumber, found->end,
                        [&](const LogEntry& entry, uint64_t offset) {
                          entries.push_back(entry);
                          offsets.push_back(offset);
                          return absl::OkStatus();
                        }),
            "what is before a segment's end cannot be read:");
  Require(found->last == (entries.empty() ? 0 : entries.back().record.sequence),
          "the last sequence number is another");
  for (size_t i = 0; i < entries.size(); ++i) CheckEntry(entries[i], offsets[i]);
  CheckHint(bytes, found->end, entries, offsets);
  const auto cut = FindSegmentEnd(kPath, bytes.substr(0, found->end), kNumber);
  RequireOk(cut.status(), "a segment that was cut off where it ends is refused:");
  Require(cut->end == found->end && cut->last == found->last,
          "a segment that was cut off where it ends reads otherwise");
  return true;
}

bool RunHint(std::string_view bytes) {
  // The end is in the manifest, and is here what the hint says.
  const uint64_t end = bytes.size() < kHintHeaderBytes ? 0 : LoadFixed64(bytes.data() + 24);
  HintView hint;
  if (!hint.Decode(bytes, kNumber, end)) return false;
  Require(bytes.size() == kHintHeaderBytes + hint.Count() * kHintEntryBytes + sizeof(uint64_t),
          "a hint has entries outside of its bytes");
  for (size_t i = 0; i < hint.Count(); ++i) {
    Require(hint.Entry(i).offset % kRecordAlignment == 0, "a record is not aligned");
  }
  return true;
}

bool RunManifest(std::string_view bytes) {
  const auto manifest = SegmentManifest::Decode(kPath, bytes);
  if (!manifest.ok()) {
    RequireRefusal(manifest.status(), kPath);
    return false;
  }
  const auto again = SegmentManifest::Decode(kPath, manifest->Encode());
  RequireOk(again.status(), "a manifest that was written anew is refused:");
  Require(*again == *manifest, "a manifest that was written anew reads otherwise");
  return true;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const bool whole : {true, false}) AddSeeds(kSegment, MakeSegment(whole), &seeds);
  const std::string segment = MakeSegment(true);
  const auto end = FindSegmentEnd(kPath, segment, kNumber);
  RequireOk(end.status(), "a segment has no end:");
  const auto hint = MakeHint(kPath, segment, kNumber, end->end);
  RequireOk(hint.status(), "a segment has no hint:");
  AddSeeds(kHint, *hint, &seeds);
  AddSeeds(kManifest, MakeManifest().Encode(), &seeds);
  AddSeeds(kManifest, SegmentManifest().Encode(), &seeds);
  return seeds;
}

bool FuzzRun(std::string_view input) {
  FuzzInput fuzzed(input);
  switch (fuzzed.choice % kChoices) {
    case kSegment:
      if (fuzzed.repair) RepairSegment(kNumber, &fuzzed.bytes);
      return RunSegment(fuzzed.bytes);
    case kHint:
      if (fuzzed.repair) RepairHintOrManifest(kNumber, &fuzzed.bytes);
      return RunHint(fuzzed.bytes);
    default:
      if (fuzzed.repair) RepairHintOrManifest(0, &fuzzed.bytes);
      return RunManifest(fuzzed.bytes);
  }
}

}  // namespace kv::testing
