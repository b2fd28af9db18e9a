// The world outside an engine, as one small value: files, time, and who runs background work.
// Tests put a simulated one in its place.
#ifndef KV_IO_ENVIRONMENT_H_
#define KV_IO_ENVIRONMENT_H_

#include "kv/base/clock.h"
#include "kv/io/posix.h"

namespace kv {

// kThreads: background work has threads of its own. kInline: it is done by the writer that made it
// necessary, before its write returns; slower, but the order of file operations is then a function
// of the calls alone, which crash tests need.
enum class BackgroundWork { kThreads, kInline };

struct SystemEnvironment {
  using FileSystem = PosixFileSystem;
  using Clock = SystemClock;
  static constexpr BackgroundWork kBackgroundWork = BackgroundWork::kThreads;

  FileSystem file_system;
  Clock clock;
};

}  // namespace kv

#endif  // KV_IO_ENVIRONMENT_H_
