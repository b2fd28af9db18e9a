// Commands in the bytes of the protocol, by hiredis' formatter.
//
// Arguments are arbitrary bytes. A command of 2 GiB or more is kInvalidArgument: the formatter
// counts in an int, and no server takes it.
//
// Thread safety: pure functions. Complexity: linear in the bytes; AppendCommand takes an
// allocation, of hiredis', a command. What is sent often is formatted once and appended as it is.
// Source: the RESP specification, "Sending commands to a Redis server".
#ifndef CLIENTS_COMMAND_H_
#define CLIENTS_COMMAND_H_

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace clients {

// A command and its arguments; at least the command.
using Arguments = std::span<const std::string_view>;

// Appends it to `bytes`.
absl::Status AppendCommand(Arguments arguments, std::string* bytes);

inline absl::Status AppendCommand(std::initializer_list<std::string_view> arguments,
                                  std::string* bytes) {
  return AppendCommand(Arguments(arguments.begin(), arguments.size()), bytes);
}

// The same bytes, put together in place: no allocation where `bytes` has room.
// For: load, in which each of millions of commands is another one.
absl::Status AppendCommandInPlace(Arguments arguments, std::string* bytes);

}  // namespace clients

#endif  // CLIENTS_COMMAND_H_
