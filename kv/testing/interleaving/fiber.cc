#include "kv/testing/interleaving/fiber.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#ifdef __SANITIZE_THREAD__
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}
#endif

namespace kv::testing::interleaving {
namespace {

constexpr size_t kStackBytes = size_t{256} << 10;

// Stacks that are not in use: a run makes a few, and there are many runs.
std::vector<void*>& FreeStacks() {
  static auto* const stacks = new std::vector<void*>();
  return *stacks;
}

void* TakeStack() {
  if (FreeStacks().empty()) return std::malloc(kStackBytes);
  void* const stack = FreeStacks().back();
  FreeStacks().pop_back();
  return stack;
}

#ifdef __SANITIZE_THREAD__
constexpr unsigned kNoSync = 1;  // a switch does not order what the two have done
void* Current() { return __tsan_get_current_fiber(); }
void* Create() { return __tsan_create_fiber(0); }
void Destroy(void* fiber) { __tsan_destroy_fiber(fiber); }
void Announce(void* fiber) { __tsan_switch_to_fiber(fiber, kNoSync); }
#else
void* Current() { return nullptr; }
void* Create() { return nullptr; }
void Destroy(void*) {}
void Announce(void*) {}
#endif

}  // namespace

Fiber::Fiber() : sanitizer_(Current()) {}

Fiber::Fiber(std::function<void()> body) : stack_(TakeStack()), body_(std::move(body)) {
  sanitizer_ = Create();  // what stands above happens before what the fiber does
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = kStackBytes;
  context_.uc_link = nullptr;
  const auto self = reinterpret_cast<uintptr_t>(this);
  makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::Begin), 2,
              static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
}

Fiber::~Fiber() {
  if (stack_ == nullptr) return;
  Destroy(sanitizer_);
  FreeStacks().push_back(stack_);
}

// Not instrumented: a fiber looks at another that was made after it.
__attribute__((no_sanitize("thread"))) void Fiber::SwitchTo(Fiber& to) {
  Announce(to.sanitizer_);
  swapcontext(&context_, &to.context_);
}

void Fiber::Begin(unsigned high, unsigned low) {
  reinterpret_cast<Fiber*>(uintptr_t{high} << 32 | low)->body_();
  std::abort();  // it had to switch away
}

}  // namespace kv::testing::interleaving
