// What a replay remembers in order to check every read: for each key, whether it should be there
// and with which bytes, kept as a seed and a size from which the bytes can be made again.
//
// The model's memory (40 bytes a key) and the comparisons are the lab's, not the engine's: they are
// outside the timed part of a request.
//
// Thread safety: ReplayValues is immutable and shared. Each key's Expected belongs to the thread
// that replays the key.
#ifndef BENCH_REPLAY_MODEL_H_
#define BENCH_REPLAY_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/value_generator.h"
#include "kv/base/histogram.h"

namespace bench {

// Bytes that follow from (seed, size): 16 bytes that only this seed has, then a slice of the pool.
class ReplayValues {
 public:
  explicit ReplayValues(size_t largest) : pool_(largest + (size_t{1} << 20)) {}

  // The seed of the value that request number `request` writes to key number `key`.
  static uint64_t Seed(uint32_t key, uint64_t request);

  void Make(uint64_t seed, size_t size, std::string* value) const;
  bool Matches(std::string_view value, uint64_t seed, size_t size) const;

 private:
  std::string_view Slice(uint64_t seed, size_t size) const;

  ValuePool pool_;
};

// What a read of one key has to answer.
struct Expected {
  bool written = false;  // by any earlier request
  bool present = false;
  uint32_t size = 0;
  uint64_t seed = 0;
  uint64_t expires_at = 0;  // Unix milliseconds; 0 is never
  // The whole value, of keys that append, prepend, incr or decr have changed.
  std::unique_ptr<std::string> literal;

  void Store(uint64_t new_seed, uint32_t new_size, uint64_t new_expires_at);
  void StoreLiteral(std::string_view value, uint64_t new_expires_at);
  void Remove();
  bool Holds(std::string_view value, const ReplayValues& values) const;

  // What a read between these two instants (Unix milliseconds) may answer.
  bool MayBePresent(uint64_t before) const {
    return present && (expires_at == 0 || before < expires_at);
  }
  bool MayBeAbsent(uint64_t after) const {
    return !present || (expires_at != 0 && after >= expires_at);
  }
};

struct ReplayResult {
  uint64_t requests = 0;
  double seconds = 0;              // of the engine: the busiest thread's sum over its requests
  double wall_seconds = 0;         // the lab's generation and verification included
  uint64_t reads_verified = 0;     // present, and byte for byte what was written
  uint64_t absences_verified = 0;  // absent, and rightly so: deleted or expired
  uint64_t never_written = 0;      // reads of keys that the trace had not written
  uint64_t mismatches = 0;
  std::string first_mismatch;
  uint64_t user_bytes = 0;
  uint64_t read_bytes = 0;
  uint64_t live_bytes = 0;  // key and value bytes that the model ends with
  kv::Histogram reads;
  kv::Histogram writes;
};

}  // namespace bench

#endif  // BENCH_REPLAY_MODEL_H_
