// What passes between a load and the driver that sends it: a request, and what its reply says.
//
// A load knows no connection and the driver knows no command: the driver asks a RequestSource for
// the next request, sends it, and hands the reply back to be judged.
#ifndef BENCH_REMOTE_DRIVE_REQUEST_H_
#define BENCH_REMOTE_DRIVE_REQUEST_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "clients/reply.h"

namespace bench::remote {

// One command with its arguments. Views, which hold until its source is asked for the next one.
struct Request {
  uint16_t operation = 0;  // which of OperationName's
  // The argument whose hash slot says which node of a cluster it is for; 0: any node.
  uint16_t key_argument = 0;
  // Pace::kRecorded: when it is to be sent, in nanoseconds since the first request of the record.
  // Never falls from one request of a source to the next.
  uint64_t at_nanos = 0;
  std::span<const std::string_view> arguments;  // the command first
  // Handed back with the reply to Judge, so that a value can be held against its key.
  uint64_t subject = 0;
  // Not empty: sent as it is in place of the arguments, for what these cannot say (an inline
  // command).
  std::string_view formatted;
};

// What a reply means for the load. Errors of the server ("-OOM ...") do not get here: the driver
// counts them by their first word.
enum class Outcome : uint8_t {
  kDone,        // nothing that could be found or missed: a write, a PING
  kHit,         // a read that found its key, member or element
  kMiss,        // a read that did not
  kWrongReply,  // not a reply to this command, or not what was stored: never a silent zero
};

// One a thread. Equal plans, seeds and threads give equal requests. A source with an end gives a
// request without arguments when it is there, and from then on.
template <typename S>
concept RequestSource = requires(S& source, uint16_t operation, uint64_t subject,
                                 const clients::Reply& reply) {
  { source.Next() } -> std::same_as<Request>;
  // What the reply to a request of that operation and subject means.
  { source.Judge(operation, subject, reply) } -> std::same_as<Outcome>;
  // Fixed while the source lives.
  { source.operations() } -> std::convertible_to<size_t>;
  { source.OperationName(operation) } -> std::convertible_to<std::string_view>;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_REQUEST_H_
