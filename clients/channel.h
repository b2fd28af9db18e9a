// A channel: a transport and the replies that come over it, in commands and replies at a time.
//
// After any error the channel is of no more use: the reply to the command that failed may still
// come, and would answer the next one.
//
// Thread safety: none. Complexity of Exchange: few system calls for any number of commands.
#ifndef CLIENTS_CHANNEL_H_
#define CLIENTS_CHANNEL_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/deadline.h"
#include "clients/reply.h"
#include "clients/transport.h"

namespace clients {

class Channel {
 public:
  Channel() = default;
  explicit Channel(Transport transport) : transport_(std::move(transport)) {}

  // Sends the commands in `bytes`, and reads a reply to each into `replies`, in order. Reads while
  // it sends, so that neither side waits for the other with full buffers. `answered` counts the
  // replies that came, also when it fails:
  //   kUnavailable        the connection is lost, with how many replies were still to come
  //   kDeadlineExceeded   likewise
  //   kDataLoss           the server sent what is no reply
  absl::Status Exchange(std::string_view bytes, std::span<Reply> replies, Deadline deadline,
                        size_t* answered);

  Transport& transport() { return transport_; }
  ReplyReader& reader() { return reader_; }
  bool is_open() const { return transport_.is_open(); }
  const std::string& peer() const { return transport_.peer(); }

 private:
  // Reads what there is. `wait_for` is what to wait for next.
  absl::Status ReadSome(std::span<Reply> replies, size_t* answered, short* wait_for);

  Transport transport_;
  ReplyReader reader_;
};

}  // namespace clients

#endif  // CLIENTS_CHANNEL_H_
