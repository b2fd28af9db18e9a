// A short history for the tests of durable stores: puts, overwrites and deletes of a few keys. What
// a write puts has its number in it, so that the state of a store tells which writes it has.
//
// Thread safety: none.
#ifndef KV_TESTING_SHORT_HISTORY_H_
#define KV_TESTING_SHORT_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/contract/options.h"
#include "kv/contract/record.h"

namespace kv::testing {

using Model = std::map<std::string, std::string>;

struct HistoryShape {
  size_t keys = 8;         // no multiple of 5
  int key_digits = 1;      // in the key's name, at least
  size_t value_step = 0;   // values have 0, 1 or 2 times so many bytes, besides the write's number
  size_t large_value = 0;  // bytes of the value of one write in nine; 0: none is large
  // One put in eleven has expired when it is made, and hides what was there before, as a delete.
  bool some_expired = false;
};

template <HistoryShape kShape>
struct ShortHistory {
  static_assert(kShape.keys % 5 != 0, "the writes would not come to every key");
  static constexpr size_t kKeys = kShape.keys;

  static std::string Key(size_t i) { return fmt::format("key{:0{}}", i, kShape.key_digits); }

  // Write number `i`.
  template <typename E>
  static absl::Status Write(E& store, size_t i) {
    const std::string key = Key(i * 5 % kKeys);
    if (i % 7 == 6) return store.Delete(key);
    const bool large = kShape.large_value > 0 && i % 9 == 4;
    const size_t size = large ? kShape.large_value : i % 3 * kShape.value_step;
    const std::string value = fmt::format("value{}{}", i, std::string(size, 'x'));
    if constexpr (kShape.some_expired) {
      if (i % 11 == 5) return store.Put(key, value, {.expires_at = kLongAgo});
    }
    return store.Put(key, value);
  }

  // Those up to number `end`, from `begin` on. Stops at the first error. Returns the number of the
  // write that is next.
  template <typename E>
  static size_t WriteUntil(E& store, size_t begin, size_t end) {
    while (begin < end && Write(store, begin).ok()) ++begin;
    return begin;
  }

  // What the writes from number `begin` up to `end` make of an empty store.
  static Model StateOf(size_t begin, size_t end) {
    ModelStore store;
    WriteUntil(store, begin, end);
    return std::move(store.model);
  }
  static Model StateAfter(size_t writes) { return StateOf(0, writes); }

  // The number of writes after which the state was `model`, at least `from` and at most `to`; or
  // -1.
  static int64_t WritesIn(const Model& model, size_t from, size_t to) {
    for (size_t writes = from; writes <= to; ++writes) {
      if (StateAfter(writes) == model) return static_cast<int64_t>(writes);
    }
    return -1;
  }

 private:
  static constexpr uint64_t kLongAgo = 1;

  struct ModelStore {
    absl::Status Put(const std::string& key, const std::string& value,
                     const PutOptions& options = {}) {
      if (options.expires_at == kLongAgo) return Delete(key);
      model[key] = value;
      return absl::OkStatus();
    }
    absl::Status Delete(const std::string& key) {
      model.erase(key);
      return absl::OkStatus();
    }
    Model model;
  };
};

}  // namespace kv::testing

#endif  // KV_TESTING_SHORT_HISTORY_H_
