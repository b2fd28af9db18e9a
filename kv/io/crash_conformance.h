// What every FileSystem keeps across crashes, for models that can crash: CheckCrashPromises(make).
// Holds them to both sides of the contract: what is promised survives every crash, and what is not
// promised is lost by some crash. A model that keeps more than a disk does hides bugs in all that
// is tested on it, and is refused.
//
// Thread safety: none needed.
#ifndef KV_IO_CRASH_CONFORMANCE_H_
#define KV_IO_CRASH_CONFORMANCE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"
#include "kv/io/simulated_crash.h"
#include "kv/io/whole_file.h"

namespace kv {

template <typename S>
concept CrashableFileSystem = FileSystem<S> && requires(const S& fs) {
  { fs.Crash(uint64_t{}, CrashMode{}) } -> std::same_as<S>;
};

namespace conformance_internal {

// What is found at a path after a crash: its bytes, or nothing where there is no file.
using Found = std::optional<std::string>;

template <CrashableFileSystem S>
Found Find(S& fs, const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadWholeFile(fs, path);
  return bytes.ok() ? Found(*std::move(bytes)) : std::nullopt;
}

// Looks at `path` after many crashes of `fs`: `allowed` must hold for each; `possible` for at least
// one power loss. `broken` and `kind` name what is wrong otherwise.
template <CrashableFileSystem S>
absl::Status Judge(const S& fs, const std::string& path, std::string_view broken,
                   const std::function<bool(const Found&)>& allowed, std::string_view kind,
                   const std::function<bool(const Found&)>& possible) {
  constexpr uint64_t kSeeds = 64;
  bool seen = false;
  for (const CrashMode mode : kAllCrashModes) {
    for (uint64_t seed = 0; seed < (IsSeeded(mode) ? kSeeds : 1); ++seed) {
      S crashed = fs.Crash(seed, mode);
      const Found found = Find(crashed, path);
      if (!allowed(found)) {
        return absl::DataLossError(
            fmt::format("crash mode {}, seed {}: {}", ToString(mode), seed, std::string(broken)));
      }
      seen = seen || (mode != CrashMode::kKeepAll && possible(found));
    }
  }
  if (seen) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("kinder than a disk: {}", std::string(kind)));
}

inline bool Anything(const Found&) { return true; }

}  // namespace conformance_internal

// OK if the file systems that make() returns, each with an empty disk, keep what a FileSystem
// promises across crashes and no more; otherwise an error that says which promise it is about.
template <typename Make>
absl::Status CheckCrashPromises(Make make) {
  using conformance_internal::Anything;
  using conformance_internal::Found;
  using conformance_internal::Judge;
  const auto is = [](std::string expected) {
    return [expected = std::move(expected)](const Found& found) { return found == expected; };
  };
  const auto is_absent = [](const Found& found) { return !found.has_value(); };
  const std::string path = "/d/f";
  const std::string other = "/d/g";

  {
    auto fs = make();
    KV_RETURN_IF_ERROR(fs.CreateDirectories("/d"));
    KV_RETURN_IF_ERROR(WriteWholeFile(fs, path, "bytes"));
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(Judge(
        fs, path, "SyncDirectory() lost the name of a file",
        [](const Found& found) { return found.has_value(); }, "Close() syncs", is("")));
  }
  {
    auto fs = make();
    KV_RETURN_IF_ERROR(fs.CreateDirectories("/d"));
    auto file = fs.Create(path);
    KV_RETURN_IF_ERROR(file.status());
    KV_RETURN_IF_ERROR(file->Append("bytes"));
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(
        Judge(fs, path, "", Anything, "Append() or SyncDirectory() syncs the bytes", is("")));
    KV_RETURN_IF_ERROR(file->Sync());
    KV_RETURN_IF_ERROR(Judge(fs, path, "Sync() lost synced bytes", is("bytes"), "", Anything));
    KV_RETURN_IF_ERROR(file->Append(" and more"));
    KV_RETURN_IF_ERROR(Judge(
        fs, path, "bytes after a Sync() harmed those before it",
        [](const Found& found) { return found.has_value() && found->starts_with("bytes"); },
        "Append() after a Sync() is durable", is("bytes")));
  }
  {
    auto fs = make();
    KV_RETURN_IF_ERROR(fs.CreateDirectories("/d"));
    auto file = fs.Create(path);
    KV_RETURN_IF_ERROR(file.status());
    KV_RETURN_IF_ERROR(file->Append("bytes"));
    KV_RETURN_IF_ERROR(file->Sync());
    KV_RETURN_IF_ERROR(
        Judge(fs, path, "", Anything, "Sync() of a file makes its name durable", is_absent));
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(
        Judge(fs, path, "SyncDirectory() after Sync() lost the file", is("bytes"), "", Anything));
    KV_RETURN_IF_ERROR(fs.Rename(path, other));
    KV_RETURN_IF_ERROR(Judge(
        fs, other, "Rename() harmed the bytes of the file",
        [](const Found& found) { return !found.has_value() || found == "bytes"; },
        "Rename() is durable", is_absent));
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(
        Judge(fs, other, "SyncDirectory() lost a Rename()", is("bytes"), "", Anything));
    KV_RETURN_IF_ERROR(Judge(fs, path, "SyncDirectory() left the old name of a Rename()", is_absent,
                             "", Anything));
    KV_RETURN_IF_ERROR(fs.Remove(other));
    KV_RETURN_IF_ERROR(Judge(fs, other, "", Anything, "Remove() is durable", is("bytes")));
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(
        Judge(fs, other, "SyncDirectory() lost a Remove()", is_absent, "", Anything));
  }
  {
    auto fs = make();
    KV_RETURN_IF_ERROR(fs.CreateDirectories("/d"));
    KV_RETURN_IF_ERROR(fs.CreateDirectories("/e"));
    const std::string link = "/e/f";
    auto file = fs.Create(path);
    KV_RETURN_IF_ERROR(file.status());
    KV_RETURN_IF_ERROR(file->Append("bytes"));
    KV_RETURN_IF_ERROR(file->Sync());
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(fs.Link(path, link));
    const auto absent_or_whole = [](const Found& found) {
      return !found.has_value() || found == "bytes";
    };
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(Judge(fs, link, "Link() harmed the bytes of the file", absent_or_whole,
                             "Link() is durable", is_absent));
    KV_RETURN_IF_ERROR(
        Judge(fs, path, "Link() lost the first name of the file", is("bytes"), "", Anything));
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/e"));
    KV_RETURN_IF_ERROR(Judge(fs, link, "SyncDirectory() lost a Link()", is("bytes"), "", Anything));
    KV_RETURN_IF_ERROR(file->Append(" and more"));
    KV_RETURN_IF_ERROR(
        Judge(fs, link, "", Anything, "SyncDirectory() of a Link() syncs the bytes", is("bytes")));
    KV_RETURN_IF_ERROR(file->Sync());
    KV_RETURN_IF_ERROR(fs.Remove(path));
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(Judge(fs, link, "Remove() of one name of a file harmed the other",
                             is("bytes and more"), "", Anything));
  }
  {
    auto fs = make();
    KV_RETURN_IF_ERROR(fs.CreateDirectories("/d"));
    constexpr size_t kSectors = 4;
    constexpr size_t kSector = 512;
    auto file = fs.Create(path);
    KV_RETURN_IF_ERROR(file.status());
    KV_RETURN_IF_ERROR(file->Append(std::string(kSectors * kSector, 'o')));
    KV_RETURN_IF_ERROR(file->Sync());
    KV_RETURN_IF_ERROR(fs.SyncDirectory("/d"));
    KV_RETURN_IF_ERROR(file->WriteAt(0, std::string(kSectors * kSector, 'n')));
    const auto whole_sectors = [](const Found& found) {
      if (!found.has_value() || found->size() != kSectors * kSector) return false;
      for (size_t i = 0; i < kSectors; ++i) {
        const char byte = (*found)[i * kSector];
        if ((byte != 'o' && byte != 'n') ||
            found->substr(i * kSector, kSector) != std::string(kSector, byte)) {
          return false;
        }
      }
      return true;
    };
    KV_RETURN_IF_ERROR(
        Judge(fs, path, "WriteAt() over synced bytes left a sector that is neither old nor new",
              whole_sectors, "WriteAt() is never torn", [](const Found& found) {
                return found.has_value() && found->find('o') != std::string::npos &&
                       found->find('n') != std::string::npos;
              }));
  }
  {
    auto fs = make();
    KV_RETURN_IF_ERROR(fs.CreateDirectories("/d"));
    KV_RETURN_IF_ERROR(WriteWholeFile(fs, path, "bytes"));
    auto killed = fs.Crash(0, CrashMode::kKeepAll);
    if (!is("bytes")(conformance_internal::Find(killed, path))) {
      return absl::DataLossError("a kill of the process lost written bytes");
    }
    KV_RETURN_IF_ERROR(
        Judge(killed, path, "", Anything, "a kill of the process makes bytes durable", is_absent));
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_IO_CRASH_CONFORMANCE_H_
