// One operation of a load, and the block of operations that a generator fills and an engine then
// executes: generation stays outside the timed stretch, and its cost can be told apart.
//
// An Operation is a view: its keys and values live in the block and in the value pool.
#ifndef BENCH_OPERATION_H_
#define BENCH_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

enum class OperationKind : uint8_t {
  kGet,
  kMultiGet,
  kNext,   // moves this thread's cursor; from the first key when it is at the end
  kPrev,   // the same, backwards
  kSeek,   // a new cursor, a seek, then `length` nexts
  kCount,  // keys with a prefix
  kPut,
  kPutDurable,  // a put that is durable on return, whatever the commit policy
  kPutBatch,
  kDelete,
  kGetThenPut,       // whatever the read found, the value is replaced
  kUpdateField,      // YCSB update: read the record, replace one field, write it
  kReadModifyWrite,  // YCSB: read the record, then an update
  kIncrement,        // adds 1 to an 8-byte counter by CompareAndSet, until it succeeds
  // memcached's conditional stores, on top of CompareAndSet (conditional.h).
  kAdd,
  kReplace,
  kCas,
  kAppend,
  kPrepend,
  kAddDecimal,
  kSubtractDecimal,
  kCompact,
};

constexpr bool IsRead(OperationKind kind) { return kind <= OperationKind::kCount; }
constexpr bool NeedsOrder(OperationKind kind) {
  return kind == OperationKind::kNext || kind == OperationKind::kPrev ||
         kind == OperationKind::kSeek;
}

struct Operation {
  OperationKind kind = OperationKind::kGet;
  // Entries of a scan; which field of an update; bytes of each value of a batch.
  uint32_t length = 0;
  std::string_view key;
  std::string_view value;
  uint64_t expires_at = 0;  // Unix milliseconds; 0 is never
  // Batches only: all keys; the value of keys[i] begins at value.data() + i * value_stride.
  std::span<const std::string_view> keys = {};
  size_t value_stride = 0;
};

// How many operations a block may hold.
inline constexpr size_t kBlockOperations = 256;

struct OperationBlock {
  std::vector<Operation> operations;
  std::vector<char> key_bytes;
  std::vector<std::string_view> keys;  // of batches
};

}  // namespace bench

#endif  // BENCH_OPERATION_H_
