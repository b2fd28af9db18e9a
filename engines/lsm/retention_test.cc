// Retention against brute force: what each reader sees before is what it sees after, and nothing is
// kept that no reader can see.
#include "engines/lsm/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "kv/expiry/absolute.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

struct Version {
  std::string key;
  std::string value;
  Sequence sequence;
  uint64_t expires_at;
  RecordKind kind;
};

bool Covers(const RangeTombstone& range, const std::string& key) {
  return range.begin <= key && IsBefore(key, range.end);
}

// What a reader at `at` sees of `key` when the clock says `now`; `versions` in internal order.
std::optional<std::string> Visible(const std::vector<Version>& versions,
                                   const std::vector<RangeTombstone>& ranges,
                                   const std::string& key, Sequence at, uint64_t now) {
  for (const Version& version : versions) {
    if (version.key != key || version.sequence > at) continue;
    for (const RangeTombstone& range : ranges) {
      if (Covers(range, key) && range.sequence <= at && range.sequence > version.sequence) {
        return std::nullopt;
      }
    }
    if (version.kind == RecordKind::kTombstone) return std::nullopt;
    if (AbsoluteExpiry::Expired(version.expires_at, now)) return std::nullopt;
    return version.value;
  }
  return std::nullopt;
}

struct Case {
  std::vector<Version> versions;
  std::vector<Sequence> snapshots;  // the last one is the newest visible
  bool bottommost;
  std::vector<RangeTombstone> ranges;  // of the tree
};

constexpr uint64_t kNow = 1000;

Case MakeCase(uint64_t seed) {
  testing::Random random(seed);
  Case made;
  made.bottommost = random.OneIn(2);
  const size_t writes = 1 + random.Below(30);
  std::map<std::string, std::vector<Version>> keys;
  const bool with_ranges = random.OneIn(2);
  for (Sequence sequence = 1; sequence <= writes; ++sequence) {
    if (with_ranges && random.OneIn(8)) {
      const uint64_t begin = random.Below(4);
      const uint64_t end = begin + 1 + random.Below(4);
      made.ranges.push_back(
          {fmt::format("k{}", begin), end > 4 ? "" : fmt::format("k{}", end), sequence});
      continue;
    }
    const std::string key = fmt::format("k{}", random.Below(4));
    const bool tombstone = random.OneIn(4);
    const uint64_t expires_at =
        tombstone || random.OneIn(2) ? kNeverExpires : kNow - 2 + random.Below(5);
    auto& versions = keys[key];
    versions.insert(versions.begin(),
                    {key, tombstone ? "" : fmt::format("v{}", sequence), sequence, expires_at,
                     tombstone ? RecordKind::kTombstone : RecordKind::kValue});
  }
  for (auto& [key, versions] : keys) {
    // The outcome of an earlier compaction.
    const bool in_range = std::ranges::any_of(
        made.ranges, [k = key](const RangeTombstone& range) { return Covers(range, k); });
    if (made.bottommost && !in_range && random.OneIn(3)) versions.back().sequence = 0;
    made.versions.insert(made.versions.end(), versions.begin(), versions.end());
  }
  for (uint64_t i = random.Below(4); i > 0; --i) made.snapshots.push_back(random.Below(writes + 1));
  made.snapshots.push_back(writes);
  return made;
}

std::vector<Version> Retain(const Case& given, uint64_t* expired = nullptr,
                            Sequence* oldest_needed = nullptr) {
  const RangeIndex ranges(given.ranges);
  Retention<AbsoluteExpiry> retention(given.snapshots, given.bottommost, kNow, ranges);
  std::vector<Version> kept;
  for (const Version& version : given.versions) {
    Record record{version.key, version.value, version.sequence, version.expires_at, version.kind};
    if (!retention.Keep(&record)) continue;
    kept.push_back({std::string(record.key), std::string(record.value), record.sequence,
                    record.expires_at, record.kind});
  }
  if (expired != nullptr) *expired = retention.Expired();
  if (oldest_needed != nullptr) *oldest_needed = retention.TakeOldestNeeded();
  return kept;
}

class RetentionTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kCases = 2000;
  template <typename Check>
  void ForEachCase(Check check) {
    for (uint64_t seed = 0; seed < kCases && !HasFailure(); ++seed) {
      const Case given = MakeCase(seed);
      check(given, Retain(given), fmt::format("seed {}", seed));
    }
  }
};

void ExpectTheSame(const Case& given, const std::vector<Version>& kept,
                   const std::vector<RangeTombstone>& ranges, const std::string& label) {
  // Snapshots, the newest, and whatever is taken later; now, and later.
  std::vector<Sequence> readers = given.snapshots;
  readers.push_back(given.snapshots.back() + 1);
  readers.push_back(kMaxSequence);
  for (const Sequence at : readers) {
    for (uint64_t now = kNow; now < kNow + 4; ++now) {
      for (const std::string key : {"k0", "k1", "k2", "k3"}) {
        EXPECT_EQ(Visible(kept, ranges, key, at, now),
                  Visible(given.versions, given.ranges, key, at, now))
            << label << ", " << key << " at " << at << ", now " << now;
      }
    }
  }
}

TEST_F(RetentionTest, EveryReaderSeesWhatItSawBefore) {
  ForEachCase([](const Case& given, const std::vector<Version>& kept, const std::string& label) {
    ExpectTheSame(given, kept, given.ranges, label);
  });
}

// A range tombstone older than the oldest that is needed has done its work.
TEST_F(RetentionTest, OutputIsCleanOfRangeTombstonesThatAreNotNeeded) {
  size_t gone = 0;
  ForEachCase([&](const Case& given, const std::vector<Version>& kept, const std::string& label) {
    Sequence oldest_needed = 0;
    Retain(given, nullptr, &oldest_needed);
    std::vector<RangeTombstone> left;
    for (const RangeTombstone& range : given.ranges) {
      if (range.sequence >= oldest_needed) left.push_back(range);
    }
    ExpectTheSame(given, kept, left, label);
    gone += given.ranges.size() - left.size();
    const Sequence oldest_reader = *std::ranges::min_element(given.snapshots);
    EXPECT_GT(oldest_needed, oldest_reader) << "only a snapshot before it needs it";
  });
  EXPECT_GT(gone, 500u);
}

TEST_F(RetentionTest, OutputIsInInternalOrderWithoutDuplicates) {
  ForEachCase([](const Case&, const std::vector<Version>& kept, const std::string& label) {
    for (size_t i = 1; i < kept.size(); ++i) {
      EXPECT_LT(
          CompareInternal(kept[i - 1].key, kept[i - 1].sequence, kept[i].key, kept[i].sequence), 0)
          << label;
    }
  });
}

TEST_F(RetentionTest, NothingIsKeptThatNoReaderSees) {
  ForEachCase([](const Case& given, const std::vector<Version>& kept, const std::string& label) {
    for (size_t i = 0; i < kept.size(); ++i) {
      std::vector<Version> without = kept;
      without.erase(without.begin() + static_cast<ptrdiff_t>(i));
      const Version& version = kept[i];
      // A tombstone may hide something that lies below the output, or that a snapshot still sees.
      if (version.kind == RecordKind::kTombstone) continue;
      // So may the newest version of a key, while something may lie below.
      bool seen = false;
      for (const Sequence at : given.snapshots) {
        seen |= Visible(kept, given.ranges, version.key, at, kNow) !=
                Visible(without, given.ranges, version.key, at, kNow);
      }
      EXPECT_TRUE(seen) << label << ": " << version.key << " at " << version.sequence;
    }
  });
}

TEST_F(RetentionTest, TombstonesGoOnlyAtTheBottomAndOnlyWhenAllReadersSeeThem) {
  ForEachCase([](const Case& given, const std::vector<Version>& kept, const std::string& label) {
    const Sequence oldest = *std::ranges::min_element(given.snapshots);
    for (const Version& version : kept) {
      if (!given.bottommost) continue;
      EXPECT_FALSE(version.kind == RecordKind::kTombstone && version.sequence <= oldest) << label;
      // Under a range tombstone a version keeps its number, or it would seem older than that.
      const bool in_range = std::ranges::any_of(
          given.ranges, [&](const RangeTombstone& range) { return Covers(range, version.key); });
      EXPECT_FALSE(!in_range && version.sequence > 0 && version.sequence <= oldest) << label;
    }
    if (given.bottommost) return;
    // The newest version of each key stays in some form, for it may hide something below; unless a
    // range tombstone hides that too.
    for (const Version& version : given.versions) {
      const bool covered = std::ranges::any_of(given.ranges, [&](const RangeTombstone& range) {
        return Covers(range, version.key) && range.sequence > version.sequence;
      });
      if (covered) continue;
      EXPECT_TRUE(std::ranges::any_of(kept, [&](const Version& k) { return k.key == version.key; }))
          << label;
    }
  });
}

TEST_F(RetentionTest, CountsExpiredValuesThatItTurnsIntoTombstones) {
  Case given{.versions = {{"a", "1", 2, kNow, RecordKind::kValue},
                          {"b", "2", 1, kNow + 1, RecordKind::kValue}},
             .snapshots = {2},
             .bottommost = false,
             .ranges = {}};
  uint64_t expired = 0;
  const std::vector<Version> kept = Retain(given, &expired);
  EXPECT_EQ(expired, 1u);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].kind, RecordKind::kTombstone);
  EXPECT_EQ(kept[0].value, "");
  EXPECT_EQ(kept[0].expires_at, kNeverExpires);
  EXPECT_EQ(kept[1].expires_at, kNow + 1);
  given.bottommost = true;
  EXPECT_EQ(Retain(given).size(), 1u);
}

}  // namespace
}  // namespace kv
