#include "bench/remote/drive/drive.h"

namespace bench::remote {

OperationResult TotalOf(const DriveResult& result) {
  OperationResult total;
  for (const OperationResult& operation : result.operations) {
    total.latency->Merge(*operation.latency);
    total.answered += operation.answered;
    total.hits += operation.hits;
    total.misses += operation.misses;
    total.wrong_replies += operation.wrong_replies;
    total.errors += operation.errors;
    total.lost += operation.lost;
  }
  return total;
}

}  // namespace bench::remote
