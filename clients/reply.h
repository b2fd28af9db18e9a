// Replies of a server: a tree in one piece, read by hiredis' parser.
//
// A Reply keeps its nodes in the order in which they were sent and all its bytes behind each other.
// So a reply takes no allocation where one of its kind and size was read into it before, which a
// tree of redisReply cannot do; and the number of elements that a server claims allocates nothing.
//
//   nodes:  array of 2 | string | array of 1 | integer        bytes:  of the string
//
// Both RESP2 and what hiredis knows of RESP3: maps, sets and pushes are arrays here, doubles and
// verbatim texts strings, and booleans integers.
//
// What has the wrong type is an error by the Expect functions, never a zero or an empty text.
//
// Thread safety: none; a const Reply may be read by any thread.
// Complexity: reading is linear; operator[] counts its way through the elements before.
// For: connections. Not for: keeping data, since nodes come on top of the bytes.
#ifndef CLIENTS_REPLY_H_
#define CLIENTS_REPLY_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct redisReader;

namespace clients {

enum class ReplyType : uint8_t { kNil, kString, kStatus, kError, kInteger, kArray };

// "an integer" and so on, for messages.
std::string_view NameOf(ReplyType type);

class Reply;

// One node of a Reply, which must outlive it and stay as it is.
class ReplyView {
 public:
  ReplyType type() const;
  bool is_nil() const { return type() == ReplyType::kNil; }
  bool is_error() const { return type() == ReplyType::kError; }
  // Of a string, a status or an error. Its bytes are those that were sent.
  std::string_view text() const;
  int64_t integer() const;
  // How many elements an array has.
  size_t size() const;
  // Element `index` of an array, which has it.
  ReplyView operator[](size_t index) const;

 private:
  friend class Reply;
  ReplyView(const Reply* reply, size_t node) : reply_(reply), node_(node) {}

  const Reply* reply_;
  size_t node_;
};

class Reply {
 public:
  // An empty one is nil.
  Reply() { nodes_.push_back({}); }

  ReplyView root() const { return {this, 0}; }
  ReplyType type() const { return root().type(); }
  bool is_nil() const { return root().is_nil(); }
  bool is_error() const { return root().is_error(); }
  std::string_view text() const { return root().text(); }
  int64_t integer() const { return root().integer(); }
  size_t size() const { return root().size(); }
  ReplyView operator[](size_t index) const { return root()[index]; }

 private:
  friend class ReplyView;
  friend class ReplyReader;

  struct Node {
    ReplyType type = ReplyType::kNil;
    int64_t number = 0;  // an integer, the bytes of a text, or the elements of an array
    size_t begin = 0;    // where a text begins in bytes_
    size_t end = 1;      // the node behind this one and all that belongs to it
  };

  std::vector<Node> nodes_;
  std::string bytes_;
};

// What is in the way of reading a reply as what it should be: kInternal with both types.
absl::Status WrongType(ReplyView reply, std::string_view wanted);
absl::StatusOr<int64_t> ExpectInteger(ReplyView reply);
absl::StatusOr<std::string_view> ExpectString(ReplyView reply);
// nullopt: nil.
absl::StatusOr<std::optional<std::string_view>> ExpectOptionalString(ReplyView reply);
// The status "OK".
absl::Status ExpectOk(ReplyView reply);
absl::Status ExpectArray(ReplyView reply);

// Takes bytes as they come and gives the replies in them (hiredis' redisReader).
class ReplyReader {
 public:
  ReplyReader();
  ReplyReader(ReplyReader&&) noexcept;
  ReplyReader& operator=(ReplyReader&&) noexcept;
  ~ReplyReader();

  // kResourceExhausted: no memory for them.
  absl::Status Feed(std::string_view bytes);

  // Whether a reply was whole; it is then in `reply`, whose capacity is taken over in return.
  // kDataLoss: these bytes are no reply, and nothing behind them can be read.
  absl::StatusOr<bool> Next(Reply* reply);

  // Whether bytes came behind the last whole reply.
  bool in_the_middle() const { return in_the_middle_; }

 private:
  struct Building;
  struct FreeReader {
    void operator()(redisReader* reader) const;
  };

  std::unique_ptr<Reply> building_;  // its address is known to the reader
  std::unique_ptr<redisReader, FreeReader> reader_;
  bool in_the_middle_ = false;
};

// --- Implementation

inline ReplyType ReplyView::type() const { return reply_->nodes_[node_].type; }

inline std::string_view ReplyView::text() const {
  const Reply::Node& node = reply_->nodes_[node_];
  assert(node.type == ReplyType::kString || node.type == ReplyType::kStatus ||
         node.type == ReplyType::kError);
  return std::string_view(reply_->bytes_).substr(node.begin, static_cast<size_t>(node.number));
}

inline int64_t ReplyView::integer() const {
  assert(type() == ReplyType::kInteger);
  return reply_->nodes_[node_].number;
}

inline size_t ReplyView::size() const {
  assert(type() == ReplyType::kArray);
  return static_cast<size_t>(reply_->nodes_[node_].number);
}

inline ReplyView ReplyView::operator[](size_t index) const {
  assert(index < size());
  size_t node = node_ + 1;
  for (size_t i = 0; i < index; ++i) node = reply_->nodes_[node].end;
  return {reply_, node};
}

}  // namespace clients

#endif  // CLIENTS_REPLY_H_
