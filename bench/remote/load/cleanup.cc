#include "bench/remote/load/cleanup.h"

#include <span>
#include <vector>

#include "clients/command.h"
#include "clients/errors.h"
#include "clients/reply.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

// One command a key: those of one command would have to share a slot in a cluster.
absl::Status Unlink(clients::Connection* connection, clients::ReplyView keys,
                    std::vector<clients::Reply>* replies, uint64_t* removed) {
  std::string commands;
  for (size_t i = 0; i < keys.size(); ++i) {
    KV_ASSIGN_OR_RETURN(const std::string_view key, clients::ExpectString(keys[i]));
    KV_RETURN_IF_ERROR(clients::AppendCommand({"UNLINK", key}, &commands));
  }
  if (replies->size() < keys.size()) replies->resize(keys.size());
  size_t answered = 0;
  KV_RETURN_IF_ERROR(
      connection->Exchange(commands, std::span(*replies).first(keys.size()), &answered));
  for (size_t i = 0; i < answered; ++i) {
    const clients::Reply& reply = (*replies)[i];
    if (reply.is_error()) return clients::ErrorStatus(connection->peer(), reply.text());
    KV_ASSIGN_OR_RETURN(const int64_t count, clients::ExpectInteger(reply.root()));
    *removed += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

}  // namespace

std::string PatternOf(std::string_view prefix) {
  std::string pattern;
  for (const char c : prefix) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') pattern.push_back('\\');
    pattern.push_back(c);
  }
  pattern.push_back('*');
  return pattern;
}

absl::StatusOr<uint64_t> RemovePrefix(clients::Connection* connection, std::string_view prefix) {
  if (prefix.empty()) return kv::Invalid("without a prefix, all keys would be removed");
  const std::string pattern = PatternOf(prefix);
  std::string cursor = "0";
  std::vector<clients::Reply> replies;
  uint64_t removed = 0;
  do {
    KV_ASSIGN_OR_RETURN(const clients::Reply page,
                        connection->Run({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"}));
    if (page.type() != clients::ReplyType::kArray || page.size() != 2) {
      return clients::WrongType(page.root(), "a cursor and keys");
    }
    KV_ASSIGN_OR_RETURN(const std::string_view next, clients::ExpectString(page[0]));
    KV_RETURN_IF_ERROR(clients::ExpectArray(page[1]));
    if (page[1].size() > 0) {
      KV_RETURN_IF_ERROR(Unlink(connection, page[1], &replies, &removed));
    }
    cursor = std::string(next);
  } while (cursor != "0");
  return removed;
}

}  // namespace bench::remote
