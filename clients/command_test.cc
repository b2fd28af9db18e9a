#include "clients/command.h"

#include <hiredis/hiredis.h>

#include <cstddef>
#include <random>
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

// hiredis' formatter is the reference, at lengths of every number of digits.
TEST(Command, InPlaceHasTheBytesOfHiredis) {
  std::minstd_rand random(1);
  const std::string pool = [&random] {
    std::string bytes;
    for (int i = 0; i < 200'000; ++i) bytes += static_cast<char>(random());
    return bytes;
  }();
  std::string bytes;
  std::string expected;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string_view> arguments(1 + random() % (round % 10 == 0 ? 1200 : 5));
    for (std::string_view& argument : arguments) {
      const size_t most = arguments.size() > 5 ? 20 : size_t{1} << (random() % 17);
      argument = std::string_view(pool).substr(random() % 1000, random() % most);
    }
    if (arguments[0].empty()) arguments[0] = "GET";
    std::vector<const char*> texts;
    std::vector<size_t> lengths;
    for (const std::string_view argument : arguments) {
      texts.push_back(argument.data());
      lengths.push_back(argument.size());
    }
    char* formatted = nullptr;
    const auto size = redisFormatCommandArgv(&formatted, static_cast<int>(arguments.size()),
                                             texts.data(), lengths.data());
    ASSERT_GT(size, 0);
    expected.append(formatted, static_cast<size_t>(size));
    redisFreeCommand(formatted);
    ASSERT_TRUE(AppendCommandInPlace(arguments, &bytes).ok());
    ASSERT_EQ(bytes, expected);
    if (bytes.size() > 1'000'000) {
      bytes.clear();
      expected.clear();
    }
  }
}

// Where what was put together on the stack has to go to the string first.
TEST(Command, InPlaceOfEverySizeAroundAPiece) {
  const std::string pool(1200, 'x');
  for (size_t first = 0; first < 600; ++first) {
    for (const size_t second : {size_t{0}, 505 - first % 30, 510 + first}) {
      const std::vector<std::string_view> arguments = {
          "SET", std::string_view(pool).substr(0, first), std::string_view(pool).substr(0, second)};
      std::string bytes;
      std::string expected;
      ASSERT_TRUE(AppendCommandInPlace(arguments, &bytes).ok());
      ASSERT_TRUE(AppendCommand(arguments, &expected).ok());
      ASSERT_EQ(bytes, expected) << first << " and " << second;
    }
  }
}

TEST(Command, InPlaceRefusesTheSame) {
  std::string bytes;
  EXPECT_TRUE(absl::IsInvalidArgument(AppendCommandInPlace(Arguments(), &bytes)));
  const std::vector<std::string_view> nameless = {"", "x"};
  EXPECT_TRUE(absl::IsInvalidArgument(AppendCommandInPlace(nameless, &bytes)));
  const std::string megabyte(size_t{1} << 20, 'x');
  const std::vector<std::string_view> large(2050, megabyte);
  EXPECT_TRUE(absl::IsInvalidArgument(AppendCommandInPlace(large, &bytes)));
  EXPECT_EQ(bytes, "");
}

}  // namespace
}  // namespace clients
