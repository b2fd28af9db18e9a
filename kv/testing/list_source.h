// ListSource: a list of entries as the source of a BulkLoad, sorted or not, with an error at its
// end where a check wants one.
//
// Thread safety: one thread at a time.
#ifndef KV_TESTING_LIST_SOURCE_H_
#define KV_TESTING_LIST_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "kv/contract/record.h"
#include "kv/testing/any_engine.h"
#include "kv/testing/stage.h"

namespace kv::testing {

class ListSource : public AnySource {
 public:
  struct Entry {
    std::string key;
    std::string value = {};
    uint64_t expires_at = kNeverExpires;
  };

  explicit ListSource(std::vector<Entry> entries, absl::Status end = absl::OkStatus())
      : entries_(std::move(entries)), end_(std::move(end)) {}
  // In the order of their keys.
  static ListSource Of(const Contents& contents) {
    std::vector<Entry> entries;
    for (const auto& [key, value] : contents) entries.push_back({key, value});
    return ListSource(std::move(entries));
  }

  bool Valid() const override { return at_ < entries_.size(); }
  void Next() override { ++at_; }
  std::string_view key() const override { return entries_[at_].key; }
  std::string_view value() const override { return entries_[at_].value; }
  uint64_t expires_at() const override { return entries_[at_].expires_at; }
  absl::Status status() const override { return Valid() ? absl::OkStatus() : end_; }

 private:
  std::vector<Entry> entries_;
  absl::Status end_;
  size_t at_ = 0;
};

}  // namespace kv::testing

#endif  // KV_TESTING_LIST_SOURCE_H_
