#include "clients/reply.h"

#include <hiredis/hiredis.h>

#include <new>

#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {

// What hiredis calls for each node, in the order in which they are sent. An object is whatever is
// not null; ours are never looked at.
struct ReplyReader::Building {
  static void* Add(const redisReadTask* task, ReplyType type, int64_t number, size_t begin) {
    auto* const reply = static_cast<Reply*>(task->privdata);
    reply->nodes_.push_back({.type = type, .number = number, .begin = begin});
    return reply;
  }

  static void* String(const redisReadTask* task, char* bytes, size_t length) {
    auto* const reply = static_cast<Reply*>(task->privdata);
    const size_t begin = reply->bytes_.size();
    reply->bytes_.append(bytes, length);
    const ReplyType type = task->type == REDIS_REPLY_ERROR    ? ReplyType::kError
                           : task->type == REDIS_REPLY_STATUS ? ReplyType::kStatus
                                                              : ReplyType::kString;
    return Add(task, type, static_cast<int64_t>(length), begin);
  }

  // The number of elements is an int or a size_t, by the release of hiredis.
  template <typename Count>
  static void* Array(const redisReadTask* task, Count elements) {
    return Add(task, ReplyType::kArray, static_cast<int64_t>(elements), 0);
  }
  static void* Integer(const redisReadTask* task, long long value) {
    return Add(task, ReplyType::kInteger, value, 0);
  }
  static void* Nil(const redisReadTask* task) { return Add(task, ReplyType::kNil, 0, 0); }
  static void* Double(const redisReadTask* task, double, char* text, size_t length) {
    return String(task, text, length);
  }
  static void* Bool(const redisReadTask* task, int value) {
    return Add(task, ReplyType::kInteger, value, 0);
  }
  static void Free(void*) {}

  // A template, since hiredis before 1.0 has no members for RESP3.
  template <typename Functions>
  static Functions Table() {
    Functions table{};
    table.createString = String;
    table.createArray = Array;
    table.createInteger = Integer;
    table.createNil = Nil;
    table.freeObject = Free;
    if constexpr (requires { table.createDouble; }) table.createDouble = Double;
    if constexpr (requires { table.createBool; }) table.createBool = Bool;
    return table;
  }

  static void Clear(Reply* reply) {
    reply->nodes_.clear();
    reply->bytes_.clear();
  }

  // From the back, since the end of an array is the end of its last element.
  static void FindEnds(Reply* reply) {
    for (size_t i = reply->nodes_.size(); i-- > 0;) {
      Reply::Node& node = reply->nodes_[i];
      node.end = i + 1;
      if (node.type != ReplyType::kArray) continue;
      for (int64_t element = 0; element < node.number; ++element) {
        node.end = reply->nodes_[node.end].end;
      }
    }
  }
};

std::string_view NameOf(ReplyType type) {
  switch (type) {
    case ReplyType::kNil:
      return "nil";
    case ReplyType::kString:
      return "a string";
    case ReplyType::kStatus:
      return "a status";
    case ReplyType::kError:
      return "an error";
    case ReplyType::kInteger:
      return "an integer";
    case ReplyType::kArray:
      return "an array";
  }
  return "nothing known";
}

absl::Status WrongType(ReplyView reply, std::string_view wanted) {
  return absl::InternalError(
      fmt::format("a reply of the wrong type: {}, not {}", NameOf(reply.type()), wanted));
}

absl::StatusOr<int64_t> ExpectInteger(ReplyView reply) {
  if (reply.type() != ReplyType::kInteger) return WrongType(reply, "an integer");
  return reply.integer();
}

absl::StatusOr<std::string_view> ExpectString(ReplyView reply) {
  if (reply.type() != ReplyType::kString) return WrongType(reply, "a string");
  return reply.text();
}

absl::StatusOr<std::optional<std::string_view>> ExpectOptionalString(ReplyView reply) {
  if (reply.is_nil()) return std::nullopt;
  KV_ASSIGN_OR_RETURN(const std::string_view text, ExpectString(reply));
  return text;
}

absl::Status ExpectOk(ReplyView reply) {
  if (reply.type() != ReplyType::kStatus || reply.text() != "OK") return WrongType(reply, "OK");
  return absl::OkStatus();
}

absl::Status ExpectArray(ReplyView reply) {
  if (reply.type() != ReplyType::kArray) return WrongType(reply, "an array");
  return absl::OkStatus();
}

void ReplyReader::FreeReader::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() : building_(std::make_unique<Reply>()) {
  static redisReplyObjectFunctions functions = Building::Table<redisReplyObjectFunctions>();
  reader_.reset(redisReaderCreateWithFunctions(&functions));
  if (reader_ == nullptr) throw std::bad_alloc();
  reader_->privdata = building_.get();
  Building::Clear(building_.get());
}

ReplyReader::ReplyReader(ReplyReader&&) noexcept = default;
ReplyReader& ReplyReader::operator=(ReplyReader&&) noexcept = default;
ReplyReader::~ReplyReader() = default;

absl::Status ReplyReader::Feed(std::string_view bytes) {
  in_the_middle_ = in_the_middle_ || !bytes.empty();
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    return absl::ResourceExhaustedError("no memory for a reply");
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ReplyReader::Next(Reply* reply) {
  void* whole = nullptr;
  if (redisReaderGetReply(reader_.get(), &whole) != REDIS_OK) {
    return absl::DataLossError(fmt::format("no reply of a Redis server: {}", reader_->errstr));
  }
  if (whole == nullptr) return false;
  in_the_middle_ = reader_->pos < reader_->len;
  Building::FindEnds(building_.get());
  std::swap(reply->nodes_, building_->nodes_);
  std::swap(reply->bytes_, building_->bytes_);
  Building::Clear(building_.get());
  return true;
}

}  // namespace clients
