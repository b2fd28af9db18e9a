// What the conformance suite cannot aim at, as it does not know of nodes: each size of node with
// each way into and out of it, keys that end where others go on, and readers beside a node that
// grows.

#include "kv/memtable/art.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/contract/record.h"

namespace kv {
namespace {

using art_internal::Child;
using art_internal::kBefore;
using art_internal::kBehind;
using art_internal::kEnd;
using art_internal::Node;

// A memtable and what it has to show: a map in internal order.
class Twins {
 public:
  void Insert(std::string_view key, Sequence sequence) {
    const std::string value = std::to_string(sequence);
    art_.Insert({.key = key, .value = value, .sequence = sequence});
    map_[{std::string(key), kMaxSequence - sequence}] = value;
  }

  void ExpectGet(std::string_view key, Sequence at) const {
    const auto place = map_.lower_bound({std::string(key), kMaxSequence - at});
    const bool there = place != map_.end() && place->first.first == key;
    Record found;
    ASSERT_EQ(art_.Get(key, at, &found), there);
    if (there) ExpectRecord(found, place);
  }

  // To the pair and two moves either way.
  void ExpectSeek(std::string_view key, Sequence at) const {
    ArtMemtable::Cursor cursor(&art_);
    for (const bool forwards : {true, false}) {
      auto place = map_.lower_bound({std::string(key), kMaxSequence - at});
      cursor.Seek(key, at);
      for (int move = 0; move < 3; ++move) {
        ASSERT_EQ(cursor.Valid(), place != map_.end());
        if (place == map_.end()) break;
        ExpectRecord(cursor.record(), place);
        forwards ? cursor.Next() : cursor.Prev();
        place = forwards ? std::next(place) : place == map_.begin() ? map_.end() : std::prev(place);
      }
    }
  }

  void ExpectWalks() const {
    ArtMemtable::Cursor cursor(&art_);
    cursor.SeekToFirst();
    for (auto place = map_.begin(); place != map_.end(); ++place, cursor.Next()) {
      ASSERT_TRUE(cursor.Valid());
      ExpectRecord(cursor.record(), place);
    }
    EXPECT_FALSE(cursor.Valid());
    cursor.SeekToLast();
    for (auto place = map_.rbegin(); place != map_.rend(); ++place, cursor.Prev()) {
      ASSERT_TRUE(cursor.Valid());
      ExpectRecord(cursor.record(), std::next(place).base());
    }
    EXPECT_FALSE(cursor.Valid());
    EXPECT_EQ(art_.Entries(), map_.size());
  }

 private:
  // Sequences descend within a key.
  using Map = std::map<std::pair<std::string, uint64_t>, std::string>;

  static void ExpectRecord(const Record& record, Map::const_iterator place) {
    EXPECT_EQ(record.key, place->first.first);
    EXPECT_EQ(record.sequence, kMaxSequence - place->first.second);
    EXPECT_EQ(record.value, place->second);
  }

  ArtMemtable art_;
  Map map_;
};

std::vector<int> ShuffledBytes(uint64_t seed) {
  std::vector<int> bytes(256);
  std::iota(bytes.begin(), bytes.end(), 0);
  std::shuffle(bytes.begin(), bytes.end(), std::mt19937_64(seed));
  return bytes;
}

// Fills a node of type N with as many bytes as it takes; before and after each, all of its answers
// are compared with a map's.
template <typename N>
void CheckNode(size_t capacity) {
  SCOPED_TRACE(capacity);
  // What children lead to is not read: only their addresses are compared.
  std::array<uint64_t, 257> targets{};
  const auto child_of = [&](int symbol) {
    return Child(reinterpret_cast<uintptr_t>(&targets[static_cast<size_t>(symbol + 1)]));
  };
  const auto check = [](Node& node, const std::map<int, Child>& expected) {
    for (int symbol = kEnd; symbol < kBehind; ++symbol) {
      const auto place = expected.find(symbol);
      const art_internal::Slot* const slot = node.Find(symbol);
      ASSERT_EQ(slot != nullptr, place != expected.end()) << symbol;
      if (slot != nullptr) {
        EXPECT_EQ(slot->Load().word(), place->second.word());
      }
    }
    for (int from = kBefore; from <= kBehind; ++from) {
      const auto behind = expected.upper_bound(from);
      const art_internal::Branch next = node.Next(from);
      ASSERT_EQ(static_cast<bool>(next.child), behind != expected.end()) << from;
      if (next.child) {
        EXPECT_EQ(next.symbol, behind->first);
        EXPECT_EQ(next.child.word(), behind->second.word());
      }
      if (from == kBefore) continue;
      const auto at = expected.lower_bound(from);
      const art_internal::Branch prev = node.Prev(from);
      ASSERT_EQ(static_cast<bool>(prev.child), at != expected.begin()) << from;
      if (prev.child) {
        EXPECT_EQ(prev.symbol, std::prev(at)->first);
        EXPECT_EQ(prev.child.word(), std::prev(at)->second.word());
      }
    }
  };
  for (const bool with_end : {false, true}) {
    N node(3, nullptr);
    std::map<int, Child> expected;
    if (with_end) {
      expected[kEnd] = child_of(kEnd);
      ASSERT_TRUE(node.Add(kEnd, child_of(kEnd)));
    }
    check(node, expected);
    for (const int byte : ShuffledBytes(capacity)) {
      const bool fits = expected.size() - with_end < capacity;
      ASSERT_EQ(node.Add(byte, child_of(byte)), fits);
      if (!fits) break;
      expected[byte] = child_of(byte);
      check(node, expected);
    }
    EXPECT_EQ(expected.size() - with_end, capacity);
  }
}

TEST(ArtNode, AnswersAsAMapAtEachSizeUntilFull) {
  CheckNode<art_internal::List4>(4);
  CheckNode<art_internal::List16>(16);
  CheckNode<art_internal::Node48>(48);
  CheckNode<art_internal::Node256>(256);
}

TEST(ArtMemtable, GrowsThroughAllSizesOfNode) {
  for (const bool with_end : {false, true}) {
    Twins twins;
    Sequence sequence = 0;
    if (with_end) twins.Insert("node", ++sequence);
    for (const int byte : ShuffledBytes(7)) {
      const std::string key = std::string("node") + static_cast<char>(byte);
      twins.ExpectGet(key, kMaxSequence);
      twins.Insert(key, ++sequence);
      twins.Insert(key + "below", ++sequence);
      twins.ExpectGet(key, kMaxSequence);
      twins.ExpectSeek(key, kMaxSequence);
      twins.ExpectSeek("node", kMaxSequence);
      if (sequence % 16 < 2) twins.ExpectWalks();
    }
    if (!with_end) twins.Insert("node", ++sequence);
    twins.ExpectWalks();
  }
}

TEST(ArtMemtable, KeysThatArePrefixesOfOthersInAnyOrder) {
  using namespace std::string_view_literals;
  std::vector<std::string_view> keys = {""sv,     "\0"sv,     "\0\0"sv,     "\0\xff"sv,
                                        "\xff"sv, "\xff\0"sv, "\xff\xff"sv, "a\0"sv};
  std::mt19937_64 random(4);
  for (int order = 0; order < 200; ++order) {
    std::shuffle(keys.begin(), keys.end(), random);
    Twins twins;
    Sequence sequence = 0;
    for (const std::string_view key : keys) twins.Insert(key, ++sequence);
    twins.ExpectWalks();
    for (const std::string_view key : {""sv, "\0"sv, "\0\1"sv, "\0\0\0"sv, "\1"sv, "a"sv, "a\0\0"sv,
                                       "b"sv, "\xff\1"sv, "\xff\xff\xff"sv}) {
      twins.ExpectGet(key, kMaxSequence);
      twins.ExpectSeek(key, kMaxSequence);
    }
    ASSERT_FALSE(HasFailure());
  }
}

TEST(ArtMemtable, PathsWithoutBranchesSplitAtEachOfTheirBytes) {
  const std::string path(70, 'p');
  std::vector<int> depths(path.size());
  std::iota(depths.begin(), depths.end(), 0);
  std::shuffle(depths.begin(), depths.end(), std::mt19937_64(3));
  Twins twins;
  Sequence sequence = 0;
  twins.Insert(path, ++sequence);
  for (const int depth : depths) {
    const std::string shared = path.substr(0, static_cast<size_t>(depth));
    for (const char branch : {'a', 'z'}) {
      twins.ExpectSeek(shared + branch, kMaxSequence);
      twins.Insert(shared + branch + path, ++sequence);
      twins.ExpectSeek(shared + branch, kMaxSequence);
    }
    twins.Insert(shared, ++sequence);
    twins.ExpectSeek(shared, kMaxSequence);
  }
  twins.ExpectWalks();
}

TEST(ArtMemtable, LongestKeysThatDifferInTheLastByte) {
  Twins twins;
  std::string key(65'536, '\xff');
  for (int byte = 0; byte < 256; byte += 5) {
    key.back() = static_cast<char>(byte);
    twins.Insert(key, static_cast<Sequence>(byte + 1));
  }
  twins.ExpectWalks();
  key.back() = 1;
  twins.ExpectGet(key, kMaxSequence);
  twins.ExpectSeek(key, kMaxSequence);
}

TEST(ArtMemtable, RandomHistoriesAgainstAMap) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    // From a few deep paths with many prefixes to one wide node.
    const uint64_t letters = std::array<uint64_t, 5>{1, 2, 5, 40, 256}[seed % 5];
    const uint64_t longest = letters == 256 ? 2 : letters == 40 ? 3 : 9;
    const auto any_key = [&] {
      std::string key;
      for (uint64_t size = random() % (longest + 1); size > 0; --size) {
        // Spread over all bytes, both ends included.
        const uint64_t letter = random() % letters;
        key += static_cast<char>(letters == 1 ? 0xff : letter * 255 / (letters - 1));
      }
      return key;
    };
    // Sequences in random order: versions do not always come newest last.
    std::vector<Sequence> sequences(1'500);
    std::iota(sequences.begin(), sequences.end(), 1);
    if (seed % 2 == 0) std::shuffle(sequences.begin(), sequences.end(), random);
    Twins twins;
    for (const Sequence sequence : sequences) {
      twins.Insert(any_key(), sequence);
      twins.ExpectGet(any_key(), random() % 1'600);
      twins.ExpectSeek(any_key(), random() % 1'600);
      ASSERT_FALSE(HasFailure());
    }
    twins.ExpectWalks();
  }
}

// One writer lets nodes grow to their largest, level by level; readers know what must be there.
TEST(ArtMemtable, ReadersBesideGrowingNodesMissNothing) {
  constexpr size_t kKeys = 256 * 24;
  std::vector<std::string> keys;
  for (int high = 0; high < 24; ++high) {
    for (int low = 0; low < 256; ++low) {
      // Half of them branch above the others, and some end where others go on.
      keys.push_back({static_cast<char>(high * 11), static_cast<char>(low)});
      if (low % 2 == 0) keys.back().insert(1, "middle");
      if (low % 16 != 1) continue;
      keys.back().pop_back();
      if (low > 1) keys.back().append(static_cast<size_t>(low / 16 + 1), '\xff');
    }
  }
  ASSERT_EQ(keys.size(), kKeys);
  std::shuffle(keys.begin(), keys.end(), std::mt19937_64(5));
  ArtMemtable art;
  std::atomic<size_t> inserted{0};
  std::atomic<bool> failed{false};

  const auto read = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    ArtMemtable::Cursor cursor(&art);
    for (size_t there = 0; there < kKeys;) {
      // acquire: pairs with the release of the writer below; so do the inserts before it.
      there = inserted.load(std::memory_order_acquire);
      if (there == 0) continue;
      const std::string& key = keys[random() % there];
      Record found;
      if (!art.Get(key, kMaxSequence, &found) || found.key != key) failed = true;
      cursor.Seek(key, kMaxSequence);
      if (!cursor.Valid() || cursor.record().key != key) failed = true;
      if (random() % 64 != 0) continue;
      const bool forwards = random() % 2 == 0;
      size_t met = 0;
      std::string last;
      forwards ? cursor.SeekToFirst() : cursor.SeekToLast();
      while (cursor.Valid()) {
        const std::string_view here = cursor.record().key;
        if (met++ > 0 && (forwards ? here <= last : here >= last)) failed = true;
        last = here;
        forwards ? cursor.Next() : cursor.Prev();
      }
      if (met < there) failed = true;
    }
  };
  std::vector<std::thread> readers;
  for (uint64_t seed = 1; seed <= 3; ++seed) readers.emplace_back(read, seed);
  for (size_t i = 0; i < kKeys; ++i) {
    art.Insert({.key = keys[i], .value = "value", .sequence = i + 1});
    inserted.store(i + 1, std::memory_order_release);
    if (i % 64 == 0) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed.load());
}

}  // namespace
}  // namespace kv
