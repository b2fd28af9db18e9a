#include "bench/zipf.h"

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

constexpr uint64_t kSummedTerms = 1000;

// expm1(x)/x and log1p(x)/x, whole near 0, where theta is close to 1.
double ExpM1OverX(double x) { return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2; }
double Log1POverX(double x) { return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2; }

}  // namespace

double Zeta(uint64_t n, double theta) {
  double sum = 0;
  const uint64_t summed = std::min(n, kSummedTerms);
  for (uint64_t i = summed; i >= 1; --i) sum += std::pow(static_cast<double>(i), -theta);
  if (n == summed) return sum;
  // The terms from m = 1000 to n by Euler-Maclaurin; term m itself is already in the sum.
  const auto m = static_cast<double>(summed);
  const auto last = static_cast<double>(n);
  const double log_ratio = std::log(last / m);
  const double integral = std::pow(m, 1 - theta) * ExpM1OverX((1 - theta) * log_ratio) * log_ratio;
  const double f_m = std::pow(m, -theta);
  const double f_n = std::pow(last, -theta);
  const double first_derivative = -theta * (f_n / last - f_m / m);
  return sum + integral + (f_n - f_m) / 2 + first_derivative / 12;
}

Zipf::Zipf(uint64_t items, double theta) : items_(std::max<uint64_t>(items, 1)), theta_(theta) {
  if (theta_ < 1) {
    zeta_ = Zeta(items_, theta_);
    DeriveGray();
    return;
  }
  integral_first_ = Integral(1.5) - 1;
  integral_last_ = Integral(static_cast<double>(items_) + 0.5);
  shortcut_ = 2 - InverseIntegral(Integral(2.5) - std::pow(2.0, -theta_));
}

void Zipf::DeriveGray() {
  alpha_ = 1 / (1 - theta_);
  second_ = 1 + std::pow(0.5, theta_);
  eta_ = (1 - std::pow(2 / static_cast<double>(items_), 1 - theta_)) / (1 - second_ / zeta_);
}

void Zipf::Grow(uint64_t items) {
  if (items <= items_) return;
  if (theta_ >= 1) {
    *this = Zipf(items, theta_);
    return;
  }
  if (items - items_ > 64) {
    zeta_ = Zeta(items, theta_);
  } else {
    for (uint64_t i = items_ + 1; i <= items; ++i) {
      zeta_ += std::pow(static_cast<double>(i), -theta_);
    }
  }
  items_ = items;
  DeriveGray();
}

uint64_t Zipf::NextGray(Random& random) const {
  const double u = random.UnitDouble();
  const double uz = u * zeta_;
  if (uz < 1) return 0;
  if (uz < second_) return std::min<uint64_t>(1, items_ - 1);
  const double rank = static_cast<double>(items_) * std::pow(eta_ * u - eta_ + 1, alpha_);
  return std::min(items_ - 1, static_cast<uint64_t>(rank));
}

double Zipf::Integral(double x) const {
  const double log_x = std::log(x);
  return ExpM1OverX((1 - theta_) * log_x) * log_x;
}

double Zipf::InverseIntegral(double y) const {
  const double t = std::max(-1.0, y * (1 - theta_));
  return std::exp(Log1POverX(t) * y);
}

uint64_t Zipf::NextRejectionInversion(Random& random) const {
  for (;;) {
    const double u = integral_last_ + random.UnitDouble() * (integral_first_ - integral_last_);
    const double x = InverseIntegral(u);
    const double k = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(items_));
    if (k - x <= shortcut_ || u >= Integral(k + 0.5) - std::pow(k, -theta_)) {
      return static_cast<uint64_t>(k) - 1;
    }
  }
}

}  // namespace bench
