// MergingCursor against the sorted whole of its runs, on random walks.
#include "engines/lsm/merging_cursor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engines/lsm/records_testing.h"
#include "fmt/format.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;
using Merging = MergingCursor<TestRunCursor<0>, TestRunCursor<1>>;

static_assert(RecordCursor<Merging>);

struct Runs {
  std::vector<TestRecord> all;
  std::vector<TestRun> runs;

  Merging Cursor() const {
    Merging merging;
    for (size_t i = 0; i < runs.size(); ++i) {
      if (i % 2 == 0) {
        merging.Add(TestRunCursor<0>(&runs[i]));
      } else {
        merging.Add(TestRunCursor<1>(&runs[i]));
      }
    }
    return merging;
  }
};

Runs MakeRuns(Random& random) {
  Runs made;
  made.all = MakeRecords(random, random.Below(60));
  made.runs.resize(random.Below(9));
  if (made.runs.empty()) made.all.clear();
  for (const TestRecord& record : made.all) {
    made.runs[random.Below(made.runs.size())].records.push_back(record);
  }
  return made;
}

TEST(MergingCursorTest, WalksAsOverTheSortedWhole) {
  for (uint64_t seed = 0; seed < 400 && !::testing::Test::HasFailure(); ++seed) {
    Random random(seed);
    const Runs runs = MakeRuns(random);
    const auto size = static_cast<int64_t>(runs.all.size());
    Merging cursor = runs.Cursor();
    EXPECT_FALSE(cursor.Valid());
    int64_t at = -1;  // below 0 or `size`: invalid
    std::string walk;
    for (int step = 0; step < 200; ++step) {
      const uint64_t move = random.Below(at < 0 || at >= size ? 3 : 12);
      if (move == 0) {
        walk += " first";
        cursor.SeekToFirst();
        at = 0;
      } else if (move == 1) {
        walk += " last";
        cursor.SeekToLast();
        at = size - 1;
      } else if (move == 2) {
        TestRecord target{.sequence = random.OneIn(4) ? kMaxSequence : random.Below(62)};
        target.key = size == 0 ? "a" : runs.all[random.Below(runs.all.size())].key;
        if (random.OneIn(5)) target.key += "~";
        walk += fmt::format(" seek({},{})", target.key, target.sequence);
        cursor.Seek(target.key, target.sequence);
        at = std::lower_bound(runs.all.begin(), runs.all.end(), target, InOrder) - runs.all.begin();
      } else if (move % 2 == 0) {
        walk += " next";
        cursor.Next();
        ++at;
      } else {
        walk += " prev";
        cursor.Prev();
        --at;
      }
      ASSERT_EQ(cursor.Valid(), at >= 0 && at < size) << "seed " << seed << walk;
      ASSERT_TRUE(cursor.status().ok());
      if (!cursor.Valid()) continue;
      ASSERT_EQ(cursor.record(), View(runs.all[static_cast<size_t>(at)]))
          << "seed " << seed << walk;
    }
  }
}

TEST(MergingCursorTest, ErrorOfARunEndsTheWalkAndShowsUntilItSeeksAgain) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    Runs runs = MakeRuns(random);
    if (runs.runs.empty()) continue;
    TestRun& failing = runs.runs[random.Below(runs.runs.size())];
    if (failing.records.empty()) continue;
    failing.fails_at = random.Below(failing.records.size());
    const TestRecord bad = failing.records[failing.fails_at];
    const bool forward = random.OneIn(2);
    Merging cursor = runs.Cursor();
    std::vector<TestRecord> seen;
    for (forward ? cursor.SeekToFirst() : cursor.SeekToLast(); cursor.Valid();
         forward ? cursor.Next() : cursor.Prev()) {
      const Record& record = cursor.record();
      seen.push_back({std::string(record.key), std::string(record.value), record.sequence,
                      record.expires_at, record.kind});
    }
    EXPECT_EQ(cursor.status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
    // What was seen is the whole up to some point before the bad record: never around it.
    std::vector<TestRecord> all = runs.all;
    if (!forward) std::reverse(all.begin(), all.end());
    ASSERT_LE(seen.size(), all.size());
    EXPECT_TRUE(std::equal(seen.begin(), seen.end(), all.begin())) << "seed " << seed;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), bad), 0) << "seed " << seed;
    cursor.Seek("\xff\xff\xff", 0);  // behind all records
    EXPECT_TRUE(cursor.status().ok() && !cursor.Valid()) << "seed " << seed;
  }
}

// The error of a direction switch must not pass for the end of the data either.
TEST(MergingCursorTest, ErrorWhileTurningRoundShows) {
  const TestRun good{.records = {{"b", "1", 5}}};
  const TestRun bad{.records = {{"a", "2", 4}, {"c", "3", 6}}, .fails_at = 0};
  Merging cursor;
  cursor.Add(TestRunCursor<0>(&good));
  cursor.Add(TestRunCursor<1>(&bad));
  cursor.Seek("b", kMaxSequence);
  ASSERT_TRUE(cursor.Valid());
  cursor.Prev();
  EXPECT_FALSE(cursor.Valid());
  EXPECT_EQ(cursor.status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace kv
