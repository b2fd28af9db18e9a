// One connection of an event loop: what is to be written, and what waits to be answered.
//
// Thread safety: none. Complexity: Flush and Read are a system call for up to some 64 KiB each.
// Not for: anything but event_loop.h, which says when to call what.
#ifndef CLIENTS_EVENT_CONNECTION_H_
#define CLIENTS_EVENT_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/channel.h"
#include "clients/command.h"
#include "clients/deadline.h"
#include "clients/poller.h"
#include "clients/reply.h"

namespace clients {

class EventConnection {
 public:
  void Open(Channel channel);
  // What was not written is dropped.
  void Close();

  bool is_open() const { return channel_.is_open(); }
  int fd() { return channel_.transport().fd(); }
  const std::string& peer() const { return channel_.peer(); }
  size_t unanswered() const { return unanswered_; }
  // Tells a connection from the one that stood here before.
  uint64_t times_opened() const { return times_opened_; }
  Interest& interest() { return interest_; }

  // `now` is what the clock said of late.
  absl::Status Append(Arguments arguments, Deadline now);
  void Append(std::string_view commands, size_t count, Deadline now);

  // Writes what can be written now.
  absl::Status Flush();
  // Reads what can be read in one call. `again`: there is more that no poll would tell.
  absl::Status Read(bool* again);
  // The next reply of what was read, as ReplyReader::Next. kDataLoss also: it answers no command.
  absl::StatusOr<bool> Next(Deadline read_at, Reply* reply);

  // Whether nothing was answered since `limit` although something was asked before.
  bool IsLate(Deadline limit) const {
    return is_open() && unanswered_ > 0 && waiting_since_ < limit;
  }

  // See EventLoop.
  bool CameFromElsewhere();

  // Since the first time that it was opened.
  uint64_t sent_bytes() const { return sent_bytes_; }
  uint64_t received_bytes() const { return received_bytes_; }

  // The mark of the loop's list. Both return whether that changed it.
  bool MarkUnflushed() { return !std::exchange(unflushed_, true); }
  bool UnmarkUnflushed() { return std::exchange(unflushed_, false); }

 private:
  void Count(size_t commands, Deadline now);

  Channel channel_;
  std::string out_;     // formatted commands
  size_t written_ = 0;  // of out_
  size_t unanswered_ = 0;
  // Of the last reply, or of the first command since all were answered.
  Deadline waiting_since_;
  bool read_wants_write_ = false;  // TLS
  Interest interest_;
  bool unflushed_ = false;
  uint64_t times_opened_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t received_bytes_ = 0;
};

}  // namespace clients

#endif  // CLIENTS_EVENT_CONNECTION_H_
