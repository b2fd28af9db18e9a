#include "kv/base/hash.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace kv {
namespace {

// XXH3's output is frozen; stored checksums stay readable only if ours is it. The values are those
// of the xxhsum program, version 0.8.
TEST(ChecksumTest, IsXxh3) {
  EXPECT_EQ(HashKey(""), 0x2d06800538d394c2u);
  EXPECT_EQ(HashKey("a"), 0xe6c632b61e964e1fu);
  EXPECT_EQ(HashKey("abc"), 0x78af5f94892f3950u);
  EXPECT_EQ(Checksum("abc", 0), HashKey("abc"));
}

TEST(ChecksumTest, DependsOnEveryBitAndOnTheSeed) {
  std::string bytes(100, 'x');
  std::set<uint64_t> seen = {Checksum(bytes, 0), Checksum(bytes, 1), Checksum(bytes, 4096)};
  EXPECT_EQ(seen.size(), 3u);
  for (char& byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      byte = static_cast<char>(byte ^ (1 << bit));
      EXPECT_TRUE(seen.insert(Checksum(bytes, 0)).second);
      byte = static_cast<char>(byte ^ (1 << bit));
    }
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(seen.insert(Checksum(std::string_view(bytes).substr(0, size), 0)).second);
  }
}

}  // namespace
}  // namespace kv
