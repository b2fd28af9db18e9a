// A cluster: each command goes to the node that serves its key's slot, and follows it when it
// moves.
//
//   auto cluster = Cluster::Create({.url = *ParseUrl("redis+cluster://a,b,c")}, 8);
//   auto reply = (*cluster)->Run(key, {"SET", key, value});
//
// What happens to a command:
//   MOVED                               it goes to the node named, and the map is mended
//   ASK                                 it goes to the node named this once, behind ASKING
//   TRYAGAIN, CLUSTERDOWN, LOADING,     it has not been run: the map is asked for anew, and it is
//   MASTERDOWN, READONLY, no connection sent again, with back-off (backoff.h)
//   the connection is lost meanwhile    it may have been run: an error, unless it may run twice
//   anything else                       is its answer
// No try begins later than ConnectOptions::reconnect_for after the call; the error is then the last
// one met. A try takes at most a connect_timeout and a command_timeout, and asking for the map that
// for each node that hangs.
//
// The map is asked of any node that answers, the ones named in the URL included, so that a cluster
// whose nodes have all been replaced is found again by its name.
//
// Thread safety: any thread. Complexity: a command and its reply, and one short lock, while nothing
// moves.
// Source: the Redis cluster specification.
// Not for: commands whose keys lie in several slots, which no cluster runs.
#ifndef CLIENTS_CLUSTER_H_
#define CLIENTS_CLUSTER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/command.h"
#include "clients/dialer.h"
#include "clients/pool.h"
#include "clients/reply.h"
#include "clients/slot_map.h"

namespace clients {

// What to do with a command that may have been run when its connection was lost.
enum class Repeat : uint8_t {
  kNotAfterSending,  // its failure is the answer
  kSafely,           // it may run twice: a read, or a write that says the same each time
};

class Cluster {
 public:
  // Asks one of the URL's nodes for the map. `connections` is the most for each node.
  static absl::StatusOr<std::unique_ptr<Cluster>> Create(const ConnectOptions& options,
                                                         size_t connections);

  // The reply of the node that serves `key`; an error reply is an error here.
  absl::StatusOr<Reply> Run(std::string_view key, Arguments arguments,
                            Repeat repeat = Repeat::kNotAfterSending);
  absl::StatusOr<Reply> Run(std::string_view key, std::initializer_list<std::string_view> arguments,
                            Repeat repeat = Repeat::kNotAfterSending) {
    return Run(key, Arguments(arguments.begin(), arguments.size()), repeat);
  }

  // Asks for the map anew.
  absl::Status Refresh();

  // Where a key is thought to be. nullopt: nowhere.
  std::optional<HostPort> NodeOf(std::string_view key) const;

  // How often the map was read, and how often a command was sent elsewhere.
  uint64_t refreshes() const;
  uint64_t redirections() const;

 private:
  // How one try of a command came out.
  struct Try {
    enum class Outcome : uint8_t { kAnswered, kNotSent, kLost };
    Outcome outcome = Outcome::kNotSent;
    absl::Status status;  // unless it was answered
  };

  Cluster(std::shared_ptr<const Dialer> dialer, std::shared_ptr<const Dialer> hasty,
          Nanoseconds give_up_after, size_t connections)
      : dialer_(std::move(dialer)),
        hasty_(std::move(hasty)),
        give_up_after_(give_up_after),
        connections_(connections) {}

  // `commands` is ASKING and the command, or the command alone.
  Try RunOn(const HostPort& node, std::string_view commands, size_t count, Reply* reply);
  absl::Status RefreshFrom(const std::shared_ptr<const Dialer>& dialer, const HostPort& node);
  Pool* PoolOf(const HostPort& node);
  void Follow(const Redirection& redirection);
  // The known nodes and then the URL's, beginning with another one each time.
  std::vector<HostPort> NodesToAsk();

  const std::shared_ptr<const Dialer> dialer_;  // tries once: a node that is gone is not waited for
  const std::shared_ptr<const Dialer> hasty_;   // the same with an eighth of the time
  const Nanoseconds give_up_after_;
  const size_t connections_;

  std::mutex refreshing_;  // one at a time
  mutable std::mutex mutex_;
  // All guarded by mutex_. Pools stay for the life of the cluster, since leases point to them.
  std::map<std::pair<std::string, uint16_t>, std::unique_ptr<Pool>> pools_;
  SlotMap map_;
  uint64_t refreshes_ = 0;
  uint64_t redirections_ = 0;
  size_t turn_ = 0;
};

}  // namespace clients

#endif  // CLIENTS_CLUSTER_H_
