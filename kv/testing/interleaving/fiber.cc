#include "kv/testing/interleaving/fiber.h"

#include <pthread.h>

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
void __tsan_acquire(void* handle);
void __tsan_release(void* handle);
}
#endif
#ifdef __SANITIZE_ADDRESS__
extern "C" {
void __sanitizer_start_switch_fiber(void** left, const void* to_bottom, size_t to_bytes);
void __sanitizer_finish_switch_fiber(void* left, const void** from_bottom, size_t* from_bytes);
}
#endif

namespace kv::testing::interleaving {
namespace {

constexpr size_t kStackBytes = size_t{256} << 10;

std::vector<std::unique_ptr<Fiber>>& Idle() {
  static auto* const idle = new std::vector<std::unique_ptr<Fiber>>();
  return *idle;
}

#ifdef __SANITIZE_THREAD__
constexpr unsigned kNoSync = 1;  // a switch does not order what the two have done
void* Current() { return __tsan_get_current_fiber(); }
void* Create() { return __tsan_create_fiber(0); }
void Destroy(void* fiber) { __tsan_destroy_fiber(fiber); }
void Announce(void* fiber) { __tsan_switch_to_fiber(fiber, kNoSync); }
void Acquire(char* handle) { __tsan_acquire(handle); }
void Release(char* handle) { __tsan_release(handle); }
#else
void* Current() { return nullptr; }
void* Create() { return nullptr; }
void Destroy(void*) {}
void Announce(void*) {}
void Acquire(char*) {}
void Release(char*) {}
#endif

#ifdef __SANITIZE_ADDRESS__
void Leave(void** left, const Fiber::Bounds& to) {
  __sanitizer_start_switch_fiber(left, to.bottom, to.bytes);
}
void Arrive(void* left) { __sanitizer_finish_switch_fiber(left, nullptr, nullptr); }
// Fibers are of one thread, and to ask takes the reading of a file.
Fiber::Bounds StackOfTheThread() {
  static const Fiber::Bounds bounds = [] {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) std::abort();
    void* bottom = nullptr;
    size_t bytes = 0;
    pthread_attr_getstack(&attributes, &bottom, &bytes);
    pthread_attr_destroy(&attributes);
    return Fiber::Bounds{bottom, bytes};
  }();
  return bounds;
}
#else
void Leave(void**, const Fiber::Bounds&) {}
void Arrive(void*) {}
Fiber::Bounds StackOfTheThread() { return {}; }
#endif

}  // namespace

Fiber::Fiber() : sanitizer_(Current()), bounds_(StackOfTheThread()) {}

Fiber::Fiber(New)
    : stack_(std::malloc(kStackBytes)), sanitizer_(Create()), bounds_{stack_, kStackBytes} {
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
  std::free(stack_);
}

std::unique_ptr<Fiber> Fiber::Take(Body body) {
  std::unique_ptr<Fiber> fiber;
  if (Idle().empty()) {
    fiber.reset(new Fiber(New{}));
  } else {
    fiber = std::move(Idle().back());
    Idle().pop_back();
  }
  fiber->body_ = std::move(body);
  Release(&fiber->began_);
  return fiber;
}

void Fiber::GiveBack(std::unique_ptr<Fiber> fiber) { Idle().push_back(std::move(fiber)); }

void Fiber::FreeIdle() { Idle().clear(); }

// Not instrumented, as Loop and Begin: a fiber looks at another that was made after it, and at its
// own body before it has heard of that.
__attribute__((no_sanitize("thread"))) void Fiber::SwitchTo(Fiber& to) {
  Announce(to.sanitizer_);
  Leave(&left_, to.bounds_);
  swapcontext(&context_, &to.context_);
  Arrive(left_);
}

__attribute__((no_sanitize("thread"))) void Fiber::Loop() {
  for (;;) {
    Acquire(&began_);
    SwitchTo(*body_());
  }
}

__attribute__((no_sanitize("thread"))) void Fiber::Begin(unsigned high, unsigned low) {
  Arrive(nullptr);
  reinterpret_cast<Fiber*>(uintptr_t{high} << 32 | low)->Loop();
}

}  // namespace kv::testing::interleaving
