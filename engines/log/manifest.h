// The manifest: which sealed segments make up the store, and in which order they were written.
//
//   manifest := magic:8 "ashlrsgs"  version:u32  count:u32  next_number:u64  last_sequence:u64
//               first_unsealed:u64  segment[count]  format  checksum:u64
//   segment  := number:u64  end:u64  cleaned:u64  kind:u64 (0 written, 1 merged)
//   format   := what the composition writes to disk, as text, to the end
//
//   next_number     above every file number used so far
//   last_sequence   the newest sequence number in the sealed segments
//   first_unsealed  the oldest segment that takes or took writes and is not sealed; 0 when the
//   store
//                   was closed and there is none. Its header is durable before it is named here
//   end             where the segment ends, in bytes
//   cleaned         the segment holds nothing but records that were current, or tombstones, at this
//                   sequence number or later: when a merge wrote it. 0 if that is not known
//   checksum        of everything before it
//
// A record in a later segment is newer. A merge puts its output in the place of its inputs, so the
// order of the list stays the order of the writes although file numbers do not ascend.
//
// The manifest is replaced as a whole: written beside, synced, renamed, directory synced. So after
// a crash, or a failure in the middle, the old one or the new one is in force; files that either of
// them names must be kept until the outcome is known.
//
// Thread safety: values and functions; nothing shared.
#ifndef ENGINES_LOG_MANIFEST_H_
#define ENGINES_LOG_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/log/file_names.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/io/file_system.h"

namespace kv {

struct SealedSegment {
  uint64_t number = 0;
  uint64_t end = 0;
  Sequence cleaned = 0;
  bool merged = false;

  friend bool operator==(const SealedSegment&, const SealedSegment&) = default;
};

struct SegmentManifest {
  static constexpr std::string_view kMagic = "ashlrsgs";
  static constexpr uint32_t kVersion = 1;

  std::string format;
  uint64_t next_number = 1;
  Sequence last_sequence = 0;
  uint64_t first_unsealed = 0;
  std::vector<SealedSegment> segments;  // oldest writes first

  friend bool operator==(const SegmentManifest&, const SegmentManifest&) = default;

  std::string Encode() const {
    std::string bytes(kMagic);
    AppendFixed32(&bytes, kVersion);
    AppendFixed32(&bytes, static_cast<uint32_t>(segments.size()));
    AppendFixed64(&bytes, next_number);
    AppendFixed64(&bytes, last_sequence);
    AppendFixed64(&bytes, first_unsealed);
    for (const SealedSegment& segment : segments) {
      AppendFixed64(&bytes, segment.number);
      AppendFixed64(&bytes, segment.end);
      AppendFixed64(&bytes, segment.cleaned);
      AppendFixed64(&bytes, segment.merged ? 1 : 0);
    }
    bytes.append(format);
    AppendFixed64(&bytes, Checksum(bytes, 0));
    return bytes;
  }

  static absl::StatusOr<SegmentManifest> Decode(std::string_view path, std::string_view bytes) {
    if (bytes.size() < kFixedBytes + 8 || !bytes.starts_with(kMagic)) {
      return Corruption(path, 0, "not a manifest");
    }
    const std::string_view body = bytes.substr(0, bytes.size() - 8);
    if (LoadFixed64(bytes.data() + body.size()) != Checksum(body, 0)) {
      return Corruption(path, 0, "the manifest does not match its checksum");
    }
    if (const uint32_t version = LoadFixed32(bytes.data() + 8); version > kVersion) {
      return absl::FailedPreconditionError(
          fmt::format("{}: manifest format version {} is newer than this program's {}", path,
                      version, kVersion));
    }
    const uint64_t count = LoadFixed32(bytes.data() + 12);
    if (count > (body.size() - kFixedBytes) / kSegmentBytes) {
      return Corruption(path, 12, fmt::format("no room for {} segments", count));
    }
    SegmentManifest manifest;
    manifest.next_number = LoadFixed64(bytes.data() + 16);
    manifest.last_sequence = LoadFixed64(bytes.data() + 24);
    manifest.first_unsealed = LoadFixed64(bytes.data() + 32);
    const char* at = bytes.data() + kFixedBytes;
    for (uint64_t i = 0; i < count; ++i, at += kSegmentBytes) {
      manifest.segments.push_back({.number = LoadFixed64(at),
                                   .end = LoadFixed64(at + 8),
                                   .cleaned = LoadFixed64(at + 16),
                                   .merged = LoadFixed64(at + 24) != 0});
    }
    manifest.format = body.substr(kFixedBytes + count * kSegmentBytes);
    return manifest;
  }

 private:
  static constexpr size_t kFixedBytes = 40;
  static constexpr size_t kSegmentBytes = 32;
};

// kNotFound when there is none.
template <FileSystem Files>
absl::StatusOr<SegmentManifest> ReadSegmentManifest(Files& files, const SegmentFileNames& names) {
  const std::string path = names.Manifest();
  if (!files.Exists(path)) return absl::NotFoundError(fmt::format("{} does not exist", path));
  KV_ASSIGN_OR_RETURN(const auto file, files.OpenForRead(path));
  std::string bytes(file.Size(), '\0');
  KV_RETURN_IF_ERROR(file.ReadAt(0, bytes.size(), bytes.data()));
  return SegmentManifest::Decode(path, bytes);
}

// Puts `bytes` in a new file at `path`, durable on return except for its name.
template <FileSystem Files>
absl::Status WriteWholeFile(Files& files, const std::string& path, std::string_view bytes) {
  KV_ASSIGN_OR_RETURN(auto file, files.Create(path));
  KV_RETURN_IF_ERROR(file.Append(bytes));
  KV_RETURN_IF_ERROR(file.Sync());
  return file.Close();
}

template <FileSystem Files>
absl::Status ReplaceSegmentManifest(Files& files, const SegmentFileNames& names,
                                    const SegmentManifest& manifest) {
  KV_RETURN_IF_ERROR(WriteWholeFile(files, names.TemporaryManifest(), manifest.Encode()));
  KV_RETURN_IF_ERROR(files.Rename(names.TemporaryManifest(), names.Manifest()));
  return files.SyncDirectory(names.Directory());
}

}  // namespace kv

#endif  // ENGINES_LOG_MANIFEST_H_
