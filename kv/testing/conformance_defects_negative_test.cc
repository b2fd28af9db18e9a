// Engines with the defects of old, refused by the checks that are named after them. Those that
// conformance_negative_test.cc has already are refused there.
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/wrapped_engine.h"

namespace kv::testing {
namespace {

struct LosesAcknowledgedWrites : SoundParts {
  static constexpr bool kSyncsEachWrite = false;
  static constexpr bool kBuffersWrites = true;
};

TEST(DefectsTest, RefusesLostAcknowledgedWrites) {
  ExpectRefused(CompositionOf<ReferenceStore<SystemEnvironment, LosesAcknowledgedWrites>>("Broken"),
                {"Defect01CrashAfterCompactionKeepsAcknowledgedWrites"});
}

struct BatchesInPieces : SoundParts {
  static constexpr bool kBatchIsOneRecord = false;
};

TEST(DefectsTest, RefusesHalfABatch) {
  ExpectRefused(CompositionOf<ReferenceStore<SystemEnvironment, BatchesInPieces>>("Broken"),
                {"Defect05TornBatchesAndAnUnsavedRootAreNoLoss"});
}

// Of two files that were made within a second, the first is taken for the newer.
class OrdersByTheSecond : public Wrapped {
 public:
  using Wrapped::Put;
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    before_.clear();
    if (inner_.Get(key, &before_).ok()) key_ = key;
    return inner_.Put(key, value, options);
  }
  absl::Status Flush() override {
    return key_.empty() ? absl::OkStatus() : inner_.Put(std::exchange(key_, ""), before_);
  }

 private:
  std::string key_;
  std::string before_;
};

TEST(DefectsTest, RefusesOrderByTheClock) {
  ExpectRefused(CompositionWith<OrdersByTheSecond>(), {"Defect03OrderDoesNotComeFromTheClock"});
}

// Now and then an offset leads to the neighbour.
class ReadsBesideTheMark : public Wrapped {
 public:
  using Wrapped::Get;
  absl::Status Get(std::string_view key, std::string* value) override {
    const bool wrong = key == "key7" && reads_.fetch_add(1) % 8 == 7;
    return inner_.Get(wrong ? "key8" : key, value);
  }

 private:
  std::atomic<int> reads_ = 0;
};

TEST(DefectsTest, RefusesReadsFromTheWrongOffset) {
  ExpectRefused(CompositionWith<ReadsBesideTheMark>(),
                {"Defect06ReadsBesideCompactionFindTheirValues"});
}

// A search that ends nowhere in a newer table goes on in an older one.
class FindsStaleUnderExpired : public Wrapped {
 public:
  using Wrapped::Get;
  absl::Status Write(const WriteBatch& batch) override {
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      const auto found = Lookup(inner_, record.key);
      if (record.expires_at != kNeverExpires && found.ok() && *found) {
        stale_[std::string(record.key)] = **found;
      }
    });
    return inner_.Write(batch);
  }
  absl::Status Get(std::string_view key, std::string* value) override {
    const absl::Status status = inner_.Get(key, value);
    const auto stale = stale_.find(key);
    if (!absl::IsNotFound(status) || stale == stale_.end()) return status;
    *value = stale->second;
    return absl::OkStatus();
  }

 private:
  Contents stale_;
};

TEST(DefectsTest, RefusesStaleValuesUnderExpiredOnes) {
  ExpectRefused(CompositionWith<FindsStaleUnderExpired>(), {"Defect04ExpiredValuesHideOlderOnes"});
}

class SyncsEachEntry : public Wrapped {
 public:
  absl::Status Write(const WriteBatch& batch) override {
    syncs_.fetch_add(batch.Count());
    return inner_.Write(batch);
  }
  Statistics Stats() override {
    Statistics statistics = inner_.Stats();
    statistics.wal_syncs = syncs_.load();
    return statistics;
  }

 private:
  std::atomic<uint64_t> syncs_ = 0;
};

TEST(DefectsTest, RefusesASyncForEachEntry) {
  ExpectRefused(CompositionWith<SyncsEachEntry>(), {"Defect10BatchKeepsItsOrderInOneSync"});
}

}  // namespace
}  // namespace kv::testing
