#include "bench/remote/load/reply_judge.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "bench/remote/load/key_text.h"

namespace bench::remote {
namespace {

using clients::Reply;
using clients::ReplyType;
using clients::ReplyView;

bool IsText(ReplyView reply, std::string_view begin = {}) {
  return reply.type() == ReplyType::kString && reply.text().starts_with(begin);
}

bool IsNumber(ReplyView reply) {
  if (reply.type() != ReplyType::kString || reply.text().empty()) return false;
  const char first = reply.text().front();
  return (first >= '0' && first <= '9') || first == '-';
}

Outcome HitIf(bool right) { return right ? Outcome::kHit : Outcome::kWrongReply; }
Outcome DoneIf(bool right) { return right ? Outcome::kDone : Outcome::kWrongReply; }

// The name of an element of this space begins so.
std::string_view ElementHead(const Operation& operation) {
  return operation.space == Space::kRecord ? kFieldHead : kElementHead;
}

// An array whose size its rule allows, and which is not empty.
Outcome JudgeArray(const Operation& operation, const Reply& reply) {
  const ReplyView first = reply[0];
  switch (operation.rule) {
    case ReplyRule::kValues: {
      // Few, so that counting one's way to each costs little.
      if (reply.size() != operation.count) return Outcome::kWrongReply;
      bool all = true;
      for (size_t i = 0; i < reply.size(); ++i) {
        if (!reply[i].is_nil() && !IsText(reply[i])) return Outcome::kWrongReply;
        all &= !reply[i].is_nil();
      }
      return all ? Outcome::kHit : Outcome::kMiss;
    }
    case ReplyRule::kSomeValues:
      return HitIf(reply.size() <= operation.count && IsText(first));
    case ReplyRule::kFieldsAndValues:
      return HitIf(reply.size() % 2 == 0 && IsText(first, ElementHead(operation)) &&
                   IsText(reply[1]));
    case ReplyRule::kSomeMembers:
      return HitIf(reply.size() <= operation.count && IsText(first, kElementHead));
    case ReplyRule::kMemberAndScore:
      return HitIf(reply.size() == 2 && IsText(first, kElementHead) && IsNumber(reply[1]));
    case ReplyRule::kNames:
      return HitIf(IsText(first, kRecordHead));
    default:
      return Outcome::kWrongReply;
  }
}

}  // namespace

Outcome JudgeForm(const Operation& operation, const Reply& reply) {
  switch (operation.rule) {
    case ReplyRule::kPong:
      return DoneIf(reply.type() == ReplyType::kStatus && reply.text() == "PONG");
    case ReplyRule::kOk:
      return DoneIf(reply.type() == ReplyType::kStatus && reply.text() == "OK");
    case ReplyRule::kOkOrNil:
      return DoneIf(reply.is_nil() || (reply.type() == ReplyType::kStatus && reply.text() == "OK"));
    case ReplyRule::kInteger:
      return DoneIf(reply.type() == ReplyType::kInteger);
    case ReplyRule::kId:
      return DoneIf(IsNumber(reply.root()));
    case ReplyRule::kNewScore:
      return DoneIf(IsNumber(reply.root()));
    case ReplyRule::kFound:
      if (reply.type() != ReplyType::kInteger || reply.integer() < 0) return Outcome::kWrongReply;
      return reply.integer() > 0 ? Outcome::kHit : Outcome::kMiss;
    case ReplyRule::kValue:
      return reply.is_nil() ? Outcome::kMiss : HitIf(IsText(reply.root()));
    case ReplyRule::kMember:
      return reply.is_nil() ? Outcome::kMiss : HitIf(IsText(reply.root(), kElementHead));
    case ReplyRule::kScore:
      return reply.is_nil() ? Outcome::kMiss : HitIf(IsNumber(reply.root()));
    default:
      break;
  }
  if (reply.type() != ReplyType::kArray) return Outcome::kWrongReply;
  if (reply.size() == 0) {
    return operation.rule == ReplyRule::kValues ? Outcome::kWrongReply : Outcome::kMiss;
  }
  return JudgeArray(operation, reply);
}

bool IsValueOf(uint64_t number, std::string_view value) {
  std::array<char, kDigits> digits;
  WriteDigits(number, digits.data());
  const size_t size = std::min(value.size(), kDigits);
  return std::memcmp(value.data(), digits.data() + kDigits - size, size) == 0;
}

bool ReplyJudge::Holds(uint64_t number, ReplyView value) const {
  const KeyFile* const file = plan_.key_file.get();
  if (file == nullptr || !file->has_values()) return IsValueOf(number, value.text());
  return number < file->size() && value.text() == file->value(number);
}

Outcome ReplyJudge::operator()(const Operation& operation, uint64_t subject,
                               const Reply& reply) const {
  const Outcome outcome = JudgeForm(operation, reply);
  if (outcome != Outcome::kHit || subject == kAnySubject || !plan_.checks_values) return outcome;
  switch (operation.rule) {
    case ReplyRule::kValue:
      return HitIf(Holds(subject, reply.root()));
    case ReplyRule::kValues:
    case ReplyRule::kSomeValues:
      return HitIf(Holds(subject, reply[0]));
    case ReplyRule::kFieldsAndValues:
      return HitIf(Holds(subject, reply[1]));
    default:
      return outcome;
  }
}

}  // namespace bench::remote
