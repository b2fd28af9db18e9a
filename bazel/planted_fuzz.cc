// A fuzz target with three bugs, one for each way in which a target finds one. fuzz_finds_test.sh
// expects all of them to be found within the runs of a test, one at a time: PLANTED names it.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

std::string_view Planted() {
  static const char* const planted = std::getenv("PLANTED");
  return planted == nullptr ? "" : planted;
}

// What stands behind "<" and its size.
std::string_view Body(std::string_view input) {
  if (input.size() < 2 || input[0] != '<') return {};
  const auto size = static_cast<uint8_t>(input[1]);
  // "outside" forgets that the input may end before that.
  if (Planted() != "outside" && size > input.size() - 2) return {};
  return {input.data() + 2, size};
}

}  // namespace

// None of them shows a bug.
std::vector<std::string> FuzzSeeds() {
  return {
      "<\004"
      "1234",
      "<\001"
      "7"};
}

bool FuzzRun(std::string_view input) {
  const std::string_view body = Body(input);
  int sum = 0;
  for (const char c : body) {
    // "undefined" shifts by more than there is.
    sum += Planted() == "undefined" ? 1 << (static_cast<uint8_t>(c) / 2) : c;
  }
  // "wrong" gives an answer that the target knows to be wrong.
  if (Planted() == "wrong") Require(!body.starts_with("by"), "a body begins with by");
  return sum != 0;
}

}  // namespace kv::testing
