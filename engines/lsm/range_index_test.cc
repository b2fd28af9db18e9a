// Range tombstones against brute force: the index, with and without readers in mind, and the log of
// a memtable, also beside readers.
#include "engines/lsm/range_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engines/lsm/range_log.h"
#include "engines/lsm/range_tombstone.h"
#include "fmt/format.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;

const std::vector<std::string>& Keys() {
  static const std::vector<std::string> keys = {
      "", std::string(1, '\0'), "a", "ab", "abc", "b", "c", "d", "dd", "e", "\xff", "\xff\xff"};
  return keys;
}

std::vector<RangeTombstone> MakeTombstones(Random& random, size_t count) {
  std::vector<RangeTombstone> made;
  while (made.size() < count) {
    RangeTombstone tombstone{.begin = Keys()[random.Below(Keys().size())],
                             .end = Keys()[random.Below(Keys().size())],
                             .sequence = made.size() * 2 + 1};
    if (!tombstone.end.empty() && tombstone.begin >= tombstone.end) continue;
    made.push_back(tombstone);
  }
  return made;
}

bool Covers(const RangeTombstone& tombstone, const std::string& key) {
  return tombstone.begin <= key && IsBefore(key, tombstone.end);
}

Sequence NewestByHand(const std::vector<RangeTombstone>& all, const std::string& key, Sequence at) {
  Sequence newest = 0;
  for (const RangeTombstone& tombstone : all) {
    if (Covers(tombstone, key) && tombstone.sequence <= at) {
      newest = std::max(newest, tombstone.sequence);
    }
  }
  return newest;
}

void CheckInvariants(const RangeIndex& index) {
  for (size_t i = 0; i < index.size(); ++i) {
    const auto& fragment = index.fragments()[i];
    const auto numbers = index.Numbers(fragment);
    EXPECT_FALSE(numbers.empty());
    // Strictly descending: no two in a row ascend or are equal.
    EXPECT_EQ(std::ranges::adjacent_find(numbers, std::less_equal<>()), numbers.end());
    EXPECT_TRUE(IsBefore(fragment.begin, fragment.end));
    if (i == 0) continue;
    const auto& before = index.fragments()[i - 1];
    EXPECT_FALSE(before.end.empty());
    EXPECT_LE(before.end, fragment.begin);
    if (before.end == fragment.begin) {
      EXPECT_FALSE(std::ranges::equal(index.Numbers(before), numbers));
    }
  }
}

TEST(RangeIndexTest, AnswersAsTheTombstonesDo) {
  for (uint64_t seed = 0; seed < 400 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<RangeTombstone> all = MakeTombstones(random, random.Below(12));
    const RangeIndex index(all);
    CheckInvariants(index);
    EXPECT_LE(index.size(), all.empty() ? 0 : 2 * all.size() - 1);
    for (const std::string& key : Keys()) {
      for (Sequence at = 0; at < 26; ++at) {
        EXPECT_EQ(index.NewestAt(key, at), NewestByHand(all, key, at)) << key << " at " << at;
      }
      const size_t place = index.Place(key);
      if (place == index.size() || key < index.fragments()[place].begin) continue;
      for (Sequence sequence = 0; sequence < 26; ++sequence) {
        Sequence oldest = kMaxSequence + 1;
        for (const RangeTombstone& tombstone : all) {
          if (Covers(tombstone, key) && tombstone.sequence > sequence) {
            oldest = std::min(oldest, tombstone.sequence);
          }
        }
        EXPECT_EQ(index.OldestAbove(index.fragments()[place], sequence), oldest);
      }
    }
    // What it says of itself hides the same.
    const std::vector<RangeTombstone> again = index.Tombstones();
    EXPECT_TRUE(std::is_sorted(again.begin(), again.end()));
    for (const std::string& key : Keys()) {
      for (Sequence at = 0; at < 26; ++at) {
        EXPECT_EQ(NewestByHand(again, key, at), NewestByHand(all, key, at));
      }
    }
  }
}

// With readers in mind, a record of any age is hidden from the same ones of them, and from those to
// come, as by all tombstones; and no fragment has more numbers than that takes.
TEST(RangeIndexTest, KeepsWhatReadersCanTellApart) {
  for (uint64_t seed = 0; seed < 400 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<RangeTombstone> all = MakeTombstones(random, random.Below(12));
    std::set<Sequence> chosen;
    for (size_t i = random.Below(3); i > 0; --i) chosen.insert(random.Below(24));
    const Sequence visible = std::max(chosen.empty() ? 0 : *chosen.rbegin(), random.Below(28));
    chosen.insert(visible);
    const std::vector<Sequence> readers(chosen.begin(), chosen.end());
    const RangeIndex index(all, readers);
    CheckInvariants(index);
    for (Sequence later = visible; later < 28; ++later) chosen.insert(later);
    for (const std::string& key : Keys()) {
      for (const Sequence at : chosen) {
        for (Sequence record = 0; record <= at; ++record) {
          EXPECT_EQ(index.NewestAt(key, at) > record, NewestByHand(all, key, at) > record)
              << key << " version " << record << " at " << at;
        }
      }
    }
    size_t unpublished = 0;
    for (const RangeTombstone& tombstone : all) unpublished += tombstone.sequence > visible;
    for (const auto& fragment : index.fragments()) {
      EXPECT_LE(index.Numbers(fragment).size(), readers.size() + unpublished);
    }
  }
}

TEST(RangeIndexTest, RepeatedDeletesAreOneTombstone) {
  std::vector<RangeTombstone> queue;
  for (Sequence i = 1; i <= 1000; ++i) queue.push_back({"", fmt::format("{:04}", i), i});
  const std::vector<Sequence> readers = {1000};
  EXPECT_EQ(RangeIndex(queue, readers).Tombstones(),
            (std::vector<RangeTombstone>{{"", "1000", 1000}}));
}

TEST(RangeLogTest, AnswersAsTheTombstonesDo) {
  for (uint64_t seed = 0; seed < 60 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<RangeTombstone> all = MakeTombstones(random, random.Below(40));
    RangeLog log;
    EXPECT_TRUE(log.empty());
    size_t bytes = log.MemoryBytes();
    std::vector<RangeTombstone> so_far;
    for (const RangeTombstone& tombstone : all) {
      log.Insert(tombstone.begin, tombstone.end, tombstone.sequence);
      so_far.push_back(tombstone);
      EXPECT_GT(log.MemoryBytes(), bytes);
      bytes = log.MemoryBytes();
      size_t indexes = 0;
      log.ForEachIndex([&](const RangeIndex&) { ++indexes; });
      EXPECT_LE(size_t{1} << (indexes - 1), so_far.size());
      for (const std::string& key : Keys()) {
        const Sequence at = random.Below(90);
        EXPECT_EQ(log.NewestAt(key, at), NewestByHand(so_far, key, at));
      }
    }
    EXPECT_TRUE(std::ranges::equal(log.Tombstones(), all));
    EXPECT_EQ(log.empty(), all.empty());
  }
}

// Readers beside the writer find every tombstone that was published to them.
TEST(RangeLogTest, ReadersBesideAWriter) {
  RangeLog log;
  constexpr Sequence kInserts = 2000;
  std::atomic<Sequence> visible{0};
  std::atomic<uint64_t> missed{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      // acquire: pairs with the writer's release, as readers of a store do with the journal.
      for (Sequence at = 0; (at = visible.load(std::memory_order_acquire)) < kInserts;) {
        // Number n is over keys from n % 50 on, so the newest over 49 is the newest of all.
        if (log.NewestAt("49", at) != at) missed.fetch_add(1, std::memory_order_relaxed);
        if (at > 50 && log.NewestAt("00", at) + 50 <= at) {
          missed.fetch_add(1, std::memory_order_relaxed);  // relaxed: joined before it is read
        }
      }
    });
  }
  for (Sequence i = 1; i <= kInserts; ++i) {
    log.Insert(fmt::format("{:02}", i % 50), "", i);
    // release: pairs with the readers' acquire.
    visible.store(i, std::memory_order_release);
  }
  for (std::thread& reader : readers) reader.join();
  // relaxed: the threads are joined.
  EXPECT_EQ(missed.load(std::memory_order_relaxed), 0u);
}

}  // namespace
}  // namespace kv
