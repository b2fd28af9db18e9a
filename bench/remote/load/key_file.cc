#include "bench/remote/load/key_file.h"

#include <algorithm>
#include <unordered_map>

#include "bench/remote/load/text_file.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {

absl::StatusOr<std::shared_ptr<const KeyFile>> KeyFile::Parse(std::string content,
                                                              std::string_view path) {
  // Not make_shared: the constructor is private.
  std::shared_ptr<KeyFile> file(new KeyFile(std::move(content)));
  std::string_view rest = file->content_;
  std::unordered_map<std::string_view, uint64_t> lines;
  uint64_t line_number = 0;
  while (!rest.empty()) {
    const size_t newline = rest.find('\n');
    std::string_view line = rest.substr(0, newline);
    rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const size_t tab = line.find('\t');
    const std::string_view key = line.substr(0, tab);
    if (key.empty()) return kv::Invalid(fmt::format("{}:{}: no key", path, line_number));
    const auto [first, is_new] = lines.emplace(key, line_number);
    if (!is_new) {
      return kv::Invalid(
          fmt::format("{}:{}: the key of line {} once more", path, line_number, first->second));
    }
    const bool has_value = tab != std::string_view::npos;
    if (!file->keys_.empty() && has_value != file->has_values()) {
      return kv::Invalid(fmt::format("{}:{}: {} value, unlike the lines before", path, line_number,
                                     has_value ? "a" : "no"));
    }
    file->keys_.push_back(key);
    if (has_value) file->values_.push_back(line.substr(tab + 1));
    file->largest_key_ = std::max(file->largest_key_, key.size());
  }
  if (file->keys_.empty()) return kv::Invalid(fmt::format("{}: no keys", path));
  return file;
}

absl::StatusOr<std::shared_ptr<const KeyFile>> KeyFile::Read(const std::string& path) {
  KV_ASSIGN_OR_RETURN(std::string content, ReadTextFile(path));
  return Parse(std::move(content), path);
}

}  // namespace bench::remote
