// What is in flight on one connection: a ring of requests, answered in the order in which they were
// sent.
//
// A cluster may send a command elsewhere, so the bytes of the command can be kept beside it; the
// strings are used again.
//
// Thread safety: none. Complexity: constant; no allocation once it has grown to the depth in use.
#ifndef BENCH_REMOTE_DRIVE_FLIGHTS_H_
#define BENCH_REMOTE_DRIVE_FLIGHTS_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/deadline.h"

namespace bench::remote {

inline constexpr uint16_t kAnySlot = 0xffff;

struct Flight {
  clients::Deadline since;  // when it was planned, or else handed over
  uint64_t subject = 0;     // of the request
  uint16_t operation = 0;
  uint16_t slot = kAnySlot;
  uint8_t redirections = 0;
  bool is_asking = false;  // the ASKING in front of a command: no request
};

class FlightQueue {
 public:
  explicit FlightQueue(bool keeps_commands = false)
      : flights_(kFirst), commands_(keeps_commands ? kFirst : 0) {}

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // `command` is kept where the queue keeps commands.
  void Push(const Flight& flight, std::string_view command) {
    if (size_ > mask_) Grow();
    const size_t at = (first_ + size_++) & mask_;
    flights_[at] = flight;
    if (!commands_.empty()) commands_[at].assign(command);
  }

  const Flight& front() const {
    assert(size_ > 0);
    return flights_[first_];
  }
  std::string_view front_command() const { return commands_[first_]; }
  void Pop() {
    assert(size_ > 0);
    first_ = (first_ + 1) & mask_;
    --size_;
  }

 private:
  static constexpr size_t kFirst = 16;

  void Grow() {
    FlightQueue larger(!commands_.empty());
    larger.flights_.resize(2 * flights_.size());
    larger.commands_.resize(2 * commands_.size());
    larger.mask_ = larger.flights_.size() - 1;
    for (; size_ > 0; Pop()) {
      larger.Push(front(), commands_.empty() ? std::string_view() : front_command());
    }
    *this = std::move(larger);
  }

  std::vector<Flight> flights_;        // a power of two of places
  std::vector<std::string> commands_;  // as many, or none
  size_t mask_ = kFirst - 1;           // of places
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_FLIGHTS_H_
