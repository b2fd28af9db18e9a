// Says what a reply means: done, a hit, a miss, or not a reply to this command.
//
// A value is right where it begins with the number of its key as request_builder.h writes it, or is
// what the key file has for the key. Of a reply with many elements the first is looked at, and
// their count.
//
// Thread safety: const functions may be called by any thread.
// Complexity: constant, but for the bytes of a value that is held against a key file's.
#ifndef BENCH_REMOTE_LOAD_REPLY_JUDGE_H_
#define BENCH_REMOTE_LOAD_REPLY_JUDGE_H_

#include <cstdint>
#include <string_view>

#include "bench/remote/drive/request.h"
#include "bench/remote/load/operations.h"
#include "bench/remote/load/plan.h"
#include "clients/reply.h"

namespace bench::remote {

// Whose reply it is, is not known: values are held against nothing.
inline constexpr uint64_t kAnySubject = ~uint64_t{0};

// By type and count alone.
Outcome JudgeForm(const Operation& operation, const clients::Reply& reply);

// Whether `value` is what a load stores at key `number`.
bool IsValueOf(uint64_t number, std::string_view value);

class ReplyJudge {
 public:
  // The plan must outlive it.
  explicit ReplyJudge(const LoadPlan& plan) : plan_(plan) {}

  Outcome operator()(const Operation& operation, uint64_t subject,
                     const clients::Reply& reply) const;

 private:
  bool Holds(uint64_t number, clients::ReplyView value) const;

  const LoadPlan& plan_;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_REPLY_JUDGE_H_
