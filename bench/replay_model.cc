#include "bench/replay_model.h"

#include <algorithm>
#include <cstring>

#include "bench/random.h"
#include "kv/base/bytes.h"

namespace bench {
namespace {

constexpr size_t kHead = 16;

// The first bytes of a value: no two seeds share them.
void WriteHead(uint64_t seed, char* head) {
  kv::StoreFixed64(head, SplitMix64(seed));
  kv::StoreFixed64(head + 8, seed);
}

}  // namespace

uint64_t ReplayValues::Seed(uint32_t key, uint64_t request) {
  return SplitMix64(uint64_t{key} + 1) ^ request;
}

std::string_view ReplayValues::Slice(uint64_t seed, size_t size) const {
  const std::string_view bytes = pool_.bytes();
  return bytes.substr(SplitMix64(~seed) % (bytes.size() - size + 1), size);
}

void ReplayValues::Make(uint64_t seed, size_t size, std::string* value) const {
  value->assign(Slice(seed, size));
  char head[kHead];
  WriteHead(seed, head);
  std::memcpy(value->data(), head, std::min(size, kHead));
}

bool ReplayValues::Matches(std::string_view value, uint64_t seed, size_t size) const {
  if (value.size() != size) return false;
  char head[kHead];
  WriteHead(seed, head);
  const size_t head_size = std::min(size, kHead);
  return std::memcmp(value.data(), head, head_size) == 0 &&
         value.substr(head_size) == Slice(seed, size).substr(head_size);
}

void Expected::Store(uint64_t new_seed, uint32_t new_size, uint64_t new_expires_at) {
  written = true;
  present = true;
  seed = new_seed;
  size = new_size;
  expires_at = new_expires_at;
  literal.reset();
}

void Expected::StoreLiteral(std::string_view value, uint64_t new_expires_at) {
  Store(0, static_cast<uint32_t>(value.size()), new_expires_at);
  literal = std::make_unique<std::string>(value);
}

void Expected::Remove() {
  written = true;
  present = false;
  literal.reset();
}

bool Expected::Holds(std::string_view value, const ReplayValues& values) const {
  if (!present) return false;
  return literal != nullptr ? value == *literal : values.Matches(value, seed, size);
}

}  // namespace bench
