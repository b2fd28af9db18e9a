#include "clients/slot.h"

#include <string_view>

#include "gtest/gtest.h"

namespace clients {
namespace {

// The check value of CRC-16/XMODEM, which the cluster specification gives too.
static_assert(Crc16("123456789") == 0x31C3);
static_assert(Crc16("") == 0);

TEST(Slot, HashTagsAsInTheSpecification) {
  EXPECT_EQ(HashTag("{user1000}.following"), "user1000");
  EXPECT_EQ(HashTag("foo{}{bar}"), "foo{}{bar}");
  EXPECT_EQ(HashTag("foo{{bar}}zap"), "{bar");
  EXPECT_EQ(HashTag("foo{bar}{zap}"), "bar");
  EXPECT_EQ(HashTag("foo{bar"), "foo{bar");
  EXPECT_EQ(HashTag("foo}{bar"), "foo}{bar");
  EXPECT_EQ(HashTag("}{a}"), "a");
  EXPECT_EQ(HashTag(""), "");
}

// As CLUSTER KEYSLOT answers; cluster_test.cc asks a server about others.
TEST(Slot, OfKeys) {
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf("bar"), 5061);
  EXPECT_EQ(SlotOf("hello"), 866);
  EXPECT_EQ(SlotOf("somekey"), 11058);
  EXPECT_EQ(SlotOf("123456789"), 0x31C3 % 16384);
  EXPECT_EQ(SlotOf("foo{hash_tag}"), 2515);
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("{user1000}.followers"));
}

TEST(Slot, AnyBytes) {
  EXPECT_EQ(SlotOf(std::string_view("\0", 1)), 0);
  EXPECT_LT(SlotOf("\xff\xfe\x80"), kSlots);
}

}  // namespace
}  // namespace clients
