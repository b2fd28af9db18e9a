// The concepts both ways: archetypes that have what a concept asks for and nothing more model it;
// one thing less, and they do not.
#include "kv/contract/engine.h"

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "gtest/gtest.h"
#include "kv/contract/keeps_no_order.h"

namespace kv {
namespace {

// ---- Cursor ----

struct CursorArchetype {
  CursorArchetype(CursorArchetype&&) noexcept;
  CursorArchetype& operator=(CursorArchetype&&) noexcept;
  bool Valid() const;
  void SeekToFirst();
  void SeekToLast();
  void Seek(std::string_view);
  void SeekForPrev(std::string_view);
  void Next();
  void Prev();
  std::string_view key() const;
  std::string_view value() const;
  absl::Status status() const;
};
static_assert(Cursor<CursorArchetype>);

struct CursorForwardOnly : CursorArchetype {
  void Prev() = delete;
};
struct CursorWithoutSeekForPrev : CursorArchetype {
  void SeekForPrev(std::string_view) = delete;
};
struct CursorThatCopiesKeys : CursorArchetype {
  std::string key() const;
};
struct CursorThatStays : CursorArchetype {
  CursorThatStays(CursorThatStays&&) = delete;
};
static_assert(!Cursor<CursorForwardOnly> && !Cursor<CursorWithoutSeekForPrev> &&
              !Cursor<CursorThatCopiesKeys> && !Cursor<CursorThatStays> && !Cursor<int>);

// ---- Engine ----

// Self is the most derived class, for Open.
template <typename Self>
struct EngineCalls {
  static constexpr bool kDurable = false;
  static constexpr bool kOrdered = false;
  static constexpr bool kExpiry = false;
  static std::string Descriptor();
  static absl::StatusOr<std::unique_ptr<Self>> Open(const Options&);
  absl::Status Get(std::string_view, std::string*);
  absl::Status Put(std::string_view, std::string_view, const PutOptions& = {});
  absl::Status Delete(std::string_view);
  absl::Status Write(const WriteBatch&);
  absl::Status DeleteRange(std::string_view, std::string_view);
  absl::Status BulkLoad(SortedSourceArchetype&);
  void MultiGet(std::span<const std::string_view>, std::span<std::string>, std::span<absl::Status>);
  absl::StatusOr<CasResult> CompareAndSet(std::string_view, std::optional<std::string_view>,
                                          std::optional<std::string_view>, const PutOptions&);
  absl::StatusOr<uint64_t> Count(std::string_view);
  absl::Status ExpireAt(std::string_view, uint64_t);
  absl::StatusOr<uint64_t> ExpiresAt(std::string_view);
  Statistics Stats();
  absl::Status Flush();
  absl::Status Close();
};

struct EngineArchetype : EngineCalls<EngineArchetype> {};
static_assert(Engine<EngineArchetype>);
static_assert(!OrderedEngine<EngineArchetype> && !DurableEngine<EngineArchetype>);

// To concepts it is unordered, although cursors and snapshots can be named, to be refused in words.
struct RefusesCursors : EngineCalls<RefusesCursors>, KeepsNoOrder<RefusesCursors> {};
static_assert(Engine<RefusesCursors> && !OrderedEngine<RefusesCursors>);

struct WithoutCas : EngineCalls<WithoutCas> {
  void CompareAndSet() = delete;
};
struct WithoutDeleteRange : EngineCalls<WithoutDeleteRange> {
  void DeleteRange() = delete;
};
struct WithoutBulkLoad : EngineCalls<WithoutBulkLoad> {
  void BulkLoad() = delete;
};
struct WithoutPutOptions : EngineCalls<WithoutPutOptions> {
  absl::Status Put(std::string_view, std::string_view);
};
struct WithoutExpiresAt : EngineCalls<WithoutExpiresAt> {
  void ExpiresAt() = delete;
};
struct OpensAnotherType : EngineCalls<EngineArchetype> {};
struct DeleteReturnsBool : EngineCalls<DeleteReturnsBool> {
  bool Delete(std::string_view);
};
struct CountReturnsInt : EngineCalls<CountReturnsInt> {
  int Count(std::string_view);
};
struct WithoutDescriptor : EngineCalls<WithoutDescriptor> {
  static void Descriptor() = delete;
};
static_assert(!Engine<WithoutDeleteRange> && !Engine<WithoutBulkLoad>);
static_assert(!Engine<WithoutCas> && !Engine<WithoutPutOptions> && !Engine<WithoutExpiresAt> &&
              !Engine<OpensAnotherType> && !Engine<DeleteReturnsBool> && !Engine<CountReturnsInt> &&
              !Engine<WithoutDescriptor> && !Engine<int>);

// ---- OrderedEngine ----

template <typename Self>
struct OrderedCalls : EngineCalls<Self> {
  static constexpr bool kOrdered = true;
  using Cursor = CursorArchetype;
  struct Snapshot {};
  using EngineCalls<Self>::Get;
  Snapshot TakeSnapshot();
  absl::Status Get(std::string_view, std::string*, const Snapshot&);
  Cursor NewCursor();
  Cursor NewCursor(const CursorBounds&);
  Cursor NewCursor(const CursorBounds&, const Snapshot&);
};

struct OrderedArchetype : OrderedCalls<OrderedArchetype> {};
static_assert(OrderedEngine<OrderedArchetype> && !DurableEngine<OrderedArchetype>);

struct DoesNotSayOrdered : OrderedCalls<DoesNotSayOrdered> {
  static constexpr bool kOrdered = false;
};
struct OrderedByBadCursor : OrderedCalls<OrderedByBadCursor> {
  using Cursor = CursorForwardOnly;
};
struct OrderedWithoutSnapshotReads : OrderedCalls<OrderedWithoutSnapshotReads> {
  absl::Status Get(std::string_view, std::string*);
};
struct OrderedWithoutBounds : OrderedCalls<OrderedWithoutBounds> {
  Cursor NewCursor();
};
struct OnlySaysOrdered : EngineCalls<OnlySaysOrdered> {
  static constexpr bool kOrdered = true;
};
static_assert(Engine<DoesNotSayOrdered> && !OrderedEngine<DoesNotSayOrdered>);
static_assert(Engine<OrderedByBadCursor> && !OrderedEngine<OrderedByBadCursor>);
static_assert(Engine<OrderedWithoutSnapshotReads> && !OrderedEngine<OrderedWithoutSnapshotReads>);
static_assert(Engine<OrderedWithoutBounds> && !OrderedEngine<OrderedWithoutBounds>);
static_assert(Engine<OnlySaysOrdered> && !OrderedEngine<OnlySaysOrdered>);

// ---- DurableEngine ----

struct EnvironmentArchetype {};

template <typename Self>
struct DurableCalls : EngineCalls<Self> {
  static constexpr bool kDurable = true;
  using Environment = EnvironmentArchetype;
  using EngineCalls<Self>::Open;
  static absl::StatusOr<std::unique_ptr<Self>> Open(const Options&, const Environment&);
  absl::Status Compact();
  absl::Status Verify();
  absl::Status Checkpoint(const std::string&);
};

struct DurableArchetype : DurableCalls<DurableArchetype> {};
static_assert(DurableEngine<DurableArchetype> && !OrderedEngine<DurableArchetype>);

struct DurableWithoutVerify : DurableCalls<DurableWithoutVerify> {
  void Verify() = delete;
};
struct DurableWithoutCheckpoint : DurableCalls<DurableWithoutCheckpoint> {
  void Checkpoint() = delete;
};
struct DoesNotSayDurable : DurableCalls<DoesNotSayDurable> {
  static constexpr bool kDurable = false;
};
struct DurableWithoutEnvironment : EngineCalls<DurableWithoutEnvironment> {
  static constexpr bool kDurable = true;
  absl::Status Compact();
  absl::Status Verify();
  absl::Status Checkpoint(const std::string&);
};
static_assert(!DurableEngine<DurableWithoutCheckpoint>);
static_assert(!DurableEngine<DurableWithoutVerify> && !DurableEngine<DoesNotSayDurable> &&
              !DurableEngine<DurableWithoutEnvironment>);

// One that is both can compact a range.
template <typename Self>
struct OrderedDurableCalls : OrderedCalls<Self> {
  static constexpr bool kDurable = true;
  using Environment = EnvironmentArchetype;
  static absl::StatusOr<std::unique_ptr<Self>> Open(const Options&, const Environment& = {});
  absl::Status Compact();
  absl::Status Verify();
  absl::Status Checkpoint(const std::string&);
  absl::Status CompactRange(std::string_view, std::string_view);
};

struct OrderedDurableArchetype : OrderedDurableCalls<OrderedDurableArchetype> {};
struct CompactsOnlyEverything : OrderedDurableCalls<CompactsOnlyEverything> {
  void CompactRange() = delete;
};
static_assert(OrderedEngine<OrderedDurableArchetype> && DurableEngine<OrderedDurableArchetype>);
static_assert(OrderedEngine<CompactsOnlyEverything> && !DurableEngine<CompactsOnlyEverything>);

TEST(CheckSizesTest, TakesTheLimitsAndNoMore) {
  const std::string longest(kMaxKeyBytes, 'k');
  EXPECT_TRUE(CheckSizes("").ok());
  EXPECT_TRUE(CheckSizes(longest).ok());
  const absl::Status status = CheckSizes(longest + "k");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.ToString().find("65537"), std::string::npos) << status;
  // The value's bytes are not looked at, so a size alone will do.
  EXPECT_TRUE(CheckSizes("k", std::string_view(longest.data(), kMaxValueBytes)).ok());
  EXPECT_EQ(CheckSizes("k", std::string_view(longest.data(), kMaxValueBytes + 1)).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kv
