// Memory order: Live is only shown, and orders nothing: relaxed throughout.
#include "bench/remote_watch/prober.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote_watch {
namespace {

using clients::Deadline;
using clients::Nanoseconds;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr size_t kKeysAtOnce = 500;  // of an MGET

double Millis(Nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

// What a probe failed with, as it is told; empty when it did not.
std::string ErrorOf(const ProbeResult& result) {
  const auto failed = result.FirstFailed();
  if (!failed.has_value()) return "";
  return fmt::format("{}: {}", kStepNames[*failed], result.steps[*failed].error);
}

}  // namespace

absl::Status Prober::Command(std::initializer_list<std::string_view> arguments) {
  KV_RETURN_IF_ERROR(route_.Run(arguments, &reply_));
  if (reply_.is_error()) return clients::ErrorStatus(route_.peer(), reply_.text());
  return absl::OkStatus();
}

bool Prober::Take(Step step, ProbeResult* result, const std::function<absl::Status()>& run) {
  const Deadline begin = clients::Now();
  const absl::Status status = run();
  StepResult& taken = result->at(step);
  if (status.ok()) {
    taken.outcome = StepResult::Outcome::kWorked;
    latencies_[static_cast<size_t>(step)]->Record(
        static_cast<uint64_t>((clients::Now() - begin).count()));
    return true;
  }
  taken.outcome = StepResult::Outcome::kFailed;
  taken.error = std::string(status.message());
  return false;
}

absl::Status Prober::Connect() {
  KV_RETURN_IF_ERROR(route_.Connect());
  ++connections_;
  return absl::OkStatus();
}

absl::Status Prober::Read() {
  KV_RETURN_IF_ERROR(Command({"GET", LastKeyName()}));
  KV_ASSIGN_OR_RETURN(const auto value, clients::ExpectOptionalString(reply_.root()));
  const Ledger::Found found = ledger_.CheckLast(value);
  if (found != Ledger::Found::kKept) {
    audit_due_ = true;
    log_->Add(options_.name,
              found == Ledger::Found::kForeign
                  ? fmt::format("the last key holds what nobody here wrote: {}",
                                clients::Printable(*value))
                  : fmt::format("a read is older than what was acknowledged: it gives {}",
                                value.has_value() ? clients::Printable(*value) : "nothing"));
  }
  return absl::OkStatus();
}

absl::Status Prober::Write(uint64_t* number) {
  *number = ledger_.Issue();
  const std::string text = std::to_string(*number);
  const absl::Status sent =
      route_.Run({"MSET", KeyName(ledger_.KeyOf(*number)), text, LastKeyName(), text}, &reply_);
  if (!sent.ok()) {
    ledger_.Unknown();
    return sent;
  }
  if (reply_.is_error()) {
    ledger_.Refused();
    return clients::ErrorStatus(route_.peer(), reply_.text());
  }
  const absl::Status answered = clients::ExpectOk(reply_.root());
  if (!answered.ok()) {
    ledger_.Unknown();
    return answered;
  }
  ledger_.Acknowledge(*number, clients::Now());
  live_->acknowledged.fetch_add(1, kRelaxed);
  return absl::OkStatus();
}

absl::Status Prober::ReadBack(uint64_t number) {
  KV_RETURN_IF_ERROR(Command({"GET", KeyName(ledger_.KeyOf(number))}));
  KV_ASSIGN_OR_RETURN(const auto value, clients::ExpectOptionalString(reply_.root()));
  if (Ledger::IsAtLeast(value, number)) return absl::OkStatus();
  ++stale_reads_;
  audit_due_ = true;
  return absl::DataLossError(
      fmt::format("{}: write {} was acknowledged, and is read back as {}", route_.peer(), number,
                  value.has_value() ? clients::Printable(*value) : "nothing"));
}

ProbeResult Prober::Probe() {
  ProbeResult result;
  result.begin = clients::Now();
  if (options_.fresh) route_.Close();
  if (route_.is_connected()) {
    result.at(Step::kConnect).outcome = StepResult::Outcome::kWorked;
  } else {
    Take(Step::kConnect, &result, [&] { return Connect(); });
  }
  if (route_.is_connected()) Take(Step::kRead, &result, [&] { return Read(); });
  uint64_t number = 0;
  bool written = false;
  if (route_.is_connected()) {
    written = Take(Step::kWrite, &result, [&] { return Write(&number); });
  }
  if (written) Take(Step::kReadBack, &result, [&] { return ReadBack(number); });
  result.end = clients::Now();
  return result;
}

void Prober::Tell(const ProbeResult& result, Outages::Change change) {
  const std::string error = ErrorOf(result);
  if (change == Outages::Change::kDown) {
    log_->Add(options_.name, "DOWN  " + error);
  } else if (change == Outages::Change::kUp) {
    const Gap& gap = outages_.gaps().back();
    std::string steps;
    for (size_t i = 0; i < kSteps; ++i) {
      if (gap.down[i].count() == 0) continue;
      steps += fmt::format(", {} after {:.1f} ms", kStepNames[i], Millis(gap.down[i]));
    }
    log_->Add(options_.name, fmt::format("UP    after {:.1f} ms, {} probes failed{}",
                                         Millis(gap.length()), gap.probes, steps));
    audit_due_ = true;
  } else if (!error.empty() && error != last_error_) {
    log_->Add(options_.name, "still down  " + error);
  }
  last_error_ = error;
}

void Prober::LookWhoAnswers() {
  Identity found;
  for (const std::string_view section : {"server", "replication"}) {
    // Not every user may ask, and a proxy may not know; the probe has its result without.
    if (!route_.is_connected() || !Command({"INFO", section}).ok()) return;
    const auto text = clients::ExpectString(reply_.root());
    if (!text.ok()) return;
    const Identity part = ParseIdentity(*text);
    if (!part.run_id.empty()) found.run_id = part.run_id;
    if (!part.version.empty()) found.version = part.version;
    if (!part.role.empty()) found.role = part.role;
  }
  if (found == identity_) return;
  for (const std::string& change : ChangesOf(identity_, found)) {
    log_->Add(options_.name, fmt::format("{} ({})", change, route_.peer()));
    audit_due_ = true;
  }
  identity_ = std::move(found);
}

void Prober::TellLosses(uint64_t lost_before, uint64_t rolled_back_before) {
  const uint64_t lost = ledger_.lost() - lost_before;
  const uint64_t rolled_back = ledger_.rolled_back() - rolled_back_before;
  if (lost + rolled_back == 0) return;
  const size_t listed = ledger_.losses().size();
  const size_t now = std::min<size_t>(listed, lost + rolled_back);
  std::string which;
  if (now > 0) {
    const auto [first, last] = std::minmax_element(
        ledger_.losses().end() - static_cast<ptrdiff_t>(now), ledger_.losses().end(),
        [](const Ledger::Loss& a, const Ledger::Loss& b) { return a.number < b.number; });
    which = fmt::format(", numbers {} to {}", first->number, last->number);
    if (!outages_.gaps().empty() && first->acknowledged < outages_.gaps().back().begin) {
      which += fmt::format("; the oldest was acknowledged {:.1f} ms before the outage",
                           Millis(outages_.gaps().back().begin - first->acknowledged));
    }
  }
  log_->Add(options_.name,
            fmt::format("LOST  {} acknowledged writes are gone, {} were rolled back{}", lost,
                        rolled_back, which));
}

absl::Status Prober::Audit() {
  const uint64_t lost = ledger_.lost();
  const uint64_t rolled_back = ledger_.rolled_back();
  const absl::Status status = CheckKeys();
  TellLosses(lost, rolled_back);
  return status;
}

absl::Status Prober::CheckKeys() {
  const std::vector<size_t> keys = ledger_.ExpectedKeys();
  for (size_t at = 0; at < keys.size(); at += kKeysAtOnce) {
    const auto chunk = std::span(keys).subspan(at, std::min(kKeysAtOnce, keys.size() - at));
    std::vector<std::string> names = {"MGET"};
    for (const size_t key : chunk) names.push_back(KeyName(key));
    const std::vector<std::string_view> words(names.begin(), names.end());
    KV_RETURN_IF_ERROR(route_.Run(clients::Arguments(words), &reply_));
    if (reply_.is_error()) return clients::ErrorStatus(route_.peer(), reply_.text());
    KV_RETURN_IF_ERROR(clients::ExpectArray(reply_.root()));
    if (reply_.size() != chunk.size()) {
      return absl::InternalError("MGET answers another number of values than of keys");
    }
    for (size_t i = 0; i < chunk.size(); ++i) {
      KV_ASSIGN_OR_RETURN(const auto value, clients::ExpectOptionalString(reply_[i]));
      ledger_.Check(chunk[i], value);
    }
  }
  return absl::OkStatus();
}

void Prober::Run(Stop* stop) {
  Deadline next = clients::Now();
  while (!stop->WaitUntil(next)) {
    const ProbeResult result = Probe();
    const Outages::Change change = outages_.Note(result);
    live_->probes.fetch_add(1, kRelaxed);
    if (!result.Ok()) live_->failed.fetch_add(1, kRelaxed);
    Tell(result, change);
    if (options_.fresh && route_.is_connected()) LookWhoAnswers();
    // An audit that is cut short is made again after the next probe.
    if (audit_due_ && result.Ok() && route_.is_connected() && Audit().ok()) audit_due_ = false;
    next += options_.interval;
    if (const auto late = (clients::Now() - next) / options_.interval; late > 0) {
      left_out_ += static_cast<uint64_t>(late);
      next += late * options_.interval;
    }
  }
  outages_.Finish();
}

void Prober::RemoveKeys() {
  std::vector<std::string> names = {"UNLINK", LastKeyName()};
  const auto send = [&] {
    const std::vector<std::string_view> words(names.begin(), names.end());
    // What is left behind does no harm but take room, and there is nobody to tell but the reader.
    if (route_.is_connected()) static_cast<void>(route_.Run(clients::Arguments(words), &reply_));
    names.resize(1);
  };
  for (size_t key = 0; key < std::min<uint64_t>(options_.keys, ledger_.issued() + 1); ++key) {
    names.push_back(KeyName(key));
    if (names.size() > kKeysAtOnce) send();
  }
  send();
}

void Prober::Finish(Deadline give_up, bool keep_keys) {
  constexpr auto kPause = std::chrono::milliseconds(50);
  absl::Status audited;
  do {
    if (!audited.ok()) std::this_thread::sleep_for(kPause);
    audited = route_.is_connected() ? absl::OkStatus() : route_.Connect();
    if (audited.ok()) audited = Audit();
    // The server may have ended while the connection was idle: once more, by a new one.
    if (!audited.ok()) route_.Close();
  } while (!audited.ok() && !clients::IsOver(give_up));
  if (!audited.ok()) {
    unverified_ = ledger_.ExpectedKeys().size();
    log_->Add(options_.name,
              fmt::format("acknowledged writes could not be read back at the end: {}",
                          std::string(audited.message())));
    return;
  }
  if (!keep_keys) RemoveKeys();
  route_.Close();
}

}  // namespace bench::remote_watch
