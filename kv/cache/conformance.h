// Conformance suite of the Cache concept: everything in concept.h that a compiler cannot check.
//
//   absl::Status CheckCacheAnswers<C>(seed)     hits are the right block; kEnabled; counters
//   absl::Status CheckCacheBound<C>(seed)       capacity, also of what is really kept; odd sizes
//   absl::Status CheckCacheHandles<C>()         handles against eviction, EraseFile and moves
//   absl::Status CheckCacheConcurrent<C>(seed)  threads that look up, insert and erase together
//
// Each hands back the first failure in words, so that a test can also assert that a broken cache is
// refused. The content of a block follows from its key, so no model is needed to know it. Run them
// with AddressSanitizer and, the last one, with ThreadSanitizer.
#ifndef KV_CACHE_CONFORMANCE_H_
#define KV_CACHE_CONFORMANCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/status.h"
#include "kv/cache/concept.h"

namespace kv {

namespace cache_conformance {

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

// At least 16 bytes, which say whose block it is.
inline std::string BlockOf(uint64_t file, uint64_t offset, size_t size) {
  std::string block;
  block.reserve(size);
  AppendFixed64(&block, file);
  AppendFixed64(&block, offset);
  if (block.size() < size) block.resize(size, static_cast<char>(file * 31 + offset));
  return block;
}

template <typename H>
absl::Status CheckBlock(const H& handle, uint64_t file, uint64_t offset) {
  const std::string_view bytes = handle.bytes();
  if (bytes.size() < 16 || bytes != BlockOf(file, offset, bytes.size())) {
    return Failure(fmt::format("file {} offset {}: another block's bytes", file, offset));
  }
  return absl::OkStatus();
}

template <typename C>
absl::Status CheckInsert(C& cache, uint64_t file, uint64_t offset, size_t size) {
  const typename C::Handle handle = cache.Insert(file, offset, BlockOf(file, offset, size));
  if (!handle) return Failure("Insert handed nothing back");
  if (cache.UsedBytes() > cache.CapacityBytes()) {
    return Failure(fmt::format("{} bytes used of {}", cache.UsedBytes(), cache.CapacityBytes()));
  }
  return CheckBlock(handle, file, offset);
}

}  // namespace cache_conformance

template <Cache C>
absl::Status CheckCacheAnswers(uint64_t seed) {
  using cache_conformance::CheckBlock;
  using cache_conformance::CheckInsert;
  using cache_conformance::Failure;
  // With room for everything, what was inserted is found.
  C roomy(size_t{4} << 20);
  for (uint64_t file = 0; file < 4; ++file) {
    for (uint64_t offset = 0; offset < 32; ++offset) {
      if (roomy.Lookup(file, offset * 4'096)) return Failure("found before it was inserted");
      KV_RETURN_IF_ERROR(CheckInsert(roomy, file, offset * 4'096, 4'096));
      const typename C::Handle found = roomy.Lookup(file, offset * 4'096);
      if (static_cast<bool>(found) != C::kEnabled)
        return Failure("kEnabled does not tell the truth");
      if (found) KV_RETURN_IF_ERROR(CheckBlock(found, file, offset * 4'096));
    }
  }
  const CacheCounters counters = roomy.Counters();
  if (C::kEnabled && (counters.hits != 128 || counters.misses != 128)) {
    return Failure(fmt::format("128 hits and misses were counted as {} and {}", counters.hits,
                               counters.misses));
  }
  roomy.EraseFile(2);
  for (uint64_t file = 0; file < 4; ++file) {
    const bool found = static_cast<bool>(roomy.Lookup(file, 4'096));
    if (found != (C::kEnabled && file != 2)) {
      return Failure(
          fmt::format("after EraseFile(2), file {} is {}", file, found ? "there" : "gone"));
    }
  }

  // Without it, what is found is right.
  C cramped(size_t{256} << 10);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t file = random() % 8;
    const uint64_t offset = random() % 64 << random() % 32;
    if (const typename C::Handle found = cramped.Lookup(file, offset); found) {
      KV_RETURN_IF_ERROR(CheckBlock(found, file, offset));
    } else {
      KV_RETURN_IF_ERROR(CheckInsert(cramped, file, offset, 16 + random() % 8'192));
    }
    if (i % 4'000 == 0) cramped.EraseFile(random() % 8);
  }
  return absl::OkStatus();
}

template <Cache C>
absl::Status CheckCacheBound(uint64_t seed) {
  using cache_conformance::CheckInsert;
  using cache_conformance::Failure;
  std::mt19937_64 random(seed);
  for (const size_t capacity :
       {size_t{0}, size_t{1}, size_t{1'000}, size_t{20'000}, size_t{100'000}, size_t{1} << 20}) {
    C cache(capacity);
    uint64_t offset = 0;
    for (size_t bytes = 0; bytes < 4 * capacity + 100'000;) {
      const size_t size = random() % 16 == 0 ? random() % 200'000 : random() % 10'000;
      KV_RETURN_IF_ERROR(CheckInsert(cache, 1, offset++, size));
      bytes += size;
    }
    // What it says it uses is one thing, what can be found is another.
    size_t kept = 0;
    for (uint64_t old = 0; old < offset; ++old) {
      if (const typename C::Handle found = cache.Lookup(1, old); found) {
        kept += found.bytes().size();
      }
    }
    if (kept > capacity) return Failure(fmt::format("{} bytes kept in {}", kept, capacity));
    if (C::kEnabled && capacity == size_t{1} << 20 && kept < capacity / 4) {
      return Failure(fmt::format("only {} bytes kept in {}", kept, capacity));
    }
  }
  return absl::OkStatus();
}

template <Cache C>
absl::Status CheckCacheHandles() {
  using cache_conformance::BlockOf;
  using cache_conformance::CheckBlock;
  using cache_conformance::CheckInsert;
  using cache_conformance::Failure;
  C cache(size_t{256} << 10);
  typename C::Handle empty;
  if (empty) return Failure("a new handle is not empty");
  std::vector<typename C::Handle> handles;
  // More than fits: the cache may not refuse a handle for that.
  for (uint64_t i = 0; i < 200; ++i) {
    handles.push_back(cache.Insert(1, i, BlockOf(1, i, i % 2 == 0 ? 16 : 4'000)));
    if (!handles.back()) return Failure("no handle while many are held");
    if (cache.UsedBytes() > cache.CapacityBytes())
      return Failure("held blocks exceed the capacity");
  }
  std::vector<std::string_view> bytes;
  for (const typename C::Handle& handle : handles) bytes.push_back(handle.bytes());

  for (uint64_t i = 0; i < 500; ++i) KV_RETURN_IF_ERROR(CheckInsert(cache, 2, i, 4'000));
  cache.EraseFile(1);
  for (uint64_t i = 0; i < 200; ++i) {
    if (cache.Lookup(1, i)) return Failure("found after EraseFile");
    KV_RETURN_IF_ERROR(CheckInsert(cache, 1, i, 5'000));
  }
  for (uint64_t i = 0; i < 200; ++i) {
    typename C::Handle moved = std::move(handles[i]);
    if (handles[i]) return Failure("a moved handle is not empty");
    KV_RETURN_IF_ERROR(CheckBlock(moved, 1, i));
    if (moved.bytes().data() != bytes[i].data()) return Failure("bytes moved with their handle");
    empty = std::move(moved);
    KV_RETURN_IF_ERROR(CheckBlock(empty, 1, i));
  }
  empty = typename C::Handle();
  handles.clear();

  // All that is let go can be used again.
  for (uint64_t i = 0; i < 200; ++i) KV_RETURN_IF_ERROR(CheckInsert(cache, 3, i, 4'000));
  if (static_cast<bool>(cache.Lookup(3, 199)) != C::kEnabled) {
    return Failure("a cache whose blocks were all let go keeps nothing new");
  }
  return absl::OkStatus();
}

template <Cache C>
absl::Status CheckCacheConcurrent(uint64_t seed) {
  using cache_conformance::BlockOf;
  using cache_conformance::CheckBlock;
  constexpr size_t kThreads = 4;
  constexpr int kRounds = 10'000;
  C cache(size_t{128} << 10);
  std::vector<absl::Status> statuses(kThreads);
  std::vector<std::thread> threads;
  for (size_t me = 0; me < kThreads; ++me) {
    threads.emplace_back([&cache, &status = statuses[me], seed, me] {
      std::mt19937_64 random(seed * kThreads + me);
      std::vector<std::pair<uint64_t, typename C::Handle>> held(8);
      for (int round = 0; round < kRounds && status.ok(); ++round) {
        // Few keys, so that threads meet, and more of them than fit.
        const uint64_t key = random() % 96;
        const uint64_t file = key / 32;
        typename C::Handle handle = cache.Lookup(file, key);
        if (!handle) handle = cache.Insert(file, key, BlockOf(file, key, 16 + random() % 4'000));
        status = CheckBlock(handle, file, key);
        if (!status.ok()) return;
        std::pair<uint64_t, typename C::Handle>& old = held[random() % held.size()];
        if (old.second) status = CheckBlock(old.second, old.first / 32, old.first);
        old = {key, std::move(handle)};
        if (random() % 1'024 == 0) cache.EraseFile(random() % 3);
        if (cache.UsedBytes() > cache.CapacityBytes()) {
          status = cache_conformance::Failure("capacity exceeded");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) KV_RETURN_IF_ERROR(status);
  // Nothing is left behind: the cache can be emptied.
  const size_t before = cache.UsedBytes();
  for (uint64_t file = 0; file < 3; ++file) cache.EraseFile(file);
  const size_t after = cache.UsedBytes();
  if (C::kEnabled && after >= before) return cache_conformance::Failure("erasing frees nothing");
  C fresh(size_t{128} << 10);
  if (after != fresh.UsedBytes()) {
    return cache_conformance::Failure(fmt::format(
        "{} bytes in use in an empty cache, {} in a new one", after, fresh.UsedBytes()));
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_CACHE_CONFORMANCE_H_
