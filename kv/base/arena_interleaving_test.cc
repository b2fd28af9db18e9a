// ConcurrentArena: allocations beside the growth of the arena, in every interleaving.
#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/arena.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

constexpr size_t kBytes = 16;
constexpr size_t kOwnBytes = arena_internal::kOwnChunkAbove + kBytes;

class Subject {
 public:
  // With a chunk that has room for `left` more bytes; without a chunk if it is empty.
  explicit Subject(std::vector<size_t> left) {
    for (const size_t bytes : left) {
      arena_.Allocate(kBytes);
      const size_t room = arena_.BytesReserved() - kCacheLineBytes - arena_.BytesUsed();
      arena_.Allocate(room - bytes);
    }
  }

  // Fills what it is given with `mark`, which must be still there in the end.
  void Allocate(Trial& trial, size_t bytes, char mark) {
    const size_t before = arena_.BytesUsed();
    char* const data = arena_.Allocate(bytes);
    trial.Expect(std::all_of(data, data + kBytes, [](char c) { return c == 0; }), "zeros");
    std::fill_n(data, kBytes, mark);
    trial.Expect(arena_.BytesUsed() >= before + bytes, "one's own bytes are counted");
    given_[static_cast<size_t>(mark)] = data;
  }
  void Check(Trial& trial) const {
    for (size_t mark = 1; mark < given_.size(); ++mark) {
      const char* const data = given_[mark];
      if (data == nullptr) continue;
      trial.Expect(
          std::all_of(data, data + kBytes, [mark](char c) { return c == static_cast<char>(mark); }),
          "nobody else's");
    }
  }

 private:
  ConcurrentArena arena_;
  std::array<char*, 4> given_{};
};

// A thread for each of `bytes`, which allocates so much.
Program Allocate(std::string name, std::vector<size_t> left, std::vector<size_t> bytes) {
  return {std::move(name), [=](Trial& trial) {
            Subject subject(left);
            std::vector<std::function<void()>> threads;
            for (size_t i = 0; i < bytes.size(); ++i) {
              threads.push_back([&subject, &trial, size = bytes[i], i] {
                subject.Allocate(trial, size, static_cast<char>(i + 1));
              });
            }
            trial.Run(std::move(threads));
            subject.Check(trial);
          }};
}

std::vector<Program> Programs() {
  return {
      Allocate("the first two", {}, {kBytes, kBytes}),
      Allocate("two for whom there is room", {2 * kBytes}, {kBytes, kBytes}),
      Allocate("two for one place", {kBytes}, {kBytes, kBytes}),
      Allocate("a small one behind a large one", {kBytes}, {2 * kBytes, kBytes}),
      Allocate("two behind the end", {0}, {kBytes, kBytes}),
      Allocate("one with a chunk of its own", {0}, {kOwnBytes, kBytes}),
  };
}

TEST(ArenaInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs());
}

}  // namespace
}  // namespace kv
