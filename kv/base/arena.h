// Arenas: bump allocation of memory that is all given back at once, when the arena is destroyed.
//
//   Arena            one thread allocates; any thread may ask BytesUsed
//   ConcurrentArena  any thread allocates: one fetch_add, and a mutex for each new chunk
//
// Invariants of both:
//   1. What Allocate returns is 8-byte aligned, zero-filled, and stays in place until destruction.
//   2. Chunks start at 64 KiB and double up to 2 MiB, so a small memtable costs little; those of
//      2 MiB are aligned to it and ask for a huge page (fewer faults and TLB misses). Memory that
//      was not reached yet is not resident, but for the rest of the last huge page.
//   3. A request above 512 KiB gets a mapping of its own, and does not end the current chunk.
//
// Memory comes from mmap, so it returns to the system at destruction, whatever the allocator does.
// Fails by throwing std::bad_alloc, as operator new does.
//
// Omits: destructors (put only trivially destructible objects here), freeing one allocation.
// Not for: things that die one by one, nor for fewer than a few KiB in all (64 KiB of address
// space each, and a system call).
#ifndef KV_BASE_ARENA_H_
#define KV_BASE_ARENA_H_

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <vector>

#include "kv/base/atomic.h"
#include "kv/base/mutex.h"
#include "kv/base/thread_stripe.h"

namespace kv {

namespace arena_internal {

inline constexpr size_t kAlignment = 8;
inline constexpr size_t kPage = size_t{4} << 10;
inline constexpr size_t kFirstChunk = size_t{64} << 10;
inline constexpr size_t kHugePage = size_t{2} << 20;
inline constexpr size_t kOwnChunkAbove = kHugePage / 4;

inline constexpr size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) & ~(to - 1); }

// The mappings of one arena. Not thread-safe.
class Chunks {
 public:
  struct Chunk {
    char* data;
    size_t bytes;
  };

  Chunks() = default;
  Chunks(const Chunks&) = delete;
  Chunks& operator=(const Chunks&) = delete;
  ~Chunks() {
    for (const Chunk& chunk : chunks_) munmap(chunk.data, chunk.bytes);
  }

  // The next chunk of the doubling series that holds `bytes`, at most kOwnChunkAbove.
  Chunk Grow(size_t bytes) {
    // Four times the request bounds what the end of a chunk can waste to a quarter of it.
    const size_t size = std::clamp(std::bit_ceil(4 * bytes), next_bytes_, kHugePage);
    next_bytes_ = std::min(2 * size, kHugePage);
    return Keep(size == kHugePage ? MapHuge() : Map(size));
  }

  // A mapping of its own for one large request.
  Chunk Own(size_t bytes) { return Keep(Map(RoundUp(bytes, kPage))); }

 private:
  static Chunk Map(size_t bytes) {
    void* const data =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    return {static_cast<char*>(data), bytes};
  }

  // mmap aligns to 4 KiB only: map twice the size and give back what lies around the aligned part.
  static Chunk MapHuge() {
    const Chunk wide = Map(2 * kHugePage);
    const size_t before = RoundUp(reinterpret_cast<uintptr_t>(wide.data), kHugePage) -
                          reinterpret_cast<uintptr_t>(wide.data);
    if (before > 0) munmap(wide.data, before);
    if (before < kHugePage) munmap(wide.data + before + kHugePage, kHugePage - before);
    // Advice: where huge pages are switched off the chunk has small ones, and all still works.
    madvise(wide.data + before, kHugePage, MADV_HUGEPAGE);
    return {wide.data + before, kHugePage};
  }

  Chunk Keep(Chunk chunk) {
    try {
      chunks_.push_back(chunk);
    } catch (...) {
      munmap(chunk.data, chunk.bytes);
      throw;
    }
    return chunk;
  }

  std::vector<Chunk> chunks_;
  size_t next_bytes_ = kFirstChunk;
};

}  // namespace arena_internal

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `bytes` bytes, 8-byte aligned. O(1), but for a system call for each new chunk.
  char* Allocate(size_t bytes) {
    bytes = arena_internal::RoundUp(std::max<size_t>(bytes, 1), arena_internal::kAlignment);
    if (bytes > left_) [[unlikely]]
      return AllocateSlow(bytes);
    return Take(bytes);
  }

  // The same at a multiple of `alignment`, a power of two of at most 4096.
  char* AllocateAligned(size_t bytes, size_t alignment) {
    const size_t padding = -reinterpret_cast<uintptr_t>(next_) & (alignment - 1);
    if (padding + bytes > left_) [[unlikely]] {
      // A fresh chunk starts at a page boundary, so this asks for no padding.
      return AllocateSlow(arena_internal::RoundUp(bytes, arena_internal::kAlignment));
    }
    Take(padding);
    return Allocate(bytes);
  }

  // Handed out, with padding and abandoned ends of chunks not counted as such. Any thread.
  size_t BytesUsed() const { return used_.load(std::memory_order_relaxed); }
  // Address space taken. Any thread.
  size_t BytesReserved() const { return reserved_.load(std::memory_order_relaxed); }

 private:
  char* Take(size_t bytes) {
    char* const taken = next_;
    next_ += bytes;
    left_ -= bytes;
    Count(&used_, bytes);
    return taken;
  }

  char* AllocateSlow(size_t bytes) {
    if (bytes > arena_internal::kOwnChunkAbove) {
      const auto chunk = chunks_.Own(bytes);
      Count(&reserved_, chunk.bytes);
      Count(&used_, chunk.bytes);
      return chunk.data;
    }
    const auto chunk = chunks_.Grow(bytes);
    Count(&reserved_, chunk.bytes);
    next_ = chunk.data;
    left_ = chunk.bytes;
    return Take(bytes);
  }

  // One thread writes, so a load and a store do; relaxed: the figures order nothing.
  static void Count(std::atomic<size_t>* counter, size_t bytes) {
    counter->store(counter->load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }

  char* next_ = nullptr;
  size_t left_ = 0;
  std::atomic<size_t> used_{0};
  std::atomic<size_t> reserved_{0};
  arena_internal::Chunks chunks_;
};

class ConcurrentArena {
 public:
  ConcurrentArena() = default;
  ConcurrentArena(const ConcurrentArena&) = delete;
  ConcurrentArena& operator=(const ConcurrentArena&) = delete;

  // `bytes` bytes, 8-byte aligned. Any thread.
  char* Allocate(size_t bytes) {
    bytes = arena_internal::RoundUp(std::max<size_t>(bytes, 1), arena_internal::kAlignment);
    if (bytes > arena_internal::kOwnChunkAbove) [[unlikely]]
      return AllocateOwn(bytes);
    for (;;) {
      // acquire: pairs with the release in Replace, and makes the span's fields visible.
      Span* const span = current_.load(std::memory_order_acquire);
      if (span != nullptr) [[likely]] {
        // relaxed: the add alone decides who owns which bytes; whoever publishes a pointer into
        // them does so with its own release.
        const size_t at = span->used.fetch_add(bytes, std::memory_order_relaxed);
        if (at + bytes <= span->bytes) [[likely]]
          return span->data() + at;
      }
      Replace(span, bytes);
    }
  }

  // As for Arena; any thread.
  size_t BytesUsed() const {
    const Span* const span = current_.load(std::memory_order_acquire);
    const size_t in_spans =
        span == nullptr
            ? 0
            : span->used_before + std::min(span->used.load(std::memory_order_relaxed), span->bytes);
    return in_spans + own_.load(std::memory_order_relaxed);
  }
  size_t BytesReserved() const { return reserved_.load(std::memory_order_relaxed); }

 private:
  // Stands at the front of the chunk that it describes. Every allocation writes to it, so what is
  // allocated begins on another cache line.
  struct Span {
    Atomic<size_t> used;  // may pass `bytes`: those who overshot take the next span
    size_t bytes;
    size_t used_before;  // in the spans before this one
    char unused[kCacheLineBytes - 3 * sizeof(size_t)];
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };
  static_assert(sizeof(Span) % arena_internal::kAlignment == 0);

  char* AllocateOwn(size_t bytes) {
    const std::lock_guard lock(growing_);
    const auto chunk = chunks_.Own(bytes);
    // relaxed: the figures order nothing.
    reserved_.fetch_add(chunk.bytes, std::memory_order_relaxed);
    own_.fetch_add(chunk.bytes, std::memory_order_relaxed);
    return chunk.data;
  }

  // Puts a new span in place of `full`, unless another thread has done so.
  void Replace(Span* full, size_t bytes) {
    const std::lock_guard lock(growing_);
    if (current_.load(std::memory_order_relaxed) != full) return;
    const auto chunk = chunks_.Grow(bytes + sizeof(Span));
    reserved_.fetch_add(chunk.bytes, std::memory_order_relaxed);
    Span* const span = new (chunk.data) Span{
        {0}, chunk.bytes - sizeof(Span), full == nullptr ? 0 : full->used_before + full->bytes, {}};
    current_.store(span, std::memory_order_release);  // pairs with the acquire in Allocate
  }

  Atomic<Span*> current_{nullptr};
  Atomic<size_t> own_{0};
  Atomic<size_t> reserved_{0};
  Mutex growing_;
  arena_internal::Chunks chunks_;
};

}  // namespace kv

#endif  // KV_BASE_ARENA_H_
