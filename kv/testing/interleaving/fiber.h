// Fiber: a function with a stack of its own, which runs until it is switched away from.
//
// Thread safety: of one thread. ThreadSanitizer is told of fibers, and that a switch orders
// nothing.
#ifndef KV_TESTING_INTERLEAVING_FIBER_H_
#define KV_TESTING_INTERLEAVING_FIBER_H_

#include <ucontext.h>

#include <functional>

namespace kv::testing::interleaving {

class Fiber {
 public:
  // The one that is running: what to switch back to.
  Fiber();
  // `body` begins with the first switch to it, and must switch away at its end for good.
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From this fiber, which is running, to `to`.
  void SwitchTo(Fiber& to);

 private:
  static void Begin(unsigned high, unsigned low);

  ucontext_t context_{};
  void* stack_ = nullptr;  // null for the one that was running
  void* sanitizer_ = nullptr;
  std::function<void()> body_;
};

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_FIBER_H_
