#include "kv/base/sticky_error.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace kv {
namespace {

TEST(StickyError, IsOkUntilItIsSet) {
  StickyError error;
  EXPECT_FALSE(error.failed());
  EXPECT_TRUE(error.Get().ok());
}

TEST(StickyError, KeepsTheFirstError) {
  StickyError error;
  EXPECT_EQ(error.Set(absl::UnavailableError("first")).message(), "first");
  EXPECT_EQ(error.Set(absl::DataLossError("second")).message(), "first");
  EXPECT_TRUE(error.failed());
  EXPECT_EQ(error.Get(), absl::UnavailableError("first"));
}

TEST(StickyError, KeepsWhatIsAnError) {
  StickyError error;
  EXPECT_TRUE(error.Keep(absl::OkStatus()).ok());
  EXPECT_FALSE(error.failed());
  EXPECT_EQ(error.Keep(absl::UnavailableError("first")).message(), "first");
  EXPECT_EQ(error.Keep(absl::DataLossError("second")).message(), "first");
  // What succeeds after an error is no error.
  EXPECT_TRUE(error.Keep(absl::OkStatus()).ok());
  EXPECT_TRUE(error.failed());
}

TEST(StickyError, SaysOnceWhatToDo) {
  StickyError inner("stop");
  StickyError outer("stop");
  EXPECT_EQ(inner.Set(absl::UnavailableError("why")), absl::UnavailableError("why; stop"));
  EXPECT_EQ(inner.Get(), absl::UnavailableError("why; stop"));
  EXPECT_EQ(outer.Keep(inner.Get()), absl::UnavailableError("why; stop"));
}

TEST(StickyError, AllThreadsSeeOneError) {
  StickyError error;
  std::vector<absl::Status> seen(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([&, i] {
      error.Set(absl::UnavailableError(std::to_string(i))).IgnoreError();
      seen[i] = error.Get();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : seen) EXPECT_EQ(status, seen[0]);
  EXPECT_FALSE(seen[0].ok());
}

}  // namespace
}  // namespace kv
