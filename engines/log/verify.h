// Checks the files of a log-structured store: every byte of every sealed segment and its hint, and
// the manifest. O(bytes on disk). The active segment is checked by the open that follows a crash.
//
// Thread safety: any thread, outside the store's gate. A segment that a merge replaces meanwhile is
// held, and checked all the same.
#ifndef ENGINES_LOG_VERIFY_H_
#define ENGINES_LOG_VERIFY_H_

#include <string>
#include <string_view>

#include "engines/log/hint.h"
#include "engines/log/manifest.h"
#include "engines/log/store.h"
#include "kv/base/status.h"

namespace kv {

// The segment's file and its hint, read anew.
template <typename Environment>
absl::Status VerifySegment(LogStore<Environment>& store,
                           const typename LogStore<Environment>::SegmentType& segment) {
  KV_ASSIGN_OR_RETURN(const auto file, store.files().OpenForRead(segment.path()));
  KV_ASSIGN_OR_RETURN(const std::string_view bytes, file.Map());
  KV_ASSIGN_OR_RETURN(const std::string expected,
                      MakeHint(segment.path(), bytes, segment.number(), segment.end));
  const std::string path = store.names().Hint(segment.number());
  if (!store.files().Exists(path)) return Corruption(path, 0, "the hint is missing");
  KV_ASSIGN_OR_RETURN(const auto hint_file, store.files().OpenForRead(path));
  KV_ASSIGN_OR_RETURN(const std::string_view hint, hint_file.Map());
  if (hint == expected) return absl::OkStatus();
  return Corruption(path, CommonPrefixLength(hint, expected),
                    "the hint does not say what is in its segment");
}

template <typename Environment>
absl::Status VerifyStore(LogStore<Environment>& store) {
  KV_RETURN_IF_ERROR(ReadSegmentManifest(store.files(), store.names()).status());
  for (const auto& segment : store.SealedSegments()) {
    KV_RETURN_IF_ERROR(VerifySegment(store, *segment));
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // ENGINES_LOG_VERIFY_H_
