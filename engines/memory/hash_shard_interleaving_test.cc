// HashShard: readers beside a writer, and batches, in every interleaving. Limbo is modelled with
// one block a turn, so that every entry and table that is replaced is freed as soon as may be.
#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/memory/hash_batch.h"
#include "engines/memory/hash_probes.h"
#include "engines/memory/hash_shard.h"
#include "engines/memory/shard_locks.h"
#include "engines/memory/sharding.h"
#include "gtest/gtest.h"
#include "kv/base/hash.h"
#include "kv/contract/write_batch.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv::memory_internal {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kBriefPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// One shard, used as HashMemory does.
class Subject {
 public:
  using OneShard = HashedShards<1>;

  Subject() : shards_{std::make_unique<HashShard>(&epochs_)} {}

  void Put(std::string_view key, std::string_view value) {
    const std::lock_guard lock(shard().lock());
    shard().Put(HashKey(key), Entry::New(key, value, kNeverExpires));
  }
  void Delete(std::string_view key) {
    const std::lock_guard lock(shard().lock());
    shard().Delete(HashKey(key), key);
  }
  void Write(const WriteBatch& batch) {
    HashBatch writes(batch, [this](uint64_t) { return shards_[0].get(); });
    ShardLocks<1> locks(shards_, ShardSet<1>::All());
    writes.TakeEffect(locks);
  }

  // Empty: absent.
  std::string Get(std::string_view key) {
    const auto guard = epochs_.Enter();
    const Entry* const entry = shard().Table().Find(HashKey(key), key);
    return entry == nullptr ? std::string() : std::string(entry->value());
  }
  // Of two keys, as of one instant.
  std::array<std::string, 2> GetBoth(std::string_view one, std::string_view other) {
    const auto guard = epochs_.Enter();
    const std::array<std::string_view, 2> keys = {one, other};
    const HashProbes<OneShard> probes(shards_, keys);
    std::array<std::string, 2> values;
    for (size_t i = 0; i < 2; ++i) {
      if (probes[i] != nullptr) values[i] = probes[i]->value();
    }
    return values;
  }
  // The number of entries of the shard as it is at one instant.
  size_t CountFrozen() {
    const auto guard = epochs_.Enter();
    HashTable table;
    {
      const std::lock_guard lock(shard().lock());
      table = shard().Freeze();
    }
    size_t count = 0;
    for (size_t i = 0; i < table.capacity(); ++i) count += IsEntry(table.Peek(i)) ? 1 : 0;
    return count;
  }

 private:
  HashShard& shard() { return *shards_[0]; }

  Epochs epochs_;
  std::array<std::unique_ptr<HashShard>, 1> shards_;
};

// `count` keys that begin their search in one slot of the smallest table, so that each goes past
// the ones before it.
std::vector<std::string> Neighbours(size_t count) {
  const HashTable smallest = HashTable::New(HashTable::kMinCapacity);
  std::vector<std::string> keys;
  for (int number = 0; keys.size() < count; ++number) {
    std::string key = "key" + std::to_string(number);
    if (smallest.Home(HashKey(key)) == 3) keys.push_back(std::move(key));
  }
  ::operator delete(smallest.Base());
  return keys;
}

// A shard with "old" as the value of each of `keys`.
Program Beside(std::string name, std::vector<std::string> keys, std::function<void(Subject&)> write,
               std::function<void(Subject&, Trial&)> read) {
  return {std::move(name), [=](Trial& trial) {
            Subject subject;
            for (const std::string& key : keys) subject.Put(key, "old");
            trial.Run({[&] { write(subject); }, [&] { read(subject, trial); }});
          }};
}

bool OldOrNew(std::string_view value) { return value == "old" || value == "new"; }
bool NoneOrNew(std::string_view value) { return value.empty() || value == "new"; }

std::vector<Program> Programs() {
  static const std::vector<std::string> keys = Neighbours(4);
  static const std::vector<std::string> six = {"1", "2", "3", "4", "5", "6"};
  const auto batch = [](Subject& subject) {
    WriteBatch writes;
    writes.Put(keys[0], "new");
    writes.Put(keys[2], "new");
    subject.Write(writes);
  };
  return {
      Beside(
          "get beside an overwrite", {keys[0]},
          [](Subject& subject) { subject.Put(keys[0], "new"); },
          [](Subject& subject, Trial& trial) {
            trial.Expect(OldOrNew(subject.Get(keys[0])), "the old value or the new one");
          }),
      Beside(
          "get beside an insert", {keys[0]}, [](Subject& subject) { subject.Put(keys[1], "new"); },
          [](Subject& subject, Trial& trial) {
            trial.Expect(NoneOrNew(subject.Get(keys[1])), "nothing or the new value");
            trial.Expect(subject.Get(keys[0]) == "old", "the key that was there");
          }),
      Beside(
          "found again", {}, [](Subject& subject) { subject.Put(keys[0], "new"); },
          [](Subject& subject, Trial& trial) {
            if (subject.Get(keys[0]).empty()) return;
            trial.Expect(subject.Get(keys[0]) == "new", "what was found is found again");
          }),
      Beside(
          "get behind a key that goes", {keys[0], keys[1]},
          [](Subject& subject) { subject.Delete(keys[0]); },
          [](Subject& subject, Trial& trial) {
            trial.Expect(subject.Get(keys[1]) == "old", "the key that stays");
          }),
      Beside(
          "get of a key that goes and comes back", {keys[0]},
          [](Subject& subject) {
            subject.Delete(keys[0]);
            subject.Put(keys[0], "new");
          },
          [](Subject& subject, Trial& trial) {
            const std::string value = subject.Get(keys[0]);
            trial.Expect(value.empty() || OldOrNew(value), "a value or nothing");
          }),
      Beside(
          "get beside growth", six, [](Subject& subject) { subject.Put("7", "new"); },
          [](Subject& subject, Trial& trial) {
            trial.Expect(subject.Get("6") == "old", "a key that was there");
            trial.Expect(NoneOrNew(subject.Get("7")), "nothing or the new value");
          }),
      Beside("a batch is seen whole by who sees one key", {keys[0], keys[2]}, batch,
             [](Subject& subject, Trial& trial) {
               if (subject.Get(keys[0]) != "new") return;
               trial.Expect(subject.Get(keys[2]) == "new", "the other key of the batch");
             }),
      Beside("two keys beside a batch", {keys[0], keys[2]}, batch,
             [](Subject& subject, Trial& trial) {
               const auto values = subject.GetBoth(keys[2], keys[0]);
               trial.Expect(values[0] == values[1] && OldOrNew(values[0]), "all of it or nothing");
             }),
      Beside(
          "two keys beside two puts", {keys[0], keys[2]},
          [](Subject& subject) {
            subject.Put(keys[0], "new");
            subject.Put(keys[2], "new");
          },
          [](Subject& subject, Trial& trial) {
            const auto values = subject.GetBoth(keys[0], keys[2]);
            trial.Expect(OldOrNew(values[0]) && OldOrNew(values[1]), "each has a value");
            trial.Expect(values[0] == "new" || values[1] == "old", "as of one instant");
          }),
      Beside(
          "two keys beside a put and a delete", {keys[0], keys[2]},
          [](Subject& subject) {
            subject.Put(keys[0], "new");
            subject.Delete(keys[2]);
          },
          [](Subject& subject, Trial& trial) {
            const auto values = subject.GetBoth(keys[0], keys[2]);
            trial.Expect(OldOrNew(values[0]), "the key that stays has a value");
            trial.Expect(values[0] == "new" || values[1] == "old", "as of one instant");
          }),
      Beside(
          "a frozen table beside a put", {keys[0]},
          [](Subject& subject) {
            subject.Put(keys[1], "new");
            subject.Delete(keys[0]);
          },
          [](Subject& subject, Trial& trial) {
            const size_t count = subject.CountFrozen();
            trial.Expect(count == 1 || count == 2, "one state of the shard");
          }),
      {"two writers",
       [](Trial& trial) {
         Subject subject;
         trial.Run({[&] { subject.Put(keys[0], "new"); }, [&] { subject.Put(keys[1], "new"); }});
         trial.Expect(subject.Get(keys[0]) == "new" && subject.Get(keys[1]) == "new", "both");
       }},
  };
}

TEST(HashShardInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  // Needed only by readers without a slot of their own: epoch_interleaving_test has them.
  ExpectEveryOrderNeeded(kBriefPlan, Programs(),
                         {
                             "Epochs::Passed load seq_cst -> acquire",
                             "Epochs::Passed load seq_cst -> relaxed",
                         });
}

}  // namespace
}  // namespace kv::memory_internal
