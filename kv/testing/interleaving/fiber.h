// Fiber: a function with a stack of its own, which runs until it is switched away from.
//
// Fibers are used again, since to make one costs a hundred times as much as to switch to it under
// ThreadSanitizer.
//
// Thread safety: of one thread. ThreadSanitizer is told of fibers, and that a switch orders
// nothing; AddressSanitizer of their stacks, which it cleans when an exception leaves frames.
#ifndef KV_TESTING_INTERLEAVING_FIBER_H_
#define KV_TESTING_INTERLEAVING_FIBER_H_

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace kv::testing::interleaving {

class Fiber {
 public:
  // Runs on the fiber; hands back the fiber that goes on at its end.
  using Body = std::function<Fiber*()>;

  // The one that is running: what to switch back to.
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // One that begins with `body` at the first switch to it. What stands before the call happens
  // before what it does.
  static std::unique_ptr<Fiber> Take(Body body);
  // Takes back one whose body has ended.
  static void GiveBack(std::unique_ptr<Fiber> fiber);
  // Frees those that are not in use. While there are any, ThreadSanitizer looks for no races in the
  // child of a fork, and sleeps for a second before a process ends.
  static void FreeIdle();

  // From this fiber, which is running, to `to`.
  void SwitchTo(Fiber& to);

  // Of a stack.
  struct Bounds {
    const void* bottom = nullptr;
    size_t bytes = 0;
  };

 private:
  struct New {};
  explicit Fiber(New);
  static void Begin(unsigned high, unsigned low);
  void Loop();

  ucontext_t context_{};
  void* stack_ = nullptr;  // null for the one that was running
  void* sanitizer_ = nullptr;
  // AddressSanitizer's: where the stack is, and what it keeps of the fiber while another runs.
  Bounds bounds_;
  void* left_ = nullptr;
  Body body_;
  char began_ = 0;  // ThreadSanitizer's name for what stands before the body
};

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_FIBER_H_
