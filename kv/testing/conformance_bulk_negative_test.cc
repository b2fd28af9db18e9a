// The checks of range deletes, bulk loads and checkpoints refuse engines that are wrong. Each
// engine here is a reference with one bug planted, as in conformance_negative_test.cc.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/list_source.h"
#include "kv/testing/wrapped_engine.h"

namespace kv::testing {
namespace {

// ---- DeleteRange ----

class RangeIncludesItsEnd : public Wrapped {
 public:
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    if (end.empty() || end <= begin) return inner_.DeleteRange(begin, end);
    return inner_.DeleteRange(begin, std::string(end) + '\0');
  }
};

// Takes an empty range for one without bounds.
class EmptyRangeIsEverything : public Wrapped {
 public:
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    return inner_.DeleteRange(begin, begin == end ? "" : end);
  }
};

class RangeOneByOne : public Wrapped {
 public:
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    KV_RETURN_IF_ERROR(CheckSizes(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    if (!end.empty() && end <= begin) return absl::OkStatus();
    const auto cursor =
        inner_.NewCursor({.lower = std::string(begin), .upper = std::string(end)}, nullptr);
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
      KV_RETURN_IF_ERROR(inner_.Delete(cursor->key()));
      std::this_thread::yield();
    }
    return cursor->status();
  }
};

// A range tombstone that wins over every put in its table, not only over older ones.
class RangeTakesLaterPuts : public Wrapped {
 public:
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    range_.emplace(begin, end);
    return inner_.DeleteRange(begin, end);
  }
  absl::Status Flush() override {
    for (const auto& [begin, end] : range_) KV_RETURN_IF_ERROR(inner_.DeleteRange(begin, end));
    range_.clear();
    return inner_.Flush();
  }

 private:
  std::map<std::string, std::string> range_;
};

// Deletes what is in memory; what was flushed before comes back.
class RangeMissesFlushedKeys : public Wrapped {
 public:
  using Wrapped::Put;
  absl::Status Flush() override {
    KV_ASSIGN_OR_RETURN(flushed_, Scan(*inner_.NewCursor()));
    return inner_.Flush();
  }
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    KV_RETURN_IF_ERROR(inner_.DeleteRange(begin, end));
    for (const auto& [key, value] : flushed_) {
      if (key >= begin && (end.empty() || key < end)) KV_RETURN_IF_ERROR(inner_.Put(key, value));
    }
    return absl::OkStatus();
  }

 private:
  Contents flushed_;
};

class SnapshotsSeeRangesGo : public Wrapped {
 public:
  std::unique_ptr<AnySnapshot> TakeSnapshot() override { return inner_.TakeSnapshot(); }
  absl::Status Get(std::string_view key, std::string* value, const AnySnapshot& snapshot) override {
    if (key >= begin_ && key < end_) return NotFound();
    return inner_.Get(key, value, snapshot);
  }
  using Wrapped::Get;
  absl::Status DeleteRange(std::string_view begin, std::string_view end) override {
    begin_ = begin;
    end_ = end;
    return inner_.DeleteRange(begin, end);
  }

 private:
  std::string begin_;
  std::string end_;
};

TEST(RangeConformanceTest, RefusesWrongBounds) {
  ExpectRefused(CompositionWith<RangeIncludesItsEnd>(),
                {"DeleteRangeKeepsItsBounds", "RandomRangesAgreeWithAMap"});
  ExpectRefused(CompositionWith<EmptyRangeIsEverything>(),
                {"DeleteRangeKeepsItsBounds", "DeleteRangeOfNothing"});
}

TEST(RangeConformanceTest, RefusesRangesInPieces) {
  ExpectRefused(CompositionWith<RangeOneByOne>(), {"DeleteRangeTakesEffectAtOnce"});
}

TEST(RangeConformanceTest, RefusesRangesThatReachTooFar) {
  ExpectRefused(CompositionWith<RangeTakesLaterPuts>(),
                {"PutsIntoADeletedRangeAreSeen", "ManyShortHistories"});
  ExpectRefused(CompositionWith<SnapshotsSeeRangesGo>(),
                {"SnapshotsOutliveADeletedRange", "ManyShortHistories"});
}

TEST(RangeConformanceTest, RefusesRangesThatMissKeys) {
  ExpectRefused(CompositionWith<RangeMissesFlushedKeys>(),
                {"DeletedRangeIsAbsentForEveryCall", "ManyShortHistories"});
}

// ---- BulkLoad ----

std::vector<ListSource::Entry> EntriesOf(AnySource& source) {
  std::vector<ListSource::Entry> entries;
  for (; source.Valid(); source.Next()) {
    entries.push_back(
        {std::string(source.key()), std::string(source.value()), source.expires_at()});
  }
  return entries;
}

class LoadsInAnyOrder : public Wrapped {
 public:
  absl::Status BulkLoad(AnySource& source) override {
    for (; source.Valid(); source.Next()) {
      KV_RETURN_IF_ERROR(
          inner_.Put(source.key(), source.value(), {.expires_at = source.expires_at()}));
    }
    return source.status();
  }
};

// Whatever comes, the last file of a load is there first.
class LoadsBackwards : public Wrapped {
 public:
  absl::Status BulkLoad(AnySource& source) override {
    std::vector<ListSource::Entry> entries = EntriesOf(source);
    for (size_t i = entries.size(); i > 0; --i) {
      const auto& [key, value, expires_at] = entries[i - 1];
      KV_RETURN_IF_ERROR(inner_.Put(key, value, {.expires_at = expires_at}));
      if (i % 8 == 0) std::this_thread::yield();
    }
    return source.status();
  }
};

// Loaded tables go below the memtable with the sequence numbers that they were made with.
class LoadsUnderWhatIsThere : public Wrapped {
 public:
  absl::Status BulkLoad(AnySource& source) override {
    for (const auto& [key, value, expires_at] : EntriesOf(source)) {
      KV_RETURN_IF_ERROR(
          inner_
              .CompareAndSet(key, std::nullopt, std::string_view(value), {.expires_at = expires_at})
              .status());
    }
    return source.status();
  }
};

class LoadsForgetExpiry : public Wrapped {
 public:
  absl::Status BulkLoad(AnySource& source) override {
    for (const auto& [key, value, expires_at] : EntriesOf(source)) {
      KV_RETURN_IF_ERROR(inner_.Put(key, value));
    }
    return source.status();
  }
};

class LoadsSwallowErrors : public Wrapped {
 public:
  absl::Status BulkLoad(AnySource& source) override {
    inner_.BulkLoad(source).IgnoreError();
    return absl::OkStatus();
  }
};

TEST(BulkConformanceTest, RefusesDisorder) {
  ExpectRefused(CompositionWith<LoadsInAnyOrder>(),
                {"BulkLoadRefusesDisorder", "AFailedBulkLoadLeavesAPrefix"});
  ExpectRefused(CompositionWith<LoadsSwallowErrors>(),
                {"BulkLoadRefusesDisorder", "AFailedBulkLoadLeavesAPrefix"});
}

TEST(BulkConformanceTest, RefusesLoadsThatAreNoPrefix) {
  ExpectRefused(CompositionWith<LoadsBackwards>(),
                {"BulkLoadBesideReadersAndWriters", "BulkLoadRefusesDisorder"});
}

TEST(BulkConformanceTest, RefusesLoadsThatAreOlderThanTheyAre) {
  ExpectRefused(CompositionWith<LoadsUnderWhatIsThere>(),
                {"BulkLoadGoesOverWhatIsThere", "ManyShortHistories"});
}

TEST(BulkConformanceTest, RefusesForgottenExpiry) {
  ExpectRefused(CompositionWith<LoadsForgetExpiry>(),
                {"BulkLoadKeepsExpiry", "ManyShortHistories"});
  Composition silent = CompositionWith<LoadsForgetExpiry>();
  silent.has.expiry = false;
  ExpectRefused(silent, {"BulkLoadRefusesExpiryWhereItIsMissing"});
}

// ---- Checkpoint and CompactRange ----

class WrappedStore : public Wrapped {
 public:
  WrappedStore(std::unique_ptr<AnyEngine> store, std::string directory)
      : Wrapped(std::move(store)), directory_(std::move(directory)) {}

 protected:
  // Makes `entries` a store in `directory`, whatever is there.
  static absl::Status Copy(std::vector<ListSource::Entry> entries, const std::string& directory) {
    const Composition sound = CompositionOf<ReferenceStore<>>("Sound");
    KV_ASSIGN_OR_RETURN(const auto copy, sound.open(Stage::SmallOptions(directory)));
    ListSource source(std::move(entries));
    KV_RETURN_IF_ERROR(copy->BulkLoad(source));
    return copy->Close();
  }
  static bool IsEmpty(const std::string& directory) {
    return !std::filesystem::exists(directory) || std::filesystem::is_empty(directory);
  }
  std::vector<ListSource::Entry> Entries() {
    const auto cursor = inner_.NewCursor();
    cursor->SeekToFirst();
    return EntriesOf(*cursor);
  }

  const std::string directory_;
};

class CopiesKeyByKey : public WrappedStore {
 public:
  using WrappedStore::WrappedStore;
  absl::Status Checkpoint(const std::string& directory) override {
    if (!IsEmpty(directory)) return absl::AlreadyExistsError(directory);
    std::vector<ListSource::Entry> entries = Entries();
    for (ListSource::Entry& entry : entries) {
      inner_.Get(entry.key, &entry.value).IgnoreError();
      // Until somebody has written in between, if anybody writes.
      const uint64_t before = inner_.Stats().writes;
      for (int i = 0; i < 10'000 && inner_.Stats().writes < before + 4; ++i) {
        std::this_thread::yield();
      }
    }
    return Copy(std::move(entries), directory);
  }
};

class CopiesOverWhatIsThere : public WrappedStore {
 public:
  using WrappedStore::WrappedStore;
  absl::Status Checkpoint(const std::string& directory) override {
    if (directory == directory_) return absl::OkStatus();
    std::filesystem::remove(directory + "/log");
    return Copy(Entries(), directory);
  }
};

class CopiesWhatIsFlushed : public WrappedStore {
 public:
  using WrappedStore::WrappedStore;
  absl::Status Flush() override {
    flushed_ = Entries();
    return inner_.Flush();
  }
  absl::Status Checkpoint(const std::string& directory) override {
    if (!IsEmpty(directory)) return absl::AlreadyExistsError(directory);
    return Copy(flushed_, directory);
  }

 private:
  std::vector<ListSource::Entry> flushed_;
};

class CopiesWithoutExpiry : public WrappedStore {
 public:
  using WrappedStore::WrappedStore;
  absl::Status Checkpoint(const std::string& directory) override {
    if (!IsEmpty(directory)) return absl::AlreadyExistsError(directory);
    std::vector<ListSource::Entry> entries = Entries();
    for (ListSource::Entry& entry : entries) entry.expires_at = kNeverExpires;
    return Copy(std::move(entries), directory);
  }
};

// A hard link to a file that goes on growing.
class LinksTheLiveLog : public WrappedStore {
 public:
  using WrappedStore::WrappedStore;
  absl::Status Checkpoint(const std::string& directory) override {
    if (!IsEmpty(directory)) return absl::AlreadyExistsError(directory);
    std::filesystem::create_directories(directory);
    std::filesystem::create_hard_link(directory_ + "/log", directory + "/log");
    return absl::OkStatus();
  }
};

class CompactRangeDropsItsFirstKey : public WrappedStore {
 public:
  using WrappedStore::WrappedStore;
  absl::Status CompactRange(std::string_view begin, std::string_view end) override {
    const auto cursor = inner_.NewCursor();
    cursor->Seek(begin);
    if (cursor->Valid()) KV_RETURN_IF_ERROR(inner_.Delete(cursor->key()));
    return inner_.CompactRange(begin, end);
  }
};

TEST(CheckpointConformanceTest, PassesTheSoundWrapper) {
  EXPECT_EQ(FailingChecks(StoreWith<WrappedStore>()), std::vector<std::string>());
}

TEST(CheckpointConformanceTest, RefusesCopiesOfNoMoment) {
  ExpectRefused(StoreWith<CopiesKeyByKey>(), {"CheckpointIsOneState"});
}

TEST(CheckpointConformanceTest, RefusesCopiesOverWhatIsThere) {
  ExpectRefused(StoreWith<CopiesOverWhatIsThere>(),
                {"CheckpointIsRefusedWhereSomethingIs", "CheckpointTakesAnEmptyDirectoryOnly"});
}

TEST(CheckpointConformanceTest, RefusesCopiesThatLackSomething) {
  ExpectRefused(StoreWith<CopiesWhatIsFlushed>(),
                {"CheckpointHoldsTheContents", "CheckpointIsOneState", "ManyShortHistories"});
  ExpectRefused(StoreWith<CopiesWithoutExpiry>(), {"CheckpointKeepsExpiry"});
}

TEST(CheckpointConformanceTest, RefusesCopiesThatShareWhatChanges) {
  ExpectRefused(StoreWith<LinksTheLiveLog>(), {"CheckpointsAreIndependent"});
}

TEST(CheckpointConformanceTest, RefusesCompactRangeThatLosesKeys) {
  ExpectRefused(StoreWith<CompactRangeDropsItsFirstKey>(),
                {"CompactRangeKeepsContents", "ManyShortHistories"});
}

}  // namespace
}  // namespace kv::testing
