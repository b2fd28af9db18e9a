// The contract that every engine keeps, embedded or remote.
//
// What the signatures cannot say:
//
//   Bytes. Keys and values are arbitrary bytes: empty values and keys, embedded NULs. Keys up to
//   64 KiB, values up to 256 MiB; longer is kInvalidArgument.
//   Linearizable. Each operation takes effect at one instant between call and return, and
//   CompareAndSet is atomic against Put, Delete, Write and DeleteRange as well as against itself.
//   A batch and a DeleteRange each take effect at one instant. MultiGet and Count read one state of
//   the store.
//   Durable. When a write returns OK, what its commit policy promises holds (kv/commit). When it
//   returns an error, it may or may not have taken effect. What survives a crash is a prefix of
//   the history, and a batch is all or nothing.
//   Errors. A damaged byte is kDataLoss that names the file and offset, never a wrong value. After
//   a failed log write the store refuses further writes with the same error until it is reopened;
//   reads go on.
//   Concurrency. Every function may be called from any thread, except Close and destruction, which
//   must be the last calls. Reads do not block writes. A cursor or snapshot serves one thread at a
//   time and must be destroyed before the engine.
//
// Cost: Get and Put allocate nothing but the value's bytes on their usual path.
#ifndef KV_CONTRACT_ENGINE_H_
#define KV_CONTRACT_ENGINE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/base/status.h"
#include "kv/contract/options.h"
#include "kv/contract/record.h"
#include "kv/contract/sorted_source.h"
#include "kv/contract/statistics.h"
#include "kv/contract/write_batch.h"

namespace kv {

inline constexpr size_t kMaxKeyBytes = size_t{64} << 10;
inline constexpr size_t kMaxValueBytes = size_t{256} << 20;

inline absl::Status CheckSizes(std::string_view key, std::string_view value = {}) {
  if (key.size() > kMaxKeyBytes) [[unlikely]] {
    return Invalid(fmt::format("key of {} bytes is over {}", key.size(), kMaxKeyBytes));
  }
  if (value.size() > kMaxValueBytes) [[unlikely]] {
    return Invalid(fmt::format("value of {} bytes is over {}", value.size(), kMaxValueBytes));
  }
  return absl::OkStatus();
}

// The answer of CompareAndSet. When `swapped` is false, `current` is the value that was found
// instead of the expected one, or nullopt if the key was absent.
struct CasResult {
  bool swapped = false;
  std::optional<std::string> current;
};

template <typename E>
concept Engine = requires(E& engine, const Options& options, std::string_view key,
                          std::string* value, std::optional<std::string_view> expected,
                          const WriteBatch& batch, const PutOptions& put_options,
                          std::span<const std::string_view> keys, std::span<std::string> values,
                          std::span<absl::Status> statuses, uint64_t expires_at,
                          SortedSourceArchetype& source) {
  // Capabilities: what else the engine offers. Generic code asks these, never its name.
  { E::kDurable } -> std::convertible_to<bool>;  // keeps files in Options::directory
  { E::kOrdered } -> std::convertible_to<bool>;  // models OrderedEngine
  { E::kExpiry } -> std::convertible_to<bool>;   // takes PutOptions::expires_at
  // Each slot and the policy in it, as JSON: {"engine":"lsm","memtable":"bplus_tree",...}.
  { E::Descriptor() } -> std::convertible_to<std::string>;

  { E::Open(options) } -> std::same_as<absl::StatusOr<std::unique_ptr<E>>>;
  // kNotFound when absent. `value` is overwritten, its capacity reused; untouched on an error.
  { engine.Get(key, value) } -> std::same_as<absl::Status>;
  { engine.Put(key, key) } -> std::same_as<absl::Status>;
  { engine.Put(key, key, put_options) } -> std::same_as<absl::Status>;
  // OK whether or not the key was there.
  { engine.Delete(key) } -> std::same_as<absl::Status>;
  { engine.Write(batch) } -> std::same_as<absl::Status>;
  // Deletes every key in [begin, end), at one instant; an empty `end` is no bound. The bounds are
  // keys, so longer ones are kInvalidArgument; a range that ends where it begins, or before, holds
  // nothing and is OK.
  { engine.DeleteRange(key, key) } -> std::same_as<absl::Status>;
  // Puts what any SortedSource shows from where it stands, in strictly ascending key order
  // (otherwise kInvalidArgument, which names the key). Each entry takes effect as a Put would; an
  // error or a crash leaves a prefix of them, in order. All of it is durable on return, whatever
  // the commit policy. Other writes may have to wait meanwhile; reads do not.
  { engine.BulkLoad(source) } -> std::same_as<absl::Status>;
  // values[i] and statuses[i] answer keys[i] as Get would; the spans have one size.
  { engine.MultiGet(keys, values, statuses) } -> std::same_as<void>;
  // If the key's value is `expected` (nullopt: absent), makes it `desired` (nullopt: deletes it).
  {
    engine.CompareAndSet(key, expected, expected, put_options)
    } -> std::same_as<absl::StatusOr<CasResult>>;
  // How many keys begin with `prefix`.
  { engine.Count(key) } -> std::same_as<absl::StatusOr<uint64_t>>;
  // Sets when an existing key expires (kNeverExpires: not any more); kNotFound when it is absent.
  // Where E::kExpiry is false a call does not compile, or is kInvalidArgument.
  { engine.ExpireAt(key, expires_at) } -> std::same_as<absl::Status>;
  // When an existing key expires, or kNeverExpires.
  { engine.ExpiresAt(key) } -> std::same_as<absl::StatusOr<uint64_t>>;
  { engine.Stats() } -> std::same_as<Statistics>;
  // Everything written so far is durable on return, whatever the commit policy. Engines in memory
  // have nothing to do.
  { engine.Flush() } -> std::same_as<absl::Status>;
  // Flushes and stops background work. Further calls are kFailedPrecondition.
  { engine.Close() } -> std::same_as<absl::Status>;
};

// A cursor over the live keys of one instant, in bytewise key order. Starts invalid; moves as a
// RecordCursor does. key() and value() are valid until the next move. Seek goes to the first key
// at or after its argument; SeekForPrev to the last key at or before it.
template <typename C>
concept Cursor = std::movable<C> && requires(C& cursor, const C& constant, std::string_view key) {
  { constant.Valid() } -> std::same_as<bool>;
  cursor.SeekToFirst();
  cursor.SeekToLast();
  cursor.Seek(key);
  cursor.SeekForPrev(key);
  cursor.Next();
  cursor.Prev();
  { constant.key() } -> std::same_as<std::string_view>;
  { constant.value() } -> std::same_as<std::string_view>;
  { constant.status() } -> std::convertible_to<absl::Status>;
};

// Snapshots are movable handles that keep one state of the store readable while they live.
template <typename E>
concept OrderedEngine = Engine<E> && E::kOrdered &&
    requires(E& engine, const CursorBounds& bounds, const typename E::Snapshot& snapshot,
             std::string_view key, std::string* value) {
  requires Cursor<typename E::Cursor>;
  requires std::movable<typename E::Snapshot>;
  { engine.TakeSnapshot() } -> std::same_as<typename E::Snapshot>;
  { engine.Get(key, value, snapshot) } -> std::same_as<absl::Status>;
  { engine.NewCursor() } -> std::same_as<typename E::Cursor>;
  { engine.NewCursor(bounds) } -> std::same_as<typename E::Cursor>;
  { engine.NewCursor(bounds, snapshot) } -> std::same_as<typename E::Cursor>;
};

// Merges the keys in [begin, end) down to one sorted run, where an empty `end` is no bound: Compact
// is CompactRange of everything. What shares a file with the range may be merged as well.
template <typename E>
concept CompactsRanges = requires(E& engine, std::string_view key) {
  { engine.CompactRange(key, key) } -> std::same_as<absl::Status>;
};

// Durable engines can also be opened on a given environment (files and clock), be compacted by
// hand, check their own files and make copies of themselves.
template <typename E>
concept DurableEngine = Engine<E> && E::kDurable &&
    requires(E& engine, const Options& options, const typename E::Environment& environment,
             const std::string& directory) {
  { E::Open(options, environment) } -> std::same_as<absl::StatusOr<std::unique_ptr<E>>>;
  // Merges everything down to one sorted run.
  { engine.Compact() } -> std::same_as<absl::Status>;
  // Reads every byte that has been written and is not in
  // a log, and checks it. Logs are checked by Open.
  { engine.Verify() } -> std::same_as<absl::Status>;
  // Makes of `directory` a store of its own that holds this store's state of one instant between
  // call and return, and is durable on return. The directory is absent or empty, otherwise the call
  // is refused with kAlreadyExists. Files that never change again are hard links; writes and reads
  // go on meanwhile. Opening it is how one restores. After a crash or an error the directory holds
  // no store, one that Open refuses, or the whole copy; without create_if_missing nothing else can
  // be opened there.
  { engine.Checkpoint(directory) } -> std::same_as<absl::Status>;
  requires !E::kOrdered || CompactsRanges<E>;
};

}  // namespace kv

#endif  // KV_CONTRACT_ENGINE_H_
