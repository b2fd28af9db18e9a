// The Striping suite over the reference, then over the models, and over models that it must refuse.

#include "kv/striping/conformance.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/striping/archetype.h"
#include "kv/striping/concept.h"
#include "kv/striping/hashed.h"
#include "kv/striping/single.h"

namespace kv {
namespace {

template <typename S>
class StripingConformanceTest : public testing::Test {};

using Stripings = testing::Types<StripingArchetype, SingleStripe, HashedStripes<1>,
                                 HashedStripes<4>, HashedStripes<256>>;
TYPED_TEST_SUITE(StripingConformanceTest, Stripings);

TYPED_TEST(StripingConformanceTest, Excludes) {
  const absl::Status status = CheckStripingExcludes<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(StripingConformanceTest, Fair) {
  const absl::Status status = CheckStripingFair<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

TYPED_TEST(StripingConformanceTest, Stress) {
  for (const uint64_t seed : {1, 2, 3}) {
    const absl::Status status = CheckStripingStress<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << status;
  }
}

// ---- Models that the suite refuses.

struct ExcludesOnlyAmongSharers : SingleStripe {
  [[nodiscard]] SharedStripeGuard Exclude(uint64_t key_hash) { return Share(key_hash); }
};

struct BatchTakesItsFirstKeyOnly : HashedStripes<256> {
  [[nodiscard]] BatchGuard ShareAll(std::span<const uint64_t> hashes) {
    return HashedStripes<256>::ShareAll(hashes.first(hashes.empty() ? 0 : 1));
  }
};

// Misses the stripes that no key of a batch names.
struct EveryTakesOneStripe : HashedStripes<256> {
  [[nodiscard]] SharedStripeGuard ShareEvery() { return Share(1); }
};

struct SharersExclude : SingleStripe {
  [[nodiscard]] ExclusiveStripeGuard Share(uint64_t key_hash) { return Exclude(key_hash); }
};

// Lets new sharers in as long as there are any.
class SharersFirst {
 public:
  static constexpr std::string_view kName = "sharers first";
  struct Shared {
    explicit Shared(SharersFirst* all) : stripes(all) {
      const std::lock_guard lock(all->entry_);
      if (all->sharers_++ == 0) all->room_.lock();
    }
    Shared(const Shared&) = delete;
    ~Shared() {
      const std::lock_guard lock(stripes->entry_);
      if (--stripes->sharers_ == 0) stripes->room_.unlock();
    }
    SharersFirst* stripes;
  };
  // The first sharer in may not be the last out, so the room is not a std::mutex.
  class Room {
   public:
    void lock() {
      while (taken_.exchange(true)) taken_.wait(true);
    }
    void unlock() {
      taken_ = false;
      taken_.notify_one();
    }

   private:
    std::atomic<bool> taken_{false};
  };

  [[nodiscard]] Shared Share(uint64_t) { return Shared(this); }
  [[nodiscard]] std::unique_lock<Room> Exclude(uint64_t) { return std::unique_lock(room_); }
  [[nodiscard]] Shared ShareAll(std::span<const uint64_t>) { return Shared(this); }
  [[nodiscard]] Shared ShareEvery() { return Shared(this); }

 private:
  std::mutex entry_;
  int sharers_ = 0;
  Room room_;
};

TEST(StripingSuite, RefusesBrokenModels) {
  EXPECT_FALSE(CheckStripingExcludes<ExcludesOnlyAmongSharers>().ok());
  EXPECT_FALSE(CheckStripingExcludes<BatchTakesItsFirstKeyOnly>().ok());
  EXPECT_FALSE(CheckStripingExcludes<EveryTakesOneStripe>().ok());
  EXPECT_FALSE(CheckStripingFair<SharersFirst>().ok());
}

TEST(StripingSuite, RefusesSharersThatExclude) {
  // The suite waits ten seconds for what cannot come; the smallest of its parts is enough here.
  SharersExclude stripes;
  const auto share = [&] { return stripes.Share(1); };
  EXPECT_FALSE(striping_conformance::GetsInBeside(share, share, striping_conformance::kMoment));
}

// ---- Types that the concept refuses.

struct WithoutBatches {
  static constexpr std::string_view kName = "without batches";
  [[nodiscard]] SharedStripeGuard Share(uint64_t);
  [[nodiscard]] ExclusiveStripeGuard Exclude(uint64_t);
};
struct WithoutEvery {
  static constexpr std::string_view kName = "without every";
  [[nodiscard]] SharedStripeGuard Share(uint64_t);
  [[nodiscard]] ExclusiveStripeGuard Exclude(uint64_t);
  [[nodiscard]] SharedStripeGuard ShareAll(std::span<const uint64_t>);
};
struct GuardsAreCopies : SingleStripe {
  [[nodiscard]] int Share(uint64_t) { return 0; }
};
static_assert(!Striping<WithoutBatches>);
static_assert(!Striping<WithoutEvery>);
static_assert(!Striping<GuardsAreCopies>);

// ---- Models.

TEST(HashedStripes, OtherStripesDoNotWait) {
  HashedStripes<256> stripes;
  const auto first = stripes.Exclude(1);
  const auto second = stripes.Exclude(2);
  const auto third = stripes.Share(3);
}

TEST(HashedStripes, NameHasTheShape) {
  EXPECT_EQ(HashedStripes<1>::kName, "hashed<1>");
  EXPECT_EQ(HashedStripes<256>::kName, "hashed<256>");
  EXPECT_EQ(HashedStripes<4096>::kName, "hashed<4096>");
}

TEST(StripeGuards, MovedFromHoldsNothing) {
  SingleStripe stripes;
  {
    SharedStripeGuard first = stripes.Share(0);
    const SharedStripeGuard second = std::move(first);
  }
  ExclusiveStripeGuard first = stripes.Exclude(0);
  const ExclusiveStripeGuard second = std::move(first);
}

// Waiting parks: four threads that wait for half a second use next to no processor time.
TEST(StripeLock, WaitingParks) {
  SingleStripe stripes;
  const auto cpu_millis = [] {
    return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  };
  std::vector<std::thread> threads;
  double used = 0;
  {
    const auto guard = stripes.Exclude(0);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&stripes, i] {
        if (i % 2 == 0) {
          const auto shared = stripes.Share(0);
        } else {
          const auto exclusive = stripes.Exclude(0);
        }
      });
    }
    const double before = cpu_millis();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    used = cpu_millis() - before;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(used, 100.0);
}

}  // namespace
}  // namespace kv
