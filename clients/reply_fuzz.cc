// Fuzzes ReplyReader: any bytes as what a server sends.
//
// What comes in: the choice says in pieces of how many bytes they come. What must hold: they are
// read into trees in which every node can be visited, or refused with kDataLoss; and in whatever
// pieces they come, the replies are the same.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "clients/reply.h"
#include "fmt/format.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

using clients::Reply;
using clients::ReplyReader;
using clients::ReplyType;
using clients::ReplyView;

// How deep hiredis reads is its own affair; claimed elements are none before they have come.
void Write(ReplyView reply, std::string* text) {
  *text += fmt::format("<{}", clients::NameOf(reply.type()));
  switch (reply.type()) {
    case ReplyType::kNil:
      break;
    case ReplyType::kInteger:
      *text += fmt::format(" {}", reply.integer());
      break;
    case ReplyType::kArray:
      for (size_t i = 0; i < reply.size(); ++i) Write(reply[i], text);
      break;
    default:
      *text += fmt::format(" {} {}", reply.text().size(), reply.text());
  }
  *text += '>';
}

struct Outcome {
  std::string replies;
  bool refused = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome Read(std::string_view bytes, size_t piece) {
  Outcome outcome;
  ReplyReader reader;
  Reply reply;
  for (size_t i = 0; i < bytes.size(); i += piece) {
    RequireOk(reader.Feed(bytes.substr(i, piece)), "bytes are not taken:");
    while (true) {
      const auto whole = reader.Next(&reply);
      if (!whole.ok()) {
        Require(absl::IsDataLoss(whole.status()), "a reply is refused with another error");
        outcome.refused = true;
        return outcome;
      }
      if (!*whole) break;
      Write(reply.root(), &outcome.replies);
    }
  }
  return outcome;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const char choice : {0, 1, 7}) {
    seeds.emplace_back(1, choice).append("+OK\r\n-ERR no\r\n:12\r\n$3\r\nabc\r\n$-1\r\n");
    seeds.emplace_back(1, choice).append("*3\r\n*2\r\n:1\r\n$0\r\n\r\n*0\r\n*1\r\n*1\r\n+a\r\n");
  }
  return seeds;
}

bool FuzzRun(std::string_view input) {
  const FuzzInput fuzzed(input);
  const Outcome whole = Read(fuzzed.bytes, fuzzed.bytes.size() + 1);
  const Outcome pieces = Read(fuzzed.bytes, size_t{fuzzed.choice} + 1);
  Require(whole == pieces, "what is read depends on the pieces in which it came");
  return !whole.refused && !whole.replies.empty();
}

}  // namespace kv::testing
