// Memory order: the progress counter is only shown, and the flag of an interrupt publishes nothing:
// relaxed throughout. What the writing thread leaves behind is read after it was joined.
#include "bench/remote_watch/persistence.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <random>
#include <span>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "bench/remote_watch/recovery.h"
#include "clients/channel.h"
#include "clients/command.h"
#include "clients/connection.h"
#include "clients/deadline.h"
#include "clients/dialer.h"
#include "clients/errors.h"
#include "clients/local/server.h"
#include "clients/reply.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote_watch {
namespace {

using clients::Channel;
using clients::Deadline;
using clients::Reply;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAnswersWithin = std::chrono::seconds(30);  // while it writes a snapshot, say
constexpr size_t kKeysAtOnce = 500;

double Seconds(clients::Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string KeyName(uint64_t key) { return "p:" + std::to_string(key); }

// Answers that came together: the numbers up to `last`, at one moment.
struct Answers {
  uint64_t last = 0;
  Deadline at;
};

struct Written {
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  std::vector<Answers> answers;
  absl::Status refused;  // an answer that is no OK
  absl::Status ended;    // why there were no more answers
  Deadline ended_at;

  // When the write was acknowledged; it was.
  Deadline At(uint64_t number) const {
    return std::lower_bound(answers.begin(), answers.end(), number,
                            [](const Answers& some, uint64_t wanted) { return some.last < wanted; })
        ->at;
  }
};

void WriteAll(const PersistencePlan& plan, Channel* channel, Written* written) {
  const std::string padding(plan.value_bytes, 'v');
  std::vector<Reply> replies(plan.pipeline);
  std::string bytes;
  while (written->ended.ok() && written->refused.ok()) {
    bytes.clear();
    for (size_t i = 0; i < plan.pipeline; ++i) {
      const uint64_t number = ++written->sent;
      std::string value = std::to_string(number) + ":";
      if (value.size() < plan.value_bytes) value.append(padding, value.size());
      const absl::Status added =
          clients::AppendCommand({"SET", KeyName(number % plan.keys), value}, &bytes);
      if (!added.ok()) {
        written->refused = added;
        return;
      }
    }
    size_t answered = 0;
    written->ended = channel->Exchange(bytes, replies, clients::After(kAnswersWithin), &answered);
    for (size_t i = 0; i < answered && written->refused.ok(); ++i) {
      written->refused = replies[i].is_error()
                             ? clients::ErrorStatus(channel->peer(), replies[i].text())
                             : clients::ExpectOk(replies[i].root());
      if (written->refused.ok()) ++written->acknowledged;
    }
    if (answered > 0) written->answers.push_back({written->acknowledged, clients::Now()});
    if (plan.progress != nullptr) plan.progress->fetch_add(answered, kRelaxed);
  }
}

// Writes 1, 2, ... until the server is gone.
void Write(const PersistencePlan& plan, Channel* channel, Written* written) {
  WriteAll(plan, channel, written);
  written->ended_at = clients::Now();
}

absl::StatusOr<uint64_t> NumberIn(clients::ReplyView reply) {
  KV_ASSIGN_OR_RETURN(const auto text, clients::ExpectOptionalString(reply));
  if (!text.has_value()) return uint64_t{0};
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end == text->data() + text->size() || *end != ':') {
    return absl::DataLossError(
        fmt::format("a value that was never written: {}", clients::Printable(*text)));
  }
  return number;
}

absl::StatusOr<std::vector<uint64_t>> ReadAll(const clients::local::Server& server, size_t keys) {
  KV_ASSIGN_OR_RETURN(auto connection, clients::Connection::Open(server.connect_options()));
  std::vector<uint64_t> found;
  while (found.size() < keys) {
    std::vector<std::string> names = {"MGET"};
    const size_t end = std::min(keys, found.size() + kKeysAtOnce);
    for (size_t key = found.size(); key < end; ++key) names.push_back(KeyName(key));
    const std::vector<std::string_view> words(names.begin(), names.end());
    KV_ASSIGN_OR_RETURN(const Reply reply, connection.Run(clients::Arguments(words)));
    KV_RETURN_IF_ERROR(clients::ExpectArray(reply.root()));
    if (reply.size() + 1 != names.size()) {
      return absl::InternalError("MGET answers another number of values than of keys");
    }
    for (size_t i = 0; i < reply.size(); ++i) {
      KV_ASSIGN_OR_RETURN(const uint64_t number, NumberIn(reply[i]));
      found.push_back(number);
    }
  }
  return found;
}

// Waits for a part of the time, so that an interrupt does not have to wait for all of it.
void WaitUntil(Deadline moment, const std::atomic<bool>* interrupted) {
  constexpr clients::Nanoseconds kPart = std::chrono::milliseconds(50);
  while (!clients::IsOver(moment)) {
    if (interrupted != nullptr && interrupted->load(kRelaxed)) return;
    std::this_thread::sleep_for(std::min(kPart, clients::Nanoseconds(moment - clients::Now())));
  }
}

absl::StatusOr<RoundResult> Round(const PersistencePlan& plan, const Policy& policy, int round,
                                  double seconds) {
  KV_ASSIGN_OR_RETURN(auto server,
                      clients::local::Server::Start(ServerOptionsOf(policy, plan.program)));
  KV_ASSIGN_OR_RETURN(const auto dialer, clients::Dialer::Create(server.connect_options()));
  KV_ASSIGN_OR_RETURN(Channel channel, dialer->Dial());
  Written written;
  const Deadline begin = clients::Now();
  std::thread writer([&] { Write(plan, &channel, &written); });
  WaitUntil(begin + std::chrono::duration_cast<clients::Nanoseconds>(
                        std::chrono::duration<double>(seconds)),
            plan.interrupted);
  const Deadline killed = clients::Now();
  server.Kill();
  writer.join();
  KV_RETURN_IF_ERROR(written.refused);
  if (!absl::IsUnavailable(written.ended)) return written.ended;
  if (written.ended_at < killed) {
    return clients::At("it ended before it was killed", written.ended);
  }

  const Deadline restarting = clients::Now();
  KV_RETURN_IF_ERROR(server.Restart());
  const double restart_seconds = Seconds(clients::Now() - restarting);
  KV_ASSIGN_OR_RETURN(const std::vector<uint64_t> found, ReadAll(server, plan.keys));
  const Recovered recovered = JudgeRecovery(found, written.acknowledged);
  if (recovered.newest > written.sent) {
    return absl::DataLossError(
        fmt::format("write {} is there, which was never sent", recovered.newest));
  }
  RoundResult result{.policy = &policy,
                     .round = round,
                     .writes = written.sent,
                     .acknowledged = written.acknowledged,
                     .lost = recovered.lost,
                     .holes = recovered.holes,
                     .killed_after = Seconds(killed - begin),
                     .restart_ms = restart_seconds * 1000};
  result.ops_per_second =
      static_cast<double>(written.acknowledged) / std::max(result.killed_after, 1e-9);
  if (recovered.lost > 0) {
    // What was answered while the kill was under way may be later than the moment before it.
    const double window = Seconds(killed - written.At(recovered.oldest_lost));
    result.lost_window_ms = std::max(0.0, window * 1000);
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<RoundResult>> RunPersistence(
    const PersistencePlan& plan, const std::function<void(const Policy& policy, int round)>& before,
    const std::function<void(const RoundResult& result)>& after) {
  std::vector<RoundResult> results;
  std::mt19937_64 random(plan.seed);
  std::uniform_real_distribution<double> moment(plan.min_seconds, plan.max_seconds);
  for (const Policy* const policy : plan.policies) {
    for (int round = 1; round <= plan.rounds; ++round) {
      if (plan.interrupted != nullptr && plan.interrupted->load(kRelaxed)) return results;
      before(*policy, round);
      auto result = Round(plan, *policy, round, moment(random));
      if (!result.ok()) {
        return clients::At(fmt::format("{}, round {}", policy->name, round), result.status());
      }
      after(*result);
      results.push_back(*result);
    }
  }
  return results;
}

bool BrokePromise(const std::vector<RoundResult>& results) {
  return std::any_of(results.begin(), results.end(), [](const RoundResult& result) {
    return result.policy->keeps_all && result.lost > 0;
  });
}

}  // namespace bench::remote_watch
