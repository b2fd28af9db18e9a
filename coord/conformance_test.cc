// The suite of coordinators over every queue, waiter and fence, first over the locked reference;
// and over parts that it must refuse.
#include "coord/conformance.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "coord/adaptive.h"
#include "coord/asymmetric_fence.h"
#include "coord/bitmap.h"
#include "coord/bitmap_slots.h"
#include "coord/coordinator.h"
#include "coord/event_fd.h"
#include "coord/growing_ring.h"
#include "coord/locked.h"
#include "coord/park.h"
#include "coord/per_thread_rings.h"
#include "coord/ring.h"
#include "coord/ring_slots.h"
#include "coord/spin_then_park.h"
#include "coord/store_load_fence.h"
#include "coord/symmetric_fence.h"
#include "coord/work_stealing.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"

namespace coord {
namespace {

template <typename Q, typename W, typename F>
struct Parts {
  using ReadyQueue = Q;
  using Waiter = W;
  using Fence = F;
  using Clock = kv::SystemClock;
};

// States and queue in one.
template <typename S, typename W>
struct SlotsParts {
  using Slots = S;
  using Waiter = W;
  using Clock = kv::SystemClock;
};

template <typename P>
class CoordinatorConformanceTest : public testing::Test {};
using All = testing::Types<
    Parts<LockedQueue, Park, SymmetricFence>, Parts<LockedQueue, Park, AsymmetricFence>,
    Parts<LockedQueue, SpinThenPark<>, SymmetricFence>,
    Parts<LockedQueue, SpinThenPark<>, AsymmetricFence>,
    Parts<LockedQueue, EventFd, SymmetricFence>, Parts<LockedQueue, EventFd, AsymmetricFence>,
    Parts<BitmapQueue, Park, SymmetricFence>, Parts<BitmapQueue, Park, AsymmetricFence>,
    Parts<BitmapQueue, SpinThenPark<>, SymmetricFence>,
    Parts<BitmapQueue, SpinThenPark<>, AsymmetricFence>,
    Parts<BitmapQueue, EventFd, SymmetricFence>, Parts<BitmapQueue, EventFd, AsymmetricFence>,
    // Of the others some; soak_test.cc has all.
    Parts<RingQueue, Park, SymmetricFence>, Parts<GrowingRing, SpinThenPark<>, AsymmetricFence>,
    Parts<PerThreadRings, Park, SymmetricFence>, Parts<PerThreadRings, EventFd, AsymmetricFence>,
    Parts<WorkStealing, SpinThenPark<>, SymmetricFence>, Parts<WorkStealing, Park, AsymmetricFence>,
    Parts<Adaptive, Park, SymmetricFence>, Parts<Adaptive, SpinThenPark<>, AsymmetricFence>,
    SlotsParts<BitmapSlots<SymmetricFence>, Park>,
    SlotsParts<BitmapSlots<AsymmetricFence>, SpinThenPark<>>,
    SlotsParts<BitmapSlots<SymmetricFence>, EventFd>, SlotsParts<RingSlots<>, Park>,
    SlotsParts<RingSlots<>, SpinThenPark<>>, SlotsParts<RingSlots<>, EventFd>,
    SlotsParts<RingSlots<StoreLoadFence, Adaptive>, Park>>;
TYPED_TEST_SUITE(CoordinatorConformanceTest, All);

TYPED_TEST(CoordinatorConformanceTest, Alone) {
  const absl::Status status = CheckCoordinatorAlone<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(CoordinatorConformanceTest, Soak) {
  const absl::Status status = CheckCoordinatorSoak<TypeParam>(/*seed=*/1, /*steps=*/4'000);
  EXPECT_TRUE(status.ok()) << status;
}

// ---- Parts that the suite refuses.

// Hands out what is queued, and leaves it there.
struct ForgetsNothing : LockedQueue {
  using LockedQueue::LockedQueue;
  size_t Pop(std::span<uint32_t> out) {
    const size_t count = LockedQueue::Pop(out);
    if (count > 0 && !repeated.exchange(true)) LockedQueue::Push(out[0]);
    return count;
  }
  std::atomic<bool> repeated{false};
};

struct PopsOneEntryAndSaysNone : LockedQueue {
  using LockedQueue::LockedQueue;
  size_t Pop(std::span<uint32_t> out) { return LockedQueue::Pop(out) == out.size() ? 1 : 0; }
};

struct WaitsForNobody : Park {
  bool WaitFor(std::chrono::nanoseconds) {
    Park::CancelWait();
    return true;
  }
};

TEST(CoordinatorSuite, RefusesBrokenParts) {
  // An entry too many is taken for one that was withdrawn: the states stand it.
  EXPECT_TRUE((CheckCoordinatorAlone<Parts<ForgetsNothing, Park, SymmetricFence>>().ok()));
  EXPECT_EQ(
      (CheckCoordinatorAlone<Parts<PopsOneEntryAndSaysNone, Park, SymmetricFence>>().message()),
      "each is handed out once");
  EXPECT_EQ((CheckCoordinatorAlone<Parts<LockedQueue, WaitsForNobody, SymmetricFence>>().message()),
            "a wait without a reason");
}

// ---- Types that the concept refuses.

struct WithoutFence {
  using ReadyQueue = LockedQueue;
  using Waiter = Park;
  using Clock = kv::SystemClock;
};
static_assert(!CoordinatorParts<WithoutFence>);
static_assert(CoordinatorParts<Parts<LockedQueue, Park, SymmetricFence>>);
static_assert(CoordinatorParts<SlotsParts<BitmapSlots<SymmetricFence>, Park>>);
static_assert(!CoordinatorParts<SlotsParts<LockedQueue, Park>>);
static_assert(!CoordinatorParts<Parts<Park, Park, SymmetricFence>>);
static_assert(!CoordinatorParts<Parts<LockedQueue, LockedQueue, SymmetricFence>>);
static_assert(!CoordinatorParts<Parts<LockedQueue, Park, Park>>);

}  // namespace
}  // namespace coord
