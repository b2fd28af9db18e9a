#include "clients/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "absl/status/status.h"
#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

struct Lookup {
  int error = 0;
  int system_error = 0;  // where error is EAI_SYSTEM
  std::vector<Address> addresses;
};

Lookup LookUp(const HostPort& node, int flags) {
  const addrinfo hints{
      .ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  Lookup lookup;
  lookup.error = getaddrinfo(node.host.c_str(), std::to_string(node.port).c_str(), &hints, &found);
  lookup.system_error = errno;
  if (lookup.error != 0) return lookup;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Address address{.length = one->ai_addrlen};
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    lookup.addresses.push_back(address);
  }
  freeaddrinfo(found);
  return lookup;
}

// What a caller and the thread that looks up for it share; whoever is last frees it.
struct Pending {
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Lookup> lookup;  // guarded by mutex
};

std::string ErrorText(int error) { return std::generic_category().message(error); }

absl::StatusOr<Fd> OpenSocket(int family, std::string_view peer) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return Lost(peer, fmt::format("no socket: {}", ErrorText(errno)));
  return fd;
}

absl::Status Connect(const Fd& fd, const sockaddr* address, socklen_t length, std::string_view peer,
                     Deadline deadline) {
  int error = 0;
  if (::connect(fd.get(), address, length) != 0) error = errno;
  if (error == EINPROGRESS || error == EINTR) {
    if (!PollUntil(fd.get(), POLLOUT, deadline)) return TimedOut(peer, "connecting");
    socklen_t size = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  }
  if (error != 0) return Lost(peer, fmt::format("cannot connect: {}", ErrorText(error)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Address>> Resolve(const HostPort& node, Deadline deadline) {
  if (Lookup numeric = LookUp(node, AI_NUMERICHOST); numeric.error == 0) {
    return std::move(numeric.addresses);
  }
  const auto pending = std::make_shared<Pending>();
  std::thread([pending, node] {
    Lookup lookup = LookUp(node, 0);
    const std::lock_guard lock(pending->mutex);
    pending->lookup = std::move(lookup);
    pending->done.notify_one();
  }).detach();
  std::unique_lock lock(pending->mutex);
  if (!pending->done.wait_until(lock, deadline, [&] { return pending->lookup.has_value(); })) {
    return TimedOut(ToString(node), "looking up the host");
  }
  Lookup& lookup = *pending->lookup;
  if (lookup.error != 0) {
    const std::string reason = lookup.error == EAI_SYSTEM ? ErrorText(lookup.system_error)
                                                          : std::string(gai_strerror(lookup.error));
    return Lost(ToString(node), fmt::format("cannot look up the host: {}", reason));
  }
  return std::move(lookup.addresses);
}

absl::StatusOr<Fd> ConnectTcp(const HostPort& node, const Resolver& resolver, Deadline deadline) {
  const std::string peer = ToString(node);
  KV_ASSIGN_OR_RETURN(const std::vector<Address> addresses, resolver(node, deadline));
  absl::Status last = Lost(peer, "the host has no address");
  for (size_t i = 0; i < addresses.size(); ++i) {
    const auto part = (deadline - Now()) / static_cast<int64_t>(addresses.size() - i);
    KV_ASSIGN_OR_RETURN(Fd fd, OpenSocket(addresses[i].storage.ss_family, peer));
    last = Connect(fd, reinterpret_cast<const sockaddr*>(&addresses[i].storage),
                   addresses[i].length, peer, Now() + part);
    if (!last.ok()) continue;
    const int on = 1;
    // Both only save time: a system without them serves as well.
    static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
    return fd;
  }
  return last;
}

absl::StatusOr<Fd> ConnectUnix(const std::string& path, Deadline deadline) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.size() >= sizeof address.sun_path) return kv::Invalid("a socket's path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  while (true) {
    KV_ASSIGN_OR_RETURN(Fd fd, OpenSocket(AF_UNIX, path));
    // EAGAIN: the server has too many connections that it did not accept yet, which cannot be
    // waited for.
    const int result =
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (result == 0) return fd;
    if (errno != EAGAIN && errno != EINTR) {
      return Lost(path, fmt::format("cannot connect: {}", ErrorText(errno)));
    }
    if (IsOver(deadline)) return TimedOut(path, "connecting");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

absl::StatusOr<Listener> ListenOnLoopback(int flags) {
  Listener listener{.fd = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0))};
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const int fd = listener.fd.get();
  if (::bind(fd, generic, length) != 0 || ::listen(fd, SOMAXCONN) != 0 ||
      ::getsockname(fd, generic, &length) != 0) {
    return kv::IoError("listen on", "the loopback interface", errno);
  }
  listener.port = ntohs(address.sin_port);
  return listener;
}

}  // namespace clients
