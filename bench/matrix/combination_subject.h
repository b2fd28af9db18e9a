// A combination of the matrix before the lab, behind AnyStore: so the lab is compiled once for all
// of them. The bench binaries have the engine itself before it (bench/engine_subject.h).
#ifndef BENCH_MATRIX_COMBINATION_SUBJECT_H_
#define BENCH_MATRIX_COMBINATION_SUBJECT_H_

#include <memory>

#include "bench/plan.h"
#include "kv/testing/composition.h"

namespace bench {

std::unique_ptr<Subject> CombinationSubject(const kv::testing::Composition& combination);

}  // namespace bench

#endif  // BENCH_MATRIX_COMBINATION_SUBJECT_H_
