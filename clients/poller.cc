#include "clients/poller.h"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include "kv/base/status.h"

namespace clients {
namespace {

constexpr size_t kMostAtOnce = 256;

// Rounded up, so that nobody spins through the last millisecond.
int Millis(Nanoseconds time) {
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  return static_cast<int>(std::min<int64_t>(millis, std::numeric_limits<int>::max()));
}

}  // namespace

absl::StatusOr<Poller> Poller::Create() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (epoll.get() < 0) return absl::UnavailableError("no descriptor for an event loop");
  return Poller(std::move(epoll));
}

absl::Status Poller::Control(int operation, int fd, size_t number, uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = number}};
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) == 0) return absl::OkStatus();
  return kv::Final(kv::IoError("epoll_ctl", "a socket", errno));
}

absl::Status Poller::Add(int fd, size_t number) {
  return Control(EPOLL_CTL_ADD, fd, number, EPOLLIN);
}

absl::Status Poller::Change(int fd, size_t number, Interest* interest) {
  if (interest->wanted_write == interest->known_write) return absl::OkStatus();
  interest->known_write = interest->wanted_write;
  return Control(EPOLL_CTL_MOD, fd, number, interest->wanted_write ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

absl::Status Poller::Wait(Nanoseconds longest, std::vector<Ready>* ready) {
  ready->clear();
  longest = std::max(longest, Nanoseconds(0));
  std::array<epoll_event, kMostAtOnce> events;
  int count = -1;
  if (has_nanoseconds_) {
    const timespec time{.tv_sec = longest.count() / 1'000'000'000,
                        .tv_nsec = longest.count() % 1'000'000'000};
    count = ::epoll_pwait2(epoll_.get(), events.data(), kMostAtOnce, &time, nullptr);
    if (count < 0 && errno == ENOSYS) has_nanoseconds_ = false;  // Linux before 5.11
  }
  if (!has_nanoseconds_) {
    count = ::epoll_wait(epoll_.get(), events.data(), kMostAtOnce, Millis(longest));
  }
  if (count < 0 && errno != EINTR) return kv::Final(kv::IoError("epoll_wait", "sockets", errno));
  for (int i = 0; i < count; ++i) ready->push_back({events[i].data.u64});
  return absl::OkStatus();
}

}  // namespace clients
