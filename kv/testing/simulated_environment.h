// The environment of crash tests: a simulated disk, a clock that is turned by hand, and background
// work done in the writer's thread, so that a history of calls is a history of file operations.
#ifndef KV_TESTING_SIMULATED_ENVIRONMENT_H_
#define KV_TESTING_SIMULATED_ENVIRONMENT_H_

#include "kv/base/clock.h"
#include "kv/io/environment.h"
#include "kv/io/simulated.h"

namespace kv::testing {

struct SimulatedEnvironment {
  using FileSystem = SimulatedFileSystem;
  using Clock = ManualClock;
  static constexpr BackgroundWork kBackgroundWork = BackgroundWork::kInline;

  FileSystem file_system = FileSystem(/*seed=*/0);
  Clock clock = {};
};

}  // namespace kv::testing

#endif  // KV_TESTING_SIMULATED_ENVIRONMENT_H_
