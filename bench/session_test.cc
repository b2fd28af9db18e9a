// The whole path from flags to figures, on the reference engine. No timing.
#include "bench/session.h"

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bench/engine_subject.h"
#include "bench/figures.h"
#include "bench/key_generator.h"
#include "bench/reporter.h"
#include "bench/store_directory.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/testing/reference_engine.h"

namespace bench {
namespace {

using Reference = kv::testing::BasicReferenceEngine<kv::SystemClock>;

// The reference engine, whose puts fail after some.
class FailingEngine : public Reference {
 public:
  using Reference::Reference;
  static absl::StatusOr<std::unique_ptr<FailingEngine>> Open(const kv::Options&) {
    return std::make_unique<FailingEngine>(kv::SystemClock{});
  }
  absl::Status Put(std::string_view key, std::string_view value,
                   const kv::PutOptions& options = {}) {
    if (++puts_ > 500) return absl::ResourceExhaustedError("write /x/y.log: disk full");
    return Reference::Put(key, value, options);
  }

 private:
  std::atomic<uint64_t> puts_ = 0;
};

// The reference engine, which tells what was put to expire when.
class RecordingEngine : public Reference {
 public:
  using Reference::Reference;
  static absl::StatusOr<std::unique_ptr<RecordingEngine>> Open(const kv::Options&) {
    return std::make_unique<RecordingEngine>(kv::SystemClock{});
  }
  static std::map<std::string, uint64_t>& puts() {
    static std::map<std::string, uint64_t> all;
    return all;
  }
  absl::Status Put(std::string_view key, std::string_view value,
                   const kv::PutOptions& options = {}) {
    {
      const std::lock_guard lock(mutex_);
      puts()[std::string(key)] = options.expires_at;
    }
    return Reference::Put(key, value, options);
  }

 private:
  std::mutex mutex_;
};

template <typename E>
class Lab {
 public:
  explicit Lab(Flags flags = {})
      : flags_(std::move(flags)),
        directory_(StoreDirectory::Make({}).value()),
        session_(flags_, subject_, directory_, nullptr) {}

  absl::StatusOr<Figures> Run(std::string_view workload, int threads = 1, uint64_t num = 1000,
                              std::optional<uint64_t> reads = std::nullopt, double seconds = 0) {
    return session_.Run({.workload = FindWorkload(workload),
                         .threads = threads,
                         .num = num,
                         .reads = reads,
                         .seconds = seconds,
                         .until_seconds = seconds > 0});
  }

  Session& session() { return session_; }
  Subject& subject() { return subject_; }

 private:
  Flags flags_;
  EngineSubject<E> subject_{"reference"};
  StoreDirectory directory_;
  Session session_;
};

double Ops(const absl::StatusOr<Figures>& figures) { return Find(*figures, "ops"); }

TEST(Session, EveryWorkloadRuns) {
  Lab<Reference> lab;
  for (const Workload& workload : Workloads()) {
    if (!Unsupported(workload, lab.subject().capabilities()).empty()) continue;
    if (!Refusal(workload, false).empty()) continue;
    // Large values, or a cursor that copies the reference's store each time.
    const bool slow = workload.NeedsOrder() || workload.value_bytes > 1000;
    const auto figures = lab.Run(workload.name, 2, slow ? 50 : 500);
    ASSERT_TRUE(figures.ok()) << workload.name << ": " << figures.status();
    EXPECT_GT(Ops(figures), 0) << workload.name;
    EXPECT_GT(Find(*figures, "items_per_second"), 0) << workload.name;
  }
}

TEST(Session, FillsStartFreshAndDivideTheirKeysAmongThreads) {
  Lab<Reference> lab;
  for (const int threads : {1, 4}) {
    for (const char* fill : {"fillseq", "filluniquerandom"}) {
      ASSERT_TRUE(lab.Run(fill, threads, 1000).ok());
      const auto read = lab.Run("readrandom", 1, 1000);
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(Find(*read, "found_share"), 1) << fill << " with " << threads << " threads";
      EXPECT_EQ(Find(*read, "live_bytes"), 1000 * 116.0);
    }
  }
}

TEST(Session, ReadsUseWhatIsThere) {
  Lab<Reference> lab;
  ASSERT_TRUE(lab.Run("fillrandom", 1, 10'000).ok());
  const auto read = lab.Run("readrandom", 1, 10'000);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_NEAR(Find(*read, "found_share"), 1 - std::exp(-1), 0.02);
  EXPECT_NEAR(Find(*read, "live_bytes") / (10'000 * 116.0), 1 - std::exp(-1), 0.02);
  for (const std::string& note : lab.session().notes()) {
    EXPECT_EQ(note.find("were loaded"), std::string::npos) << note;
  }
}

TEST(Session, AReadThatComesFirstPreloadsAndSaysSo) {
  Lab<Reference> lab;
  const auto read = lab.Run("readrandom", 2, 1000, 300);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(Ops(read), 600);  // each thread its own
  EXPECT_EQ(Find(*read, "found_share"), 1);
  ASSERT_FALSE(lab.session().notes().empty());
  EXPECT_EQ(lab.session().notes()[0], "readrandom: 1,000 records were loaded first, untimed");
}

TEST(Session, MissingKeysAreMissing) {
  Lab<Reference> lab;
  ASSERT_TRUE(lab.Run("fillseq").ok());
  const auto missing = lab.Run("readmissing");
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_EQ(Find(*missing, "found_share", -1), 0);
}

TEST(Session, CountsFindTheirPrefixesAndOnlyThose) {
  Lab<Reference> lab;
  for (const char* workload : {"count_1_in_5", "count_1_in_100", "count_1_in_1000"}) {
    const auto counted = lab.Run(workload, 1, 2000, 50);
    ASSERT_TRUE(counted.ok()) << counted.status();
    EXPECT_EQ(Find(*counted, "found_share"), 1) << workload;
    EXPECT_EQ(Find(*counted, "ops"), 50);
  }
  const auto none = lab.Run("count_none", 1, 2000, 50);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(Find(*none, "found_share"), 0);
}

TEST(Session, SeriesExpireAndServeNoReads) {
  Lab<RecordingEngine> lab;
  RecordingEngine::puts().clear();
  const uint64_t before = kv::SystemClock().UnixMillis();
  const auto filled = lab.Run("fillseries", 2, 5000);
  ASSERT_TRUE(filled.ok()) << filled.status();
  EXPECT_EQ(Ops(filled), 5000);
  EXPECT_EQ(Find(*filled, "live_bytes", -1), -1);
  // Five points of each of 1000 series.
  ASSERT_EQ(RecordingEngine::puts().size(), 5000u);
  for (const uint64_t series : {0, 1, 999}) {
    for (uint64_t point = 0; point < 5; ++point) {
      char key[16];
      WriteDbBenchKey(series << 40 | point, sizeof(key), key);
      const auto put = RecordingEngine::puts().find(std::string(key, sizeof(key)));
      ASSERT_NE(put, RecordingEngine::puts().end()) << series << " " << point;
      EXPECT_GE(put->second, before + 500);
    }
  }
  // What comes next loads its own data.
  const auto read = lab.Run("readrandom", 1, 1000);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(Find(*read, "found_share"), 1);
}

TEST(Session, PathsAreReadWhereTheyWereFilled) {
  Lab<Reference> lab;
  ASSERT_TRUE(lab.Run("fillpaths", 1, 1000).ok());
  const auto read = lab.Run("readpaths", 2, 1000);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(Find(*read, "found_share"), 1);
  EXPECT_EQ(Find(*read, "live_bytes"), 1000 * 152.0);
  for (const std::string& note : lab.session().notes()) {
    EXPECT_EQ(note.find("were loaded"), std::string::npos) << note;
  }
}

TEST(Session, ReadsAndWritesHaveLatenciesOfTheirOwn) {
  Lab<Reference> lab;
  const auto mixed = lab.Run("readrandomwriterandom", 1, 1000);
  ASSERT_TRUE(mixed.ok()) << mixed.status();
  EXPECT_GE(Find(*mixed, "read_p50_ns", -1), 0);
  EXPECT_GE(Find(*mixed, "write_p50_ns", -1), 0);
  // 90 gets, then 10 puts, of keys and values of 116 bytes.
  EXPECT_EQ(Find(*mixed, "user_bytes_written"), 100 * 116.0);
}

TEST(Session, YcsbInsertsExtendTheRecords) {
  Lab<Reference> lab;
  ASSERT_TRUE(lab.Run("ycsb_d", 1, 1000, 2000).ok());
  const auto read = lab.Run("ycsb_c", 1, 1000, 2000);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(Find(*read, "found_share"), 1);
  EXPECT_GT(Find(*read, "live_bytes"), 1050 * 1000.0);
}

TEST(Session, YcsbLatestReadsFindTheirInserts) {
  Lab<Reference> lab;
  const auto latest = lab.Run("ycsb_d", 1, 1000, 5000);
  ASSERT_TRUE(latest.ok()) << latest.status();
  EXPECT_EQ(Find(*latest, "found_share"), 1);
}

TEST(Session, CountersAreSummedUp) {
  Lab<Reference> lab;
  for (int i = 0; i < 2; ++i) {
    const auto cas = lab.Run("cas", 4, 1000);
    ASSERT_TRUE(cas.ok()) << cas.status();
    EXPECT_EQ(Ops(cas), 4000);
  }
}

TEST(Session, ADurationEndsARow) {
  Lab<Reference> lab;
  const auto read = lab.Run("readrandom", 2, 1000, std::nullopt, /*seconds=*/0.05);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_GT(Ops(read), 0);
}

TEST(Session, AnEngineErrorIsNamed) {
  Lab<FailingEngine> lab;
  const auto fill = lab.Run("fillseq", 2, 5000);
  ASSERT_FALSE(fill.ok());
  const std::string message(fill.status().message());
  EXPECT_NE(message.find("fillseq: "), std::string::npos) << message;
  EXPECT_NE(message.find("/x/y.log: disk full"), std::string::npos) << message;
}

TEST(Rows, WhatASystemCannotRunIsLeftOutWithAReason) {
  const Capabilities all = {.name = "x", .ordered = true, .expiry = true, .compaction = true};
  Capabilities none = {.name = "x"};
  for (const Workload& workload : Workloads()) EXPECT_EQ(Unsupported(workload, all), "");
  EXPECT_EQ(Unsupported(*FindWorkload("readscans"), none), "readscans: not run, x is not ordered");
  EXPECT_EQ(Unsupported(*FindWorkload("fillseries"), none), "fillseries: not run, x has no expiry");
  EXPECT_EQ(Unsupported(*FindWorkload("compact"), none), "compact: not run, x does not compact");
  EXPECT_EQ(Unsupported(*FindWorkload("readpaths"), none), "");
}

TEST(Rows, FollowTheFlags) {
  Flags flags;
  flags.workloads = {"fillseq", "readseq", "compact"};
  flags.threads = {1, 2};
  std::vector<std::string> notes;
  const Capabilities unordered = {.name = "hash"};
  const auto rows = RowsFor(flags, unordered, &notes);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].threads, 2);
  EXPECT_EQ(notes, (std::vector<std::string>{"readseq: not run, hash is not ordered",
                                             "compact: not run, hash does not compact"}));
  const Capabilities all = {
      .name = "all", .durable = true, .ordered = true, .expiry = true, .compaction = true};
  EXPECT_GE(RowsFor({}, all, &notes).size(), 15u);
}

TEST(StoreDirectory, RemovesWhatItMadeAndNothingElse) {
  namespace fs = std::filesystem;
  std::string temporary;
  {
    const auto directory = StoreDirectory::Make({});
    ASSERT_TRUE(directory.ok()) << directory.status();
    temporary = directory->path();
    EXPECT_TRUE(fs::is_directory(temporary));
  }
  EXPECT_FALSE(fs::exists(temporary));

  const fs::path mine = fs::temp_directory_path() / fs::path(temporary).filename();
  fs::create_directories(mine / "precious");
  const auto refused = StoreDirectory::Make({.path = mine.string()});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  {
    const auto existing = StoreDirectory::Make({.path = mine.string(), .use_existing = true});
    ASSERT_TRUE(existing.ok()) << existing.status();
  }
  EXPECT_TRUE(fs::exists(mine / "precious"));
  fs::remove_all(mine);
  EXPECT_FALSE(StoreDirectory::Make({.path = mine.string(), .use_existing = true}).ok());
}

TEST(Table, ShowsMediansAndSpread) {
  const auto figures = [](double rate) {
    return Figures{{"threads", 2},        {"items_per_second", rate}, {"p50_ns", 1500},
                   {"p99_ns", 2'000'000}, {"p99.9_ns", 3'000'000},    {"peak_rss_mib", 12.34}};
  };
  const std::string row = TableRow("readrandom", {figures(900), figures(1'234'567), figures(1000)});
  EXPECT_NE(row.find("readrandom"), std::string::npos);
  EXPECT_NE(row.find(" 1,000 "), std::string::npos) << row;
  EXPECT_NE(row.find(" 1.50 "), std::string::npos) << row;
  EXPECT_NE(row.find("% of 3"), std::string::npos) << row;
  EXPECT_NE(row.find(" - "), std::string::npos) << row;
}

}  // namespace
}  // namespace bench
