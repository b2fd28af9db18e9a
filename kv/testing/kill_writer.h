// The victim of kill tests: a process that writes to a store from several threads until it is
// killed, and says in shared memory what it has begun and what was acknowledged.
//
// Each thread has keys of its own and goes through numbered operations, whose effect is a function
// of (seed, thread, number). Values describe themselves: they hold the number of their operation
// and how many operations of each thread were acknowledged before it began, so that a checker can
// tell a prefix of the history from a state with holes.
//
//   value := number:fixed64  slot:fixed64  acknowledged:fixed64 * kKillThreads  filler
#ifndef KV_TESTING_KILL_WRITER_H_
#define KV_TESTING_KILL_WRITER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/composition.h"

namespace kv::testing {

inline constexpr size_t kKillThreads = 3;
inline constexpr uint64_t kKillKeys = 20;  // of each thread
using KillCounts = std::array<uint64_t, kKillThreads>;

// In a file that writer and checker map: what was stored is there after the writer is gone. All
// counts are of operations since the store was made. seq_cst: an acknowledgement is stored after
// the write returned, and is not to be seen before it.
struct KillPage {
  std::atomic<uint64_t> opened;   // not 0 once the writer has the store open
  std::atomic<uint64_t> reached;  // not 0 when it has come to its kill point
  std::array<std::atomic<uint64_t>, kKillThreads> first;         // where this life begins
  std::array<std::atomic<uint64_t>, kKillThreads> started;       // calls begun
  std::array<std::atomic<uint64_t>, kKillThreads> acknowledged;  // calls that returned OK
  std::array<std::atomic<uint64_t>, kKillThreads> flushed;       // before a Flush that returned OK
};
static_assert(std::atomic<uint64_t>::is_always_lock_free, "shared between processes");

// One write of an operation: to which key, and in which place of the operation; or a delete.
struct KillWrite {
  uint64_t key = 0;
  std::optional<uint64_t> slot;
};

enum class KillKind { kPut, kDelete, kBatch, kCas };

struct KillOperation {
  KillKind kind = KillKind::kPut;
  std::vector<KillWrite> writes;
  bool flush = false;  // call Flush afterwards
};

KillOperation MakeKillOperation(uint64_t seed, size_t thread, uint64_t number);
std::string KillKey(size_t thread, uint64_t key);
std::string KillValue(uint64_t seed, size_t thread, uint64_t number, uint64_t slot,
                      const KillCounts& acknowledged);

struct KillValueParts {
  uint64_t number = 0;
  uint64_t slot = 0;
  KillCounts acknowledged = {};
};
// Nullopt when these bytes are not what the thread wrote.
std::optional<KillValueParts> ParseKillValue(uint64_t seed, size_t thread, std::string_view value);

// A mapping of the file at `path`, which is made where it is missing.
KillPage* MapKillPage(const std::string& path);
void UnmapKillPage(KillPage* page);

// The writer process. The arguments are those of KillWriterArguments; returns only on failure,
// with the reason on stderr.
int RunKillWriter(const Composition& composition, int argc, char** argv);

// argv[1] of a writer; main() looks for it before anything else.
inline constexpr std::string_view kKillWriterFlag = "--kill_writer";
inline bool IsKillWriter(int argc, char** argv) { return argc > 1 && argv[1] == kKillWriterFlag; }

}  // namespace kv::testing

#endif  // KV_TESTING_KILL_WRITER_H_
