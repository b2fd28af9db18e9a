#include "bench/remote/drive/drive.h"

namespace bench::remote {

void OperationResult::Add(const OperationResult& other) {
  latency->Merge(*other.latency);
  answered += other.answered;
  hits += other.hits;
  misses += other.misses;
  wrong_replies += other.wrong_replies;
  errors += other.errors;
  lost += other.lost;
}

OperationResult TotalOf(const DriveResult& result) {
  OperationResult total;
  for (const OperationResult& operation : result.operations) total.Add(operation);
  return total;
}

}  // namespace bench::remote
