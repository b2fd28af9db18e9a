// Counts the requests in a stream of the Redis protocol that is only passed on.
//
//   *2\r\n $3\r\nGET\r\n $1\r\nk\r\n      one request: an array of bulk strings
//   PING\r\n                            one request: an inline command
//
// A request counts with its last byte. What is no request ("*0", an empty line, garbage) is passed
// over as the server does; nothing is checked.
//
// Thread safety: none; one for each connection. Complexity: linear in the lines; the bytes of
// arguments are skipped. Source: redis.io, "Redis serialization protocol specification".
// Not for: replies.
#ifndef BENCH_REMOTE_COMPARE_REQUEST_COUNTER_H_
#define BENCH_REMOTE_COMPARE_REQUEST_COUNTER_H_

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench::remote_compare {

class RequestCounter {
 public:
  // How many requests end in `bytes`, the next of the stream.
  size_t Count(std::string_view bytes) {
    size_t requests = 0;
    while (!bytes.empty()) {
      if (skipped_ > 0) {
        const size_t now = std::min<uint64_t>(skipped_, bytes.size());
        bytes.remove_prefix(now);
        skipped_ -= now;
        if (skipped_ == 0 && arguments_ > 0 && --arguments_ == 0) ++requests;
        continue;
      }
      const size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      // Of an inline command no more matters than that there is one.
      line_ += part.substr(0, kLongestLine - std::min(kLongestLine, line_.size()));
      if (end == std::string_view::npos) break;
      bytes.remove_prefix(end + 1);
      requests += TakeLine();
      line_.clear();
    }
    return requests;
  }

 private:
  static constexpr size_t kLongestLine = 32;
  static constexpr uint64_t kLongestArgument = uint64_t{1} << 32;

  // 1 when the line is a request by itself.
  size_t TakeLine() {
    std::string_view line = line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return 0;
    uint64_t number = 0;
    const char* const end = line.data() + line.size();
    const bool is_number = std::from_chars(line.data() + 1, end, number).ptr == end;
    if (line[0] == '*') {
      arguments_ = is_number ? number : 0;
      return 0;
    }
    if (line[0] == '$' && arguments_ > 0) {
      if (is_number && number < kLongestArgument) skipped_ = number + 2;  // its line end
      return 0;
    }
    return 1;
  }

  std::string line_;        // its beginning, while its end has not come
  uint64_t arguments_ = 0;  // of the request, still to come
  uint64_t skipped_ = 0;    // bytes of the argument, still to come
};

}  // namespace bench::remote_compare

#endif  // BENCH_REMOTE_COMPARE_REQUEST_COUNTER_H_
