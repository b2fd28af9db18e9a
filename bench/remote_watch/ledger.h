// The ledger of writes: which numbers were written and acknowledged, and whether they are still
// there when they are read back.
//
// Each write has the next number, and is written under key number % keys and under the key of the
// last one. So what is found under a key is
//
//   the number acknowledged there, or a later one that was issued     kept
//   an earlier one                                                    rolled back
//   nothing                                                           lost
//   anything else                                                     foreign: somebody else wrote
//
// A later one: its write was not acknowledged, but took effect all the same. A number whose key was
// written again is superseded, and is not looked for any more.
//
// Each loss is counted once: what was lost is not expected any more.
//
// Thread safety: none. Complexity: constant for each call; 16 bytes a key.
#ifndef BENCH_REMOTE_WATCH_LEDGER_H_
#define BENCH_REMOTE_WATCH_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "clients/deadline.h"

namespace bench::remote_watch {

class Ledger {
 public:
  enum class Found : uint8_t { kKept, kLost, kRolledBack, kForeign };

  struct Loss {
    uint64_t number = 0;
    clients::Deadline acknowledged;
  };

  explicit Ledger(size_t keys) : entries_(keys) {}

  // The number of the next write, which is to be answered by one of the three below.
  uint64_t Issue() { return ++issued_; }
  void Acknowledge(uint64_t number, clients::Deadline now);
  void Refused() { ++refused_; }  // by an error reply, so it has not been done
  void Unknown() { ++unknown_; }  // no answer

  size_t keys() const { return entries_.size(); }
  size_t KeyOf(uint64_t number) const { return number % entries_.size(); }
  // Keys under which something acknowledged is expected.
  std::vector<size_t> ExpectedKeys() const;

  // Compares what was read under a key with what was acknowledged there. nullopt: nothing.
  Found Check(size_t key, std::optional<std::string_view> value);
  // The same of the key of the last write. Counts nothing: what is missing there is missing under
  // its own key as well.
  Found CheckLast(std::optional<std::string_view> value);
  // Whether what was just written and acknowledged is what is read.
  static bool IsAtLeast(std::optional<std::string_view> value, uint64_t number);

  uint64_t issued() const { return issued_; }
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t refused() const { return refused_; }
  uint64_t unknown() const { return unknown_; }
  uint64_t superseded() const { return superseded_; }
  uint64_t lost() const { return lost_; }
  uint64_t rolled_back() const { return rolled_back_; }
  uint64_t foreign() const { return foreign_; }
  // Lost and rolled back, the first thousand of them.
  const std::vector<Loss>& losses() const { return losses_; }

 private:
  struct Entry {
    uint64_t number = 0;  // 0: nothing is expected
    clients::Deadline acknowledged;
  };

  Found Compare(std::optional<std::string_view> value, uint64_t expected) const;

  std::vector<Entry> entries_;
  uint64_t last_ = 0;  // the newest acknowledged that was not found lost
  uint64_t issued_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t refused_ = 0;
  uint64_t unknown_ = 0;
  uint64_t superseded_ = 0;
  uint64_t lost_ = 0;
  uint64_t rolled_back_ = 0;
  uint64_t foreign_ = 0;
  std::vector<Loss> losses_;
};

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_LEDGER_H_
