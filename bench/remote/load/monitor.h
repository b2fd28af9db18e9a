// Output of Redis' MONITOR as a record of requests. One request a line:
//
//   1339518083.107412 [0 127.0.0.1:60866] "set" "key" "a\"b\xff"
//   seconds.micros     database client     command and arguments, quoted
//
// In quotes, \\ \" \n \r \t \a \b and \xHH are escapes, as MONITOR writes them. A line "OK", with
// which redis-cli begins, and empty lines are left out. So are commands that a script ran (client
// "lua"): the script's own call is in the record, too.
//
// A bad line is kInvalidArgument that names file, line and reason, or is counted and left out when
// the caller asks for that. A time that is older than the one before it counts as that one.
//
// Omits: what MONITOR does not show: AUTH and other secrets, and whether a command failed. All
// databases are one here.
//
// Thread safety: a const record may be read by any thread. Memory: the bytes of the arguments, 16
// bytes each of these and 24 each request.
// Source: https://redis.io/commands/monitor; sdscatrepr of Redis' sds.c.
#ifndef BENCH_REMOTE_LOAD_MONITOR_H_
#define BENCH_REMOTE_LOAD_MONITOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bench::remote {

class MonitorRecord {
 public:
  struct Options {
    bool skip_bad_lines = false;
    uint64_t limit = 0;  // requests; 0: all
  };
  // `path` is only for messages.
  static absl::StatusOr<MonitorRecord> Parse(std::string_view content, std::string_view path,
                                             const Options& options);
  static absl::StatusOr<MonitorRecord> Read(const std::string& path, const Options& options);

  size_t size() const { return requests_.size(); }
  // Since the first request; never falls. 30 years at most.
  uint64_t at_micros(size_t request) const { return requests_[request].at_micros; }
  // At least one: the command.
  size_t arguments(size_t request) const { return requests_[request].arguments; }
  std::string_view argument(size_t request, size_t index) const {
    const Slice& slice = slices_[requests_[request].first + index];
    return std::string_view(bytes_).substr(slice.begin, slice.size);
  }
  size_t most_arguments() const { return most_arguments_; }
  uint64_t bad_lines() const { return bad_lines_; }                      // left out
  const std::string& first_bad_line() const { return first_bad_line_; }  // its message
  uint64_t of_scripts() const { return of_scripts_; }                    // left out

 private:
  struct Slice {
    uint64_t begin = 0;
    uint64_t size = 0;
  };
  struct Request {
    uint64_t at_micros = 0;
    uint64_t first = 0;  // of its slices
    uint64_t arguments = 0;
  };

  // Adds the request of a line, or returns why that is none and leaves no trace of it.
  std::string AddLine(std::string_view line, uint64_t* first_time);
  std::string AddArguments(std::string_view text);

  std::string bytes_;
  std::vector<Slice> slices_;
  std::vector<Request> requests_;
  size_t most_arguments_ = 0;
  uint64_t bad_lines_ = 0;
  std::string first_bad_line_;
  uint64_t of_scripts_ = 0;
};

// Whether a file of this content is MONITOR's output rather than a trace, by its first line.
bool IsMonitorOutput(std::string_view content);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_MONITOR_H_
