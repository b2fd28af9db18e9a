// For tests of the driver: a source that repeats given commands, and a run in the background.
//
// Thread safety: a FixedSource has one thread, and its Issued any. BackgroundRun belongs to the
// thread that made it.
#ifndef BENCH_REMOTE_DRIVE_DRIVER_TESTING_H_
#define BENCH_REMOTE_DRIVE_DRIVER_TESTING_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/drive/driver.h"
#include "bench/remote/drive/request.h"
#include "clients/dialer.h"
#include "clients/reply.h"

namespace bench::remote {

// How many requests all sources of a run have given out.
using Issued = std::atomic<uint64_t>;

struct FixedCommands {
  // Each is an operation, named by its first word, and sent in turn. A "#" in a word becomes the
  // number of the request.
  std::vector<std::vector<std::string>> commands;
  uint16_t key_argument = 1;
  uint64_t end = std::numeric_limits<uint64_t>::max();  // requests
  uint64_t step_nanos = 0;                              // of Request::at_nanos
};

class FixedSource {
 public:
  // nil is a miss, a string a hit, an array wrong, and anything else done. `issued` may be null.
  explicit FixedSource(FixedCommands commands, Issued* issued = nullptr)
      : commands_(std::move(commands)), issued_(issued) {}

  Request Next() {
    if (count_ == commands_.end) return {};
    const uint64_t number = count_++;
    const size_t operation = number % commands_.commands.size();
    words_ = commands_.commands[operation];
    views_.clear();
    for (std::string& word : words_) {
      if (const size_t at = word.find('#'); at != std::string::npos) {
        word.replace(at, 1, std::to_string(number));
      }
      views_.push_back(word);
    }
    if (issued_ != nullptr) ++*issued_;
    return {.operation = static_cast<uint16_t>(operation),
            .key_argument = commands_.key_argument,
            .at_nanos = number * commands_.step_nanos,
            .arguments = views_};
  }

  static Outcome Judge(uint16_t, uint64_t, const clients::Reply& reply) {
    switch (reply.type()) {
      case clients::ReplyType::kNil:
        return Outcome::kMiss;
      case clients::ReplyType::kString:
        return Outcome::kHit;
      case clients::ReplyType::kArray:
        return Outcome::kWrongReply;
      default:
        return Outcome::kDone;
    }
  }

  size_t operations() const { return commands_.commands.size(); }
  std::string_view OperationName(uint16_t operation) const {
    return commands_.commands[operation][0];
  }

 private:
  const FixedCommands commands_;
  Issued* const issued_;
  uint64_t count_ = 0;
  std::vector<std::string> words_;
  std::vector<std::string_view> views_;
};

static_assert(RequestSource<FixedSource>);

inline absl::StatusOr<DriveResult> DriveFixed(const DrivePlan& plan, const FixedCommands& commands,
                                              Issued* issued = nullptr) {
  return Drive(plan, [&](int) { return std::make_unique<FixedSource>(commands, issued); });
}

// With times that no busy machine takes, and one connection.
inline DrivePlan PatientPlan(clients::ConnectOptions options) {
  options.connect_timeout = std::chrono::minutes(1);
  options.command_timeout = std::chrono::minutes(1);
  options.reconnect_for = std::chrono::minutes(1);
  return {.server = std::move(options), .connections = 1};
}

// Drives until it is told to stop, or is over.
class BackgroundRun {
 public:
  BackgroundRun(DrivePlan plan, FixedCommands commands) : plan_(std::move(plan)) {
    plan_.progress = &progress_;
    plan_.stop = &stop_;
    result_ = std::async(std::launch::async, [this, commands = std::move(commands)] {
      return DriveFixed(plan_, commands, &issued_);
    });
  }

  ~BackgroundRun() { stop_ = true; }

  uint64_t answered() const { return progress_; }
  uint64_t issued() const { return issued_; }
  // Until so many more were answered. False: the run is over before.
  bool AwaitMore(uint64_t count) {
    const uint64_t wanted = answered() + count;
    while (answered() < wanted) {
      if (result_.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready) return false;
    }
    return true;
  }
  absl::StatusOr<DriveResult> Stop() {
    stop_ = true;
    return result_.get();
  }
  // It ends by itself.
  absl::StatusOr<DriveResult> Await() { return result_.get(); }

 private:
  DrivePlan plan_;
  std::atomic<uint64_t> progress_ = 0;
  std::atomic<bool> stop_ = false;
  Issued issued_ = 0;
  std::future<absl::StatusOr<DriveResult>> result_;
};

inline uint64_t Answered(const DriveResult& result) {
  uint64_t sum = 0;
  for (const OperationResult& operation : result.operations) sum += operation.answered;
  return sum;
}

inline uint64_t LostIn(const DriveResult& result) {
  uint64_t sum = 0;
  for (const OperationResult& operation : result.operations) sum += operation.lost;
  return sum;
}

inline uint64_t ErrorsIn(const DriveResult& result) {
  uint64_t sum = 0;
  for (const OperationResult& operation : result.operations) sum += operation.errors;
  return sum;
}

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_DRIVER_TESTING_H_
