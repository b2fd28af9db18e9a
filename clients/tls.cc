#include "clients/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

absl::Status BadFile(std::string_view what, const std::string& path) {
  return kv::Invalid(fmt::format("TLS: {} {}: {}", what, path, TlsError()));
}

bool IsAddress(const std::string& host) {
  std::array<uint8_t, sizeof(in6_addr)> address;
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

// OpenSSL's own socket BIO writes with write(2), which ends a program without a handler for SIGPIPE
// when the server has gone. This one sends as the rest of us do.
int FdOf(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }

int Finish(BIO* bio, ssize_t moved, int retry) {
  BIO_clear_retry_flags(bio);
  if (moved < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_flags(bio, retry);
  return static_cast<int>(moved);
}

int SendTo(BIO* bio, const char* bytes, int size) {
  const ssize_t sent = ::send(FdOf(bio), bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
  return Finish(bio, sent, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY);
}

int ReceiveFrom(BIO* bio, char* bytes, int size) {
  const ssize_t received = ::recv(FdOf(bio), bytes, static_cast<size_t>(size), 0);
  return Finish(bio, received, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
}

long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* Method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == nullptr) std::abort();
    BIO_meth_set_write(made, SendTo);
    BIO_meth_set_read(made, ReceiveFrom);
    BIO_meth_set_ctrl(made, Control);
    return made;
  }();
  return method;
}

}  // namespace

std::string TlsError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("error {:x}", code);
}

void TlsContext::FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsContext::FreeSession::operator()(ssl_st* session) const { SSL_free(session); }

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::Create(const TlsOptions& options) {
  ERR_clear_error();
  const std::shared_ptr<TlsContext> made(new TlsContext(options));
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = made->context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    return absl::ResourceExhaustedError(fmt::format("TLS: no context: {}", TlsError()));
  }
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (options.ca_file.empty()) {
    if (options.verify && SSL_CTX_set_default_verify_paths(context) != 1) {
      return kv::Invalid("TLS: no authorities of the system");
    }
  } else if (SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1) {
    return BadFile("authorities", options.ca_file);
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return kv::Invalid("TLS: a certificate and its key go together");
  }
  if (!options.certificate_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
      return BadFile("certificate", options.certificate_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
      return BadFile("key", options.key_file);
    }
  }
  return made;
}

absl::StatusOr<TlsContext::Session> TlsContext::NewSession(int fd, const std::string& host) const {
  const std::string& name = options_.server_name.empty() ? host : options_.server_name;
  Session session(SSL_new(context_.get()));
  BIO* const bio = session == nullptr ? nullptr : BIO_new(Method());
  if (bio == nullptr) return absl::ResourceExhaustedError("TLS: no memory for a session");
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session.get(), bio, bio);  // takes it over
  SSL_set_connect_state(session.get());
  // Names go to the server, for those that serve several; addresses may not (RFC 6066).
  bool named = true;
  if (IsAddress(name)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), name.c_str()) == 1;
  } else {
    SSL_set_hostflags(session.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    named = SSL_set1_host(session.get(), name.c_str()) == 1 &&
            SSL_set_tlsext_host_name(session.get(), name.c_str()) == 1;
  }
  if (!named) return kv::Invalid(fmt::format("TLS: no name of a server: {}", TlsError()));
  return session;
}

}  // namespace clients
