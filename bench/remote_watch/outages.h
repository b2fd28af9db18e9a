// Outages: the gaps in which probes failed, from their results in order.
//
//   probes   ok   ok   failed  failed  ok        a gap begins with the first probe that fails,
//   gap                |-----------------|       and ends when the next one has succeeded
//
// What lies between two probes was not seen: a gap begins up to one interval after the outage, and
// ends up to one interval after it, so that its length is right to an interval. Reads and writes
// are counted apart as well, since a replica that is still to be promoted, say, refuses writes
// only.
//
// Thread safety: none. Complexity: constant for each probe; memory grows with the gaps.
#ifndef BENCH_REMOTE_WATCH_OUTAGES_H_
#define BENCH_REMOTE_WATCH_OUTAGES_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/remote_watch/probe.h"
#include "clients/deadline.h"

namespace bench::remote_watch {

struct Gap {
  clients::Deadline begin;
  clients::Deadline end;  // so far, while it is not over
  bool over = false;
  uint64_t probes = 0;                      // that failed
  std::array<uint64_t, kSteps> failures{};  // by the step
  std::map<std::string, uint64_t> errors;   // "step: message", by how often
  // For how long each step did not work: what it took to recover.
  std::array<clients::Nanoseconds, kSteps> down{};

  clients::Nanoseconds length() const { return end - begin; }
};

class Outages {
 public:
  enum class Change : uint8_t { kNone, kDown, kUp };

  Change Note(const ProbeResult& probe);
  // The watch ends: a gap that is open is as long as it was seen to be.
  void Finish();

  const std::vector<Gap>& gaps() const { return gaps_; }
  bool is_down() const { return !gaps_.empty() && !gaps_.back().over; }
  uint64_t probes() const { return probes_; }
  uint64_t failed() const { return failed_; }

  clients::Nanoseconds TotalDown() const;
  clients::Nanoseconds TotalDown(Step step) const;
  // Null: there is none.
  const Gap* Longest() const;

 private:
  void NoteSteps(const ProbeResult& probe, Gap* gap);

  std::vector<Gap> gaps_;
  std::array<std::optional<clients::Deadline>, kSteps> down_since_;
  clients::Deadline last_end_;
  uint64_t probes_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_OUTAGES_H_
