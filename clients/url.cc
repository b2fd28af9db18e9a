#include "clients/url.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

constexpr size_t kMaxHostBytes = 255;  // RFC 1035
constexpr size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::string_view kMask = "***";

struct Scheme {
  std::string_view name;
  bool tls;
  bool unix_socket;
  bool cluster;
};
constexpr Scheme kSchemes[] = {
    {"redis", false, false, false},        {"rediss", true, false, false},
    {"unix", false, true, false},          {"redis+cluster", false, false, true},
    {"rediss+cluster", true, false, true},
};

absl::Status Bad(size_t at, std::string_view reason) {
  return kv::Invalid(fmt::format("URL of a server, at byte {}: {}", at, reason));
}

// A part of the URL that remembers where it stands.
struct Part {
  std::string_view text;
  size_t at = 0;

  Part Sub(size_t from, size_t count = std::string_view::npos) const {
    return {text.substr(from, count), at + from};
  }
  size_t end() const { return at + text.size(); }
};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

absl::StatusOr<std::string> PercentDecode(Part part) {
  std::string decoded;
  decoded.reserve(part.text.size());
  for (size_t i = 0; i < part.text.size(); ++i) {
    if (part.text[i] != '%') {
      decoded += part.text[i];
      continue;
    }
    const int high = i + 2 < part.text.size() ? HexDigit(part.text[i + 1]) : -1;
    const int low = i + 2 < part.text.size() ? HexDigit(part.text[i + 2]) : -1;
    if (high < 0 || low < 0) return Bad(part.at + i, "% without two hexadecimal digits");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string PercentEncode(std::string_view text, std::string_view kept) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// Digits only, so that neither a sign nor a space passes.
std::optional<uint32_t> ParseNumber(std::string_view text, uint32_t most) {
  if (text.empty()) return std::nullopt;
  uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
    if (number > most) return std::nullopt;
  }
  return static_cast<uint32_t>(number);
}

absl::Status ParseCredentials(Part part, Url* url) {
  const size_t colon = part.text.find(':');
  if (colon == std::string_view::npos) {
    return Bad(part.end(), "no password: write user:password@, or :password@ without a user");
  }
  KV_ASSIGN_OR_RETURN(url->user, PercentDecode(part.Sub(0, colon)));
  KV_ASSIGN_OR_RETURN(url->password, PercentDecode(part.Sub(colon + 1)));
  if (!url->has_credentials()) return Bad(part.at, "neither a user nor a password before the @");
  return absl::OkStatus();
}

bool IsHostCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_';
}

absl::StatusOr<HostPort> ParseHostPort(Part part) {
  HostPort node;
  Part rest;  // behind the host
  if (part.text.starts_with('[')) {
    const size_t close = part.text.find(']');
    if (close == std::string_view::npos) return Bad(part.at, "[ without ]");
    node.host = part.text.substr(1, close - 1);
    in6_addr address;
    if (inet_pton(AF_INET6, node.host.c_str(), &address) != 1 ||
        node.host.find('\0') != std::string::npos) {
      return Bad(part.at + 1, "no IPv6 address between the brackets");
    }
    rest = part.Sub(close + 1);
  } else {
    const size_t length = std::min(part.text.find(':'), part.text.size());
    node.host = part.text.substr(0, length);
    if (node.host.empty()) return Bad(part.at, "no host");
    if (node.host.size() > kMaxHostBytes) return Bad(part.at, "a host of more than 255 bytes");
    const auto strange = std::find_if_not(node.host.begin(), node.host.end(),
                                          [](char c) { return IsHostCharacter(c); });
    if (strange != node.host.end()) {
      return Bad(part.at + static_cast<size_t>(strange - node.host.begin()),
                 "no host has this character");
    }
    rest = part.Sub(length);
  }
  if (rest.text.empty()) return node;
  if (rest.text.front() != ':') return Bad(rest.at, "behind ] stands a port or nothing");
  const auto port = ParseNumber(rest.text.substr(1), std::numeric_limits<uint16_t>::max());
  if (!port.has_value() || *port == 0) {
    return Bad(rest.at + 1,
               "no port between 1 and 65535 (in a password, / ? # are written %2F %3F %23; an IPv6 "
               "address stands in brackets)");
  }
  node.port = static_cast<uint16_t>(*port);
  return node;
}

absl::Status ParseHosts(Part part, Url* url) {
  if (!url->cluster) {
    if (const size_t comma = part.text.find(','); comma != std::string_view::npos) {
      return Bad(part.at + comma, "several hosts are for redis+cluster:// only");
    }
  }
  while (true) {
    const size_t comma = part.text.find(',');
    KV_ASSIGN_OR_RETURN(HostPort node, ParseHostPort(part.Sub(0, comma)));
    url->hosts.push_back(std::move(node));
    if (comma == std::string_view::npos) return absl::OkStatus();
    part = part.Sub(comma + 1);
  }
}

absl::Status ParseDatabase(Part part, Url* url) {
  const auto number = ParseNumber(part.text, std::numeric_limits<int32_t>::max());
  if (!number.has_value()) return Bad(part.at, "the database is not a number");
  if (url->cluster && *number != 0) return Bad(part.at, "a cluster has only database 0");
  url->database = *number;
  return absl::OkStatus();
}

absl::Status ParseSocketPath(Part part, Url* url) {
  KV_ASSIGN_OR_RETURN(url->path, PercentDecode(part));
  if (url->path.size() < 2) return Bad(part.at, "no path of a socket");
  if (url->path.size() > kMaxSocketPath) {
    return Bad(part.at, fmt::format("a path of {} bytes, where the system takes {}",
                                    url->path.size(), kMaxSocketPath));
  }
  if (url->path.find('\0') != std::string::npos) return Bad(part.at, "a NUL in the path");
  return absl::OkStatus();
}

}  // namespace

std::string ToString(const HostPort& node) {
  const bool brackets = node.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", node.host, brackets ? "]" : "", node.port);
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  const size_t colon = text.find("://");
  const auto* const scheme =
      std::find_if(std::begin(kSchemes), std::end(kSchemes),
                   [&](const Scheme& known) { return known.name == text.substr(0, colon); });
  if (colon == std::string_view::npos || scheme == std::end(kSchemes)) {
    return Bad(0,
               "it begins with redis://, rediss://, unix://, redis+cluster:// or "
               "rediss+cluster://");
  }
  if (const size_t hash = text.find('#'); hash != std::string_view::npos) {
    return Bad(hash, "# stands in no URL of a server (in a password it is written %23)");
  }
  Url url{.tls = scheme->tls, .cluster = scheme->cluster};

  const Part whole{text, 0};
  const size_t authority_at = colon + 3;
  const size_t path_at = std::min(text.find_first_of("/?", authority_at), text.size());
  const size_t query_at = std::min(text.find('?', path_at), text.size());
  Part authority = whole.Sub(authority_at, path_at - authority_at);
  const Part path = whole.Sub(path_at, query_at - path_at);

  if (const size_t at = authority.text.rfind('@'); at != std::string_view::npos) {
    KV_RETURN_IF_ERROR(ParseCredentials(authority.Sub(0, at), &url));
    authority = authority.Sub(at + 1);
  }
  bool has_database = false;
  if (scheme->unix_socket) {
    if (!authority.text.empty()) {
      return Bad(authority.at, "unix:// is followed by [user:password@] and an absolute path");
    }
    KV_RETURN_IF_ERROR(ParseSocketPath(path, &url));
  } else {
    KV_RETURN_IF_ERROR(ParseHosts(authority, &url));
    if (path.text.size() > 1) {
      KV_RETURN_IF_ERROR(ParseDatabase(path.Sub(1), &url));
      has_database = true;
    }
  }
  if (query_at < text.size()) {
    const Part query = whole.Sub(query_at + 1);
    constexpr std::string_view kDatabase = "db=";
    if (!query.text.starts_with(kDatabase)) return Bad(query.at, "only db=n may follow the ?");
    if (has_database) return Bad(query.at, "the database is there twice");
    KV_RETURN_IF_ERROR(ParseDatabase(query.Sub(kDatabase.size()), &url));
  }
  return url;
}

std::string Redacted(const Url& url) {
  constexpr std::string_view kUnreserved = "-._~";
  std::string text = !url.path.empty() ? "unix" : url.tls ? "rediss" : "redis";
  if (url.cluster) text += "+cluster";
  text += "://";
  if (url.has_credentials()) {
    text += fmt::format("{}:{}@", PercentEncode(url.user, kUnreserved),
                        url.password.empty() ? "" : kMask);
  }
  for (size_t i = 0; i < url.hosts.size(); ++i) {
    text += (i > 0 ? "," : "") + ToString(url.hosts[i]);
  }
  text += PercentEncode(url.path, "-._~/");
  if (url.database != 0) text += fmt::format("{}{}", url.path.empty() ? "/" : "?db=", url.database);
  return text;
}

}  // namespace clients
