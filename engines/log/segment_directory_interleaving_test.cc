// SegmentDirectory: following locations beside segments that come and go, in every interleaving.
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engines/log/segment.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/base/read_gate.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

struct Member {
  uint32_t place = 0;
  int value = 7;
};

// A directory and an index of one location, used as Keydir uses them.
class Subject {
 public:
  // Of `members` of which the index points to the last.
  Subject(Trial& trial, int members) : trial_(trial) {
    for (int i = 0; i < members; ++i) Add();
  }
  ~Subject() {
    for (Member* const member : members_) delete member;
  }

  // A new one, to which the index then points.
  void Add() {
    auto* const member = new Member;
    members_.push_back(member);
    trial_.Expect(directory_.Add(member).ok(), "room");
    // release: as the index publishes a location.
    at_.store(member->place, std::memory_order_release);
  }
  // The oldest, to which the index does not point.
  void Forget() {
    Member* const member = members_.front();
    members_.erase(members_.begin());
    gate_.Synchronize();
    directory_.Remove(member->place);
    gate_.Synchronize();
    directory_.Release(member->place);
    member->value = 0;
    delete member;
  }

  // Follows the location of the index.
  void Follow() {
    const auto guard = gate_.Enter();
    const Member* const member = directory_.At(at_.load(std::memory_order_acquire));
    trial_.Expect(member != nullptr && member->value == 7, "a segment that lives");
  }
  // Follows a location that the index has not validated.
  void Guess(uint32_t place) {
    const auto guard = gate_.Enter();
    const Member* const member = directory_.At(place);
    trial_.Expect(member == nullptr || member->value == 7, "none, or a segment that lives");
  }

 private:
  Trial& trial_;
  ReadGate gate_;
  SegmentDirectory<Member> directory_;
  Atomic<uint32_t> at_{0};
  std::vector<Member*> members_;  // the writer's
};

Program Beside(std::string name, int members, std::function<void(Subject&)> write,
               std::function<void(Subject&)> read) {
  return {std::move(name), [=](Trial& trial) {
            Subject subject(trial, members);
            trial.Run({[&] { write(subject); }, [&] { read(subject); }});
          }};
}

std::vector<Program> Programs() {
  const auto follows = [](Subject& subject) { subject.Follow(); };
  return {
      Beside(
          "a location beside a new segment", 1, [](Subject& subject) { subject.Add(); }, follows),
      Beside(
          "a location beside the first segment of a chunk", 2,
          [](Subject& subject) { subject.Add(); }, follows),
      Beside(
          "a guess beside the first segment of a chunk", 2, [](Subject& subject) { subject.Add(); },
          [](Subject& subject) { subject.Guess(2); }),
      Beside(
          "a location beside a segment that goes", 1,
          [](Subject& subject) {
            subject.Add();
            subject.Forget();
          },
          follows),
      Beside(
          "a guess beside a segment that goes", 2, [](Subject& subject) { subject.Forget(); },
          [](Subject& subject) { subject.Guess(0); }),
      Beside(
          "a guess beside a place that is given away again", 2,
          [](Subject& subject) {
            subject.Forget();
            subject.Add();
          },
          [](Subject& subject) { subject.Guess(0); }),
  };
}

TEST(SegmentDirectoryInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs(),
                         {
                             // Of those who synchronize, of whom no program has two.
                             "ShardLock::lock compare_exchange acquire -> relaxed",
                             "ShardLock::unlock update release -> relaxed",
                         });
}

}  // namespace
}  // namespace kv
