// Zipf-distributed ranks: rank r (from 0) is drawn with probability proportional to 1/(r+1)^theta.
//
// Two samplers, because one formula does not reach everywhere:
//   theta < 1   J. Gray et al., "Quickly generating billion-record synthetic databases", SIGMOD
//               1994, as YCSB uses it; exact for the first two ranks, approximate beyond.
//   theta >= 1  rejection-inversion: W. Hormann and G. Derflinger, "Rejection-inversion to generate
//               variates from monotone discrete distributions", ACM TOMACS 6 (1996); exact.
// The zeta that Gray's method needs is summed for 1,000 terms and closed by the Euler-Maclaurin
// formula, so any theta and any item count (10^10 included) cost microseconds.
//
// Thread safety: none; one sampler a thread. Cost: about 15 ns (Gray), 40 ns (rejection-inversion).
#ifndef BENCH_ZIPF_H_
#define BENCH_ZIPF_H_

#include <cstdint>

#include "bench/random.h"

namespace bench {

// The sum of 1/i^theta for i = 1..n, to a relative 1e-11. O(1).
double Zeta(uint64_t n, double theta);

class Zipf {
 public:
  // `items` > 0; `theta` >= 0, where 0 is uniform.
  Zipf(uint64_t items, double theta);

  // A rank in [0, items()).
  uint64_t Next(Random& random) const {
    return theta_ < 1 ? NextGray(random) : NextRejectionInversion(random);
  }

  // Extends the range, as a store that takes inserts needs. O(added) for a few, O(1) for many.
  void Grow(uint64_t items);
  uint64_t items() const { return items_; }

 private:
  uint64_t NextGray(Random& random) const;
  uint64_t NextRejectionInversion(Random& random) const;
  void DeriveGray();
  // The integral of x^-theta, and its inverse.
  double Integral(double x) const;
  double InverseIntegral(double y) const;

  uint64_t items_;
  double theta_;
  // Gray.
  double zeta_ = 0;
  double alpha_ = 0;
  double eta_ = 0;
  double second_ = 0;  // 1 + 0.5^theta
  // Rejection-inversion.
  double integral_first_ = 0;
  double integral_last_ = 0;
  double shortcut_ = 0;
};

}  // namespace bench

#endif  // BENCH_ZIPF_H_
