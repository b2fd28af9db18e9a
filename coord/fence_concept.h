// Fence: how a registration that changes nothing is seen all the same.
//
// A registrant writes its message, then registers; the one who runs a slot marks it running, then
// reads the messages. A registrant who finds the slot queued already has nothing to change, and
// would like to look and go. But a store and a later load of another word may pass one another: the
// registrant still sees "queued" while its message is not yet to be seen, the runner marks the slot
// and finds no message, and nobody runs it again. (Store buffering, the heart of Dekker's
// algorithm: acquire and release do not forbid it.) So each side has a part to play:
//
//   registrant:  write the message;  LoadAfterStores(word)    says "queued": nothing to do
//   runner:      word becomes "running";  Heavy();            read the messages
//
// What a model promises, beyond the signatures: for each LoadAfterStores and each Heavy, either the
// load sees what the caller of Heavy had done to the word before it, or all that the registrant
// stored in atomics before its load is seen by what the runner loads behind Heavy.
//
// In atomics: ordinary memory needs an order of its own, which a mailbox that is filled while its
// slot may be running has anyway.
//
// Thread safety: both functions from any thread.
#ifndef COORD_FENCE_CONCEPT_H_
#define COORD_FENCE_CONCEPT_H_

#include <concepts>
#include <cstdint>
#include <string_view>

#include "kv/base/atomic.h"

namespace coord {

template <typename F>
concept Fence = std::default_initializable<F> && requires(F& fence, kv::Atomic<uint64_t>& word) {
  { F::kName } -> std::convertible_to<std::string_view>;
  { fence.LoadAfterStores(word) } -> std::same_as<uint64_t>;
  // Once for all slots of a batch that were marked running before the call.
  { fence.Heavy() } -> std::same_as<void>;
};

}  // namespace coord

#endif  // COORD_FENCE_CONCEPT_H_
