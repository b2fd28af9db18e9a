// Addresses of servers as URLs: which servers, how they are reached, as whom, and which database.
//
//   redis://[[user]:password@]host[:port][/db]             TCP; port 6379 and database 0 by default
//   rediss://...                                           the same over TLS
//   unix://[[user]:password@]/path/of/the/socket[?db=n]
//   redis+cluster://[[user]:password@]host[:port][,host[:port]]...    any nodes of a cluster
//   rediss+cluster://...                                   the same over TLS
//
// An IPv6 address stands in brackets. In user, password and path, %XX is the byte XX; these need
// it: % / ? # and, in a user, the colon. `?db=n` does for `/db` everywhere. A name without a
// password (user@host) is refused: some clients read it as a user and some as a password.
//
// Errors are kInvalidArgument with the reason and the byte where it applies, counted from 0. They
// quote nothing of the URL, since a part of a password may stand anywhere in one that is broken.
//
// Thread safety: pure functions. Complexity: linear.
// Source: RFC 3986; the schemes "redis" and "rediss" as registered with IANA.
// Not for: options of a connection (options.h).
#ifndef CLIENTS_URL_H_
#define CLIENTS_URL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace clients {

inline constexpr uint16_t kDefaultPort = 6379;

struct HostPort {
  std::string host;  // a name, or an address without brackets
  uint16_t port = kDefaultPort;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// host:port, with brackets where the host is an IPv6 address.
std::string ToString(const HostPort& node);

struct Url {
  bool tls = false;
  bool cluster = false;
  std::vector<HostPort> hosts;  // one; at least one of a cluster; none of a Unix socket
  std::string path;             // of a Unix socket; otherwise empty
  std::string user;             // empty: the default user
  std::string password;         // empty without a user: no AUTH
  uint32_t database = 0;

  bool has_credentials() const { return !user.empty() || !password.empty(); }

  friend bool operator==(const Url&, const Url&) = default;
};

absl::StatusOr<Url> ParseUrl(std::string_view text);

// The URL with *** for the password, for people and logs. ParseUrl reads it.
std::string Redacted(const Url& url);

}  // namespace clients

#endif  // CLIENTS_URL_H_
