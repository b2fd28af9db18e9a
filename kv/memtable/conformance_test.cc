// The conformance suite over the reference, then over the memtables; and over memtables that are
// each broken in one way, which it must refuse.

#include "kv/memtable/conformance.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "gtest/gtest.h"
#include "kv/memtable/archetype.h"
#include "kv/memtable/art.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/hash.h"
#include "kv/memtable/skip_list.h"

namespace kv {
namespace {

template <typename M>
class MemtableConformanceTest : public testing::Test {};

using Memtables = testing::Types<MemtableArchetype, BPlusTreeMemtable, SkipListMemtable,
                                 HashMemtable, ArtMemtable>;

struct NameOf {
  template <typename M>
  static std::string GetName(int) {
    return std::string(M::kName);
  }
};

TYPED_TEST_SUITE(MemtableConformanceTest, Memtables, NameOf);

TYPED_TEST(MemtableConformanceTest, Sequential) {
  for (const uint64_t seed : {1, 2, 3}) {
    const absl::Status status = CheckMemtableSequential<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TYPED_TEST(MemtableConformanceTest, Concurrent) {
  for (const uint64_t seed : {1, 2}) {
    // The reference has a lock, which its readers rarely leave to the inserter.
    const uint64_t records = std::is_same_v<TypeParam, MemtableArchetype> ? 4'000 : 20'000;
    const absl::Status status = CheckMemtableConcurrent<TypeParam>(seed, records);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

// ---- Memtables that the suite refuses. Each is the archetype with one fault.

struct ReturnsOlderVersion : MemtableArchetype {
  bool Get(std::string_view key, Sequence at, Record* found) const {
    if (!MemtableArchetype::Get(key, at, found)) return false;
    if (found->sequence > 0) MemtableArchetype::Get(key, found->sequence - 1, found);
    return true;
  }
};

struct HidesTombstones : MemtableArchetype {
  bool Get(std::string_view key, Sequence at, Record* found) const {
    Record record;
    if (!MemtableArchetype::Get(key, at, &record)) return false;
    if (record.kind == RecordKind::kTombstone) return false;
    *found = record;
    return true;
  }
};

// Takes two keys for one when their heads are equal.
struct LosesEqualHeads : MemtableArchetype {
  void Insert(const Record& record) {
    const auto [place, added] = key_of_head.emplace(KeyHead(record.key), record.key);
    if (added || place->second == record.key) MemtableArchetype::Insert(record);
  }
  size_t Entries() const { return MemtableArchetype::Entries(); }
  std::map<uint64_t, std::string> key_of_head;
};

struct LosesExpiry : MemtableArchetype {
  void Insert(Record record) {
    record.expires_at = kNeverExpires;
    MemtableArchetype::Insert(record);
  }
};

// What was inserted can be read only after the insert that follows.
struct PublishesLate : MemtableArchetype {
  void Insert(const Record& record) {
    if (pending.has_value()) MemtableArchetype::Insert(*pending);
    key = record.key;
    value = record.value;
    pending = record;
    pending->key = key;
    pending->value = value;
  }
  std::string key, value;
  std::optional<Record> pending;
};

struct PrevSkips : MemtableArchetype {
  struct Cursor : MemtableArchetype::Cursor {
    explicit Cursor(const PrevSkips* memtable) : MemtableArchetype::Cursor(memtable) {}
    void Prev() {
      MemtableArchetype::Cursor::Prev();
      if (Valid()) MemtableArchetype::Cursor::Prev();
    }
  };
};

// Seek goes behind the pair, not to it.
struct SeeksBehind : MemtableArchetype {
  struct Cursor : MemtableArchetype::Cursor {
    explicit Cursor(const SeeksBehind* memtable) : MemtableArchetype::Cursor(memtable) {}
    void Seek(std::string_view key, Sequence sequence) {
      MemtableArchetype::Cursor::Seek(key, sequence);
      if (Valid() && record().key == key && record().sequence == sequence) Next();
    }
  };
};

// Shows two neighbours in the wrong order, once.
struct SwapsNeighbours : MemtableArchetype {
  struct Cursor : MemtableArchetype::Cursor {
    explicit Cursor(const SwapsNeighbours* memtable) : MemtableArchetype::Cursor(memtable) {}
    void Next() {
      MemtableArchetype::Cursor::Next();
      ++moves;
      if (!Valid()) return;
      if (moves == 100) MemtableArchetype::Cursor::Next();
      if (moves == 101 && Valid()) MemtableArchetype::Cursor::Prev();
      if (moves == 102 && Valid()) MemtableArchetype::Cursor::Next();
    }
    int moves = 0;
  };
};

template <typename M>
class MemtableConformanceRefusesTest : public testing::Test {};

using Broken = testing::Types<ReturnsOlderVersion, HidesTombstones, LosesEqualHeads, LosesExpiry,
                              PublishesLate, PrevSkips, SeeksBehind, SwapsNeighbours>;
TYPED_TEST_SUITE(MemtableConformanceRefusesTest, Broken);

TYPED_TEST(MemtableConformanceRefusesTest, Sequential) {
  static_assert(Memtable<TypeParam>);  // broken in what the compiler cannot see
  EXPECT_EQ(CheckMemtableSequential<TypeParam>(1).code(), absl::StatusCode::kFailedPrecondition);
}

template <typename M>
class MemtableConformanceRefusesRaceTest : public testing::Test {};

struct PublishesLateAlone : PublishesLate {
  static constexpr bool kConcurrentInsert = false;
};

using BrokenInRaces = testing::Types<PublishesLateAlone, PrevSkips, SeeksBehind, SwapsNeighbours>;
TYPED_TEST_SUITE(MemtableConformanceRefusesRaceTest, BrokenInRaces);

TYPED_TEST(MemtableConformanceRefusesRaceTest, Concurrent) {
  EXPECT_EQ(CheckMemtableConcurrent<TypeParam>(1).code(), absl::StatusCode::kFailedPrecondition);
}

// ---- The concept refuses what lacks an operation.

struct NoName : MemtableArchetype {
  static constexpr int kName = 0;
};
struct NoConcurrencyConstant : MemtableArchetype {
  enum { kConcurrentInsert };
};
struct NoOrderConstant : MemtableArchetype {
  static void kOrdered();
};
struct InsertNeedsMutableRecord : MemtableArchetype {
  void Insert(Record& record);
};
struct GetNotConst : MemtableArchetype {
  bool Get(std::string_view key, Sequence at, Record* found);
};
struct GetWithoutSequence : MemtableArchetype {
  bool Get(std::string_view key, Record* found) const;
};
struct CursorFromNothing : MemtableArchetype {
  struct Cursor : MemtableArchetype::Cursor {
    Cursor() : MemtableArchetype::Cursor(nullptr) {}
  };
};
struct CursorNotACursor : MemtableArchetype {
  struct Cursor {
    explicit Cursor(const CursorNotACursor*) {}
  };
};
struct NoMemoryFigure : MemtableArchetype {
  void MemoryBytes() const;
};
struct NeedsArguments : MemtableArchetype {
  explicit NeedsArguments(int) {}
};

static_assert(!Memtable<int>);
static_assert(!Memtable<std::map<std::string, std::string>>);
static_assert(!Memtable<NoName>);
static_assert(!Memtable<NoConcurrencyConstant>);
static_assert(!Memtable<NoOrderConstant>);
static_assert(!Memtable<InsertNeedsMutableRecord>);
static_assert(!Memtable<GetNotConst>);
static_assert(!Memtable<GetWithoutSequence>);
static_assert(!Memtable<CursorFromNothing>);
static_assert(!Memtable<CursorNotACursor>);
static_assert(!Memtable<NoMemoryFigure>);
static_assert(!Memtable<NeedsArguments>);

}  // namespace
}  // namespace kv
