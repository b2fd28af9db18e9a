// What a crash leaves of the changes that were not yet synced: the modes, and the seeded choices
// that each of them allows. How they are applied is in simulated_file.h and simulated_disk.h.
//
// kPrefix and kJournaled are what journaling file systems do; kArbitrary is all that POSIX
// promises. A store that claims to survive power loss survives all of them.
//
// Thread safety: none.
#ifndef KV_IO_SIMULATED_CRASH_H_
#define KV_IO_SIMULATED_CRASH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kv {

// Which of the unsynced changes survive.
enum class CrashMode {
  kKeepAll,       // the process is killed: all of them, still unsynced
  kLoseUnsynced,  // power loss: none
  kPrefix,        // power loss: those before a moment, the one at that moment torn
  kJournaled,     // power loss: a prefix of the changes of names, any of the data
  kArbitrary,     // power loss: any of the names, any of the data
};

inline constexpr CrashMode kAllCrashModes[] = {CrashMode::kKeepAll, CrashMode::kLoseUnsynced,
                                               CrashMode::kPrefix, CrashMode::kJournaled,
                                               CrashMode::kArbitrary};

inline std::string_view ToString(CrashMode mode) {
  switch (mode) {
    case CrashMode::kKeepAll:
      return "keep all";
    case CrashMode::kLoseUnsynced:
      return "lose unsynced";
    case CrashMode::kPrefix:
      return "prefix";
    case CrashMode::kJournaled:
      return "journaled";
    case CrashMode::kArbitrary:
      return "arbitrary";
  }
  return "unknown";
}

// Whether two crashes of this mode with different seeds can differ.
inline bool IsSeeded(CrashMode mode) {
  return mode != CrashMode::kKeepAll && mode != CrashMode::kLoseUnsynced;
}

namespace simulated {

// SplitMix64 (Steele, Lea, Flood 2014). Not <random>: its distributions differ between libraries,
// and a seed in a failure message must replay everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  // Below `limit`, which is above 0; biased by less than limit / 2^64.
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  bool Coin() { return (Next() & 1) != 0; }

 private:
  uint64_t state_;
};

// Decides, change by change, what a power loss leaves. The modes are told apart here alone.
class Survival {
 public:
  // `unsynced`: the numbers of all unsynced changes, in any order.
  Survival(CrashMode mode, uint64_t seed, std::vector<uint64_t> unsynced)
      : mode_(mode), random_(seed) {
    std::sort(unsynced.begin(), unsynced.end());
    unsynced.push_back(UINT64_MAX);
    cut_ = unsynced[random_.Below(unsynced.size())];
  }

  // Whether a created, renamed or removed name, or the emptying of a file, survives.
  bool Keeps(uint64_t sequence) {
    if (mode_ == CrashMode::kLoseUnsynced) return false;
    return mode_ == CrashMode::kArbitrary ? random_.Coin() : sequence < cut_;
  }

  // Which of the `count` sectors of a write reached the platter.
  std::vector<bool> Sectors(uint64_t sequence, size_t count) {
    switch (mode_) {
      case CrashMode::kKeepAll:
        return std::vector<bool>(count, true);
      case CrashMode::kLoseUnsynced:
        return std::vector<bool>(count, false);
      case CrashMode::kPrefix:
        if (sequence == cut_) return Head(count);
        return std::vector<bool>(count, sequence < cut_);
      case CrashMode::kJournaled:
      case CrashMode::kArbitrary:
        break;
    }
    switch (random_.Below(4)) {
      case 0:
        return std::vector<bool>(count, false);
      case 1:
        return std::vector<bool>(count, true);
      case 2:
        return Head(count);
      default: {
        std::vector<bool> sectors(count);
        for (size_t i = 0; i < count; ++i) sectors[i] = random_.Coin();
        return sectors;
      }
    }
  }

  // Data follow the emptying of a file through the journal: if that is lost, so are they.
  bool DataWaitForTruncation() const { return mode_ == CrashMode::kJournaled; }

  // The size of a file of which `kept` bytes are what survived, and which had `sizes` on its way.
  uint64_t Size(uint64_t kept, const std::vector<uint64_t>& sizes) {
    const bool free = mode_ == CrashMode::kJournaled || mode_ == CrashMode::kArbitrary;
    if (!free || random_.Coin()) return kept;
    return sizes[random_.Below(sizes.size())];
  }

  // What the unwritten extents of a file read as: drawn once a file, then byte by byte.
  bool Garbage() { return random_.Coin(); }
  char GarbageByte() { return static_cast<char>(random_.Next()); }

 private:
  std::vector<bool> Head(size_t count) {
    std::vector<bool> sectors(count, false);
    std::fill_n(sectors.begin(), random_.Below(count + 1), true);
    return sectors;
  }

  CrashMode mode_;
  Random random_;
  uint64_t cut_;  // the first change that a moment in time does not include whole
};

}  // namespace simulated
}  // namespace kv

#endif  // KV_IO_SIMULATED_CRASH_H_
