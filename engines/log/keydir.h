// Where each key's newest record is: the index, and the segments that its locations point into.
// (Bitcask's name for it.)
//
// Publishing a write points the index at it. Dead bytes are counted in the segment whose record the
// index ceases to point to.
//
// Thread safety: reading from any thread in the gate; the rest as noted.
#ifndef ENGINES_LOG_KEYDIR_H_
#define ENGINES_LOG_KEYDIR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/log/counters.h"
#include "engines/log/hint.h"
#include "engines/log/index.h"
#include "engines/log/location.h"
#include "engines/log/record_format.h"
#include "engines/log/segment.h"
#include "kv/base/read_gate.h"
#include "kv/base/status.h"
#include "kv/contract/engine.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Files>
class Keydir {
 public:
  using SegmentType = Segment<Files>;

  explicit Keydir(LogCounters& counters) : counters_(counters), index_(gate_) {}
  Keydir(const Keydir&) = delete;
  Keydir& operator=(const Keydir&) = delete;

  // --- Reading ----------------------------------------------------------------------------------

  ReadGate::Guard Enter() { return gate_.Enter(); }

  // The record at a location of the index, checked. In the gate.
  absl::Status ReadAt(Location at, LogEntry* entry) const {
    return directory_.At(at.place())->Read(at.offset(), entry);
  }

  // Starts bringing the record's first lines into the cache. `at` may be anything. In the gate.
  void PrefetchRecord(Location at) const {
    const SegmentType* const segment = at ? directory_.At(at.place()) : nullptr;
    if (segment == nullptr) return;
    const char* const record = segment->Bytes().data() + at.offset();
    for (size_t line = 0; line < kPrefetchBytes; line += 64) __builtin_prefetch(record + line);
  }

  // The key's newest record, which is never a tombstone; kNotFound if there is none,
  // kInvalidArgument for a key that is too long to be one. In the gate.
  absl::Status Find(std::string_view key, uint64_t hash, LogEntry* entry) const {
    KV_RETURN_IF_ERROR(CheckSizes(key));
    absl::Status damage;
    const Location at = index_.Find(hash, [&](Location candidate) {
      PrefetchRecord(candidate);  // its header says how long it is, and would be waited for first
      absl::Status status = ReadAt(candidate, entry);
      if (status.ok()) [[likely]] {
        return entry->record.key == key;
      }
      // Whose record it was cannot be known. The key's own may still be found.
      damage = std::move(status);
      return false;
    });
    if (at) [[likely]] {
      return absl::OkStatus();
    }
    return damage.ok() ? NotFound() : damage;
  }

  // --- Publishing: one thread at a time ----------------------------------------------------------

  // Points the index at the `count` records of `segment` from `offset` on, all at once. Returns the
  // offset behind them.
  uint64_t Publish(const SegmentType& segment, uint64_t offset, uint64_t count) {
    index_.Reclaim();
    const auto guard = Enter();
    LogEntry entry;
    if (count == 1) [[likely]] {
      entry.Parse(segment.Bytes(), offset);
      const uint64_t hash = LogKeyHash(entry.record.key);
      Replaced old{*this, entry.record.key};
      const Location at(segment.place, offset);
      old.Count(entry.record.kind == RecordKind::kTombstone ? index_.Erase(hash, old)
                                                            : index_.Put(hash, at, old));
      Published(entry);
      return offset + entry.bytes;
    }
    const std::string_view bytes = segment.Bytes();
    std::vector<uint64_t> hashes;
    hashes.reserve(count);
    const auto for_each = [&](auto&& visit) {
      uint64_t at = offset;
      for (uint64_t i = 0; i < count; ++i, at += entry.bytes) {
        entry.Parse(bytes, at);
        visit(i, Location(segment.place, at));
      }
      return at;
    };
    for_each([&](uint64_t, Location) { hashes.push_back(LogKeyHash(entry.record.key)); });
    index_.Batch(
        hashes,
        [&] {  // so that readers do not wait for what has to be brought into memory
          for_each([&](uint64_t i, Location) {
            Replaced old{*this, entry.record.key};
            index_.FindInBatch(hashes[i], old);
          });
        },
        [&] {
          for_each([&](uint64_t i, Location at) {
            Replaced old{*this, entry.record.key};
            old.Count(entry.record.kind == RecordKind::kTombstone
                          ? index_.EraseInBatch(hashes[i], old)
                          : index_.PutInBatch(hashes[i], at, old));
          });
        });
    return for_each([&](uint64_t, Location) { Published(entry); });
  }

  // Replays one record of a segment at open, where its hint is trusted for the hash: a record that
  // is damaged takes the place of what it replaced all the same, so that reads find the damage and
  // not the older record.
  void Replay(SegmentType& segment, const HintEntry& hint) {
    const Location at(segment.place, hint.offset);
    uint64_t old_bytes = 0;
    // Records are read only where the index has one that may be the same key's.
    const auto same = [&](Location candidate) {
      LogEntry old;
      const std::string_view there = directory_.At(candidate.place())->Bytes();
      if (!old.Parse(there, candidate.offset()) || LogKeyHash(old.record.key) != hint.hash) {
        return false;
      }
      old_bytes = old.bytes;
      LogEntry entry;
      return !entry.Parse(segment.Bytes(), hint.offset) || entry.record.key == old.record.key ||
             !entry.Intact(segment.Bytes(), hint.offset, segment.number());
    };
    const Location old =
        hint.tombstone ? index_.Erase(hint.hash, same) : index_.Put(hint.hash, at, same);
    if (old) directory_.At(old.place())->AddDead(old_bytes);
  }

  // --- Segments ---------------------------------------------------------------------------------

  // Gives `segment` a place, so that locations can point into it.
  absl::Status Add(SegmentType* segment) { return directory_.Add(segment); }

  // Takes segments out that the index does not point to. Outside the gate.
  void Forget(const std::vector<std::shared_ptr<SegmentType>>& segments) {
    gate_.Synchronize();  // with those who have found a location in them
    for (const auto& segment : segments) directory_.Remove(segment->place);
    gate_.Synchronize();  // with those who have found the segment by an unvalidated location
    for (const auto& segment : segments) directory_.Release(segment->place);
  }

  // Waits until everyone has left the gate who is in it.
  void Synchronize() { gate_.Synchronize(); }

  LogIndex& index() { return index_; }

 private:
  // What a small record takes.
  static constexpr size_t kPrefetchBytes = 192;

  // Whether a record is the one that a write of `key` replaces.
  struct Replaced {
    Keydir& keydir;
    std::string_view key;
    uint64_t bytes = 0;

    // The checksum is not looked at: a record whose key is damaged is taken for another key's, and
    // reads of either find the damage.
    bool operator()(Location at) {
      LogEntry entry;
      const SegmentType* const segment = keydir.directory_.At(at.place());
      if (!entry.Parse(segment->Bytes(), at.offset()) || entry.record.key != key) return false;
      bytes = entry.bytes;
      return true;
    }
    void Count(Location at) const {
      if (at) keydir.directory_.At(at.place())->AddDead(bytes);
    }
  };

  void Published(const LogEntry& entry) {
    counters_.Add(LogCounter::kWrites);
    counters_.Add(LogCounter::kUserBytesWritten,
                  entry.record.key.size() + entry.record.value.size());
  }

  LogCounters& counters_;
  ReadGate gate_;
  LogIndex index_;
  SegmentDirectory<SegmentType> directory_;
};

}  // namespace kv

#endif  // ENGINES_LOG_KEYDIR_H_
