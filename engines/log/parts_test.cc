// What a composition must name, and no more: LogParts refuses what is missing or wrong, what has no
// slot is told apart, and the engine runs on parts that model their concepts and nothing else.
#include "engines/log/parts.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "engines/log/engine.h"
#include "engines/log/store_testing.h"
#include "kv/expiry/archetype.h"
#include "kv/merge/archetype.h"
#include "kv/striping/archetype.h"

namespace kv {
namespace {

static_assert(LogParts<SyncedParts>);

struct NoMergeSlot {
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Expiry = AbsoluteExpiry;
};
static_assert(!LogParts<NoMergeSlot>);

struct MisspelledExpiry {
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Expiri = AbsoluteExpiry;
  using Merge = DeadRatioMerge<>;
};
static_assert(!LogParts<MisspelledExpiry>);

struct NotAPolicy {};

struct WrongStriping : SyncedParts {
  using Striping = NotAPolicy;
};
struct WrongCommit : SyncedParts {
  using Commit = NotAPolicy;
};
struct WrongExpiry : SyncedParts {
  using Expiry = NotAPolicy;
};
struct WrongMerge : SyncedParts {
  using Merge = NotAPolicy;
};
static_assert(!LogParts<WrongStriping> && !LogParts<WrongCommit> && !LogParts<WrongExpiry> &&
              !LogParts<WrongMerge>);

// A policy in the slot of another.
struct Swapped : SyncedParts {
  using Expiry = SingleStripe;
  using Striping = AbsoluteExpiry;
};
static_assert(!LogParts<Swapped>);

// Parts that want what the engine cannot give: LogPartsAgree refuses them with a message.
struct WithMemtable : SyncedParts {
  using Memtable = NotAPolicy;
};
struct WithCompaction : SyncedParts {
  using Compaction = NotAPolicy;
};
struct WithFilter : SyncedParts {
  using Filter = NotAPolicy;
};
static_assert(NamesASortedSlot<WithMemtable> && NamesASortedSlot<WithCompaction> &&
              NamesASortedSlot<WithFilter> && !NamesASortedSlot<SyncedParts>);
struct WithCache : SyncedParts {
  using Cache = NotAPolicy;
};
struct WithCompression : SyncedParts {
  using Compression = NotAPolicy;
};
struct WithWalCompression : SyncedParts {
  using WalCompression = NotAPolicy;
};
static_assert(NamesABlockSlot<WithCache> && NamesABlockSlot<WithCompression> &&
              NamesABlockSlot<WithWalCompression> && !NamesABlockSlot<SyncedParts>);

// There is no archetype of a commit policy: the simplest stands in.
struct Archetypes {
  using Striping = StripingArchetype;
  using Commit = NoCommit;
  using Expiry = ExpiryArchetype;
  using Merge = MergeArchetype;
};

using ArchetypeStore = LogStructured<Archetypes, SimulatedEnvironment>;
static_assert(DurableEngine<ArchetypeStore> && !OrderedEngine<ArchetypeStore>);
static_assert(DurableEngine<SyncedStore> && !OrderedEngine<SyncedStore>);

TEST(PartsTest, EngineRunsOnArchetypes) {
  SimulatedFileSystem fs;
  auto store = OpenStore<ArchetypeStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ(History::WriteUntil(**store, 0, 60), 60u);
  EXPECT_EQ(*Contents(**store), History::StateAfter(60));
  EXPECT_TRUE((*store)->CompareAndSet("new", std::nullopt, "1")->swapped);
  EXPECT_TRUE((*store)->ExpireAt("new", 1).ok());
  std::string value;
  EXPECT_TRUE(absl::IsNotFound((*store)->Get("new", &value)));
  EXPECT_GT((*store)->Stats().compactions, 0u);
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_EQ(*Contents(**store), History::StateAfter(60));
  EXPECT_TRUE((*store)->Verify().ok());
}

TEST(PartsTest, ArchetypeStoreReopens) {
  SimulatedFileSystem fs;
  for (size_t writes = 0; writes < 90; writes += 30) {
    auto store = OpenStore<ArchetypeStore>(fs);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(*Contents(**store), History::StateAfter(writes));
    ASSERT_EQ(History::WriteUntil(**store, writes, writes + 30), writes + 30);
    ASSERT_TRUE((*store)->Close().ok());
  }
}

}  // namespace
}  // namespace kv
