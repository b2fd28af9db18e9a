// Keys of the user's own, and values for them: a text file of lines, each a key, or a key, a tab
// and a value. Keys and values are the bytes that stand there; a line may end with CR LF.
//
// Empty lines are left out. A key that is there twice is kInvalidArgument with both line numbers,
// since a read of it would have two right answers; so is a file in which some lines have a value
// and others have none.
//
// Thread safety: immutable. Memory: the file, and 32 bytes a line.
#ifndef BENCH_REMOTE_LOAD_KEY_FILE_H_
#define BENCH_REMOTE_LOAD_KEY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace bench::remote {

class KeyFile {
 public:
  // `path` is only for messages.
  static absl::StatusOr<std::shared_ptr<const KeyFile>> Parse(std::string content,
                                                              std::string_view path);
  static absl::StatusOr<std::shared_ptr<const KeyFile>> Read(const std::string& path);

  uint64_t size() const { return keys_.size(); }
  size_t largest_key() const { return largest_key_; }
  bool has_values() const { return !values_.empty(); }
  std::string_view key(uint64_t number) const { return keys_[number]; }
  std::string_view value(uint64_t number) const { return values_[number]; }

 private:
  explicit KeyFile(std::string content) : content_(std::move(content)) {}

  const std::string content_;
  std::vector<std::string_view> keys_;
  std::vector<std::string_view> values_;  // empty: none has one
  size_t largest_key_ = 0;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_KEY_FILE_H_
