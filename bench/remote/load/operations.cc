#include "bench/remote/load/operations.h"

#include <algorithm>

namespace bench::remote {
namespace {

using enum PartKind;

constexpr Part Word(std::string_view text) { return {.kind = kLiteral, .text = text}; }
constexpr Part Many(PartKind kind, uint16_t count) { return {.kind = kind, .count = count}; }
constexpr Part kTheKey = {.kind = kKey};
constexpr Part kTheValue = {.kind = kValue};
constexpr Part kTheElement = {.kind = kElement};
constexpr Part kTheExpiry = {.kind = kExpiry};

// The first `count` elements of a list, as redis-benchmark reads them.
constexpr Operation FirstOfList(std::string_view name, std::string_view last, uint16_t count) {
  return {.name = name,
          .space = Space::kList,
          .rule = ReplyRule::kSomeValues,
          .count = count,
          .parts = {Word("LRANGE"), kTheKey, Word("0"), Word(last)}};
}

constexpr Operation kOperations[] = {
    {.name = "PING_INLINE",
     .rule = ReplyRule::kPong,
     .parts = {Word("PING")},
     .formatted = "PING\r\n"},
    {.name = "PING", .rule = ReplyRule::kPong, .parts = {Word("PING")}},

    {.name = "GET",
     .space = Space::kString,
     .rule = ReplyRule::kValue,
     .parts = {Word("GET"), kTheKey}},
    {.name = "SET",
     .space = Space::kString,
     .rule = ReplyRule::kOk,
     .parts = {Word("SET"), kTheKey, kTheValue, kTheExpiry}},
    {.name = "ADD",
     .space = Space::kString,
     .rule = ReplyRule::kOkOrNil,
     .parts = {Word("SET"), kTheKey, kTheValue, kTheExpiry, Word("NX")}},
    {.name = "REPLACE",
     .space = Space::kString,
     .rule = ReplyRule::kOkOrNil,
     .parts = {Word("SET"), kTheKey, kTheValue, kTheExpiry, Word("XX")}},
    {.name = "CAS",
     .space = Space::kString,
     .rule = ReplyRule::kOkOrNil,
     .parts = {Word("SET"), kTheKey, kTheValue, kTheExpiry, Word("XX")}},
    {.name = "APPEND",
     .space = Space::kString,
     .rule = ReplyRule::kInteger,
     .parts = {Word("APPEND"), kTheKey, kTheValue}},
    {.name = "PREPEND",
     .space = Space::kString,
     .rule = ReplyRule::kInteger,
     .parts = {Word("APPEND"), kTheKey, kTheValue}},
    {.name = "DELETE",
     .space = Space::kString,
     .rule = ReplyRule::kFound,
     .parts = {Word("DEL"), kTheKey}},
    {.name = "INCRBY",
     .space = Space::kCounter,
     .rule = ReplyRule::kInteger,
     .parts = {Word("INCRBY"), kTheKey, Word("1")}},
    {.name = "DECRBY",
     .space = Space::kCounter,
     .rule = ReplyRule::kInteger,
     .parts = {Word("DECRBY"), kTheKey, Word("1")}},
    {.name = "INCR",
     .space = Space::kCounter,
     .rule = ReplyRule::kInteger,
     .parts = {Word("INCR"), kTheKey}},
    {.name = "MSET_10",
     .space = Space::kGroup,
     .rule = ReplyRule::kOk,
     .parts = {Word("MSET"), Many(kKeysAndValues, 10)}},
    {.name = "MGET_10",
     .space = Space::kGroup,
     .rule = ReplyRule::kValues,
     .count = 10,
     .parts = {Word("MGET"), Many(kKeys, 10)}},

    {.name = "LPUSH",
     .space = Space::kList,
     .rule = ReplyRule::kInteger,
     .parts = {Word("LPUSH"), kTheKey, kTheValue}},
    {.name = "RPUSH",
     .space = Space::kList,
     .rule = ReplyRule::kInteger,
     .parts = {Word("RPUSH"), kTheKey, kTheValue}},
    {.name = "RPUSH_10",
     .space = Space::kList,
     .rule = ReplyRule::kInteger,
     .parts = {Word("RPUSH"), kTheKey, Many(kValues, 10)}},
    {.name = "LPOP",
     .space = Space::kList,
     .rule = ReplyRule::kValue,
     .parts = {Word("LPOP"), kTheKey}},
    {.name = "RPOP",
     .space = Space::kList,
     .rule = ReplyRule::kValue,
     .parts = {Word("RPOP"), kTheKey}},
    {.name = "LLEN",
     .space = Space::kList,
     .rule = ReplyRule::kFound,
     .parts = {Word("LLEN"), kTheKey}},
    {.name = "LINDEX",
     .space = Space::kList,
     .rule = ReplyRule::kValue,
     .parts = {Word("LINDEX"), kTheKey, {.kind = kRank}}},
    {.name = "LRANGE_10",
     .space = Space::kList,
     .rule = ReplyRule::kSomeValues,
     .count = 10,
     .parts = {Word("LRANGE"), kTheKey, Many(kRange, 10)}},
    FirstOfList("LRANGE_100", "99", 100),
    FirstOfList("LRANGE_300", "299", 300),
    FirstOfList("LRANGE_500", "499", 500),
    FirstOfList("LRANGE_600", "599", 600),

    {.name = "HGET",
     .space = Space::kHash,
     .rule = ReplyRule::kValue,
     .parts = {Word("HGET"), kTheKey, kTheElement}},
    {.name = "HMGET_10",
     .space = Space::kHash,
     .rule = ReplyRule::kValues,
     .count = 10,
     .parts = {Word("HMGET"), kTheKey, Many(kElements, 10)}},
    {.name = "HGETALL",
     .space = Space::kHash,
     .rule = ReplyRule::kFieldsAndValues,
     .parts = {Word("HGETALL"), kTheKey}},
    {.name = "HLEN",
     .space = Space::kHash,
     .rule = ReplyRule::kFound,
     .parts = {Word("HLEN"), kTheKey}},
    {.name = "HSET",
     .space = Space::kHash,
     .rule = ReplyRule::kInteger,
     .parts = {Word("HSET"), kTheKey, Many(kFieldsAndValues, 1)}},
    {.name = "HSET_5",
     .space = Space::kHash,
     .rule = ReplyRule::kInteger,
     .parts = {Word("HSET"), kTheKey, Many(kFieldsAndValues, 5)}},
    {.name = "HSET_10",
     .space = Space::kHash,
     .rule = ReplyRule::kInteger,
     .parts = {Word("HSET"), kTheKey, Many(kFieldsAndValues, 10)}},
    {.name = "HDEL",
     .space = Space::kHash,
     .rule = ReplyRule::kFound,
     .parts = {Word("HDEL"), kTheKey, kTheElement}},

    {.name = "SADD",
     .space = Space::kSet,
     .rule = ReplyRule::kInteger,
     .parts = {Word("SADD"), kTheKey, kTheElement}},
    {.name = "SADD_10",
     .space = Space::kSet,
     .rule = ReplyRule::kInteger,
     .parts = {Word("SADD"), kTheKey, Many(kElements, 10)}},
    {.name = "SREM",
     .space = Space::kSet,
     .rule = ReplyRule::kFound,
     .parts = {Word("SREM"), kTheKey, kTheElement}},
    {.name = "SPOP",
     .space = Space::kSet,
     .rule = ReplyRule::kMember,
     .parts = {Word("SPOP"), kTheKey}},
    {.name = "SMEMBERS",
     .space = Space::kSet,
     .rule = ReplyRule::kSomeMembers,
     .count = kAnyCount,
     .parts = {Word("SMEMBERS"), kTheKey}},
    {.name = "SISMEMBER",
     .space = Space::kSet,
     .rule = ReplyRule::kFound,
     .parts = {Word("SISMEMBER"), kTheKey, kTheElement}},
    {.name = "SCARD",
     .space = Space::kSet,
     .rule = ReplyRule::kFound,
     .parts = {Word("SCARD"), kTheKey}},

    {.name = "ZADD",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kInteger,
     .parts = {Word("ZADD"), kTheKey, Many(kScoresAndMembers, 1)}},
    {.name = "ZADD_10",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kInteger,
     .parts = {Word("ZADD"), kTheKey, Many(kScoresAndMembers, 10)}},
    {.name = "ZREM",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kFound,
     .parts = {Word("ZREM"), kTheKey, kTheElement}},
    {.name = "ZINCRBY",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kNewScore,
     .parts = {Word("ZINCRBY"), kTheKey, Word("1"), kTheElement}},
    {.name = "ZRANGE_10",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kSomeMembers,
     .count = 10,
     .parts = {Word("ZRANGE"), kTheKey, Many(kRange, 10)}},
    {.name = "ZREVRANGE_10",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kSomeMembers,
     .count = 10,
     .parts = {Word("ZREVRANGE"), kTheKey, Many(kRange, 10)}},
    {.name = "ZCARD",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kFound,
     .parts = {Word("ZCARD"), kTheKey}},
    {.name = "ZSCORE",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kScore,
     .parts = {Word("ZSCORE"), kTheKey, kTheElement}},
    {.name = "ZPOPMIN",
     .space = Space::kSortedSet,
     .rule = ReplyRule::kMemberAndScore,
     .parts = {Word("ZPOPMIN"), kTheKey}},

    {.name = "XADD",
     .space = Space::kStream,
     .rule = ReplyRule::kId,
     .parts = {Word("XADD"), kTheKey, Word("*"), Word("field"), kTheValue}},

    {.name = "READ",
     .space = Space::kRecord,
     .rule = ReplyRule::kFieldsAndValues,
     .parts = {Word("HGETALL"), kTheKey}},
    {.name = "UPDATE",
     .space = Space::kRecord,
     .rule = ReplyRule::kOk,
     .parts = {Word("HMSET"), kTheKey, Many(kFieldsAndValues, 1)}},
    {.name = "INSERT",
     .space = Space::kRecord,
     .rule = ReplyRule::kOk,
     .parts = {Word("HMSET"), kTheKey, Many(kFieldsAndValues, 10)}},
    {.name = "INSERT_INDEX",
     .space = Space::kIndex,
     .rule = ReplyRule::kInteger,
     .parts = {Word("ZADD"), kTheKey, {.kind = kNumber}, {.kind = kName}}},
    {.name = "SCAN",
     .space = Space::kIndex,
     .rule = ReplyRule::kNames,
     .count = kAnyCount,
     .parts = {Word("ZRANGEBYSCORE"),
               kTheKey,
               {.kind = kNumber},
               Word("+inf"),
               Word("LIMIT"),
               Word("0"),
               {.kind = kLength}}},
};

constexpr Operation Removes(Space space) {
  return {.name = "UNLINK",
          .space = space,
          .rule = ReplyRule::kInteger,
          .parts = {Word("UNLINK"), space == Space::kGroup ? Many(kKeys, 10) : kTheKey}};
}

constexpr Operation kRemoves[kSpaces] = {
    Removes(Space::kNone),   Removes(Space::kString),    Removes(Space::kCounter),
    Removes(Space::kGroup),  Removes(Space::kList),      Removes(Space::kHash),
    Removes(Space::kSet),    Removes(Space::kSortedSet), Removes(Space::kStream),
    Removes(Space::kRecord), Removes(Space::kIndex),
};

}  // namespace

bool FindsOrMisses(ReplyRule rule) { return rule >= ReplyRule::kFound; }

std::span<const Operation> Operations() { return kOperations; }

const Operation* FindOperation(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kOperations), std::end(kOperations),
                   [&](const Operation& operation) { return operation.name == name; });
  return found == std::end(kOperations) ? nullptr : found;
}

const Operation* FillOperation(Space space) {
  switch (space) {
    case Space::kString:
      return FindOperation("SET");
    case Space::kGroup:
      return FindOperation("MSET_10");
    case Space::kList:
      return FindOperation("RPUSH_10");
    case Space::kHash:
      return FindOperation("HSET_10");
    case Space::kSet:
      return FindOperation("SADD_10");
    case Space::kSortedSet:
      return FindOperation("ZADD_10");
    case Space::kRecord:
      return FindOperation("INSERT");
    case Space::kIndex:
      return FindOperation("INSERT_INDEX");
    case Space::kNone:
    case Space::kCounter:
    case Space::kStream:
      return nullptr;
  }
  return nullptr;
}

const Operation* RemoveOperation(Space space) { return &kRemoves[static_cast<size_t>(space)]; }

bool Appends(const Operation& operation) {
  return operation.space == Space::kString && operation.parts[0].text == "APPEND";
}

bool Has(const Operation& operation, PartKind kind) {
  return std::any_of(operation.parts.begin(), operation.parts.end(),
                     [&](const Part& part) { return part.kind == kind; });
}

}  // namespace bench::remote
