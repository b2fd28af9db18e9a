#include "kv/base/bytes.h"

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

// On the heap and exactly as long as its bytes, so that AddressSanitizer sees the first byte that
// is read past the end.
class Exact {
 public:
  explicit Exact(std::string_view bytes)
      : size_(bytes.size()), bytes_(std::make_unique<char[]>(bytes.size())) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
  }
  const char* begin() const { return bytes_.get(); }
  const char* end() const { return bytes_.get() + size_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> bytes_;
};

// Every power of two and its neighbours.
std::vector<uint64_t> Numbers() {
  std::vector<uint64_t> numbers = {0, UINT64_MAX};
  for (int bit = 0; bit < 64; ++bit) {
    for (const uint64_t delta : {UINT64_MAX, uint64_t{0}, uint64_t{1}}) {
      numbers.push_back((uint64_t{1} << bit) + delta);
    }
  }
  return numbers;
}

TEST(FixedTest, IsLittleEndian) {
  std::string bytes;
  AppendFixed32(&bytes, 0x04030201);
  AppendFixed64(&bytes, 0x0c0b0a0908070605);
  EXPECT_EQ(bytes, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc");
  EXPECT_EQ(LoadFixed32(bytes.data()), 0x04030201u);
  EXPECT_EQ(LoadFixed64(bytes.data() + 4), 0x0c0b0a0908070605u);
  char stored[8];
  StoreFixed32(stored, 0x04030201);
  EXPECT_EQ(std::string_view(stored, 4), "\1\2\3\4");
  StoreFixed64(stored, 1);
  EXPECT_EQ(std::string_view(stored, 8), "\1\0\0\0\0\0\0\0"sv);
  StoreBig64(stored, 1);
  EXPECT_EQ(std::string_view(stored, 8), "\0\0\0\0\0\0\0\1"sv);
  EXPECT_EQ(LoadBig64(stored), 1u);
}

TEST(VarintTest, RoundTripsAndIsAsLongAsItSays) {
  for (const uint64_t number : Numbers()) {
    std::string bytes;
    AppendVarint64(&bytes, number);
    EXPECT_EQ(bytes.size(), VarintBytes(number)) << number;
    EXPECT_LE(bytes.size(), kMaxVarint64Bytes);
    const Exact exact(bytes);
    uint64_t loaded = ~number;
    EXPECT_EQ(LoadVarint64(exact.begin(), exact.end(), &loaded), exact.end()) << number;
    EXPECT_EQ(loaded, number);
    // Stops where the number does.
    const Exact longer(bytes + "\xff");
    EXPECT_EQ(LoadVarint64(longer.begin(), longer.end(), &loaded), longer.end() - 1);
    EXPECT_EQ(loaded, number);
  }
}

TEST(VarintTest, RefusesEveryCutAndReadsNothingBeyondIt) {
  for (const uint64_t number : Numbers()) {
    std::string bytes;
    AppendVarint64(&bytes, number);
    for (size_t kept = 0; kept < bytes.size(); ++kept) {
      const Exact cut(std::string_view(bytes).substr(0, kept));
      uint64_t loaded;
      EXPECT_EQ(LoadVarint64(cut.begin(), cut.end(), &loaded), nullptr) << number << ", " << kept;
    }
  }
}

TEST(VarintTest, RefusesMoreThan64Bits) {
  uint64_t loaded;
  // Ten bytes hold 70 bits; the tenth may add one.
  const Exact largest("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(LoadVarint64(largest.begin(), largest.end(), &loaded), largest.end());
  EXPECT_EQ(loaded, UINT64_MAX);
  for (const std::string_view bytes :
       {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"sv,
        "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"sv,
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv}) {
    const Exact exact(bytes);
    EXPECT_EQ(LoadVarint64(exact.begin(), exact.end(), &loaded), nullptr);
  }
}

TEST(TakeTest, TakesOffTheFront) {
  std::string bytes;
  AppendVarint64(&bytes, 300);
  AppendLengthPrefixed(&bytes, "");
  AppendLengthPrefixed(&bytes, "key\0"sv);
  AppendLengthPrefixed(&bytes, std::string(200, 'v'));
  const Exact exact(bytes);
  std::string_view rest = exact.view();
  uint64_t number = 0;
  std::string_view taken;
  ASSERT_TRUE(TakeVarint64(&rest, &number));
  EXPECT_EQ(number, 300u);
  ASSERT_TRUE(TakeLengthPrefixed(&rest, &taken));
  EXPECT_EQ(taken, "");
  ASSERT_TRUE(TakeLengthPrefixed(&rest, &taken));
  EXPECT_EQ(taken, "key\0"sv);
  ASSERT_TRUE(TakeLengthPrefixed(&rest, &taken));
  EXPECT_EQ(taken, std::string(200, 'v'));
  EXPECT_TRUE(rest.empty());
  EXPECT_FALSE(TakeVarint64(&rest, &number));
  EXPECT_FALSE(TakeLengthPrefixed(&rest, &taken));
}

TEST(TakeTest, LeavesItsArgumentAloneWhenItRefuses) {
  for (const std::string_view bytes : {"\x05"
                                       "four"sv,
                                       "\x80"sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"sv}) {
    const Exact exact(bytes);
    std::string_view rest = exact.view();
    std::string_view taken = "untouched";
    EXPECT_FALSE(TakeLengthPrefixed(&rest, &taken));
    EXPECT_EQ(rest.data(), exact.begin());
    EXPECT_EQ(rest.size(), bytes.size());
    EXPECT_EQ(taken, "untouched");
  }
}

// All keys of up to three bytes of an alphabet with the extremes, alone and after 6 and 8 others.
std::vector<std::string> ManyKeys() {
  std::vector<std::string> keys = {""};
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].size() == 3) continue;
    for (const char c : "\0a\x7f\x80\xff"sv) keys.push_back(keys[i] + c);
  }
  const size_t count = keys.size();
  for (size_t i = 0; i < count; ++i) {
    keys.push_back("prefix" + keys[i]);
    keys.push_back("prefixes" + keys[i]);
  }
  return keys;
}

TEST(CompareBytesTest, OrdersAsStringsDo) {
  std::vector<std::string> keys = ManyKeys();
  // Differences on either side of each word, beyond the words, and in sign.
  for (const size_t at : {0, 7, 8, 15, 16, 23}) {
    for (const char byte : {'\0', '\x7f', '\x80', '\xff'}) {
      keys.push_back(std::string(24, 'x'));
      keys.back()[at] = byte;
      keys.push_back(keys.back().substr(0, at + 1));
    }
  }
  const auto sign = [](int order) { return (order > 0) - (order < 0); };
  for (const std::string& a : keys) {
    const Exact exact(a);
    for (const std::string& b : keys) {
      EXPECT_EQ(sign(CompareBytes(exact.view(), b)), sign(a.compare(b))) << a << " and " << b;
    }
  }
}

TEST(KeyHeadTest, OrdersWhatItTellsApart) {
  const std::vector<std::string> keys = ManyKeys();
  for (const std::string& a : keys) {
    const Exact exact(a);
    const uint64_t head = KeyHead(exact.view());
    for (const std::string& b : keys) {
      if (head != KeyHead(b)) {
        EXPECT_EQ(head < KeyHead(b), a < b);
      } else if (a != b) {
        // They agree in all bytes that a head has, where a missing byte counts as NUL.
        std::string a_padded = a.substr(0, 8);
        std::string b_padded = b.substr(0, 8);
        a_padded.resize(8);
        b_padded.resize(8);
        EXPECT_EQ(a_padded, b_padded);
      }
    }
  }
  EXPECT_EQ(KeyHead(""), 0u);
  EXPECT_EQ(KeyHead("a"), KeyHead("a\0"sv));
}

TEST(CommonPrefixLengthTest, CountsEqualBytes) {
  const std::vector<std::string> keys = ManyKeys();
  for (const std::string& a : keys) {
    const Exact exact(a);
    for (const std::string& b : keys) {
      size_t expected = 0;
      while (expected < a.size() && expected < b.size() && a[expected] == b[expected]) ++expected;
      EXPECT_EQ(CommonPrefixLength(exact.view(), b), expected);
    }
  }
  // In each byte of a word, and past several words.
  for (size_t at = 0; at < 40; ++at) {
    std::string other(40, 'x');
    other[at] = 'y';
    EXPECT_EQ(CommonPrefixLength(std::string(40, 'x'), other), at);
  }
}

TEST(SkipZerosTest, FindsTheFirstOther) {
  for (size_t size = 0; size < 40; ++size) {
    for (size_t from = 0; from <= size; ++from) {
      EXPECT_EQ(SkipZeros(std::string(size, '\0'), from), size);
      for (size_t at = from; at < size; ++at) {
        std::string bytes(size, '\0');
        bytes[at] = 'x';
        bytes.back() = 'y';
        EXPECT_EQ(SkipZeros(Exact(bytes).view(), from), at);
      }
    }
  }
}

TEST(PrefixSuccessorTest, IsTheLeastKeyAboveThePrefix) {
  EXPECT_EQ(PrefixSuccessor(""), "");
  EXPECT_EQ(PrefixSuccessor("a"), "b");
  EXPECT_EQ(PrefixSuccessor("az"), "a{");
  EXPECT_EQ(PrefixSuccessor("a\xff"), "b");
  EXPECT_EQ(PrefixSuccessor("a\xff\xff"), "b");
  EXPECT_EQ(PrefixSuccessor("\xff"), "");
  EXPECT_EQ(PrefixSuccessor("\xff\xff\xff"), "");
  EXPECT_EQ(PrefixSuccessor("\x7f"), "\x80");
  EXPECT_EQ(PrefixSuccessor("a\0"sv), "a\x01");
  for (const std::string& prefix : ManyKeys()) {
    const std::string successor = PrefixSuccessor(prefix);
    for (const std::string& key : ManyKeys()) {
      const bool below = successor.empty() || key < successor;
      EXPECT_EQ(key >= prefix && below, key.starts_with(prefix));
    }
  }
}

}  // namespace
}  // namespace kv
