#include "engines/memory/hash_scan.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engines/memory/entry.h"
#include "engines/memory/hash_table.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/base/hash.h"
#include "kv/contract/engine.h"

namespace kv::memory_internal {
namespace {

bool IsOf(std::string_view prefix, std::string_view key, std::string_view value,
          uint64_t expires_at = kNeverExpires) {
  return EntryPrefix(prefix).IsOf(*Entry::New(key, value, expires_at));
}

TEST(EntryPrefixTest, OfEveryLengthAroundEightBytes) {
  const std::string text = "0123456789abcdefghij";
  for (size_t prefix = 0; prefix <= text.size(); ++prefix) {
    for (size_t key = 0; key <= text.size(); ++key) {
      EXPECT_EQ(IsOf(text.substr(0, prefix), text.substr(0, key), ""), key >= prefix)
          << prefix << " bytes of a key of " << key;
      std::string other = text.substr(0, key);
      if (key == 0) continue;
      other.back() = '!';
      EXPECT_EQ(IsOf(text.substr(0, prefix), other, "", /*expires_at=*/7), key > prefix)
          << prefix << " bytes of a key of " << key << " that ends otherwise";
    }
  }
}

TEST(EntryPrefixTest, IsNotContinuedByTheValue) {
  EXPECT_FALSE(IsOf("key1", "key", "1"));
  EXPECT_FALSE(IsOf("key1value", "key1", "value"));
  EXPECT_TRUE(IsOf("key", "key", "1"));
}

TEST(EntryPrefixTest, ZeroBytesAreBytes) {
  using std::string_view_literals::operator""sv;
  EXPECT_FALSE(IsOf("a\0"sv, "a", ""));
  EXPECT_TRUE(IsOf("a\0"sv, "a\0b"sv, ""));
}

// Tables of all sizes, sparse and as full as they become, empty ones between them.
TEST(ForEachEntryTest, VisitsEachEntryOnce) {
  std::vector<HashTable> tables;
  std::vector<Entry::Owned> entries;
  std::set<std::string> expected;
  for (const size_t capacity : {8, 64, 8, 128, 1024}) {
    tables.push_back(HashTable::New(capacity));
    if (tables.size() == 3) continue;
    for (size_t i = 0; i < capacity / 4 * 3; ++i) {
      const std::string key = fmt::format("{}/{}", tables.size(), i);
      entries.push_back(Entry::New(key, "value", kNeverExpires));
      const uint64_t hash = HashKey(key);
      const HashTable::Place place = tables.back().Locate(hash, key);
      tables.back().slot(place.index).store(WordOf(TagOf(hash), entries.back().get()));
      expected.insert(key);
    }
    // A deleted one.
    const HashTable::Place gone = tables.back().Locate(HashKey("gone"), "gone");
    tables.back().slot(gone.index).store(kTombstone);
  }
  std::multiset<std::string> visited;
  ForEachEntry(tables, [&](const Entry& entry) { visited.emplace(entry.key()); });
  EXPECT_EQ(visited, std::multiset<std::string>(expected.begin(), expected.end()));
  ForEachEntry({}, [](const Entry&) { FAIL() << "there is none"; });
  for (const HashTable table : tables) ::operator delete(table.Base());
}

}  // namespace
}  // namespace kv::memory_internal
