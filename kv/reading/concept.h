// Reading: how the bytes of a sealed file reach whoever reads it: in place from a mapping, or
// copied into memory by a system call.
//
// A model has a Reader for each kind of file (kv/io/file_system.h), which owns the file. What it
// promises, beyond the signatures:
//
//   View. Exactly the bytes of the file, which are those it had when it was opened. If kMapped,
//   they live as long as the Reader and cost no copy; if not, they are in `*room`, and live until
//   that is used again or goes. Views in different rooms do not disturb each other. The caller asks
//   only for what lies within Size(). Alignment. The address of a view is, modulo
//   kReadingAlignment, what its offset is: what a format puts at the beginning of a cache line is
//   found at one. Errors. What the file system answers; `*bytes` is then unspecified, and no view
//   of another room is disturbed. A model that is kMapped cannot notice that the device fails: that
//   is SIGBUS. Windows. A Window is for reading one range after another in one direction: it may
//   read more than it was asked for, up to `end`, and Holds() then finds that without a system
//   call. Its bytes live until its next Read(). It belongs to one Reader. Moving. Views outlive the
//   move of the Reader, the Room or the Window that they depend on. Thread safety. A Reader's
//   functions may be called from many threads, each with rooms and windows of its own.
//
// A model checks nothing: checksums are the caller's. kMapped also says that a view costs nothing,
// so a caller need not keep it in a cache.
//
// Omits: several reads in flight, direct I/O.
#ifndef KV_READING_CONCEPT_H_
#define KV_READING_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/io/file_system.h"

namespace kv {

inline constexpr size_t kReadingAlignment = 64;

enum class ReadDirection : uint8_t { kForward, kBackward };

// Where the bytes of a view are kept, if the mapping does not. Empty when default-constructed.
template <typename M>
concept ReadingRoom = std::default_initializable<M> && std::movable<M> && requires(const M& room) {
  // Allocated.
  { room.Bytes() } -> std::same_as<size_t>;
};

template <typename W, typename R>
concept ReadingWindow = std::default_initializable<W> && std::movable<W> &&
    requires(W& window, const W& constant, const R& reader, uint64_t offset, size_t size,
             ReadDirection direction, std::string_view* bytes) {
  // Whether the last Read() brought these bytes along; then `*bytes` is them.
  { constant.Holds(offset, size, bytes) } -> std::same_as<bool>;
  // Sets `*bytes`, and reads on in `direction`, not beyond `end`, if it likes. offset + size <=
  // end.
  { window.Read(reader, offset, size, offset, direction, bytes) } -> std::same_as<absl::Status>;
};

template <typename R, typename File>
concept ReadingReader = std::movable<R> && ReadingRoom<typename R::Room> &&
    ReadingWindow<typename R::Window, R> &&
    requires(File file, const R& reader, uint64_t offset, size_t size, typename R::Room* room,
             std::string_view* bytes) {
  { R::Open(std::move(file)) } -> std::same_as<absl::StatusOr<R>>;
  { reader.View(offset, size, room, bytes) } -> std::same_as<absl::Status>;
  { reader.Size() } -> std::same_as<uint64_t>;
  // Gives up the memory that a mapping occupies, until it is touched again. A hint.
  { reader.Release() } -> std::same_as<void>;
};

namespace reading_internal {

// What a model is tried on: a file that can be read, and no more.
class AnyFile {
 public:
  absl::Status ReadAt(uint64_t offset, size_t size, char* scratch) const;
  absl::StatusOr<std::string_view> Map() const;
  void ReleaseMapping() const;
  uint64_t Size() const;
};
static_assert(ReadableFile<AnyFile>);

}  // namespace reading_internal

template <typename R>
concept Reading = ReadingReader<typename R::template Reader<reading_internal::AnyFile>,
                                reading_internal::AnyFile> && requires {
  { R::kName } -> std::same_as<const std::string_view&>;
  { R::kMapped } -> std::same_as<const bool&>;
};

}  // namespace kv

#endif  // KV_READING_CONCEPT_H_
