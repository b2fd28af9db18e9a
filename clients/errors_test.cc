#include "clients/errors.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace clients {
namespace {

struct Case {
  std::string_view error;
  ErrorKind kind;
  absl::StatusCode code;
};

TEST(Errors, OfServers) {
  using Code = absl::StatusCode;
  const Case kCases[] = {
      {"NOAUTH Authentication required.", ErrorKind::kAuthentication, Code::kUnauthenticated},
      {"WRONGPASS invalid username-password pair or user is disabled.", ErrorKind::kAuthentication,
       Code::kUnauthenticated},
      {"ERR AUTH <password> called without any password configured for the default user. Are you "
       "sure your configuration is correct?",
       ErrorKind::kAuthentication, Code::kUnauthenticated},
      {"ERR Client sent AUTH, but no password is set", ErrorKind::kAuthentication,
       Code::kUnauthenticated},
      {"ERR invalid password", ErrorKind::kAuthentication, Code::kUnauthenticated},
      {"NOPERM this user has no permissions", ErrorKind::kPermission, Code::kPermissionDenied},
      {"DENIED Redis is running in protected mode", ErrorKind::kPermission,
       Code::kPermissionDenied},
      {"ERR max number of clients reached", ErrorKind::kUnavailable, Code::kUnavailable},
      {"READONLY You can't write against a read only replica.", ErrorKind::kReadOnly,
       Code::kFailedPrecondition},
      {"LOADING Redis is loading the dataset in memory", ErrorKind::kLoading, Code::kUnavailable},
      {"BUSY Redis is busy running a script.", ErrorKind::kUnavailable, Code::kUnavailable},
      {"CLUSTERDOWN The cluster is down", ErrorKind::kUnavailable, Code::kUnavailable},
      {"OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::kOutOfMemory,
       Code::kResourceExhausted},
      {"WRONGTYPE Operation against a key holding the wrong kind of value", ErrorKind::kWrongType,
       Code::kInvalidArgument},
      {"MOVED 3999 127.0.0.1:6381", ErrorKind::kMoved, Code::kOutOfRange},
      {"ASK 3999 127.0.0.1:6381", ErrorKind::kAsk, Code::kOutOfRange},
      {"EXECABORT Transaction discarded", ErrorKind::kAborted, Code::kAborted},
      {"NOSCRIPT No matching script.", ErrorKind::kNoScript, Code::kFailedPrecondition},
      {"ERR unknown command 'X', with args beginning with: ", ErrorKind::kUnknownCommand,
       Code::kUnimplemented},
      {"ERR value is not an integer or out of range", ErrorKind::kOther, Code::kUnknown},
      // Words that only begin as a known one.
      {"BUSYGROUP Consumer Group name already exists", ErrorKind::kOther, Code::kUnknown},
      {"BUSYKEY Target key name already exists.", ErrorKind::kOther, Code::kUnknown},
      {"ASKING", ErrorKind::kOther, Code::kUnknown},
      {"OOM", ErrorKind::kOutOfMemory, Code::kResourceExhausted},
      {"", ErrorKind::kOther, Code::kUnknown},
  };
  for (const Case& one : kCases) {
    EXPECT_EQ(KindOf(one.error), one.kind) << one.error;
    const absl::Status status = ErrorStatus("h:1", one.error);
    EXPECT_EQ(status.code(), one.code) << one.error;
    EXPECT_EQ(std::string(status.message()), "h:1: " + std::string(one.error));
    EXPECT_FALSE(absl::IsNotFound(status));
  }
}

TEST(Errors, NameTheServer) {
  EXPECT_TRUE(absl::IsDeadlineExceeded(TimedOut("h:1", "connecting")));
  EXPECT_EQ(std::string(Lost("h:1", "closed").message()), "h:1: closed");
  EXPECT_EQ(std::string(At("h:1", absl::DataLossError("bytes")).message()), "h:1: bytes");
  EXPECT_TRUE(At("h:1", absl::OkStatus()).ok());
}

TEST(Errors, WhatCameIsPrintedSafely) {
  EXPECT_EQ(Printable(std::string_view("a\r\n\0\x7f", 5)), "a\\x0d\\x0a\\x00\\x7f");
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace clients
