// The first error of something that may not go on after one: set once, the same for ever. With an
// advice, its message also says what to do: an operator who reads "sync: I/O error" on every write
// has to know that trying again is no use.
//
// Invariants:
//   1. Once set, it never changes: later errors are consequences of the first.
//   2. Who sees failed() sees the error.
//   3. Its message has the advice once, however many of these it went through.
//
// Thread safety: all functions may be called from many threads; setting takes a lock, looking takes
// none while there is no error.
#ifndef KV_BASE_STICKY_ERROR_H_
#define KV_BASE_STICKY_ERROR_H_

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace kv {

// Of a store that reads but does not write after an error.
inline constexpr std::string_view kReopenAdvice =
    "the store takes no writes until it is opened again";

class StickyError {
 public:
  // `advice` is added to the message of the error that is kept; it outlives this.
  explicit StickyError(std::string_view advice = {}) : advice_(advice) {}

  // acquire: pairs with the release in Set, so that what failed before is seen as it was left.
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  // The first error, or OK.
  absl::Status Get() const {
    if (!failed()) [[likely]] {
      return absl::OkStatus();
    }
    const std::lock_guard lock(mutex_);
    return error_;
  }

  // Keeps `error`, which is not OK, unless there is one. Returns the one that is kept.
  absl::Status Set(absl::Status error) {
    const std::lock_guard lock(mutex_);
    if (error_.ok()) error_ = WithAdvice(std::move(error));
    // release: pairs with the acquire in failed().
    failed_.store(true, std::memory_order_release);
    return error_;
  }

  // OK for OK. Keeps an error as Set does, and returns the one that is kept.
  absl::Status Keep(absl::Status status) {
    if (status.ok()) [[likely]] {
      return status;
    }
    return Set(std::move(status));
  }

 private:
  absl::Status WithAdvice(absl::Status error) const {
    const std::string_view message(error.message().data(), error.message().size());
    if (advice_.empty() || message.find(advice_) != std::string_view::npos) return error;
    return absl::Status(error.code(), std::string(message).append("; ").append(advice_));
  }

  const std::string_view advice_;
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  absl::Status error_;  // guarded by mutex_
};

}  // namespace kv

#endif  // KV_BASE_STICKY_ERROR_H_
