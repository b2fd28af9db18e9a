#include "bench/session.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "bench/figures.h"
#include "bench/key_generator.h"
#include "bench/operation_source.h"
#include "bench/random.h"
#include "bench/system_info.h"
#include "bench/text.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench {
namespace {

// A Twitter cluster's store is no larger than this, whatever --num says.
constexpr uint64_t kTwitterBytes = uint64_t{512} << 20;
// Preloads write batches of about so much.
constexpr size_t kPreloadBatchBytes = size_t{1} << 20;
// YCSB keys are "user" and 18 or 19 digits.
constexpr size_t kMeanYcsbKeyBytes = 23;

absl::Status Named(std::string_view name, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), kv::ToAbsl(fmt::format("{}: {}", name, status.ToString())));
}

}  // namespace

Session::Session(const Flags& flags, Subject& subject, const StoreDirectory& directory,
                 const Trace* trace)
    : flags_(flags), subject_(subject), directory_(directory), trace_(trace) {}

void Session::AddNote(std::string note) {
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) {
    notes_.push_back(std::move(note));
  }
}

absl::Status Session::Open() {
  kv::Options options;
  options.directory = directory_.path();
  options.create_if_missing = !flags_.use_existing;
  options.memtable_bytes = flags_.memtable_bytes;
  options.cache_bytes = flags_.cache_bytes;
  return Named("open " + directory_.path(), subject_.Open(options));
}

absl::Status Session::OpenFresh() {
  KV_RETURN_IF_ERROR(Named("close", subject_.Close()));
  loaded_ = {};
  if (subject_.capabilities().durable) KV_RETURN_IF_ERROR(directory_.Empty());
  return Open();
}

absl::Status Session::Close() { return Named("close", subject_.Close()); }

RowPlan Session::Plan(const Row& row, const Workload& workload) {
  RowPlan plan;
  plan.workload = &workload;
  plan.threads = row.threads;
  plan.records = row.num;
  plan.key_bytes = flags_.key_size;
  plan.value_bytes = workload.value_bytes != 0 ? workload.value_bytes : flags_.value_size;
  if (workload.layout == Layout::kYcsb) {
    plan.key_bytes = kMeanYcsbKeyBytes;
    plan.value_bytes = kYcsbRecordBytes;
  } else if (workload.layout == Layout::kTwitter) {
    plan.key_bytes = workload.profile->key_bytes;
    const uint64_t most = kTwitterBytes / (plan.key_bytes + plan.value_bytes);
    plan.records = std::min(plan.records, most);
  } else if (workload.layout == Layout::kCounters) {
    plan.records = kCounters;
  } else if (workload.layout == Layout::kPrefixed) {
    plan.key_bytes = kPrefixedKeyBytes;
  } else if (workload.layout == Layout::kPaths) {
    plan.key_bytes = kPathKeyBytes;
  }
  plan.batch = workload.batch != 0 ? workload.batch : flags_.batch_size;
  if (&workload == &preload_) {
    plan.batch = std::clamp<size_t>(kPreloadBatchBytes / (plan.key_bytes + plan.value_bytes), 1,
                                    workload.batch);
  }
  const bool one = workload.mix[0].kind == OperationKind::kCompact;
  const bool divided =
      workload.store == StoreUse::kFresh || workload.keys == KeyChoice::kSequential;
  uint64_t operations = divided ? plan.records : row.reads.value_or(row.num);
  operations = std::max<uint64_t>(1, operations / workload.operations_divisor);
  if (divided) operations = std::max<uint64_t>(1, operations / static_cast<uint64_t>(row.threads));
  plan.seconds = row.seconds;
  if (!divided && row.until_seconds) operations = ~uint64_t{0};
  plan.operations_per_thread = one ? 1 : operations;
  if (one) plan.threads = 1;
  plan.zipf_theta = flags_.zipf_theta.value_or(workload.zipf_theta);
  // A stream of its own for each row: the same draws again would find exactly what was written.
  plan.seed = SplitMix64(flags_.seed ^ SplitMix64(++plans_));
  if (pool_ == nullptr || pool_->bytes().size() < plan.value_bytes) {
    pool_ = std::make_unique<ValuePool>(plan.value_bytes, flags_.value_text);
  }
  plan.values = pool_.get();
  plan.next_insert = &next_insert_;
  plan.progress = &progress_.done;
  return plan;
}

bool Session::Serves(const RowPlan& plan) const {
  const Workload& workload = *plan.workload;
  if (!loaded_.any) return false;
  if (workload.mix[0].kind == OperationKind::kCompact) return true;
  return loaded_.layout == workload.layout && loaded_.profile == workload.profile &&
         loaded_.records >= plan.records && loaded_.key_bytes == plan.key_bytes;
}

absl::Status Session::Prepare(const Row& row, const RowPlan& plan) {
  const Workload& workload = *plan.workload;
  if (workload.store == StoreUse::kFresh) return OpenFresh();
  if (flags_.use_existing && !loaded_.any) {
    if (!subject_.IsOpen()) KV_RETURN_IF_ERROR(Open());
    loaded_ = {.any = true,
               .layout = workload.layout,
               .profile = workload.profile,
               .records = plan.records,
               .key_bytes = plan.key_bytes,
               .value_bytes = plan.value_bytes,
               .live_records = -1};
    next_insert_ = plan.records;
    return absl::OkStatus();
  }
  if (workload.store == StoreUse::kAny) {
    return subject_.IsOpen() ? absl::OkStatus() : OpenFresh();
  }
  if (flags_.use_existing || Serves(plan)) return absl::OkStatus();
  KV_RETURN_IF_ERROR(OpenFresh());
  preload_ = PreloadFor(workload);
  Row load = row;
  load.workload = &preload_;
  load.threads = 1;
  load.seconds = 0;
  return Preload(Plan(load, preload_));
}

absl::Status Session::Preload(const RowPlan& plan) {
  RowResult result;
  progress_.done = 0;
  progress_.total = plan.operations_per_thread;
  KV_RETURN_IF_ERROR(Named("preload", subject_.Run(plan, &result)));
  NoteContents(plan, result);
  return absl::OkStatus();
}

// Keeps track of what the store holds: exact for unique keys, expected values for random ones.
void Session::NoteContents(const RowPlan& plan, const RowResult& result) {
  const Workload& workload = *plan.workload;
  if (workload.layout == Layout::kCounters || !workload.Writes()) return;
  const auto records = static_cast<double>(plan.records);
  const auto operations = static_cast<double>(result.operations);
  // Of n keys, those that k random draws touch: n (1 - (1 - 1/n)^k).
  const double touched = -std::expm1(operations * std::log1p(-1 / std::max(records, 2.0)));
  if (workload.store == StoreUse::kFresh && workload.removes) {
    loaded_ = {};  // what expires is neither to be read nor to be counted
    return;
  }
  if (workload.store == StoreUse::kFresh) {
    const bool unique = workload.keys != KeyChoice::kUniform;
    loaded_ = {.any = true,
               .layout = workload.layout,
               .profile = workload.profile,
               .records = plan.records,
               .key_bytes = plan.key_bytes,
               .value_bytes = plan.value_bytes,
               .live_records = unique ? operations : records * touched,
               .record_bytes = static_cast<double>(plan.key_bytes + plan.value_bytes)};
    // Preloads leave keys out, so their own count of bytes is the better one.
    if (unique) loaded_.record_bytes = static_cast<double>(result.user_bytes) / operations;
    next_insert_ = plan.records;
    return;
  }
  if (workload.removes) {
    loaded_.any = false;
    loaded_.live_records = -1;
    return;
  }
  if (workload.insert_new_keys) {
    const auto inserted = static_cast<double>(next_insert_ - loaded_.records);
    loaded_.records = next_insert_;
    if (loaded_.live_records >= 0) loaded_.live_records += inserted;
  } else if (workload.layout == Layout::kTwitter || workload.background_writer) {
    loaded_.live_records = -1;
  } else if (loaded_.live_records >= 0 && workload.keys == KeyChoice::kUniform) {
    loaded_.live_records += (records - loaded_.live_records) * touched;
  }
}

absl::StatusOr<uint64_t> Session::SumCounters() {
  uint64_t sum = 0;
  std::array<char, 16> key;
  std::string value;
  for (uint64_t i = 0; i < kCounters; ++i) {
    const absl::Status status = subject_.Get(OperationSource::CounterKey(i, &key), &value);
    if (absl::IsNotFound(status)) continue;
    KV_RETURN_IF_ERROR(status);
    if (value.size() == 8) sum += kv::LoadFixed64(value.data());
  }
  return sum;
}

absl::StatusOr<Figures> Session::Run(const Row& row) {
  if (row.workload == nullptr) return RunReplay(row);
  const Workload& workload = *row.workload;
  RowPlan plan = Plan(row, workload);
  const bool preloads = workload.store == StoreUse::kExisting && !Serves(plan);
  KV_RETURN_IF_ERROR(Prepare(row, plan));
  if (preloads && !flags_.use_existing) {
    AddNote(fmt::format("{}: {} records were loaded first, untimed", workload.name,
                        WithThousands(loaded_.records)));
  }
  if (workload.layout == Layout::kYcsb) plan.records = loaded_.records;
  if (workload.layout == Layout::kTwitter && !subject_.capabilities().expiry) {
    AddNote(fmt::format("{}: times-to-live are left out, {} has no expiry", workload.name,
                        subject_.capabilities().name));
  }
  uint64_t counted = 0;
  if (workload.layout == Layout::kCounters) {
    KV_ASSIGN_OR_RETURN(counted, SumCounters());
  }

  progress_.done = 0;
  const bool unbounded = plan.operations_per_thread == ~uint64_t{0};
  progress_.total =
      unbounded ? 0 : plan.operations_per_thread * static_cast<uint64_t>(plan.threads);
  RowSurroundings around;
  around.durable = subject_.capabilities().durable;
  const bool peak_is_own = ResetPeakRss();
  if (!peak_is_own) AddNote("peak RSS is of the whole process so far: it could not be reset");
  around.before = TakeReadings(subject_);
  const auto result = std::make_unique<RowResult>();
  KV_RETURN_IF_ERROR(Named(workload.name, subject_.Run(plan, result.get())));
  around.after = TakeReadings(subject_);
  around.peak_rss_mib = PeakRssMib();
  NoteContents(plan, *result);
  const uint64_t asked = plan.operations_per_thread * static_cast<uint64_t>(plan.threads);
  if (workload.store == StoreUse::kFresh && result->operations < asked) {
    AddNote(fmt::format("{}: stopped after {} s, with {} of {} keys written", workload.name,
                        Short(plan.seconds), WithThousands(result->operations),
                        WithThousands(asked)));
  }
  if (workload.layout == Layout::kCounters) {
    KV_ASSIGN_OR_RETURN(const uint64_t sum, SumCounters());
    if (sum - counted != result->operations) {
      return absl::DataLossError(
          kv::ToAbsl(fmt::format("{}: {} increments were acknowledged, but the counters grew by {}",
                                 workload.name, result->operations, sum - counted)));
    }
  }
  if (around.durable) around.disk_bytes = directory_.DiskBytes();
  if (loaded_.live_records > 0) around.live_bytes = loaded_.live_records * loaded_.record_bytes;
  if (result->sampled) {
    AddNote("latencies of rows under 250 ns an operation are sampled, 1 in 16");
  }
  const uint64_t reads = result->found + result->missed;
  if (!workload.missing_keys && result->found * 2 < reads && workload.profile == nullptr) {
    AddNote(fmt::format(
        "{}: found only {} % of the keys it asked for", workload.name,
        Short(100.0 * static_cast<double>(result->found) / static_cast<double>(reads))));
  }
  return FiguresOf(*result, plan.threads, around);
}

absl::StatusOr<Figures> Session::RunReplay(const Row& row) {
  KV_RETURN_IF_ERROR(OpenFresh());
  if (replay_values_ == nullptr) {
    replay_values_ = std::make_unique<ReplayValues>(trace_->largest_value);
  }
  progress_.done = 0;
  progress_.total = trace_->requests.size();
  const ReplayPlan plan = {.trace = trace_,
                           .values = replay_values_.get(),
                           .threads = row.threads,
                           .progress = &progress_.done};
  RowSurroundings around;
  around.durable = subject_.capabilities().durable;
  ResetPeakRss();
  around.before = TakeReadings(subject_);
  replay_ = std::make_unique<ReplayResult>();
  KV_RETURN_IF_ERROR(Named("replay", subject_.Replay(plan, replay_.get())));
  around.after = TakeReadings(subject_);
  around.peak_rss_mib = PeakRssMib();
  if (around.durable) around.disk_bytes = directory_.DiskBytes();
  around.live_bytes = static_cast<double>(replay_->live_bytes);
  AddNote(
      "replay: ops/s is requests over the engine's time; generating and checking values "
      "is outside it (verify_ns in the JSON), and peak RSS includes the lab's own model");
  if (!subject_.capabilities().expiry && trace_->format == TraceFormat::kTwitter) {
    AddNote(fmt::format("replay: times-to-live are left out, {} has no expiry",
                        subject_.capabilities().name));
  }
  return FiguresOf(*replay_, row.threads, around);
}

}  // namespace bench
