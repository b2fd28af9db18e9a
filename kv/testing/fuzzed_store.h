// A closed store in memory, of which a fuzz target's input replaces one file; and what a store
// shows, for the target to compare.
//
// Thread safety: none.
#ifndef KV_TESTING_FUZZED_STORE_H_
#define KV_TESTING_FUZZED_STORE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/base/status.h"
#include "kv/contract/options.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzing.h"
#include "kv/testing/short_history.h"

namespace kv::testing {

class FuzzedStore {
 public:
  inline static const std::string kDirectory = "/store";

  // `files` have a closed store in kDirectory.
  explicit FuzzedStore(ExactFiles files) : files_(std::move(files)) {
    names_ = *files_.List(kDirectory);
    std::erase(names_, "LOCK");
    Require(!names_.empty() && names_.size() < FuzzInput::kRepair, "not a store's files");
    for (const std::string& name : names_) {
      const std::string path = kDirectory + "/" + name;
      // Nothing reads the zeros that logs and segments are written over, and they are many.
      if (!name.ends_with(".log") && !name.ends_with(".segment")) continue;
      std::string bytes = files_.Contents(path);
      const size_t end = bytes.find_last_not_of('\0') + 1;
      if (bytes.size() > end + kKeptZeros) bytes.resize(end + kKeptZeros);
      files_.Set(path, bytes);
    }
  }

  // Each file, as it is.
  std::vector<std::string> Seeds() const {
    std::vector<std::string> seeds;
    for (size_t i = 0; i < names_.size(); ++i) {
      AddSeeds(static_cast<uint8_t>(i), files_.Contents(kDirectory + "/" + names_[i]), &seeds);
    }
    return seeds;
  }

  // The file that an input's choice means.
  const std::string& Name(uint8_t choice) const { return names_[choice % names_.size()]; }

  ExactFiles Files() const { return files_.Copy(); }
  ExactFiles FilesWith(const std::string& name, std::string_view bytes) const {
    ExactFiles files = files_.Copy();
    files.Set(kDirectory + "/" + name, bytes);
    return files;
  }

 private:
  static constexpr size_t kKeptZeros = 64;

  ExactFiles files_;
  std::vector<std::string> names_;  // sorted
};

inline Options FuzzedStoreOptions() {
  Options options;
  options.directory = FuzzedStore::kDirectory;
  return options;
}

// All that an ordered store shows, by a cursor in both directions: the same keys, strictly in
// order. With kGet, each key has the same value by Get.
enum class AlsoBy { kCursorOnly, kGet };
template <typename E>
absl::StatusOr<Model> ShownInOrder(E& store, AlsoBy also) {
  std::vector<std::pair<std::string, std::string>> shown;
  auto cursor = store.NewCursor();
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    Require(shown.empty() || shown.back().first.compare(cursor.key()) < 0, "keys are not in order");
    shown.emplace_back(cursor.key(), cursor.value());
  }
  KV_RETURN_IF_ERROR(cursor.status());
  size_t left = shown.size();
  for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev(), --left) {
    Require(left > 0 && shown[left - 1].first == cursor.key() &&
                shown[left - 1].second == cursor.value(),
            "a cursor shows other records backwards");
  }
  KV_RETURN_IF_ERROR(cursor.status());
  Require(left == 0, "a cursor shows fewer records backwards");
  for (const auto& [key, value] : shown) {
    if (also == AlsoBy::kCursorOnly) break;
    std::string found;
    KV_RETURN_IF_ERROR(store.Get(key, &found));
    Require(found == value, "Get and a cursor differ");
  }
  return Model(shown.begin(), shown.end());
}

// A store that opened and showed `shown` takes a write, and has it when open() opens it again.
template <typename E, typename Open>
void RequireGoesOn(E& store, Model shown, Open&& open) {
  RequireOk(store.Put("later", "value"), "a store that opened takes no write:");
  RequireOk(store.Close(), "a store that opened cannot be closed:");
  shown["later"] = "value";
  const auto again = open();
  RequireOk(again.status(), "a store that opened does not open again:");
  const auto shown_again = ShownInOrder(**again, AlsoBy::kGet);
  RequireOk(shown_again.status(), "a store that was read cannot be read again:");
  Require(*shown_again == shown, "a store shows something else when it is opened again");
}

}  // namespace kv::testing

#endif  // KV_TESTING_FUZZED_STORE_H_
