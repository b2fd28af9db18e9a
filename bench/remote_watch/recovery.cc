#include "bench/remote_watch/recovery.h"

#include <algorithm>

namespace bench::remote_watch {

uint64_t LastWriteTo(uint64_t key, uint64_t keys, uint64_t count) {
  if (count < key) return 0;
  return count - (count - key) % keys;  // of key 0: 0 where nothing was written
}

Recovered JudgeRecovery(std::span<const uint64_t> found, uint64_t acknowledged) {
  Recovered recovered;
  for (const uint64_t number : found) recovered.newest = std::max(recovered.newest, number);
  for (uint64_t key = 0; key < found.size(); ++key) {
    const uint64_t expected = LastWriteTo(key, found.size(), recovered.newest);
    if (found[key] == expected || expected > acknowledged) continue;
    ++recovered.holes;
    if (recovered.oldest_lost == 0) recovered.oldest_lost = expected;
    recovered.oldest_lost = std::min(recovered.oldest_lost, expected);
  }
  recovered.lost = recovered.holes;
  if (acknowledged > recovered.newest) {
    recovered.lost += acknowledged - recovered.newest;
    if (recovered.oldest_lost == 0) recovered.oldest_lost = recovered.newest + 1;
  }
  return recovered;
}

}  // namespace bench::remote_watch
