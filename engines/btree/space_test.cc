// Space against a set of taken places, and the vacuum's choices.
#include "engines/btree/space.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

#include "engines/btree/vacuum.h"
#include "kv/testing/random.h"

namespace kv::btree {
namespace {

using kv::testing::Random;

TEST(SpaceTest, HandsNoPlaceOutTwice) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    Space space;
    std::set<Place> taken;
    std::vector<Extent> held;
    ASSERT_TRUE(space.Mark({0, 2}));
    taken.insert({0, 1});
    for (int step = 0; step < 3000; ++step) {
      if (!held.empty() && random.OneIn(3)) {
        std::swap(held[random.Below(held.size())], held.back());
        for (uint64_t i = 0; i < held.back().units; ++i) taken.erase(held.back().place + i);
        space.Release(held.back());
        held.pop_back();
      } else {
        const uint64_t units = 1 + random.Below(random.OneIn(4) ? 80 : 3);
        const uint64_t kind = random.Below(3);
        const Place limit = random.Below(3000);
        const Extent got = kind == 0   ? space.AllocateRun(units)
                           : kind == 1 ? space.Allocate(units)
                                       : space.AllocateBelow(units, limit);
        const bool whole = got.units == units && (kind != 2 || got.place + units <= limit);
        ASSERT_TRUE(whole || (kind == 0 && got.units >= 1 && got.units < units) ||
                    (kind == 2 && got.units == 0));
        for (uint64_t i = 0; i < got.units; ++i) {
          ASSERT_TRUE(taken.insert(got.place + i).second) << "seed " << seed << ", step " << step;
        }
        if (got.units != 0) held.push_back(got);
      }
      ASSERT_EQ(space.Used(), taken.size());
      ASSERT_EQ(space.End(), *taken.rbegin() + 1);
    }
  }
}

TEST(SpaceTest, TakesTheLowestPlaceAndGivesTheEndBack) {
  Space space;
  const Extent first = space.Allocate(10);
  const Extent second = space.Allocate(10);
  space.Release(first);
  EXPECT_EQ(space.AllocateRun(4).place, first.place);
  EXPECT_EQ(space.Allocate(7).place, second.place + 10) << "six in a row are not seven";
  EXPECT_EQ(space.AllocateBelow(7, space.End()).units, 0u);
  EXPECT_EQ(space.AllocateBelow(6, space.End()).place, first.place + 4);
  EXPECT_EQ(space.End(), 27u);
  EXPECT_EQ(space.EndWithout({{20, 7}, {10, 10}}), 10u);
  space.Release({20, 7});
  EXPECT_EQ(space.End(), 20u);
}

TEST(SpaceTest, RefusesWhatIsTaken) {
  Space space;
  EXPECT_TRUE(space.Mark({5, 3}));
  EXPECT_FALSE(space.Mark({7, 1}));
  EXPECT_FALSE(space.Mark({3, 3}));
  EXPECT_TRUE(space.Mark({8, 1}));
}

// Every second unit of four million is free, so no two are in a row: a search that went on would
// look at all of them, for each allocation.
TEST(SpaceTest, GivesUpASearchAfterABoundedNumberOfPlaces) {
  constexpr Place kUnits = Place{1} << 22;
  constexpr Place kHole = kUnits - 1000;
  Space space;
  ASSERT_TRUE(space.Mark({0, kUnits}));
  for (Place place = 0; place < kHole; place += 2) space.Release({place, 1});
  space.Release({kHole, 10});
  EXPECT_EQ(space.Allocate(4).place, kUnits) << "the ten free ones are too far to be looked for";
  EXPECT_EQ(space.AllocateBelow(4, kUnits).units, 0u);
  EXPECT_EQ(space.AllocateRun(4).place, 0u);
}

// What a search that was given up did not look at is found by later ones.
TEST(SpaceTest, FindsWhatABoundedSearchLeftOut) {
  constexpr Place kUnits = Place{1} << 22;
  Space space;
  ASSERT_TRUE(space.Mark({0, kUnits}));
  space.Release({0, 1});
  space.Release({kUnits - 500, 1});
  EXPECT_EQ(space.AllocateRun(1).place, 0u);
  std::set<Place> got;
  for (int i = 0; i < 8; ++i) got.insert(space.AllocateRun(1).place);
  EXPECT_TRUE(got.contains(kUnits - 500));
}

TEST(VacuumTest, LeavesAPackedFileAlone) {
  Space space;
  ASSERT_TRUE(space.Mark({0, 1000}));
  EXPECT_GE(Vacuum::Limit(space), space.End());
}

TEST(VacuumTest, ChoosesWhatIsFarBehindABoundedPartAtATime) {
  std::vector<Extent> places(3 * Vacuum::kMaxIds);
  std::set<PageId> behind;
  for (PageId id = 1; id < places.size(); ++id) {
    places[id] = {id % 50 == 0 ? 1'000'000 + Place{id} : Place{id}, 1};
    if (places[id].place >= 1'000'000) behind.insert(id);
  }
  places[50].units = Vacuum::kMaxUnits + 1;  // one that is more than a round's work is one round's
  Vacuum vacuum;
  std::set<PageId> chosen;
  size_t rounds = 0;
  for (; chosen.size() < behind.size() && rounds < 100; ++rounds) {
    uint64_t units = 0;
    const std::vector<PageId> ids = vacuum.Choose(places, 1'000'000);
    for (const PageId id : ids) {
      units += places[id].units;
      chosen.insert(id);
    }
    EXPECT_TRUE(units <= Vacuum::kMaxUnits || ids.size() == 1);
  }
  EXPECT_EQ(chosen, behind);
  EXPECT_GE(rounds, behind.size() / Vacuum::kMaxUnits);
  EXPECT_EQ(Vacuum::Rounds(places), 3u);
}

}  // namespace
}  // namespace kv::btree
