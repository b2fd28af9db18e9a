// Tables with a dictionary: trained, stored, read again and refused; and the bytes of both versions
// of the format, which stay readable.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "engines/lsm/table.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/table_testing.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

using Trained = ZstdCompression<ZstdShape{.level = 1, .bottom_level = 9, .dictionary_bytes = 4096}>;
using TrainedParts = TableParts<BlockedBloomFilter<10>, ClockCache, Trained, PreadReading>;
using PlainParts = TableParts<BlockedBloomFilter<10>, ClockCache, ZstdCompression<>, PreadReading>;

Records Documents(size_t count) {
  constexpr std::string_view kCities[] = {"Amsterdam", "Berlin", "Copenhagen", "Dublin", "Geneva"};
  std::mt19937_64 random(1);
  Records run;
  for (size_t i = 0; i < count; ++i) {
    run.push_back(
        {.key = fmt::format("user:{:08}", i),
         .value = fmt::format(
             R"({{"id":{},"email":"user{}@example.com","city":"{}","active":{},"visits":{}}})",
             random() % 1'000'000, random() % 1'000, kCities[random() % 5], random() % 2 == 0,
             random() % 100),
         .sequence = 1});
  }
  return run;
}

std::string Noise(uint64_t seed, size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

template <typename Parts>
OpenedTable<Parts, SimulatedFileSystem> Build(const Records& run) {
  auto table = BuildTable<Parts>(SimulatedFileSystem(), "/table", run, 4096);
  const absl::Status opened = table.Open();
  EXPECT_TRUE(opened.ok()) << opened;
  return table;
}

uint64_t VersionOf(std::string_view bytes) {
  return LoadFixed64(bytes.data() + bytes.size() - 3 * sizeof(uint64_t));
}

TEST(TableDictionaryTest, TrainedTablesAnswerAndAreSmaller) {
  // More than is held back to train on.
  const Records run = Documents(20'000);
  auto trained = Build<TrainedParts>(run);
  auto plain = Build<PlainParts>(run);
  EXPECT_EQ(VersionOf(*trained.files.Contents("/table")), kTableVersionWithDictionary);
  EXPECT_EQ(VersionOf(*plain.files.Contents("/table")), kTableVersion);
  EXPECT_LT(trained.meta.bytes, plain.meta.bytes * 9 / 10);
  EXPECT_TRUE(AskEverything(*trained.table, run).ok());
  const absl::Status verified = trained.table->Verify();
  EXPECT_TRUE(verified.ok()) << verified;
}

// The mapped reader, of a shape that trains none, reads what the other one wrote.
TEST(TableDictionaryTest, EveryShapeReadsDictionaries) {
  const Records run = Documents(3'000);
  auto trained = Build<TrainedParts>(run);
  ASSERT_EQ(VersionOf(*trained.files.Contents("/table")), kTableVersionWithDictionary);
  ClockCache cache(1 << 20);
  auto table = Table<CompressedParts, SimulatedFileSystem>::Open(trained.files, "/table",
                                                                 trained.meta, &cache);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(AskEverything(**table, run).ok());
  EXPECT_TRUE((*table)->Verify().ok());
}

TEST(TableDictionaryTest, SmallTablesAndNoiseGoWithout) {
  Records noise;
  for (int i = 0; i < 10'000; ++i) {
    noise.push_back({.key = fmt::format("{:08}", i),
                     .value = Noise(static_cast<uint64_t>(i), 100),
                     .sequence = 1});
  }
  for (const Records& run : {Documents(1), Documents(100), noise}) {
    auto table = Build<TrainedParts>(run);
    EXPECT_EQ(VersionOf(*table.files.Contents("/table")), kTableVersion);
    EXPECT_TRUE(AskEverything(*table.table, run).ok());
    EXPECT_TRUE(table.table->Verify().ok());
  }
}

TEST(TableDictionaryTest, TheBottomIsCompressedHarder) {
  const Records run = Documents(5'000);
  uint64_t bytes[2];
  for (const auto depth : {CompressionDepth::kUpper, CompressionDepth::kBottom}) {
    auto builder = TableBuilder<TrainedParts, SimulatedFileSystem>::Create(
        SimulatedFileSystem(), "/table", 1, {.depth = depth});
    ASSERT_TRUE(builder.ok());
    for (const OwnedRecord& record : run) ASSERT_TRUE(builder->Add(record.view()).ok());
    auto meta = builder->Finish();
    ASSERT_TRUE(meta.ok());
    bytes[static_cast<size_t>(depth)] = meta->bytes;
  }
  EXPECT_LT(bytes[1], bytes[0]);
}

// Whichever write fails, while blocks are held back or after, the error comes out.
TEST(TableDictionaryTest, EveryFailureIsReported) {
  const Records run = Documents(12'000);
  for (uint64_t failing = 0;; ++failing) {
    SimulatedFileSystem files;
    files.FailAfter(failing, Fault::kIoError);
    auto builder = TableBuilder<TrainedParts, SimulatedFileSystem>::Create(files, "/table", 1);
    if (!builder.ok()) continue;
    absl::Status first;
    for (const OwnedRecord& record : run) {
      first = builder->Add(record.view());
      if (!first.ok()) break;
    }
    const absl::Status finished = builder->Finish().status();
    if (first.ok() && finished.ok()) break;  // the fault lies beyond the last operation
    EXPECT_TRUE(absl::IsUnavailable(finished)) << finished;
    ASSERT_LT(failing, 20u);
  }
}

// ---- Bytes that a checksum vouches for, but that no builder wrote.

class HostileDictionaryTest : public testing::Test {
 protected:
  HostileDictionaryTest()
      : table_(Build<PreadDictionaryParts>(run_)), bytes_(*table_.files.Contents("/table")) {}

  static size_t FooterOf(const std::string& bytes) { return bytes.size() - TableFooter::kBytes; }

  // Puts checksums right and opens; what can be opened is then used.
  absl::Status Open(std::string bytes) {
    const size_t footer = FooterOf(bytes);
    StoreFixed64(bytes.data() + footer + 80,
                 Checksum(std::string_view(bytes).substr(footer, TableFooter::kBytes - 8),
                          BlockSeed(table_.meta.number, footer)));
    auto file = table_.files.Create("/table");
    EXPECT_TRUE(file.ok() && file->Append(bytes).ok());
    const absl::Status status = table_.Open();
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status) || absl::IsFailedPrecondition(status))
        << status;
    if (!status.ok()) return status;
    typename Table<PreadDictionaryParts, SimulatedFileSystem>::Cursor cursor(table_.table.get());
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) sum_ += cursor.record().value.size();
    return table_.table->Verify();
  }

  Records run_ = RecordMaker(1).Make(60, 3, 25);
  OpenedTable<PreadDictionaryParts, SimulatedFileSystem> table_;
  std::string bytes_;
  uint64_t sum_ = 0;
};

TEST_F(HostileDictionaryTest, Footers) {
  ASSERT_TRUE(Open(bytes_).ok());
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = bytes_;
    char* const footer = bytes.data() + FooterOf(bytes);
    for (uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      char* const word = footer + 8 * (2 + random() % 7);
      const uint64_t was = LoadFixed64(word);
      const uint64_t interesting[] = {0,
                                      1,
                                      2,
                                      was - 1,
                                      was + 1,
                                      was + 64,
                                      bytes.size(),
                                      UINT64_MAX - random() % 300,
                                      random() % bytes.size()};
      StoreFixed64(word, interesting[random() % 9]);
    }
    if (bytes != bytes_) {
      EXPECT_FALSE(Open(bytes).ok()) << round;
    }
  }
}

TEST_F(HostileDictionaryTest, Dictionaries) {
  const char* const footer = bytes_.data() + FooterOf(bytes_);
  const uint64_t begin = LoadFixed64(footer + 16) + LoadFixed64(footer + 24) + kBlockTrailerBytes;
  const size_t size = LoadFixed64(footer + 32) - kBlockTrailerBytes - begin;
  ASSERT_EQ(size, FirstBytesDictionary::kDictionaryBytes);
  std::mt19937_64 random(2);
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string bytes = bytes_;
    char* const dictionary = bytes.data() + begin;
    if (round % 2 == 0) {
      Noise(static_cast<uint64_t>(round), size).copy(dictionary, size);
    } else {
      // What zstd takes for the tables of a dictionary of its own making.
      StoreFixed32(dictionary, 0xEC30A437);
      for (uint64_t edits = random() % 40; edits > 0; --edits) {
        dictionary[4 + random() % (size - 4)] = static_cast<char>(random());
      }
    }
    StoreFixed64(dictionary + size + 1, Checksum(std::string_view(dictionary, size + 1),
                                                 BlockSeed(table_.meta.number, begin)));
    refused += !Open(bytes).ok();
  }
  EXPECT_GT(refused, 900);
}

// ---- Both versions. Who has to change these bytes changes the format.

// Three records, uncompressed, under BlockedBloomFilter<10>.
constexpr char kVersion2[] =
    "0005190d6b657930307468652076616c7565206f66206b6579206e756d62657220300401190931746865207661"
    "6c7565206f66206b6579206e756d6265722031040119070068e5cf8b010000327468652076616c7565206f6620"
    "6b6579206e756d6265722032009a08c3cf660291e70300000004000000c74ca000000000000000220040000000"
    "000000000000003000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000010000100000040000000010004000000000002000010000040000900000000000"
    "0000000000008000000000080000000008000020040000000002000000004200c4deb1d14ee957de01de010400"
    "056b6579303200d67399fbee2d1e3ccb010000000000002a0300015a01030080d095ffbc3180d095ffbc31056b"
    "65793030056b6579303200046e6f6e6511626c6f636b65645f626c6f6f6d3c31303e000601000031ddaad07d78"
    "fe05009a66dd322a91d11c2a00000000000000cb01000000000000c00000000000000040000000000000000901"
    "0000000000000b000000000000001d010000000000004d0000000000000002000000000000004153485254424c"
    "459ff2cb67d9ded7f5";
// The same, compressed with FirstBytesDictionary, 40 records.
constexpr char kVersion3[] =
    "e10728b52ffd60e1024d0600f2081c1d902b1d405f73ad0d44fbfc58eddb3692bdf7265ba6977cccd5a494b401"
    "aded8dc9d82a63ae2530a6da1d2c4b30664a855dc3ee6117614ce6099fb62b7ccabef0e9fa9fc6613800507f63"
    "cce5778c999ede30e6fe0e63fe0f632a57fe18936120e8b4b5083a65ec24e874ad9ba05315262000e38af81673"
    "b1acbb2e8a4541b098d7ad8b09844503b6759b818c795d3444d16229592d15e605dc10258b8b705ea0c3d24622"
    "eb3e8b288a815c832c15a2bdde326828030a2d00e92a74d0040c06021497540502013af81555c1b8e6c5830328"
    "b52ffd60830085030012851018804bd201f3186544c0d98444280cac90f7c03e888b5052b455978e299d744468"
    "40c7f339d091f1828e8b1f747c4247f3858e8a37744cfca16399328f8603d182041000b0982516f659848685cf"
    "0d30d70a7137f4c25becb694bad94637eb0251e6b618b92da60da011af210201a6d2aa138b433c7f1d00000003"
    "000000c74ca050a3cbbf25f78519f2cf38b2ef1652c90b3c608f23ef3469864a00000000002300420069008800"
    "a700ce00ed000c013301510171019901b901d9010102210244026b028a02a902d102f1021103390359037903a1"
    "03c103000000000000000000000000303000000000000036310b000000030000002fb2dd761164c90837f6d400"
    "0000000000002b004b006b009300b300d300fb001b013b01630100000000000000003932000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000c58210d91707850c35"
    "bbcc1234d072084db1a16d224d1a00de23d897ce814c3c8411adac0947aa920091a48e0c132a117a29cc862004"
    "435103000200034530520006f95eb67c9a913f000519a1016b657930307468652076616c7565206f66206b6579"
    "206e756d62657220300401199d01317468652076616c7565206f66206b6579206e756d62657220310401199b01"
    "0068e5cf8b010000327468652076616c7565206f66206b6579206e756d62657220320401199501337468652076"
    "616c7565206f66206b6579206e756d62657220330401199101347468652076616c7565206f66206b6579206e75"
    "6d62657220340401198f010068e5cf8b010000357468652076616c7565206f66206b6579206e75004d2a00da01"
    "4811f202bd030f00056b657932388b020703023339002b48c4f0b30102ac2b040000000000002a28000dce0901"
    "280080d095ffbc3180d095ffbc31056b65793030056b65793339000b666972737420627974657311626c6f636b"
    "65645f626c6f6f6d3c31303e010601000031ddaad07d78fe0500667d0cbf0493b5412a000000000000002b0400"
    "0000000000400200000000000040000000000000005a0300000000000012000000000000007503000000000000"
    "550000000000000003000000000000004153485254424c45b7513dcff1e60bab";

Records GoldenRun(int count) {
  Records run;
  for (int i = 0; i < count; ++i) {
    run.push_back({.key = fmt::format("key{:02}", i),
                   .value = fmt::format("the value of key number {}", i),
                   .sequence = static_cast<Sequence>(count - i),
                   .expires_at = i % 3 == 2 ? 1'700'000'000'000 : kNeverExpires});
  }
  return run;
}

template <typename Parts>
void ReadGolden(std::string_view hex, const Records& run) {
  const std::string bytes = absl::HexStringToBytes(ToAbsl(hex));
  SimulatedFileSystem files;
  auto file = files.Create("/table");
  ASSERT_TRUE(file.ok() && file->Append(bytes).ok());
  OpenedTable<Parts, SimulatedFileSystem> opened{files, "/table", MetaOf(run), {}, {}};
  opened.meta.number = 42;
  opened.meta.bytes = bytes.size();
  const absl::Status status = opened.Open();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(AskEverything(*opened.table, run).ok());
  EXPECT_TRUE(opened.table->Verify().ok());
}

TEST(TableGoldenTest, Version2IsReadAndWritten) {
  ReadGolden<MappedParts>(kVersion2, GoldenRun(3));
  ReadGolden<PreadParts>(kVersion2, GoldenRun(3));
  ReadGolden<PreadDictionaryParts>(kVersion2, GoldenRun(3));
  const auto built = BuildTable<MappedParts>(SimulatedFileSystem(), "/table", GoldenRun(3), 256);
  EXPECT_EQ(absl::BytesToHexString(*built.files.Contents("/table")), kVersion2);
}

// Not that it is written so: what zstd makes of a block may differ from one release to the next.
TEST(TableGoldenTest, Version3IsRead) {
  ReadGolden<CompressedParts>(kVersion3, GoldenRun(40));
  ReadGolden<PreadDictionaryParts>(kVersion3, GoldenRun(40));
}

}  // namespace
}  // namespace kv
