#include "clients/command.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace clients {
namespace {

TEST(Command, IsAnArrayOfStrings) {
  std::string bytes = "before";
  ASSERT_TRUE(AppendCommand({"SET", std::string_view("k\0\r\n", 4), ""}, &bytes).ok());
  EXPECT_EQ(bytes, std::string("before*3\r\n$3\r\nSET\r\n$4\r\nk\0\r\n\r\n$0\r\n\r\n", 35));
}

TEST(Command, OfManyArguments) {
  const std::vector<std::string_view> arguments(1000, "ab");
  std::string bytes;
  ASSERT_TRUE(AppendCommand(arguments, &bytes).ok());
  std::string expected = "*1000\r\n";
  for (int i = 0; i < 1000; ++i) expected += "$2\r\nab\r\n";
  EXPECT_EQ(bytes, expected);
}

TEST(Command, NeedsAName) {
  std::string bytes;
  EXPECT_TRUE(absl::IsInvalidArgument(AppendCommand(Arguments(), &bytes)));
  EXPECT_TRUE(absl::IsInvalidArgument(AppendCommand({"", "x"}, &bytes)));
  EXPECT_EQ(bytes, "");
}

// The formatter would count past the end of an int. One argument several times takes no memory.
TEST(Command, OfTwoGibibytesIsRefused) {
  const std::string megabyte(size_t{1} << 20, 'x');
  std::vector<std::string_view> arguments(2050, megabyte);
  arguments[0] = "MSET";
  std::string bytes;
  EXPECT_TRUE(absl::IsInvalidArgument(AppendCommand(arguments, &bytes)));
  EXPECT_EQ(bytes, "");
}

}  // namespace
}  // namespace clients
