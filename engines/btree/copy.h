// Makes a copy of a store's last checkpoint: a store of its own, as a clean close leaves one.
//
// The file is copied, not linked: both stores go on changing what is free in theirs. Of the two
// headers the copy has one, which names the copy's own log: an empty one that is sealed. The pages
// get their name last, so a directory that has a TREE is whole, and one that was cut off in between
// has a log that Open does not take for a new store's.
//
// Thread safety: a function; the checkpoint must not change meanwhile.
#ifndef ENGINES_BTREE_COPY_H_
#define ENGINES_BTREE_COPY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "engines/btree/file_names.h"
#include "engines/btree/store_header.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"
#include "kv/io/log_writer.h"

namespace kv::btree {

// `header` is the one in force of `file`. The directory of `names` is there and empty.
template <FileSystem Files>
absl::Status CopyStore(Files files, const typename Files::ReadableFile& file, StoreHeader header,
                       const FileNames& names) {
  constexpr uint64_t kLog = 1;
  constexpr uint64_t kChunkBytes = uint64_t{1} << 20;
  KV_ASSIGN_OR_RETURN(auto log,
                      LogWriter<Files>::Start(files, names.Log(kLog), {.generation = kLog}));
  KV_RETURN_IF_ERROR(log.Seal(header.sequence + 1));
  KV_RETURN_IF_ERROR(files.SyncDirectory(names.Directory()));
  header.replay_log = kLog;
  header.clean_end = log.End();
  KV_ASSIGN_OR_RETURN(auto copy, files.Create(names.NewTree()));
  std::string head(kFirstPlace * header.page_bytes, '\0');
  const std::string encoded = header.Encode();
  head.replace(header.Which() * header.page_bytes, encoded.size(), encoded);
  KV_RETURN_IF_ERROR(copy.Append(head));
  const uint64_t end = header.units * header.page_bytes;
  std::string chunk;
  for (uint64_t at = head.size(); at < end; at += chunk.size()) {
    chunk.resize(std::min(kChunkBytes, end - at));
    KV_RETURN_IF_ERROR(file.ReadAt(at, chunk.size(), chunk.data()));
    KV_RETURN_IF_ERROR(copy.Append(chunk));
  }
  KV_RETURN_IF_ERROR(copy.Sync());
  KV_RETURN_IF_ERROR(copy.Close());
  KV_RETURN_IF_ERROR(files.Rename(names.NewTree(), names.Tree()));
  return files.SyncDirectory(names.Directory());
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_COPY_H_
