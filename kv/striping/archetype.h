// StripingArchetype: the least that models Striping, and the trivially right one: everyone takes a
// ticket and is let in in that order, sharers together. For tests.
#ifndef KV_STRIPING_ARCHETYPE_H_
#define KV_STRIPING_ARCHETYPE_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

#include "kv/striping/concept.h"

namespace kv {

class StripingArchetype {
 public:
  static constexpr std::string_view kName = "archetype";

  class Guard {
   public:
    Guard(StripingArchetype* stripes, bool shared) : stripes_(stripes), shared_(shared) {
      std::unique_lock lock(stripes_->mutex_);
      const uint64_t ticket = stripes_->next_ticket_++;
      stripes_->changed_.wait(lock, [&] {
        return stripes_->served_ == ticket && !stripes_->excluded_ &&
               (shared_ || stripes_->sharers_ == 0);
      });
      ++stripes_->served_;
      if (shared_) {
        ++stripes_->sharers_;
      } else {
        stripes_->excluded_ = true;
      }
      stripes_->changed_.notify_all();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      const std::lock_guard lock(stripes_->mutex_);
      if (shared_) {
        --stripes_->sharers_;
      } else {
        stripes_->excluded_ = false;
      }
      stripes_->changed_.notify_all();
    }

   private:
    StripingArchetype* const stripes_;
    const bool shared_;
  };

  [[nodiscard]] Guard Share(uint64_t) { return Guard(this, true); }
  [[nodiscard]] Guard Exclude(uint64_t) { return Guard(this, false); }
  [[nodiscard]] Guard ShareAll(std::span<const uint64_t>) { return Guard(this, true); }
  [[nodiscard]] Guard ShareEvery() { return Guard(this, true); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ticket_ = 0;
  uint64_t served_ = 0;
  uint64_t sharers_ = 0;
  bool excluded_ = false;
};

static_assert(Striping<StripingArchetype>);

}  // namespace kv

#endif  // KV_STRIPING_ARCHETYPE_H_
