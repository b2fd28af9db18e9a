#include "bench/remote/interrupt.h"

#include <signal.h>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

TEST(Interrupt, TheFirstIsAWishAndTheSecondAnEnd) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::atomic<bool>* const stop = StopOnInterrupt();
    EXPECT_FALSE(stop->load());
    ::raise(signal);
    EXPECT_TRUE(stop->load());
    EXPECT_FALSE(StopOnInterrupt()->load());  // begun anew
    ::raise(signal);
    EXPECT_EXIT(::raise(signal), testing::KilledBySignal(signal), "");
  }
}

}  // namespace
}  // namespace bench::remote
