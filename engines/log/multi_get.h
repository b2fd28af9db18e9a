// Reads many keys of a log-structured store as of one instant.
//
// Keys are taken in groups: hash all, bring their index lines into the cache, then their records,
// then look. The misses of a group overlap, which is worth several times the speed of one by one.
//
// What was found is one state if no shard of the index that was asked has changed from before the
// first look to after the last (index.h). If some have, everything is looked up again; after
// kTries, as under heavy writing, with those shards locked against writers while the locations are
// found.
//
// Thread safety: any thread, inside the keydir's gate. Allocates for more than kOnStack keys.
#ifndef ENGINES_LOG_MULTI_GET_H_
#define ENGINES_LOG_MULTI_GET_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engines/log/keydir.h"
#include "kv/base/status.h"

namespace kv {

template <typename Files>
class LogMultiGet {
 public:
  explicit LogMultiGet(Keydir<Files>& keydir) : keydir_(keydir) {}

  // Calls answer(i, const absl::Status&, const LogEntry&) for each key; the entry is the key's
  // newest record if the status is OK.
  template <typename Answer>
  void Run(std::span<const std::string_view> keys, Answer&& answer) {
    std::array<Probe, kOnStack> few;
    std::unique_ptr<Probe[]> many;
    if (keys.size() > few.size()) many = std::make_unique<Probe[]>(keys.size());
    const std::span<Probe> probes(many != nullptr ? many.get() : few.data(), keys.size());
    int tries = 0;
    while (!FindAll(keys, probes)) {
      if (++tries < kTries) continue;
      FindAllLocked(keys, probes);
      break;
    }
    for (size_t i = 0; i < keys.size(); ++i) answer(i, probes[i].status, probes[i].entry);
  }

 private:
  static constexpr int kTries = 4;
  static constexpr size_t kAhead = 16;
  static constexpr size_t kOnStack = 32;

  struct Probe {
    uint64_t hash = 0;
    uint64_t version = 0;
    LogEntry entry;
    absl::Status status;
  };

  bool FindAll(std::span<const std::string_view> keys, std::span<Probe> probes) {
    LogIndex& index = keydir_.index();
    for (size_t begin = 0; begin < keys.size(); begin += kAhead) {
      const size_t end = std::min(begin + kAhead, keys.size());
      for (size_t i = begin; i < end; ++i) {
        probes[i].hash = LogKeyHash(keys[i]);
        probes[i].version = index.StableVersion(probes[i].hash);
        index.Prefetch(probes[i].hash);
      }
      for (size_t i = begin; i < end; ++i) keydir_.PrefetchRecord(index.Guess(probes[i].hash));
      for (size_t i = begin; i < end; ++i) {
        probes[i].status = keydir_.Find(keys[i], probes[i].hash, &probes[i].entry);
      }
    }
    return std::ranges::all_of(
        probes, [&](const Probe& probe) { return index.Version(probe.hash) == probe.version; });
  }

  void FindAllLocked(std::span<const std::string_view> keys, std::span<Probe> probes) {
    std::vector<uint64_t> hashes;
    for (const Probe& probe : probes) hashes.push_back(probe.hash);
    keydir_.index().Locked(hashes, [&] {
      for (size_t i = 0; i < keys.size(); ++i) {
        probes[i].status = keydir_.Find(keys[i], probes[i].hash, &probes[i].entry);
      }
    });
  }

  Keydir<Files>& keydir_;
};

}  // namespace kv

#endif  // ENGINES_LOG_MULTI_GET_H_
