// Kill points: where a process kills itself, by name: as a system call that changes files begins,
// or when it has just returned, the so-manieth time that it is made.
//
//   write  sync  sync_directory  rename  link  remove  truncate  extend
//
// kill_point.cc defines these functions of the C library for the program that it is linked into;
// they make the same system calls. So the killed program is the one that users run, but for that.
//
// Thread safety: any thread may make the calls; arm one point, before there are threads.
#ifndef KV_TESTING_KILL_POINT_H_
#define KV_TESTING_KILL_POINT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kv::testing {

enum class KillMoment { kBefore, kAfter };

struct KillPoint {
  size_t call = 0;  // of KillPointCalls()
  KillMoment moment = KillMoment::kBefore;
  uint64_t count = 1;  // the first call is 1
};

std::span<const std::string_view> KillPointCalls();

// Such as "before rename 3", and back; nullopt for what is no point.
std::string ToString(const KillPoint& point);
std::optional<KillPoint> ParseKillPoint(std::string_view text);

// From now on. Stores 1 in `reached`, which outlives the process, just before the end.
void ArmKillPoint(const KillPoint& point, std::atomic<uint64_t>* reached);

}  // namespace kv::testing

#endif  // KV_TESTING_KILL_POINT_H_
