// The manifest: an append-only file of checksummed edits, and CURRENT, which names it.
//
//   manifest := magic:8 "ashlrmft"  version:u32  number:u64  checksum:u64  record*
//   record   := checksum:u64  size:u32  edit[size]
//   CURRENT  := name of the manifest, "\n", checksum of both as 16 hex digits, "\n"
//
// A checksum covers what follows it in its record, and is seeded with manifest number and offset.
//
// Invariants:
//   1. Every file an edit names is complete and synced, and so is its directory entry, before the
//      edit is written. The edit is synced before anything it makes obsolete is removed.
//   2. The first record of a manifest is a whole state. CURRENT is switched to a new manifest, by a
//      rename with a directory sync behind it, only when that record is durable.
//   3. After a failed write the manifest takes no more edits: its end is unknown. The next open
//      starts a new one.
//
// A torn last record is an edit that was never acknowledged, and is dropped. If it is in truth a
// damaged one, that is found out: the files it made obsolete are gone, so the state without it
// names files (tables, or the log) that do not exist, and recovery fails.
//
// Thread safety: one thread at a time.
#ifndef ENGINES_LSM_MANIFEST_H_
#define ENGINES_LSM_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engines/lsm/file_names.h"
#include "engines/lsm/manifest_edit.h"
#include "kv/base/hash.h"
#include "kv/io/file_system.h"

namespace kv {

inline constexpr std::string_view kManifestMagic = "ashlrmft";
inline constexpr uint32_t kManifestVersion = 2;
inline constexpr size_t kManifestHeaderBytes = 28;
inline constexpr size_t kManifestRecordHeaderBytes = 12;

inline uint64_t ManifestSeed(uint64_t number, uint64_t offset) {
  return (number * 0x9e3779b97f4a7c15) ^ offset;
}

template <FileSystem Files>
class Manifest {
 public:
  // Writes a new manifest that holds `state`, and makes it the current one.
  static absl::StatusOr<Manifest> Start(Files& files, const FileNames& names, uint64_t number,
                                        const ManifestState& state) {
    KV_ASSIGN_OR_RETURN(auto file, files.Create(names.Manifest(number)));
    Manifest manifest(std::move(file), number);
    std::string header(kManifestMagic);
    AppendFixed32(&header, kManifestVersion);
    AppendFixed64(&header, number);
    AppendFixed64(&header, Checksum(header, 0));
    KV_RETURN_IF_ERROR(manifest.file_.Append(header));
    manifest.offset_ = header.size();
    KV_RETURN_IF_ERROR(manifest.Append(state.AsEdit()));
    // The manifest's name must be durable before CURRENT says it.
    KV_RETURN_IF_ERROR(files.SyncDirectory(names.Directory()));
    KV_RETURN_IF_ERROR(SetCurrent(files, names, number));
    return manifest;
  }

  // Appends an edit; it is durable on return.
  absl::Status Append(const ManifestEdit& edit) {
    KV_RETURN_IF_ERROR(error_);
    const std::string bytes = edit.Encode();
    std::string record(8, '\0');
    AppendFixed32(&record, static_cast<uint32_t>(bytes.size()));
    record.append(bytes);
    StoreFixed64(record.data(),
                 Checksum(std::string_view(record).substr(8), ManifestSeed(number_, offset_)));
    absl::Status status = file_.Append(record);
    if (status.ok()) status = file_.Sync();
    offset_ += record.size();
    if (!status.ok()) error_ = status;
    return status;
  }

  uint64_t Bytes() const { return offset_; }

 private:
  Manifest(typename Files::WritableFile file, uint64_t number)
      : file_(std::move(file)), number_(number) {}

  static absl::Status SetCurrent(Files& files, const FileNames& names, uint64_t number) {
    std::string text = FileNames::ManifestName(number) + "\n";
    text += fmt::format("{:016x}\n", Checksum(text, 0));
    const std::string temporary = names.Current() + std::string(kTemporarySuffix);
    KV_ASSIGN_OR_RETURN(auto file, files.Create(temporary));
    KV_RETURN_IF_ERROR(file.Append(text));
    KV_RETURN_IF_ERROR(file.Sync());
    KV_RETURN_IF_ERROR(file.Close());
    KV_RETURN_IF_ERROR(files.Rename(temporary, names.Current()));
    return files.SyncDirectory(names.Directory());
  }

  typename Files::WritableFile file_;
  uint64_t number_;
  uint64_t offset_ = 0;
  absl::Status error_;  // sticky
};

// Whether an intact record begins behind `offset`. Looks at each byte: the size in a damaged record
// does not lead to the next.
inline bool ManifestRecordBehind(std::string_view manifest, uint64_t offset, uint64_t number) {
  while (++offset + kManifestRecordHeaderBytes <= manifest.size()) {
    const std::string_view rest = manifest.substr(offset);
    const uint64_t end = kManifestRecordHeaderBytes + LoadFixed32(rest.data() + 8);
    if (end <= rest.size() && LoadFixed64(rest.data()) ==
                                  Checksum(rest.substr(8, end - 8), ManifestSeed(number, offset))) {
      return true;
    }
  }
  return false;
}

struct RecoveredManifest {
  ManifestState state;
  std::string path;
  // Where an unreadable tail begins, if there is one.
  std::optional<uint64_t> dropped_tail;
};

// The manifest that CURRENT names.
template <FileSystem Files>
absl::StatusOr<std::string> ReadCurrent(Files& files, const FileNames& names) {
  const std::string path = names.Current();
  KV_ASSIGN_OR_RETURN(const auto file, files.OpenForRead(path));
  KV_ASSIGN_OR_RETURN(const std::string_view text, file.Map());
  const size_t line = text.find('\n');
  if (line == std::string_view::npos ||
      text.substr(line + 1) != fmt::format("{:016x}\n", Checksum(text.substr(0, line + 1), 0)) ||
      !FileNames::ParseManifest(text.substr(0, line))) {
    return Corruption(path, 0, "not the name of a manifest and its checksum");
  }
  return names.Path(text.substr(0, line));
}

// Reads the current manifest. Errors: kDataLoss with path and offset; kFailedPrecondition for a
// newer format.
template <FileSystem Files>
absl::StatusOr<RecoveredManifest> ReadManifest(Files& files, const FileNames& names) {
  RecoveredManifest recovered;
  KV_ASSIGN_OR_RETURN(recovered.path, ReadCurrent(files, names));
  const std::string& path = recovered.path;
  if (!files.Exists(path)) {
    return Corruption(path, 0, fmt::format("missing, although {} names it", names.Current()));
  }
  KV_ASSIGN_OR_RETURN(const auto file, files.OpenForRead(path));
  KV_ASSIGN_OR_RETURN(const std::string_view bytes, file.Map());
  if (bytes.size() < kManifestHeaderBytes || !bytes.starts_with(kManifestMagic) ||
      LoadFixed64(bytes.data() + 20) != Checksum(bytes.substr(0, 20), 0)) {
    return Corruption(path, 0, "manifest header does not match its checksum");
  }
  if (const uint32_t version = LoadFixed32(bytes.data() + 8); version != kManifestVersion) {
    return absl::FailedPreconditionError(
        fmt::format("{}: manifest format version {}; this program reads version {}", path, version,
                    kManifestVersion));
  }
  const uint64_t number = LoadFixed64(bytes.data() + 12);
  if (path != names.Manifest(number)) {
    return Corruption(path, 12, fmt::format("this is manifest {} under another's name", number));
  }
  uint64_t offset = kManifestHeaderBytes;
  while (offset < bytes.size()) {
    const std::string_view rest = bytes.substr(offset);
    const uint64_t size =
        rest.size() < kManifestRecordHeaderBytes ? rest.size() : LoadFixed32(rest.data() + 8);
    const uint64_t end = kManifestRecordHeaderBytes + size;
    if (end > rest.size() || LoadFixed64(rest.data()) !=
                                 Checksum(rest.substr(8, end - 8), ManifestSeed(number, offset))) {
      // Edits are synced one by one, so only the last can be torn; the first is a whole state, and
      // CURRENT was not switched before it was durable.
      if (offset == kManifestHeaderBytes || ManifestRecordBehind(bytes, offset, number)) {
        return Corruption(path, offset, "manifest record does not match its checksum");
      }
      recovered.dropped_tail = offset;
      break;
    }
    ManifestEdit edit;
    if (!edit.Decode(rest.substr(kManifestRecordHeaderBytes, size))) {
      return Corruption(path, offset, "manifest record is not an edit");
    }
    if (absl::Status status = recovered.state.Apply(edit); !status.ok()) {
      return Corruption(path, offset, std::string(status.message()));
    }
    offset += end;
  }
  if (offset == kManifestHeaderBytes) return Corruption(path, offset, "manifest has no records");
  return recovered;
}

}  // namespace kv

#endif  // ENGINES_LSM_MANIFEST_H_
