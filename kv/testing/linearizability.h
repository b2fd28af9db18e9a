// Linearizability (Herlihy and Wing, 1990): calls that ran side by side must have answered as if
// each had happened at one instant between its beginning and its end.
//
// FirstUnexplained goes through the beginnings and ends of calls in the order of time and keeps
// every configuration that the answers so far allow: a state of the model, and which of the calls
// that are open have had their effect on it already. When a call ends, the configurations in which
// it has had no effect yet try the open calls in every order until it has; those that cannot reach
// its answer are dropped. When none is left, no order explains that answer.
//
//     time ->   put 1 |--------|                configurations after each event
//               get -> 1    |-----|             {0}  {0}  {1: put}, {1: put and get}  {1}
//
// A call that never returned (its end is kNeverEnded) may have had its effect or not.
//
// Complexity: the events times the configurations, at most states * 2^open; so a handful of threads
// may run histories of any length.
// Source: the just-in-time linearization of G. Lowe, Testing for Linearizability, 2017.
#ifndef KV_TESTING_LINEARIZABILITY_H_
#define KV_TESTING_LINEARIZABILITY_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace kv::testing {

constexpr uint64_t kNeverEnded = std::numeric_limits<uint64_t>::max();
constexpr size_t kMostOpenCalls = 64;

// A call with its answer, and when it ran, by one clock for all of a history. Calls that touch
// count as concurrent, so the clock may be coarse.
template <typename Call>
struct Timed {
  uint64_t begin = 0;
  uint64_t end = kNeverEnded;
  Call call;
};

namespace linearizability_internal {

struct Event {
  uint64_t time;
  bool ends;
  size_t call;
};

template <typename Call>
std::vector<Event> EventsOf(std::span<const Timed<Call>> calls) {
  std::vector<Event> events;
  for (size_t i = 0; i < calls.size(); ++i) {
    events.push_back({calls[i].begin, false, i});
    if (calls[i].end != kNeverEnded) events.push_back({calls[i].end, true, i});
  }
  std::ranges::sort(events, {}, [](const Event& e) { return std::tuple(e.time, e.ends, e.call); });
  return events;
}

}  // namespace linearizability_internal

// The first call, in the order of their ends, whose answer no order of effects explains; nullopt
// where the history is linearizable.
//
// `step(state, call)` is the model: the state after `call`, or nullopt where it would not have
// answered so. It is pure. State has an operator<.
// At most kMostOpenCalls calls may be open at a time, those that never ended included; throws
// std::out_of_range where there are more.
template <typename State, typename Call, typename Step>
std::optional<size_t> FirstUnexplained(std::span<const Timed<Call>> calls, const State& initial,
                                       Step&& step) {
  struct Configuration {
    uint64_t done;  // a bit for each open call
    State state;
    auto operator<=>(const Configuration&) const = default;
  };
  std::set<Configuration> possible = {{0, initial}};
  std::array<size_t, kMostOpenCalls> open{};  // the call that has a bit
  uint64_t used = 0;                          // the bits that a call has

  const auto explain = [&](uint64_t ending) {
    std::set<Configuration> explained;
    std::set<Configuration> seen = possible;
    std::vector<Configuration> pending(possible.begin(), possible.end());
    while (!pending.empty()) {
      const Configuration from = std::move(pending.back());
      pending.pop_back();
      if ((from.done & ending) != 0) {
        explained.insert({from.done & ~ending, from.state});
        continue;
      }
      for (uint64_t rest = used & ~from.done; rest != 0; rest &= rest - 1) {
        const auto bit = static_cast<size_t>(std::countr_zero(rest));
        auto state = step(from.state, calls[open[bit]].call);
        if (!state) continue;
        Configuration to = {from.done | uint64_t{1} << bit, *std::move(state)};
        if (seen.insert(to).second) pending.push_back(std::move(to));
      }
    }
    possible = std::move(explained);
  };

  for (const auto& event : linearizability_internal::EventsOf(calls)) {
    if (!event.ends) {
      const auto bit = static_cast<size_t>(std::countr_one(used));
      open.at(bit) = event.call;  // throws where too many are open
      used |= uint64_t{1} << bit;
      continue;
    }
    size_t bit = 0;
    while ((used >> bit & 1) == 0 || open[bit] != event.call) ++bit;
    explain(uint64_t{1} << bit);
    if (possible.empty()) return event.call;
    used &= ~(uint64_t{1} << bit);
  }
  return std::nullopt;
}

}  // namespace kv::testing

#endif  // KV_TESTING_LINEARIZABILITY_H_
