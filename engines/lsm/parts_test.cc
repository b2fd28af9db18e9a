// What a composition must name, and no more: LsmParts refuses what is missing or wrong, and the
// engine runs on parts that model their concepts and nothing else.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "engines/lsm/engine.h"
#include "engines/lsm/separated_small_testing.h"
#include "engines/lsm/store_testing.h"
#include "kv/cache/archetype.h"
#include "kv/compression/archetype.h"
#include "kv/expiry/archetype.h"
#include "kv/filter/archetype.h"
#include "kv/memtable/archetype.h"
#include "kv/reading/archetype.h"
#include "kv/striping/archetype.h"
#include "kv/values/archetype.h"

namespace kv {
namespace {

// Complete, but for what each test below takes away.
struct AllParts {
  using Memtable = SkipListMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Filter = NoFilter;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};
static_assert(LsmParts<AllParts>);

struct NoMemtableSlot {
  using Compaction = LeveledCompaction<>;
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Filter = NoFilter;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};
static_assert(!LsmParts<NoMemtableSlot>);

struct MisspelledExpiry {
  using Memtable = SkipListMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = SingleStripe;
  using Commit = EveryWriteCommit;
  using Filter = NoFilter;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiri = AbsoluteExpiry;
};
static_assert(!LsmParts<MisspelledExpiry>);

struct NotAPolicy {};

struct WrongMemtable : AllParts {
  using Memtable = NotAPolicy;
};
struct WrongCompaction : AllParts {
  using Compaction = NotAPolicy;
};
struct WrongStriping : AllParts {
  using Striping = NotAPolicy;
};
struct WrongCommit : AllParts {
  using Commit = NotAPolicy;
};
struct WrongFilter : AllParts {
  using Filter = NotAPolicy;
};
struct WrongCache : AllParts {
  using Cache = NotAPolicy;
};
struct WrongCompression : AllParts {
  using Compression = NotAPolicy;
};
struct WrongWalCompression : AllParts {
  using WalCompression = NotAPolicy;
};
struct WrongReading : AllParts {
  using Reading = NotAPolicy;
};
struct WrongValues : AllParts {
  using Values = NotAPolicy;
};
struct WrongExpiry : AllParts {
  using Expiry = NotAPolicy;
};
static_assert(!LsmParts<WrongMemtable> && !LsmParts<WrongCompaction> && !LsmParts<WrongStriping> &&
              !LsmParts<WrongCommit> && !LsmParts<WrongFilter> && !LsmParts<WrongCache> &&
              !LsmParts<WrongCompression> && !LsmParts<WrongWalCompression> &&
              !LsmParts<WrongReading> && !LsmParts<WrongValues> && !LsmParts<WrongExpiry>);

// A policy in the slot of another.
struct Swapped : AllParts {
  using Filter = NoCache;
  using Cache = NoFilter;
};
static_assert(!LsmParts<Swapped>);

// There is no archetype of a commit or compaction policy: the simplest of each stands in.
struct Archetypes {
  using Memtable = MemtableArchetype;
  using Compaction = SyncedParts::Compaction;
  using Striping = StripingArchetype;
  using Commit = NoCommit;
  using Filter = FilterArchetype;
  using Cache = CacheArchetype;
  using Compression = CompressionArchetype;
  using WalCompression = CompressionArchetype;
  using Reading = ReadingArchetype;
  using Values = ValuesArchetype;
  using Expiry = ExpiryArchetype;
};

using ArchetypeStore = Lsm<Archetypes, SimulatedEnvironment>;
static_assert(DurableEngine<ArchetypeStore> && OrderedEngine<ArchetypeStore>);
using Synced = Lsm<SyncedParts, SimulatedEnvironment>;
static_assert(DurableEngine<Synced> && OrderedEngine<Synced>);
static_assert(DurableEngine<LsmSeparatedSmall> && DurableEngine<LsmSeparatedSmallPread>);

TEST(PartsTest, EngineRunsOnArchetypes) {
  SimulatedFileSystem fs;
  auto store = OpenStore<ArchetypeStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto snapshot = (*store)->TakeSnapshot();
  ASSERT_EQ(History::WriteUntil(**store, 0, 30), 30u);
  EXPECT_EQ(*Contents(**store), History::StateAfter(30));
  EXPECT_EQ(Walk((*store)->NewCursor({}, snapshot))->size(), 0u);
  EXPECT_TRUE((*store)->CompareAndSet("new", std::nullopt, "1")->swapped);
  EXPECT_TRUE((*store)->ExpireAt("new", 1).ok());
  std::string value;
  EXPECT_TRUE(absl::IsNotFound((*store)->Get("new", &value)));
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_EQ(*Contents(**store), History::StateAfter(30));
  EXPECT_EQ(*(*store)->Count("key"), History::StateAfter(30).size());
  EXPECT_TRUE((*store)->Verify().ok());
}

TEST(PartsTest, ArchetypeStoreReopens) {
  SimulatedFileSystem fs;
  for (size_t writes = 0; writes < 60; writes += 20) {
    auto store = OpenStore<ArchetypeStore>(fs);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(*Contents(**store), History::StateAfter(writes));
    ASSERT_EQ(History::WriteUntil(**store, writes, writes + 20), writes + 20);
    ASSERT_TRUE((*store)->Close().ok());
  }
}

}  // namespace
}  // namespace kv
