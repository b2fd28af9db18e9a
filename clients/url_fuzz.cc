// Fuzzes ParseUrl(): any bytes as the URL of a server.
//
// What must hold: it is refused with kInvalidArgument and nothing of its bytes but their number; or
// it is read, and then
//   - there are hosts, each with a port, or there is a path that the system can take;
//   - with the password made ***, it is written and read again as it was.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "clients/url.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

using clients::ParseUrl;
using clients::Url;

// The message without its number: the same for any URL that is broken in the same way.
bool IsFixedText(std::string_view message) {
  for (const char c : message) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') return false;
  }
  return message.size() < 200;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const std::string_view text :
       {"redis://user:p%40ss@host:6380/2", "rediss://[::1]:1?db=7", "unix:///run/a%20b.sock?db=1",
        "redis+cluster://:pw@a:1,b,[2001:db8::5]:3", "unix://u:@/s"}) {
    seeds.emplace_back(1, '\0').append(text);
  }
  return seeds;
}

bool FuzzRun(std::string_view input) {
  const FuzzInput fuzzed(input);
  const auto url = ParseUrl(fuzzed.bytes);
  if (!url.ok()) {
    Require(absl::IsInvalidArgument(url.status()), "a URL is refused with another error");
    const std::string message(url.status().message());
    Require(IsFixedText(message), "an error quotes its URL");
    return false;
  }
  Require(url->hosts.empty() != url->path.empty(), "neither hosts nor a path, or both");
  Require(url->cluster || url->hosts.size() <= 1, "several hosts without a cluster");
  for (const auto& host : url->hosts) {
    Require(!host.host.empty() && host.port != 0, "a host without a name or port");
  }
  Require(url->path.find('\0') == std::string::npos && url->path.size() < 108,
          "a path that the system cannot take");
  const auto again = ParseUrl(Redacted(*url));
  RequireOk(again.status(), "a URL that was written is refused:");
  Url masked = *url;
  if (!masked.password.empty()) masked.password = "***";
  Require(*again == masked, "a URL that was written reads otherwise");
  return true;
}

}  // namespace kv::testing
