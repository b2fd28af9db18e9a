// Recovery: from the files in a directory to a store that takes writes.
//
//   1. The manifest names the sealed segments. Each is mapped and its hint is replayed into the
//      index, oldest writes first; where the hint is damaged or missing, the segment is read.
//   2. The segments after them, which were not sealed, are read in order of their numbers. Each
//      must go on where the one before it ended; where a synced one does not, writes were lost and
//      the store does not open. Segments that were never synced may have lost their ends to a power
//      failure: then reading stops there, so that what is left is a prefix.
//   3. Those are sealed, a new segment is begun, a manifest names it, and only then are files that
//      nothing names any more removed.
//
// Nothing is changed before steps 1 and 2 have succeeded, so a store that does not open is as it
// was, for repair or for a newer program.
//
// Thread safety: before any other thread knows the store.
#ifndef ENGINES_LOG_RECOVERY_H_
#define ENGINES_LOG_RECOVERY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/log/journal.h"
#include "engines/log/store.h"
#include "kv/contract/options.h"

namespace kv {

template <typename Parts, typename Environment>
class LogRecovery {
 public:
  using StoreType = LogStore<Environment>;
  using Files = typename StoreType::Files;
  using SegmentType = typename StoreType::SegmentType;
  using SegmentRef = typename StoreType::SegmentRef;
  using Journal = SegmentJournal<Parts, Environment>;

  struct Result {
    std::unique_ptr<StoreType> store;
    std::unique_ptr<Journal> journal;
  };

  // `format` describes what the composition writes to disk. The caller holds the directory's lock.
  static absl::StatusOr<Result> Run(const Options& options, const Environment& environment,
                                    std::string format, uint64_t segment_bytes) {
    LogRecovery recovery(options, environment, std::move(format));
    KV_RETURN_IF_ERROR(recovery.ReadDirectory());
    KV_RETURN_IF_ERROR(recovery.ReadState());
    KV_RETURN_IF_ERROR(recovery.OpenSealed());
    KV_RETURN_IF_ERROR(recovery.ReadUnsealed());
    return recovery.Begin(segment_bytes);
  }

 private:
  using Names = SegmentFileNames;

  LogRecovery(const Options& options, const Environment& environment, std::string format)
      : options_(options),
        store_(std::make_unique<StoreType>(environment, options.directory, std::move(format))),
        files_(store_->files()),
        names_(store_->names()) {}

  absl::Status ReadDirectory() {
    KV_ASSIGN_OR_RETURN(const std::vector<std::string> listed, files_.List(names_.Directory()));
    for (const std::string& name : listed) {
      const auto written = Names::Parse(name, Names::kWrittenSuffix);
      const auto merged = Names::Parse(name, Names::kMergedSuffix);
      const auto hint = Names::Parse(name, Names::kHintSuffix);
      if (written) written_.insert(*written);
      if (merged) merged_.insert(*merged);
      if (hint) hints_.insert(*hint);
      for (const auto& number : {written, merged, hint}) {
        if (number) next_number_ = std::max(next_number_, *number + 1);
      }
      if (!written && !merged && !hint && name != "LOCK" && name != "SEGMENTS" &&
          name != "SEGMENTS.tmp") {
        stranger_ = name;
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadState() {
    auto manifest = ReadSegmentManifest(files_, names_);
    if (absl::IsNotFound(manifest.status())) return CheckFresh();
    if (options_.error_if_exists) {
      return absl::AlreadyExistsError(fmt::format("{} holds a store", names_.Directory()));
    }
    if (!manifest.ok()) return std::move(manifest).status();
    manifest_ = *std::move(manifest);
    if (manifest_.format != store_->format()) {
      return absl::FailedPreconditionError(
          fmt::format("{} holds a store of another composition: {}; this program's writes {}",
                      names_.Directory(), manifest_.format, store_->format()));
    }
    next_number_ = std::max(next_number_, manifest_.next_number);
    return absl::OkStatus();
  }

  // No manifest: either there is no store here yet, or it has lost its head.
  absl::Status CheckFresh() {
    bool lost = !merged_.empty() || !hints_.empty();
    for (const uint64_t number : written_) {
      // A store that was cut off while it was being made has an empty segment and no manifest yet.
      KV_ASSIGN_OR_RETURN(const auto file, files_.OpenForRead(names_.Written(number)));
      KV_ASSIGN_OR_RETURN(const std::string_view bytes, file.Map());
      KV_ASSIGN_OR_RETURN(const UnsealedSegment found,
                          FindSegmentEnd(names_.Written(number), bytes, number));
      lost |= found.last != 0;
    }
    if (lost) {
      return Corruption(names_.Manifest(), 0,
                        "missing, although the directory holds the segments of a store");
    }
    if (!options_.create_if_missing) {
      return absl::NotFoundError(
          fmt::format("{} holds no store, and create_if_missing is off", names_.Directory()));
    }
    if (stranger_) {
      return absl::FailedPreconditionError(
          fmt::format("{} holds no store of this kind but other files ({}); use an empty or new "
                      "directory",
                      names_.Directory(), *stranger_));
    }
    fresh_ = true;
    return absl::OkStatus();
  }

  absl::Status Missing(const std::string& path) const {
    return Corruption(path, 0, fmt::format("missing, although {} names it", names_.Manifest()));
  }

  absl::Status OpenSealed() {
    last_ = manifest_.last_sequence;
    KV_ASSIGN_OR_RETURN(const uint64_t records, SealedRecords());
    store_->keydir().index().Reserve(records);
    for (const SealedSegment& sealed : manifest_.segments) {
      auto segment = std::make_shared<SegmentType>(files_, names_, sealed.number, sealed.merged);
      if (!files_.Exists(segment->path())) return Missing(segment->path());
      KV_RETURN_IF_ERROR(segment->Map());
      SegmentHeader header;
      if (!header.Decode(segment->Bytes()) || header.number != sealed.number) {
        return Corruption(segment->path(), 0,
                          "segment header does not match its checksum or number");
      }
      KV_RETURN_IF_ERROR(header.CheckVersion(segment->path()));
      if (sealed.end < kSegmentHeaderBytes || segment->Bytes().size() < sealed.end) {
        return Corruption(segment->path(), segment->Bytes().size(),
                          fmt::format("the file ends here, but its records end at {}", sealed.end));
      }
      segment->end = sealed.end;
      segment->cleaned = sealed.cleaned;
      KV_RETURN_IF_ERROR(store_->AddSealed(segment));
      const std::string hint_path = names_.Hint(sealed.number);
      if (files_.Exists(hint_path)) {
        KV_ASSIGN_OR_RETURN(const auto file, files_.OpenForRead(hint_path));
        KV_ASSIGN_OR_RETURN(const std::string_view bytes, file.Map());
        HintView hint;
        if (hint.Decode(bytes, sealed.number, sealed.end)) {
          Replay(*segment, hint);
          continue;
        }
      }
      KV_RETURN_IF_ERROR(ReplayRecords(*segment).status());
    }
    store_->keydir().index().Fit();
    return absl::OkStatus();
  }

  // How many there are at most, by the sizes of the hints: keys, if nothing is dead. What damaged
  // sizes say is limited by what segments have room for.
  absl::StatusOr<uint64_t> SealedRecords() {
    uint64_t records = 0;
    for (const SealedSegment& sealed : manifest_.segments) {
      const std::string path = names_.Hint(sealed.number);
      if (!files_.Exists(path)) continue;
      KV_ASSIGN_OR_RETURN(const auto file, files_.OpenForRead(path));
      records += std::min(file.Size() / kHintEntryBytes, sealed.end / kLogEntryHeaderBytes);
    }
    return records;
  }

  // Without a hint. Returns the one that there should be.
  absl::StatusOr<std::string> ReplayRecords(SegmentType& segment) {
    KV_ASSIGN_OR_RETURN(std::string bytes,
                        MakeHint(segment.path(), segment.Bytes(), segment.number(), segment.end));
    HintView hint;
    hint.Decode(bytes, segment.number(), segment.end);
    Replay(segment, hint);
    return bytes;
  }

  void Replay(SegmentType& segment, const HintView& hint) {
    segment.summary = SegmentSummary::Of(hint);
    constexpr size_t kAhead = 16;
    for (size_t i = 0; i < hint.Count(); ++i) {
      if (i + kAhead < hint.Count()) store_->keydir().index().Prefetch(hint.Entry(i + kAhead).hash);
      store_->keydir().Replay(segment, hint.Entry(i));
    }
    store_->keydir().index().Reclaim();
  }

  absl::Status ReadUnsealed() {
    if (fresh_ || manifest_.first_unsealed == 0) return absl::OkStatus();
    if (!written_.contains(manifest_.first_unsealed)) {
      return Missing(names_.Written(manifest_.first_unsealed));
    }
    std::optional<UnsealedSegment> previous;
    for (auto it = written_.find(manifest_.first_unsealed); it != written_.end(); ++it) {
      const uint64_t number = *it;
      auto segment = std::make_shared<SegmentType>(files_, names_, number, /*merged=*/false);
      KV_RETURN_IF_ERROR(segment->Map());
      KV_ASSIGN_OR_RETURN(const UnsealedSegment found,
                          FindSegmentEnd(segment->path(), segment->Bytes(), number));
      if (!found.started) {
        // A header is durable before anything names its segment. The manifest names the first one.
        if (!previous) return Corruption(segment->path(), 0, "segment header is missing");
        // This one was cut off while it was being started, and holds nothing. If that is not so,
        // the next one does not go on from the one before.
        continue;
      }
      // An open starts its segment before the manifest names it, and takes writes only then. So
      // without a record this is what an open that was cut off left.
      if (previous && found.header.previous_number == 0 && found.last == 0) continue;
      if (previous && (found.header.previous_number != previous->header.number ||
                       found.header.previous_end != previous->end)) {
        if (!previous->header.synced) break;
        return Corruption(
            names_.Written(previous->header.number), previous->end,
            fmt::format("the segment ends here, but {} goes on from offset {} of segment {}",
                        segment->path(), found.header.previous_end, found.header.previous_number));
      }
      previous = found;
      if (found.last == 0) continue;
      if (found.last <= last_) {
        return Corruption(segment->path(), kSegmentHeaderBytes,
                          fmt::format("sequence number {} follows {}", found.last, last_));
      }
      last_ = found.last;
      segment->end = found.end;
      KV_RETURN_IF_ERROR(store_->AddSealed(segment));
      KV_ASSIGN_OR_RETURN(std::string hint, ReplayRecords(*segment));
      to_seal_.emplace_back(segment, std::move(hint));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Result> Begin(uint64_t segment_bytes) {
    store_->SetNumbers(last_, next_number_);
    for (const auto& [segment, hint] : to_seal_) {
      const uint64_t number = segment->number();
      const std::string_view bytes = segment->Bytes().substr(0, segment->end);
      // What was read may be in the page cache only, and after a sync that failed another would say
      // OK without writing it. So it is written again, in place: the same bytes over the same.
      KV_ASSIGN_OR_RETURN(auto file, files_.OpenForOverwrite(names_.Written(number)));
      KV_RETURN_IF_ERROR(file.WriteAt(0, bytes));
      KV_RETURN_IF_ERROR(file.Sync());
      KV_RETURN_IF_ERROR(WriteWholeFile(files_, names_.Hint(number), hint));
    }
    KV_ASSIGN_OR_RETURN(SegmentRef active, Journal::Start(*store_, segment_bytes, nullptr));
    store_->Rotate(active);
    KV_RETURN_IF_ERROR(store_->WriteFirstManifest());
    RemoveUnreferenced(active->number());
    Result result;
    result.journal =
        std::make_unique<Journal>(*store_, std::move(active), segment_bytes, last_ + 1);
    result.store = std::move(store_);
    return result;
  }

  // Files that the manifest does not name: left by a crash, or made obsolete by recovery. What
  // cannot be removed now is found again by the next open.
  void RemoveUnreferenced(uint64_t active) {
    std::set<uint64_t> written = {active};
    std::set<uint64_t> merged;
    for (const SegmentRef& segment : store_->SealedSegments()) {
      (segment->merged() ? merged : written).insert(segment->number());
    }
    for (const uint64_t number : written_) {
      if (!written.contains(number)) files_.Remove(names_.Written(number)).IgnoreError();
    }
    for (const uint64_t number : merged_) {
      if (!merged.contains(number)) files_.Remove(names_.Merged(number)).IgnoreError();
    }
    for (const uint64_t number : hints_) {
      if (!written.contains(number) && !merged.contains(number)) {
        files_.Remove(names_.Hint(number)).IgnoreError();
      }
    }
  }

  const Options& options_;
  std::unique_ptr<StoreType> store_;
  Files& files_;
  const SegmentFileNames& names_;
  std::set<uint64_t> written_;  // numbers on disk
  std::set<uint64_t> merged_;
  std::set<uint64_t> hints_;
  std::optional<std::string> stranger_;  // a file that is none of ours
  bool fresh_ = false;
  uint64_t next_number_ = 1;
  SegmentManifest manifest_;
  Sequence last_ = 0;
  std::vector<std::pair<SegmentRef, std::string>> to_seal_;  // with their hints
};

}  // namespace kv

#endif  // ENGINES_LOG_RECOVERY_H_
