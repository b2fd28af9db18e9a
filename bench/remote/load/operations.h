// Every command that a load can send, as data: its arguments, and which reply to it is right.
//
// An operation is a command with a certain shape of arguments (LRANGE of 10, HSET of 5 fields); its
// name is what reports call it. Which keys, elements and values stand in it is the load's choice.
//
// Of memcached's commands, which the Twitter traces name:
//
//   get, gets     GET                         the token of gets has no counterpart
//   set           SET [EX ttl]
//   add, replace  SET ... NX, SET ... XX
//   cas           SET ... XX                  the stored value is not compared: no script, and no
//                                             transaction over a shared connection
//   append        APPEND
//   prepend       APPEND                      as many bytes, at the other end
//   delete        DEL
//   incr, decr    INCRBY 1, DECRBY 1          which make a key that is not there; memcached's miss
//
// Of YCSB's, after its Redis binding: read is HGETALL, insert HMSET and ZADD to an index of all
// records, update HMSET of one field, scan ZRANGEBYSCORE on the index and a read of each record.
// The index is ordered by the number of the record instead of a hash of its key.
//
// Thread safety: immutable. Complexity: finding is linear in the table.
// Source: https://redis.io/commands; redis-benchmark.c; YCSB's RedisClient.java.
#ifndef BENCH_REMOTE_LOAD_OPERATIONS_H_
#define BENCH_REMOTE_LOAD_OPERATIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bench::remote {

// Kinds of keys. Each has its part of the key, so that no command meets a key of another type.
enum class Space : uint8_t {
  kNone,  // no key
  kString,
  kCounter,
  kGroup,  // strings of commands with several keys, which share a hash tag in a cluster
  kList,
  kHash,
  kSet,
  kSortedSet,
  kStream,
  kRecord,  // YCSB's hash of ten fields
  kIndex,   // YCSB's sorted set of all records
};
inline constexpr size_t kSpaces = 11;

enum class PartKind : uint8_t {
  kEnd,
  kLiteral,           // `text`
  kKey,               // of the request's number
  kKeys,              // `count` of a group
  kKeysAndValues,     // the same, each with a value
  kValue,             // of the request's number
  kValues,            // `count`
  kElement,           // the name of a field or member
  kElements,          // `count`, in a row
  kFieldsAndValues,   // `count` elements, each with a value
  kScoresAndMembers,  // `count` elements, each behind its number
  kRange,             // the first and the last of `count` ranks in a row
  kRank,              // one rank
  kNumber,            // the request's number
  kName,              // of the record, as members of the index have it
  kLength,            // of a scan
  kExpiry,            // EX and seconds, or nothing where values stay
};

struct Part {
  PartKind kind = PartKind::kEnd;
  uint16_t count = 1;
  std::string_view text = {};
};

// What a right reply is. Anything else is Outcome::kWrongReply.
enum class ReplyRule : uint8_t {
  kPong,
  kOk,
  kOkOrNil,          // of a conditional write
  kInteger,          // of a write
  kId,               // of an entry of a stream
  kNewScore,         // a number as text
  kFound,            // an integer; 0: a miss
  kValue,            // of the subject, or nil: a miss
  kValues,           // `count` values or nils, the first of the subject; any nil: a miss
  kSomeValues,       // at most `count`; none: a miss
  kFieldsAndValues,  // an even number; none: a miss
  kMember,           // or nil: a miss
  kSomeMembers,      // at most `count`; none: a miss
  kScore,            // a number as text, or nil: a miss
  kMemberAndScore,   // or none: a miss
  kNames,            // of records; none: a miss
};

// Whether the rule can say hit or miss.
bool FindsOrMisses(ReplyRule rule);

inline constexpr size_t kMaxParts = 8;
inline constexpr uint16_t kAnyCount = 0xffff;

struct Operation {
  std::string_view name;
  Space space = Space::kNone;
  ReplyRule rule = ReplyRule::kOk;
  uint16_t count = 1;                      // of the rule
  std::array<Part, kMaxParts> parts = {};  // the command first
  std::string_view formatted = {};         // Request::formatted
};

std::span<const Operation> Operations();

// nullptr when there is none of that name.
const Operation* FindOperation(std::string_view name);

// What fills keys of this space, some elements a request, in any order and any number of times but
// for lists; nullptr where nothing has to be there.
const Operation* FillOperation(Space space);

// Removes a key of this space.
const Operation* RemoveOperation(Space space);

// Whether the operation makes strings longer.
bool Appends(const Operation& operation);
// Whether one of its parts is `kind`.
bool Has(const Operation& operation, PartKind kind);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_OPERATIONS_H_
