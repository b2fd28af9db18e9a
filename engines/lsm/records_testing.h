// A run of records in memory and a RecordCursor over it that can be told to fail: what cursor tests
// put under the cursors that they test.
//
// Thread safety: none. A run must outlive its cursors and stay as it is.
#ifndef ENGINES_LSM_RECORDS_TESTING_H_
#define ENGINES_LSM_RECORDS_TESTING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/contract/record.h"
#include "kv/testing/random.h"

namespace kv {

struct TestRecord {
  std::string key;
  std::string value;
  Sequence sequence = 0;
  uint64_t expires_at = kNeverExpires;
  RecordKind kind = RecordKind::kValue;

  friend bool operator==(const TestRecord&, const TestRecord&) = default;
};

inline Record View(const TestRecord& r) {
  return {r.key, r.value, r.sequence, r.expires_at, r.kind};
}

inline bool InOrder(const TestRecord& a, const TestRecord& b) {
  return CompareInternal(a.key, a.sequence, b.key, b.sequence) < 0;
}

struct TestRun {
  std::vector<TestRecord> records;  // in internal order
  size_t fails_at = SIZE_MAX;       // standing on this record is an error instead
};

// kTag tells types of cursors apart. The record that a move leaves is overwritten, so that views
// that are used too long are noticed.
template <int kTag>
class TestRunCursor {
 public:
  explicit TestRunCursor(const TestRun* run) : run_(run) {}

  bool Valid() const { return valid_; }
  void SeekToFirst() { Seat(0); }
  void SeekToLast() { Seat(run_->records.size() - 1); }
  void Seek(std::string_view key, Sequence sequence) {
    const TestRecord target{.key = std::string(key), .sequence = sequence};
    Seat(static_cast<size_t>(
        std::lower_bound(run_->records.begin(), run_->records.end(), target, InOrder) -
        run_->records.begin()));
  }
  void Next() { Stand(at_ + 1); }
  void Prev() { Stand(at_ - 1); }
  const Record& record() const { return record_; }
  absl::Status status() const { return status_; }

 private:
  void Seat(size_t at) {
    status_ = absl::OkStatus();
    Stand(at);
  }

  void Stand(size_t at) {
    at_ = at;
    valid_ = at < run_->records.size();
    if (valid_ && at == run_->fails_at) {
      valid_ = false;
      status_ = absl::DataLossError("the run fails here");
    }
    key_.assign(key_.size(), '#');
    if (!valid_) return;
    key_.assign(run_->records[at].key);
    record_ = View(run_->records[at]);
    record_.key = key_;
  }

  const TestRun* run_;
  size_t at_ = 0;
  bool valid_ = false;
  std::string key_;
  Record record_;
  absl::Status status_;
};

static_assert(RecordCursor<TestRunCursor<0>>);

// Versions of few keys, among them the empty key, keys that share their first 8 bytes, and, in
// some, sequence number 0.
inline std::vector<TestRecord> MakeRecords(testing::Random& random, size_t count) {
  static const std::vector<std::string> kKeys = {"",          std::string(1, '\0'),
                                                 "a",         "ab",
                                                 "abcdefgh",  std::string("abcdefgh\0", 9),
                                                 "abcdefghi", "b",
                                                 "c",         "\xff",
                                                 "\xff\xff"};
  std::vector<TestRecord> records;
  for (size_t i = 0; i < count; ++i) {
    TestRecord record{.key = kKeys[random.Below(kKeys.size())], .sequence = i + 1};
    if (random.OneIn(4)) {
      record.kind = RecordKind::kTombstone;
    } else {
      record.value = fmt::format("v{}", i);
      if (random.OneIn(3)) record.expires_at = 90 + random.Below(20);
    }
    records.push_back(record);
  }
  std::sort(records.begin(), records.end(), InOrder);
  for (size_t i = 0; i < records.size(); ++i) {
    const bool oldest = i + 1 == records.size() || records[i + 1].key != records[i].key;
    if (oldest && random.OneIn(3)) records[i].sequence = 0;
  }
  return records;
}

}  // namespace kv

#endif  // ENGINES_LSM_RECORDS_TESTING_H_
