// What the interleaving tests of memtables have in common: records whose value is their key, and
// programs that any memtable must pass.
//
// `Trial` is that of kv/testing/interleaving/explore.h, in targets where a memtable's atomics are
// the model's (interleaving_test of kv/testing/interleaving/interleaving.bzl).
//
// Thread safety: pure functions.
#ifndef KV_MEMTABLE_INTERLEAVING_TESTING_H_
#define KV_MEMTABLE_INTERLEAVING_TESTING_H_

#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "kv/base/atomic.h"
#include "kv/contract/record.h"

namespace kv::memtable_interleaving {

inline Record RecordOf(std::string_view key, Sequence sequence) {
  return {.key = key, .value = key, .sequence = sequence};
}

inline bool IsWhole(const Record& record) { return record.value == record.key; }

// Inserts the keys, numbered from 1.
template <typename M>
void Fill(M& memtable, std::initializer_list<std::string_view> keys) {
  Sequence sequence = 0;
  for (const std::string_view key : keys) memtable.Insert(RecordOf(key, ++sequence));
}

template <typename Trial, typename M>
void ExpectFound(Trial& trial, const M& memtable, std::string_view key) {
  Record found;
  const bool is = memtable.Get(key, kMaxSequence, &found);
  trial.Expect(is, "a key that was there before is found");
  if (is) trial.Expect(found.key == key && IsWhole(found), "what is found is whole");
}

template <typename Trial, typename M>
void ExpectWholeIfFound(Trial& trial, const M& memtable, std::string_view key) {
  Record found;
  if (!memtable.Get(key, kMaxSequence, &found)) return;
  trial.Expect(found.key == key && IsWhole(found), "what is found is whole");
}

// A walk meets whole records in strict order, and at least `least` of them.
template <typename Trial, typename M>
void ExpectWalk(Trial& trial, const M& memtable, bool forwards, size_t least) {
  typename M::Cursor cursor(&memtable);
  forwards ? cursor.SeekToFirst() : cursor.SeekToLast();
  Record last;
  size_t met = 0;
  for (; cursor.Valid(); forwards ? cursor.Next() : cursor.Prev()) {
    const Record record = cursor.record();
    trial.Expect(IsWhole(record), "what a cursor meets is whole");
    if (met++ > 0) {
      const int order = CompareInternal(last.key, last.sequence, record.key, record.sequence);
      trial.Expect(forwards ? order < 0 : order > 0, "a cursor meets records in order");
    }
    last = record;
    if (met > 32) return trial.Expect(false, "a walk ends");
  }
  trial.Expect(met >= least, "a walk meets all that was there before");
}

// Whoever hears of an insert finds the record: the engine's publication of a sequence number.
template <typename Trial, typename M>
void InsertThenPublish(Trial& trial, M& memtable, std::string_view key) {
  Atomic<bool> published = false;
  trial.Run({[&] {
               memtable.Insert(RecordOf(key, 20));
               published.store(true, std::memory_order_release);  // pairs with the load below
             },
             [&] {
               if (published.load(std::memory_order_acquire)) ExpectFound(trial, memtable, key);
             }});
}

// Whoever has found a record finds it again.
template <typename Trial, typename M>
void FindTwice(Trial& trial, M& memtable, std::string_view key) {
  trial.Run({[&] { memtable.Insert(RecordOf(key, 20)); },
             [&] {
               Record found;
               if (memtable.Get(key, kMaxSequence, &found)) ExpectFound(trial, memtable, key);
             }});
}

}  // namespace kv::memtable_interleaving

#endif  // KV_MEMTABLE_INTERLEAVING_TESTING_H_
