// Writes the arguments of an operation: its literals, and the keys, elements and values that its
// parts name.
//
//   key      prefix, kind, ':', twelve digits             ashlar:list:000000000012
//            prefix "user", YCSB's hash of the number     ashlar:user6284781860667377211
//            prefix, {group}, "group:", twelve digits     in a cluster, of commands with ten keys
//            prefix, the key file's key                   where there is one
//   element  "element:", twelve digits, or "field" and a digit
//   value    the last twelve digits of its key's number, as many as fit; then the plan's values
//
// A value is a slice of a pool of this builder's own, into which the digits are written; they are
// taken out again with the next request, so that the pool stays as compressible as it was.
//
// Thread safety: none; one a source. Complexity: linear in the arguments; no allocation.
#ifndef BENCH_REMOTE_LOAD_REQUEST_BUILDER_H_
#define BENCH_REMOTE_LOAD_REQUEST_BUILDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/random.h"
#include "bench/remote/load/draws.h"
#include "bench/remote/load/key_text.h"
#include "bench/remote/load/operations.h"
#include "bench/remote/load/plan.h"

namespace bench::remote {

static_assert(kVerifiedBytes == kDigits);

// What a request is about.
struct Target {
  uint64_t number = 0;              // of the key, or of the first of a group
  uint64_t element = 0;             // the first, or the rank
  uint64_t length = 0;              // of a scan
  uint64_t at_most = kKeysOfGroup;  // elements or values, where the operation has more
};

class RequestBuilder {
 public:
  // The plan must outlive it. `stream` tells the values of several sources apart.
  RequestBuilder(const LoadPlan& plan, uint64_t stream);
  RequestBuilder(const RequestBuilder&) = delete;
  RequestBuilder& operator=(const RequestBuilder&) = delete;

  // Views, which hold until the next call.
  std::span<const std::string_view> Build(const Operation& operation, const Target& target);

 private:
  static constexpr size_t kMaxArguments = 32;
  struct Patch {
    char* at;
    size_t size;
    std::array<char, kDigits> bytes;
  };

  void AddPart(const Operation& operation, const Part& part, const Target& target);
  void AddMany(const Operation& operation, const Part& part, const Target& target);
  void Add(std::string_view text) { arguments_[count_++] = text; }
  void AddNumber(uint64_t number);
  void AddKey(Space space, uint64_t number);
  void AddElement(Space space, uint64_t element);
  void AddValue(uint64_t number);
  void AddExpiry();
  void TakeOutDigits();

  char* Write(std::string_view text, char* to) const;
  char* WriteKey(Space space, uint64_t number, char* to) const;

  const LoadPlan& plan_;
  const KeyFile* const file_;
  Random random_;
  RangeDraw sizes_;
  std::vector<RangeDraw> ttls_;  // one or none
  std::array<std::string, kSpaces> heads_;
  std::string absent_head_;  // of keys that no key file has
  std::string pool_;
  size_t position_;
  std::vector<char> text_;
  char* next_ = nullptr;  // in text_
  std::array<std::string_view, kMaxArguments> arguments_;
  size_t count_ = 0;
  std::array<Patch, kKeysOfGroup> patches_;
  size_t patch_count_ = 0;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_REQUEST_BUILDER_H_
