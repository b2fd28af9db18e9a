#include "bench/remote/target.h"

#include <chrono>
#include <utility>

#include "clients/url.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

clients::Nanoseconds TimeOf(double seconds) {
  return std::chrono::duration_cast<clients::Nanoseconds>(std::chrono::duration<double>(seconds));
}

}  // namespace

absl::StatusOr<Target> OpenTarget(const Flags& flags) {
  Target target;
  if (flags.url.has_value()) {
    target.options.url = *flags.url;
    target.options.tls = flags.tls;
  } else {
    KV_ASSIGN_OR_RETURN(auto server,
                        clients::local::Server::Start(
                            {.program = flags.server, .settings = flags.server_settings}));
    target.options = server.connect_options();
    target.own.emplace(std::move(server));
  }
  target.options.connect_timeout = TimeOf(flags.connect_timeout);
  target.options.command_timeout = TimeOf(flags.command_timeout);
  target.options.reconnect_for = TimeOf(flags.reconnect_timeout);
  target.shown = clients::Redacted(target.options.url);
  return target;
}

}  // namespace bench::remote
