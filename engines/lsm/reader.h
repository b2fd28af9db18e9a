// Reading from an LSM store: of one key, of many keys at once, and in order.
//
// A point read goes through the active memtable, the immutable ones, the tables of level 0 from the
// newest on, and one table of each deeper level (table_search.h). The first version found at or
// before the reader's sequence number is the answer, be it a value, a tombstone, expired, or hidden
// by a range tombstone.
//
// Many keys at once are read in groups of kGroup, in steps: for all of a group the filter lines are
// sent for, then the block's directory of each, then the entry. So the waits for memory of a group
// overlap, and it takes about as long as the slowest of them.
//
// Thread safety: any thread. The store must outlive the reader and its cursors.
#ifndef ENGINES_LSM_READER_H_
#define ENGINES_LSM_READER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engines/lsm/counters.h"
#include "engines/lsm/held_view.h"
#include "engines/lsm/range_watch.h"
#include "engines/lsm/store.h"
#include "engines/lsm/table_search.h"
#include "engines/lsm/tree_values.h"
#include "kv/base/status.h"
#include "kv/contract/engine.h"
#include "kv/contract/options.h"
#include "kv/contract/record.h"
#include "kv/contract/visible_cursor.h"

namespace kv {

template <typename Parts, typename Environment>
class LsmReader {
 public:
  using StoreType = Store<Parts, Environment>;
  using View = typename StoreType::View;
  using Expiry = typename Parts::Expiry;
  using Values = TreeValues<Parts, typename StoreType::Files>;
  using Held = HeldView<View, Values, Parts::Values::kSeparates>;
  using Cursor = VisibleCursor<typename StoreType::Records, Expiry, Held, RangeWatch>;

  explicit LsmReader(StoreType& store) : store_(store) {}

  // Calls use(const Record&) with the version of `key` that a reader sees, at the snapshot's
  // sequence number `at` or at the newest one; kNotFound when it sees none. The record's bytes live
  // during the call.
  template <typename Use>
  absl::Status Get(std::string_view key, std::optional<Sequence> at, Use&& use) {
    const auto guard = store_.Enter();
    // The view first, then the sequence number (Store::Visible).
    const View& view = store_.Current();
    return GetAt(view, key, at ? *at : store_.Visible(), use);
  }

  // values[i] and statuses[i] answer keys[i], all as of one state.
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    const auto guard = store_.Enter();
    const View& view = store_.Current();
    const Sequence at = store_.Visible();
    for (size_t i = 0; i < keys.size(); i += kGroup) {
      const size_t size = std::min(kGroup, keys.size() - i);
      GetGroup(view, at, keys.subspan(i, size), values.subspan(i, size), statuses.subspan(i, size));
    }
  }

  // How many keys within the bounds are visible now.
  //
  // Most prefixes have nothing in a store, or all that they have is in one memtable: an absent one
  // costs a search, and neither needs a merge. An unordered memtable's cursor would sort it first.
  absl::StatusOr<uint64_t> Count(const CursorBounds& bounds) {
    if constexpr (Parts::Memtable::kOrdered) {
      if (const auto count = CountInMemory(bounds)) return *count;
    }
    uint64_t count = 0;
    Cursor cursor = NewCursor(bounds, std::nullopt, CursorShows::kKeys);
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++count;
    KV_RETURN_IF_ERROR(cursor.status());
    return count;
  }

  // What is visible now, or to the snapshot of the sequence number `at`.
  // For one that shows keys only, value() is anything.
  Cursor NewCursor(const CursorBounds& bounds, std::optional<Sequence> at,
                   CursorShows shows = CursorShows::kValues) {
    std::shared_ptr<const View> view = store_.Share();
    const Sequence sequence = at ? *at : store_.Visible();
    typename StoreType::Records records;
    records.Add(typename Parts::Memtable::Cursor(&view->active->table));
    for (const auto& memory : view->immutable) {
      records.Add(typename Parts::Memtable::Cursor(&memory->table));
    }
    AddTables(view->version->levels, bounds, &records);
    RangeWatch watch = Watch(*view, sequence);
    const uint64_t now = Expiry::kEnabled ? store_.environment().clock.UnixMillis() : 0;
    return Cursor(std::move(records), std::move(watch), bounds, sequence, now,
                  Held(std::move(view), shows));
  }

 private:
  using Search = TableSearch<Parts, typename StoreType::Files>;
  static constexpr size_t kGroup = 16;

  template <typename Use>
  absl::Status GetAt(const View& view, std::string_view key, Sequence at, Use&& use) {
    KV_RETURN_IF_ERROR(CheckSizes(key));
    store_.counters().Add(LsmCounter::kReads);
    Record record;
    if (InMemory(view, key, at, &record)) return Answer(view, record, at, use);
    Search search(key, at);
    return RunSearch(view, at, search, use);
  }

  void GetGroup(const View& view, Sequence at, std::span<const std::string_view> keys,
                std::span<std::string> values, std::span<absl::Status> statuses) {
    store_.counters().Add(LsmCounter::kReads, keys.size());
    const auto assign_to = [&values](size_t i) {
      return [value = &values[i]](const Record& record) { value->assign(record.value); };
    };
    std::array<std::optional<Search>, kGroup> searches;
    for (size_t i = 0; i < keys.size(); ++i) {
      statuses[i] = CheckSizes(keys[i]);
      if (!statuses[i].ok()) continue;
      Record record;
      if (InMemory(view, keys[i], at, &record)) {
        statuses[i] = Answer(view, record, at, assign_to(i));
      } else {
        searches[i].emplace(keys[i], at).Prepare(*view.version);
      }
    }
    for (auto& search : searches) {
      if (search) search->Aim(*view.version);
    }
    for (auto& search : searches) {
      if (search) search->Approach();
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      if (searches[i]) statuses[i] = RunSearch(view, at, *searches[i], assign_to(i));
    }
  }

  bool InMemory(const View& view, std::string_view key, Sequence at, Record* record) const {
    if (view.active->table.Get(key, at, record)) return true;
    for (const auto& memory : view.immutable) {
      if (memory->table.Get(key, at, record)) return true;
    }
    return false;
  }

  template <typename Use>
  absl::Status RunSearch(const View& view, Sequence at, Search& search, Use&& use) {
    search.Run(*view.version);
    search.CountIn(store_.counters());
    if (search.answer() == TableAnswer::kFound) return Answer(view, search.record(), at, use);
    return search.answer() == TableAnswer::kError ? search.status() : NotFound();
  }

  template <typename Use>
  absl::Status Answer(const View& view, const Record& record, Sequence at, Use&& use) {
    if (record.kind == RecordKind::kTombstone) return NotFound();
    if (view.Hidden(record.key, record.sequence, at)) return NotFound();
    if (record.expires_at != kNeverExpires &&
        Expiry::Expired(record.expires_at, store_.environment().clock.UnixMillis())) {
      return NotFound();
    }
    if constexpr (Parts::Values::kSeparates) {
      if (record.kind == RecordKind::kSeparated) return AnswerSeparated(view, record, use);
    }
    store_.counters().Add(LsmCounter::kReadHits);
    use(record);
    return absl::OkStatus();
  }

  template <typename Use>
  absl::Status AnswerSeparated(const View& view, Record record, Use&& use) {
    thread_local typename Values::Room room;
    KV_RETURN_IF_ERROR(view.version->values->Read(record, &room, &record.value));
    record.kind = RecordKind::kValue;
    store_.counters().Add(LsmCounter::kReadHits);
    use(record);
    return absl::OkStatus();
  }

  template <typename Levels>
  static void AddTables(const Levels& levels, const CursorBounds& bounds,
                        typename StoreType::Records* records) {
    for (size_t level = 0; level < levels.size(); ++level) {
      const std::span files(levels[level]);
      if (level > 0) {
        const auto within = Within(files, bounds);
        if (!within.empty()) records->Add(typename StoreType::RunCursor(within));
        continue;
      }
      for (size_t i = 0; i < files.size(); ++i) {
        if (!MayHold(files[i]->Meta(), bounds)) continue;
        records->Add(typename StoreType::RunCursor(files.subspan(i, 1)));
      }
    }
  }

  static bool MayHold(const TableMeta& meta, const CursorBounds& bounds) {
    return meta.largest >= bounds.lower && IsBefore(meta.smallest, bounds.upper);
  }

  // Of a level whose files are in key order, those that may hold keys within the bounds.
  template <typename FileSpan>
  static FileSpan Within(FileSpan files, const CursorBounds& bounds) {
    const auto begin = std::ranges::partition_point(
        files, [&](const auto& file) { return file->Meta().largest < bounds.lower; });
    const auto end = std::partition_point(begin, files.end(), [&](const auto& file) {
      return IsBefore(file->Meta().smallest, bounds.upper);
    });
    return {begin, end};
  }

  // Over the range tombstones that a reader at `at` sees; those that come later are newer.
  // No table has a key within the bounds.
  template <typename Levels>
  static bool NoTableWithin(const Levels& levels, const CursorBounds& bounds) {
    for (size_t level = 0; level < levels.size(); ++level) {
      const std::span files(levels[level]);
      const bool nothing = level > 0 ? Within(files, bounds).empty()
                                     : std::ranges::none_of(files, [&bounds](const auto& file) {
                                         return MayHold(file->Meta(), bounds);
                                       });
      if (!nothing) return false;
    }
    return true;
  }

  // Null when not one memtable alone may have records within the bounds: only a merge can tell.
  std::optional<uint64_t> CountInMemory(const CursorBounds& bounds) {
    using MemtableCursor = typename Parts::Memtable::Cursor;
    std::shared_ptr<const View> held;
    std::optional<MemtableCursor> only;
    Sequence at = 0;
    {
      const auto guard = store_.Enter();
      const View& view = store_.Current();
      at = store_.Visible();
      const auto adds_none_or_is_only = [&](const auto& memory) {
        MemtableCursor cursor(&memory->table);
        cursor.Seek(bounds.lower, kMaxSequence);
        if (!cursor.Valid() || !IsBefore(cursor.record().key, bounds.upper)) return true;
        if (only) return false;
        only.emplace(std::move(cursor));
        return true;
      };
      if (!NoTableWithin(view.version->levels, bounds) || !adds_none_or_is_only(view.active) ||
          !std::ranges::all_of(view.immutable, adds_none_or_is_only)) {
        return std::nullopt;
      }
      if (!only) return 0;
      held = view.shared_from_this();
    }
    const uint64_t now = Expiry::kEnabled ? store_.environment().clock.UnixMillis() : 0;
    return CountVisible<Expiry>(*only, bounds.upper, at, now, Watch(*held, at));
  }

  static RangeWatch Watch(const View& view, Sequence at) {
    RangeWatch watch(at);
    const auto add = [&watch](const RangeIndex& index) { watch.Add(&index); };
    view.active->ranges.ForEachIndex(add);
    for (const auto& memory : view.immutable) memory->ranges.ForEachIndex(add);
    add(view.version->ranges->index());
    return watch;
  }

  StoreType& store_;
};

}  // namespace kv

#endif  // ENGINES_LSM_READER_H_
