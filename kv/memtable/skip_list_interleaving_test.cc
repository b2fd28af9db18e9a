// SkipListMemtable with two levels, of which each insert takes one or two: inserters beside each
// other and beside readers, in every interleaving.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/memtable/interleaving_testing.h"
#include "kv/memtable/skip_list.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv::memtable_interleaving {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

std::vector<Program> Programs() {
  using List = SkipListMemtable;
  // What a list of b and d has when `one` and `other` have been inserted beside each other.
  const auto inserters = [](std::string name, std::string_view one, std::string_view other) {
    return Program{std::move(name), [=](Trial& trial) {
                     List list;
                     Fill(list, {"b", "d"});
                     trial.Run({[&] { list.Insert(RecordOf(one, 11)); },
                                [&] { list.Insert(RecordOf(other, 12)); }});
                     trial.Expect(list.Entries() == 4, "four entries");
                     ExpectWalk(trial, list, /*forwards=*/true, 4);
                     ExpectWalk(trial, list, /*forwards=*/false, 4);
                     ExpectFound(trial, list, one);
                     ExpectFound(trial, list, other);
                   }};
  };
  return {
      inserters("two inserts into one place", "ca", "cb"),
      inserters("two versions of a key", "c", "c"),
      inserters("two inserts into neighbouring places", "c", "e"),
      {"get beside an insert",
       [](Trial& trial) {
         List list;
         Fill(list, {"b", "d"});
         trial.Run({[&] { list.Insert(RecordOf("c", 11)); },
                    [&] {
                      ExpectWholeIfFound(trial, list, "c");
                      ExpectFound(trial, list, "d");
                    }});
       }},
      {"walk beside two inserts",
       [](Trial& trial) {
         List list;
         Fill(list, {"b"});
         trial.Run({[&] { list.Insert(RecordOf("c", 11)); },
                    [&] { list.Insert(RecordOf("a", 12)); },
                    [&] { ExpectWalk(trial, list, /*forwards=*/true, 1); }});
       }},
      {"found when published",
       [](Trial& trial) {
         List list;
         Fill(list, {"b", "d"});
         InsertThenPublish(trial, list, "c");
       }},
      {"found again",
       [](Trial& trial) {
         List list;
         Fill(list, {"b", "d"});
         FindTwice(trial, list, "c");
       }},
  };
}

TEST(SkipListInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs(),
                         {
                             // Of a span that another thread has made, which no program here
                             // needs. arena_interleaving_test has them.
                             "ConcurrentArena::Allocate load acquire -> relaxed",
                         });
}

}  // namespace
}  // namespace kv::memtable_interleaving
