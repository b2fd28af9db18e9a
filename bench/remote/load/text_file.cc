#include "bench/remote/load/text_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include "kv/base/status.h"

namespace bench::remote {

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return kv::IoError("open", path, errno);
  std::string content;
  char block[1 << 16];
  while (const size_t size = std::fread(block, 1, sizeof(block), file.get())) {
    content.append(block, size);
  }
  if (std::ferror(file.get()) != 0) return kv::IoError("read", path, errno);
  return content;
}

}  // namespace bench::remote
