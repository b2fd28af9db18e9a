// The steps of one group through the journal, one after the other in one thread, for policies in
// which nothing overlaps.
//
// Thread safety: the caller has the journal to itself.
#ifndef KV_COMMIT_STEPS_H_
#define KV_COMMIT_STEPS_H_

#include "absl/status/status.h"
#include "kv/base/status.h"
#include "kv/commit/concept.h"

namespace kv {

// kBeforePublish: the group is durable before readers see it. kLater: whenever the log's buffer is
// written out and synced for another reason.
enum class CommitSync { kBeforePublish, kLater };

template <CommitSync kSync, typename J>
absl::Status CommitInSteps(J& journal, CommitGroup group) {
  KV_RETURN_IF_ERROR(journal.Reserve(group));
  KV_RETURN_IF_ERROR(journal.Log(group));
  if constexpr (kSync == CommitSync::kBeforePublish) {
    KV_RETURN_IF_ERROR(journal.WriteOut());
    KV_RETURN_IF_ERROR(journal.Sync());
  }
  journal.Insert(group);
  journal.Publish(group);
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_COMMIT_STEPS_H_
