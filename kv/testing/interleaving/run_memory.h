// RunMemory: where the model keeps what it knows of one run (machine.h).
//
// It is given back all at once, before the next run. Under ThreadSanitizer that is a third of the
// time of a run: to the sanitizer each allocation is one of the program's, with a stack to remember
// and a shadow to clear.
//
// Thread safety: of one thread, as Explore.
#ifndef KV_TESTING_INTERLEAVING_RUN_MEMORY_H_
#define KV_TESTING_INTERLEAVING_RUN_MEMORY_H_

#include <cstddef>
#include <functional>
#include <memory_resource>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kv::testing::interleaving {

class RunMemory {
 public:
  static void* Allocate(size_t bytes) { return Resource().allocate(bytes); }
  // Ends the lives of all that was allocated: no container may be left that has any of it.
  static void Clear() { Resource().release(); }

 private:
  // Of one run of most programs; what goes beyond it is taken from the heap.
  static constexpr size_t kBytes = size_t{256} << 10;

  static std::pmr::monotonic_buffer_resource& Resource() {
    alignas(std::max_align_t) static char buffer[kBytes];
    static std::pmr::monotonic_buffer_resource resource(buffer, sizeof buffer);
    return resource;
  }
};

template <typename T>
struct RunAllocator {
  using value_type = T;
  RunAllocator() = default;
  template <typename U>
  RunAllocator(const RunAllocator<U>&) {}  // NOLINT: as std::allocator
  T* allocate(size_t count) { return static_cast<T*>(RunMemory::Allocate(count * sizeof(T))); }
  void deallocate(T*, size_t) {}
  bool operator==(const RunAllocator&) const { return true; }
};

template <typename T>
using RunVector = std::vector<T, RunAllocator<T>>;

template <typename Key, typename T>
using RunMap = std::unordered_map<Key, T, std::hash<Key>, std::equal_to<Key>,
                                  RunAllocator<std::pair<const Key, T>>>;

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_RUN_MEMORY_H_
