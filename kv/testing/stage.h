// Stage: what one check is given: the composition, directories that are removed afterwards,
// engines opened in them, and a list of what went wrong.
//
// A check reports through Expect* and goes on; it returns early where going on makes no sense.
// The failures are plain strings, so that a check can be called from a gtest case and also by the
// tests that show it refusing a broken engine.
//
// Thread safety: the Expect functions may be called from many threads; the rest from one.
#ifndef KV_TESTING_STAGE_H_
#define KV_TESTING_STAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/contract/options.h"
#include "kv/testing/any_engine.h"
#include "kv/testing/composition.h"

namespace kv::testing {

// The live keys of a store with their values.
using Contents = std::map<std::string, std::string, std::less<>>;

// Bytes as a failure message shows them: escaped, and cut where they are long.
std::string Show(std::string_view bytes);
std::string ShowFound(const std::optional<std::string>& value);

// Where a suite's stores go. In memory (/dev/shm, where there is one) for suites that ask what an
// engine answers: thousands of stores, and on a disk they would wait for its syncs alone. On disk
// ($TEST_TMPDIR, or /tmp) for those that ask what its files are like.
enum class Medium { kMemory, kDisk };

// A directory, removed with everything in it on destruction.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(Medium medium);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a Get finds, or nullopt where it finds nothing.
absl::StatusOr<std::optional<std::string>> Lookup(AnyEngine& engine, std::string_view key);

// All that a cursor sees from the first key to the last.
absl::StatusOr<Contents> Scan(AnyCursor& cursor);

class Stage {
 public:
  using Location = std::source_location;

  explicit Stage(const Composition& composition) : composition_(composition) {}

  const Composition& composition() const { return composition_; }
  const Capabilities& has() const { return composition_.has; }

  // A path that does not exist yet, for one store.
  std::string NewDirectory();
  // Options for a store there whose memtable and cache are so small that a few hundred writes
  // bring flushes, compactions and evictions about.
  static Options SmallOptions(std::string directory);

  // Null, with the failure recorded, when the engine does not open.
  std::unique_ptr<AnyEngine> Open(const Options& options, Location where = Location::current());
  // In a new directory.
  std::unique_ptr<AnyEngine> OpenNew(Location where = Location::current()) {
    return Open(SmallOptions(NewDirectory()), where);
  }
  // Closes `*engine` and opens its store again. False when either fails.
  bool Reopen(std::unique_ptr<AnyEngine>* engine, const Options& options,
              Location where = Location::current());

  bool Expect(bool holds, std::string_view what, Location where = Location::current());
  bool ExpectOk(const absl::Status& status, std::string_view what = "",
                Location where = Location::current());
  bool ExpectCode(const absl::Status& status, absl::StatusCode code, std::string_view what = "",
                  Location where = Location::current());
  // Get answers this value, or kNotFound for nullopt.
  bool ExpectGet(AnyEngine& engine, std::string_view key, std::optional<std::string_view> expected,
                 Location where = Location::current());
  bool ExpectCount(AnyEngine& engine, std::string_view prefix, uint64_t expected,
                   Location where = Location::current());
  // Every key of `expected` has its value, and there are no others.
  bool ExpectContents(AnyEngine& engine, const Contents& expected,
                      Location where = Location::current());

  void Fail(std::string_view what, Location where = Location::current());
  bool failed() const;
  std::vector<std::string> failures() const;

 private:
  const Composition& composition_;
  TemporaryDirectory root_{Medium::kMemory};
  int directories_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> failures_;  // guarded by mutex_
};

}  // namespace kv::testing

#endif  // KV_TESTING_STAGE_H_
