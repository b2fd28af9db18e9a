// What a server refuses, and how a connection fails, as absl::Status.
//
//   first word of the reply              kind            code                a caller may
//   NOAUTH, WRONGPASS, ERR of passwords  kAuthentication kUnauthenticated    mend user, password
//   NOPERM                               kPermission     kPermissionDenied   ask for the right
//   READONLY                             kReadOnly       kFailedPrecondition go to the primary
//   LOADING                              kLoading        kUnavailable        wait, then repeat
//   BUSY, MASTERDOWN, CLUSTERDOWN,
//   TRYAGAIN, NOREPLICAS, MISCONF        kUnavailable    kUnavailable        wait, then repeat
//   OOM                                  kOutOfMemory    kResourceExhausted  make room
//   WRONGTYPE                            kWrongType      kInvalidArgument    mend the key
//   MOVED, ASK                           kMoved, kAsk    kOutOfRange         ask the node it names
//   EXECABORT                            kAborted        kAborted            mend the commands
//   NOSCRIPT                             kNoScript       kFailedPrecondition send the script
//   ERR unknown command                  kUnknownCommand kUnimplemented      use another server
//   anything else                        kOther          kUnknown            read the message
//
//   how a connection fails                                code
//   no such host, refused, lost                           kUnavailable
//   a time-out                                            kDeadlineExceeded
//   a certificate that is not trusted or has other names  kUnauthenticated
//   not a Redis, or not of this URL's kind                kFailedPrecondition
//   bytes that are no reply                               kDataLoss
//   a reply of another type than its command has          kInternal (reply.h)
//
// No failure is kNotFound, which is the answer for an absent key. Each message begins with the host
// and port. None has a password: no command is quoted.
//
// Thread safety: pure functions. Complexity: the length of the message.
// Source: Redis 7 and Valkey 8, server.c (createSharedObjects), cluster.c.
#ifndef CLIENTS_ERRORS_H_
#define CLIENTS_ERRORS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "clients/reply.h"

namespace clients {

enum class ErrorKind : uint8_t {
  kAuthentication,
  kPermission,
  kReadOnly,
  kLoading,
  kUnavailable,
  kOutOfMemory,
  kWrongType,
  kMoved,
  kAsk,
  kAborted,
  kNoScript,
  kUnknownCommand,
  kOther,
};

// Of the text of an error reply.
ErrorKind KindOf(std::string_view error);

// `peer` is the server, as "host:port" or a path.
absl::Status ErrorStatus(std::string_view peer, std::string_view error);

// `status` with the server in front of its message.
absl::Status At(std::string_view peer, const absl::Status& status);

absl::Status TimedOut(std::string_view peer, std::string_view doing);
absl::Status Lost(std::string_view peer, std::string_view how);

// A failure of the connection, not an answer: what follows it would be out of step.
absl::Status NotARedis(std::string_view peer, std::string_view reason);

// At most `most` bytes of what came, as text that can be printed.
std::string Printable(std::string_view bytes, size_t most = 40);

}  // namespace clients

#endif  // CLIENTS_ERRORS_H_
