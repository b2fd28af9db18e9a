#include "kv/contract/record.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace kv {
namespace {

TEST(RecordTest, InternalOrderIsByKeyThenNewestFirst) {
  using Pair = std::pair<std::string, Sequence>;
  const std::vector<Pair> ordered = {
      {"", 9},  {"", 1},   {std::string(1, '\0'), 5}, {"a", 2}, {"a", 1},
      {"a", 0}, {"aa", 7}, {"b", kMaxSequence},       {"b", 3}, {"\xff", 1}};
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t j = 0; j < ordered.size(); ++j) {
      const int order =
          CompareInternal(ordered[i].first, ordered[i].second, ordered[j].first, ordered[j].second);
      EXPECT_EQ(order < 0, i < j) << i << " and " << j;
      EXPECT_EQ(order == 0, i == j) << i << " and " << j;
    }
  }
}

TEST(RecordTest, KindsAreThoseOnDisk) {
  EXPECT_EQ(static_cast<int>(RecordKind::kTombstone), 0);
  EXPECT_EQ(static_cast<int>(RecordKind::kValue), 1);
  EXPECT_EQ(kNeverExpires, 0u);
}

struct CursorArchetype {
  bool Valid() const;
  void SeekToFirst();
  void SeekToLast();
  void Seek(std::string_view, Sequence);
  void Next();
  void Prev();
  const Record& record() const;
  absl::Status status() const;
};
struct CursorByValue : CursorArchetype {
  Record record() const;  // fine as well: it converts
};
struct CursorWithoutSequence : CursorArchetype {
  void Seek(std::string_view);
};
struct CursorWithoutStatus : CursorArchetype {
  void status() const;
};
struct CursorThatChangesToLook : CursorArchetype {
  const Record& record();
};
static_assert(RecordCursor<CursorArchetype> && RecordCursor<CursorByValue>);
static_assert(!RecordCursor<CursorWithoutSequence> && !RecordCursor<CursorWithoutStatus> &&
              !RecordCursor<CursorThatChangesToLook> && !RecordCursor<int>);

}  // namespace
}  // namespace kv
