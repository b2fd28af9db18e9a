#include "bench/remote/load/load_source.h"

#include <algorithm>

#include "bench/remote/load/reply_judge.h"

namespace bench::remote {
namespace {

constexpr uint64_t kFields = 10;  // of YCSB's records
constexpr size_t kMostDebts = 1024;
// Fresh elements stay below 12 digits.
constexpr uint64_t kFreshElements = 1'000'000'000;

uint64_t SeedOf(const LoadPlan& plan, int thread) {
  return SplitMix64(plan.seed) + static_cast<uint64_t>(thread);
}

// Few enough that what is not yet taken back makes no structure larger by more than some percent,
// and enough that nothing is taken back while it is still on its way.
size_t DebtsOf(const LoadPlan& plan) {
  constexpr uint64_t kMany = uint64_t{1} << 30;
  const uint64_t all = std::min(plan.keys, kMany) * std::min(plan.elements, kMany);
  return std::clamp<uint64_t>(all / 50 / static_cast<uint64_t>(plan.threads), 1, kMostDebts);
}

}  // namespace

LoadSource::LoadSource(const LoadPlan& plan, int thread)
    : plan_(plan),
      operations_(OperationsOf(*plan.load)),
      random_(SeedOf(plan, thread)),
      draw_(StepShares(plan)),
      numbers_(plan, thread),
      builder_(plan, static_cast<uint64_t>(thread)),
      hit_threshold_(static_cast<uint64_t>(plan.hit_ratio * 0x1.0p32)),
      debts_(DebtsOf(plan)),
      next_fresh_(plan.elements + static_cast<uint64_t>(thread)),
      fresh_step_(static_cast<uint64_t>(plan.threads)) {
  for (const Step& step : plan.load->steps) {
    turns_.push_back({.operation = Index(step.operation),
                      .undo = step.undo.empty() ? kNone : Index(step.undo),
                      .then = step.then.empty() ? kNone : Index(step.then),
                      .reads = step.reads,
                      .adds_record = step.adds_record,
                      .longest_scan = step.longest_scan});
  }
}

uint16_t LoadSource::Index(std::string_view name) const {
  const Operation* const operation = FindOperation(name);
  return static_cast<uint16_t>(std::find(operations_.begin(), operations_.end(), operation) -
                               operations_.begin());
}

Request LoadSource::Make(uint16_t index, const Target& target) {
  const Operation& operation = *operations_[index];
  return {.operation = index,
          .key_argument = static_cast<uint16_t>(operation.space == Space::kNone ? 0 : 1),
          .arguments = builder_.Build(operation, target),
          .subject = target.number,
          .formatted = operation.formatted};
}

uint64_t LoadSource::Number(const Turn& turn) {
  const Space space = operations_[turn.operation]->space;
  if (turn.adds_record) return numbers_.Insert();
  const bool misses = turn.reads && plan_.hit_ratio < 1 && random_.Next() >> 32 >= hit_threshold_;
  const uint64_t number = misses ? numbers_.Missing(random_) : numbers_.Present(random_);
  return space == Space::kGroup ? number - number % kKeysOfGroup : number;
}

// First the operation, until as much has to be taken back as may be; then that and the operation in
// turn.
Request LoadSource::Balanced(const Turn& turn) {
  if (debt_count_ == debts_.size()) {
    const Debt debt = debts_[first_debt_];
    first_debt_ = (first_debt_ + 1) % debts_.size();
    --debt_count_;
    return Make(debt.operation, {.number = debt.number, .element = debt.element});
  }
  const Debt debt = {
      .operation = turn.undo, .number = numbers_.Present(random_), .element = next_fresh_};
  debts_[(first_debt_ + debt_count_) % debts_.size()] = debt;
  ++debt_count_;
  next_fresh_ += fresh_step_;
  if (next_fresh_ >= kFreshElements + plan_.elements) next_fresh_ -= kFreshElements;
  return Make(turn.operation, {.number = debt.number, .element = debt.element});
}

Request LoadSource::Next() {
  if (following_count_ > 0) {
    --following_count_;
    const Target target = following_target_;
    ++following_target_.number;
    return Make(following_, target);
  }
  const Turn& turn = turns_[draw_(random_)];
  if (turn.undo != kNone) return Balanced(turn);
  const Operation& operation = *operations_[turn.operation];
  Target target = {.number = Number(turn)};
  if (operation.space == Space::kRecord) {
    // An insert writes all fields from the first on.
    if (!turn.adds_record) target.element = random_.Uniform(kFields);
  } else if (operation.space >= Space::kList) {
    target.element = random_.Uniform(plan_.elements);
  }
  if (turn.then != kNone) {
    following_ = turn.then;
    following_target_ = target;
    following_count_ = 1;
    if (turn.longest_scan > 0) {
      target.length = 1 + random_.Uniform(turn.longest_scan);
      // The last records have fewer behind them.
      following_count_ = std::min(target.length, numbers_.Settled() - target.number);
    }
  }
  return Make(turn.operation, target);
}

Outcome LoadSource::Judge(uint16_t operation, uint64_t subject, const clients::Reply& reply) const {
  return ReplyJudge(plan_)(*operations_[operation], subject, reply);
}

}  // namespace bench::remote
