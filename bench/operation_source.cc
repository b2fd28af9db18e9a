#include "bench/operation_source.h"

#include <algorithm>

#include "kv/base/clock.h"

namespace bench {
namespace {

// YCSB draws zipfian requests over this many items, then hashes them onto the records.
constexpr uint64_t kYcsbItems = 10'000'000'000;

std::optional<Zipf> MakeZipf(const RowPlan& plan) {
  switch (plan.workload->keys) {
    case KeyChoice::kZipfScrambled:
      return Zipf(kYcsbItems, plan.zipf_theta);
    case KeyChoice::kLatest:
    case KeyChoice::kZipfRank:
      return Zipf(std::max<uint64_t>(plan.records, 1), plan.zipf_theta);
    default:
      return std::nullopt;
  }
}

bool IsBatch(OperationKind kind) {
  return kind == OperationKind::kPutBatch || kind == OperationKind::kMultiGet;
}

}  // namespace

OperationSource::OperationSource(const RowPlan& plan, int thread)
    : plan_(plan),
      workload_(*plan.workload),
      random_(plan.seed * 1'000'003 + static_cast<uint64_t>(thread)),
      values_(*plan.values, SplitMix64(plan.seed + static_cast<uint64_t>(thread))),
      key_bytes_(plan.key_bytes + (workload_.missing_keys ? 1 : 0)),
      value_bytes_(plan.value_bytes),
      batched_(IsBatch(workload_.mix[0].kind)),
      position_(workload_.store == StoreUse::kFresh || workload_.keys == KeyChoice::kSequential
                    ? plan.operations_per_thread * static_cast<uint64_t>(thread)
                    : 0),
      records_(std::max<uint64_t>(plan.records, 1)),
      zipf_(MakeZipf(plan)),
      permutation_(records_, plan.seed) {
  key_room_ = std::max({key_bytes_, kMaxYcsbKeyBytes, size_t{16}});
  double sum = 0;
  for (size_t i = 0; i < thresholds_.size(); ++i) {
    sum += workload_.mix[i].share;
    thresholds_[i] = static_cast<uint64_t>(sum * 0x1.0p32 + 0.5);
  }
}

std::string_view OperationSource::CounterKey(uint64_t number, std::array<char, 16>* buffer) {
  std::memcpy(buffer->data(), "counter:", 8);
  kv::StoreBig64(buffer->data() + 8, number);
  return {buffer->data(), buffer->size()};
}

OperationKind OperationSource::NextKind() {
  if (workload_.mix[1].share == 0) return workload_.mix[0].kind;
  // A cycle goes through the middles of 100 equal parts.
  const uint64_t draw = workload_.cycle ? (((cycle_++ % 100) << 32) + (uint64_t{1} << 31)) / 100
                                        : random_.Next() >> 32;
  for (size_t i = 0; i < thresholds_.size(); ++i) {
    if (draw < thresholds_[i]) return workload_.mix[i].kind;
  }
  return workload_.mix[0].kind;
}

uint64_t OperationSource::NextNumber() {
  switch (workload_.keys) {
    case KeyChoice::kNone:
      return 0;
    case KeyChoice::kSequential:
      return position_++;
    case KeyChoice::kPermutation:
      return permutation_(position_++ % records_);
    case KeyChoice::kSeries: {
      const uint64_t point = position_++;
      return (point % kSeries) << 40 | point / kSeries;
    }
    case KeyChoice::kFollowing: {
      const uint64_t turn = position_++;
      const uint64_t behind = turn % kFollowers * (records_ / 32);
      return (turn / kFollowers + records_ - behind) % records_;
    }
    case KeyChoice::kUniform:
      return random_.Uniform(records_);
    case KeyChoice::kHot:
      return random_.Uniform((records_ + 99) / 100);
    case KeyChoice::kZipfScrambled:
      return YcsbHash(zipf_->Next(random_)) % records_;
    case KeyChoice::kLatest:
      return records_ - 1 - zipf_->Next(random_);
    case KeyChoice::kZipfRank:
      return permutation_(zipf_->Next(random_));
  }
  return 0;
}

uint64_t OperationSource::InsertNumber() {
  // relaxed: only the number must be unique.
  const uint64_t number = plan_.next_insert->fetch_add(1, std::memory_order_relaxed);
  records_ = std::max(records_, number + 1);
  if (workload_.keys == KeyChoice::kLatest) zipf_->Grow(records_);
  return number;
}

std::string_view OperationSource::WriteKey(uint64_t number, char* to) const {
  switch (workload_.layout) {
    case Layout::kYcsb:
      return {to, WriteYcsbKey(number, to)};
    case Layout::kCounters: {
      std::array<char, 16> key;
      std::memcpy(to, CounterKey(number % kCounters, &key).data(), key.size());
      return {to, key.size()};
    }
    case Layout::kPrefixed:
      WritePrefixedKey(number, to);
      if (workload_.missing_keys) to[0] = 'z';
      return {to, kPrefixedKeyBytes};
    case Layout::kPaths:
      WritePathKey(number, to);
      return {to, kPathKeyBytes};
    case Layout::kTwitter:
      // Neighbouring ranks must not be neighbouring keys.
      WriteDbBenchKey(SplitMix64(number), key_bytes_, to);
      return {to, key_bytes_};
    case Layout::kDbBench:
      break;
  }
  WriteDbBenchKey(number, key_bytes_, to);
  return {to, key_bytes_};
}

uint64_t OperationSource::NextExpiry() {
  if (workload_.profile == nullptr) return now_millis_ + workload_.ttl_millis;
  double total = 0;
  for (const auto& [seconds, share] : workload_.profile->ttls) total += share;
  double draw = random_.UnitDouble() * total;
  for (const auto& [seconds, share] : workload_.profile->ttls) {
    draw -= share;
    if (draw < 0) return now_millis_ + uint64_t{seconds} * 1000;
  }
  return kv::kNeverExpires;
}

uint64_t OperationSource::Fill(uint64_t limit, OperationBlock* block) {
  const uint64_t batch = batched_ ? std::min<uint64_t>(plan_.batch, limit) : 1;
  const uint64_t wanted = std::max<uint64_t>(1, kBlockOperations / batch);
  const auto count = static_cast<size_t>(std::clamp<uint64_t>(limit / batch, 1, wanted));
  block->operations.resize(count);
  block->key_bytes.resize(count * batch * key_room_);
  if (batched_) block->keys.resize(count * batch);
  if (Expires()) now_millis_ = kv::SystemClock().UnixMillis();
  for (size_t i = 0; i < count; ++i) FillOne(batch, i, block);
  return count * batch;
}

void OperationSource::FillOne(uint64_t batch, size_t index, OperationBlock* block) {
  Operation& operation = block->operations[index];
  operation.kind = NextKind();
  if (batched_) {
    FillBatch(batch, index, block, &operation);
    return;
  }
  const bool inserts = workload_.insert_new_keys && operation.kind == OperationKind::kPut;
  const uint64_t number = inserts ? InsertNumber() : NextNumber();
  operation.key = WriteKey(number, block->key_bytes.data() + index * key_room_);
  switch (operation.kind) {
    case OperationKind::kGet:
    case OperationKind::kNext:
    case OperationKind::kPrev:
    case OperationKind::kDelete:
    case OperationKind::kIncrement:
    case OperationKind::kAddDecimal:
    case OperationKind::kSubtractDecimal:
    case OperationKind::kCompact:
      return;
    case OperationKind::kCount:
      operation.key = operation.key.substr(0, workload_.prefix_bytes);
      return;
    case OperationKind::kSeek:
      operation.length = workload_.scan_minimum +
                         static_cast<uint32_t>(
                             random_.Uniform(workload_.scan_maximum - workload_.scan_minimum + 1));
      return;
    case OperationKind::kUpdateField:
    case OperationKind::kReadModifyWrite:
      operation.length = static_cast<uint32_t>(random_.Uniform(kYcsbFields));
      operation.value = values_.Next(kYcsbFieldBytes);
      return;
    default:
      operation.value = values_.Next(value_bytes_);
      if (Expires()) operation.expires_at = NextExpiry();
  }
}

void OperationSource::FillBatch(uint64_t batch, size_t index, OperationBlock* block,
                                Operation* operation) {
  size_t used = 0;
  for (size_t i = 0; i < batch; ++i) {
    const uint64_t number = NextNumber();
    // A cache is loaded only as far as production found it: each key with the odds of a hit.
    if (workload_.profile != nullptr && workload_.profile->miss_ratio > 0 &&
        random_.UnitDouble() < workload_.profile->miss_ratio) {
      continue;
    }
    const size_t slot = index * batch + used++;
    block->keys[slot] = WriteKey(number, block->key_bytes.data() + slot * key_room_);
  }
  operation->keys = {block->keys.data() + index * batch, used};
  if (operation->kind != OperationKind::kPutBatch) return;
  // One slice serves the batch: values side by side where the pool is large enough, else
  // overlapping ones.
  const size_t pool = plan_.values->bytes().size();
  operation->value_stride = value_bytes_ * batch <= pool ? value_bytes_ : 1;
  operation->length = static_cast<uint32_t>(value_bytes_);
  operation->value =
      values_.Next(std::min(pool, value_bytes_ + operation->value_stride * (batch - 1)));
  if (Expires()) operation->expires_at = NextExpiry();
}

}  // namespace bench
