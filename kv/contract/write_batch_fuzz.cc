// Fuzzes the entries of a write batch: any bytes as the payload of a log record, as the recovery of
// each engine takes it apart (WriteBatch::ForEach).
//
// There is no checksum here: the log has it. What must hold: every key and value lies within the
// bytes; numbers are consecutive; entries before a malformed one are the same without it; and what
// was read, written anew by the code that writes batches, reads the same and is no longer than it
// was.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kv/contract/write_batch.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

constexpr Sequence kFirst = 1000;

struct Entries {
  bool whole = false;
  std::vector<Record> records;  // views of the bytes
};

Entries Read(std::string_view bytes) {
  Entries entries;
  entries.whole = WriteBatch::ForEach(
      bytes, kFirst, [&](const Record& record) { entries.records.push_back(record); });
  return entries;
}

void RequireWithin(std::string_view part, std::string_view bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  const auto at = reinterpret_cast<uintptr_t>(part.data());
  Require(at >= begin && at + part.size() <= begin + bytes.size(), "a part lies outside the bytes");
}

// What was read in the form in which it is written. Deletes do not expire.
std::string Written(const std::vector<Record>& records) {
  std::string bytes;
  for (const Record& record : records) {
    WriteBatch batch;
    switch (record.kind) {
      case RecordKind::kValue:
        batch.Put(record.key, record.value, record.expires_at);
        break;
      case RecordKind::kTombstone:
        batch.Delete(record.key);
        break;
      case RecordKind::kRangeTombstone:
        WriteBatch::AppendRangeTombstone(&bytes, record.key, record.value);
        break;
      case RecordKind::kSeparated:
        StopFuzzing("a pointer to a value stands in a batch");
    }
    bytes.append(batch.Bytes());
  }
  return bytes;
}

bool Same(const Record& a, const Record& b) {
  return a.key == b.key && a.value == b.value && a.sequence == b.sequence && a.kind == b.kind &&
         (a.kind != RecordKind::kValue || a.expires_at == b.expires_at);
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  WriteBatch batch;
  batch.Put("key", "value");
  batch.Put("", "");
  batch.Delete("gone");
  batch.Put("later", std::string(200, 'v'), 1'700'000'000'000);
  std::string ranges(batch.Bytes());
  WriteBatch::AppendRangeTombstone(&ranges, "a", "m");
  WriteBatch::AppendRangeTombstone(&ranges, "x", "");
  return {std::string(batch.Bytes()), ranges};
}

bool FuzzRun(std::string_view input) {
  const Entries entries = Read(input);
  for (size_t i = 0; i < entries.records.size(); ++i) {
    const Record& record = entries.records[i];
    Require(record.sequence == kFirst + i, "numbers are not consecutive");
    RequireWithin(record.key, input);
    RequireWithin(record.value, input);
  }
  const std::string written = Written(entries.records);
  Require(written.size() <= input.size(), "what was read takes more bytes than it was read from");
  const Entries again = Read(written);
  Require(again.whole && again.records.size() == entries.records.size(),
          "what was read cannot be written and read");
  for (size_t i = 0; i < again.records.size(); ++i) {
    Require(Same(again.records[i], entries.records[i]), "an entry that was written anew differs");
  }
  return entries.whole;
}

}  // namespace kv::testing
