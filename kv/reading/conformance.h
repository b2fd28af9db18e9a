// Conformance suite of the Reading concept: everything in concept.h that a compiler cannot check.
//
//   absl::Status CheckReadingViews<R>(seed)       bytes, alignment, rooms, moves
//   absl::Status CheckReadingWindows<R>(seed)     scans both ways, with jumps; what is held is
//   right absl::Status CheckReadingErrors<R>(seed)      a device that fails, and recovers
//   absl::Status CheckReadingConcurrent<R>(seed)  several threads on one reader
//
// Each reads files of its own, in memory, and hands back the first failure in words, so that a test
// can also assert that a broken model is refused. Run them with AddressSanitizer, which sees the
// use of bytes that are gone.
#ifndef KV_READING_CONFORMANCE_H_
#define KV_READING_CONFORMANCE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/reading/concept.h"

namespace kv {

namespace reading_conformance {

// A file in memory, page-aligned when mapped, whose reads fail while told to.
class TestFile {
 public:
  struct Disk {
    std::unique_ptr<char[], void (*)(char*)> bytes{nullptr, [](char*) {}};
    uint64_t size = 0;
    // relaxed, both: written by the one thread that also reads, or not at all.
    std::atomic<bool> failing{false};
    std::atomic<uint64_t> reads{0};
  };

  explicit TestFile(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}

  absl::Status ReadAt(uint64_t offset, size_t size, char* scratch) const {
    disk_->reads.fetch_add(1, std::memory_order_relaxed);  // relaxed: see Disk
    if (offset > disk_->size || size > disk_->size - offset) {
      return Corruption("file", offset, "beyond the end");
    }
    if (disk_->failing.load(std::memory_order_relaxed)) {  // relaxed: see Disk
      // What a failed read leaves behind is anything.
      std::memset(scratch, '!', size);
      return absl::UnavailableError("read file: told to fail");
    }
    std::memcpy(scratch, disk_->bytes.get() + offset, size);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string_view> Map() const {
    return std::string_view(disk_->bytes.get(), disk_->size);
  }
  void ReleaseMapping() const {}
  uint64_t Size() const { return disk_->size; }

 private:
  std::shared_ptr<Disk> disk_;
};

static_assert(ReadableFile<TestFile>);

inline std::shared_ptr<TestFile::Disk> MakeDisk(uint64_t seed, size_t size) {
  constexpr auto kPage = std::align_val_t{4096};
  auto disk = std::make_shared<TestFile::Disk>();
  disk->bytes = {static_cast<char*>(operator new[](size, kPage)),
                 [](char* bytes) { operator delete[](bytes, std::align_val_t{4096}); }};
  disk->size = size;
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < size; ++i) disk->bytes[i] = static_cast<char>(random());
  return disk;
}

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

inline std::string_view Bytes(const TestFile::Disk& disk, uint64_t offset, size_t size) {
  return {disk.bytes.get() + offset, size};
}

// Whether `bytes` are those of the range, as they should be.
inline absl::Status CheckView(const TestFile::Disk& disk, uint64_t offset, size_t size,
                              std::string_view bytes, std::string_view what) {
  if (bytes != Bytes(disk, offset, size)) {
    return Failure(fmt::format("{}: {} bytes at {} are wrong", what, size, offset));
  }
  if ((reinterpret_cast<uintptr_t>(bytes.data()) - offset) % kReadingAlignment != 0) {
    return Failure(fmt::format("{}: the bytes at {} are not aligned as the file is", what, offset));
  }
  return absl::OkStatus();
}

template <typename R>
using ReaderOf = typename R::template Reader<TestFile>;

}  // namespace reading_conformance

template <Reading R>
absl::Status CheckReadingViews(uint64_t seed) {
  using reading_conformance::CheckView;
  using reading_conformance::Failure;
  using reading_conformance::MakeDisk;
  using reading_conformance::ReaderOf;
  using reading_conformance::TestFile;
  using ReaderType = ReaderOf<R>;
  using Room = typename ReaderType::Room;
  std::mt19937_64 random(seed);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{5000}, size_t{3} << 20}) {
    const auto disk = MakeDisk(seed, size);
    KV_ASSIGN_OR_RETURN(ReaderType opened, ReaderType::Open(TestFile(disk)));
    if (opened.Size() != size) return Failure("Size() is wrong");
    // Rooms that are used in turn, while the others' views must stay.
    struct View {
      Room room;
      uint64_t offset = 0;
      std::string_view bytes;
    };
    std::vector<View> views(4);
    ReaderType reader = std::move(opened);
    for (int i = 0; i < 300; ++i) {
      View& view = views[random() % views.size()];
      view.offset = random() % (size + 1);
      const size_t most = random() % 8 == 0 ? size : 1 + random() % 6000;
      const size_t wanted = std::min<size_t>(size - view.offset, most);
      KV_RETURN_IF_ERROR(reader.View(view.offset, wanted, &view.room, &view.bytes));
      if (R::kMapped && view.room.Bytes() != 0) return Failure("a mapped view took memory");
      if (i % 50 == 49) {
        std::vector<View> moved;
        for (View& from : views) moved.push_back(std::move(from));
        views = std::move(moved);
        ReaderType other = std::move(reader);
        reader = std::move(other);
      }
      for (const View& seen : views) {
        if (seen.bytes.data() == nullptr) continue;
        KV_RETURN_IF_ERROR(
            CheckView(*disk, seen.offset, seen.bytes.size(), seen.bytes, "a view among others"));
      }
      if (i % 100 == 99) reader.Release();
    }
    if (!R::kMapped) continue;
    for (View& view : views) view.room = Room();
    for (const View& view : views) {
      if (view.bytes.data() == nullptr) continue;
      KV_RETURN_IF_ERROR(
          CheckView(*disk, view.offset, view.bytes.size(), view.bytes, "without its room"));
    }
  }
  return absl::OkStatus();
}

template <Reading R>
absl::Status CheckReadingWindows(uint64_t seed) {
  using reading_conformance::CheckView;
  using reading_conformance::Failure;
  using reading_conformance::MakeDisk;
  using reading_conformance::ReaderOf;
  using reading_conformance::TestFile;
  using ReaderType = ReaderOf<R>;
  using Window = typename ReaderType::Window;
  std::mt19937_64 random(seed);
  constexpr size_t kSize = size_t{4} << 20;
  const auto disk = MakeDisk(seed, kSize);
  KV_ASSIGN_OR_RETURN(ReaderType reader, ReaderType::Open(TestFile(disk)));
  for (int scan = 0; scan < 24; ++scan) {
    Window window;
    // What lies beyond `end` is not this window's to read: an index, say, or nothing.
    const uint64_t end = scan % 2 == 0 ? kSize : kSize - random() % kSize;
    const bool forward = random() % 2 == 0;
    uint64_t at = random() % 3 != 0 ? (forward ? 0 : end) : random() % (end + 1);
    for (int step = 0; step < 1500; ++step) {
      const size_t most = random() % 40 == 0 ? size_t{1} << 20 : 1 + random() % 9000;
      if (random() % 100 == 0) at = random() % (end + 1);  // a jump
      const bool back = forward == (random() % 64 == 0);   // now and then, a step back
      const size_t size = std::min<uint64_t>(most, back ? at : end - at);
      if (size == 0) {
        at = forward ? 0 : end;
        continue;
      }
      const uint64_t offset = back ? at - size : at;
      std::string_view bytes;
      if (!window.Holds(offset, size, &bytes)) {
        const ReadDirection direction = back ? ReadDirection::kBackward : ReadDirection::kForward;
        KV_RETURN_IF_ERROR(window.Read(reader, offset, size, end, direction, &bytes));
      }
      KV_RETURN_IF_ERROR(CheckView(*disk, offset, size, bytes, "a window"));
      if (step % 16 == 0) {
        Window moved = std::move(window);
        window = std::move(moved);
        KV_RETURN_IF_ERROR(CheckView(*disk, offset, size, bytes, "a moved window"));
      }
      const uint64_t beyond = end + random() % 100;
      std::string_view other;
      if (beyond + 10 <= kSize && window.Holds(beyond, 10, &other)) {
        return Failure("a window read beyond its end");
      }
      at = back ? offset : offset + size;
    }
  }
  return absl::OkStatus();
}

template <Reading R>
absl::Status CheckReadingErrors(uint64_t seed) {
  using reading_conformance::CheckView;
  using reading_conformance::Failure;
  using reading_conformance::MakeDisk;
  using reading_conformance::ReaderOf;
  using reading_conformance::TestFile;
  using ReaderType = ReaderOf<R>;
  if (R::kMapped) return absl::OkStatus();  // there is no status for a page that cannot be read
  const auto disk = MakeDisk(seed, size_t{1} << 20);
  KV_ASSIGN_OR_RETURN(const ReaderType reader, ReaderType::Open(TestFile(disk)));
  typename ReaderType::Room kept;
  std::string_view before;
  KV_RETURN_IF_ERROR(reader.View(100, 5000, &kept, &before));
  typename ReaderType::Window window;
  std::string_view bytes;
  KV_RETURN_IF_ERROR(window.Read(reader, 0, 4096, 1 << 20, ReadDirection::kForward, &bytes));
  disk->failing.store(true, std::memory_order_relaxed);  // relaxed: see TestFile::Disk
  typename ReaderType::Room room;
  if (!absl::IsUnavailable(reader.View(0, 4096, &room, &bytes))) {
    return Failure("a view did not report the failure of its file");
  }
  const uint64_t far = size_t{900} << 10;
  if (!absl::IsUnavailable(
          window.Read(reader, far, 4096, 1 << 20, ReadDirection::kForward, &bytes))) {
    return Failure("a window did not report the failure of its file");
  }
  if (window.Holds(far, 4096, &bytes)) return Failure("a window holds what could not be read");
  KV_RETURN_IF_ERROR(CheckView(*disk, 100, before.size(), before, "a view beside one that failed"));
  disk->failing.store(false, std::memory_order_relaxed);  // relaxed: see TestFile::Disk
  KV_RETURN_IF_ERROR(reader.View(0, 4096, &room, &bytes));
  KV_RETURN_IF_ERROR(CheckView(*disk, 0, 4096, bytes, "after a failure"));
  KV_RETURN_IF_ERROR(window.Read(reader, far, 4096, 1 << 20, ReadDirection::kForward, &bytes));
  return CheckView(*disk, far, 4096, bytes, "a window after a failure");
}

template <Reading R>
absl::Status CheckReadingConcurrent(uint64_t seed) {
  using reading_conformance::CheckView;
  using reading_conformance::MakeDisk;
  using reading_conformance::ReaderOf;
  using reading_conformance::TestFile;
  using ReaderType = ReaderOf<R>;
  constexpr size_t kThreads = 4;
  const auto disk = MakeDisk(seed, size_t{1} << 20);
  KV_ASSIGN_OR_RETURN(const ReaderType reader, ReaderType::Open(TestFile(disk)));
  std::vector<absl::Status> statuses(kThreads);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed + t);
      typename ReaderType::Room room;
      typename ReaderType::Window window;
      for (int i = 0; i < 2000 && statuses[t].ok(); ++i) {
        const uint64_t offset = random() % (disk->size - 8192);
        std::string_view bytes;
        std::string_view ahead;
        statuses[t].Update(reader.View(offset, 4096, &room, &bytes));
        statuses[t].Update(
            window.Read(reader, offset, 100, disk->size, ReadDirection::kForward, &ahead));
        if (!statuses[t].ok()) return;
        statuses[t].Update(CheckView(*disk, offset, 4096, bytes, "a view among threads"));
        statuses[t].Update(CheckView(*disk, offset, 100, ahead, "a window among threads"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) KV_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_READING_CONFORMANCE_H_
