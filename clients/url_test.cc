#include "clients/url.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace clients {
namespace {

struct Good {
  std::string_view text;
  Url url;
  std::string_view redacted;  // empty: as `text`
};

TEST(Url, IsRead) {
  const Good kCases[] = {
      {"redis://h", {.hosts = {{"h", 6379}}}, "redis://h:6379"},
      {"redis://h:1/", {.hosts = {{"h", 1}}}, "redis://h:1"},
      {"redis://10.0.0.1:65535/15", {.hosts = {{"10.0.0.1", 65535}}, .database = 15}, ""},
      {"redis://h:1?db=3", {.hosts = {{"h", 1}}, .database = 3}, "redis://h:1/3"},
      {"redis://h:1/?db=3", {.hosts = {{"h", 1}}, .database = 3}, "redis://h:1/3"},
      {"redis://a_b-c.example:7", {.hosts = {{"a_b-c.example", 7}}}, ""},
      {"redis://[::1]:7/2", {.hosts = {{"::1", 7}}, .database = 2}, ""},
      {"redis://[2001:db8::5]", {.hosts = {{"2001:db8::5", 6379}}}, "redis://[2001:db8::5]:6379"},
      {"rediss://h:2", {.tls = true, .hosts = {{"h", 2}}}, ""},
      {"redis://:pw@h:1", {.hosts = {{"h", 1}}, .password = "pw"}, "redis://:***@h:1"},
      {"redis://u:pw@h:1",
       {.hosts = {{"h", 1}}, .user = "u", .password = "pw"},
       "redis://u:***@h:1"},
      {"redis://u:@h:1", {.hosts = {{"h", 1}}, .user = "u"}, "redis://u:@h:1"},
      {"redis://u:p:q@r@h:1",
       {.hosts = {{"h", 1}}, .user = "u", .password = "p:q@r"},
       "redis://u:***@h:1"},
      {"redis://a%3ab:%2F%3f%23%25%00@h:1",
       {.hosts = {{"h", 1}}, .user = "a:b", .password = std::string("/?#%\0", 5)},
       "redis://a%3Ab:***@h:1"},
      {"unix:///run/redis.sock", {.path = "/run/redis.sock"}, ""},
      {"unix:///run/a%3Fb@c?db=4",
       {.path = "/run/a?b@c", .database = 4},
       "unix:///run/a%3Fb%40c?db=4"},
      {"unix://u:pw@/s", {.path = "/s", .user = "u", .password = "pw"}, "unix://u:***@/s"},
      {"redis+cluster://h:1,[::1],i:3",
       {.cluster = true, .hosts = {{"h", 1}, {"::1", 6379}, {"i", 3}}},
       "redis+cluster://h:1,[::1]:6379,i:3"},
      {"rediss+cluster://:pw@h:1/0",
       {.tls = true, .cluster = true, .hosts = {{"h", 1}}, .password = "pw"},
       "rediss+cluster://:***@h:1"},
  };
  for (const Good& good : kCases) {
    const auto url = ParseUrl(good.text);
    ASSERT_TRUE(url.ok()) << good.text << ": " << url.status();
    EXPECT_EQ(*url, good.url) << good.text;
    EXPECT_EQ(Redacted(*url), good.redacted.empty() ? good.text : good.redacted);
  }
}

struct Broken {
  std::string text;
  int at;
  std::string_view reason;
};

TEST(Url, ErrorsSayWhatIsWrongAndWhere) {
  const Broken kCases[] = {
      {"", 0, "begins with redis://"},
      {"localhost:6379", 0, "begins with redis://"},
      {"http://h", 0, "begins with redis://"},
      {"REDIS://h", 0, "begins with redis://"},
      {"redis:/h", 0, "begins with redis://"},
      {"redis://", 8, "no host"},
      {"redis://:6379", 8, "no host"},
      {"redis://u:p@", 12, "no host"},
      {"redis://h:", 10, "no port"},
      {"redis://h:0", 10, "no port"},
      {"redis://h:65536", 10, "no port"},
      {"redis://h:+1", 10, "no port"},
      {"redis://h:1x", 10, "no port"},
      {"redis://h:99999999999999999999", 10, "no port"},
      {"redis://::1:6379", 8, "no host"},
      {"redis://2001:db8::5", 13, "brackets"},
      {"redis://[::1", 8, "[ without ]"},
      {"redis://[::g]", 9, "no IPv6 address"},
      {"redis://[1.2.3.4]", 9, "no IPv6 address"},
      {std::string("redis://[::1\0]", 14), 9, "no IPv6 address"},
      {"redis://[::1]6379", 13, "a port or nothing"},
      {"redis://a b", 9, "no host has"},
      {"redis://h%41", 9, "no host has"},
      {"redis://" + std::string(256, 'h'), 8, "255 bytes"},
      {"redis://pw@h", 10, "no password"},
      {"redis://:@h", 8, "neither a user nor a password"},
      {"redis://:a%4@h", 10, "% without"},
      {"redis://:a%@h", 10, "% without"},
      {"redis://:a%zz@h", 10, "% without"},
      {"redis://%:a@h", 8, "% without"},
      {"redis://:a#b@h", 10, "written %23"},
      {"redis://h/x", 10, "not a number"},
      {"redis://h/-1", 10, "not a number"},
      {"redis://h/1/2", 10, "not a number"},
      {"redis://h/2147483648", 10, "not a number"},
      {"redis://h?db=", 13, "not a number"},
      {"redis://h?x=1", 10, "only db=n"},
      {"redis://h/1?db=1", 12, "there twice"},
      {"redis://h,i", 9, "redis+cluster://"},
      {"redis+cluster://h,,i", 18, "no host"},
      {"redis+cluster://h,", 18, "no host"},
      {"redis+cluster://h/1", 18, "only database 0"},
      {"unix://", 7, "no path"},
      {"unix:///", 7, "no path"},
      {"unix://run/redis.sock", 7, "absolute path"},
      {"unix:///a%00b", 7, "NUL"},
      {"unix:///" + std::string(107, 'a'), 7, "108 bytes"},
  };
  for (const Broken& broken : kCases) {
    const auto url = ParseUrl(broken.text);
    ASSERT_FALSE(url.ok()) << broken.text;
    EXPECT_TRUE(absl::IsInvalidArgument(url.status())) << broken.text;
    const std::string message(url.status().message());
    EXPECT_NE(message.find("at byte " + std::to_string(broken.at) + ":"), std::string::npos)
        << broken.text << ": " << message;
    EXPECT_NE(message.find(broken.reason), std::string::npos) << broken.text << ": " << message;
  }
}

// An unencoded slash ends the authority, so that the password's beginning stands where a port does.
TEST(Url, NothingOfAPasswordIsInAnError) {
  for (const std::string_view text :
       {"redis://:secret/secret@h", "redis://secret@h", "redis://u:secret%zz@h",
        "redis://:secret@h:secret", "unix://:secret/secret@/path", "secret://h",
        "redis://:x@h?secret", "redis+cluster://u:secret#@h"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.status().ToString().find("secret"), std::string::npos) << url.status();
  }
}

TEST(Url, NodesAreWrittenWithBracketsWhereTheyNeedThem) {
  EXPECT_EQ(ToString(HostPort{"h", 1}), "h:1");
  EXPECT_EQ(ToString(HostPort{"::1", 2}), "[::1]:2");
}

}  // namespace
}  // namespace clients
