#include "kv/contract/sorted_source.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace kv {
namespace {

struct WithoutNext {
  bool Valid() const;
  std::string_view key() const;
  std::string_view value() const;
  absl::Status status() const;
};
struct CopiesValues : SortedSourceArchetype {
  std::string value() const;
};
struct WithoutStatus : SortedSourceArchetype {
  void status() const = delete;
};
static_assert(!SortedSource<WithoutNext> && !SortedSource<CopiesValues> &&
              !SortedSource<WithoutStatus> && !SortedSource<int>);

// Entries of a list, with an error at its end.
class ListSource {
 public:
  explicit ListSource(std::vector<std::pair<std::string, std::string>> entries,
                      absl::Status end = absl::OkStatus())
      : entries_(std::move(entries)), end_(std::move(end)) {}
  bool Valid() const { return at_ < entries_.size(); }
  std::string_view key() const { return entries_[at_].first; }
  std::string_view value() const { return entries_[at_].second; }
  void Next() { ++at_; }
  absl::Status status() const { return Valid() ? absl::OkStatus() : end_; }

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
  absl::Status end_;
  size_t at_ = 0;
};
static_assert(SortedSource<ListSource>);

struct ExpiringSource : ListSource {
  using ListSource::ListSource;
  uint64_t expires_at() const { return 1'000 + key().size(); }
};

// The keys that were written, batch by batch.
struct Written {
  std::vector<std::string> batches;
  absl::Status error;
  absl::Status operator()(const WriteBatch& batch) {
    batches.emplace_back();
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      batches.back() += std::string(record.key) + "=" + std::string(record.value) + " ";
    });
    return error;
  }
};

TEST(LoadInBatchesTest, CutsTheSourceIntoBatches) {
  Written written;
  ListSource source({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  EXPECT_EQ(LoadInBatches(source, 8, [&](const WriteBatch& b) { return written(b); }),
            absl::OkStatus());
  EXPECT_EQ(written.batches, (std::vector<std::string>{"a=1 b=2 ", "c=3 "}));
  ListSource empty({});
  EXPECT_EQ(LoadInBatches(empty, 8, [&](const WriteBatch& b) { return written(b); }),
            absl::OkStatus());
  EXPECT_EQ(written.batches.size(), 2u) << "an empty batch was written";
}

TEST(LoadInBatchesTest, BeginsWhereTheSourceStands) {
  Written written;
  ListSource source({{"b", "1"}, {"a", "2"}, {"c", "3"}});
  source.Next();
  EXPECT_EQ(LoadInBatches(source, 100, [&](const WriteBatch& b) { return written(b); }),
            absl::OkStatus());
  EXPECT_EQ(written.batches, (std::vector<std::string>{"a=2 c=3 "}));
}

TEST(LoadInBatchesTest, RefusesDisorderAndNamesTheKey) {
  for (const std::string second : {"a", "b", ""}) {
    Written written;
    ListSource source({{"a", "0"}, {std::string("b\x01", 2), "1"}, {second, "2"}, {"z", "3"}});
    const absl::Status status =
        LoadInBatches(source, 100, [&](const WriteBatch& b) { return written(b); });
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.ToString().find("\"" + second + "\""), std::string::npos) << status;
    EXPECT_NE(status.ToString().find("\"b\\x01\""), std::string::npos) << status;
    EXPECT_EQ(written.batches, (std::vector<std::string>{"a=0 b\x01=1 "})) << "not the prefix";
  }
}

TEST(LoadInBatchesTest, KeepsWhatCameBeforeAnErrorOfTheSource) {
  Written written;
  ListSource source({std::pair("a", "1")}, absl::DataLossError("torn"));
  EXPECT_EQ(LoadInBatches(source, 100, [&](const WriteBatch& b) { return written(b); }),
            absl::DataLossError("torn"));
  EXPECT_EQ(written.batches, (std::vector<std::string>{"a=1 "}));
}

TEST(LoadInBatchesTest, WritesNothingAfterARefusedBatch) {
  Written written{.batches = {}, .error = absl::ResourceExhaustedError("full")};
  ListSource source({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  EXPECT_EQ(LoadInBatches(source, 1, [&](const WriteBatch& b) { return written(b); }),
            absl::ResourceExhaustedError("full"));
  EXPECT_EQ(written.batches, (std::vector<std::string>{"a=1 "}));
}

TEST(ExpiresAtOfTest, IsHonouredWhereTheSourceHasIt) {
  ExpiringSource expiring({std::pair("abc", "")});
  EXPECT_EQ(ExpiresAtOf(expiring), 1'003u);
  EXPECT_EQ(ExpiresAtOf(ListSource({std::pair("abc", "")})), kNeverExpires);
  uint64_t found = 0;
  EXPECT_EQ(ForEachSorted(expiring,
                          [&](const Record& record) {
                            found = record.expires_at;
                            return absl::OkStatus();
                          }),
            absl::OkStatus());
  EXPECT_EQ(found, 1'003u);
}

}  // namespace
}  // namespace kv
