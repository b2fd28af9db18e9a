// A checkpoint: a directory that is a store of its own and holds one state of another store.
//
// Tables and value files never change, so the copy has hard links to them. What a manifest and a
// log are, the copy has its own of. CURRENT is written last, when all that it leads to is durable:
// a copy that was cut off has tables and no CURRENT, and is refused when it is opened.
//
// Thread safety: a function; the caller keeps the tables from being removed meanwhile.
// Not for: a directory on another file system, which hard links do not reach.
#ifndef ENGINES_LSM_CHECKPOINT_H_
#define ENGINES_LSM_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/file_names.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/manifest_edit.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"

namespace kv {

// Refuses a directory that cannot become a checkpoint: kAlreadyExists when it holds anything. Makes
// it when it is absent.
template <FileSystem Files>
absl::Status PrepareCheckpoint(Files& files, const std::string& directory) {
  if (directory.empty()) return Invalid("a checkpoint needs a directory");
  KV_RETURN_IF_ERROR(files.CreateDirectories(directory));
  KV_ASSIGN_OR_RETURN(const std::vector<std::string> there, files.List(directory));
  if (there.empty()) return absl::OkStatus();
  return absl::AlreadyExistsError(
      fmt::format("{} is not empty: it holds {}", directory, there.front()));
}

// `Writer` starts a log (kv/io/log_writer.h). Makes `to`, an empty directory, a store that holds
// `state`, the tables of which are in `from`. The log that it begins with is synced, or not, as
// `synced_log` says. On an error what was made is removed again.
template <typename Writer, FileSystem Files>
absl::Status WriteCheckpoint(Files& files, const FileNames& from, const FileNames& to,
                             ManifestState state, bool synced_log) {
  std::vector<std::string> made;
  absl::Status status = [&]() -> absl::Status {
    for (const auto& level : state.levels) {
      for (const TableMeta& meta : level) {
        made.push_back(to.Table(meta.number));
        KV_RETURN_IF_ERROR(files.Link(from.Table(meta.number), made.back()));
      }
    }
    for (const ValueFileMeta& meta : state.values) {
      made.push_back(to.Values(meta.number));
      KV_RETURN_IF_ERROR(files.Link(from.Values(meta.number), made.back()));
    }
    state.clean_close.reset();
    state.log_number = state.next_file++;
    made.push_back(to.Log(state.log_number));
    KV_RETURN_IF_ERROR(
        Writer::Start(files, made.back(), {.generation = state.log_number, .synced = synced_log})
            .status());
    const uint64_t manifest = state.next_file++;
    made.push_back(to.Manifest(manifest));
    made.push_back(to.Current());
    // Syncs the directory, with the links in it, before CURRENT is switched.
    return Manifest<Files>::Start(files, to, manifest, state).status();
  }();
  if (status.ok()) return status;
  // CURRENT goes first, should it be there.
  for (; !made.empty(); made.pop_back()) files.Remove(made.back()).IgnoreError();
  return status;
}

}  // namespace kv

#endif  // ENGINES_LSM_CHECKPOINT_H_
