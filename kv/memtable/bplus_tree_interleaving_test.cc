// BPlusTreeMemtable with nodes of four slots: one inserter beside readers, in every interleaving.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/memtable/bplus_tree.h"
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

// A tree of `keys`; one thread inserts `key`, the other one reads by `read(const tree&)`.
template <typename Read>
Program Beside(std::string name, std::vector<std::string_view> keys, std::string_view key,
               Read read) {
  return {std::move(name), [=](Trial& trial) {
            BPlusTreeMemtable tree;
            Sequence sequence = 0;
            for (const std::string_view present : keys) {
              tree.Insert(RecordOf(present, ++sequence));
            }
            trial.Run({[&] { tree.Insert(RecordOf(key, 20)); },
                       [&] { read(trial, static_cast<const BPlusTreeMemtable&>(tree)); }});
            ExpectFound(trial, tree, key);
            ExpectWalk(trial, tree, /*forwards=*/true, keys.size() + 1);
            ExpectWalk(trial, tree, /*forwards=*/false, keys.size() + 1);
          }};
}

const std::vector<std::string_view> kOneFullLeaf = {"b", "d", "f", "h"};
// (b c d e) (f h)
const std::vector<std::string_view> kTwoLeaves = {"b", "d", "f", "h", "c", "e"};
// (a1 a2 a3 a4) (common/1 common/2 common/3 m) (x). The heads of the three are equal until a split
// leaves them without m: then their leaf takes those behind the common prefix.
const std::vector<std::string_view> kLongKeys = {"a1",        "a2",        "a3", "a4", "common/k1",
                                                 "common/k2", "common/k3", "m",  "x"};
// Five leaves of four below a full root.
const std::vector<std::string_view> kFullRoot = {"01", "02", "03", "04", "05", "06", "07",
                                                 "08", "09", "10", "11", "12", "13", "14",
                                                 "15", "16", "17", "18", "19", "20"};

std::vector<Program> Programs() {
  using Tree = BPlusTreeMemtable;
  std::vector<Program> programs;
  const auto add = [&](Program program) { programs.push_back(std::move(program)); };
  // Without a split.
  add(Beside("get beside an insert before it", {"b", "d"}, "c", [](Trial& trial, const Tree& tree) {
    ExpectFound(trial, tree, "d");
    ExpectWholeIfFound(trial, tree, "c");
  }));
  add(Beside("get beside an append", {"b", "d"}, "e", [](Trial& trial, const Tree& tree) {
    ExpectWholeIfFound(trial, tree, "e");
    ExpectFound(trial, tree, "d");
  }));
  add({"found when published", [](Trial& trial) {
         Tree tree;
         Fill(tree, {"b", "d"});
         InsertThenPublish(trial, tree, "c");
       }});
  add({"found again", [](Trial& trial) {
         Tree tree;
         Fill(tree, {"b", "d"});
         FindTwice(trial, tree, "c");
       }});
  add(Beside("walk beside an insert", {"b", "d"}, "c", [](Trial& trial, const Tree& tree) {
    ExpectWalk(trial, tree, /*forwards=*/true, 2);
  }));
  // The first split, which makes a root.
  add(Beside("get of a key that moves to a new leaf", kOneFullLeaf, "c",
             [](Trial& trial, const Tree& tree) { ExpectFound(trial, tree, "h"); }));
  add(Beside("get of a key that stays", kOneFullLeaf, "c",
             [](Trial& trial, const Tree& tree) { ExpectFound(trial, tree, "b"); }));
  add({"found when published by a split", [](Trial& trial) {
         Tree tree;
         Fill(tree, {"b", "d", "f", "h"});
         InsertThenPublish(trial, tree, "c");
       }});
  add(Beside("walk beside a split", kOneFullLeaf, "c", [](Trial& trial, const Tree& tree) {
    ExpectWalk(trial, tree, /*forwards=*/true, 4);
  }));
  add(Beside("walk back beside a split", kOneFullLeaf, "c", [](Trial& trial, const Tree& tree) {
    ExpectWalk(trial, tree, /*forwards=*/false, 4);
  }));
  add(Beside("the last key beside a new last leaf", kOneFullLeaf, "j",
             [](Trial& trial, const Tree& tree) {
               Tree::Cursor cursor(&tree);
               cursor.SeekToLast();
               trial.Expect(cursor.Valid() && cursor.record().key >= "h", "the last key");
             }));
  add(Beside("seek beside a new last leaf", kOneFullLeaf, "j", [](Trial& trial, const Tree& tree) {
    Tree::Cursor cursor(&tree);
    cursor.Seek("h", kMaxSequence);
    trial.Expect(cursor.Valid() && cursor.record().key == "h", "the key that was there");
    cursor.Next();
    trial.Expect(!cursor.Valid() || cursor.record().key == "j", "the one behind it");
  }));
  // Splits below a root.
  add(Beside("get of a key that moves below a root", kTwoLeaves, "bb",
             [](Trial& trial, const Tree& tree) { ExpectFound(trial, tree, "e"); }));
  add(Beside("get of a key of the leaf behind the split", kTwoLeaves, "bb",
             [](Trial& trial, const Tree& tree) { ExpectFound(trial, tree, "h"); }));
  add(Beside("get where heads change", kLongKeys, "common/k4",
             [](Trial& trial, const Tree& tree) { ExpectFound(trial, tree, "common/k2"); }));
  add(Beside("step back to a new leaf", kTwoLeaves, "bb", [](Trial& trial, const Tree& tree) {
    Tree::Cursor cursor(&tree);
    cursor.SeekToLast();
    cursor.Prev();
    cursor.Prev();
    trial.Expect(cursor.Valid() && cursor.record().key == "e", "the key before");
  }));
  add(Beside("get beside the split of a root", kFullRoot, "21",
             [](Trial& trial, const Tree& tree) { ExpectFound(trial, tree, "18"); }));
  return programs;
}

TEST(BPlusTreeInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kBriefPlan, Programs());
}

}  // namespace
}  // namespace kv::memtable_interleaving
