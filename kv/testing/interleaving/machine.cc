// Memory order: that of the program, which the model obeys (machine.h).
#include "kv/testing/interleaving/machine.h"

#include <bit>
#include <exception>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/interleaving/orders.h"

#ifdef __SANITIZE_THREAD__
extern "C" {
void __tsan_acquire(void* handle);
void __tsan_release(void* handle);
void __tsan_read_range(void* address, unsigned long bytes);
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}
#endif

namespace kv::testing::interleaving {
namespace {

// Allocated together: the sanitizer takes each allocation for one of the program's.
constexpr size_t kHandlesAtOnce = 64;
constexpr char kNobodyGoesOn[] = "every thread waits for another";

#ifdef __SANITIZE_THREAD__
void AcquireFrom(Handle handle) { __tsan_acquire(handle); }
void ReleaseTo(Handle handle) { __tsan_release(handle); }
#else
void AcquireFrom(Handle) {}
void ReleaseTo(Handle) {}
#endif

Threads Only(size_t thread) { return Threads{1} << thread; }
size_t Count(Threads threads) { return static_cast<size_t>(std::popcount(threads)); }
size_t Nth(Threads threads, size_t n) {
  for (; n > 0; --n) threads &= threads - 1;
  return static_cast<size_t>(std::countr_zero(threads));
}

}  // namespace

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

#ifdef __SANITIZE_THREAD__
Hidden::Hidden() { __tsan_ignore_thread_begin(); }
Hidden::~Hidden() { __tsan_ignore_thread_end(); }
void Touch(const void* object, size_t bytes) {
  __tsan_read_range(const_cast<void*>(object), bytes);
}
#else
Hidden::Hidden() = default;
Hidden::~Hidden() = default;
void Touch(const void*, size_t) {}
#endif

// ---- Location ----

// The oldest store that a load may see now.
size_t Location::Oldest(std::memory_order order) const {
  Machine& machine = *Machine::Running();
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
  Machine::Thread& self = Machine::Running()->self();
  const StoreEvent& store = stores_[index];
  seen_[Machine::Running()->running()] = index;
  if (IsAcquire(order)) {
    self.clock.Join(store.sync);
    for (const Handle handle : store.handles) AcquireFrom(handle);
  } else {
    self.acquirable.Join(store.sync);
    self.acquirable_handles.insert(self.acquirable_handles.end(), store.handles.begin(),
                                   store.handles.end());
  }
}

void Location::Append(std::memory_order order, Bits value, const StoreEvent* continued) {
  Machine& machine = *Machine::Running();
  Machine::Thread& self = machine.self();
  StoreEvent store{
      .value = value, .thread = machine.running(), .time = ++self.clock[machine.running()]};
  if (order == std::memory_order_seq_cst) store.seq_cst = machine.NextSeqCst();
  // A release sequence: who acquires this also acquires what it continues.
  if (continued != nullptr) {
    store.sync = continued->sync;
    store.handles = continued->handles;
  }
  if (IsRelease(order)) {
    store.sync.Join(self.clock);
    store.handles.push_back(machine.Release());
  } else if (self.released_handle != nullptr) {
    store.sync.Join(self.released);
    store.handles.push_back(self.released_handle);
  }
  stores_.push_back(std::move(store));
  SeeNewest();
  machine.HasStored();
}

Bits Location::Load(std::memory_order order) {
  Machine& machine = *Machine::Running();
  const size_t oldest = Oldest(order);
  const size_t index =
      machine.self().wants_newest ? last() : last() - machine.Choose(last() - oldest + 1);
  See(index, order);
  if (machine.tells()) {
    machine.Tell(fmt::format("load {} sees store {} of {}: {:#x}", NameOf(order), index, last(),
                             stores_[index].value));
  }
  return stores_[index].value;
}

void Location::Store(std::memory_order order, Bits value) {
  Append(order, value, nullptr);
  Machine& machine = *Machine::Running();
  if (machine.tells()) {
    machine.Tell(fmt::format("store {} of {:#x} is store {}", NameOf(order), value, last()));
  }
}

void Location::Exchange(std::memory_order order, const Bits* value) {
  const size_t seen = last();
  See(seen, order);
  if (value != nullptr) {
    const StoreEvent continued = stores_[seen];
    Append(order, *value, &continued);
  }
  Machine& machine = *Machine::Running();
  if (machine.tells()) {
    machine.Tell(
        fmt::format("exchange {} sees store {}: {:#x}{}", NameOf(order), seen, stores_[seen].value,
                    value == nullptr ? "" : fmt::format(", is store {}: {:#x}", last(), *value)));
  }
}

void Location::SeeNewest() { seen_[Machine::Running()->running()] = last(); }

// ---- Machine ----

Machine::~Machine() {
  for (size_t i = 1; i < fibers_.size(); ++i) Fiber::GiveBack(std::move(fibers_[i]));
}

Handle Machine::Release() {
  if (handles_left_ == 0) {
    handles_.push_back(std::make_unique_for_overwrite<uint64_t[]>(kHandlesAtOnce));
    handles_left_ = kHandlesAtOnce;
  }
  const Handle handle = &handles_.back()[--handles_left_];
  ReleaseTo(handle);
  return handle;
}

size_t Machine::Choose(size_t count) {
  if (count == 1 || failed()) return 0;
  const size_t at = choices_.size();
  const uint32_t taken = at < script_.size() ? script_[at].taken : 0;
  choices_.push_back({taken, static_cast<uint32_t>(count)});
  return taken;
}

Threads Machine::Runnable() const {
  Threads runnable = 0;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    const Thread& thread = threads_[i];
    if (!thread.done && !thread.yielded && thread.parked == nullptr) runnable |= Only(i);
  }
  return runnable;
}

// Where nobody could run, whoever has not looked at what is newest since it was stored may yet go
// on; `again`: and who has, too.
Threads Machine::RunnableOrRevived(bool again) {
  const Threads runnable = Runnable();
  if (runnable != 0) return runnable;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    Thread& thread = threads_[i];
    if (thread.done || !thread.yielded || (thread.wants_newest && !again)) continue;
    thread.yielded = false;
    thread.wants_newest = true;
  }
  return Runnable();
}

// A run that has failed goes on for as long as another, for the sake of destructors; who then still
// waits for something is thrown out.
void Machine::CountStep() {
  if (++steps_ > plan_.most_steps) Fail("a run without end");
  if (steps_ > 2 * plan_.most_steps) Abandon();
}

void Machine::Abandon() {
  if (std::uncaught_exceptions() == 0) throw Abandoned();
}

// Another thread may go first.
void Machine::Point() {
  if (preemptions_ >= plan_.preemptions || failed()) return;
  const Threads others = Runnable() & ~Only(running_);
  const size_t choice = Choose(Count(others) + 1);
  if (choice == 0) return;
  ++preemptions_;
  SwitchTo(Nth(others, choice - 1));
}

Location& Machine::Enter(const void* address, Bits value, bool acts,
                         const std::source_location& where) {
  CountStep();
  if (acts || self().acted || self().wants_newest) Point();
  self().acted = acts;
  if (tells_)
    at_ = fmt::format("{}:{} {} ", ShortName(where.function_name()), where.line(), address);
  return locations_.try_emplace(address, value).first->second;
}

// Another thread goes on, until the running one can.
void Machine::SwitchAway() {
  const Threads others = RunnableOrRevived(/*again=*/false);
  if (others == 0) return Fail(kNobodyGoesOn);
  const size_t next = Nth(others, Choose(Count(others)));
  if (next != running_) SwitchTo(next);
}

void Machine::Yield() {
  CountStep();
  if (failed()) return Abandon();
  Thread& waiting = self();
  waiting.yielded = true;
  SwitchAway();
  waiting.yielded = false;
  waiting.wants_newest = true;
  if (failed()) Abandon();
}

void Machine::Park(const void* address, Bits old) {
  CountStep();
  Point();
  if (failed()) return Abandon();
  if (locations_.at(address).newest() == old) {
    if (tells_) Tell("parks");
    Thread& waiting = self();
    waiting.parked = address;
    SwitchAway();
    waiting.parked = nullptr;
    if (failed()) return Abandon();
  }
  locations_.at(address).SeeNewest();
}

void Machine::Notify(const void* address, bool all) {
  CountStep();
  Point();
  self().acted = true;
  Threads parked = 0;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    if (threads_[i].parked == address) parked |= Only(i);
  }
  if (parked == 0) return;
  if (!all) parked = Only(Nth(parked, Choose(Count(parked))));
  for (size_t i = 1; i < fibers_.size(); ++i) {
    if ((parked & Only(i)) != 0) threads_[i].parked = nullptr;
  }
}

void Machine::HasStored() {
  self().wants_newest = false;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    if (i != running_) threads_[i].yielded = false;
  }
}

void Machine::Fence(std::memory_order order) {
  CountStep();
  Point();
  Thread& thread = self();
  thread.acted = true;
  if (IsAcquire(order)) {
    thread.clock.Join(thread.acquirable);
    for (const Handle handle : thread.acquirable_handles) AcquireFrom(handle);
    thread.acquirable_handles.clear();
  }
  if (IsRelease(order)) {
    thread.released = thread.clock;
    thread.released_handle = Release();
  }
  if (order == std::memory_order_seq_cst) {
    seq_cst_.Join(thread.clock);
    seq_cst_.Join(thread.ordered);
    thread.ordered = seq_cst_;
    thread.fence = NextSeqCst();
  }
  at_.clear();
  if (tells_) Tell(fmt::format("fence {}", NameOf(order)));
}

void Machine::SwitchTo(size_t thread) {
  Fiber& from = *fibers_[running_];
  running_ = thread;
  from.SwitchTo(*fibers_[thread]);
}

void Machine::Run(std::vector<std::function<void()>> bodies) {
  if (bodies.empty()) return;
  running_machine_ = this;  // before the fibers are made, which look at it
  fibers_.push_back(std::make_unique<Fiber>());
  for (size_t i = 0; i < bodies.size(); ++i) {
    // What thread 0 has done happens before them. Its own part goes on, so that what it does
    // later does not seem to.
    threads_[i + 1].clock = threads_[0].clock;
    fibers_.push_back(Fiber::Take([this, body = std::move(bodies[i])] {
      try {
        body();
      } catch (const Abandoned&) {
        // The run has failed already.
      }
      return End();
    }));
  }
  SwitchTo(1 + Choose(bodies.size()));
  for (size_t i = 1; i < fibers_.size(); ++i) {
    threads_[0].clock.Join(threads_[i].clock);
    AcquireFrom(threads_[i].ended);
  }
  running_machine_ = nullptr;
}

// Of the thread that is running, which has ended: who goes on. Behind the last one thread 0 does.
Fiber* Machine::End() {
  const Hidden hidden;
  self().done = true;
  self().ended = Release();
  Threads others = RunnableOrRevived(/*again=*/true);
  if (others == 0) {
    for (size_t i = 1; i < fibers_.size(); ++i) {
      if (threads_[i].done) continue;
      Fail(kNobodyGoesOn);
      threads_[i].parked = nullptr;
    }
    others = Runnable();
  }
  running_ = others == 0 ? 0 : Nth(others, Choose(Count(others)));
  return fibers_[running_].get();
}

void Machine::Fail(std::string_view what) {
  if (failed()) return;
  failure_ = what;
  at_.clear();
  if (tells_) Tell("here: " + failure_);
}

void Machine::Tell(const std::string& line) {
  story_.push_back(fmt::format("thread {}: {}{}", running_, at_, line));
}

std::string Machine::Story() const {
  std::string text = failure_;
  for (const std::string& line : story_) text += "\n  " + line;
  return text;
}

}  // namespace kv::testing::interleaving
