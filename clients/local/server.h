// A real server on this machine: redis-server or valkey-server, on a free port of the loopback
// interface and in a directory of its own.
//
// It is ready when Start returns, ends with its owner, and is only ever signalled by its own
// process id. Nothing of the machine's configuration is read, and no service is touched.
//
// Thread safety: none. Complexity: a process each; some 20 ms until it answers.
#ifndef CLIENTS_LOCAL_SERVER_H_
#define CLIENTS_LOCAL_SERVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/dialer.h"
#include "clients/local/certificates.h"
#include "clients/local/process.h"
#include "clients/url.h"

namespace clients::local {

struct ServerOptions {
  // "redis", "valkey", or a program's path; empty: the first of these two that is installed.
  std::string program;
  bool unix_socket = false;  // url() is the socket's; the port is there as well
  // Names of the certificate (certificates.h); empty: no TLS.
  std::string tls_names;
  std::string password;            // of the default user
  std::vector<std::string> users;  // as in ACL SETUSER: "ann on >secret ~* +@all"
  bool append_only = false;
  bool cluster = false;  // a node of one, still alone; its cluster bus has a free port too
  // More of redis.conf: {"maxmemory", "1mb"}.
  std::vector<std::vector<std::string>> settings;
};

class Server {
 public:
  static absl::StatusOr<Server> Start(const ServerOptions& options = {});

  // For the default user, with its password.
  Url url() const;
  const std::string& program() const { return program_; }
  // The URL, and the authority where there is one.
  ConnectOptions connect_options() const;
  uint16_t port() const { return port_; }
  uint16_t bus_port() const { return bus_port_; }  // where ServerOptions::cluster
  const Certificates& certificates() const { return certificates_; }
  std::string log() const { return ReadFile(directory_.path() + "/log"); }

  void Kill();  // kill -9
  // After Kill, on the same port and files.
  absl::Status Restart();
  // It answers nothing, though the kernel still takes connections for it, until Resume.
  void Pause() const;
  void Resume() const;

 private:
  explicit Server(const ServerOptions& options);

  // kUnavailable: the port has been taken by somebody else.
  absl::Status StartProcess();
  absl::Status AwaitReady();
  std::vector<std::string> Command() const;

  ServerOptions options_;
  std::string program_;
  TemporaryDirectory directory_;
  Certificates certificates_;
  uint16_t port_ = 0;
  uint16_t bus_port_ = 0;
  std::vector<Process> process_;  // one, or none after Kill; gone before the directory
};

// A port of the loopback interface that nobody listened on a moment ago.
uint16_t FreePort();

// What to run for a ServerOptions::program. kUnavailable: it is not installed.
absl::StatusOr<std::string> ServerProgram(const std::string& wanted = "");

}  // namespace clients::local

#endif  // CLIENTS_LOCAL_SERVER_H_
