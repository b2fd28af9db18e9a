// HashMemtable with parts of four slots at first: one inserter beside readers, in every
// interleaving.
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/memtable/hash.h"
#include "kv/memtable/interleaving_testing.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv::memtable_interleaving {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kBriefPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// `count` keys that are in one part of the table, as it chooses them (PartNumber).
std::vector<std::string> KeysOfOnePart(size_t count) {
  const auto part = [](const std::string& key) { return (HashKey(key) >> 42) % 64; };
  std::vector<std::string> keys;
  for (int number = 0; keys.size() < count; ++number) {
    std::string key = "key" + std::to_string(number);
    if (part(key) == part("key0")) keys.push_back(std::move(key));
  }
  return keys;
}

std::vector<Program> Programs() {
  using Table = HashMemtable;
  const std::vector<std::string> keys = KeysOfOnePart(5);
  return {
      {"found when published",
       [keys](Trial& trial) {
         Table table;
         Fill(table, {keys[0]});
         InsertThenPublish(trial, table, keys[1]);
       }},
      {"found again",
       [keys](Trial& trial) {
         Table table;
         Fill(table, {keys[0]});
         FindTwice(trial, table, keys[1]);
       }},
      {"get beside the first insert",
       [keys](Trial& trial) {
         Table table;
         trial.Run({[&] { table.Insert(RecordOf(keys[0], 1)); },
                    [&] { ExpectWholeIfFound(trial, table, keys[0]); }});
       }},
      {"get beside growth",
       [keys](Trial& trial) {
         Table table;
         Fill(table, {keys[0], keys[1], keys[2]});
         trial.Run({[&] { table.Insert(RecordOf(keys[3], 11)); },
                    [&] {
                      ExpectFound(trial, table, keys[0]);
                      ExpectFound(trial, table, keys[2]);
                      ExpectWholeIfFound(trial, table, keys[3]);
                    }});
       }},
      {"found when published behind growth",
       [keys](Trial& trial) {
         Table table;
         Fill(table, {keys[0], keys[1], keys[2]});
         InsertThenPublish(trial, table, keys[3]);
       }},
      {"get of versions of a key",
       [keys](Trial& trial) {
         Table table;
         table.Insert(RecordOf(keys[0], 5));
         trial.Run({[&] {
                      table.Insert(RecordOf(keys[0], 9));
                      table.Insert(RecordOf(keys[0], 7));
                    },
                    [&] {
                      Record found;
                      trial.Expect(table.Get(keys[0], 6, &found) && found.sequence == 5, "the old");
                      trial.Expect(table.Get(keys[0], 8, &found) && IsWhole(found) &&
                                       (found.sequence == 5 || found.sequence == 7),
                                   "the one between, or the old");
                      ExpectFound(trial, table, keys[0]);
                    }});
       }},
      {"walk beside growth",
       [keys](Trial& trial) {
         Table table;
         Fill(table, {keys[0], keys[1], keys[2]});
         trial.Run({[&] { table.Insert(RecordOf(keys[3], 11)); },
                    [&] { ExpectWalk(trial, table, /*forwards=*/true, table.Entries()); }});
       }},
      {"walk beside an insert",
       [keys](Trial& trial) {
         Table table;
         Fill(table, {keys[0]});
         trial.Run({[&] { table.Insert(RecordOf(keys[1], 11)); },
                    [&] { ExpectWalk(trial, table, /*forwards=*/true, table.Entries()); }});
       }},
  };
}

TEST(HashInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  // The slots of a new array are published with the array.
  ExpectEveryOrderNeeded(kBriefPlan, Programs(), {"HashMemtable::Grow store release -> relaxed"});
}

}  // namespace
}  // namespace kv::memtable_interleaving
