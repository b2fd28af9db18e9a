#include "kv/testing/concurrent_history.h"

#include <atomic>
#include <charconv>
#include <chrono>
#include <latch>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/testing/random.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

constexpr uint32_t kAll = (1u << kConcurrentKeys) - 1;
constexpr std::string_view kPrefix = "concurrent/";

std::string KeyOf(size_t key) { return fmt::format("{}{}", kPrefix, key); }

// Long enough for memtables to fill up, and of a length that follows from the number, so that an
// expected value can be made of it.
std::string ValueOf(uint32_t number) {
  return fmt::format("{}:{}", number, std::string(number % 300, 'v'));
}

absl::StatusOr<uint32_t> NumberOf(std::string_view value) {
  uint32_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  if (number == 0 || value != ValueOf(number)) {
    return absl::InternalError(fmt::format("a value that nobody wrote: {}", value.substr(0, 40)));
  }
  return number;
}

// By one clock, which orders nothing by itself: a counter that threads share would be a fence, and
// hide an engine that lacks one.
uint64_t Nanos() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// One thread's calls.
class Caller {
 public:
  // `numbers` is shared: no two puts of a history have the same.
  Caller(AnyEngine& engine, const Capabilities& has, uint64_t seed, std::atomic<uint32_t>& numbers)
      : engine_(engine), has_(has), random_(seed), numbers_(numbers) {}

  absl::Status Run(int calls) {
    for (int i = 0; i < calls; ++i) {
      Timed<StoreCall> timed;
      const absl::Status status = Call(timed);
      if (!status.ok()) {
        return absl::Status(status.code(),
                            fmt::format("{}: {}", timed.call.name, std::string(status.message())));
      }
      if ((timed.call.saw | timed.call.wrote) == 0 && !timed.call.counted) continue;
      history_.push_back(std::move(timed));
    }
    return absl::OkStatus();
  }

  const ConcurrentHistory& history() const { return history_; }

 private:
  absl::Status Call(Timed<StoreCall>& timed) {
    switch (random_.Below(has_.ordered ? 14 : 11)) {
      case 0:
      case 1:
      case 2:
        return Get(timed);
      case 3:
      case 4:
        return Put(timed);
      case 5:
        return Delete(timed);
      case 6:
        return Write(timed);
      case 7:
        return MultiGet(timed);
      case 8:
      case 9:
        return CompareAndSet(timed);
      case 10:
        return random_.OneIn(2) ? Count(timed) : Maintain(timed);
      case 11:
        return ReadAll(timed);
      case 12:
        return ReadSnapshot(timed);
      default:
        return DeleteRange(timed);
    }
  }

  // Runs `call` and notes when.
  template <typename F>
  static auto During(Timed<StoreCall>& timed, std::string_view name, F&& call) {
    timed.call.name = name;
    timed.begin = Nanos();
    auto answer = call();
    timed.end = Nanos();
    return answer;
  }

  static absl::Status Saw(StoreCall& call, size_t key, const absl::Status& found,
                          std::string_view value) {
    call.saw |= 1u << key;
    if (absl::IsNotFound(found)) return absl::OkStatus();
    KV_RETURN_IF_ERROR(found);
    KV_ASSIGN_OR_RETURN(call.seen[key], NumberOf(value));
    return absl::OkStatus();
  }

  static void Wrote(StoreCall& call, size_t key, uint32_t number) {
    call.wrote |= 1u << key;
    call.written[key] = number;
  }

  size_t AnyKey() { return random_.Below(kConcurrentKeys); }

  // relaxed: the number is all that is asked for, and it is nobody's reason to see anything.
  uint32_t NewNumber() { return numbers_.fetch_add(1, std::memory_order_relaxed); }

  absl::Status Get(Timed<StoreCall>& timed) {
    const size_t key = AnyKey();
    const std::string name = KeyOf(key);
    std::string value;
    const absl::Status found = During(timed, "Get", [&] { return engine_.Get(name, &value); });
    KV_RETURN_IF_ERROR(Saw(timed.call, key, found, value));
    known_[key] = timed.call.seen[key];
    return absl::OkStatus();
  }

  absl::Status Put(Timed<StoreCall>& timed) {
    const size_t key = AnyKey();
    const uint32_t number = NewNumber();
    Wrote(timed.call, key, number);
    known_[key] = number;
    const std::string name = KeyOf(key), value = ValueOf(number);
    return During(timed, "Put", [&] { return engine_.Put(name, value); });
  }

  absl::Status Delete(Timed<StoreCall>& timed) {
    const size_t key = AnyKey();
    Wrote(timed.call, key, 0);
    known_[key] = 0;
    const std::string name = KeyOf(key);
    return During(timed, "Delete", [&] { return engine_.Delete(name); });
  }

  absl::Status Write(Timed<StoreCall>& timed) {
    WriteBatch batch;
    for (size_t key = 0; key < kConcurrentKeys; ++key) {
      if (random_.OneIn(3)) continue;
      const uint32_t number = random_.OneIn(3) ? 0 : NewNumber();
      Wrote(timed.call, key, number);
      if (number == 0) {
        batch.Delete(KeyOf(key));
      } else {
        batch.Put(KeyOf(key), ValueOf(number));
      }
    }
    return During(timed, "Write", [&] { return engine_.Write(batch); });
  }

  absl::Status MultiGet(Timed<StoreCall>& timed) {
    std::array<std::string, kConcurrentKeys> names, values;
    std::array<std::string_view, kConcurrentKeys> keys;
    std::array<absl::Status, kConcurrentKeys> statuses;
    for (size_t key = 0; key < kConcurrentKeys; ++key) keys[key] = names[key] = KeyOf(key);
    During(timed, "MultiGet", [&] {
      engine_.MultiGet(keys, values, statuses);
      return 0;
    });
    for (size_t key = 0; key < kConcurrentKeys; ++key) {
      KV_RETURN_IF_ERROR(Saw(timed.call, key, statuses[key], values[key]));
    }
    return absl::OkStatus();
  }

  // Expects what this thread knows of the key, which is often true.
  absl::Status CompareAndSet(Timed<StoreCall>& timed) {
    const size_t key = AnyKey();
    const uint32_t expected = known_[key];
    const uint32_t desired = random_.OneIn(4) ? 0 : NewNumber();
    const std::string name = KeyOf(key), old_value = ValueOf(expected), value = ValueOf(desired);
    const auto or_absent = [](uint32_t number, std::string_view bytes) {
      return number == 0 ? std::nullopt : std::optional<std::string_view>(bytes);
    };
    KV_ASSIGN_OR_RETURN(const CasResult result, During(timed, "CompareAndSet", [&] {
                          return engine_.CompareAndSet(name, or_absent(expected, old_value),
                                                       or_absent(desired, value));
                        }));
    timed.call.saw = 1u << key;
    if (result.swapped) {
      timed.call.seen[key] = expected;
      Wrote(timed.call, key, desired);
      known_[key] = desired;
      return absl::OkStatus();
    }
    if (result.current) {
      KV_ASSIGN_OR_RETURN(timed.call.seen[key], NumberOf(*result.current));
    }
    if (timed.call.seen[key] == expected) {
      return absl::InternalError("did not swap where it saw what was expected");
    }
    known_[key] = timed.call.seen[key];
    return absl::OkStatus();
  }

  absl::Status Count(Timed<StoreCall>& timed) {
    KV_ASSIGN_OR_RETURN(timed.call.counted,
                        During(timed, "Count", [&] { return engine_.Count(kPrefix); }));
    return absl::OkStatus();
  }

  // What should change nothing that anybody sees.
  absl::Status Maintain(Timed<StoreCall>& timed) {
    if (has_.durable && random_.OneIn(4)) {
      return During(timed, "Compact", [&] { return engine_.Compact(); });
    }
    return During(timed, "Flush", [&] { return engine_.Flush(); });
  }

  absl::Status ReadAll(Timed<StoreCall>& timed) {
    // A cursor shows the state of some instant while it was made.
    const std::unique_ptr<AnyCursor> cursor = During(
        timed, "NewCursor", [&] { return engine_.NewCursor({.lower = std::string(kPrefix)}); });
    KV_ASSIGN_OR_RETURN(Contents found, Scan(*cursor));
    timed.call.saw = kAll;
    for (size_t key = 0; key < kConcurrentKeys; ++key) {
      const auto node = found.extract(KeyOf(key));
      if (node.empty()) continue;
      KV_ASSIGN_OR_RETURN(timed.call.seen[key], NumberOf(node.mapped()));
    }
    if (found.empty()) return absl::OkStatus();
    return absl::InternalError("a key that nobody wrote: " + found.begin()->first);
  }

  absl::Status ReadSnapshot(Timed<StoreCall>& timed) {
    const std::unique_ptr<AnySnapshot> snapshot =
        During(timed, "TakeSnapshot", [&] { return engine_.TakeSnapshot(); });
    std::this_thread::yield();
    for (size_t key = 0; key < kConcurrentKeys; ++key) {
      std::string value;
      const absl::Status found = engine_.Get(KeyOf(key), &value, *snapshot);
      KV_RETURN_IF_ERROR(Saw(timed.call, key, found, value));
    }
    return absl::OkStatus();
  }

  absl::Status DeleteRange(Timed<StoreCall>& timed) {
    const size_t from = AnyKey();
    const size_t to = from + random_.Below(kConcurrentKeys - from) + 1;
    for (size_t key = from; key < to; ++key) Wrote(timed.call, key, 0);
    const std::string begin = KeyOf(from), end = KeyOf(to);
    return During(timed, "DeleteRange", [&] { return engine_.DeleteRange(begin, end); });
  }

  AnyEngine& engine_;
  const Capabilities& has_;
  Random random_;
  std::atomic<uint32_t>& numbers_;
  StoreState known_ = {};
  ConcurrentHistory history_;
};

std::string Keys(uint32_t keys, const StoreState& state) {
  std::string shown;
  for (size_t key = 0; key < kConcurrentKeys; ++key) {
    if ((keys >> key & 1) == 0) continue;
    shown += fmt::format("{} {}: {}", shown.empty() ? "" : ",", key,
                         state[key] == 0 ? "absent" : std::to_string(state[key]));
  }
  return shown;
}

}  // namespace

std::optional<StoreState> After(const StoreState& state, const StoreCall& call) {
  StoreState after = state;
  uint64_t count = 0;
  for (size_t key = 0; key < kConcurrentKeys; ++key) {
    if ((call.saw >> key & 1) != 0 && state[key] != call.seen[key]) return std::nullopt;
    if ((call.wrote >> key & 1) != 0) after[key] = call.written[key];
    count += state[key] != 0 ? 1 : 0;
  }
  if (call.counted && *call.counted != count) return std::nullopt;
  return after;
}

std::string ToString(const StoreCall& call) {
  std::string shown(call.name);
  if (call.saw != 0) shown += " saw" + Keys(call.saw, call.seen);
  if (call.wrote != 0) shown += " wrote" + Keys(call.wrote, call.written);
  if (call.counted) shown += fmt::format(" counted {}", *call.counted);
  return shown;
}

absl::StatusOr<ConcurrentHistory> RunConcurrently(AnyEngine& engine, const Capabilities& has,
                                                  const ConcurrentLoad& load) {
  std::atomic<uint32_t> numbers = 1;
  std::vector<Caller> callers;
  for (int i = 0; i < load.threads; ++i) {
    callers.emplace_back(engine, has, load.seed * 1000 + static_cast<uint64_t>(i), numbers);
  }
  std::vector<absl::Status> statuses(callers.size());
  std::vector<std::thread> threads;
  std::latch start(load.threads);
  for (size_t i = 0; i < callers.size(); ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      statuses[i] = callers[i].Run(load.calls);
    });
  }
  for (std::thread& thread : threads) thread.join();
  ConcurrentHistory history;
  for (size_t i = 0; i < callers.size(); ++i) {
    KV_RETURN_IF_ERROR(statuses[i]);
    const ConcurrentHistory& own = callers[i].history();
    history.insert(history.end(), own.begin(), own.end());
  }
  return history;
}

std::optional<std::string> Contradiction(const ConcurrentHistory& history) {
  const auto wrong = FirstUnexplained(std::span(history), StoreState{}, After);
  if (!wrong) return std::nullopt;
  const Timed<StoreCall>& call = history[*wrong];
  std::string shown = fmt::format("no order explains: {}\nbeside it, in ns from its beginning:\n",
                                  ToString(call.call));
  for (const auto& other : history) {
    if (other.end < call.begin || other.begin > call.end) continue;
    shown += fmt::format("  {:>8} to {:>8}  {}\n", static_cast<int64_t>(other.begin - call.begin),
                         static_cast<int64_t>(other.end - call.begin), ToString(other.call));
  }
  return shown;
}

}  // namespace kv::testing
