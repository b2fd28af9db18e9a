#include "clients/event_connection.h"

#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;
// What was written is cut off the buffer from here on, and not for each call.
constexpr size_t kCutBytes = size_t{256} << 10;

}  // namespace

void EventConnection::Open(Channel channel) {
  channel_ = std::move(channel);
  interest_ = Interest();
  ++times_opened_;
}

void EventConnection::Close() {
  channel_ = Channel();
  out_.clear();
  written_ = 0;
  unanswered_ = 0;
  read_wants_write_ = false;
}

void EventConnection::Count(size_t commands, Deadline now) {
  if (unanswered_ == 0) waiting_since_ = now;
  unanswered_ += commands;
}

absl::Status EventConnection::Append(Arguments arguments, Deadline now) {
  KV_RETURN_IF_ERROR(AppendCommandInPlace(arguments, &out_));
  Count(1, now);
  return absl::OkStatus();
}

void EventConnection::Append(std::string_view commands, size_t count, Deadline now) {
  out_ += commands;
  Count(count, now);
}

absl::Status EventConnection::Flush() {
  interest_.wanted_write = read_wants_write_;
  while (written_ < out_.size()) {
    KV_ASSIGN_OR_RETURN(const Moved moved,
                        channel_.transport().Write(std::string_view(out_).substr(written_)));
    written_ += moved.bytes;
    sent_bytes_ += moved.bytes;
    if (moved.bytes > 0) continue;
    // Under TLS it may be a read that a write waits for, and that is always waited for.
    if (moved.wait_for == POLLOUT) interest_.wanted_write = true;
    if (written_ >= kCutBytes) {
      out_.erase(0, written_);
      written_ = 0;
    }
    return absl::OkStatus();
  }
  out_.clear();
  written_ = 0;
  return absl::OkStatus();
}

absl::Status EventConnection::Read(bool* again) {
  *again = false;
  std::array<char, kReadBytes> bytes;
  KV_ASSIGN_OR_RETURN(const Moved moved, channel_.transport().Read(bytes.data(), bytes.size()));
  read_wants_write_ = moved.wait_for == POLLOUT;
  if (moved.bytes == 0) return absl::OkStatus();
  received_bytes_ += moved.bytes;
  *again = channel_.transport().is_tls();
  return At(peer(), channel_.reader().Feed({bytes.data(), moved.bytes}));
}

bool EventConnection::CameFromElsewhere() {
  if (!is_open()) return false;
  int arrived_on = -1;  // what stands there for a socket that is not of IP, too
  socklen_t size = sizeof arrived_on;
  if (::getsockopt(fd(), SOL_SOCKET, SO_INCOMING_CPU, &arrived_on, &size) != 0) return false;
  return arrived_on >= 0 && arrived_on != ::sched_getcpu();
}

absl::StatusOr<bool> EventConnection::Next(Deadline read_at, Reply* reply) {
  const auto whole = channel_.reader().Next(reply);
  if (!whole.ok()) return At(peer(), whole.status());
  if (!*whole) return false;
  if (unanswered_ == 0) {
    return absl::DataLossError(fmt::format("{}: a reply to no command", peer()));
  }
  --unanswered_;
  waiting_since_ = read_at;
  return true;
}

}  // namespace clients
