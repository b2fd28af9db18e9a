#include "clients/reply.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace clients {
namespace {

// The one reply in `bytes`.
Reply Read(std::string_view bytes) {
  ReplyReader reader;
  Reply reply;
  EXPECT_TRUE(reader.Feed(bytes).ok());
  const auto whole = reader.Next(&reply);
  EXPECT_TRUE(whole.ok() && *whole) << bytes;
  EXPECT_FALSE(reader.in_the_middle());
  return reply;
}

TEST(Reply, EachType) {
  EXPECT_EQ(Read("+PONG\r\n").type(), ReplyType::kStatus);
  EXPECT_EQ(Read("+PONG\r\n").text(), "PONG");
  EXPECT_TRUE(Read("-ERR x\r\n").is_error());
  EXPECT_EQ(Read("-ERR x\r\n").text(), "ERR x");
  EXPECT_EQ(Read(":-42\r\n").integer(), -42);
  EXPECT_EQ(Read(std::string_view("$3\r\na\0b\r\n", 9)).text(), std::string_view("a\0b", 3));
  EXPECT_EQ(Read("$0\r\n\r\n").text(), "");
  EXPECT_TRUE(Read("$-1\r\n").is_nil());
  EXPECT_TRUE(Read("*-1\r\n").is_nil());
  EXPECT_EQ(Read("*0\r\n").size(), 0u);
}

TEST(Reply, Trees) {
  const Reply reply = Read("*4\r\n*2\r\n$1\r\na\r\n*1\r\n:7\r\n*0\r\n$-1\r\n$2\r\nbc\r\n");
  ASSERT_EQ(reply.size(), 4u);
  ASSERT_EQ(reply[0].size(), 2u);
  EXPECT_EQ(reply[0][0].text(), "a");
  EXPECT_EQ(reply[0][1][0].integer(), 7);
  EXPECT_EQ(reply[1].size(), 0u);
  EXPECT_TRUE(reply[2].is_nil());
  EXPECT_EQ(reply[3].text(), "bc");
}

TEST(Reply, InPiecesOfAnySize) {
  const std::string bytes = "*2\r\n$5\r\nhello\r\n*1\r\n:7\r\n+OK\r\n-ERR no\r\n$-1\r\n";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    ReplyReader reader;
    std::vector<Reply> replies;
    for (size_t i = 0; i < bytes.size(); i += piece) {
      ASSERT_TRUE(reader.Feed(std::string_view(bytes).substr(i, piece)).ok());
      Reply reply;
      while (true) {
        const auto whole = reader.Next(&reply);
        ASSERT_TRUE(whole.ok());
        if (!*whole) break;
        replies.push_back(std::exchange(reply, Reply()));
      }
    }
    ASSERT_EQ(replies.size(), 4u) << piece;
    EXPECT_EQ(replies[0][0].text(), "hello");
    EXPECT_EQ(replies[0][1][0].integer(), 7);
    EXPECT_EQ(replies[1].text(), "OK");
    EXPECT_EQ(replies[2].text(), "ERR no");
    EXPECT_TRUE(replies[3].is_nil());
    EXPECT_FALSE(reader.in_the_middle());
  }
}

TEST(Reply, ThatIsNotWhole) {
  for (const std::string_view bytes : {"$", "$5\r\nhel", "*2\r\n+a\r\n", "+O", "*1\r\n"}) {
    ReplyReader reader;
    Reply reply;
    ASSERT_TRUE(reader.Feed(bytes).ok());
    const auto whole = reader.Next(&reply);
    ASSERT_TRUE(whole.ok());
    EXPECT_FALSE(*whole) << bytes;
    EXPECT_TRUE(reader.in_the_middle()) << bytes;
  }
}

TEST(Reply, WhatIsNone) {
  for (const std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "\r\n", ":12x\r\n", "*1x\r\n", "$-2\r\n", "\x15\x03\x01"}) {
    ReplyReader reader;
    Reply reply;
    ASSERT_TRUE(reader.Feed(bytes).ok());
    const auto whole = reader.Next(&reply);
    ASSERT_FALSE(whole.ok()) << bytes;
    EXPECT_TRUE(absl::IsDataLoss(whole.status()));
  }
}

// A server may claim two thousand million elements in fourteen bytes.
TEST(Reply, ClaimedElementsTakeNoMemory) {
  ReplyReader reader;
  Reply reply;
  ASSERT_TRUE(reader.Feed("*2147483647\r\n*2147483647\r\n:1\r\n").ok());
  const auto whole = reader.Next(&reply);
  ASSERT_TRUE(whole.ok());
  EXPECT_FALSE(*whole);
}

TEST(Reply, WrongTypesAreErrorsThatNameBoth) {
  const Reply text = Read("$1\r\nx\r\n");
  const auto integer = ExpectInteger(text.root());
  EXPECT_TRUE(absl::IsInternal(integer.status()));
  EXPECT_NE(integer.status().message().find("a string, not an integer"), absl::string_view::npos);
  EXPECT_FALSE(ExpectString(Read(":1\r\n").root()).ok());
  EXPECT_FALSE(ExpectString(Read("$-1\r\n").root()).ok());
  EXPECT_FALSE(ExpectOptionalString(Read(":1\r\n").root()).ok());
  EXPECT_FALSE(ExpectOk(Read("$2\r\nOK\r\n").root()).ok());
  EXPECT_FALSE(ExpectOk(Read("+QUEUED\r\n").root()).ok());
  EXPECT_FALSE(ExpectArray(text.root()).ok());
}

TEST(Reply, RightTypes) {
  EXPECT_EQ(*ExpectInteger(Read(":5\r\n").root()), 5);
  const Reply text = Read("$1\r\nx\r\n");
  EXPECT_EQ(*ExpectString(text.root()), "x");
  EXPECT_EQ(**ExpectOptionalString(text.root()), "x");
  EXPECT_EQ(*ExpectOptionalString(Reply().root()), std::nullopt);
  EXPECT_TRUE(ExpectOk(Read("+OK\r\n").root()).ok());
  EXPECT_TRUE(ExpectArray(Read("*0\r\n").root()).ok());
}

TEST(Reply, ManyAreReadIntoTheSamePlace) {
  ReplyReader reader;
  Reply reply;
  ReplyReader moved = std::move(reader);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(moved.Feed("$3\r\nabc\r\n:1\r\n").ok());
    ASSERT_TRUE(*moved.Next(&reply));
    EXPECT_EQ(reply.text(), "abc");
    ASSERT_TRUE(*moved.Next(&reply));
    EXPECT_EQ(reply.integer(), 1);
    ASSERT_FALSE(*moved.Next(&reply));
  }
}

}  // namespace
}  // namespace clients
