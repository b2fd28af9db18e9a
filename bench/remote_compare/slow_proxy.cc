// A proxy that makes a server slower by a fixed time for each request, and by nothing else: what a
// comparison must tell from its twin. With --delay_ns=0 it is the twin, the same program.
//
// One thread, level-triggered epoll. It spins for the delay before it passes requests on, since a
// sleep's end is only as exact as the scheduler; what waits meanwhile waits as behind a slower
// server. Prints its URL on a line, ends with standard input, and then says how many requests it
// has passed on.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/remote_compare/request_counter.h"
#include "clients/deadline.h"
#include "clients/socket.h"
#include "clients/url.h"
#include "fmt/format.h"

namespace bench::remote_compare {
namespace {

constexpr size_t kChunk = 64 * 1024;
constexpr auto kConnectWithin = std::chrono::seconds(5);

// Numbers of what is waited for; links have those from kFirstLink on, two each.
constexpr uint64_t kStandardInput = 0;
constexpr uint64_t kListener = 1;
constexpr uint64_t kFirstLink = 2;

// The ends of a link.
constexpr int kClient = 0;
constexpr int kServer = 1;

struct Link {
  std::array<clients::Fd, 2> ends;
  // What the end has not taken yet. Nothing more is read for it meanwhile, so that it is at most a
  // chunk, and the sender feels the receiver's pace.
  std::array<std::string, 2> pending;
  std::array<uint32_t, 2> waits_for = {EPOLLIN, EPOLLIN};
  RequestCounter counter;
};

class Proxy {
 public:
  Proxy(clients::Url upstream, std::chrono::nanoseconds delay)
      : upstream_(std::move(upstream)), delay_(delay), chunk_(kChunk, '\0') {}

  // The port of the loopback interface that it listens on.
  absl::StatusOr<uint16_t> Listen() {
    absl::StatusOr<clients::Listener> listener = clients::ListenOnLoopback(SOCK_NONBLOCK);
    if (!listener.ok()) return listener.status();
    listener_ = std::move(listener->fd);
    epoll_ = clients::Fd(::epoll_create1(EPOLL_CLOEXEC));
    Watch(EPOLL_CTL_ADD, listener_.get(), kListener, EPOLLIN);
    Watch(EPOLL_CTL_ADD, STDIN_FILENO, kStandardInput, EPOLLIN);
    return listener->port;
  }

  // Until standard input ends.
  void Serve() {
    std::array<epoll_event, 64> events;
    while (true) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const uint64_t number = events[i].data.u64;
        if (number == kStandardInput) {
          if (::read(STDIN_FILENO, chunk_.data(), chunk_.size()) <= 0) return;
        } else if (number == kListener) {
          Accept();
        } else {
          Attend(number, events[i].events);
        }
      }
    }
  }

  uint64_t requests() const { return requests_; }

 private:
  void Watch(int operation, int fd, uint64_t number, uint32_t events) const {
    epoll_event event{.events = events, .data = {.u64 = number}};
    ::epoll_ctl(epoll_.get(), operation, fd, &event);
  }

  absl::StatusOr<clients::Fd> ConnectUpstream() const {
    const clients::Deadline deadline = clients::After(kConnectWithin);
    if (!upstream_.path.empty()) return clients::ConnectUnix(upstream_.path, deadline);
    return clients::ConnectTcp(upstream_.hosts[0], clients::Resolve, deadline);
  }

  void Accept() {
    clients::Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.get() < 0) return;
    auto server = ConnectUpstream();
    if (!server.ok()) {
      fmt::print(stderr, "{}\n", std::string(server.status().message()));
      return;  // the client sees its connection closed
    }
    const int on = 1;
    static_cast<void>(::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    Watch(EPOLL_CTL_ADD, client.get(), next_link_ + kClient, EPOLLIN);
    Watch(EPOLL_CTL_ADD, server->get(), next_link_ + kServer, EPOLLIN);
    Link& link = links_[next_link_];
    link.ends[kClient] = std::move(client);
    link.ends[kServer] = *std::move(server);
    next_link_ += 2;
  }

  void Attend(uint64_t number, uint32_t events) {
    const int end = static_cast<int>((number - kFirstLink) % 2);
    const auto found = links_.find(number - end);
    if (found == links_.end()) return;  // closed a moment ago, in the same round
    Link& link = found->second;
    bool open = (events & EPOLLOUT) == 0 || Flush(&link, end);
    if (open && (events & ~uint32_t{EPOLLOUT}) != 0) {
      // An end that is gone, or has something to read, though nobody waits for that.
      open = link.pending[1 - end].empty() && Pass(&link, end);
    }
    if (!open) {
      // What is still to be passed on is lost, as when a server dies; clients here wait for their
      // last reply before they go.
      links_.erase(found);
      return;
    }
    for (const int one : {kClient, kServer}) {
      const uint32_t wanted = (link.pending[1 - one].empty() ? uint32_t{EPOLLIN} : 0) |
                              (link.pending[one].empty() ? 0 : uint32_t{EPOLLOUT});
      if (wanted == link.waits_for[one]) continue;
      link.waits_for[one] = wanted;
      Watch(EPOLL_CTL_MOD, link.ends[one].get(), found->first + one, wanted);
    }
  }

  // Passes on what one end has sent. False: the link is over.
  bool Pass(Link* link, int from) {
    const ssize_t size = ::read(link->ends[from].get(), chunk_.data(), chunk_.size());
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    const std::string_view bytes(chunk_.data(), static_cast<size_t>(size));
    if (from == kClient) {
      const size_t requests = link->counter.Count(bytes);
      requests_ += requests;
      Spin(requests);
    }
    link->pending[1 - from] = bytes;
    return Flush(link, 1 - from);
  }

  bool Flush(Link* link, int to) {
    std::string& pending = link->pending[to];
    while (!pending.empty()) {
      const ssize_t size =
          ::send(link->ends[to].get(), pending.data(), pending.size(), MSG_NOSIGNAL);
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      pending.erase(0, static_cast<size_t>(size));
    }
    return true;
  }

  void Spin(size_t requests) const {
    if (delay_.count() == 0) return;
    const clients::Deadline until = clients::Now() + delay_ * requests;
    while (clients::Now() < until) {
    }
  }

  const clients::Url upstream_;
  const std::chrono::nanoseconds delay_;
  std::string chunk_;
  clients::Fd listener_;
  clients::Fd epoll_;
  std::unordered_map<uint64_t, Link> links_;  // by the number of the client's end
  uint64_t next_link_ = kFirstLink;
  uint64_t requests_ = 0;
};

int Run(const std::string& url, int64_t delay_nanos) {
  auto upstream = clients::ParseUrl(url);
  if (!upstream.ok() || upstream->tls || upstream->cluster || delay_nanos < 0) {
    fmt::print(stderr, "error: {}\n",
               upstream.ok() ? "one server, without TLS, and a delay of 0 or more are wanted"
                             : upstream.status().ToString());
    return 2;
  }
  // Ctrl-C is for whoever started this.
  ::signal(SIGINT, SIG_IGN);
  Proxy proxy(*std::move(upstream), std::chrono::nanoseconds(delay_nanos));
  const auto port = proxy.Listen();
  if (!port.ok()) {
    fmt::print(stderr, "error: {}\n", port.status().ToString());
    return 1;
  }
  fmt::print("redis://127.0.0.1:{}\n", *port);
  std::fflush(stdout);
  proxy.Serve();
  fmt::print("{} requests\n", proxy.requests());
  return 0;
}

}  // namespace
}  // namespace bench::remote_compare

int main(int argc, char** argv) {
  CLI::App app("Passes requests on to a server, each a fixed time later; prints its URL.");
  std::string upstream;
  int64_t delay_nanos = 0;
  app.add_option("--upstream", upstream, "the server's URL")->required();
  app.add_option("--delay_ns", delay_nanos, "nanoseconds that each request waits");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return bench::remote_compare::Run(upstream, delay_nanos);
}
