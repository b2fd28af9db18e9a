// The mutex of parts whose atomics are modelled (kv/base/atomic.h): std::mutex, and in the model a
// lock whose waiting the model sees. Between threads that are fibers of one, std::mutex would wait
// for ever.
//
// Thread safety: models Lockable outside the model, BasicLockable in it.
#ifndef KV_BASE_MUTEX_H_
#define KV_BASE_MUTEX_H_

#include <mutex>
#include <type_traits>

#include "kv/base/atomic.h"
#include "kv/base/shard_lock.h"

namespace kv {

using Mutex = std::conditional_t<kModelled, ShardLock, std::mutex>;

}  // namespace kv

#endif  // KV_BASE_MUTEX_H_
