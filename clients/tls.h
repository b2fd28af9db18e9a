// TLS for connections, by OpenSSL: settings, read once, for any number of connections.
//
// A server is trusted if its certificate leads to a known authority, is in force, and names the
// host of the URL (RFC 6125), or the address where the URL has one. TLS 1.2 is the oldest.
//
// Why not libhiredis_ssl: hiredis 0.14 has none, and its connections are not used here at all.
//
// Errors of Create: kInvalidArgument that names the file.
// Thread safety: any thread, once it is made.
#ifndef CLIENTS_TLS_H_
#define CLIENTS_TLS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

struct ssl_ctx_st;
struct ssl_st;

namespace clients {

struct TlsOptions {
  std::string ca_file;           // authorities, PEM; empty: those of the system
  std::string certificate_file;  // of this client, with its chain, PEM; empty: none
  std::string key_file;          // of that certificate
  std::string server_name;       // what the certificate has to name; empty: the host of the URL
  bool verify = true;            // false: anybody may be the server
};

class TlsContext {
 public:
  static absl::StatusOr<std::shared_ptr<const TlsContext>> Create(const TlsOptions& options);

  struct FreeSession {
    void operator()(ssl_st* session) const;
  };
  using Session = std::unique_ptr<ssl_st, FreeSession>;

  // A session over a connected socket that is for `host`, before its handshake.
  absl::StatusOr<Session> NewSession(int fd, const std::string& host) const;

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };

  explicit TlsContext(const TlsOptions& options) : options_(options) {}

  TlsOptions options_;
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
};

// The oldest error that OpenSSL has queued for this thread, as text; empties the queue.
std::string TlsError();

}  // namespace clients

#endif  // CLIENTS_TLS_H_
