#include "clients/channel.h"

#include <array>
#include <string>

#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

constexpr size_t kReadBytes = size_t{16} << 10;

// `status`, and how far the exchange had come.
absl::Status WithProgress(const absl::Status& status, size_t answered, size_t wanted,
                          bool in_the_middle) {
  return absl::Status(status.code(),
                      fmt::format("{} ({} of {} replies had come{})", std::string(status.message()),
                                  answered, wanted, in_the_middle ? ", and a part of one" : ""));
}

}  // namespace

absl::Status Channel::ReadSome(std::span<Reply> replies, size_t* answered, short* wait_for) {
  std::array<char, kReadBytes> bytes;
  KV_ASSIGN_OR_RETURN(const Moved moved, transport_.Read(bytes.data(), bytes.size()));
  *wait_for = moved.wait_for;
  if (moved.bytes == 0) return absl::OkStatus();
  KV_RETURN_IF_ERROR(reader_.Feed({bytes.data(), moved.bytes}));
  while (*answered < replies.size()) {
    const auto whole = reader_.Next(&replies[*answered]);
    if (!whole.ok()) {
      return At(peer(), absl::DataLossError(fmt::format("{}; it sent: {}",
                                                        std::string(whole.status().message()),
                                                        Printable({bytes.data(), moved.bytes}))));
    }
    if (!*whole) return absl::OkStatus();
    ++*answered;
  }
  if (reader_.in_the_middle()) return At(peer(), absl::DataLossError("a reply to no command"));
  return absl::OkStatus();
}

absl::Status Channel::Exchange(std::string_view bytes, std::span<Reply> replies, Deadline deadline,
                               size_t* answered) {
  *answered = 0;
  const auto failed = [&](const absl::Status& status) {
    return WithProgress(status, *answered, replies.size(), reader_.in_the_middle());
  };
  // A plain socket has nothing for us before it was polled; a session may have.
  bool maybe_readable = transport_.is_tls();
  while (*answered < replies.size() || !bytes.empty()) {
    short wait_for = POLLIN;
    if (!bytes.empty()) {
      const auto moved = transport_.Write(bytes);
      if (!moved.ok()) {
        // A server that turns a client away says why before it closes.
        static_cast<void>(ReadSome(replies, answered, &wait_for));
        return failed(moved.status());
      }
      bytes.remove_prefix(moved->bytes);
      if (!bytes.empty()) wait_for |= moved->bytes > 0 ? POLLOUT : moved->wait_for;
    }
    if (maybe_readable) {
      short read_waits_for = 0;
      const absl::Status read = ReadSome(replies, answered, &read_waits_for);
      if (!read.ok()) return failed(read);
      if (read_waits_for == 0) {
        // A server that never stops sending is never waited for.
        if (*answered < replies.size() && IsOver(deadline)) {
          return failed(TimedOut(peer(), "reading replies"));
        }
        continue;
      }
      wait_for |= read_waits_for;
    }
    if (!PollUntil(transport_.fd(), wait_for, deadline)) {
      return failed(TimedOut(peer(), "waiting for replies"));
    }
    maybe_readable = true;
  }
  return absl::OkStatus();
}

}  // namespace clients
