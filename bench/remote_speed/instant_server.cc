// A server that answers at once, so that what a load generator adds to a latency can be seen: its
// own, and nobody else's.
//
//   PING                 +PONG
//   GET                  a value of --value_size bytes, which begins with the last twelve of its
//                        key: that is what //bench:remote looks for
//   INFO, CONFIG, ...    an error: there is nothing to be told
//   everything else      +OK
//
// One thread, level-triggered epoll, one write for all that one read brought. While somebody is
// connected it stays awake, since a core that sleeps takes longer to wake up than all that is to be
// measured; --sleep lets it sleep as an ordinary server does. Prints its URL on a line and ends
// with standard input.
//
// Not for: clients that do not read their replies, for whom it waits; inline commands.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "clients/socket.h"
#include "fmt/format.h"

namespace bench::remote_speed {
namespace {

constexpr size_t kChunk = size_t{64} << 10;
constexpr size_t kLongest = size_t{16} << 20;
constexpr size_t kDigits = 12;  // of a key
constexpr std::string_view kOk = "+OK\r\n";
constexpr std::string_view kPong = "+PONG\r\n";
constexpr std::string_view kNothingToTell = "-NOPERM this server has nothing to tell\r\n";

// A number between `sign` and the end of its line, which is taken off `bytes`. nullopt: the line
// has not come whole, or is another one.
std::optional<size_t> TakeNumber(char sign, std::string_view* bytes) {
  const size_t end = bytes->find('\n');
  if (end == std::string_view::npos || bytes->front() != sign) return std::nullopt;
  size_t number = 0;
  const auto [last, error] = std::from_chars(bytes->data() + 1, bytes->data() + end, number);
  if (error != std::errc() || *last != '\r') return std::nullopt;
  bytes->remove_prefix(end + 1);
  return number;
}

// The name and the first argument of a command.
struct Command {
  std::string_view name;
  std::string_view argument;
};

// The next command, which is taken off `bytes`. nullopt: it has not come whole.
std::optional<Command> TakeCommand(std::string_view* bytes) {
  std::string_view rest = *bytes;
  if (rest.empty()) return std::nullopt;
  const auto count = TakeNumber('*', &rest);
  if (!count.has_value()) return std::nullopt;
  Command command;
  for (size_t i = 0; i < *count; ++i) {
    if (rest.empty()) return std::nullopt;
    const auto size = TakeNumber('$', &rest);
    if (!size.has_value() || rest.size() < *size + 2) return std::nullopt;
    if (i == 0) command.name = rest.substr(0, *size);
    if (i == 1) command.argument = rest.substr(0, *size);
    rest.remove_prefix(*size + 2);
  }
  *bytes = rest;
  return command;
}

struct Connection {
  clients::Fd fd;
  std::string begun;  // a command that has not come whole
};

class InstantServer {
 public:
  InstantServer(bool may_sleep, size_t value_bytes)
      : may_sleep_(may_sleep),
        chunk_(kChunk, '\0'),
        value_(fmt::format("${}\r\n{}\r\n", value_bytes, std::string(value_bytes, 'x'))),
        digits_at_(value_.size() - value_bytes - 2),
        digits_(std::min(value_bytes, kDigits)) {}

  // The port of the loopback interface that it listens on.
  absl::StatusOr<uint16_t> Listen() {
    absl::StatusOr<clients::Listener> listener = clients::ListenOnLoopback(SOCK_NONBLOCK);
    if (!listener.ok()) return listener.status();
    listener_ = std::move(listener->fd);
    epoll_ = clients::Fd(::epoll_create1(EPOLL_CLOEXEC));
    Watch(listener_.get());
    Watch(STDIN_FILENO);
    return listener->port;
  }

  // Until standard input ends.
  void Serve() {
    std::array<epoll_event, 64> events;
    while (true) {
      const int longest = may_sleep_ || connections_.empty() ? -1 : 0;
      const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), longest);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == STDIN_FILENO) {
          if (::read(STDIN_FILENO, chunk_.data(), chunk_.size()) <= 0) return;
        } else if (fd == listener_.get()) {
          Accept();
        } else if (!Answer(&connections_[fd])) {
          connections_.erase(fd);
        }
      }
    }
  }

 private:
  void Watch(int fd) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void Accept() {
    clients::Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (fd.get() < 0) return;
    const int on = 1;
    static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    const int number = fd.get();
    Watch(number);
    connections_[number].fd = std::move(fd);
  }

  // False: the connection is over.
  bool Answer(Connection* connection) {
    const int fd = connection->fd.get();
    const ssize_t size = ::recv(fd, chunk_.data(), chunk_.size(), MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    std::string_view bytes(chunk_.data(), static_cast<size_t>(size));
    std::string& begun = connection->begun;
    if (!begun.empty()) bytes = begun.append(bytes);
    replies_.clear();
    while (const auto command = TakeCommand(&bytes)) Reply(*command);
    // What is no command, or none that is meant for this server.
    if (bytes.size() > kLongest || (!bytes.empty() && bytes.front() != '*')) return false;
    begun = std::string(bytes);
    return Send(fd, replies_);
  }

  void Reply(const Command& command) {
    if (command.name == "SET") {
      replies_ += kOk;
    } else if (command.name == "GET") {
      const size_t at = replies_.size();
      replies_ += value_;
      const std::string_view key = command.argument;
      const size_t digits = std::min(digits_, key.size());
      key.copy(replies_.data() + at + digits_at_, digits, key.size() - digits);
    } else if (command.name == "PING") {
      replies_ += kPong;
    } else {
      const bool asks = command.name == "INFO" || command.name == "CONFIG";
      replies_ += asks ? kNothingToTell : kOk;
    }
  }

  static bool Send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EINTR) return false;
      if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  const bool may_sleep_;
  std::string chunk_;
  clients::Fd listener_;
  clients::Fd epoll_;
  std::unordered_map<int, Connection> connections_;  // by descriptor
  const std::string value_;                          // as a reply
  const size_t digits_at_;                           // in value_
  const size_t digits_;
  std::string replies_;  // to what one read brought
};

int Run(int argc, char** argv) {
  CLI::App app("Answers every command at once until standard input ends; prints its URL.");
  bool may_sleep = false;
  size_t value_bytes = 100;
  app.add_flag("--sleep", may_sleep, "sleep while nothing comes, as a server does");
  app.add_option("--value_size", value_bytes, "bytes of what GET is answered; 100 by default")
      ->check(CLI::Range(size_t{1}, size_t{1} << 20));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // Ctrl-C is for whoever started this.
  ::signal(SIGINT, SIG_IGN);
  InstantServer server(may_sleep, value_bytes);
  const auto port = server.Listen();
  if (!port.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(port.status().message()));
    return 1;
  }
  fmt::print("redis://127.0.0.1:{}\n", *port);
  std::fflush(stdout);
  server.Serve();
  return 0;
}

}  // namespace
}  // namespace bench::remote_speed

int main(int argc, char** argv) { return bench::remote_speed::Run(argc, argv); }
