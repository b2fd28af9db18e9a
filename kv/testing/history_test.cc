#include "kv/testing/history.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_engine.h"

namespace kv::testing {
namespace {

Composition Reference() { return CompositionOf<ReferenceEngine>("Reference"); }

// Times in steps are taken from the composition's clock; this one stands still.
Composition ReferenceOnStoppedClock() {
  Composition composition = Reference();
  composition.unix_millis = [] { return uint64_t{1'700'000'000'000}; };
  return composition;
}

TEST(HistoryTest, IsAFunctionOfItsSeed) {
  const Composition composition = ReferenceOnStoppedClock();
  const std::string first = ToString(MakeHistory(7, 100, composition));
  EXPECT_EQ(first, ToString(MakeHistory(7, 100, composition)));
  EXPECT_NE(first, ToString(MakeHistory(8, 100, composition)));
  EXPECT_EQ(MakeHistory(7, 100, composition).size(), 100u);
}

TEST(HistoryTest, TheReferenceAgreesWithItself) {
  EXPECT_EQ(Replay(Reference(), MakeHistory(7, 200, Reference())), std::nullopt);
}

TEST(HistoryTest, WhatDoesNotFailIsNotShrunk) {
  const std::vector<Step> steps = MakeHistory(7, 20, Reference());
  EXPECT_EQ(ToString(Shrink(Reference(), steps, 10)), ToString(steps));
}

// Answers as the reference does, but never finds the key "bad".
class Forgetful : public ReferenceEngine {
 public:
  using ReferenceEngine::Get;
  using ReferenceEngine::ReferenceEngine;
  static absl::StatusOr<std::unique_ptr<Forgetful>> Open(const Options&) {
    return std::make_unique<Forgetful>(SystemClock{});
  }
  absl::Status Get(std::string_view key, std::string* value) {
    return key == "bad" ? absl::NotFoundError("") : ReferenceEngine::Get(key, value);
  }
};

TEST(HistoryTest, AFailureIsFoundAndShrunkToItsCause) {
  const Composition composition = CompositionOf<Forgetful>("Forgetful");
  std::vector<Step> steps;
  for (int i = 0; i < 20; ++i) {
    const std::string key = i == 10 ? "bad" : "k" + std::to_string(i);
    steps.push_back({.kind = StepKind::kPut, .key = key, .value = "v"});
  }
  steps.push_back({.kind = StepKind::kGet, .key = "k1"});
  steps.push_back({.kind = StepKind::kGet, .key = "bad"});
  ASSERT_NE(Replay(composition, steps), std::nullopt);
  const std::vector<Step> shrunk = Shrink(composition, steps, 200);
  ASSERT_EQ(shrunk.size(), 2u) << ToString(shrunk);
  EXPECT_EQ(shrunk[0].key, "bad");
  EXPECT_EQ(shrunk[1].key, "bad");
}

}  // namespace
}  // namespace kv::testing
