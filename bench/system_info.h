// What the machine and this process say of themselves, for the context and the columns of a report.
// Linux; where /proc does not answer, the figure is empty or 0.
//
// Thread safety: all functions may be called from any thread.
#ifndef BENCH_SYSTEM_INFO_H_
#define BENCH_SYSTEM_INFO_H_

#include <cstdint>
#include <optional>
#include <string>

namespace bench {

std::string CpuModel();
int CpuCount();
std::string Kernel();
std::string StartTime();  // ISO 8601, UTC
// The commit of the workspace that `bazel run` was typed in, or empty.
std::string Commit();

// Of the file system that holds `path`: "ext4", "tmpfs", ... or its magic number in hex.
std::string FileSystemType(const std::string& path);

// The median of some 4 KiB appends followed by fdatasync in `directory`, in microseconds; nullopt
// when a file cannot be written there. Takes up to 200 ms.
std::optional<double> ProbeFdatasync(const std::string& directory);

// Lowers the process's high-water mark of resident memory to what it is now, so that the next
// PeakRssMib() is of what came after; false where that is not permitted.
bool ResetPeakRss();
double PeakRssMib();

double ProcessCpuSeconds();
// Bytes that this process has passed to write calls.
uint64_t ProcessBytesWritten();

}  // namespace bench

#endif  // BENCH_SYSTEM_INFO_H_
