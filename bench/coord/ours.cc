#include "bench/coord/ours.h"

#include "bench/coord/cases.h"
#include "coord/asymmetric_fence.h"
#include "coord/bitmap.h"
#include "coord/locked.h"
#include "coord/park.h"
#include "coord/spin_then_park.h"
#include "coord/symmetric_fence.h"
#include "kv/base/clock.h"

namespace bench {
namespace {

struct Bitmap {
  static constexpr std::string_view kName = "bitmap";
  using ReadyQueue = coord::BitmapQueue;
  using Waiter = coord::Park;
  using Fence = coord::SymmetricFence;
  using Clock = kv::SystemClock;
};

struct BitmapAsymmetric : Bitmap {
  static constexpr std::string_view kName = "bitmap_asymmetric";
  using Fence = coord::AsymmetricFence;
};

struct BitmapSpin : Bitmap {
  static constexpr std::string_view kName = "bitmap_spin";
  using Waiter = coord::SpinThenPark<>;
};

struct Locked : Bitmap {
  static constexpr std::string_view kName = "locked";
  using ReadyQueue = coord::LockedQueue;
};

}  // namespace

void AddOurs(std::vector<MicroCase>* cases) {
  AddLoads<Ours<Bitmap>>(cases);
  AddLoads<Ours<BitmapAsymmetric>>(cases);
  AddLoads<Ours<Locked>>(cases);
  AddWake<Ours<Bitmap>>(cases);
  AddWake<Ours<BitmapSpin>>(cases);
}

}  // namespace bench
