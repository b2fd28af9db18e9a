// Sends what MONITOR has recorded (monitor.h), each request at its recorded time
// (Request::at_nanos), one thread's share of the keys.
//
// Commands are sent as they are, on whatever connection and to whatever database the driver has. So
// those are left out, and counted, that would change more than keys or keep a connection for
// themselves: transactions, blocking reads, subscriptions, and all of administration (FLUSHALL!).
//
// Requests are divided among the sources by the hash of their key, so that those of one key keep
// their order in one source. One with several keys goes by the first, one without to thread 0.
//
// A reply of any type is right, since the record does not have the replies. Nil, nothing and 0 are
// misses of commands that read.
//
// Thread safety: none; one source a thread; the plan is shared. Complexity: Next is linear in the
// arguments, and in the requests of other threads that it steps over; it copies no bytes.
#ifndef BENCH_REMOTE_LOAD_MONITOR_SOURCE_H_
#define BENCH_REMOTE_LOAD_MONITOR_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/remote/drive/request.h"
#include "bench/remote/load/monitor.h"
#include "clients/reply.h"

namespace bench::remote {

// What all sources of one replay share: which requests are sent, by whom.
class MonitorPlan {
 public:
  MonitorPlan(std::shared_ptr<const MonitorRecord> record, int threads);

  const MonitorRecord& record() const { return *record_; }
  // Of the record, in order.
  struct Sent {
    uint64_t request = 0;
    uint32_t thread = 0;
    uint16_t command = 0;
    uint16_t key_argument = 0;
  };
  const std::vector<Sent>& sent() const { return sent_; }
  uint64_t left_out() const { return record_->size() - sent_.size(); }
  // In capitals. What is no name, or comes after a thousand others, is "OTHERS".
  const std::vector<std::string>& commands() const { return commands_; }
  bool reads(uint16_t command) const { return reads_[command]; }

 private:
  std::shared_ptr<const MonitorRecord> record_;
  std::vector<Sent> sent_;
  std::vector<std::string> commands_;
  std::vector<bool> reads_;
};

class MonitorSource {
 public:
  // The plan must outlive the source.
  MonitorSource(const MonitorPlan& plan, int thread);

  Request Next();
  Outcome Judge(uint16_t operation, uint64_t subject, const clients::Reply& reply) const;
  size_t operations() const { return plan_.commands().size(); }
  std::string_view OperationName(uint16_t operation) const { return plan_.commands()[operation]; }

 private:
  const MonitorPlan& plan_;
  const uint32_t thread_;
  size_t next_ = 0;
  std::vector<std::string_view> arguments_;
};

static_assert(RequestSource<MonitorSource>);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_MONITOR_SOURCE_H_
