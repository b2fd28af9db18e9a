// What every model of Slots is put through in every interleaving: no registration is lost, nothing
// runs twice at once, whoever is the last to use a slot is told so, and an index that is over
// changes nothing.
//
// One slot, its mailbox, and threads that do a few things with it each. A case names the slots, and
// what they are run by, in targets where the atomics are the model's:
//
//   template <Slots S>
//   struct Case {
//     using Slots = S;
//     using Trial = kv::testing::interleaving::Trial;
//     using Program = kv::testing::interleaving::Program;
//   };
//
// Memory order: relaxed, if any: what is ordered is ordered by the slots.
// Thread safety: the model's.
#ifndef COORD_SLOTS_INTERLEAVING_TESTING_H_
#define COORD_SLOTS_INTERLEAVING_TESTING_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/index.h"
#include "coord/interleaving_testing.h"
#include "coord/outcome.h"
#include "coord/slot_word.h"
#include "coord/slots_concept.h"

namespace coord::interleaving {

template <Slots S>
class SlotsSubject {
 public:
  void Send() {
    mailbox_.Send();
    slots_.Register(index_);
  }

  void SendInBatch() {
    mailbox_.Send();
    slots_.RegisterBatch(std::array<Index, 1>{index_});
  }

  std::optional<Index> Take() {
    std::array<Index, 1> taken;
    if (slots_.Take(taken) == 0) return std::nullopt;
    slots_.BeginRuns();
    return taken[0];
  }

  // Runs the slot if it is ready; the run ends in `next`.
  bool Drain(Phase next = Phase::kIdle) {
    const std::optional<Index> taken = Take();
    if (!taken.has_value()) return false;
    (*taken == index_ ? mailbox_ : next_mailbox_).Run();
    if (slots_.Finish(*taken, next) == Outcome::kStale) ++late_;
    return true;
  }

  void DrainInBatch() {
    const std::optional<Index> taken = Take();
    if (!taken.has_value()) return;
    mailbox_.Run();
    if (slots_.FinishBatch(std::array<Index, 1>{*taken})[Outcome::kStale] > 0) ++late_;
  }

  // When the threads are through: what is ready still is run.
  void Settle() {
    while (Drain()) {
    }
  }

  // Ends the use of the slot, and begins another, if it can be used again already.
  void UseAgain() {
    removal_ = slots_.Remove(index_);
    next_ = slots_.Add();
  }
  // At the end it can. Whether the next use is what it should be.
  bool IsUsedAgain() {
    if (!next_.has_value()) next_ = slots_.Add();
    return next_ == Index{0, 2} && !slots_.PhaseOf(index_).has_value();
  }
  // Whether one was told to be the last, and one only.
  bool OneWasTheLast() const { return late_ + (removal_ == Removal::kIdle ? 1 : 0) == 1; }

  S slots_{1};
  const Index index_ = *slots_.Add();
  Mailbox mailbox_;
  Mailbox next_mailbox_;  // of whoever uses the slot next
  std::optional<Index> next_;
  Removal removal_ = Removal::kStale;
  std::atomic<int> late_{0};  // ends of runs that were stale; not of the model
  int parcel_ = 0;            // no atomic
};

// A program and how many threads it has.
template <typename Case>
struct SlotsProgram {
  size_t threads = 0;
  typename Case::Program program;
};

// Runs `bodies`, settles, and looks at what was made of it.
template <typename Case>
SlotsProgram<Case> Threads(
    std::string name, std::vector<std::function<void(SlotsSubject<typename Case::Slots>&)>> bodies,
    std::function<void(SlotsSubject<typename Case::Slots>&)> before,
    std::function<void(SlotsSubject<typename Case::Slots>&, typename Case::Trial&)> behind) {
  const size_t count = bodies.size();
  return {count, {std::move(name), [=](typename Case::Trial& trial) {
                    SlotsSubject<typename Case::Slots> subject;
                    before(subject);
                    std::vector<std::function<void()>> threads;
                    for (const auto& body : bodies)
                      threads.push_back([&subject, &body] { body(subject); });
                    trial.Run(std::move(threads));
                    subject.Settle();
                    behind(subject, trial);
                  }}};
}

// Registrations and runs.
template <typename Case>
std::vector<SlotsProgram<Case>> RunPrograms() {
  using Subject = SlotsSubject<typename Case::Slots>;
  using Trial = typename Case::Trial;
  using Body = std::function<void(Subject&)>;
  const Body nothing = [](Subject&) {};
  const Body sends = [](Subject& s) { s.Send(); };
  const Body sends_twice = [](Subject& s) { s.Send(), s.Send(); };
  const Body sends_in_batch = [](Subject& s) { s.SendInBatch(); };
  const Body drains = [](Subject& s) { s.Drain(); };
  const Body drains_in_batch = [](Subject& s) { s.DrainInBatch(); };
  const Body drains_twice = [](Subject& s) { s.Drain(), s.Drain(); };
  const Body awaits_signal = [](Subject& s) { s.Drain(Phase::kAwaitsSignal); };
  const Body yields = [](Subject& s) {
    s.Drain(Phase::kReady);
    s.Drain();
  };
  const Body withdraws = [](Subject& s) { s.slots_.Unregister(s.index_); };
  const Body withdraws_and_sends = [](Subject& s) {
    s.slots_.Unregister(s.index_);
    s.Send();
  };
  const auto sees = [](uint64_t messages) {
    return [messages](Subject& s, Trial& trial) {
      trial.Expect(s.mailbox_.seen() == messages, "the last run sees every message");
    };
  };
  return {
      Threads<Case>("a registration beside a drain", {sends, drains}, nothing, sees(1)),
      Threads<Case>("of a slot that is queued", {sends, drains}, sends, sees(2)),
      Threads<Case>("a registration in a batch beside a drain", {sends_in_batch, drains}, nothing,
                    sees(1)),
      Threads<Case>("a registration in a batch, of a slot that is queued", {sends_in_batch, drains},
                    sends, sees(2)),
      Threads<Case>("of a slot that is queued, whose run ends in a batch", {sends, drains_in_batch},
                    sends, sees(2)),
      Threads<Case>("of a slot that is queued, by two", {sends, drains, sends}, sends, sees(3)),
      Threads<Case>("two drains of a slot that is queued again", {sends, drains, drains_twice},
                    sends, sees(2)),
      Threads<Case>("of a slot that then awaits a signal", {sends, awaits_signal}, sends, sees(2)),
      Threads<Case>("of a slot that yields", {sends, yields, drains}, sends, sees(2)),
      Threads<Case>("two registrations of a slot that is running or about to",
                    {sends_twice, drains}, sends, sees(3)),
      Threads<Case>("a withdrawal beside a drain", {withdraws, drains}, sends,
                    [](Subject& s, Trial& trial) {
                      trial.Expect(s.slots_.PhaseOf(s.index_) == Phase::kIdle, "it is idle");
                      s.Send();
                      s.Settle();
                      trial.Expect(s.mailbox_.seen() == 2, "and can be registered");
                    }),
      Threads<Case>("a withdrawal and a registration beside a drain", {withdraws_and_sends, drains},
                    sends, sees(2)),
      {2,
       {"ordinary memory, by whoever makes the slot ready",
        [](Trial& trial) {
          Subject subject;
          trial.Run({[&] {
                       subject.parcel_ = 7;
                       subject.slots_.Register(subject.index_);
                     },
                     [&] {
                       if (subject.Drain()) trial.Expect(subject.parcel_ == 7, "the parcel");
                     }});
        }}},
  };
}

// Slots that wait for a time or for capacity.
template <typename Case>
std::vector<SlotsProgram<Case>> WaitPrograms() {
  using Subject = SlotsSubject<typename Case::Slots>;
  using Trial = typename Case::Trial;
  using Body = std::function<void(Subject&)>;
  const Body sends = [](Subject& s) { s.Send(); };
  const Body waits = [](Subject& s) {
    s.Send();
    s.Drain(Phase::kAwaitsTime);
  };
  const Body waits_for_capacity = [](Subject& s) {
    s.Send();
    s.Drain(Phase::kAwaitsCapacity);
  };
  const Body finds_no_capacity = [](Subject& s) { s.Drain(Phase::kAwaitsCapacity); };
  const Body fires = [](Subject& s) {
    s.slots_.Fire(s.index_);
    s.Drain();
  };
  const Body resumes = [](Subject& s) {
    s.slots_.Resume(s.index_);
    s.Drain();
  };
  // There is capacity: a message stands for it, and a run may or may not have seen it.
  const Body gives_capacity = [](Subject& s) {
    s.mailbox_.Send();
    s.slots_.Resume(s.index_);
  };
  const auto sees = [](uint64_t messages) {
    return [messages](Subject& s, Trial& trial) {
      trial.Expect(s.mailbox_.seen() == messages, "the last run sees every message");
    };
  };
  return {
      Threads<Case>("of a slot that awaits its time", {sends, fires}, waits, sees(2)),
      {2,
       {"ordinary memory, by whoever says that it is time",
        [](Trial& trial) {
          Subject subject;
          subject.Send();
          subject.Drain(Phase::kAwaitsTime);
          trial.Run({[&] {
                       subject.parcel_ = 7;
                       subject.slots_.Fire(subject.index_);
                     },
                     [&] {
                       if (subject.Drain()) trial.Expect(subject.parcel_ == 7, "the parcel");
                     }});
        }}},
      // What was sent while it awaited capacity is seen once there is.
      Threads<Case>("of a slot that awaits capacity", {sends, resumes}, waits_for_capacity,
                    sees(2)),
      Threads<Case>("capacity beside the run that finds none", {gives_capacity, finds_no_capacity},
                    sends, sees(2)),
      Threads<Case>("capacity by two beside the run that finds none",
                    {gives_capacity, gives_capacity, finds_no_capacity}, sends, sees(3)),
      Threads<Case>("capacity by two for a slot that waits, and finds none",
                    {gives_capacity, gives_capacity, finds_no_capacity}, waits_for_capacity,
                    sees(3)),
      Threads<Case>("capacity and a registration beside the run that finds none",
                    {gives_capacity, sends, finds_no_capacity}, sends,
                    [](Subject& s, Trial& trial) {
                      trial.Expect(s.mailbox_.seen() >= 2, "there was capacity");
                      s.slots_.Resume(s.index_);
                      s.Settle();
                      trial.Expect(s.mailbox_.seen() == 3, "every message is seen then");
                    }),
  };
}

// Whoever is the last to use what the slot had frees it.
template <typename Case>
auto LastUser(Phase next) {
  return [next](typename Case::Trial& trial) {
    SlotsSubject<typename Case::Slots> subject;
    subject.Send();
    struct Parts {
      int of_runs = 0;
      int of_owner = 0;
    };
    Parts* const parts = new Parts;
    const auto ends = [&] {
      ++parts->of_owner;
      if (subject.slots_.Remove(subject.index_) == Removal::kIdle) delete parts;
    };
    const auto runs = [&] {
      const std::optional<Index> taken = subject.Take();
      if (!taken.has_value()) return;
      ++parts->of_runs;
      if (subject.slots_.Finish(*taken, next) == Outcome::kStale) delete parts;
    };
    trial.Run({ends, runs});
  };
}

// The ends of uses.
template <typename Case>
std::vector<SlotsProgram<Case>> RemovalPrograms() {
  using Subject = SlotsSubject<typename Case::Slots>;
  using Trial = typename Case::Trial;
  using Body = std::function<void(Subject&)>;
  const Body nothing = [](Subject&) {};
  const Body sends = [](Subject& s) { s.Send(); };
  const Body drains = [](Subject& s) { s.Drain(); };
  const Body yields = [](Subject& s) { s.Drain(Phase::kReady); };
  const Body waits = [](Subject& s) { s.Drain(Phase::kAwaitsTime); };
  const Body finds_no_capacity = [](Subject& s) { s.Drain(Phase::kAwaitsCapacity); };
  const Body fires = [](Subject& s) { s.slots_.Fire(s.index_); };
  const Body resumes = [](Subject& s) { s.slots_.Resume(s.index_); };
  const Body uses_again = [](Subject& s) { s.UseAgain(); };
  const Body sends_in_batch = [](Subject& s) { s.SendInBatch(); };
  const Body drains_in_batch = [](Subject& s) { s.DrainInBatch(); };
  const Body removes = [](Subject& s) { s.removal_ = s.slots_.Remove(s.index_); };
  const Body sends_and_waits = [](Subject& s) {
    s.Send();
    s.Drain(Phase::kAwaitsTime);
  };
  const Body sends_and_waits_for_capacity = [](Subject& s) {
    s.Send();
    s.Drain(Phase::kAwaitsCapacity);
  };
  const auto quiet = [](Subject& s, Trial& trial) {
    trial.Expect(s.IsUsedAgain(), "the slot can be used again");
    trial.Expect(s.OneWasTheLast(), "one was told to be the last");
    s.Settle();
    trial.Expect(s.slots_.PhaseOf(*s.next_) == Phase::kIdle, "the second use is idle");
    trial.Expect(s.next_mailbox_.runs() == 0, "and was not run");
  };
  return {
      Threads<Case>("a slot that is used again beside a drain of its first use",
                    {[](Subject& s) {
                       s.UseAgain();
                       if (!s.next_.has_value()) return;
                       s.next_mailbox_.Send();
                       s.slots_.Register(*s.next_);
                     },
                     drains},
                    sends,
                    [](Subject& s, Trial& trial) {
                      const bool sent = s.next_.has_value();
                      trial.Expect(s.IsUsedAgain(), "the slot can be used again");
                      trial.Expect(s.OneWasTheLast(), "one was told to be the last");
                      trial.Expect(!sent || s.next_mailbox_.seen() == 1, "the second use runs");
                    }),
      Threads<Case>("a late registration", {sends, uses_again}, nothing, quiet),
      Threads<Case>("a late registration in a batch", {sends_in_batch, uses_again}, nothing, quiet),
      Threads<Case>("a late registration of a slot that was queued", {sends, uses_again}, sends,
                    quiet),
      Threads<Case>("a late registration of a slot that was queued, in a batch",
                    {sends_in_batch, uses_again}, sends, quiet),
      Threads<Case>("a removal beside a run that ends in a batch", {uses_again, drains_in_batch},
                    sends, quiet),
      Threads<Case>("a removal beside a time that has come", {removes, fires}, sends_and_waits,
                    quiet),
      Threads<Case>("a removal beside capacity", {removes, resumes}, sends_and_waits_for_capacity,
                    quiet),
      Threads<Case>("a late registration of a slot that is used again", {sends, uses_again, drains},
                    nothing, quiet),
      Threads<Case>("a late withdrawal from a slot that is used again",
                    {[](Subject& s) { s.slots_.Unregister(s.index_); },
                     [](Subject& s) {
                       s.UseAgain();
                       s.next_mailbox_.Send();
                       s.slots_.Register(*s.next_);
                     }},
                    sends,
                    [](Subject& s, Trial& trial) {
                      trial.Expect(s.next_mailbox_.seen() == 1, "the second use runs");
                    }),
      Threads<Case>("a removal beside two runs", {uses_again, yields, drains}, sends, quiet),
      Threads<Case>("a removal beside a run and a registration", {uses_again, drains, sends}, sends,
                    quiet),
      Threads<Case>("a removal beside a run that would wait", {uses_again, waits}, sends, quiet),
      Threads<Case>("a removal beside a run that would wait, and capacity",
                    {uses_again, finds_no_capacity, resumes}, sends, quiet),
      Threads<Case>("a removal beside the time that a slot waits for", {uses_again, fires, drains},
                    sends_and_waits, quiet),
      Threads<Case>("a removal beside the capacity that a slot waits for",
                    {uses_again, resumes, drains}, sends_and_waits_for_capacity, quiet),
      {2, {"the end of a slot beside its last run", LastUser<Case>(Phase::kIdle)}},
      {2, {"the end of a slot beside a run that would wait", LastUser<Case>(Phase::kAwaitsTime)}},
  };
}

// Those of the number of threads; more of them have by far more interleavings.
template <typename Case>
std::vector<typename Case::Program> SlotsPrograms(size_t threads) {
  std::vector<typename Case::Program> programs;
  for (auto* const some : {&RunPrograms<Case>, &WaitPrograms<Case>, &RemovalPrograms<Case>}) {
    for (SlotsProgram<Case>& one : some()) {
      if (one.threads == threads) programs.push_back(std::move(one.program));
    }
  }
  return programs;
}

}  // namespace coord::interleaving

#endif  // COORD_SLOTS_INTERLEAVING_TESTING_H_
