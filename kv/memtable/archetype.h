// MemtableArchetype: the least that models Memtable, and the trivially right one. For tests: the
// conformance suite runs on it first, and engines compile with it, so they need no more than the
// concept says.
//
// A std::map under a std::shared_mutex. Records are views into heap strings that live as long as
// the map. Its cursor finds its place again at each move, so it holds nothing between moves.
//
// Thread safety: as the concept says, but reads do take a lock.
// Not for: anything but tests; it is slow in every way.
#ifndef KV_MEMTABLE_ARCHETYPE_H_
#define KV_MEMTABLE_ARCHETYPE_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "kv/contract/record.h"
#include "kv/memtable/concept.h"

namespace kv {

class MemtableArchetype {
 public:
  static constexpr std::string_view kName = "archetype";
  static constexpr bool kConcurrentInsert = true;
  static constexpr bool kOrdered = true;

  class Cursor;

  MemtableArchetype() = default;
  MemtableArchetype(const MemtableArchetype&) = delete;
  MemtableArchetype& operator=(const MemtableArchetype&) = delete;

  void Insert(const Record& record) {
    const std::unique_lock lock(mutex_);
    map_.emplace(Place{std::string(record.key), record.sequence},
                 Content{std::string(record.value), record.expires_at, record.kind});
    bytes_ += record.key.size() + record.value.size() + sizeof(Map::value_type);
  }

  bool Get(std::string_view key, Sequence at, Record* found) const {
    const std::shared_lock lock(mutex_);
    const auto place = map_.lower_bound(Place{std::string(key), at});
    if (place == map_.end() || place->first.key != key) return false;
    *found = View(*place);
    return true;
  }

  size_t MemoryBytes() const {
    const std::shared_lock lock(mutex_);
    return bytes_;
  }
  size_t Entries() const {
    const std::shared_lock lock(mutex_);
    return map_.size();
  }

 private:
  struct Place {
    std::string key;
    Sequence sequence;

    friend bool operator<(const Place& a, const Place& b) {
      return CompareInternal(a.key, a.sequence, b.key, b.sequence) < 0;
    }
  };
  struct Content {
    std::string value;
    uint64_t expires_at;
    RecordKind kind;
  };
  using Map = std::map<Place, Content>;

  static Record View(const Map::value_type& item) {
    return {item.first.key, item.second.value, item.first.sequence, item.second.expires_at,
            item.second.kind};
  }

  mutable std::shared_mutex mutex_;
  Map map_;
  size_t bytes_ = 0;
};

class MemtableArchetype::Cursor {
 public:
  explicit Cursor(const MemtableArchetype* memtable) : memtable_(memtable) {}
  Cursor(Cursor&&) = default;

  bool Valid() const { return valid_; }
  const Record& record() const { return record_; }
  absl::Status status() const { return absl::OkStatus(); }

  void SeekToFirst() {
    const std::shared_lock lock(memtable_->mutex_);
    Arrive(memtable_->map_.begin());
  }
  void SeekToLast() {
    const std::shared_lock lock(memtable_->mutex_);
    ArriveBefore(memtable_->map_.end());
  }
  void Seek(std::string_view key, Sequence sequence) {
    const std::shared_lock lock(memtable_->mutex_);
    Arrive(memtable_->map_.lower_bound(Place{std::string(key), sequence}));
  }
  void Next() {
    const std::shared_lock lock(memtable_->mutex_);
    Arrive(std::next(memtable_->map_.find(Here())));
  }
  void Prev() {
    const std::shared_lock lock(memtable_->mutex_);
    ArriveBefore(memtable_->map_.find(Here()));
  }

 private:
  Place Here() const { return {std::string(record_.key), record_.sequence}; }

  void Arrive(Map::const_iterator place) {
    valid_ = place != memtable_->map_.end();
    if (valid_) record_ = View(*place);
  }
  void ArriveBefore(Map::const_iterator place) {
    valid_ = place != memtable_->map_.begin();
    if (valid_) record_ = View(*std::prev(place));
  }

  const MemtableArchetype* memtable_;
  bool valid_ = false;
  Record record_;
};

static_assert(Memtable<MemtableArchetype>);

}  // namespace kv

#endif  // KV_MEMTABLE_ARCHETYPE_H_
