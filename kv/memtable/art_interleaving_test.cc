// ArtMemtable: one inserter beside readers, in every interleaving.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/memtable/art.h"
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

// A tree of `keys`; one thread inserts `key`, the other one reads by `read(trial, tree)`.
template <typename Read>
Program Beside(std::string name, std::vector<std::string> keys, std::string_view key, Read read) {
  return {std::move(name), [=](Trial& trial) {
            ArtMemtable tree;
            Sequence sequence = 0;
            for (const std::string& present : keys) tree.Insert(RecordOf(present, ++sequence));
            trial.Run({[&] { tree.Insert(RecordOf(key, 90)); },
                       [&] { read(trial, static_cast<const ArtMemtable&>(tree)); }});
            ExpectFound(trial, tree, key);
          }};
}

// `count` keys that differ in their first byte, from 'b' on.
std::vector<std::string> Branches(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) keys.emplace_back(1, static_cast<char>('b' + i));
  return keys;
}

// Reads one key that was there, and the new one.
auto Gets(std::string_view old, std::string_view fresh) {
  return [=](Trial& trial, const ArtMemtable& tree) {
    ExpectWholeIfFound(trial, tree, fresh);
    ExpectFound(trial, tree, old);
  };
}
auto Walks(size_t least) {
  return [=](Trial& trial, const ArtMemtable& tree) {
    ExpectWalk(trial, tree, /*forwards=*/true, least);
  };
}

std::vector<Program> Programs() {
  using Tree = ArtMemtable;
  return {
      Beside("get beside the first insert", {}, "b",
             [](Trial& trial, const Tree& tree) { ExpectWholeIfFound(trial, tree, "b"); }),
      Beside("get beside the first branch", {"bb"}, "bc", Gets("bb", "bc")),
      Beside("get beside a new branch", {"b", "c"}, "d", Gets("c", "d")),
      Beside("get beside the end of a key", {"bb", "bc"}, "b", Gets("bc", "b")),
      Beside("get beside a node put between", {"bbb", "bbc"}, "bd", Gets("bbc", "bd")),
      Beside("get beside a list of 4 that grows", Branches(4), "a", Gets("e", "a")),
      Beside("get beside a list of 16", Branches(6), "a", Gets("g", "a")),
      Beside("get beside a list of 16 that grows", Branches(16), "a", Gets("m", "a")),
      Beside("get beside a node of 48", Branches(17), "a", Gets("m", "a")),
      Beside("walk beside a new branch", {"b", "c"}, "d", Walks(2)),
      Beside("walk beside a list of 4 that grows", Branches(4), "a", Walks(4)),
      Beside("walk beside a node of 48", Branches(17), "a", Walks(17)),
      Beside("walk beside a node put between", {"bbb", "bbc"}, "bd", Walks(2)),
      {"found when published",
       [](Trial& trial) {
         Tree tree;
         Fill(tree, {"b", "d"});
         InsertThenPublish(trial, tree, "c");
       }},
      {"found again",
       [](Trial& trial) {
         Tree tree;
         Fill(tree, {"b", "d"});
         FindTwice(trial, tree, "c");
       }},
      {"get of versions of a key",
       [](Trial& trial) {
         Tree tree;
         tree.Insert(RecordOf("b", 5));
         trial.Run({[&] {
                      tree.Insert(RecordOf("b", 9));
                      tree.Insert(RecordOf("b", 7));
                    },
                    [&] {
                      Record found;
                      trial.Expect(tree.Get("b", 6, &found) && found.sequence == 5, "the old");
                      trial.Expect(tree.Get("b", 8, &found) && IsWhole(found) &&
                                       (found.sequence == 5 || found.sequence == 7),
                                   "the one between, or the old");
                      ExpectFound(trial, tree, "b");
                    }});
       }},
  };
}

TEST(ArtInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kBriefPlan, Programs(),
                         {
                             // With a count that is newer than the bytes, what is not there yet
                             // looks like byte 0 and leads to some child, which is loaded with
                             // acquire itself; Get compares the whole key at its end.
                             "List::FindByte load acquire -> relaxed",
                             "List::FindByte load acquire #2 -> relaxed",
                             // A hint for a prefetch.
                             "List::PrefetchBytes load acquire -> relaxed",
                             // The count, which is stored and loaded around the bytes, orders them.
                             "List::AddByte store release -> relaxed",
                             "List::Closest load acquire #2 -> relaxed",
                             // Hints for a prefetch, too.
                             "Node48::PrefetchBytes load acquire -> relaxed",
                             "Node48::AddByte store release #2 -> relaxed",
                         });
}

}  // namespace
}  // namespace kv::memtable_interleaving
