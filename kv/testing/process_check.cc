#include "kv/testing/process_check.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "kv/base/sticky_error.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

bool Says(const absl::Status& status, std::string_view what) {
  return status.ToString().find(std::string(what)) != std::string::npos;
}

// One way between two processes.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_) != 0) ::abort();
  }
  ~Pipe() {
    CloseSender();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::write(ends_[1], bytes.data(), bytes.size());
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Waits for one byte; false when the other side has closed or is gone.
  bool Wait() {
    char byte;
    return ::read(ends_[0], &byte, 1) == 1;
  }
  // Everything, until the other side has closed.
  std::string ReceiveAll() {
    CloseSender();
    std::string all;
    char buffer[4096];
    for (ssize_t got; (got = ::read(ends_[0], buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }

  void CloseSender() {
    if (ends_[1] != -1) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

// Runs `work` in a process of its own; what it says went wrong.
std::vector<std::string> InAChild(const std::function<std::vector<std::string>()>& work) {
  Pipe answer;
  const pid_t child = ::fork();
  if (child == 0) {
    for (const std::string& failure : work()) answer.Send(failure + "\n");
    ::_exit(0);
  }
  std::vector<std::string> failures;
  const std::string text = answer.ReceiveAll();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    failures.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    failures.push_back(fmt::format("the process ended with status {}", status));
  }
  return failures;
}

// While this lives, this process can open nothing; what is open stays so.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    // Also where the background has just closed a file.
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_;
};

// Writes to a store and knows what must be in it.
class Witness {
 public:
  Witness(std::string directory, std::vector<std::string>* failures)
      : directory_(std::move(directory)), failures_(*failures) {}

  // How many were refused.
  int Write(AnyEngine& engine, int writes) {
    int refused = 0;
    for (int i = 0; i < writes; ++i, ++number_) {
      const std::string key = fmt::format("key{:03}", number_ * 37 % 200);
      const std::string value = fmt::format("{} ", number_) + std::string(200, 'v');
      const absl::Status status = engine.Put(key, value);
      if (status.ok()) {
        acknowledged_[key] = value;
        refused_.erase(key);
        continue;
      }
      ++refused;
      refused_[key].insert(value);
      CheckError(status, "Put");
    }
    return refused;
  }

  void CheckError(const absl::Status& status, std::string_view what) {
    if (!Says(status, directory_) || absl::IsNotFound(status) || absl::IsDataLoss(status)) {
      failures_.push_back(fmt::format("{} answers {}", what, status.ToString()));
    }
  }

  // Every acknowledged write is there, but where a later one that was refused is.
  void Check(AnyEngine& engine, std::string_view when) {
    for (const auto& [key, value] : acknowledged_) {
      const auto found = Lookup(engine, key);
      if (!found.ok()) {
        failures_.push_back(fmt::format("{}, Get: {}", when, found.status().ToString()));
        return;
      }
      const auto refused = refused_.find(key);
      const bool later = *found && refused != refused_.end() && refused->second.contains(**found);
      if (*found == value || later) continue;
      failures_.push_back(fmt::format("{}: {} is {}", when, key, ShowFound(*found)));
      return;
    }
  }

 private:
  const std::string directory_;
  std::vector<std::string>& failures_;
  int number_ = 0;
  std::map<std::string, std::string> acknowledged_;
  std::map<std::string, std::set<std::string>> refused_;  // since the one that is acknowledged
};

std::vector<std::string> RunOutOfDescriptors(const Composition& composition,
                                             const std::string& directory) {
  std::vector<std::string> failures;
  const auto fail = [&](std::string_view what, const absl::Status& status) {
    failures.push_back(fmt::format("{}: {}", what, status.ToString()));
  };
  constexpr int kWrites = 400;
  Witness witness(directory, &failures);
  const Options options = Stage::SmallOptions(directory);
  auto opened = composition.open(options);
  if (!opened.ok()) return {opened.status().ToString()};
  std::unique_ptr<AnyEngine> engine = *std::move(opened);
  if (witness.Write(*engine, kWrites) > 0) return {"writes are refused for no reason"};
  const std::string other = directory + ".other";
  std::filesystem::create_directory(other);
  {
    const NoMoreDescriptors limit;
    // It gets no further than to the directory that its own is in.
    const std::string parent = directory.substr(0, directory.rfind('/'));
    const absl::Status refused = composition.open(Stage::SmallOptions(other)).status();
    if (!absl::IsResourceExhausted(refused) || !Says(refused, parent)) {
      fail("another Open", refused);
    }
    witness.Write(*engine, kWrites);
    const absl::Status flushed = engine->Flush();
    if (!flushed.ok()) witness.CheckError(flushed, "Flush");
    witness.Check(*engine, "out of descriptors");
  }
  witness.Check(*engine, "with descriptors again");
  absl::Status status;
  // Who comes first may be told what the background met last.
  constexpr int kAttempts = 1000;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    status = engine->Flush();
    if (status.ok()) status = engine->Put("later", "1");
    if (status.ok() || Says(status, kReopenAdvice)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (!status.ok() && !Says(status, kReopenAdvice)) fail("a write with descriptors again", status);
  const bool closed = engine->Close().ok();
  engine.reset();
  opened = composition.open(options);
  if (!opened.ok()) return {"Open: " + opened.status().ToString()};
  engine = *std::move(opened);
  // What is lost without a Close is another test's matter.
  if (closed || composition.has.durable_on_return) witness.Check(*engine, "opened again");
  if (witness.Write(*engine, kWrites) > 0) failures.push_back("writes are refused after an Open");
  witness.Check(*engine, "at the end");
  if (const absl::Status verified = engine->Verify(); !verified.ok()) fail("Verify", verified);
  return failures;
}

}  // namespace

std::vector<std::string> CheckDescriptors(const Composition& composition) {
  Stage stage(composition);
  const std::string directory = stage.NewDirectory();
  return InAChild([&] { return RunOutOfDescriptors(composition, directory); });
}

std::vector<std::string> CheckTwoProcesses(const Composition& composition) {
  constexpr int kKeys = 50;
  Stage stage(composition);
  const Options options = Stage::SmallOptions(stage.NewDirectory());
  const auto key_of = [](int i) { return fmt::format("key{}", i); };
  Pipe ready;
  const pid_t first = ::fork();
  if (first == 0) {
    const auto engine = composition.open(options);
    bool fine = engine.ok();
    for (int i = 0; i < kKeys && fine; ++i) fine = (*engine)->Put(key_of(i), key_of(i)).ok();
    if (fine && (*engine)->Flush().ok()) ready.Send("1");
    for (uint64_t beat = 0; fine; ++beat) {
      fine = (*engine)->Put("beat", std::to_string(beat)).ok();
    }
    ::_exit(1);
  }
  ready.CloseSender();
  if (!ready.Wait()) stage.Fail("the first process cannot write");
  // Of this process, and of another, which has the first one's memory too.
  const auto try_to_open = [&]() -> std::vector<std::string> {
    const absl::Status status = composition.open(options).status();
    if (absl::IsFailedPrecondition(status) && Says(status, options.directory) &&
        Says(status, "lock") && Says(status, std::to_string(first))) {
      return {};
    }
    return {"a second Open: " + status.ToString()};
  };
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (const std::string& failure : try_to_open()) stage.Fail(failure);
    for (const std::string& failure : InAChild(try_to_open)) stage.Fail(failure);
  }
  int status = 0;
  if (::waitpid(first, &status, WNOHANG) != 0) {
    stage.Fail("the first process did not survive the second");
    return stage.failures();
  }
  ::kill(first, SIGKILL);
  ::waitpid(first, &status, 0);
  if (!WIFSIGNALED(status)) stage.Fail("the first process ended by itself");
  const auto engine = stage.Open(options);
  if (engine == nullptr) return stage.failures();
  for (int i = 0; i < kKeys; ++i) stage.ExpectGet(*engine, key_of(i), key_of(i));
  stage.ExpectOk(engine->Put("key", "v"), "Put");
  stage.ExpectOk(engine->Verify(), "Verify");
  return stage.failures();
}

}  // namespace kv::testing
