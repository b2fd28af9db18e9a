// Back-off between attempts: doubled each time up to a cap, and a random half of it left out.
//
//   attempt n waits between half and all of min(longest, shortest * 2^n)
//
// The random part keeps clients that lost one server from coming back all at once; the other half
// keeps any of them from trying again at once.
//
// Thread safety: none. Complexity: constant.
// Source: "Exponential Backoff And Jitter" (Brooker, AWS Architecture Blog, 2015), equal jitter.
#ifndef CLIENTS_BACKOFF_H_
#define CLIENTS_BACKOFF_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

#include "clients/deadline.h"

namespace clients {

struct BackoffOptions {
  Nanoseconds shortest = std::chrono::milliseconds(10);
  Nanoseconds longest = std::chrono::seconds(1);
};

class Backoff {
 public:
  Backoff(const BackoffOptions& options, uint64_t seed)
      : options_(options),
        ceiling_(options.shortest),
        random_(static_cast<std::minstd_rand::result_type>(seed)) {
    random_.discard(2);  // the first ones of neighbouring seeds are neighbours
  }

  // How long to wait before the next attempt.
  Nanoseconds Next() {
    const Nanoseconds ceiling = std::min(ceiling_, options_.longest);
    ceiling_ = ceiling * 2;
    std::uniform_int_distribution<int64_t> part(ceiling.count() / 2, ceiling.count());
    return Nanoseconds(part(random_));
  }

  // After a success.
  void Reset() { ceiling_ = options_.shortest; }

 private:
  BackoffOptions options_;
  Nanoseconds ceiling_;
  std::minstd_rand random_;  // eight bytes, since connections are moved in and out of pools
};

}  // namespace clients

#endif  // CLIENTS_BACKOFF_H_
