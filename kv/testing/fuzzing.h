// What a fuzz target is made of. bazel/README.md says how one is built and run.
//
// A target is a file that defines the two functions below; fuzz_main.cc hands them to libFuzzer.
// FuzzRun() stops the program where a promise is broken, and libFuzzer then keeps the input. The
// sanitizers do the same where a byte outside is touched.
//
//   input := head:1 bytes        head: bit 7: repair the checksums; bits 0-6: the target's choice
//
// What is fuzzed has checksums, and nearly every mutation of its bytes ends at one. So an input
// says whether it is read as it is, which shows that damage is refused, or after its checksums have
// been made right, which lets the mutation through to the code behind them.
//
// Thread safety: none.
#ifndef KV_TESTING_FUZZING_H_
#define KV_TESTING_FUZZING_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace kv::testing {

// Inputs to begin with, made by the code that writes the format. FuzzRun() accepts each of them.
std::vector<std::string> FuzzSeeds();

// Reads the input. Whether it was accepted: not refused, and then all that was promised held.
bool FuzzRun(std::string_view input);

// Stops the program, so that the input is kept.
[[noreturn]] inline void StopFuzzing(std::string_view what, std::string_view detail = {}) {
  std::fprintf(stderr, "BROKEN PROMISE: %.*s %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

inline void Require(bool holds, std::string_view what) {
  if (!holds) StopFuzzing(what);
}

inline void RequireOk(const absl::Status& status, std::string_view what) {
  if (!status.ok()) StopFuzzing(what, status.ToString());
}

// The error with which a reader refuses bytes: damage, or a format that it does not know, and the
// file (or its folder, where the file is not there) is named.
inline void RequireRefusal(const absl::Status& status, std::string_view path) {
  const std::string text = status.ToString();
  if (!absl::IsDataLoss(status) && !absl::IsFailedPrecondition(status)) {
    StopFuzzing("bytes are refused with another error than damage:", text);
  }
  if (text.find(path) == std::string::npos) StopFuzzing("a refusal does not name its file:", text);
}

struct FuzzInput {
  static constexpr uint8_t kRepair = 0x80;

  explicit FuzzInput(std::string_view input) {
    if (input.empty()) return;
    const auto head = static_cast<uint8_t>(input.front());
    repair = (head & kRepair) != 0;
    choice = head & (kRepair - 1);
    bytes = input.substr(1);
  }

  bool repair = false;
  uint8_t choice = 0;
  std::string bytes;
};

// Adds the two inputs that these bytes make, as they are and to be repaired.
inline void AddSeeds(uint8_t choice, std::string_view bytes, std::vector<std::string>* seeds) {
  for (const int repair : {0, int{FuzzInput::kRepair}}) {
    seeds->emplace_back(1, static_cast<char>(choice | repair)).append(bytes);
  }
}

}  // namespace kv::testing

#endif  // KV_TESTING_FUZZING_H_
