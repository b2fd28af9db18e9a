// Memory order: seq_cst, the default, throughout; KillPage (kill_writer.h) says why.
#include "kv/testing/kill_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/testing/kill_point.h"
#include "kv/testing/random.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

constexpr size_t kValueHeaderBytes = 8 * (2 + kKillThreads);
// A writer that nobody kills stops here, so that a check has a bounded history to go through.
constexpr uint64_t kOperationsOfALife = 20'000;

Random RandomOf(uint64_t seed, size_t thread, uint64_t number, uint64_t slot) {
  return Random(((seed * 31 + thread) * 1'000'003 + number) * 64 + slot);
}

[[noreturn]] void Die(std::string_view what, const absl::Status& status) {
  std::fputs(fmt::format("kill writer: {}: {}\n", what, status.ToString()).c_str(), stderr);
  std::_Exit(3);
}

KillCounts Read(const std::array<std::atomic<uint64_t>, kKillThreads>& counters) {
  KillCounts counts;
  for (size_t i = 0; i < kKillThreads; ++i) counts[i] = counters[i].load();
  return counts;
}

absl::Status Perform(AnyEngine& engine, uint64_t seed, size_t thread, uint64_t number,
                     const KillOperation& operation, const KillCounts& acknowledged) {
  const auto value_of = [&](const KillWrite& write) {
    return KillValue(seed, thread, number, *write.slot, acknowledged);
  };
  const KillWrite& first = operation.writes.front();
  const std::string key = KillKey(thread, first.key);
  switch (operation.kind) {
    case KillKind::kPut:
      return engine.Put(key, value_of(first));
    case KillKind::kDelete:
      return engine.Delete(key);
    case KillKind::kCas: {
      const auto found = Lookup(engine, key);
      if (!found.ok()) return found.status();
      const std::string value = value_of(first);
      const auto result = engine.CompareAndSet(key, *found, value);
      if (result.ok() && !result->swapped) {
        return absl::InternalError("CompareAndSet failed on a key of this thread alone");
      }
      return result.status();
    }
    case KillKind::kBatch:
      break;
  }
  WriteBatch batch;
  for (const KillWrite& write : operation.writes) {
    if (write.slot) {
      batch.Put(KillKey(thread, write.key), value_of(write));
    } else {
      batch.Delete(KillKey(thread, write.key));
    }
  }
  return engine.Write(batch);
}

void WriteUntilKilled(AnyEngine& engine, KillPage& page, uint64_t seed, size_t thread) {
  const uint64_t first = page.first[thread].load();
  for (uint64_t number = first; number < first + kOperationsOfALife; ++number) {
    const KillOperation operation = MakeKillOperation(seed, thread, number);
    const KillCounts acknowledged = Read(page.acknowledged);
    page.started[thread].store(number + 1);
    const absl::Status status = Perform(engine, seed, thread, number, operation, acknowledged);
    if (!status.ok()) Die("write", status);
    page.acknowledged[thread].store(number + 1);
    if (!operation.flush) continue;
    const KillCounts covered = Read(page.acknowledged);
    if (const absl::Status flushed = engine.Flush(); !flushed.ok()) Die("Flush", flushed);
    for (size_t t = 0; t < kKillThreads; ++t) {
      uint64_t before = page.flushed[t].load();
      while (before < covered[t] && !page.flushed[t].compare_exchange_weak(before, covered[t])) {
      }
    }
  }
}

}  // namespace

KillOperation MakeKillOperation(uint64_t seed, size_t thread, uint64_t number) {
  Random random = RandomOf(seed, thread, number, 63);
  KillOperation operation;
  operation.flush = random.OneIn(200);
  const uint64_t roll = random.Below(100);
  uint64_t writes = 1;
  if (roll < 45) {
    operation.kind = KillKind::kPut;
  } else if (roll < 60) {
    operation.kind = KillKind::kDelete;
  } else if (roll < 70) {
    operation.kind = KillKind::kCas;
  } else {
    operation.kind = KillKind::kBatch;
    writes = 2 + random.Below(7);
  }
  for (uint64_t slot = 0; slot < writes; ++slot) {
    KillWrite write{.key = random.Below(kKillKeys), .slot = slot};
    const bool deletes = operation.kind == KillKind::kDelete ||
                         (operation.kind == KillKind::kBatch && random.OneIn(4));
    if (deletes) write.slot.reset();
    operation.writes.push_back(write);
  }
  return operation;
}

std::string KillKey(size_t thread, uint64_t key) {
  return fmt::format("writer{}/key{:02}", thread, key);
}

std::string KillValue(uint64_t seed, size_t thread, uint64_t number, uint64_t slot,
                      const KillCounts& acknowledged) {
  std::string value;
  AppendFixed64(&value, number);
  AppendFixed64(&value, slot);
  for (const uint64_t count : acknowledged) AppendFixed64(&value, count);
  Random random = RandomOf(seed, thread, number, slot);
  return value + random.Bytes(random.Below(200));
}

std::optional<KillValueParts> ParseKillValue(uint64_t seed, size_t thread, std::string_view value) {
  if (value.size() < kValueHeaderBytes) return std::nullopt;
  KillValueParts parts;
  parts.number = LoadFixed64(value.data());
  parts.slot = LoadFixed64(value.data() + 8);
  for (size_t i = 0; i < kKillThreads; ++i) {
    parts.acknowledged[i] = LoadFixed64(value.data() + 16 + 8 * i);
  }
  if (KillValue(seed, thread, parts.number, parts.slot, parts.acknowledged) != value) {
    return std::nullopt;
  }
  return parts;
}

KillPage* MapKillPage(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(KillPage)) != 0) {
    Die("open " + path, absl::UnavailableError("no page"));
  }
  void* const mapped =
      ::mmap(nullptr, sizeof(KillPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED) Die("mmap " + path, absl::UnavailableError("no page"));
  return static_cast<KillPage*>(mapped);
}

void UnmapKillPage(KillPage* page) { ::munmap(page, sizeof(KillPage)); }

int RunKillWriter(const Composition& composition, int argc, char** argv) {
  // Not to outlive a checker that was itself killed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc < 6) Die("arguments", absl::InvalidArgumentError("page, directory, seed and point"));
  KillPage& page = *MapKillPage(argv[2]);
  const uint64_t seed = std::strtoull(argv[4], nullptr, 10);
  if (const auto point = ParseKillPoint(argv[5])) ArmKillPoint(*point, &page.reached);
  auto engine = composition.open(Stage::SmallOptions(argv[3]));
  if (!engine.ok()) Die("Open", engine.status());
  page.opened.store(1);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kKillThreads; ++t) {
    threads.emplace_back([&, t] { WriteUntilKilled(**engine, page, seed, t); });
  }
  for (std::thread& thread : threads) thread.join();
  while (true) ::pause();
}

}  // namespace kv::testing
