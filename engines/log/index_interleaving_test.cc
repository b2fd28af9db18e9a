// LogIndex of two shards: finds beside puts, erasures, growth and batches, and all of these beside
// who has it frozen, in every interleaving.
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engines/log/index.h"
#include "gtest/gtest.h"
#include "kv/base/read_gate.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kBriefPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// The hash of a key in the other shard, whose records are at places 50 to 59 as those of hash 5.
constexpr uint64_t kOtherShard = (uint64_t{1} << 63) + 5;

// The index of a log whose record at place p is of the key with hash p / 10: places 10 to 19 are
// those of hash 1, for example.
class Subject {
 public:
  // Where record `number` of a hash is.
  static Location At(uint64_t hash, uint32_t number) {
    return Location(10 * static_cast<uint32_t>(hash) + number, kRecordAlignment);
  }

  // Whether a record is of the hash.
  static auto Same(uint64_t hash) {
    return [tag = static_cast<uint32_t>(hash)](Location at) { return at.place() / 10 == tag; };
  }

  void Put(uint64_t hash, uint32_t number) {
    {
      const auto guard = gate_.Enter();
      index_.Put(hash, At(hash, number), Same(hash));
    }
    index_.Reclaim();
  }
  void Erase(uint64_t hash) {
    const auto guard = gate_.Enter();
    index_.Erase(hash, Same(hash));
  }
  void Move(uint64_t hash, uint32_t from, uint32_t to) {
    const auto guard = gate_.Enter();
    index_.Move(hash, At(hash, from), At(hash, to));
  }
  void PutBoth(uint64_t one, uint64_t other, uint32_t number) {
    const auto guard = gate_.Enter();
    const std::array<uint64_t, 2> hashes = {one, other};
    index_.Batch(
        hashes, [] {},
        [&] {
          for (const uint64_t hash : hashes) {
            index_.PutInBatch(hash, At(hash, number), Same(hash));
          }
        });
  }

  // At one instant, too.
  void EraseAndPut(uint64_t erased, uint64_t put, uint32_t number) {
    const auto guard = gate_.Enter();
    const std::array<uint64_t, 2> hashes = {erased, put};
    index_.Batch(
        hashes, [] {},
        [&] {
          index_.EraseInBatch(erased, Same(erased));
          index_.PutInBatch(put, At(put, number), Same(put));
        });
  }

  // The number of the record; -1: none.
  int Find(Trial& trial, uint64_t hash) {
    const auto guard = gate_.Enter();
    return FindInGate(trial, hash);
  }
  int FindInGate(Trial& trial, uint64_t hash) const {
    const Location found = index_.Find(hash, [&](Location at) {
      trial.Expect(at.offset() == kRecordAlignment && at.place() < 100, "a location that was put");
      return Same(hash)(at);
    });
    return found ? static_cast<int>(found.place() % 10) : -1;
  }

  // Of two keys, as of one instant: as MultiGet has it.
  std::array<int, 2> FindBoth(Trial& trial, uint64_t one, uint64_t other) {
    const auto guard = gate_.Enter();
    for (;;) {
      const uint64_t version = index_.StableVersion(one);
      const std::array<int, 2> found = {FindInGate(trial, one), FindInGate(trial, other)};
      if (index_.Version(one) == version) return found;
    }
  }
  size_t Keys() { return index_.Keys(); }

  // The numbers of the records of `hashes` as of one instant, -1 for none. Looks at them twice.
  std::vector<int> Freeze(Trial& trial, const std::vector<uint64_t>& hashes) {
    const LogIndex::Frozen frozen = index_.Freeze();
    const auto look = [&] {
      std::vector<int> found(hashes.size(), -1);
      frozen.ForEach([&](Location at) {
        for (size_t i = 0; i < hashes.size(); ++i) {
          if (!Same(hashes[i])(at)) continue;
          trial.Expect(found[i] == -1, "one place for a key");
          found[i] = static_cast<int>(at.place() % 10);
        }
      });
      return found;
    };
    std::vector<int> found = look();
    trial.Expect(look() == found, "the same for as long as it is frozen");
    return found;
  }

 private:
  ReadGate gate_;
  LogIndex index_{gate_};
};

Program Beside(std::string name, std::vector<uint64_t> hashes, std::function<void(Subject&)> write,
               std::function<void(Subject&, Trial&)> read) {
  return {std::move(name), [=](Trial& trial) {
            Subject subject;
            for (const uint64_t hash : hashes) subject.Put(hash, 1);
            trial.Run({[&] { write(subject); }, [&] { read(subject, trial); }});
          }};
}

std::vector<Program> Programs() {
  return {
      Beside(
          "find beside an overwrite", {1}, [](Subject& subject) { subject.Put(1, 2); },
          [](Subject& subject, Trial& trial) {
            const int found = subject.Find(trial, 1);
            trial.Expect(found == 1 || found == 2, "the old place or the new one");
          }),
      Beside(
          "find beside an insert", {1}, [](Subject& subject) { subject.Put(2, 2); },
          [](Subject& subject, Trial& trial) {
            const int found = subject.Find(trial, 2);
            trial.Expect(found == -1 || found == 2, "nothing or the new place");
            trial.Expect(subject.Find(trial, 1) == 1, "the key that was there");
          }),
      Beside(
          "found again", {}, [](Subject& subject) { subject.Put(1, 2); },
          [](Subject& subject, Trial& trial) {
            if (subject.Find(trial, 1) == -1) return;
            trial.Expect(subject.Find(trial, 1) == 2, "what was found is found again");
          }),
      Beside(
          "find beside an erasure whose slot is taken", {1, 2},
          [](Subject& subject) {
            subject.Erase(1);
            subject.Put(3, 3);
          },
          [](Subject& subject, Trial& trial) {
            const int found = subject.Find(trial, 1);
            trial.Expect(found == -1 || found == 1, "the place or nothing");
          }),
      Beside(
          "find beside a move", {1}, [](Subject& subject) { subject.Move(1, 1, 3); },
          [](Subject& subject, Trial& trial) {
            const int found = subject.Find(trial, 1);
            trial.Expect(found == 1 || found == 3, "before or behind it");
          }),
      Beside(
          "find beside growth", {1, 2, 3, 4, 5}, [](Subject& subject) { subject.Put(6, 2); },
          [](Subject& subject, Trial& trial) {
            trial.Expect(subject.Find(trial, 5) == 1, "a key that was there");
          }),
      Beside(
          "find beside an insert that passes a full bucket", {1, 2, 3, 4, 5, 6},
          [](Subject& subject) { subject.Put(7, 2); },
          [](Subject& subject, Trial& trial) {
            const int found = subject.Find(trial, 7);
            trial.Expect(found == -1 || found == 2, "nothing or the new place");
            trial.Expect(subject.Find(trial, 6) == 1, "a key that was there");
          }),
      Beside(
          "find of a key behind a full bucket", {1, 2, 3, 4, 5, 6, 7},
          [](Subject& subject) { subject.Put(8, 2); },
          [](Subject& subject, Trial& trial) {
            trial.Expect(subject.Find(trial, 7) == 1, "a key that was there");
          }),
      Beside(
          "two keys beside a batch in which one takes the slot of the other", {1},
          [](Subject& subject) { subject.EraseAndPut(1, 2, 2); },
          [](Subject& subject, Trial& trial) {
            const std::array<int, 2> found = subject.FindBoth(trial, 2, 1);
            trial.Expect((found[0] == 2) != (found[1] == 1), "one of them");
          }),
      Beside(
          "two keys beside a batch that erases one behind a full bucket", {1, 2, 3, 4, 5, 6, 7},
          [](Subject& subject) { subject.EraseAndPut(7, 2, 2); },
          [](Subject& subject, Trial& trial) {
            const std::array<int, 2> found = subject.FindBoth(trial, 2, 7);
            trial.Expect((found[0] == 2) != (found[1] == 1), "all of the batch or nothing");
          }),
      Beside(
          "frozen beside an overwrite", {1}, [](Subject& subject) { subject.Put(1, 2); },
          [](Subject& subject, Trial& trial) {
            const int found = subject.Freeze(trial, {1})[0];
            trial.Expect(found == 1 || found == 2, "the old place or the new one");
          }),
      Beside(
          "frozen beside a batch", {1, kOtherShard},
          [](Subject& subject) { subject.PutBoth(1, kOtherShard, 2); },
          [](Subject& subject, Trial& trial) {
            const std::vector<int> found = subject.Freeze(trial, {1, kOtherShard});
            trial.Expect(found[0] == found[1] && found[0] > 0, "all of the batch or nothing");
          }),
      Beside(
          "frozen beside an erasure whose slot is taken", {1},
          [](Subject& subject) {
            subject.Erase(1);
            subject.Put(2, 2);
          },
          [](Subject& subject, Trial& trial) {
            const std::vector<int> found = subject.Freeze(trial, {1, 2});
            trial.Expect(found[0] == -1 || found[1] == -1, "one of them at most");
          }),
      Beside(
          "frozen again beside two overwrites", {1},
          [](Subject& subject) {
            subject.Put(1, 2);
            subject.Put(1, 3);
          },
          [](Subject& subject, Trial& trial) {
            const int before = subject.Freeze(trial, {1})[0];
            trial.Expect(subject.Freeze(trial, {1})[0] >= before, "no older place");
          }),
      {"two writers",
       [](Trial& trial) {
         Subject subject;
         trial.Run({[&] { subject.Put(1, 1); }, [&] { subject.Put(2, 2); }});
         trial.Expect(
             subject.Keys() == 2 && subject.Find(trial, 1) == 1 && subject.Find(trial, 2) == 2,
             "both are there");
       }},
      Beside(
          "two keys beside a batch", {1, 2}, [](Subject& subject) { subject.PutBoth(1, 2, 2); },
          [](Subject& subject, Trial& trial) {
            if (subject.Find(trial, 1) == 2) {
              trial.Expect(subject.Find(trial, 2) == 2, "the other key of the batch");
            }
          }),
  };
}

TEST(LogIndexInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(
      kBriefPlan, Programs(),
      {
          // The writer's own stores, or those of one before it under the lock.
          "IndexTable::Erase load acquire -> relaxed",
          // Nobody changes the table meanwhile: by the lock, or since it is frozen.
          "IndexTable::ForEach load acquire -> relaxed",
          // Between them they keep the writer's stores behind the loads of those who have
          // read the table frozen. In the model no load sees a later store.
          "IndexTable::Thaw update release -> relaxed",
          "IndexTable::Frozen load acquire -> relaxed",
      });
}

}  // namespace
}  // namespace kv
