// The catalog: what a store consists of, as its manifest says it, and the way to change that.
//
// Thread safety: one thread at a time; the store's install mutex sees to it.
#ifndef ENGINES_LSM_CATALOG_H_
#define ENGINES_LSM_CATALOG_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "engines/lsm/file_names.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/manifest_edit.h"
#include "kv/base/status.h"

namespace kv {

template <typename Files>
class Catalog {
 public:
  // `state`: what the manifest on disk says. The first edit starts a new manifest.
  explicit Catalog(ManifestState state) : state_(std::move(state)) {}

  const ManifestState& state() const { return state_; }
  uint64_t ManifestBytes() const { return manifest_ ? manifest_->Bytes() : 0; }

  // Makes the edit durable. `new_number() -> uint64_t` gives a file number, should the edit take a
  // new manifest. After a failure the end of the manifest is unknown, with or without the edit:
  // both the old files and the new are to be kept, and the next edit starts a new manifest.
  template <typename NewNumber>
  absl::Status Write(Files& files, const FileNames& names, const ManifestEdit& edit,
                     NewNumber&& new_number) {
    ManifestState next = state_;
    KV_RETURN_IF_ERROR(next.Apply(edit));
    const bool append = manifest_ && manifest_->Bytes() <= kMaxManifestBytes;
    absl::Status status = append
                              ? manifest_->Append(edit)
                              : Replace(files, names, std::forward<NewNumber>(new_number)(), &next);
    if (!status.ok()) {
      manifest_.reset();
      return status;
    }
    state_ = std::move(next);
    return absl::OkStatus();
  }

  // Reads the manifest back and checks it.
  absl::Status Verify(Files& files, const FileNames& names) const {
    KV_ASSIGN_OR_RETURN(const RecoveredManifest read, ReadManifest(files, names));
    if (!read.dropped_tail || !manifest_) return absl::OkStatus();
    return Corruption(read.path, *read.dropped_tail, "unreadable edit");
  }

 private:
  static constexpr uint64_t kMaxManifestBytes = uint64_t{4} << 20;

  absl::Status Replace(Files& files, const FileNames& names, uint64_t number,
                       ManifestState* state) {
    state->next_file = number + 1;
    KV_ASSIGN_OR_RETURN(auto manifest, Manifest<Files>::Start(files, names, number, *state));
    if (number_ != 0) files.Remove(names.Manifest(number_)).IgnoreError();
    manifest_.emplace(std::move(manifest));
    number_ = number;
    return absl::OkStatus();
  }

  ManifestState state_;
  std::optional<Manifest<Files>> manifest_;  // none after a failure
  uint64_t number_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LSM_CATALOG_H_
