#include "bench/remote/load/request_builder.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

#include "bench/key_generator.h"

namespace bench::remote {
namespace {

constexpr size_t kNumberBytes = 20;

std::string_view KindOf(Space space) {
  switch (space) {
    case Space::kString:
      return "string:";
    case Space::kCounter:
      return "counter:";
    case Space::kGroup:
      return "group:";
    case Space::kList:
      return "list:";
    case Space::kHash:
      return "hash:";
    case Space::kSet:
      return "set:";
    case Space::kSortedSet:
      return "zset:";
    case Space::kStream:
      return "stream:";
    case Space::kIndex:
      return "index";
    case Space::kNone:
    case Space::kRecord:
      return "";
  }
  return "";
}

std::array<std::string, kSpaces> Heads(const LoadPlan& plan) {
  std::array<std::string, kSpaces> heads;
  for (size_t i = 0; i < kSpaces; ++i) {
    heads[i] = plan.prefix + std::string(KindOf(static_cast<Space>(i)));
  }
  return heads;
}

size_t KeyRoom(const LoadPlan& plan) {
  const size_t largest = plan.key_file == nullptr ? 0 : plan.key_file->largest_key();
  return plan.prefix.size() + std::max({largest, static_cast<size_t>(plan.key_bytes), size_t{64}});
}

}  // namespace

RequestBuilder::RequestBuilder(const LoadPlan& plan, uint64_t stream)
    : plan_(plan),
      file_(plan.key_file.get()),
      random_(SplitMix64(plan.seed) ^ SplitMix64(~stream)),
      sizes_(plan.value_sizes),
      heads_(Heads(plan)),
      absent_head_(plan.prefix + "absent:"),
      pool_(plan.values->bytes()),
      position_(SplitMix64(plan.seed + stream) % pool_.size()),
      text_(kKeysOfGroup * KeyRoom(plan) + kMaxArguments * (kElementBytes + kNumberBytes)) {
  if (!plan.ttls.empty()) ttls_.emplace_back(plan.ttls);
}

std::span<const std::string_view> RequestBuilder::Build(const Operation& operation,
                                                        const Target& target) {
  TakeOutDigits();
  next_ = text_.data();
  count_ = 0;
  for (const Part& part : operation.parts) {
    if (part.kind == PartKind::kEnd) break;
    AddPart(operation, part, target);
  }
  return {arguments_.data(), count_};
}

void RequestBuilder::AddPart(const Operation& operation, const Part& part, const Target& target) {
  switch (part.kind) {
    case PartKind::kEnd:
      return;
    case PartKind::kLiteral:
      return Add(part.text);
    case PartKind::kKey:
      return AddKey(operation.space, target.number);
    case PartKind::kValue:
      return AddValue(target.number);
    case PartKind::kElement:
      return AddElement(operation.space, target.element);
    case PartKind::kRank:
      return AddNumber(target.element);
    case PartKind::kRange: {
      const uint64_t last_start = plan_.elements - std::min<uint64_t>(plan_.elements, part.count);
      const uint64_t start = std::min(target.element, last_start);
      AddNumber(start);
      return AddNumber(start + part.count - 1);
    }
    case PartKind::kNumber:
      return AddNumber(target.number);
    case PartKind::kName: {
      char* const begin = next_;
      next_ += WriteYcsbKey(target.number, next_);
      return Add({begin, next_});
    }
    case PartKind::kLength:
      return AddNumber(target.length);
    case PartKind::kExpiry:
      return AddExpiry();
    default:
      return AddMany(operation, part, target);
  }
}

void RequestBuilder::AddMany(const Operation& operation, const Part& part, const Target& target) {
  const uint64_t count = std::min<uint64_t>(part.count, target.at_most);
  // Elements in a row begin again at the first behind the last; a fresh one stands alone.
  const uint64_t elements = operation.space == Space::kRecord
                                ? kKeysOfGroup
                                : std::max(plan_.elements, target.element + 1);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t element = (target.element + i) % elements;
    switch (part.kind) {
      case PartKind::kKeys:
        AddKey(operation.space, target.number + i);
        break;
      case PartKind::kKeysAndValues:
        AddKey(operation.space, target.number + i);
        AddValue(target.number + i);
        break;
      case PartKind::kValues:
        AddValue(target.number);
        break;
      case PartKind::kElements:
        AddElement(operation.space, element);
        break;
      case PartKind::kFieldsAndValues:
        AddElement(operation.space, element);
        AddValue(target.number);
        break;
      case PartKind::kScoresAndMembers:
        AddNumber(element);
        AddElement(operation.space, element);
        break;
      default:
        assert(false);
    }
  }
}

void RequestBuilder::AddNumber(uint64_t number) {
  char* const begin = next_;
  next_ = std::to_chars(begin, begin + kNumberBytes, number).ptr;
  Add({begin, next_});
}

char* RequestBuilder::Write(std::string_view text, char* to) const {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* RequestBuilder::WriteKey(Space space, uint64_t number, char* to) const {
  const std::string& head = heads_[static_cast<size_t>(space)];
  switch (space) {
    case Space::kIndex:
      return Write(head, to);
    case Space::kRecord:
      to = Write(head, to);
      return to + WriteYcsbKey(number, to);
    case Space::kGroup:
      if (plan_.cluster) {
        to = Write(plan_.prefix, to);
        *to++ = '{';
        WriteDigits(number / kKeysOfGroup, to);
        to += kDigits;
        *to++ = '}';
        to = Write(KindOf(space), to);
        WriteDigits(number, to);
        return to + kDigits;
      }
      break;
    case Space::kString:
      if (file_ != nullptr) {
        if (number < file_->size()) return Write(file_->key(number), Write(plan_.prefix, to));
        to = Write(absent_head_, to);
        WriteDigits(number, to);
        return to + kDigits;
      }
      break;
    default:
      break;
  }
  char* end = Write(head, to);
  WriteDigits(number, end);
  end += kDigits;
  if (space != Space::kString && space != Space::kCounter) return end;
  // Twitter's keys have sizes of their own.
  const auto size = static_cast<size_t>(end - to);
  if (size >= plan_.key_bytes) return end;
  std::memset(end, '.', plan_.key_bytes - size);
  return to + plan_.key_bytes;
}

void RequestBuilder::AddKey(Space space, uint64_t number) {
  char* const begin = next_;
  next_ = WriteKey(space, number, begin);
  Add({begin, next_});
}

void RequestBuilder::AddElement(Space space, uint64_t element) {
  char* const begin = next_;
  if (space == Space::kRecord) {
    next_ = Write(kFieldHead, next_);
    *next_++ = static_cast<char>('0' + element % 10);
  } else {
    next_ = Write(kElementHead, next_);
    WriteDigits(element, next_);
    next_ += kDigits;
  }
  Add({begin, next_});
}

void RequestBuilder::AddValue(uint64_t number) {
  if (file_ != nullptr && file_->has_values() && number < file_->size()) {
    return Add(file_->value(number));
  }
  const size_t size = sizes_(random_);
  if (position_ + size > pool_.size()) position_ = 0;
  char* const value = pool_.data() + position_;
  position_ += size;
  Patch& patch = patches_[patch_count_++];
  patch.at = value;
  patch.size = std::min(size, kDigits);
  std::memcpy(patch.bytes.data(), value, patch.size);
  std::array<char, kDigits> digits;
  WriteDigits(number, digits.data());
  std::memcpy(value, digits.data() + kDigits - patch.size, patch.size);
  Add({value, size});
}

void RequestBuilder::TakeOutDigits() {
  // The last first: should two slices of one request ever meet, the older bytes win.
  while (patch_count_ > 0) {
    const Patch& patch = patches_[--patch_count_];
    std::memcpy(patch.at, patch.bytes.data(), patch.size);
  }
}

void RequestBuilder::AddExpiry() {
  if (ttls_.empty()) return;
  const uint32_t seconds = ttls_.front()(random_);
  if (seconds == 0) return;  // never
  Add("EX");
  AddNumber(seconds);
}

}  // namespace bench::remote
