// VisibleCursor against a std::map of what a reader sees, on random walks within random bounds.
#include "kv/contract/visible_cursor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/merging_cursor.h"
#include "engines/lsm/range_watch.h"
#include "engines/lsm/records_testing.h"
#include "fmt/format.h"
#include "kv/contract/engine.h"
#include "kv/expiry/absolute.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;
using Merging = MergingCursor<TestRunCursor<0>, TestRunCursor<1>>;
using Visible = VisibleCursor<Merging, AbsoluteExpiry, int, RangeWatch>;

static_assert(Cursor<Visible>);

constexpr uint64_t kNow = 100;

using Model = std::map<std::string, std::string>;

Model ModelOf(const std::vector<TestRecord>& records, Sequence at, const CursorBounds& bounds,
              const std::vector<RangeTombstone>& ranges = {}) {
  Model model;
  const std::string* decided = nullptr;
  for (const TestRecord& record : records) {
    if (record.sequence > at || (decided != nullptr && *decided == record.key)) continue;
    decided = &record.key;
    if (record.kind == RecordKind::kTombstone) continue;
    const bool hidden = std::ranges::any_of(ranges, [&](const RangeTombstone& range) {
      return range.begin <= record.key && IsBefore(record.key, range.end) && range.sequence <= at &&
             range.sequence > record.sequence;
    });
    if (hidden) continue;
    if (AbsoluteExpiry::Expired(record.expires_at, kNow)) continue;
    if (record.key < bounds.lower) continue;
    if (!bounds.upper.empty() && record.key >= bounds.upper) continue;
    model[record.key] = record.value;
  }
  return model;
}

Merging MergingOf(const TestRun& even, const TestRun& odd) {
  Merging merging;
  merging.Add(TestRunCursor<0>(&even));
  merging.Add(TestRunCursor<1>(&odd));
  return merging;
}

std::string AnyKey(Random& random, const std::vector<TestRecord>& records) {
  if (records.empty() || random.OneIn(8)) return random.Bytes(random.Below(3));
  return records[random.Below(records.size())].key;
}

// Knows how old its records are, and skips as a level of tables does.
class SkippingRunCursor : public TestRunCursor<1> {
 public:
  explicit SkippingRunCursor(const TestRun* run) : TestRunCursor<1>(run) {
    for (const TestRecord& record : run->records) newest_ = std::max(newest_, record.sequence);
  }
  bool SkipTo(std::string_view end, Sequence newest) {
    if (newest_ >= newest) return false;
    ++skips;
    while (Valid() && IsBefore(record().key, end)) Next();
    return true;
  }
  bool SkipBefore(std::string_view begin, Sequence newest) {
    if (newest_ >= newest) return false;
    ++skips;
    while (Valid() && record().key >= begin) Prev();
    return true;
  }
  static inline size_t skips = 0;

 private:
  Sequence newest_ = 0;
};

std::vector<RangeTombstone> MakeRanges(Random& random, const std::vector<TestRecord>& records) {
  std::vector<RangeTombstone> ranges;
  for (uint64_t i = random.Below(6); i > 0; --i) {
    RangeTombstone range{AnyKey(random, records), AnyKey(random, records), random.Below(60)};
    if (IsBefore(range.begin, range.end)) ranges.push_back(range);
  }
  return ranges;
}

using Skipping = MergingCursor<TestRunCursor<0>, SkippingRunCursor>;

Skipping SkippingOf(const TestRun& even, const TestRun& odd) {
  Skipping merging;
  merging.Add(TestRunCursor<0>(&even));
  merging.Add(SkippingRunCursor(&odd));
  return merging;
}

// With range tombstones in several indexes, as those of memtables and a tree are.
TEST(VisibleCursorTest, WalksAsOverAMap) {
  for (uint64_t seed = 0; seed < 1200 && !::testing::Test::HasFailure(); ++seed) {
    Random random(seed);
    const std::vector<TestRecord> records = MakeRecords(random, random.Below(50));
    TestRun runs[2];
    // Half of the time one run has all that is old, so that ranges may skip it.
    const Sequence old = random.OneIn(2) ? random.Below(50) : 0;
    for (const TestRecord& record : records) {
      runs[record.sequence < old ? 1 : old > 0 ? 0 : random.Below(2)].records.push_back(record);
    }
    const std::vector<RangeTombstone> ranges =
        seed % 2 == 0 ? std::vector<RangeTombstone>() : MakeRanges(random, records);
    const auto middle = ranges.begin() + static_cast<ptrdiff_t>(ranges.size() / 2);
    const RangeIndex indexes[] = {RangeIndex(std::ranges::subrange(ranges.begin(), middle)),
                                  RangeIndex(std::ranges::subrange(middle, ranges.end()))};
    const Sequence at = random.Below(52);
    RangeWatch watch(at);
    for (const RangeIndex& index : indexes) watch.Add(&index);
    CursorBounds bounds;
    if (random.OneIn(2)) bounds.lower = AnyKey(random, records);
    if (random.OneIn(2)) bounds.upper = AnyKey(random, records);
    const Model model = ModelOf(records, at, bounds, ranges);
    VisibleCursor<Skipping, AbsoluteExpiry, int, RangeWatch> cursor(SkippingOf(runs[0], runs[1]),
                                                                    watch, bounds, at, kNow, 0);
    EXPECT_FALSE(cursor.Valid());
    auto place = model.end();
    std::string walk = fmt::format("seed {}", seed);
    for (int step = 0; step < 150; ++step) {
      const uint64_t move = random.Below(place == model.end() ? 4 : 14);
      const std::string key = AnyKey(random, records);
      if (move == 0) {
        walk += " first";
        cursor.SeekToFirst();
        place = model.begin();
      } else if (move == 1) {
        walk += " last";
        cursor.SeekToLast();
        place = model.empty() ? model.end() : std::prev(model.end());
      } else if (move == 2) {
        walk += " seek " + key;
        cursor.Seek(key);
        place = model.lower_bound(key);
      } else if (move == 3) {
        walk += " seek for prev " + key;
        cursor.SeekForPrev(key);
        const auto above = model.upper_bound(key);
        place = above == model.begin() ? model.end() : std::prev(above);
      } else if (move % 2 == 0) {
        walk += " next";
        cursor.Next();
        ++place;
      } else {
        walk += " prev";
        cursor.Prev();
        place = place == model.begin() ? model.end() : std::prev(place);
      }
      ASSERT_EQ(cursor.Valid(), place != model.end()) << walk;
      ASSERT_TRUE(cursor.status().ok());
      if (!cursor.Valid()) continue;
      ASSERT_EQ(cursor.key(), place->first) << walk;
      ASSERT_EQ(cursor.value(), place->second) << walk;
    }
  }
  EXPECT_GT(SkippingRunCursor::skips, 100u);
}

// An older version must not be shown because the newer one could not be read, in either direction.
TEST(VisibleCursorTest, ErrorEndsTheWalkBeforeAWrongValueIsShown) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    const std::vector<TestRecord> records = MakeRecords(random, 1 + random.Below(40));
    TestRun runs[2];
    for (const TestRecord& record : records) runs[random.Below(2)].records.push_back(record);
    TestRun& failing = runs[runs[0].records.empty() ? 1 : 0];
    failing.fails_at = random.Below(failing.records.size());
    const Model model = ModelOf(records, kMaxSequence, {});
    for (const bool forward : {true, false}) {
      Visible cursor(MergingOf(runs[0], runs[1]), RangeWatch(), {}, kMaxSequence, kNow, 0);
      Model seen;
      for (forward ? cursor.SeekToFirst() : cursor.SeekToLast(); cursor.Valid();
           forward ? cursor.Next() : cursor.Prev()) {
        seen.emplace(cursor.key(), cursor.value());
      }
      EXPECT_EQ(cursor.status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
      for (const auto& [key, value] : seen) {
        const auto found = model.find(key);
        ASSERT_TRUE(found != model.end() && found->second == value) << "seed " << seed;
      }
    }
  }
}

TEST(VisibleCursorTest, KeepsWhatItIsGiven) {
  const TestRun run;
  const auto kept = std::make_shared<int>(1);
  {
    VisibleCursor<Merging, AbsoluteExpiry, std::shared_ptr<int>, RangeWatch> cursor(
        MergingOf(run, run), RangeWatch(), {}, 1, kNow, kept);
    auto moved = std::move(cursor);
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace kv
