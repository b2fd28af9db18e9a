#include "bench/coord/ours.h"

#include <string_view>
#include <vector>

#include "bench/coord/cases.h"
#include "coord/adaptive.h"
#include "coord/bitmap.h"
#include "coord/bitmap_slots.h"
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
#include "kv/base/clock.h"

namespace bench {
namespace {

struct Common {
  using Waiter = coord::Park;
  using Clock = kv::SystemClock;
};

struct RingSlots : Common {
  static constexpr std::string_view kName = "ring_slots";
  using Slots = coord::RingSlots<>;
};

struct RingSlotsSpin : RingSlots {
  static constexpr std::string_view kName = "ring_slots_spin";
  using Waiter = coord::SpinThenPark<>;
};

struct RingSlotsAdaptive : Common {
  static constexpr std::string_view kName = "ring_slots_adaptive";
  using Slots = coord::RingSlots<coord::StoreLoadFence, coord::Adaptive>;
};

struct BitmapSlots : Common {
  static constexpr std::string_view kName = "bitmap_slots";
  using Slots = coord::BitmapSlots<coord::SymmetricFence>;
};

// States with a queue beside them.
template <typename Q>
struct Queued : Common {
  static constexpr std::string_view kName = Q::kName;
  using ReadyQueue = Q;
  using Fence = coord::SymmetricFence;
};

}  // namespace

void AddOurs(std::vector<MicroCase>* cases) {
  AddLoads<Ours<RingSlots>>(cases);
  AddLoads<Ours<RingSlotsAdaptive>>(cases);
  AddLoads<Ours<BitmapSlots>>(cases);
  AddLoads<Ours<Queued<coord::LockedQueue>>>(cases);
  AddLoads<Ours<Queued<coord::BitmapQueue>>>(cases);
  AddLoads<Ours<Queued<coord::RingQueue>>>(cases);
  AddLoads<Ours<Queued<coord::GrowingRing>>>(cases);
  AddLoads<Ours<Queued<coord::PerThreadRings>>>(cases);
  AddLoads<Ours<Queued<coord::WorkStealing>>>(cases);
  AddLoads<Ours<Queued<coord::Adaptive>>>(cases);
  AddWake<Ours<RingSlots>>(cases);
  AddWake<Ours<RingSlotsSpin>>(cases);
}

}  // namespace bench
