// VisibleCursor over a sorted list: which version of a key it shows, in both directions and within
// bounds. Random walks over merged runs, and runs that fail, are in engines/lsm.
#include "kv/contract/visible_cursor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/contract/engine.h"

namespace kv {
namespace {

// Models RecordCursor over records in internal order.
class ListCursor {
 public:
  ListCursor() = default;
  explicit ListCursor(const std::vector<Record>* records) : records_(records) {}

  bool Valid() const { return records_ != nullptr && at_ < records_->size(); }
  const Record& record() const { return (*records_)[at_]; }
  absl::Status status() const { return absl::OkStatus(); }
  void SeekToFirst() { at_ = 0; }
  void SeekToLast() { at_ = records_->size() - 1; }  // of none: SIZE_MAX, which is not valid
  void Seek(std::string_view key, Sequence sequence) {
    at_ = static_cast<size_t>(std::ranges::find_if(*records_,
                                                   [&](const Record& each) {
                                                     return CompareInternal(each.key, each.sequence,
                                                                            key, sequence) >= 0;
                                                   }) -
                              records_->begin());
  }
  void Next() { ++at_; }
  void Prev() { --at_; }

 private:
  const std::vector<Record>* records_ = nullptr;
  size_t at_ = SIZE_MAX;
};

struct ExpiresAtMillis {
  static bool Expired(uint64_t expires_at, uint64_t now) {
    return expires_at != kNeverExpires && expires_at <= now;
  }
};

using Visible = VisibleCursor<ListCursor, ExpiresAtMillis, int>;
static_assert(RecordCursor<ListCursor>);
static_assert(Cursor<Visible>);

constexpr uint64_t kNow = 100;

const std::vector<Record>& Records() {
  static const std::vector<Record> kRecords = {
      {.key = "a", .value = "a9", .sequence = 9},
      {.key = "a", .value = "a1", .sequence = 1},
      {.key = "b", .sequence = 8, .kind = RecordKind::kTombstone},
      {.key = "b", .value = "b2", .sequence = 2},
      {.key = "c", .value = "c7", .sequence = 7, .expires_at = kNow},
      {.key = "c", .value = "c3", .sequence = 3},
      {.key = "d", .value = "d4", .sequence = 4, .expires_at = kNow + 1},
  };
  return kRecords;
}

std::string Walk(Visible cursor, bool forward) {
  std::string walked;
  for (forward ? cursor.SeekToFirst() : cursor.SeekToLast(); cursor.Valid();
       forward ? cursor.Next() : cursor.Prev()) {
    walked.append(cursor.key()).append("=").append(cursor.value()).append(" ");
  }
  EXPECT_TRUE(cursor.status().ok());
  return walked;
}

Visible At(Sequence at, CursorBounds bounds = {}) {
  return Visible(ListCursor(&Records()), NoRanges(), std::move(bounds), at, kNow, 0);
}

TEST(VisibleCursorTest, ShowsTheNewestVersionThatIsNotDeletedAndNotExpired) {
  EXPECT_EQ(Walk(At(kMaxSequence), true), "a=a9 d=d4 ");
  EXPECT_EQ(Walk(At(kMaxSequence), false), "d=d4 a=a9 ");
}

TEST(VisibleCursorTest, DoesNotSeeWhatIsNewer) {
  EXPECT_EQ(Walk(At(3), true), "a=a1 b=b2 c=c3 ");
  EXPECT_EQ(Walk(At(3), false), "c=c3 b=b2 a=a1 ");
  EXPECT_EQ(Walk(At(0), true), "");
  EXPECT_EQ(Walk(At(0), false), "");
}

TEST(VisibleCursorTest, StaysWithinItsBounds) {
  EXPECT_EQ(Walk(At(4, {.lower = "b", .upper = "d"}), true), "b=b2 c=c3 ");
  EXPECT_EQ(Walk(At(4, {.lower = "b", .upper = "d"}), false), "c=c3 b=b2 ");
}

TEST(VisibleCursorTest, SeeksAndTurns) {
  Visible cursor = At(4);
  cursor.Seek("b");
  ASSERT_TRUE(cursor.Valid());
  EXPECT_EQ(cursor.value(), "b2");
  cursor.Prev();
  ASSERT_TRUE(cursor.Valid());
  EXPECT_EQ(cursor.value(), "a1");
  cursor.Next();
  ASSERT_TRUE(cursor.Valid());
  EXPECT_EQ(cursor.value(), "b2");
  cursor.SeekForPrev("cc");
  ASSERT_TRUE(cursor.Valid());
  EXPECT_EQ(cursor.value(), "c3");
  EXPECT_EQ(cursor.expires_at(), kNeverExpires);
}

TEST(VisibleCursorTest, ACountIsOfWhatItShows) {
  for (Sequence at = 0; at <= 10; ++at) {
    for (const std::string upper : {"", "a", "b", "c", "d", "e"}) {
      Visible shown = At(at, {.upper = upper});
      uint64_t expected = 0;
      for (shown.SeekToFirst(); shown.Valid(); shown.Next()) ++expected;
      ListCursor records(&Records());
      records.SeekToFirst();
      EXPECT_EQ(CountVisible<ExpiresAtMillis>(records, upper, at, kNow, NoRanges()), expected)
          << "at " << at << ", up to '" << upper << "'";
    }
  }
}

TEST(VisibleCursorTest, ACountLeavesOutWhatARangeHides) {
  struct HidesD {
    static bool Hides(std::string_view key, Sequence) { return key == "d"; }
  };
  ListCursor records(&Records());
  records.SeekToFirst();
  EXPECT_EQ(CountVisible<ExpiresAtMillis>(records, "", kMaxSequence, kNow, HidesD()), 1);
}

TEST(VisibleCursorTest, WithAnErrorItIsNeverValid) {
  const Visible cursor(absl::DataLossError("lost"));
  EXPECT_FALSE(cursor.Valid());
  EXPECT_EQ(cursor.status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace kv
