// The bytes of a simulated file, which copies share until one of them is changed: a test copies a
// whole disk for each crash and then writes to few of its files.
//
// Thread safety: none; but copies are apart: each may be used by a thread of its own.
#ifndef KV_IO_SIMULATED_BYTES_H_
#define KV_IO_SIMULATED_BYTES_H_

#include <memory>
#include <string>
#include <utility>

namespace kv {
namespace simulated {

class Bytes {
 public:
  Bytes() : Bytes(std::string()) {}
  explicit Bytes(std::string bytes) : bytes_(std::make_shared<std::string>(std::move(bytes))) {}
  Bytes(const Bytes& other) : bytes_(other.bytes_), shared_(true) { other.shared_ = true; }
  Bytes& operator=(const Bytes& other) {
    bytes_ = other.bytes_;
    shared_ = other.shared_ = true;
    return *this;
  }
  // What is left may only be destroyed or assigned to.
  Bytes(Bytes&&) = default;
  Bytes& operator=(Bytes&&) = default;

  const std::string& Read() const { return *bytes_; }

  // Valid until it is copied.
  std::string& Change() {
    if (shared_) bytes_ = std::make_shared<std::string>(*bytes_);
    shared_ = false;
    return *bytes_;
  }

  // O(1) for copies that nobody has changed.
  friend bool operator==(const Bytes& a, const Bytes& b) {
    return a.bytes_ == b.bytes_ || *a.bytes_ == *b.bytes_;
  }

 private:
  std::shared_ptr<std::string> bytes_;
  // Whether another copy may have these bytes, or may have had them: a count of references would
  // not say that the other's reads of them come before.
  mutable bool shared_ = false;
};

}  // namespace simulated
}  // namespace kv

#endif  // KV_IO_SIMULATED_BYTES_H_
