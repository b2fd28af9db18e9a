// Point reads: which sequence number to read at, and what its answer means.
//
// A read of one key takes no part in the list of readers: it reads at the newest visible sequence
// number, and if a page says that versions of that age were dropped meanwhile, it registers and
// reads again.
//
// Thread safety: any thread.
#ifndef ENGINES_BTREE_READS_H_
#define ENGINES_BTREE_READS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engines/btree/counters.h"
#include "engines/btree/page.h"
#include "engines/btree/reader_list.h"
#include "kv/base/status.h"
#include "kv/contract/engine.h"

namespace kv::btree {

template <typename StoreType>
class Reads {
 public:
  explicit Reads(StoreType& store) : store_(store) {}

  absl::Status Get(std::string_view key, std::string* value) {
    return AtOneInstant(
        [&](Sequence at, bool registered) { return GetAt(key, at, registered, value, nullptr); });
  }

  absl::Status GetAt(std::string_view key, const Snapshot& snapshot, std::string* value) {
    return GetAt(key, snapshot.sequence(), true, value, nullptr);
  }

  absl::Status ExpiresAt(std::string_view key, uint64_t* expires_at) {
    return AtOneInstant([&](Sequence at, bool registered) {
      return GetAt(key, at, registered, nullptr, expires_at);
    });
  }

  // One state of the store for all; an error of its own for each.
  absl::Status MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                        std::span<absl::Status> statuses) {
    return AtOneInstant([&](Sequence at, bool registered) {
      for (size_t i = 0; i < keys.size(); ++i) {
        statuses[i] = GetAt(keys[i], at, registered, &values[i], nullptr);
        if (absl::IsAborted(statuses[i])) return statuses[i];
      }
      return absl::OkStatus();
    });
  }

 private:
  // read(at, registered) until it does not say kAborted, which a registered one never does.
  template <typename Read>
  absl::Status AtOneInstant(Read&& read) {
    KV_RETURN_IF_ERROR(store_.CheckWhole());
    absl::Status status = read(store_.readers().Visible(), false);
    if (!absl::IsAborted(status)) [[likely]]
      return status;
    const Snapshot snapshot = store_.readers().Take();
    return read(snapshot.sequence(), true);
  }

  // `value` and `expires_at` may be null. kAborted: not for a reader that is not registered.
  absl::Status GetAt(std::string_view key, Sequence at, bool registered, std::string* value,
                     uint64_t* expires_at) {
    KV_RETURN_IF_ERROR(CheckSizes(key));
    for (;;) {
      bool live = false;
      bool in_blob = false;
      BlobReference blob;
      KV_RETURN_IF_ERROR(store_.tree().Find(key, at, registered, [&](const LeafItem& item) {
        if (item.kind == RecordKind::kTombstone || Expired(item)) return;
        live = true;
        if (expires_at != nullptr) *expires_at = item.expires_at;
        if (value == nullptr) return;
        in_blob = item.blob;
        if (in_blob) {
          blob = BlobReference::Decode(item.value);
        } else {
          value->assign(item.value);
        }
      }));
      if (!live) return NotFound();
      if (!in_blob) [[likely]]
        return absl::OkStatus();
      absl::Status status = store_.pool().ReadBlob(blob, value);
      // To a registered reader the blob stays, though it may move while we come for it.
      if (status.ok() || (registered && !absl::IsAborted(status))) return status;
      if (!registered) return absl::AbortedError("the value went meanwhile");
    }
  }

  bool Expired(const LeafItem& item) const {
    return item.expires_at != kNeverExpires &&
           StoreType::Expiry::Expired(item.expires_at, store_.environment().clock.UnixMillis());
  }

  StoreType& store_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_READS_H_
