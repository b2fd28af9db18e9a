// Makes a store of its own out of sealed segments: hard links, a manifest, and nothing copied.
//
// Thread safety: any thread; the caller holds the segments.
#ifndef ENGINES_LOG_CHECKPOINT_H_
#define ENGINES_LOG_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "engines/log/manifest.h"
#include "engines/log/store.h"
#include "kv/base/status.h"

namespace kv {

// Of `segments`, which are sealed and are all of the store's at one instant, oldest writes first.
// The manifest is written last, so a directory that has one is whole. kAlreadyExists when the
// directory is not empty.
template <typename Environment>
absl::Status LinkCheckpoint(LogStore<Environment>& store, const std::string& directory,
                            std::vector<typename LogStore<Environment>::SegmentRef> segments) {
  std::erase_if(segments, [](const auto& segment) { return segment->Empty(); });
  SegmentManifest manifest = store.Manifest(segments, 0);
  manifest.first_unsealed = 0;  // the copy has none
  auto& files = store.files();
  KV_RETURN_IF_ERROR(files.CreateDirectories(directory));
  KV_ASSIGN_OR_RETURN(const std::vector<std::string> there, files.List(directory));
  if (!there.empty()) {
    return absl::AlreadyExistsError(
        fmt::format("{} is not empty: it holds {}", directory, there.front()));
  }
  const SegmentFileNames names(directory);
  for (const auto& segment : segments) {
    const uint64_t number = segment->number();
    KV_RETURN_IF_ERROR(files.Link(
        segment->path(), segment->merged() ? names.Merged(number) : names.Written(number)));
    KV_RETURN_IF_ERROR(files.Link(store.names().Hint(number), names.Hint(number)));
  }
  KV_RETURN_IF_ERROR(files.SyncDirectory(directory));
  return ReplaceSegmentManifest(files, names, manifest);
}

}  // namespace kv

#endif  // ENGINES_LOG_CHECKPOINT_H_
