#include "kv/testing/conformance.h"

#include <memory>

#include "gtest/gtest.h"

namespace kv::testing {
namespace {

class CheckCase : public ::testing::Test {
 public:
  CheckCase(Check check, std::shared_ptr<const Composition> composition)
      : check_(check), composition_(std::move(composition)) {}
  void TestBody() override {
    for (const std::string& failure : RunCheck(check_, *composition_)) ADD_FAILURE() << failure;
  }

 private:
  Check check_;
  std::shared_ptr<const Composition> composition_;
};

}  // namespace

bool Applies(const Check& check, const Composition& composition) {
  const Needs& needs = check.needs;
  const Capabilities& has = composition.has;
  return (composition.real_files || !needs.real_files) && (has.ordered || !needs.ordered) &&
         (has.expiry || !needs.expiry) && (has.durable || !needs.durable) &&
         (!has.expiry || !needs.no_expiry);
}

std::vector<std::string> RunCheck(const Check& check, const Composition& composition) {
  Stage stage(composition);
  if (check.script != nullptr) {
    check.run_script(*check.script, stage);
  } else {
    check.run(stage);
  }
  return stage.failures();
}

std::vector<std::string> FailingChecks(const Composition& composition,
                                       std::span<const Check> checks) {
  std::vector<std::string> failing;
  for (const Check& check : checks) {
    if (!Applies(check, composition)) continue;
    if (!RunCheck(check, composition).empty()) failing.emplace_back(check.name);
  }
  return failing;
}

bool RegisterConformance(const Composition& composition, std::span<const Check> checks) {
  const auto shared = std::make_shared<const Composition>(composition);
  for (const Check& check : checks) {
    if (!Applies(check, composition)) continue;
    ::testing::RegisterTest(
        composition.name.c_str(), std::string(check.name).c_str(), nullptr, nullptr, __FILE__,
        __LINE__, [check, shared]() -> ::testing::Test* { return new CheckCase(check, shared); });
  }
  return true;
}

}  // namespace kv::testing
