// Merging: rewrites sealed segments that stand side by side into one that takes their place.
//
// A record is kept if the index points at it and it has not expired. A tombstone hides older
// records of its key, so it is kept until no older segment can hold one: until each segment before
// it holds only what was current after the tombstone was written (SealedSegment::cleaned), or has
// no dead bytes at all. What has expired becomes a tombstone where it hides something, and nothing
// where it does not.
//
// Order of events: the output and its hint are durable; everything that the choice of records
// relied on is durable; the manifest names the output; the index is pointed from the inputs to the
// output, record by record, where it still points there; the inputs leave the directory, and their
// files go when nobody reads them. A failure before the manifest leaves no files; one of
// the manifest itself keeps both.
//
// Source of the rule for tombstones: seen from the other side in Bitcask's merge.
// Thread safety: jobs from many threads wait for one another (merge_mutex of the store).
#ifndef ENGINES_LOG_MERGE_JOB_H_
#define ENGINES_LOG_MERGE_JOB_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engines/log/merged_writer.h"
#include "engines/log/segment_format.h"
#include "engines/log/store.h"
#include "kv/base/status.h"
#include "kv/merge/concept.h"
#include "kv/merge/manual.h"

namespace kv {

template <typename Parts, typename Environment>
class MergeJob {
 public:
  using StoreType = LogStore<Environment>;
  using SegmentRef = typename StoreType::SegmentRef;
  using Expiry = typename Parts::Expiry;
  using Policy = typename Parts::Merge;

  // Whether segments that an earlier job has found damaged are shown as they are.
  enum class Damaged { kLeaveOut, kTakeIn };

  MergeJob(StoreType& store, uint64_t target_bytes) : store_(store), target_bytes_(target_bytes) {}

  // Merges until the policy is content. What has been found damaged is left out, so that it does
  // not keep the rest from being merged.
  absl::Status RunAll() {
    while (!store_.Stopping()) {
      KV_ASSIGN_OR_RETURN(const bool more, RunOnce(Damaged::kLeaveOut, [](const LogShape& shape) {
                            return Policy::Choose(shape);
                          }));
      if (!more) break;
    }
    return absl::OkStatus();
  }

  // Merges everything that was sealed before the call and has something dead in it.
  absl::Status RunManually() {
    const uint64_t before = store_.NewNumber();
    for (;;) {
      KV_ASSIGN_OR_RETURN(const bool more,
                          RunOnce(Damaged::kTakeIn, [before](const LogShape& shape) {
                            return ManualMerge(shape, before);
                          }));
      if (!more) return absl::OkStatus();
    }
  }

  // Does the one merge that choose(const LogShape&) asks for. False when it asks for none.
  template <typename Choose>
  absl::StatusOr<bool> RunOnce(Damaged damaged, Choose&& choose) {
    const std::lock_guard merge_lock(store_.merge_mutex());
    const Sequence visible = store_.Visible();
    const std::vector<SegmentRef> sealed = store_.SealedSegments();
    const std::vector<SegmentShape> shapes = Shapes(sealed, damaged);
    const LogShape shape{.segments = shapes, .target_bytes = target_bytes_};
    store_.SetDebt(Policy::WriteStallDebt(shape));
    const std::optional<MergeChoice> choice = choose(shape);
    if (!choice) return false;
    const std::span inputs = std::span(sealed).subspan(choice->first, choice->count);
    const Sequence hidden = NothingHiddenBelow(std::span(sealed).first(choice->first));

    MergedWriter<Environment> writer(store_);
    moves_.clear();
    uint64_t input_bytes = 0;
    for (const SegmentRef& input : inputs) {
      input_bytes += input->end;
      absl::Status status = Copy(*input, hidden, writer);
      if (absl::IsDataLoss(status)) input->MarkDamaged();
      KV_RETURN_IF_ERROR(status);
    }
    KV_ASSIGN_OR_RETURN(SegmentRef output, writer.Finish(visible));
    // A record may have been left out because of a newer one that a crash could still take back.
    if constexpr (!Parts::Commit::kDurableOnReturn) {
      if (absl::Status status = store_.MakeDurable(); !status.ok()) {
        if (output != nullptr) store_.Retire({output});
        return status;
      }
    }
    {
      const std::lock_guard move_lock(store_.move_mutex());
      absl::Status status = store_.InstallMerge(choice->first, choice->count, output);
      if (!status.ok()) return Abandon(output, std::move(status));
      PointTo(output.get());
    }
    store_.keydir().index().Reclaim();
    store_.Retire({inputs.begin(), inputs.end()});
    store_.counters().Add(LogCounter::kCompactions);
    store_.counters().Add(LogCounter::kCompactionBytesRead, input_bytes);
    store_.counters().Add(LogCounter::kCompactionBytesWritten, output ? output->end : 0);
    store_.counters().Add(LogCounter::kExpiredDropped, expired_);
    expired_ = 0;
    return true;
  }

 private:
  // A record that the index pointed at when it was copied. An offset of 0 is nowhere.
  struct Moved {
    uint64_t hash;
    Location from;
    uint64_t to;
    uint64_t bytes;
  };

  uint64_t Now() const { return Expiry::kEnabled ? store_.environment().clock.UnixMillis() : 0; }

  // Tombstones up to this sequence number hide nothing in these segments.
  static Sequence NothingHiddenBelow(std::span<const SegmentRef> older) {
    Sequence hidden = std::numeric_limits<Sequence>::max();
    for (const SegmentRef& segment : older) hidden = std::min(hidden, CleanSince(*segment));
    return hidden;
  }
  static Sequence CleanSince(const typename StoreType::SegmentType& segment) {
    return segment.Dead() == 0 ? std::numeric_limits<Sequence>::max() : segment.cleaned;
  }

  std::vector<SegmentShape> Shapes(const std::vector<SegmentRef>& sealed, Damaged damaged) const {
    std::vector<SegmentShape> shapes;
    const uint64_t now = Now();
    Sequence hidden = std::numeric_limits<Sequence>::max();
    for (const SegmentRef& segment : sealed) {
      const SegmentSummary& summary = segment->summary;
      uint64_t dead = segment->Dead();
      if (summary.newest_tombstone <= hidden) dead += summary.tombstone_bytes;
      if (summary.newest_expiry != kNeverExpires && Expiry::Expired(summary.newest_expiry, now)) {
        dead += summary.expiring_bytes;
      }
      uint64_t bytes = segment->end - kSegmentHeaderBytes;
      if (damaged == Damaged::kLeaveOut && segment->Damaged()) {
        bytes = std::max(bytes, target_bytes_ + 1);  // too large to be put together with another
        dead = 0;
      }
      shapes.push_back({.number = segment->number(),
                        .bytes = bytes,
                        .dead_bytes = std::min(dead, bytes),
                        .entries = summary.entries});
      hidden = std::min(hidden, CleanSince(*segment));
    }
    return shapes;
  }

  absl::Status Copy(const typename StoreType::SegmentType& input, Sequence hidden,
                    MergedWriter<Environment>& writer) {
    const uint64_t now = Now();
    return ScanSegment(input.path(), input.Bytes(), input.number(), input.end,
                       [&](const LogEntry& entry, uint64_t offset) -> absl::Status {
                         const Record& record = entry.record;
                         const bool hides = record.sequence > hidden;
                         const uint64_t hash = LogKeyHash(record.key);
                         if (record.kind == RecordKind::kTombstone) {
                           return hides ? writer.Add(record, hash) : absl::OkStatus();
                         }
                         const Location from(input.place, offset);
                         if (!store_.keydir().index().PointsAt(hash, from)) return absl::OkStatus();
                         const bool expired = record.expires_at != kNeverExpires &&
                                              Expiry::Expired(record.expires_at, now);
                         if (!expired) {
                           if (writer.End() + entry.bytes > kMaxSegmentBytes) {
                             return absl::ResourceExhaustedError("merged segment is too large");
                           }
                           KV_RETURN_IF_ERROR(writer.Add(record, hash));
                           moves_.push_back({hash, from, writer.End() - entry.bytes, entry.bytes});
                           return absl::OkStatus();
                         }
                         ++expired_;
                         moves_.push_back({hash, from, 0, 0});
                         if (!hides) return absl::OkStatus();
                         return writer.Add({.key = record.key,
                                            .value = {},
                                            .sequence = record.sequence,
                                            .expires_at = kNeverExpires,
                                            .kind = RecordKind::kTombstone},
                                           hash);
                       });
  }

  void PointTo(typename StoreType::SegmentType* output) {
    for (const Moved& moved : moves_) {
      const Location to = moved.to == 0 ? Location() : Location(output->place, moved.to);
      const bool current = store_.keydir().index().Move(moved.hash, moved.from, to);
      if (!current && moved.to != 0) output->AddDead(moved.bytes);
    }
  }

  // The manifest may name the output after all, so its files stay.
  absl::Status Abandon(const SegmentRef& output, absl::Status status) {
    if (output != nullptr) store_.keydir().Forget({output});
    return status;
  }

  StoreType& store_;
  const uint64_t target_bytes_;
  std::vector<Moved> moves_;
  uint64_t expired_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LOG_MERGE_JOB_H_
