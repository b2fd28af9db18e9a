// Memory order: that of the program, which the model obeys (machine.h).
#include "kv/testing/interleaving/machine.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "fmt/format.h"

#ifdef __SANITIZE_THREAD__
extern "C" {
void __tsan_acquire(void* handle);
void __tsan_release(void* handle);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace kv::testing::interleaving {
namespace {

#ifdef __SANITIZE_THREAD__
void Synchronize(const Handle& handle) {
  if (handle != nullptr) __tsan_acquire(handle.get());
}
// `to`, or a new one where that is null, with all that this thread has done.
Handle Release(Handle to) {
  if (to == nullptr) to = std::make_shared<char>();
  __tsan_release(to.get());
  return to;
}
#else
void Synchronize(const Handle&) {}
Handle Release(Handle to) { return to; }
#endif

std::string_view NameOf(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      break;
  }
  return "seq_cst";
}

}  // namespace

#ifdef __SANITIZE_THREAD__
Hidden::Hidden() {
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}
Hidden::~Hidden() {
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}
#else
Hidden::Hidden() = default;
Hidden::~Hidden() = default;
#endif

// ---- Location ----

bool Location::Enter() {
  Machine* const machine = Machine::Current();
  if (machine == nullptr) return false;
  machine->Point();
  if (run_ == machine->run()) return false;
  run_ = machine->run();
  stores_.assign(1, StoreEvent{});
  seen_ = {};
  return true;
}

// The oldest store that a load may see now.
size_t Location::Oldest(std::memory_order order) const {
  Machine& machine = *Machine::Current();
  const Machine::Thread& self = machine.self();
  const bool seq_cst = order == std::memory_order_seq_cst;
  for (size_t i = last(); i > seen_[machine.running()]; --i) {
    const StoreEvent& store = stores_[i];
    uint32_t known = std::max(self.clock[store.thread], self.ordered[store.thread]);
    if (seq_cst) known = std::max(known, machine.seq_cst()[store.thread]);
    const bool before = store.seq_cst != 0 && (seq_cst || store.seq_cst < self.fence);
    if (store.time <= known || before) return i;
  }
  return seen_[machine.running()];
}

void Location::See(size_t index, std::memory_order order) {
  Machine::Thread& self = Machine::Current()->self();
  const StoreEvent& store = stores_[index];
  seen_[Machine::Current()->running()] = index;
  if (IsAcquire(order)) {
    self.clock.Join(store.sync);
    Synchronize(store.handle);
  } else {
    self.acquirable.Join(store.sync);
    if (store.handle != nullptr) self.acquirable_handles.push_back(store.handle);
  }
}

void Location::Append(std::memory_order order, const StoreEvent* continued) {
  Machine& machine = *Machine::Current();
  Machine::Thread& self = machine.self();
  StoreEvent store{.thread = machine.running(), .time = ++self.clock[machine.running()]};
  if (order == std::memory_order_seq_cst) store.seq_cst = machine.NextSeqCst();
  // A release sequence: who acquires this also acquires what it continues.
  if (continued != nullptr) {
    store.sync = continued->sync;
    store.handle = continued->handle;
  }
  if (IsRelease(order)) {
    store.sync.Join(self.clock);
    store.handle = Release(std::move(store.handle));
  } else {
    store.sync.Join(self.released);
    if (store.handle == nullptr) store.handle = self.released_handle;
  }
  stores_.push_back(std::move(store));
  seen_[machine.running()] = last();
  machine.HasStored();
}

size_t Location::Load(std::memory_order order) {
  Machine* const machine = Machine::Current();
  if (machine == nullptr) return last();
  const size_t oldest = Oldest(order);
  const size_t index =
      machine->self().wants_newest ? last() : last() - machine->Choose(last() - oldest + 1);
  See(index, order);
  if (machine->tells()) {
    machine->Tell(fmt::format("{} load {} sees store {} of {}", fmt::ptr(this), NameOf(order),
                              index, last()));
  }
  return index;
}

void Location::Store(std::memory_order order) {
  Machine* const machine = Machine::Current();
  if (machine == nullptr) return;
  Append(order, nullptr);
  if (machine->tells()) {
    machine->Tell(fmt::format("{} store {} is store {}", fmt::ptr(this), NameOf(order), last()));
  }
}

void Location::Exchange(std::memory_order order, bool stores) {
  Machine* const machine = Machine::Current();
  if (machine == nullptr) return;
  const size_t seen = last();
  See(seen, order);
  if (stores) {
    const StoreEvent continued = stores_[seen];
    Append(order, &continued);
  }
  if (machine->tells()) {
    machine->Tell(fmt::format("{} exchange {} sees store {}{}", fmt::ptr(this), NameOf(order), seen,
                              stores ? fmt::format(", is store {}", last()) : ""));
  }
}

// ---- Machine ----

size_t Machine::Choose(size_t count) {
  if (count == 1 || failed()) return 0;
  const size_t at = choices_.size();
  const uint32_t taken = at < script_.size() ? script_[at].taken : 0;
  choices_.push_back({taken, static_cast<uint32_t>(count)});
  return taken;
}

std::vector<size_t> Machine::Runnable() const {
  std::vector<size_t> runnable;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    if (!threads_[i].done && !threads_[i].yielded) runnable.push_back(i);
  }
  return runnable;
}

void Machine::Point() {
  if (!concurrent_) return;
  if (++steps_ > plan_.most_steps) Fail("a run without end");
  if (steps_ > 2 * plan_.most_steps) {
    // It does not end where it failed either, and no thread can be stopped from outside.
    std::fputs((failure_ + "\n").c_str(), stderr);
    std::abort();
  }
  if (preemptions_ >= plan_.preemptions || failed()) return;
  std::vector<size_t> others = Runnable();
  std::erase(others, running_);
  const size_t choice = Choose(others.size() + 1);
  if (choice == 0) return;
  ++preemptions_;
  SwitchTo(others[choice - 1]);
}

void Machine::Yield() {
  if (!concurrent_) return;
  Thread& waiting = self();
  waiting.yielded = true;
  std::vector<size_t> others = Runnable();
  if (others.empty()) {
    // All wait. Whoever has not looked at what is newest since it was stored may yet go on.
    for (size_t i = 1; i < fibers_.size(); ++i) {
      if (threads_[i].done || threads_[i].wants_newest) continue;
      threads_[i].yielded = false;
      threads_[i].wants_newest = true;
    }
    others = Runnable();
  }
  if (others.empty()) {
    Fail("every thread waits for another");
    for (size_t i = 1; i < fibers_.size(); ++i) threads_[i].yielded = false;
    others = Runnable();
  }
  const size_t next = others[Choose(others.size())];
  if (next != running_) SwitchTo(next);
  waiting.yielded = false;
  waiting.wants_newest = true;
}

void Machine::HasStored() {
  self().wants_newest = false;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    if (i != running_) threads_[i].yielded = false;
  }
}

void Machine::Fence(std::memory_order order) {
  Point();
  Thread& thread = self();
  if (IsAcquire(order)) {
    thread.clock.Join(thread.acquirable);
    for (const Handle& handle : thread.acquirable_handles) Synchronize(handle);
    thread.acquirable_handles.clear();
  }
  if (IsRelease(order)) {
    thread.released = thread.clock;
    thread.released_handle = Release(nullptr);
  }
  if (order == std::memory_order_seq_cst) {
    seq_cst_.Join(thread.clock);
    seq_cst_.Join(thread.ordered);
    thread.ordered = seq_cst_;
    thread.fence = NextSeqCst();
  }
  if (tells_) Tell(fmt::format("fence {}", NameOf(order)));
}

void Machine::SwitchTo(size_t thread) {
  Fiber& from = *fibers_[running_];
  running_ = thread;
  from.SwitchTo(*fibers_[thread]);
}

void Machine::Run(std::vector<std::function<void()>> bodies) {
  fibers_.push_back(std::make_unique<Fiber>());
  for (size_t i = 0; i < bodies.size(); ++i) {
    // What thread 0 has done happens before them. Its own part goes on, so that what it does
    // later does not seem to.
    threads_[i + 1].clock = threads_[0].clock;
    fibers_.push_back(std::make_unique<Fiber>([this, body = std::move(bodies[i])] {
      body();
      // Outside of what is hidden, which would never end: a thread's last switch does not return.
      const auto [from, to] = End();
      from->SwitchTo(*to);
    }));
  }
  concurrent_ = true;
  if (bodies.empty()) return;
  SwitchTo(1 + Choose(bodies.size()));
  concurrent_ = false;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    threads_[0].clock.Join(threads_[i].clock);
    Synchronize(threads_[i].ended);
  }
}

// Of the thread that is running: the switch that is to be its last. The last thread to end goes
// back to thread 0.
std::pair<Fiber*, Fiber*> Machine::End() {
  const Hidden hidden;
  self().done = true;
  self().ended = Release(nullptr);
  std::vector<size_t> others = Runnable();
  if (others.empty()) {
    for (size_t i = 1; i < fibers_.size(); ++i) {
      if (threads_[i].done) continue;
      threads_[i].yielded = false;
      threads_[i].wants_newest = true;
    }
    others = Runnable();
  }
  Fiber* const from = fibers_[running_].get();
  running_ = others.empty() ? 0 : others[Choose(others.size())];
  return {from, fibers_[running_].get()};
}

void Machine::Fail(std::string_view what) {
  if (failed()) return;
  failure_ = what;
  if (tells_) Tell("here: " + failure_);
}

void Machine::Tell(const std::string& line) {
  story_.push_back(fmt::format("thread {}: {}", running_, line));
}

std::string Machine::Story() const {
  std::string text = failure_;
  for (const std::string& line : story_) text += "\n  " + line;
  return text;
}

}  // namespace kv::testing::interleaving
