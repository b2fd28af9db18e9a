// Conformance suite of the Filter concept: everything in concept.h that a compiler cannot check.
//
//   absl::Status CheckFilterNeverDenies<F>(seed)   what was added may be contained, at any
//   alignment absl::Status CheckFilterAnyBytes<F>(seed)      bytes that no builder made
//   absl::Status CheckFilterExcludes<F>(seed)      an enabled filter earns its space; kEnabled,
//   kFormat
//
// Each hands back the first failure in words, so that a test can also assert that a broken filter
// is refused. Run them with AddressSanitizer, which sees the reads out of bounds.
#ifndef KV_FILTER_CONFORMANCE_H_
#define KV_FILTER_CONFORMANCE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/filter/concept.h"

namespace kv {

namespace filter_conformance {

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

// A copy at `misalignment` that ends where its allocation ends.
class Placed {
 public:
  Placed(std::string_view bytes, size_t misalignment)
      : memory_(std::make_unique<char[]>(misalignment + bytes.size())),
        bytes_(memory_.get() + misalignment, bytes.size()) {
    if (!bytes.empty()) std::memcpy(memory_.get() + misalignment, bytes.data(), bytes.size());
  }
  std::string_view bytes() const { return bytes_; }

 private:
  std::unique_ptr<char[]> memory_;
  std::string_view bytes_;
};

inline std::vector<uint64_t> Hashes(uint64_t seed, size_t count) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> hashes(count);
  for (uint64_t& hash : hashes) hash = random();
  return hashes;
}

template <typename F>
std::string Build(typename F::Builder& builder, const std::vector<uint64_t>& hashes) {
  for (const uint64_t hash : hashes) builder.Add(hash);
  return builder.Finish();
}

template <typename F>
absl::Status CheckHolds(std::string_view bytes, const std::vector<uint64_t>& hashes,
                        std::string_view what) {
  for (const uint64_t hash : hashes) {
    F::Prefetch(bytes, hash);
    if (!F::MayContain(bytes, hash)) {
      return Failure(fmt::format("{}: denies {:x}, one of {}", what, hash, hashes.size()));
    }
  }
  return absl::OkStatus();
}

}  // namespace filter_conformance

template <Filter F>
absl::Status CheckFilterNeverDenies(uint64_t seed) {
  using filter_conformance::Build;
  using filter_conformance::CheckHolds;
  using filter_conformance::Failure;
  using filter_conformance::Hashes;
  using filter_conformance::Placed;
  typename F::Builder builder;
  for (const size_t count : {0, 1, 2, 3, 10, 51, 52, 1'000, 3'000}) {
    std::vector<uint64_t> hashes = Hashes(seed + count, count);
    for (const uint64_t edge : {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 63}) {
      if (count >= 10) hashes.insert(hashes.end(), 2, edge);
    }
    const std::string bytes = Build<F>(builder, hashes);
    for (const size_t misalignment : {0, 1, 7, 32}) {
      const Placed placed(bytes, misalignment);
      KV_RETURN_IF_ERROR(
          CheckHolds<F>(placed.bytes(), hashes, fmt::format("misaligned by {}", misalignment)));
    }
    if (Build<F>(builder, hashes) != bytes) {
      return Failure("the same hashes, added to a used builder, make other bytes");
    }
  }
  return absl::OkStatus();
}

template <Filter F>
absl::Status CheckFilterAnyBytes(uint64_t seed) {
  using filter_conformance::Build;
  using filter_conformance::CheckHolds;
  using filter_conformance::Hashes;
  using filter_conformance::Placed;
  std::mt19937_64 random(seed);
  const std::vector<uint64_t> hashes = Hashes(seed, 200);
  KV_RETURN_IF_ERROR(CheckHolds<F>({}, hashes, "no bytes"));
  typename F::Builder builder;
  std::string bytes = Build<F>(builder, hashes);
  if (!bytes.empty()) {
    // No builder makes a filter one byte longer or shorter than another.
    const Placed shorter(std::string_view(bytes).substr(0, bytes.size() - 1), 0);
    KV_RETURN_IF_ERROR(CheckHolds<F>(shorter.bytes(), Hashes(seed + 1, 200), "one byte short"));
    bytes.push_back('\0');
    const Placed longer(bytes, 0);
    KV_RETURN_IF_ERROR(CheckHolds<F>(longer.bytes(), Hashes(seed + 1, 200), "one byte long"));
  }
  for (size_t size = 0; size < 300; ++size) {
    std::string noise(size, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    const Placed placed(noise, size % 8);
    for (const uint64_t hash : {uint64_t{0}, ~uint64_t{0}, uint64_t{random()}}) {
      // Any answer: what counts is that nothing outside the bytes is read.
      F::Prefetch(placed.bytes(), hash);
      static_cast<void>(F::MayContain(placed.bytes(), hash));
    }
  }
  return absl::OkStatus();
}

template <Filter F>
absl::Status CheckFilterExcludes(uint64_t seed) {
  using filter_conformance::Build;
  using filter_conformance::Failure;
  using filter_conformance::Hashes;
  if (F::kEnabled != (F::kFormat != 0)) return Failure("kFormat 0 is for the disabled filter");
  const std::vector<uint64_t> absent = Hashes(~seed, 1'000);
  for (const size_t count : {0, 1, 1'000}) {
    typename F::Builder builder;
    const std::string bytes = Build<F>(builder, Hashes(seed, count));
    if (!F::kEnabled && !bytes.empty()) return Failure("a disabled filter takes up space");
    size_t passed = 0;
    for (const uint64_t hash : absent) passed += F::MayContain(bytes, hash) ? 1 : 0;
    if (!F::kEnabled && passed != absent.size()) return Failure("a disabled filter excludes");
    if (F::kEnabled && passed > absent.size() / 2) {
      return Failure(
          fmt::format("of {} absent keys, {} pass a filter of {}", absent.size(), passed, count));
    }
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_FILTER_CONFORMANCE_H_
