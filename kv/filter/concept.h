// Filter: a summary of a set of key hashes that answers "certainly not here" without reading the
// table. Built once with the table, then read in place from the file's mapped bytes. A slot of the
// LSM engine; models:
//
//   BlockedBloomFilter   one cache line a question, quick to build
//   BinaryFuseFilter     fewer false positives in less space, three cache lines a question
//   NoFilter
//
// What a model promises, beyond the signatures:
//
//   No false negative. MayContain(bytes, h) is true for every h that was added to the builder that
//   made `bytes`. It may be true for others: the rate is the model's to state.
//   Any bytes. MayContain() and Prefetch() take every string of bytes at every alignment and read
//   nothing outside it. Bytes of a size that no builder makes answer true: a filter that cannot
//   be understood excludes nothing.
//   Identity on disk. kFormat names how the bytes are read. It is stored beside them, and a
//   reader whose kFormat differs must not ask (a filter read with other probes than it was
//   written with would deny keys it holds). 0 is "no filter".
//   Hashes. They are well mixed 64-bit hashes of user keys (kv::HashKey), the same on every build.
//   A hash may be added more than once.
//   Thread safety. A builder is used by one thread at a time. The static functions are pure.
//
// kEnabled == false: MayContain() is always true, and an engine leaves out the call.
#ifndef KV_FILTER_CONCEPT_H_
#define KV_FILTER_CONCEPT_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace kv {

template <typename B>
concept FilterBuilder = std::default_initializable<B> && std::movable<B> &&
    requires(B& builder, uint64_t hash) {
  builder.Add(hash);
  // The filter's bytes; the builder is then empty, for another set.
  { builder.Finish() } -> std::same_as<std::string>;
};

template <typename F>
concept Filter = FilterBuilder<typename F::Builder> &&
    requires(std::string_view bytes, uint64_t hash) {
  { F::kName } -> std::same_as<const std::string_view&>;
  { F::kEnabled } -> std::same_as<const bool&>;
  { F::kFormat } -> std::same_as<const uint32_t&>;
  { F::MayContain(bytes, hash) } -> std::same_as<bool>;
  // Starts loading what MayContain() of the same arguments will read. Changes no answer.
  F::Prefetch(bytes, hash);
};

}  // namespace kv

#endif  // KV_FILTER_CONCEPT_H_
