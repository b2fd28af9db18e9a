// A child process that does not outlive this one.
//
// The child is killed when the thread that started it ends, however it ends (PR_SET_PDEATHSIG), so
// a program that crashes leaves no server behind. Start it from the main thread. It has a process
// group of its own: the Ctrl-C of a terminal is for this program, which may still need the child.
//
// Thread safety: none.
#ifndef CLIENTS_LOCAL_PROCESS_H_
#define CLIENTS_LOCAL_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace clients::local {

class Process {
 public:
  // Runs `command`, found in PATH; what it prints goes to the end of the file `output`.
  static absl::StatusOr<Process> Start(const std::vector<std::string>& command,
                                       const std::string& output);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // kills it

  // SIGSTOP, SIGCONT and so on; by its process id, and only while it is ours.
  void Signal(int signal) const;
  // Sends the signal and waits until the process has ended. Returns its wait status.
  int End(int signal);
  // Waits until it ends by itself.
  int Wait();
  bool IsRunning();

 private:
  explicit Process(pid_t pid) : pid_(pid) {}

  pid_t pid_;  // 0: moved away
  std::optional<int> ended_;
};

// The text of a file, or what there is of it; empty when it cannot be read.
std::string ReadFile(const std::string& path);

// A new directory with a path short enough for Unix sockets. Removed with its owner. What an owner
// that was interrupted has left is removed by the next one, once it is an hour old: so each holds a
// lock on its own.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int lock_ = -1;
};

}  // namespace clients::local

#endif  // CLIENTS_LOCAL_PROCESS_H_
