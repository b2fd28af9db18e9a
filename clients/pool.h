// A pool: a bounded number of connections to one server, lent to threads.
//
//   KV_ASSIGN_OR_RETURN(auto lease, pool.Take());
//   auto reply = lease->Run({"GET", key});
//
// Connections are opened when they are first needed. The one that came back last goes out first,
// so that few are in use when there is little to do. One that comes back lost keeps its place only;
// the next who takes that place opens it anew. What a server keeps for a connection (MULTI, WATCH,
// SELECT by hand) is to be ended before it goes back: the next borrower would be in it.
//
// Errors of Take: kDeadlineExceeded when all were out for ConnectOptions::command_timeout, and
// what opening a connection fails with.
//
// Thread safety: any thread; a lease serves one thread at a time, and must be gone before the pool.
// Complexity: constant, under one lock that is held for a few instructions.
// For: calls that wait. Not for: load, which wants connections of its own.
#ifndef CLIENTS_POOL_H_
#define CLIENTS_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/connection.h"
#include "clients/dialer.h"

namespace clients {

class Pool {
 public:
  // A connection that goes back to its pool with its owner.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->GiveBack(std::move(connection_));
    }

    Connection& operator*() { return connection_; }
    Connection* operator->() { return &connection_; }

   private:
    friend class Pool;
    Lease(Pool* pool, Connection connection) : pool_(pool), connection_(std::move(connection)) {}

    Pool* pool_;
    Connection connection_;
  };

  // At most `size` connections, and at least one. Opens none, so a wrong address shows in Take.
  static absl::StatusOr<std::unique_ptr<Pool>> Create(const ConnectOptions& options, size_t size);
  // To another node than the URL's.
  Pool(std::shared_ptr<const Dialer> dialer, HostPort node, size_t size)
      : dialer_(std::move(dialer)), node_(std::move(node)), size_(size) {}

  absl::StatusOr<Lease> Take();

  // Connections that are open and not lent.
  size_t idle() const;

 private:
  void GiveBack(Connection connection);
  void GiveUpPlace();

  const std::shared_ptr<const Dialer> dialer_;
  const HostPort node_;  // without a host: the URL's
  const size_t size_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection> idle_;  // guarded by mutex_
  size_t lent_ = 0;               // guarded by mutex_; those being opened included
};

}  // namespace clients

#endif  // CLIENTS_POOL_H_
