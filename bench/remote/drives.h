// What is driven, each compiled once: a load, the data that it reads, their removal.
//
// Thread safety and complexity: bench/remote/drive/driver.h.
#ifndef BENCH_REMOTE_DRIVES_H_
#define BENCH_REMOTE_DRIVES_H_

#include "absl/status/statusor.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/load/plan.h"

namespace bench::remote {

absl::StatusOr<DriveResult> DriveLoad(const DrivePlan& plan, const LoadPlan& load);
absl::StatusOr<DriveResult> DrivePreload(const DrivePlan& plan, const LoadPlan& load);
absl::StatusOr<DriveResult> DriveCleanup(const DrivePlan& plan, const LoadPlan& load);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVES_H_
