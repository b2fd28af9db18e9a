// A prober: one client of a server, which reads and writes at fixed moments and keeps the books.
//
//   fresh     connects anew for each probe, as a client that starts now: a name that leads
//   elsewhere
//             after a fail-over is found again
//   staying   keeps its connection, and connects anew only when that was lost: it learns of a
//             fail-over by errors (READONLY) or by silence
//
// A probe that is late leaves the moments out that have passed meanwhile. After an outage, a change
// of server, or a read that is older than what was acknowledged, all acknowledged writes are read
// back (ledger.h); probes wait for that.
//
// Keys are <prefix>:<number % keys> and <prefix>:last. They have no expiry, since what expires
// looks like a loss; Finish removes them.
//
// Thread safety: none, but for what it writes to, EventLog and Live. For: one thread.
#ifndef BENCH_REMOTE_WATCH_PROBER_H_
#define BENCH_REMOTE_WATCH_PROBER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "bench/remote_watch/event_log.h"
#include "bench/remote_watch/identity.h"
#include "bench/remote_watch/ledger.h"
#include "bench/remote_watch/outages.h"
#include "bench/remote_watch/probe.h"
#include "bench/remote_watch/route.h"
#include "bench/remote_watch/stop.h"
#include "clients/deadline.h"
#include "clients/reply.h"
#include "kv/base/histogram.h"

namespace bench::remote_watch {

struct ProberOptions {
  std::string name;    // "fresh", "staying", with its range where there are several
  bool fresh = true;   // or staying
  std::string prefix;  // of its keys, with a hash tag
  size_t keys = 0;
  clients::Nanoseconds interval{0};
};

// What a line of progress shows.
struct Live {
  std::atomic<uint64_t> probes = 0;
  std::atomic<uint64_t> failed = 0;
  std::atomic<uint64_t> acknowledged = 0;
};

class Prober {
 public:
  // `log` and `live` must outlive it.
  Prober(ProberOptions options, Route route, EventLog* log, Live* live)
      : options_(std::move(options)),
        route_(std::move(route)),
        log_(log),
        live_(live),
        ledger_(options_.keys) {}

  // Probes until it is stopped.
  void Run(Stop* stop);
  // Reads back what was acknowledged, trying again until `give_up`, and removes its keys.
  void Finish(clients::Deadline give_up, bool keep_keys);

  const ProberOptions& options() const { return options_; }
  const Outages& outages() const { return outages_; }
  const Ledger& ledger() const { return ledger_; }
  // Of steps that worked, in nanoseconds.
  const kv::Histogram& latency(size_t step) const { return *latencies_[step]; }
  uint64_t left_out() const { return left_out_; }  // moments that passed during a late probe
  uint64_t stale_reads() const { return stale_reads_; }
  uint64_t connections() const { return connections_; }
  uint64_t redirections() const { return route_.redirections(); }
  // Acknowledged writes that could not be read back at the end.
  uint64_t unverified() const { return unverified_; }
  const Identity& identity() const { return identity_; }

 private:
  ProbeResult Probe();
  absl::Status Connect();
  absl::Status Read();
  absl::Status Write(uint64_t* number);
  absl::Status ReadBack(uint64_t number);
  absl::Status Command(std::initializer_list<std::string_view> arguments);
  // Times a step and keeps what it came to.
  bool Take(Step step, ProbeResult* result, const std::function<absl::Status()>& run);
  void Tell(const ProbeResult& result, Outages::Change change);
  void LookWhoAnswers();
  absl::Status Audit();
  absl::Status CheckKeys();
  void TellLosses(uint64_t lost_before, uint64_t rolled_back_before);
  std::string KeyName(size_t key) const { return options_.prefix + ":" + std::to_string(key); }
  std::string LastKeyName() const { return options_.prefix + ":last"; }
  void RemoveKeys();

  ProberOptions options_;
  Route route_;
  EventLog* log_;
  Live* live_;
  Ledger ledger_;
  Outages outages_;
  std::array<std::unique_ptr<kv::Histogram>, kSteps> latencies_ = {
      std::make_unique<kv::Histogram>(), std::make_unique<kv::Histogram>(),
      std::make_unique<kv::Histogram>(), std::make_unique<kv::Histogram>()};
  Identity identity_;
  clients::Reply reply_;
  std::string last_error_;  // told in this outage
  bool audit_due_ = false;
  uint64_t left_out_ = 0;
  uint64_t stale_reads_ = 0;
  uint64_t connections_ = 0;
  uint64_t unverified_ = 0;
};

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_PROBER_H_
