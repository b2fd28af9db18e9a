// The suite has to refuse engines that are wrong. Each engine here is the reference with one bug
// planted, most of them bugs that real engines had; the checks named beside it must fail on it.
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_engine.h"
#include "kv/testing/reference_store.h"
#include "kv/testing/wrapped_engine.h"

namespace kv::testing {
namespace {

class Sound : public Wrapped {};

class ForgetsDeletesAfterFlush : public Wrapped {
 public:
  absl::Status Delete(std::string_view key) override {
    return flushed_ ? absl::OkStatus() : inner_.Delete(key);
  }
  absl::Status Flush() override {
    flushed_ = true;
    return inner_.Flush();
  }

 private:
  std::atomic<bool> flushed_ = false;
};

class PutsBeforeDeletesInABatch : public Wrapped {
 public:
  absl::Status Write(const WriteBatch& batch) override {
    WriteBatch puts;
    WriteBatch deletes;
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      if (record.kind == RecordKind::kTombstone) {
        deletes.Delete(record.key);
      } else {
        puts.Put(record.key, record.value, record.expires_at);
      }
    });
    puts.Append(deletes);
    return inner_.Write(puts);
  }
};

// CompareAndSet locks against itself and not against Put, Delete and Write.
class CasBesidePut : public Wrapped {
 public:
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options) override {
    std::lock_guard lock(mutex_);
    const auto found = Lookup(inner_, key);
    if (!found.ok()) return found.status();
    if (found->has_value() ? expected != **found : expected.has_value()) {
      return CasResult{.swapped = false, .current = *found};
    }
    std::this_thread::yield();
    KV_RETURN_IF_ERROR(desired ? inner_.Put(key, *desired, options) : inner_.Delete(key));
    return CasResult{.swapped = true, .current = std::nullopt};
  }

 private:
  std::mutex mutex_;
};

// CompareAndSet locks against nothing.
class CasUnlocked : public Wrapped {
 public:
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options) override {
    const auto found = Lookup(inner_, key);
    if (!found.ok()) return found.status();
    if (found->has_value() ? expected != **found : expected.has_value()) {
      return CasResult{.swapped = false, .current = *found};
    }
    std::this_thread::yield();
    KV_RETURN_IF_ERROR(desired ? inner_.Put(key, *desired, options) : inner_.Delete(key));
    return CasResult{.swapped = true, .current = std::nullopt};
  }
};

class CasForgetsTheCurrentValue : public Wrapped {
 public:
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options) override {
    auto result = inner_.CompareAndSet(key, expected, desired, options);
    if (result.ok()) result->current.reset();
    return result;
  }
};

// A search that finds an expired version goes on to older ones.
class ExpiredResurrectsOlder : public Wrapped {
 public:
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    if (options.expires_at == 1 && Lookup(inner_, key).value_or(std::nullopt)) {
      return absl::OkStatus();
    }
    return inner_.Put(key, value, options);
  }
};

class IgnoresExpiry : public Wrapped {
 public:
  absl::Status Put(std::string_view key, std::string_view value, const PutOptions&) override {
    return inner_.Put(key, value, PutOptions{});
  }
};

class OverwritingKeepsExpiry : public Wrapped {
 public:
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    PutOptions kept = options;
    if (kept.expires_at == kNeverExpires) kept.expires_at = inner_.ExpiresAt(key).value_or(0);
    return inner_.Put(key, value, kept);
  }
};

// Counts every key that was ever put.
class CountsTombstones : public Wrapped {
 public:
  absl::Status Delete(std::string_view key) override {
    std::string value;
    if (inner_.Get(key, &value).ok()) tombstones_.fetch_add(1);
    return inner_.Delete(key);
  }
  absl::StatusOr<uint64_t> Count(std::string_view prefix) override {
    auto count = inner_.Count(prefix);
    if (count.ok()) *count += tombstones_.load();
    return count;
  }

 private:
  std::atomic<uint64_t> tombstones_ = 0;
};

// Answers the second of two equal keys with what belongs to the one after it.
class SwapsDuplicatesInMultiGet : public Wrapped {
 public:
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) override {
    inner_.MultiGet(keys, values, statuses);
    for (size_t i = 1; i + 1 < keys.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (keys[i] != keys[j]) continue;
        std::swap(values[i], values[i + 1]);
        std::swap(statuses[i], statuses[i + 1]);
        return;
      }
    }
  }
};

class SnapshotSeesLaterWrites : public Wrapped {
 public:
  absl::Status Get(std::string_view key, std::string* value, const AnySnapshot&) override {
    return inner_.Get(key, value);
  }
};

class CursorIgnoresSnapshot : public Wrapped {
 public:
  std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds, const AnySnapshot*) override {
    return inner_.NewCursor(bounds, nullptr);
  }
};

class UpperBoundIncluded : public Wrapped {
 public:
  std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds,
                                       const AnySnapshot* snapshot) override {
    CursorBounds wider = bounds;
    if (!wider.upper.empty()) wider.upper.push_back('\0');
    return inner_.NewCursor(wider, snapshot);
  }
};

// Prev after Next stays where it is: the classic slip when a merge changes direction.
class TurnsOneShort : public Wrapped {
 public:
  std::unique_ptr<AnyCursor> NewCursor(const CursorBounds& bounds,
                                       const AnySnapshot* snapshot) override {
    return std::make_unique<Turning>(inner_.NewCursor(bounds, snapshot));
  }

 private:
  class Turning : public AnyCursor {
   public:
    explicit Turning(std::unique_ptr<AnyCursor> inner) : inner_(std::move(inner)) {}
    bool Valid() const override { return inner_->Valid(); }
    void SeekToFirst() override { moved_on_ = false, inner_->SeekToFirst(); }
    void SeekToLast() override { moved_on_ = false, inner_->SeekToLast(); }
    void Seek(std::string_view key) override { moved_on_ = false, inner_->Seek(key); }
    void SeekForPrev(std::string_view key) override { moved_on_ = false, inner_->SeekForPrev(key); }
    void Next() override { moved_on_ = true, inner_->Next(); }
    void Prev() override {
      if (!std::exchange(moved_on_, false)) inner_->Prev();
    }
    std::string_view key() const override { return inner_->key(); }
    std::string_view value() const override { return inner_->value(); }
    absl::Status status() const override { return inner_->status(); }

   private:
    std::unique_ptr<AnyCursor> inner_;
    bool moved_on_ = false;
  };
};

class KeysEndAtNul : public Wrapped {
 public:
  using Wrapped::Put;
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    return inner_.Put(key.substr(0, key.find('\0')), value, options);
  }
};

class TakesAnyKey : public Wrapped {
 public:
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    return inner_.Put(key.substr(0, kMaxKeyBytes), value, options);
  }
};

class CountsBatchesNotRecords : public Wrapped {
 public:
  absl::Status Write(const WriteBatch& batch) override {
    surplus_.fetch_add(batch.Count() - 1);
    return inner_.Write(batch);
  }
  Statistics Stats() override {
    Statistics statistics = inner_.Stats();
    statistics.writes -= surplus_.load();
    return statistics;
  }

 private:
  std::atomic<uint64_t> surplus_ = 0;
};

class ReadsAfterClose : public Wrapped {
 public:
  absl::Status Close() override { return absl::OkStatus(); }
};

TEST(ConformanceTest, PassesTheSoundWrapper) {
  EXPECT_EQ(FailingChecks(CompositionWith<Sound>()), std::vector<std::string>());
}

TEST(ConformanceTest, RefusesLostDeletes) {
  ExpectRefused(CompositionWith<ForgetsDeletesAfterFlush>(),
                {"CountByPrefix", "FlushChangesNothingThatIsSeen", "ManyShortHistories",
                 "Defect02DeletedKeysStayDeletedThroughCompaction"});
}

TEST(ConformanceTest, RefusesBatchesOutOfOrder) {
  ExpectRefused(CompositionWith<PutsBeforeDeletesInABatch>(),
                {"BatchKeepsItsOrder", "LargeBatch", "ManyShortHistories",
                 "Defect10BatchKeepsItsOrderInOneSync"});
}

TEST(ConformanceTest, RefusesBatchesInPieces) {
  ExpectRefused(CompositionWith<AppliesBatchesOneByOne>(),
                {"RefusedBatchHasNoEffect", "MultiGetSeesWholeBatches", "CursorSeesWholeBatches",
                 "SnapshotSeesWholeBatches", "CountSeesWholeBatches"});
}

TEST(ConformanceTest, RefusesCasBesidePut) {
  ExpectRefused(CompositionWith<CasBesidePut>(),
                {"CasIsAtomicAgainstPut", "CasIsAtomicAgainstDelete", "CasIsAtomicAgainstWrite",
                 "CasIsAtomicAgainstDeleteRange", "Defect09CasIsAtomicAgainstPutAndDelete"});
}

TEST(ConformanceTest, RefusesUnlockedCas) {
  ExpectRefused(CompositionWith<CasUnlocked>(), {"CasIncrementsAreNotLost"});
}

TEST(ConformanceTest, RefusesCasWithoutTheCurrentValue) {
  ExpectRefused(CompositionWith<CasForgetsTheCurrentValue>(),
                {"CasInAllForms", "CasSeesFlushedValues", "ManyShortHistories"});
}

TEST(ConformanceTest, RefusesResurrection) {
  ExpectRefused(CompositionWith<ExpiredResurrectsOlder>(),
                {"ExpiredHidesOlderVersions", "ManyShortHistories"});
}

TEST(ConformanceTest, RefusesExpiryThatIsIgnored) {
  ExpectRefused(CompositionWith<IgnoresExpiry>(),
                {"ExpiryIsKept", "ExpiredIsAbsentEverywhere", "KeysExpireAsTimePasses",
                 "Defect07ExpiryIsKeptOrRefused"});
  // And also where the engine says that it has no expiry: it must say so to the caller.
  Composition silent = CompositionWith<IgnoresExpiry>();
  silent.has.expiry = false;
  ExpectRefused(silent, {"ExpiryIsRefusedWhereItIsMissing", "Defect07ExpiryIsKeptOrRefused"});
}

TEST(ConformanceTest, RefusesExpiryThatOutlivesItsValue) {
  ExpectRefused(CompositionWith<OverwritingKeepsExpiry>(),
                {"OverwritingClearsExpiry", "ManyShortHistories"});
}

TEST(ConformanceTest, RefusesCountedTombstones) {
  ExpectRefused(CompositionWith<CountsTombstones>(), {"CountByPrefix", "ManyShortHistories"});
}

TEST(ConformanceTest, RefusesSwappedDuplicates) {
  ExpectRefused(CompositionWith<SwapsDuplicatesInMultiGet>(),
                {"MultiGetAnswersAsGetWould", "MultiGetOfManyKeys"});
}

TEST(ConformanceTest, RefusesSnapshotsThatMove) {
  ExpectRefused(CompositionWith<SnapshotSeesLaterWrites>(),
                {"SnapshotOutlivesManyVersions", "CursorsAndSnapshotsAreIsolated",
                 "SnapshotSeesWholeBatches", "ManyShortHistories"});
  ExpectRefused(CompositionWith<CursorIgnoresSnapshot>(),
                {"CursorsAndSnapshotsAreIsolated", "ManyShortHistories"});
}

TEST(ConformanceTest, RefusesCursorsThatSlip) {
  ExpectRefused(CompositionWith<TurnsOneShort>(),
                {"CursorSeeksAndTurns", "CursorWalksAtRandom", "ManyShortHistories"});
  ExpectRefused(CompositionWith<UpperBoundIncluded>(),
                {"CursorKeepsItsBounds", "CursorWalksAtRandom", "ManyShortHistories"});
}

TEST(ConformanceTest, RefusesKeysThatAreNotBytes) {
  ExpectRefused(CompositionWith<KeysEndAtNul>(), {"BinaryKeysAndValues"});
  ExpectRefused(CompositionWith<TakesAnyKey>(), {"KeyLimit"});
}

TEST(ConformanceTest, RefusesWrongCounters) {
  ExpectRefused(CompositionWith<CountsBatchesNotRecords>(), {"StatisticsCount"});
}

TEST(ConformanceTest, RefusesAnEngineThatStaysOpen) {
  ExpectRefused(CompositionWith<ReadsAfterClose>(), {"ClosedEngineRefuses"});
}

// Recovery that believes every byte: damage becomes a wrong value.
struct CredulousParts : SoundParts {
  static constexpr bool kChecksRecords = false;
};

TEST(ConformanceTest, RefusesDamageTakenForData) {
  ExpectRefused(CompositionOf<ReferenceStore<SystemEnvironment, CredulousParts>>("Credulous"),
                {"FlippedBitsAreNeverWrongValues", "VerifyFindsDamage"});
}

// A store that is empty whenever it is opened.
TEST(ConformanceTest, RefusesStoresThatForget) {
  Composition forgetful = CompositionWith<Sound>();
  forgetful.has.durable = true;
  forgetful.has.durable_on_return = true;
  ExpectRefused(forgetful, {"ReopenKeepsEverything", "DestructionKeepsWhatWasPromised",
                            "SecondOpenIsRefused", "OpenOptionsAreObeyed"});
}

}  // namespace
}  // namespace kv::testing
