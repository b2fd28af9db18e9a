// Opening a store with many keys, and what its index takes in memory.
//
//   bazel run -c opt //engines/log:open_benchmark -- --keys=10000000
//
// Fills a store with keys of 16 bytes and values of 100 in random order, in a process of its own,
// so that the one that opens starts with nothing in memory; then opens it, closed, from its hints
// three times, and once without them. Says:
//
//   open        wall time, and CPU time of this thread, which other programs disturb less
//   index       bytes a key of the index, counted (LogIndex::MemoryBytes)
//   anonymous   growth a key of the process's anonymous memory: index, active segment, allocator
//
// Fails where a store does not open or does not have its keys.
// Does not measure: a disk. The files were just written and are in the page cache.
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "engines/log/engine.h"
#include "engines/log/recovery.h"
#include "fmt/format.h"
#include "kv/commit/none.h"
#include "kv/expiry/absolute.h"
#include "kv/merge/dead_ratio.h"
#include "kv/striping/hashed.h"

namespace kv {
namespace {

struct Parts {
  using Striping = HashedStripes<256>;
  using Commit = NoCommit;
  using Expiry = AbsoluteExpiry;
  using Merge = DeadRatioMerge<>;
};
using Store = LogStructured<Parts>;
using Recovery = LogRecovery<Parts, SystemEnvironment>;

double Seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Of this process, in bytes. 0 where the system does not say.
uint64_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    uint64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib << 10;
  }
  return 0;
}

// Key number `i` of `keys`, in an order that is none: a prime that divides no number of keys below
// it steps through all of them.
std::string Key(uint64_t i, uint64_t keys) {
  constexpr uint64_t kStep = 2'147'483'647;
  return fmt::format("{:016}", static_cast<uint64_t>(i % keys * kStep % keys));
}

bool Check(const absl::Status& status, std::string_view what) {
  if (!status.ok()) fmt::print(stderr, "{}: {}\n", what, std::string(status.message()));
  return status.ok();
}

bool Fill(const Options& options, uint64_t keys) {
  auto store = Store::Open(options);
  if (!Check(store.status(), "open")) return false;
  std::string value(100, 'v');
  for (uint64_t i = 0; i < keys; ++i) {
    std::memcpy(value.data(), &i, sizeof i);
    if (!Check((*store)->Put(Key(i, keys), value), "put")) return false;
  }
  return Check((*store)->Close(), "close");
}

bool InAnotherProcess(const auto& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool ok = action();
    std::fflush(stdout);
    std::_Exit(ok ? 0 : 1);
  }
  int outcome = 1;
  return child > 0 && ::waitpid(child, &outcome, 0) == child && outcome == 0;
}

// Opens the store as Store::Open does, and looks at its index.
bool MeasureOpen(const Options& options, uint64_t keys, std::string_view label) {
  const uint64_t memory = AnonymousBytes();
  const double wall = Seconds(CLOCK_MONOTONIC);
  const double cpu = Seconds(CLOCK_THREAD_CPUTIME_ID);
  auto opened = Recovery::Run(options, SystemEnvironment(), Store::Format(), 16 << 20);
  const double wall_taken = Seconds(CLOCK_MONOTONIC) - wall;
  const double cpu_taken = Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  if (!Check(opened.status(), "open")) return false;
  LogIndex& index = opened->store->keydir().index();
  const auto a_key = [&](uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(keys);
  };
  fmt::print("{:14} {:8.3f} s {:8.3f} s CPU {:7.2f} B/key index {:7.2f} B/key anonymous\n", label,
             wall_taken, cpu_taken, a_key(index.MemoryBytes()),
             a_key(std::max(AnonymousBytes(), memory) - memory));
  if (index.Keys() != keys) {
    fmt::print(stderr, "{} keys instead of {}\n", index.Keys(), keys);
    return false;
  }
  return Check(opened->journal->Close(), "close");
}

bool RemoveHints(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".hint" && !std::filesystem::remove(entry.path())) return false;
  }
  return true;
}

bool Run(const Options& options, uint64_t keys) {
  if (!InAnotherProcess([&] { return Fill(options, keys); })) return false;
  for (int i = 0; i < 3; ++i) {
    if (!InAnotherProcess([&] { return MeasureOpen(options, keys, "from hints"); })) return false;
  }
  return RemoveHints(options.directory) &&
         InAnotherProcess([&] { return MeasureOpen(options, keys, "without hints"); });
}

}  // namespace
}  // namespace kv

int main(int argc, char** argv) {
  CLI::App app("Opens a log-structured store with many keys.");
  uint64_t keys = 1'000'000;
  std::string parent = std::filesystem::temp_directory_path();
  app.add_option("--keys", keys, "how many keys")->check(CLI::Range(1u, 1'000'000'000u));
  app.add_option("--dir", parent, "where the store is made, and removed");
  CLI11_PARSE(app, argc, argv);
  kv::Options options;
  options.directory = fmt::format("{}/ashlar_open_benchmark.{}", parent, ::getpid());
  const bool ok = kv::Run(options, keys);
  std::filesystem::remove_all(options.directory);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
