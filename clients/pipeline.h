// A pipeline: many commands in one write, and their replies in order.
//
//   Pipeline pipeline(&connection);
//   for (...) KV_RETURN_IF_ERROR(pipeline.Add({"SET", key, value}));
//   KV_RETURN_IF_ERROR(pipeline.Run());
//   pipeline.reply(0) ...   pipeline.errors() ...
//
// A command that the server refuses does not stop those behind it; its reply is an error, and is
// counted under the command's name and the first word of the error. A pipeline is no transaction:
// other clients' commands may come between (MULTI and EXEC are commands like any other).
//
// When the connection is lost, answered() replies are there; what the commands behind them have
// done is unknown.
//
// Thread safety: none. Complexity: linear; memory is used again from one run to the next.
// For: bulk work on one connection. Not for: many connections at once (event_loop.h).
#ifndef CLIENTS_PIPELINE_H_
#define CLIENTS_PIPELINE_H_

#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "clients/command.h"
#include "clients/connection.h"
#include "clients/reply.h"

namespace clients {

// Which command was refused, and as what: {"GET", "WRONGTYPE"}.
struct RefusedAs {
  std::string command;
  std::string error;

  friend auto operator<=>(const RefusedAs&, const RefusedAs&) = default;
};

using ErrorCounts = std::map<RefusedAs, uint64_t>;

class Pipeline {
 public:
  explicit Pipeline(Connection* connection) : connection_(connection) {}

  // Adds a command to the next run. kInvalidArgument: it has no name, or is too long.
  absl::Status Add(Arguments arguments);
  absl::Status Add(std::initializer_list<std::string_view> arguments) {
    return Add(Arguments(arguments.begin(), arguments.size()));
  }
  // How many wait for the next run.
  size_t pending() const { return commands_.size(); }

  // Sends them all and waits for all replies, within the connection's time for one command.
  // Afterwards nothing is pending, whether it failed or not.
  absl::Status Run();

  // Of the last run.
  size_t answered() const { return answered_; }
  const Reply& reply(size_t index) const {
    assert(index < answered_);
    return replies_[index];
  }

  // Of all runs.
  const ErrorCounts& errors() const { return errors_; }

 private:
  Connection* connection_;
  std::string bytes_;
  std::vector<std::string> commands_;  // names of those that wait
  std::vector<Reply> replies_;         // as many as the largest run had
  size_t answered_ = 0;
  ErrorCounts errors_;
};

}  // namespace clients

#endif  // CLIENTS_PIPELINE_H_
