#include "bench/remote/drives.h"

#include <memory>

#include "bench/remote/drive/driver.h"
#include "bench/remote/load/load_source.h"

namespace bench::remote {
namespace {

template <typename Source>
absl::StatusOr<DriveResult> DriveSources(const DrivePlan& plan, const LoadPlan& load) {
  return Drive(plan, [&](int thread) { return std::make_unique<Source>(load, thread); });
}

}  // namespace

absl::StatusOr<DriveResult> DriveLoad(const DrivePlan& plan, const LoadPlan& load) {
  return DriveSources<LoadSource>(plan, load);
}

absl::StatusOr<DriveResult> DrivePreload(const DrivePlan& plan, const LoadPlan& load) {
  return DriveSources<PreloadSource>(plan, load);
}

absl::StatusOr<DriveResult> DriveCleanup(const DrivePlan& plan, const LoadPlan& load) {
  return DriveSources<CleanupSource>(plan, load);
}

}  // namespace bench::remote
