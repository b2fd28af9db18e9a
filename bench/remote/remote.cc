#include "bench/remote/remote.h"

#include <sys/resource.h>

#include <string_view>

#include "bench/remote/flags.h"
#include "bench/remote/interrupt.h"
#include "bench/remote/lab.h"
#include "bench/remote/suite.h"
#include "fmt/format.h"

namespace bench::remote {
namespace {

int Fail(int status, std::string_view message, std::FILE* error) {
  fmt::print(error, "error: {}\n", message);
  std::fflush(error);
  return status;
}

// Some errors have no text but their code.
std::string Message(const absl::Status& status) {
  const std::string message(status.message());
  return message.empty() ? status.ToString() : message;
}

// A connection is a file, and the usual limit is 1024 of them.
void RaiseFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int Main(const std::vector<std::string>& arguments, const BuildInfo& build, std::FILE* out,
         std::FILE* error) {
  const ParsedFlags parsed = ParseFlags(arguments);
  if (parsed.exit_status.has_value()) {
    fmt::print(out, "{}", parsed.output);
    if (!parsed.error.empty()) fmt::print(error, "error: {}", parsed.error);
    return *parsed.exit_status;
  }
  RaiseFileLimit();
  const auto lab = Lab::Open(parsed.flags, build, StopOnInterrupt());
  if (!lab.ok()) return Fail(1, Message(lab.status()), error);
  const absl::Status status = (*lab)->Run(RowsFor(parsed.flags), out);
  if (!status.ok()) return Fail(1, Message(status), error);
  return (*lab)->invalid() == 0 ? 0 : 1;
}

}  // namespace bench::remote
