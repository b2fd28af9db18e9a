// The caches, each with room for two blocks: pins, evictions, inserts and erasures, in every
// interleaving.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/cache/block.h"
#include "kv/cache/clock.h"
#include "kv/cache/concept.h"
#include "kv/cache/lru.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kBriefPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// A cache of kCapacity bytes, in which there is room for two blocks of kBlock bytes.
template <Cache C, size_t kCapacity, size_t kBlock>
class Subject {
 public:
  Subject() : empty_(cache_.UsedBytes()) {}

  void Insert(Trial& trial, uint64_t file, uint64_t offset) {
    const auto handle = cache_.Insert(file, offset, BlockOf(file, offset));
    trial.Expect(handle && handle.bytes() == BlockOf(file, offset), "the block that was inserted");
  }
  void Lookup(Trial& trial, uint64_t file, uint64_t offset) {
    const auto handle = cache_.Lookup(file, offset);
    if (handle) trial.Expect(handle.bytes() == BlockOf(file, offset), "the block asked for");
  }
  void EraseFile(uint64_t file) { cache_.EraseFile(file); }

  // So that the cache is full.
  void Fill(Trial& trial) {
    Insert(trial, 0, 0);
    Insert(trial, 1, 0);
  }

  // What is charged is what is found, once nobody holds anything.
  void ExpectCharges(Trial& trial) {
    size_t charged = empty_;
    for (uint64_t file = 0; file < 3; ++file) {
      for (uint64_t offset = 0; offset < 3; ++offset) {
        const auto handle = cache_.Lookup(file, offset);
        if (!handle) continue;
        charged += BlockCharge(BlockOf(file, offset));
      }
    }
    trial.Expect(cache_.UsedBytes() >= charged, "each block is charged");
    for (uint64_t file = 0; file < 3; ++file) cache_.EraseFile(file);
    trial.Expect(cache_.UsedBytes() == empty_, "nothing is charged when all is erased");
  }

  // How many of three blocks are there in the end.
  static int KeptOfThree() {
    C cache{kCapacity};
    int kept = 0;
    for (uint64_t offset = 0; offset < 3; ++offset) cache.Insert(0, offset, BlockOf(0, offset));
    for (uint64_t offset = 0; offset < 3; ++offset) kept += cache.Lookup(0, offset) ? 1 : 0;
    return kept;
  }

 private:
  // Bytes that tell which block they are of, and whether they are all there.
  static std::string BlockOf(uint64_t file, uint64_t offset) {
    std::string block = "block " + std::to_string(file) + "/" + std::to_string(offset) + ".";
    block.resize(kBlock, '.');
    return block;
  }

  C cache_{kCapacity};
  const size_t empty_;
};

template <typename S>
Program Threads(std::string name, std::vector<void (*)(S&, Trial&)> bodies) {
  return {std::move(name), [bodies](Trial& trial) {
            S subject;
            subject.Fill(trial);
            std::vector<std::function<void()>> threads;
            for (const auto body : bodies) {
              threads.push_back([body, &subject, &trial] { body(subject, trial); });
            }
            trial.Run(std::move(threads));
            subject.ExpectCharges(trial);
          }};
}

template <typename S>
std::vector<Program> Programs() {
  const auto looks = [](S& subject, Trial& trial) { subject.Lookup(trial, 0, 0); };
  const auto looks_for_new = [](S& subject, Trial& trial) { subject.Lookup(trial, 0, 1); };
  const auto inserts = [](S& subject, Trial& trial) { subject.Insert(trial, 0, 1); };
  const auto inserts_other = [](S& subject, Trial& trial) { subject.Insert(trial, 0, 2); };
  const auto erases = [](S& subject, Trial&) { subject.EraseFile(0); };
  return {
      Threads<S>("a lookup beside an eviction", {looks, inserts}),
      Threads<S>("a lookup beside the insert of its block", {looks_for_new, inserts}),
      Threads<S>("a lookup beside an erasure", {looks, erases}),
      Threads<S>("an insert beside an erasure", {inserts, erases}),
      Threads<S>("two inserts", {inserts, inserts_other}),
      Threads<S>("two inserts of one block", {inserts, inserts}),
      Threads<S>("two erasures beside each other", {erases, erases}),
      {"into an erased slot that is still read",
       [](Trial& trial) {
         S subject;
         subject.Insert(trial, 0, 0);
         trial.Run({[&] { subject.Lookup(trial, 0, 0); },
                    [&] {
                      subject.EraseFile(0);
                      subject.Insert(trial, 1, 1);
                      subject.Insert(trial, 1, 2);
                    }});
         subject.ExpectCharges(trial);
       }},
  };
}

template <typename S>
void ExpectEveryOrderNeeded() {
  EXPECT_EQ(S::KeptOfThree(), 2);
  ExpectEveryOrderNeeded(kBriefPlan, Programs<S>());
}

// One set of two slots.
TEST(CacheInterleavingTest, ClockNeedsEveryOrder) {
  ExpectEveryOrderNeeded<Subject<ClockCache, 2 * 2048, 10>>();
}

// One shard. What is done under its mutex is the order's part, which is LRU here.
TEST(CacheInterleavingTest, ShardedNeedsEveryOrder) {
  constexpr size_t kBlock = 2000;
  constexpr size_t kOfTheShard = 1000;
  ExpectEveryOrderNeeded<Subject<LruCache, 2 * kBlock + kOfTheShard, kBlock>>();
}

}  // namespace
}  // namespace kv
