#include "clients/testing/fake_server.h"

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace clients::testing {

bool FakeServer::Peer::Await(std::string_view text) { return AwaitAny({text}).has_value(); }

std::optional<size_t> FakeServer::Peer::AwaitAny(std::initializer_list<std::string_view> texts) {
  while (true) {
    size_t first = std::string::npos;
    size_t end = 0;
    std::optional<size_t> which;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string_view text = texts.begin()[i];
      const size_t at = received_.find(text);
      if (at >= first) continue;
      first = at;
      end = at + text.size();
      which = i;
    }
    if (which.has_value()) {
      received_.erase(0, end);
      return which;
    }
    std::array<char, 4096> bytes;
    const ssize_t size = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (size <= 0) return std::nullopt;
    received_.append(bytes.data(), static_cast<size_t>(size));
  }
}

bool FakeServer::Peer::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void FakeServer::Peer::Stall() const {
  std::array<char, 4096> bytes;
  while (::recv(fd_, bytes.data(), bytes.size(), 0) > 0) {
  }
}

void FakeServer::Peer::Reset() const {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  // A socket that lingers for no time is reset when it is closed, which the server does for us.
}

FakeServer::FakeServer(Script script) : script_(std::move(script)) {
  absl::StatusOr<Listener> listener = ListenOnLoopback();
  if (!listener.ok()) std::abort();
  listener_ = std::move(listener->fd);
  port_ = listener->port;
  accepting_ = std::thread([this] { Accept(); });
}

FakeServer::~FakeServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const Fd& fd : sockets_) {
      if (fd.get() >= 0) ::shutdown(fd.get(), SHUT_RDWR);
    }
  }
  // Ends the accept that is waiting.
  ::shutdown(listener_.get(), SHUT_RDWR);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
}

void FakeServer::Accept() {
  while (true) {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::lock_guard lock(mutex_);
    if (ending_ || fd.get() < 0) return;
    const size_t number = sockets_.size();
    const int raw = fd.get();
    sockets_.push_back(std::move(fd));
    threads_.emplace_back([this, raw, number] {
      Peer peer(raw, static_cast<int>(number));
      script_(peer);
      const std::lock_guard closing(mutex_);
      sockets_[number] = Fd();
    });
  }
}

ConnectOptions FakeServer::connect_options() const {
  return {.url = {.hosts = {node()}},
          .connect_timeout = std::chrono::minutes(1),
          .command_timeout = std::chrono::minutes(1),
          .reconnect_for = std::chrono::milliseconds(0)};
}

int FakeServer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(sockets_.size());
}

}  // namespace clients::testing
