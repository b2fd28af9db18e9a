// Limbo: memory that is unlinked but may still be read, waiting for its epoch to pass.
//
// Blocks gather until there are kBlocks or kBytes of them; then they get one ticket together, and
// are freed at once if no reader is older, else at a later turn. So a write looks at the readers'
// slots once in kBlocks retirements, and what waits is bounded by twice those limits, as long as
// readers come and go.
//
// Thread safety: one thread at a time (the shard's lock).
#ifndef ENGINES_MEMORY_LIMBO_H_
#define ENGINES_MEMORY_LIMBO_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "engines/memory/epoch.h"
#include "kv/base/atomic.h"

namespace kv::memory_internal {

class Limbo {
 public:
  explicit Limbo(Epochs* epochs) : epochs_(epochs) {}
  Limbo(const Limbo&) = delete;
  Limbo& operator=(const Limbo&) = delete;
  // Readers must be gone.
  ~Limbo() {
    Free(&gathering_);
    Free(&waiting_);
  }

  // Takes `block` from ::operator new, already unlinked.
  void Retire(const void* block, size_t bytes) {
    gathering_.push_back(block);
    gathering_bytes_ += bytes;
    if (gathering_.size() >= kBlocks || gathering_bytes_ >= kBytes) Turn();
  }

  size_t Bytes() const { return gathering_bytes_ + waiting_bytes_; }

 private:
  static constexpr size_t kBlocks = kModelled ? 1 : 64;
  static constexpr size_t kBytes = size_t{64} << 10;

  void Turn() {
    if (!waiting_.empty()) {
      if (!epochs_->Passed(ticket_)) return;
      Free(&waiting_);
    }
    waiting_.swap(gathering_);
    waiting_bytes_ = gathering_bytes_;
    gathering_bytes_ = 0;
    ticket_ = epochs_->Advance();
    if (epochs_->Passed(ticket_)) {
      Free(&waiting_);
      waiting_bytes_ = 0;
    }
  }

  static void Free(std::vector<const void*>* blocks) {
    for (const void* block : *blocks) ::operator delete(const_cast<void*>(block));
    blocks->clear();
  }

  Epochs* epochs_;
  std::vector<const void*> gathering_;
  std::vector<const void*> waiting_;
  size_t gathering_bytes_ = 0;
  size_t waiting_bytes_ = 0;
  Epochs::Ticket ticket_ = 0;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_LIMBO_H_
