#include "clients/local/server.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>
#include <utility>

#include "clients/socket.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "kv/base/status.h"

namespace clients::local {
namespace {

using std::chrono::milliseconds;

// Two cores may be busy with other tests.
constexpr auto kReadyWithin = std::chrono::seconds(30);

bool IsInPath(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

uint16_t FreePort() {
  const absl::StatusOr<Listener> listener = ListenOnLoopback();
  if (!listener.ok()) std::abort();
  return listener->port;
}

absl::StatusOr<std::string> ServerProgram(const std::string& wanted) {
  if (wanted.find('/') != std::string::npos) {
    if (::access(wanted.c_str(), X_OK) == 0) return wanted;
    return absl::UnavailableError(fmt::format("{} is no program that may be run", wanted));
  }
  std::vector<std::string> names = {"redis-server", "valkey-server"};
  if (!wanted.empty()) names = {wanted + "-server"};
  for (const std::string& name : names) {
    if (IsInPath(name)) return name;
  }
  return absl::UnavailableError(
      fmt::format("{} is not installed: run bazelw", fmt::join(names, " or ")));
}

Server::Server(const ServerOptions& options) : options_(options) {}

absl::StatusOr<Server> Server::Start(const ServerOptions& options) {
  Server server(options);
  KV_ASSIGN_OR_RETURN(server.program_, ServerProgram(options.program));
  if (!options.tls_names.empty()) {
    KV_ASSIGN_OR_RETURN(server.certificates_,
                        MakeCertificates(server.directory_.path(), options.tls_names));
  }
  // Between the look for a free port and its use another process may take it.
  absl::Status status;
  for (int tries = 0; tries < 5; ++tries) {
    server.port_ = FreePort();
    server.bus_port_ = FreePort();
    status = server.StartProcess();
    if (!absl::IsUnavailable(status)) break;
  }
  KV_RETURN_IF_ERROR(status);
  return server;
}

std::vector<std::string> Server::Command() const {
  const std::string& directory = directory_.path();
  const std::string port = std::to_string(port_);
  const bool tls = !options_.tls_names.empty();
  std::vector<std::string> command = {program_,
                                      "--bind",
                                      "127.0.0.1",
                                      "--dir",
                                      directory,
                                      "--save",
                                      "",
                                      "--daemonize",
                                      "no",
                                      "--port",
                                      tls ? "0" : port,
                                      "--appendonly",
                                      options_.append_only ? "yes" : "no",
                                      "--unixsocket",
                                      directory + "/socket"};
  const auto add = [&](const std::vector<std::string>& words) {
    command.push_back("--" + words[0]);
    command.insert(command.end(), words.begin() + 1, words.end());
  };
  if (tls) {
    add({"tls-port", port});
    add({"tls-ca-cert-file", certificates_.authority});
    add({"tls-cert-file", certificates_.certificate});
    add({"tls-key-file", certificates_.key});
    add({"tls-auth-clients", "no"});
  }
  if (options_.cluster) {
    add({"cluster-enabled", "yes"});
    add({"cluster-port", std::to_string(bus_port_)});
  }
  if (!options_.password.empty()) add({"requirepass", options_.password});
  for (const std::string& user : options_.users) {
    std::vector<std::string> words = {"user"};
    std::istringstream rest(user);
    for (std::string word; rest >> word;) words.push_back(word);
    add(words);
  }
  for (const auto& setting : options_.settings) add(setting);
  return command;
}

absl::Status Server::StartProcess() {
  process_.clear();
  KV_ASSIGN_OR_RETURN(Process process, Process::Start(Command(), directory_.path() + "/log"));
  process_.push_back(std::move(process));
  return AwaitReady();
}

absl::Status Server::AwaitReady() {
  // By its own socket: behind the port may be somebody else, who was faster. The port is opened
  // before the socket.
  ConnectOptions by_socket;
  by_socket.url = {.path = directory_.path() + "/socket", .password = options_.password};
  KV_ASSIGN_OR_RETURN(const auto dialer, Dialer::Create(by_socket));
  const Deadline deadline = After(kReadyWithin);
  absl::Status status;
  while (!IsOver(deadline)) {
    if (!process_[0].IsRunning()) {
      const std::string text = log();
      const bool taken = text.find("Address already in use") != std::string::npos;
      return absl::Status(taken ? absl::StatusCode::kUnavailable : absl::StatusCode::kInternal,
                          fmt::format("the server ended: {}", text));
    }
    status = dialer->Dial().status();
    if (!MayHeal(status)) return status;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return absl::InternalError(
      fmt::format("the server is not ready: {}: {}", status.ToString(), log()));
}

Url Server::url() const {
  Url url{.tls = !options_.tls_names.empty(), .password = options_.password};
  if (options_.unix_socket) {
    url.path = directory_.path() + "/socket";
  } else {
    url.hosts = {{"127.0.0.1", port_}};
  }
  return url;
}

ConnectOptions Server::connect_options() const {
  return {.url = url(), .tls = {.ca_file = certificates_.authority}};
}

void Server::Kill() {
  process_[0].End(SIGKILL);
  process_.clear();
}

absl::Status Server::Restart() { return StartProcess(); }

void Server::Pause() const { process_[0].Signal(SIGSTOP); }
void Server::Resume() const { process_[0].Signal(SIGCONT); }

}  // namespace clients::local
