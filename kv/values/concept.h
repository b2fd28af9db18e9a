// Values: which values lie in the tables beside their keys, and which are separated from them: in
// value files, with a pointer in the table (WiscKey, Lu et al., FAST 2016).
//
// A pure policy. What a model promises, beyond the signatures:
//
//   Separates. Depends on the size alone, and a value that is larger than one that is separated is
//   separated as well. Collecting. Moves what is alive out of a value file and removes the file. A
//   file of which every byte is garbage is collected, one of which none is is not, and more garbage
//   in a file of the same size never speaks against it: so collecting comes to an end, and space
//   that is never read again comes back. Sizes. kFileBytes is where a value file ends, whatever
//   the size of its last value. Inline. A model with kSeparates false separates and collects
//   nothing; engines then compile without what separation takes.
//
// Thread safety: pure functions.
#ifndef KV_VALUES_CONCEPT_H_
#define KV_VALUES_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kv {

// What is in a value file.
struct ValueFileUse {
  uint64_t bytes = 0;    // of its records
  uint64_t garbage = 0;  // of them, those that no table points to; at most `bytes`
};

template <typename V>
concept Values = requires(size_t bytes, const ValueFileUse& use) {
  { V::kName } -> std::same_as<const std::string_view&>;
  // Whether any value is ever separated.
  { V::kSeparates } -> std::same_as<const bool&>;
  { V::kFileBytes } -> std::same_as<const uint64_t&>;
  // Whether a value of so many bytes goes to a value file.
  { V::Separates(bytes) } -> std::same_as<bool>;
  // Whether the file is to be collected.
  { V::IsCollected(use) } -> std::same_as<bool>;
};

}  // namespace kv

#endif  // KV_VALUES_CONCEPT_H_
