#include "bench/remote_watch/ledger.h"

#include <charconv>
#include <system_error>

namespace bench::remote_watch {
namespace {

constexpr size_t kMostLosses = 1000;

std::optional<uint64_t> NumberIn(std::string_view value) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

}  // namespace

void Ledger::Acknowledge(uint64_t number, clients::Deadline now) {
  Entry& entry = entries_[KeyOf(number)];
  if (entry.number != 0) ++superseded_;
  entry = {number, now};
  last_ = number;
  ++acknowledged_;
}

std::vector<size_t> Ledger::ExpectedKeys() const {
  std::vector<size_t> keys;
  for (size_t key = 0; key < entries_.size(); ++key) {
    if (entries_[key].number != 0) keys.push_back(key);
  }
  return keys;
}

Ledger::Found Ledger::Compare(std::optional<std::string_view> value, uint64_t expected) const {
  if (!value.has_value()) return expected == 0 ? Found::kKept : Found::kLost;
  const auto number = NumberIn(*value);
  if (!number.has_value() || *number > issued_) return Found::kForeign;
  return *number < expected ? Found::kRolledBack : Found::kKept;
}

Ledger::Found Ledger::Check(size_t key, std::optional<std::string_view> value) {
  Entry& entry = entries_[key];
  const Found found = Compare(value, entry.number);
  if (found == Found::kKept) return found;
  if (found == Found::kForeign) ++foreign_;
  if (found == Found::kLost) ++lost_;
  if (found == Found::kRolledBack) ++rolled_back_;
  if (found != Found::kForeign && losses_.size() < kMostLosses) {
    losses_.push_back({entry.number, entry.acknowledged});
  }
  entry = {};
  return found;
}

Ledger::Found Ledger::CheckLast(std::optional<std::string_view> value) {
  const Found found = Compare(value, last_);
  if (found != Found::kKept) last_ = 0;
  return found;
}

bool Ledger::IsAtLeast(std::optional<std::string_view> value, uint64_t number) {
  if (!value.has_value()) return false;
  const auto found = NumberIn(*value);
  return found.has_value() && *found >= number;
}

}  // namespace bench::remote_watch
