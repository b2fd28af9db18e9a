// Get, Put, Delete, MultiGet and Count: single keys, arbitrary bytes, limits, statistics.
#include <array>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

using namespace std::string_view_literals;

void PutGetDelete(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectGet(*engine, "key", std::nullopt);
  stage.ExpectOk(engine->Put("key", "one"), "Put");
  stage.ExpectGet(*engine, "key", "one");
  stage.ExpectOk(engine->Put("key", "another, longer value"), "Put");
  stage.ExpectGet(*engine, "key", "another, longer value");
  stage.ExpectOk(engine->Put("key", ""), "Put");
  stage.ExpectGet(*engine, "key", "");
  stage.ExpectOk(engine->Delete("key"), "Delete");
  stage.ExpectGet(*engine, "key", std::nullopt);
  stage.ExpectOk(engine->Delete("key"), "Delete of an absent key");
  stage.ExpectOk(engine->Delete("never there"), "Delete of an absent key");
  stage.ExpectOk(engine->Put("key", "back"), "Put");
  stage.ExpectGet(*engine, "key", "back");
  stage.ExpectContents(*engine, {{"key", "back"}});
}

void GetOverwritesItsValueAndNotOnAMiss(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  std::string value = "longer than what is read";
  stage.ExpectOk(engine->Get("key", &value), "Get");
  stage.Expect(value == "v", "Get overwrites its value");
  stage.ExpectCode(engine->Get("absent", &value), absl::StatusCode::kNotFound, "Get");
  stage.Expect(value == "v", "a miss leaves the value alone");
}

// The engine keeps bytes, not pointers: the caller's buffers are free when a write returns.
void WritesCopyTheirArguments(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  std::string key(40, 'k');
  std::string value(400, 'v');
  stage.ExpectOk(engine->Put(key, value), "Put");
  key.assign(key.size(), 'x');
  value.assign(value.size(), 'x');
  stage.ExpectContents(*engine, {{std::string(40, 'k'), std::string(400, 'v')}});
}

void BinaryKeysAndValues(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  // Prefixes of each other, embedded and trailing NULs, bytes above 0x7f, which are the largest,
  // and lengths around the 8 bytes that a key head holds.
  Contents contents;
  for (const std::string_view key :
       {""sv, "\0"sv, "\0\0"sv, "a"sv, "a\0"sv, "a\0b"sv, "ab"sv, "\x7f"sv, "\x80"sv, "\xff"sv,
        "\xff\0"sv, "\xff\xff"sv, "1234567"sv, "12345678"sv, "12345678\0"sv, "123456789"sv,
        "\n\r\n"sv, "ключ"sv}) {
    contents.emplace(key, fmt::format("value\0of {}"sv, Show(key)));
  }
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  contents.emplace(every_byte, every_byte);
  for (const auto& [key, value] : contents) stage.ExpectOk(engine->Put(key, value), "Put");
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectContents(*engine, contents);
  for (const std::string_view key : {""sv, "a\0"sv, "\xff"sv}) {
    stage.ExpectOk(engine->Delete(key), "Delete");
    contents.erase(contents.find(key));
  }
  stage.ExpectContents(*engine, contents);
}

void KeyLimit(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const std::string longest(kMaxKeyBytes, 'k');
  const std::string too_long(kMaxKeyBytes + 1, 'k');
  stage.ExpectOk(engine->Put(longest, "at the limit"), "Put of a 64 KiB key");
  // A neighbour that differs in the last byte only.
  std::string neighbour = longest;
  neighbour.back() = 'l';
  stage.ExpectOk(engine->Put(neighbour, "neighbour"), "Put of a 64 KiB key");
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  stage.ExpectCode(engine->Put(too_long, "v"), kInvalid, "Put over the limit");
  stage.ExpectCode(engine->CompareAndSet(too_long, std::nullopt, "v").status(), kInvalid,
                   "CompareAndSet over the limit");
  WriteBatch batch;
  batch.Put("fits", "v");
  batch.Put(too_long, "v");
  stage.ExpectCode(engine->Write(batch), kInvalid, "Write over the limit");
  const Contents contents = {{longest, "at the limit"}, {neighbour, "neighbour"}};
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectContents(*engine, contents);
}

void LargeValues(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  Random random(1);
  Contents contents;
  // Far over the memtable, a block, a page and any buffer; 8 MiB does not compress.
  for (const size_t size : {4095, 4096, 4097, 65'535, 65'536, 1 << 20, 8 << 20}) {
    const std::string key = fmt::format("size {}", size);
    contents[key] = random.Bytes(size);
    stage.ExpectOk(engine->Put(key, contents[key]), "Put");
  }
  stage.ExpectContents(*engine, contents);
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectContents(*engine, contents);
  contents["size 8388608"] = "small now";
  stage.ExpectOk(engine->Put("size 8388608", "small now"), "Put");
  stage.ExpectContents(*engine, contents);
}

void MultiGetAnswersAsGetWould(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  for (const auto& [key, value] :
       {std::pair("a", "1"), std::pair("b", ""), std::pair("", "empty key"), std::pair("d", "4")}) {
    stage.ExpectOk(engine->Put(key, value), "Put");
  }
  stage.ExpectOk(engine->Delete("d"), "Delete");
  // Unsorted, with duplicates of hits and of misses.
  const std::vector<std::string_view> keys = {"b", "a", "missing", "a", "", "d", "missing", "a"};
  std::vector<std::string> values(keys.size(), "untouched");
  std::vector<absl::Status> statuses(keys.size(), absl::UnknownError("not set"));
  engine->MultiGet(keys, values, statuses);
  for (size_t i = 0; i < keys.size(); ++i) {
    std::string value = "untouched";
    const absl::Status status = engine->Get(keys[i], &value);
    stage.Expect(
        statuses[i].code() == status.code() && values[i] == value,
        fmt::format("MultiGet [{}] of {}: {} {}, where Get says {} {}", i, Show(keys[i]),
                    statuses[i].ToString(), Show(values[i]), status.ToString(), Show(value)));
  }
  engine->MultiGet({}, {}, {});
}

void MultiGetOfManyKeys(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  constexpr int kKeys = 1000;
  std::vector<std::string> names;
  WriteBatch batch;
  for (int i = 0; i < kKeys; ++i) {
    names.push_back(fmt::format("key{:04}", i));
    if (i % 3 != 0) batch.Put(names.back(), fmt::format("value of {}", i));
  }
  stage.ExpectOk(engine->Write(batch), "Write");
  Random random(2);
  std::vector<int> order;
  std::vector<std::string_view> keys;
  for (int i = 0; i < 2 * kKeys; ++i) {
    order.push_back(static_cast<int>(random.Below(kKeys)));
    keys.push_back(names[order.back()]);
  }
  std::vector<std::string> values(keys.size());
  std::vector<absl::Status> statuses(keys.size());
  engine->MultiGet(keys, values, statuses);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (order[i] % 3 == 0) {
      stage.ExpectCode(statuses[i], absl::StatusCode::kNotFound, "MultiGet");
    } else {
      stage.ExpectOk(statuses[i], "MultiGet");
      stage.Expect(values[i] == fmt::format("value of {}", order[i]), "MultiGet mixes values up");
    }
  }
}

void CountByPrefix(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  stage.ExpectCount(*engine, "", 0);
  stage.ExpectCount(*engine, "none", 0);
  for (const std::string_view key : {""sv, "a"sv, "ab"sv, "abc"sv, "ac"sv, "b"sv, "a\xff"sv,
                                     "a\xff\xff"sv, "\xff"sv, "\xff\xff"sv, "\xff\xff\x01"sv}) {
    stage.ExpectOk(engine->Put(key, "v"), "Put");
    stage.ExpectOk(engine->Put(key, "a second version is not a second key"), "Put");
  }
  const auto expect_all = [&] {
    stage.ExpectCount(*engine, "", 11);
    stage.ExpectCount(*engine, "a", 6);
    stage.ExpectCount(*engine, "ab", 2);
    stage.ExpectCount(*engine, "abc", 1);
    stage.ExpectCount(*engine, "abcd", 0);
    stage.ExpectCount(*engine, "a\xff", 2);
    stage.ExpectCount(*engine, "\xff", 3);
    stage.ExpectCount(*engine, "\xff\xff", 2);
    stage.ExpectCount(*engine, "\xff\xff\xff", 0);
    stage.ExpectCount(*engine, std::string(kMaxKeyBytes, 'a'), 0);
  };
  expect_all();
  stage.ExpectOk(engine->Flush(), "Flush");
  expect_all();
  // Deleted keys are not counted, wherever their tombstones and older versions lie.
  stage.ExpectOk(engine->Delete("ab"), "Delete");
  stage.ExpectOk(engine->Delete("\xff"), "Delete");
  stage.ExpectOk(engine->Delete("never there"), "Delete");
  stage.ExpectCount(*engine, "a", 5);
  stage.ExpectCount(*engine, "ab", 1);
  stage.ExpectCount(*engine, "\xff", 2);
  stage.ExpectCount(*engine, "never", 0);
  stage.ExpectOk(engine->Flush(), "Flush");
  stage.ExpectCount(*engine, "", 9);
}

void StatisticsCount(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  const Statistics before = engine->Stats();
  const auto expect_more = [&](std::string_view what, uint64_t Statistics::*field, uint64_t by) {
    const uint64_t grown = engine->Stats().*field - before.*field;
    stage.Expect(grown == by, fmt::format("{} grew by {} instead of {}", what, grown, by));
  };
  stage.ExpectOk(engine->Put("key", "value"), "Put");
  stage.ExpectOk(engine->Delete("gone"), "Delete");
  WriteBatch batch;
  batch.Put("k1", "v1");
  batch.Put("k2", "v2");
  batch.Delete("k1");
  stage.ExpectOk(engine->Write(batch), "Write");
  expect_more("writes", &Statistics::writes, 5);
  expect_more("user_bytes_written", &Statistics::user_bytes_written, 8 + 4 + 4 + 4 + 2);

  stage.ExpectGet(*engine, "key", "value");
  stage.ExpectGet(*engine, "gone", std::nullopt);
  const std::array<std::string_view, 3> keys = {"k1", "k2", "k2"};
  std::array<std::string, 3> values;
  std::array<absl::Status, 3> statuses;
  engine->MultiGet(keys, values, statuses);
  expect_more("reads", &Statistics::reads, 5);
  expect_more("read_hits", &Statistics::read_hits, 3);

  stage.ExpectOk(engine->CompareAndSet("cas", std::nullopt, "1").status(), "CompareAndSet");
  stage.ExpectOk(engine->CompareAndSet("cas", std::nullopt, "2").status(), "CompareAndSet");
  expect_more("cas_attempts", &Statistics::cas_attempts, 2);
  expect_more("cas_failures", &Statistics::cas_failures, 1);
  expect_more("writes", &Statistics::writes, 6);
}

void StatisticsNeverGoBack(Stage& stage) {
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return;
  Random random(3);
  Statistics last = engine->Stats();
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 25; ++i) {
      const std::string key = fmt::format("key{}", random.Below(100));
      stage.ExpectOk(engine->Put(key, random.Bytes(random.Below(400))), "Put");
      std::string value;
      stage.ExpectOk(engine->Get(key, &value), "Get");
    }
    if (round % 5 == 4) stage.ExpectOk(engine->Flush(), "Flush");
    const Statistics now = engine->Stats();
    for (const StatisticsField& field : kStatisticsFields) {
      const bool gauge = field.member == &Statistics::live_bytes_estimate ||
                         field.member == &Statistics::disk_bytes ||
                         field.member == &Statistics::value_files ||
                         field.member == &Statistics::value_garbage_bytes ||
                         field.member == &Statistics::memory_bytes;
      stage.Expect(gauge || now.*field.member >= last.*field.member,
                   fmt::format("{} went back from {} to {}", field.name, last.*field.member,
                               now.*field.member));
    }
    last = now;
  }
}

constexpr Check kChecks[] = {
    {"PutGetDelete", {}, PutGetDelete},
    {"GetOverwritesItsValueAndNotOnAMiss", {}, GetOverwritesItsValueAndNotOnAMiss},
    {"WritesCopyTheirArguments", {}, WritesCopyTheirArguments},
    {"BinaryKeysAndValues", {}, BinaryKeysAndValues},
    {"KeyLimit", {}, KeyLimit},
    {"LargeValues", {}, LargeValues},
    {"MultiGetAnswersAsGetWould", {}, MultiGetAnswersAsGetWould},
    {"MultiGetOfManyKeys", {}, MultiGetOfManyKeys},
    {"CountByPrefix", {}, CountByPrefix},
    {"StatisticsCount", {}, StatisticsCount},
    {"StatisticsNeverGoBack", {}, StatisticsNeverGoBack},
};

}  // namespace

std::span<const Check> PointChecks() { return kChecks; }

}  // namespace kv::testing
