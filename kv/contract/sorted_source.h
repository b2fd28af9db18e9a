// A sorted source: entries in strictly ascending key order, looked at one after the other: what
// Engine::BulkLoad takes. The forward half of a Cursor, so an engine's cursor is one, and a store
// can be loaded from another.
//
// Valid() says whether there is an entry; key() and value() are its bytes until Next(). A source
// that ends because of an error is not Valid, and status() says why. expires_at(), where a source
// has it, is when the entry expires, in Unix milliseconds; without it entries never expire.
//
// Thread safety: a source serves one thread at a time.
#ifndef KV_CONTRACT_SORTED_SOURCE_H_
#define KV_CONTRACT_SORTED_SOURCE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/contract/write_batch.h"

namespace kv {

template <typename S>
concept SortedSource = requires(S& source, const S& constant) {
  { constant.Valid() } -> std::same_as<bool>;
  { constant.key() } -> std::same_as<std::string_view>;
  { constant.value() } -> std::same_as<std::string_view>;
  source.Next();
  { constant.status() } -> std::convertible_to<absl::Status>;
};

// Stands for any source where a concept needs one.
struct SortedSourceArchetype {
  bool Valid() const;
  std::string_view key() const;
  std::string_view value() const;
  void Next();
  absl::Status status() const;
};
static_assert(SortedSource<SortedSourceArchetype>);

// When the entry that `source` stands on expires.
template <SortedSource S>
uint64_t ExpiresAtOf(const S& source) {
  if constexpr (requires { static_cast<uint64_t>(source.expires_at()); }) {
    return source.expires_at();
  } else {
    return kNeverExpires;
  }
}

// Calls `take(const Record&) -> absl::Status` with each entry from where `source` stands. Stops at
// the first error: that of `take`, kInvalidArgument at a key that does not come after the one
// before it, or the source's own at its end. The record's bytes live until `take` returns.
template <SortedSource S, typename Take>
absl::Status ForEachSorted(S& source, Take&& take) {
  std::optional<std::string> previous;
  for (; source.Valid(); source.Next()) {
    const std::string_view key = source.key();
    if (previous && key <= *previous) {
      return Invalid(fmt::format("a sorted source has the key \"{}\" after \"{}\"",
                                 absl::CHexEscape(std::string(key)), absl::CHexEscape(*previous)));
    }
    KV_RETURN_IF_ERROR(
        take(Record{.key = key, .value = source.value(), .expires_at = ExpiresAtOf(source)}));
    previous.emplace(key);
  }
  return source.status();
}

// BulkLoad for engines that have no shorter way: hands the entries to
// `write(const WriteBatch&) -> absl::Status` in batches of some `batch_bytes`, in order. Whatever
// the source gave before an error of its own, or before a key that is out of order, is written.
template <SortedSource S, typename Write>
absl::Status LoadInBatches(S& source, size_t batch_bytes, Write&& write) {
  WriteBatch batch;
  absl::Status refused;  // by `write`, after which nothing more is written
  const auto flush = [&] {
    if (!batch.Empty()) refused = write(static_cast<const WriteBatch&>(batch));
    batch.Clear();
    return refused;
  };
  absl::Status status = ForEachSorted(source, [&](const Record& record) {
    batch.Put(record.key, record.value, record.expires_at);
    return batch.Bytes().size() < batch_bytes ? absl::OkStatus() : flush();
  });
  if (refused.ok()) status.Update(flush());
  return status;
}

}  // namespace kv

#endif  // KV_CONTRACT_SORTED_SOURCE_H_
