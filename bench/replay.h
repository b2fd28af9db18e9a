// Replays a trace against an engine and checks every read against what the trace wrote before.
//
// How requests map onto the contract:
//   get, gets, block read   Get
//   set, block write        Put with the request's time-to-live (where the engine has expiry)
//   add                     CompareAndSet(absent -> value)
//   replace, cas            Get, then CompareAndSet(current -> value); absent keys stay absent
//   append, prepend         Get, then CompareAndSet(current -> joined); capped as in conditional.h
//   incr, decr              Get, then CompareAndSet(current -> decimal number +- 1)
//   delete                  Delete
// A conditional request keeps the key's old time-to-live unless it brings one of its own. The
// contract has a replaced value never expire, so the time goes with the CompareAndSet.
//
// With several threads, keys are divided among them by hash, so that the requests of each key keep
// their order and every read still has one right answer. Only engine calls are timed.
#ifndef BENCH_REPLAY_H_
#define BENCH_REPLAY_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "bench/conditional.h"
#include "bench/cycle_clock.h"
#include "bench/plan.h"
#include "bench/random.h"
#include "bench/replay_model.h"
#include "bench/start_line.h"
#include "bench/trace.h"
#include "fmt/format.h"
#include "kv/base/clock.h"
#include "kv/contract/engine.h"

namespace bench {

// The requests of one thread's keys.
template <kv::Engine E>
class ReplayShard {
 public:
  ReplayShard(E& engine, const ReplayPlan& plan, int index, std::vector<Expected>* model)
      : engine_(engine), plan_(plan), index_(index), model_(*model) {}

  void Run(StartLine& line) {
    const std::vector<TraceRequest>& requests = plan_.trace->requests;
    line.Wait();
    for (uint64_t i = 0; i < requests.size() && failure_.ok() && !line.Stopped(); ++i) {
      if (!Owns(requests[i].key)) continue;
      failure_ = Replay(requests[i], i);
      ++result_.requests;
      // relaxed: progress is only shown.
      if (i % 256 == 0) plan_.progress->store(i, std::memory_order_relaxed);
    }
    if (!failure_.ok()) line.Stop();
    end_ = clock_.Now();
    result_.seconds = clock_.ToSeconds(ticks_);
  }

  bool Owns(uint32_t key) const {
    return plan_.threads == 1 ||
           SplitMix64(key) % static_cast<uint64_t>(plan_.threads) == static_cast<uint64_t>(index_);
  }

  const ReplayResult& result() const { return result_; }
  const absl::Status& failure() const { return failure_; }
  uint64_t end() const { return end_; }

 private:
  static uint64_t UnixMillis() { return kv::SystemClock().UnixMillis(); }

  absl::Status Replay(const TraceRequest& request, uint64_t number) {
    Expected& expected = model_[request.key];
    const std::string& key = plan_.trace->keys[request.key];
    const uint64_t seed = ReplayValues::Seed(request.key, number);
    const bool stores = !IsRead(request.kind) && request.kind != OperationKind::kDelete &&
                        request.kind != OperationKind::kAddDecimal &&
                        request.kind != OperationKind::kSubtractDecimal;
    if (stores) plan_.values->Make(seed, request.value_bytes, &piece_);
    const bool times = E::kExpiry && (request.ttl_seconds != 0 || expected.expires_at != 0);
    const uint64_t before = times ? UnixMillis() : 0;
    const uint64_t expires_at = E::kExpiry && request.ttl_seconds != 0
                                    ? before + uint64_t{request.ttl_seconds} * 1000
                                    : kv::kNeverExpires;
    switch (request.kind) {
      case OperationKind::kGet:
        return Get(key, expected, times, before, number);
      case OperationKind::kPut: {
        const uint64_t begin = clock_.Now();
        absl::Status status = engine_.Put(key, piece_, {.expires_at = expires_at});
        Timed(begin, /*read=*/false);
        KV_RETURN_IF_ERROR(status);
        result_.user_bytes += key.size() + piece_.size();
        expected.Store(seed, request.value_bytes, expires_at);
        return absl::OkStatus();
      }
      case OperationKind::kDelete: {
        const uint64_t begin = clock_.Now();
        absl::Status status = engine_.Delete(key);
        Timed(begin, /*read=*/false);
        KV_RETURN_IF_ERROR(status);
        result_.user_bytes += key.size();
        expected.Remove();
        return absl::OkStatus();
      }
      case OperationKind::kAdd: {
        const uint64_t begin = clock_.Now();
        auto added = Add(engine_, key, piece_, {.expires_at = expires_at});
        Timed(begin, /*read=*/false);
        KV_RETURN_IF_ERROR(added.status());
        CheckPresence(expected, !*added, times, before, key, number);
        if (*added) {
          result_.user_bytes += key.size() + piece_.size();
          expected.Store(seed, request.value_bytes, expires_at);
        }
        return absl::OkStatus();
      }
      default:
        return Conditional(request, key, expected, times, before,
                           expires_at != 0 ? expires_at : expected.expires_at, number);
    }
  }

  absl::Status Get(const std::string& key, Expected& expected, bool times, uint64_t before,
                   uint64_t number) {
    const uint64_t begin = clock_.Now();
    absl::Status status = engine_.Get(key, &value_);
    Timed(begin, /*read=*/true);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    if (status.ok()) result_.read_bytes += value_.size();
    if (!expected.written && absl::IsNotFound(status)) {
      ++result_.never_written;
      return absl::OkStatus();
    }
    if (!CheckPresence(expected, status.ok(), times, before, key, number)) {
      return absl::OkStatus();
    }
    if (!status.ok()) {
      ++result_.absences_verified;
    } else if (expected.Holds(value_, *plan_.values)) {
      ++result_.reads_verified;
    } else {
      Mismatch(key, number, "the value differs from the one written");
    }
    return absl::OkStatus();
  }

  absl::Status Conditional(const TraceRequest& request, const std::string& key, Expected& expected,
                           bool times, uint64_t before, uint64_t expires_at, uint64_t number) {
    uint64_t retries = 0;
    const uint64_t begin = clock_.Now();
    auto changed = Modify(engine_, request.kind, key, piece_, 1, {.expires_at = expires_at},
                          &value_, &desired_, &retries);
    Timed(begin, /*read=*/false);
    KV_RETURN_IF_ERROR(changed.status());
    if (!CheckPresence(expected, *changed, times, before, key, number) || !*changed) {
      return absl::OkStatus();
    }
    // The key belongs to this thread alone, so the old value has exactly one right answer too.
    if (!expected.Holds(value_, *plan_.values) || retries != 0) {
      Mismatch(key, number, "a conditional write found another value than the one written");
    } else {
      ++result_.reads_verified;
    }
    result_.user_bytes += key.size() + desired_.size();
    expected.StoreLiteral(desired_, expires_at);
    return absl::OkStatus();
  }

  // Whether the engine's word on a key's presence is right; records a mismatch if not.
  bool CheckPresence(const Expected& expected, bool present, bool times, uint64_t before,
                     const std::string& key, uint64_t number) {
    const bool right =
        present ? expected.MayBePresent(before) : expected.MayBeAbsent(times ? UnixMillis() : 0);
    if (!right) {
      Mismatch(key, number,
               present ? "found, but it should be absent" : "absent, but it should be there");
    }
    return right;
  }

  void Mismatch(const std::string& key, uint64_t number, std::string_view what) {
    if (result_.mismatches++ != 0) return;
    std::string hex;
    for (const char c : std::string_view(key).substr(0, 24)) {
      hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    result_.first_mismatch = fmt::format("request {}, key 0x{}: {}", number + 1, hex, what);
  }

  void Timed(uint64_t begin, bool read) {
    const uint64_t ticks = clock_.Elapsed(begin, clock_.Now());
    ticks_ += ticks;
    (read ? result_.reads : result_.writes).Record(static_cast<uint64_t>(clock_.ToNanos(ticks)));
  }

  E& engine_;
  const ReplayPlan& plan_;
  const int index_;
  std::vector<Expected>& model_;
  const CycleClock& clock_ = CycleClock::Get();
  ReplayResult result_;
  absl::Status failure_;
  uint64_t ticks_ = 0;
  uint64_t end_ = 0;
  std::string value_;
  std::string piece_;
  std::string desired_;
};

template <kv::Engine E>
absl::Status ReplayTrace(E& engine, const ReplayPlan& plan, ReplayResult* total) {
  std::vector<Expected> model(plan.trace->keys.size());
  StartLine line(plan.threads);
  std::vector<std::unique_ptr<ReplayShard<E>>> shards;
  std::vector<std::thread> threads;
  for (int i = 0; i < plan.threads; ++i) {
    shards.push_back(std::make_unique<ReplayShard<E>>(engine, plan, i, &model));
    threads.emplace_back([&line, shard = shards.back().get()] { shard->Run(line); });
  }
  const uint64_t begin = line.Start();
  for (std::thread& thread : threads) thread.join();

  absl::Status failure;
  for (const auto& shard : shards) {
    const ReplayResult& part = shard->result();
    failure.Update(shard->failure());
    total->requests += part.requests;
    total->seconds = std::max(total->seconds, part.seconds);
    total->wall_seconds =
        std::max(total->wall_seconds, CycleClock::Get().ToSeconds(shard->end() - begin));
    total->reads_verified += part.reads_verified;
    total->absences_verified += part.absences_verified;
    total->never_written += part.never_written;
    if (total->mismatches == 0) total->first_mismatch = part.first_mismatch;
    total->mismatches += part.mismatches;
    total->user_bytes += part.user_bytes;
    total->read_bytes += part.read_bytes;
    total->reads.Merge(part.reads);
    total->writes.Merge(part.writes);
  }
  for (size_t i = 0; i < model.size(); ++i) {
    if (model[i].present) total->live_bytes += plan.trace->keys[i].size() + model[i].size;
  }
  return failure;
}

}  // namespace bench

#endif  // BENCH_REPLAY_H_
