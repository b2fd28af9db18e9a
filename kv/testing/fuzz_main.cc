// What libFuzzer calls, for every target (fuzzing.h). With --seeds=DIRECTORY the program writes its
// seeds there, each of which has to be accepted, and ends.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/fuzzing.h"

namespace {

void WriteSeed(const std::string& path, const std::string& seed) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr || std::fwrite(seed.data(), 1, seed.size(), file) != seed.size() ||
      std::fclose(file) != 0) {
    std::perror(path.c_str());
    std::_Exit(1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kOption = "--seeds=";
  const std::string_view argument = *argc == 2 ? (*argv)[1] : "";
  if (!argument.starts_with(kOption)) return 0;
  const std::string directory(argument.substr(kOption.size()));
  const std::vector<std::string> seeds = kv::testing::FuzzSeeds();
  kv::testing::Require(!seeds.empty(), "there are no seeds");
  for (size_t i = 0; i < seeds.size(); ++i) {
    WriteSeed(directory + "/seed" + std::to_string(100 + i), seeds[i]);
    if (!kv::testing::FuzzRun(seeds[i])) {
      kv::testing::StopFuzzing("a seed is refused:", std::to_string(i));
    }
  }
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kv::testing::FuzzRun({reinterpret_cast<const char*>(data), size});
  return 0;
}
