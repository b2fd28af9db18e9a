// Composition: one engine as the suites see it: its name, what it can do, how to open it, and the
// clock that it reads. Made by CompositionOf<E> (engine_adapter.h), or by hand in tests that wrap
// an engine to plant a bug.
#ifndef KV_TESTING_COMPOSITION_H_
#define KV_TESTING_COMPOSITION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "kv/base/clock.h"
#include "kv/contract/options.h"
#include "kv/testing/any_engine.h"

namespace kv::testing {

struct Capabilities {
  bool durable = false;
  bool ordered = false;
  bool expiry = false;
  // The commit policy promises that a write is durable when it returns OK. A durable engine for
  // which this is false may lose its newest writes in a crash, but only those.
  bool durable_on_return = false;
};

struct Composition {
  std::string name;
  std::string descriptor;
  Capabilities has;
  std::function<absl::StatusOr<std::unique_ptr<AnyEngine>>(const Options&)> open;

  // The store's files are those of this machine.
  bool real_files = true;

  // The engine's clock. Moving the system's clock means sleeping, so checks move it by little
  // unless `manual_clock` is true.
  bool manual_clock = false;
  std::function<uint64_t()> unix_millis = [] { return SystemClock{}.UnixMillis(); };
  std::function<void(uint64_t)> advance_millis = [](uint64_t millis) {
    std::this_thread::sleep_for(std::chrono::milliseconds(millis));
  };
};

}  // namespace kv::testing

#endif  // KV_TESTING_COMPOSITION_H_
