#include "kv/contract/write_batch.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace kv {
namespace {

using namespace std::string_view_literals;

struct Entry {
  RecordKind kind;
  std::string key;
  std::string value;
  uint64_t expires_at;
  Sequence sequence;

  friend bool operator==(const Entry&, const Entry&) = default;
};

std::vector<Entry> EntriesOf(std::string_view bytes, Sequence first, bool* well_formed) {
  std::vector<Entry> entries;
  *well_formed = WriteBatch::ForEach(bytes, first, [&](const Record& record) {
    entries.push_back({record.kind, std::string(record.key), std::string(record.value),
                       record.expires_at, record.sequence});
  });
  return entries;
}

// One of each kind of entry, with sizes of one, two and three varint bytes.
WriteBatch SomeBatch() {
  WriteBatch batch;
  batch.Put("", "");
  batch.Put("key\0"sv, std::string(300, 'v'));
  batch.Delete("");
  batch.Put("expires", "v", 1'700'000'000'000);
  batch.Delete(std::string(200, 'k'));
  batch.Put(std::string(20'000, 'k'), "v", UINT64_MAX);
  return batch;
}

TEST(WriteBatchTest, GivesBackWhatWasPutIn) {
  const WriteBatch batch = SomeBatch();
  EXPECT_EQ(batch.Count(), 6u);
  EXPECT_FALSE(batch.Empty());
  bool well_formed = false;
  const std::vector<Entry> expected = {
      {RecordKind::kValue, "", "", kNeverExpires, 100},
      {RecordKind::kValue, std::string("key\0", 4), std::string(300, 'v'), kNeverExpires, 101},
      {RecordKind::kTombstone, "", "", kNeverExpires, 102},
      {RecordKind::kValue, "expires", "v", 1'700'000'000'000, 103},
      {RecordKind::kTombstone, std::string(200, 'k'), "", kNeverExpires, 104},
      {RecordKind::kValue, std::string(20'000, 'k'), "v", UINT64_MAX, 105},
  };
  EXPECT_EQ(EntriesOf(batch.Bytes(), 100, &well_formed), expected);
  EXPECT_TRUE(well_formed);
}

// The format is on disk in every log.
TEST(WriteBatchTest, BytesAreAsDocumented) {
  WriteBatch batch;
  batch.Put("key", "value");
  batch.Delete("gone");
  batch.Put("k", "v", 0x0807060504030201);
  EXPECT_EQ(batch.Bytes(),
            "\x01\x03\x05keyvalue"
            "\x00\x04gone"
            "\x81\x01\x01\x01\x02\x03\x04\x05\x06\x07\x08kv"sv);
}

TEST(WriteBatchTest, RangeTombstonesAreEntriesOfLogs) {
  std::string bytes;
  WriteBatch::AppendRangeTombstone(&bytes, "from", "to");
  WriteBatch::AppendRangeTombstone(&bytes, "", "");
  EXPECT_EQ(bytes,
            "\x02\x04\x02"
            "fromto\x02\x00\x00"sv);
  bool well_formed = false;
  const std::vector<Entry> expected = {
      {RecordKind::kRangeTombstone, "from", "to", kNeverExpires, 7},
      {RecordKind::kRangeTombstone, "", "", kNeverExpires, 8}};
  EXPECT_EQ(EntriesOf(bytes, 7, &well_formed), expected);
  EXPECT_TRUE(well_formed);
  for (size_t cut = 1; cut < 9; ++cut) {
    Record record;
    std::string_view rest = std::string_view(bytes).substr(0, cut);
    EXPECT_FALSE(WriteBatch::TakeEntry(&rest, &record)) << cut;
  }
}

TEST(WriteBatchTest, ClearsAndAppends) {
  WriteBatch batch;
  EXPECT_TRUE(batch.Empty());
  batch.Put("a", "1");
  batch.Clear();
  EXPECT_TRUE(batch.Empty());
  EXPECT_EQ(batch.Bytes(), "");
  WriteBatch other;
  other.Put("b", "2");
  batch.Delete("a");
  batch.Append(other);
  batch.Append(WriteBatch());
  EXPECT_EQ(batch.Count(), 2u);
  bool well_formed = false;
  const std::vector<Entry> expected = {{RecordKind::kTombstone, "a", "", kNeverExpires, 0},
                                       {RecordKind::kValue, "b", "2", kNeverExpires, 1}};
  EXPECT_EQ(EntriesOf(batch.Bytes(), 0, &well_formed), expected);
  EXPECT_TRUE(well_formed);
}

// Takes entries from bytes that end where their allocation does, so that AddressSanitizer sees the
// first byte read past the end. Returns whether the bytes were well formed; entries never reach
// outside of them.
bool ReadsWithin(std::string_view bytes) {
  const auto copy = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  const std::string_view exact(copy.get(), bytes.size());
  uint64_t sum = 0;
  return WriteBatch::ForEach(exact, 0, [&](const Record& record) {
    EXPECT_GE(record.key.data(), exact.data());
    EXPECT_LE(record.value.data() + record.value.size(), exact.data() + exact.size());
    for (const char c : record.key) sum += static_cast<unsigned char>(c);
    for (const char c : record.value) sum += static_cast<unsigned char>(c);
  });
}

TEST(WriteBatchTest, ReadsNothingBeyondACut) {
  const WriteBatch batch = SomeBatch();
  // Where one entry ends and the next begins the rest is well formed; nowhere else.
  std::vector<size_t> ends = {0};
  std::string_view rest = batch.Bytes();
  for (Record record; WriteBatch::TakeEntry(&rest, &record);) {
    ends.push_back(batch.Bytes().size() - rest.size());
  }
  for (size_t kept = 0; kept <= batch.Bytes().size(); ++kept) {
    const bool at_an_end = std::find(ends.begin(), ends.end(), kept) != ends.end();
    EXPECT_EQ(ReadsWithin(batch.Bytes().substr(0, kept)), at_an_end) << kept;
  }
}

TEST(WriteBatchTest, RefusesMalformedEntries) {
  for (const std::string_view bytes :
       {"\x03\x01k"sv,                                             // a kind that is none
        "\x7f\x01k"sv,                                             //
        "\x00"sv,                                                  // no key size
        "\x01\x01"sv,                                              // no value size
        "\x00\x05key"sv,                                           // a key past the end
        "\x01\x01\x05kval"sv,                                      // a value past the end
        "\x81\x01\x01\x00\x00kv"sv,                                // half an expiry
        "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k"sv,         // a key of 2^64 - 1 bytes
        "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01kv"sv,    // a value of so many
        "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02kv"sv,    // sizes that wrap around
        "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k"sv}) {  // a varint that is none
    EXPECT_FALSE(ReadsWithin(bytes));
    std::string_view rest = bytes;
    Record record;
    EXPECT_FALSE(WriteBatch::TakeEntry(&rest, &record));
    EXPECT_EQ(rest, bytes) << "a refused entry is not taken";
  }
}

TEST(WriteBatchTest, SurvivesAnyFlippedBit) {
  std::string bytes(SomeBatch().Bytes().substr(0, 600));
  for (char& byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      byte = static_cast<char>(byte ^ (1 << bit));
      ReadsWithin(bytes);
      byte = static_cast<char>(byte ^ (1 << bit));
    }
  }
}

}  // namespace
}  // namespace kv
