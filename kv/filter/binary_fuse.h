// Binary fuse filter: each key has three places in an array of fingerprints, whose exclusive or is
// the key's own fingerprint. Near the least space that a filter of its rate can take.
//
//   0            8          12       13    16
//   +------------+----------+--------+-----+----- ... -----+----- ... -----+---
//   | seed       | segments | log2 s | 0 0 | segment 0     | segment 1     | ...
//   +------------+----------+--------+-----+----- ... -----+----- ... -----+---
//
//   seed      u64, mixed into every hash
//   segments  u32, n >= 1; a key's first place is in one of segments 0 .. n - 1, and the other two
//             are in the two behind that, so n + 2 segments follow
//   s         fingerprints in a segment, 2^0 .. 2^18; each has kBits bits, least byte first
//   no bytes  no filter could be built: excludes nothing
//
// Places and fingerprint of a hash h, with m = Mix(h + seed):
//
//   p0 = floor(m * (n * s) / 2^64)          p1 = (p0 + s) ^ (bits 18 .. of m, modulo s)
//   p2 = (p0 + 2 s) ^ (m modulo s)          fingerprint = (m ^ m >> 32) modulo 2^kBits
//
// False positives: 2^-kBits, 0.39 % at 8 bits and 0.0015 % at 16, whatever the keys. Space at 8
// bits, measured (the test asserts bounds just above):
//
//   keys          1,000    10,000    100,000    1,000,000
//   bits a key    11.4     10.3      9.5        9.05
//
// Memory while building: 8 bytes a key for the hashes, and some 40 more in Finish(). Cost: 110 ns a
// key to build at 10 k keys, 205 at 1 M (BlockedBloomFilter<10>: 5 and 17), 11 ns to ask when
// cached. It peels: the places of the keys form a hypergraph that has to fall apart; if it does
// not, the next seed is tried. Equal hashes that were not added one behind the other cost one
// attempt more. After kMaxAttempts, each of which fails rarely, the filter is the one that excludes
// nothing.
//
// For: stores whose filters must fit in memory, or whose reads miss often: from 100,000 keys on,
// less than half the false positives of BlockedBloomFilter<10> in 5 to 10 % less space.
// Not for: loads of writes, whose compactions build filters all the time; tables of some thousand
// keys, which it gives more than 10 bits a key; filters that the processor's cache does not hold: a
// question is three misses that overlap, where the blocked Bloom filter has one.
// Omits: deletion, growth, and seeds against an adversary who chooses the keys.
//
// Source: Graf and Lemire, Binary Fuse Filters: Fast and Smaller Than Xor Filters, JEA 2022.
#ifndef KV_FILTER_BINARY_FUSE_H_
#define KV_FILTER_BINARY_FUSE_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kv/base/bytes.h"
#include "kv/base/policy_name.h"
#include "kv/filter/concept.h"

namespace kv {

template <int kBits = 8>
class BinaryFuseFilter {
  static_assert(kBits == 8 || kBits == 16);

  static constexpr size_t kHeaderBytes = 16;
  static constexpr size_t kFingerprintBytes = kBits / 8;
  static constexpr uint64_t kMaxSegmentLog = 18;
  static constexpr int kMaxAttempts = 64;

  using Places = std::array<size_t, 3>;

  struct Layout {
    uint64_t seed = 0;
    uint64_t segments = 0;
    uint64_t segment_log = 0;

    size_t Fingerprints() const { return (segments + 2) << segment_log; }

    Places PlacesOf(uint64_t mixed) const {
      const uint64_t first = static_cast<uint64_t>(
          (static_cast<unsigned __int128>(mixed) * (segments << segment_log)) >> 64);
      const uint64_t size = uint64_t{1} << segment_log;
      return {first, (first + size) ^ ((mixed >> 18) & (size - 1)),
              (first + 2 * size) ^ (mixed & (size - 1))};
    }
  };

 public:
  static constexpr std::string_view kName = kPolicyName<"binary_fuse", kBits>;
  static constexpr bool kEnabled = true;
  static constexpr uint32_t kFormat = 0x200 | kBits;

  class Builder {
   public:
    void Add(uint64_t hash) {
      // A table holds the versions of a key side by side; one entry stands for them all.
      if (hashes_.empty() || hashes_.back() != hash) hashes_.push_back(hash);
    }

    std::string Finish() {
      std::string bytes;
      uint64_t seed = 0x9e3779b97f4a7c15;  // the same on every build
      for (int attempt = 0; attempt < kMaxAttempts && bytes.empty(); ++attempt) {
        bytes = Attempt(hashes_, seed);
        seed = Mix(seed);
        if (attempt == 0 && bytes.empty()) {
          // Equal hashes never fall apart.
          std::sort(hashes_.begin(), hashes_.end());
          hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
        }
      }
      hashes_.clear();
      return bytes;
    }

   private:
    std::vector<uint64_t> hashes_;
  };

  static bool MayContain(std::string_view bytes, uint64_t hash) {
    const std::optional<Layout> layout = Read(bytes);
    if (!layout.has_value()) [[unlikely]]
      return true;
    const uint64_t mixed = Mix(hash + layout->seed);
    uint64_t rest = FingerprintOf(mixed);
    for (const size_t place : layout->PlacesOf(mixed)) rest ^= Fingerprint(bytes.data(), place);
    return rest == 0;
  }

  static void Prefetch(std::string_view bytes, uint64_t hash) {
    const std::optional<Layout> layout = Read(bytes);
    if (!layout.has_value()) [[unlikely]]
      return;
    for (const size_t place : layout->PlacesOf(Mix(hash + layout->seed))) {
      __builtin_prefetch(bytes.data() + kHeaderBytes + place * kFingerprintBytes);
    }
  }

 private:
  // The finalizer of MurmurHash3.
  static constexpr uint64_t Mix(uint64_t value) {
    value = (value ^ value >> 33) * 0xff51afd7ed558ccd;
    value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53;
    return value ^ value >> 33;
  }

  static uint64_t FingerprintOf(uint64_t mixed) {
    return (mixed ^ mixed >> 32) & ((uint64_t{1} << kBits) - 1);
  }

  static uint64_t Fingerprint(const char* bytes, size_t place) {
    const char* const at = bytes + kHeaderBytes + place * kFingerprintBytes;
    uint64_t value = static_cast<unsigned char>(at[0]);
    if constexpr (kBits == 16) value |= uint64_t{static_cast<unsigned char>(at[1])} << 8;
    return value;
  }

  // Nothing when no builder makes bytes of such a size and header. What it hands back has all its
  // places within `bytes`.
  static std::optional<Layout> Read(std::string_view bytes) {
    if (bytes.size() < kHeaderBytes) return std::nullopt;
    const Layout layout{.seed = LoadFixed64(bytes.data()),
                        .segments = LoadFixed32(bytes.data() + 8),
                        .segment_log = LoadFixed32(bytes.data() + 12)};
    if (layout.segments == 0 || layout.segment_log > kMaxSegmentLog) return std::nullopt;
    if (bytes.size() - kHeaderBytes != layout.Fingerprints() * kFingerprintBytes) {
      return std::nullopt;
    }
    return layout;
  }

  // Sizes as in the paper: with them the hypergraph of random keys falls apart nearly always.
  static Layout LayoutFor(size_t keys) {
    const double size = std::max<double>(static_cast<double>(keys), 2);
    const double log = std::floor(std::log(size) / std::log(3.33) + 2.25);
    Layout layout;
    layout.segment_log = std::min(static_cast<uint64_t>(log), kMaxSegmentLog);
    const double factor = std::max(1.125, 0.875 + 0.25 * std::log(1e6) / std::log(size));
    const auto wanted = static_cast<uint64_t>(std::round(size * factor));
    const uint64_t in_segments =
        (wanted + (uint64_t{1} << layout.segment_log) - 1) >> layout.segment_log;
    layout.segments = in_segments <= 3 ? 1 : in_segments - 2;
    return layout;
  }

  // A place with the keys that have it: how many, and the exclusive or of their mixed hashes.
  struct Cell {
    uint64_t mixed = 0;
    uint32_t keys = 0;
  };
  struct Peeled {
    uint64_t mixed;
    size_t place;  // the one that no key peeled later has
  };

  // The filter, or no bytes when the keys do not fall apart under this seed.
  static std::string Attempt(const std::vector<uint64_t>& hashes, uint64_t seed) {
    Layout layout = LayoutFor(hashes.size());
    if (layout.segments > 0xffff'ffff) return {};
    layout.seed = seed;
    std::vector<Cell> cells(layout.Fingerprints());
    const auto each_place = [&](uint64_t mixed, auto&& visit) {
      for (const size_t place : layout.PlacesOf(mixed)) visit(place);
    };
    for (const uint64_t hash : hashes) {
      const uint64_t mixed = Mix(hash + seed);
      each_place(mixed, [&](size_t place) {
        cells[place].mixed ^= mixed;
        ++cells[place].keys;
      });
    }
    std::vector<Peeled> peeled;
    peeled.reserve(hashes.size());
    std::vector<size_t> alone;
    for (size_t place = 0; place < cells.size(); ++place) {
      alone.assign(1, place);
      while (!alone.empty()) {
        const size_t at = alone.back();
        alone.pop_back();
        if (cells[at].keys != 1) continue;
        const uint64_t mixed = cells[at].mixed;
        peeled.push_back({mixed, at});
        each_place(mixed, [&](size_t other) {
          cells[other].mixed ^= mixed;
          if (--cells[other].keys == 1) alone.push_back(other);
        });
      }
    }
    if (peeled.size() != hashes.size()) return {};

    std::string bytes(kHeaderBytes + layout.Fingerprints() * kFingerprintBytes, '\0');
    StoreFixed64(bytes.data(), seed);
    StoreFixed32(bytes.data() + 8, static_cast<uint32_t>(layout.segments));
    StoreFixed32(bytes.data() + 12, static_cast<uint32_t>(layout.segment_log));
    // In reverse: the place of a key is not touched again after it was set.
    for (size_t i = peeled.size(); i-- > 0;) {
      uint64_t rest = FingerprintOf(peeled[i].mixed);
      each_place(peeled[i].mixed, [&](size_t place) { rest ^= Fingerprint(bytes.data(), place); });
      char* const at = bytes.data() + kHeaderBytes + peeled[i].place * kFingerprintBytes;
      at[0] = static_cast<char>(rest);
      if constexpr (kBits == 16) at[1] = static_cast<char>(rest >> 8);
    }
    return bytes;
  }
};

static_assert(Filter<BinaryFuseFilter<8>>);

}  // namespace kv

#endif  // KV_FILTER_BINARY_FUSE_H_
