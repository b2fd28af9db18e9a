#include "clients/pool.h"

#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {

absl::StatusOr<std::unique_ptr<Pool>> Pool::Create(const ConnectOptions& options, size_t size) {
  if (size == 0) return kv::Invalid("a pool has at least one connection");
  KV_ASSIGN_OR_RETURN(auto dialer, Dialer::Create(options));
  return std::make_unique<Pool>(std::move(dialer), HostPort(), size);
}

absl::StatusOr<Pool::Lease> Pool::Take() {
  {
    const Deadline deadline = After(dialer_->options().command_timeout);
    std::unique_lock lock(mutex_);
    if (!returned_.wait_until(lock, deadline, [&] { return lent_ < size_; })) {
      return TimedOut(Redacted(dialer_->options().url),
                      fmt::format("all {} connections of the pool are lent", size_));
    }
    ++lent_;
    if (!idle_.empty()) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      return Lease(this, std::move(connection));
    }
  }
  auto connection =
      node_.host.empty() ? Connection::Open(dialer_) : Connection::Open(dialer_, node_);
  if (!connection.ok()) {
    GiveUpPlace();
    return connection.status();
  }
  return Lease(this, *std::move(connection));
}

void Pool::GiveBack(Connection connection) {
  if (!connection.is_connected()) return GiveUpPlace();
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  --lent_;
  returned_.notify_one();
}

void Pool::GiveUpPlace() {
  const std::lock_guard lock(mutex_);
  --lent_;
  returned_.notify_one();
}

size_t Pool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

}  // namespace clients
