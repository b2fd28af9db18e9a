// CheckMemtableSequential<M>(seed): what one thread can see of the Memtable concept. Part of
// kv/memtable/conformance.h.
//
// Every answer is compared with MemtableArchetype's: an empty memtable; keys at the edges of the
// encoding; a large value; random histories over keys of several shapes, with gets, seeks and moves
// both ways all along them, and whole walks at the end.
#ifndef KV_MEMTABLE_CONFORMANCE_SEQUENTIAL_H_
#define KV_MEMTABLE_CONFORMANCE_SEQUENTIAL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/memtable/archetype.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/conformance_report.h"

namespace kv {

namespace memtable_conformance {

inline absl::Status Mismatch(std::string_view where, const Record* expected, const Record* got) {
  return Failure(fmt::format("{}: expected {}, got {}", where,
                             expected == nullptr ? "nothing" : Show(*expected),
                             got == nullptr ? "nothing" : Show(*got)));
}

template <typename M>
absl::Status CheckGet(const M& memtable, const MemtableArchetype& reference, std::string_view key,
                      Sequence at) {
  Record expected;
  Record got;
  const bool in_reference = reference.Get(key, at, &expected);
  const bool in_memtable = memtable.Get(key, at, &got);
  if (in_reference != in_memtable || (in_reference && expected != got)) {
    return Mismatch(fmt::format("Get at {}", at), in_reference ? &expected : nullptr,
                    in_memtable ? &got : nullptr);
  }
  return absl::OkStatus();
}

template <typename C>
absl::Status CheckSamePlace(std::string_view where, const C& cursor,
                            const MemtableArchetype::Cursor& expected) {
  KV_RETURN_IF_ERROR(absl::Status(cursor.status()));
  if (cursor.Valid() == expected.Valid()) {
    if (!cursor.Valid() || Record(cursor.record()) == expected.record()) return absl::OkStatus();
  }
  const Record want = expected.Valid() ? expected.record() : Record{};
  const Record got = cursor.Valid() ? Record(cursor.record()) : Record{};
  return Mismatch(where, expected.Valid() ? &want : nullptr, cursor.Valid() ? &got : nullptr);
}

// Walks the whole of both, forwards and backwards.
template <typename M>
absl::Status CheckWalks(const M& memtable, const MemtableArchetype& reference) {
  typename M::Cursor cursor(&memtable);
  MemtableArchetype::Cursor expected(&reference);
  if (cursor.Valid()) return Failure("a new cursor is valid");
  cursor.SeekToFirst();
  expected.SeekToFirst();
  KV_RETURN_IF_ERROR(CheckSamePlace("SeekToFirst", cursor, expected));
  while (expected.Valid()) {
    cursor.Next();
    expected.Next();
    KV_RETURN_IF_ERROR(CheckSamePlace("Next", cursor, expected));
  }
  cursor.SeekToLast();
  expected.SeekToLast();
  KV_RETURN_IF_ERROR(CheckSamePlace("SeekToLast", cursor, expected));
  while (expected.Valid()) {
    cursor.Prev();
    expected.Prev();
    KV_RETURN_IF_ERROR(CheckSamePlace("Prev", cursor, expected));
  }
  return absl::OkStatus();
}

// Seeks, then `steps` moves either way.
template <typename C>
absl::Status CheckSeek(C& cursor, MemtableArchetype::Cursor expected, std::string_view key,
                       Sequence at, int steps, Random* random) {
  cursor.Seek(key, at);
  expected.Seek(key, at);
  KV_RETURN_IF_ERROR(CheckSamePlace(fmt::format("Seek to {}", at), cursor, expected));
  const bool mostly_back = (*random)() % 2 == 0;
  for (int i = 0; i < steps && expected.Valid(); ++i) {
    if (((*random)() % 4 == 0) != mostly_back) {
      cursor.Prev();
      expected.Prev();
      KV_RETURN_IF_ERROR(CheckSamePlace("Prev after Seek", cursor, expected));
    } else {
      cursor.Next();
      expected.Next();
      KV_RETURN_IF_ERROR(CheckSamePlace("Next after Seek", cursor, expected));
    }
  }
  return absl::OkStatus();
}

// The same with a new cursor.
template <typename M>
absl::Status CheckSeek(const M& memtable, const MemtableArchetype& reference, std::string_view key,
                       Sequence at, int steps, Random* random) {
  typename M::Cursor cursor(&memtable);
  return CheckSeek(cursor, MemtableArchetype::Cursor(&reference), key, at, steps, random);
}

template <typename M>
absl::Status CheckEmpty() {
  const M memtable;
  const MemtableArchetype reference;
  Random random(1);
  if (memtable.Entries() != 0) return Failure("a new memtable has entries");
  for (const std::string_view key : {"", "a"}) {
    KV_RETURN_IF_ERROR(CheckGet(memtable, reference, key, kMaxSequence));
    KV_RETURN_IF_ERROR(CheckSeek(memtable, reference, key, kMaxSequence, 1, &random));
  }
  return CheckWalks(memtable, reference);
}

// Keys at the edges of the encoding, several versions of each, in an order drawn from the seed.
template <typename M>
absl::Status CheckBoundaries(uint64_t seed) {
  using std::string_literals::operator""s;
  Random random(seed);
  std::vector<std::string> keys = {"",
                                   "\0"s,
                                   "\0\0"s,
                                   "a",
                                   "a\0"s,
                                   "a\0\0"s,
                                   "a\0b"s,
                                   "aaaaaaa",
                                   "aaaaaaa\0"s,
                                   "aaaaaaaa",
                                   "aaaaaaaa\0"s,
                                   "aaaaaaaab",
                                   "aaaaaaaac",
                                   "\xff"s,
                                   "\xff\xff"s,
                                   std::string(7, '\xff'),
                                   std::string(8, '\xff'),
                                   std::string(9, '\xff'),
                                   std::string(8, '\0'),
                                   std::string(9, '\0'),
                                   "\x7f"s,
                                   "\x80"s,
                                   "\x7f\xff"s,
                                   "\x80\0"s};
  keys.push_back(std::string(size_t{64} << 10, 'k'));
  keys.push_back(std::string((size_t{64} << 10) - 1, 'k'));
  keys.push_back(std::string((size_t{64} << 10) - 1, 'k') + "l");
  // As many neighbours below one prefix as make nodes split there, shorter keys among them.
  for (int i = 0; i < 600; ++i) {
    keys.push_back("prefix/that/is/long/" + std::to_string(i));
    keys.push_back(std::string(static_cast<size_t>(i), 'z'));
  }
  keys.push_back("prefix/that/is/long/");
  keys.push_back("prefix/that/is/long/\0"s);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());

  std::vector<std::pair<size_t, Sequence>> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    for (const Sequence sequence : {Sequence{0}, Sequence{1}, Sequence{255}, kMaxSequence}) {
      places.emplace_back(i, sequence);
    }
  }
  std::shuffle(places.begin(), places.end(), random);

  M memtable;
  MemtableArchetype reference;
  const std::string values[] = {"", "\0"s, "v", std::string(65535, 'w'), std::string(65536, 'x')};
  for (const auto& [index, sequence] : places) {
    Record record{keys[index], "", sequence, kNeverExpires, RecordKind::kTombstone};
    if (random() % 4 != 0) {
      // The two large ones are rare, or they would be all that this takes time for.
      record.value = values[random() % 64 == 0 ? 3 + random() % 2 : random() % 3];
      record.kind = RecordKind::kValue;
      record.expires_at = random() % 2 == 0 ? kNeverExpires : random() | 1;
    }
    memtable.Insert(record);
    reference.Insert(record);
  }
  if (memtable.Entries() != places.size()) return Failure("Entries is not the number inserted");
  // One cursor for all of them: nothing is inserted meanwhile.
  typename M::Cursor cursor(&memtable);
  using Reference = MemtableArchetype::Cursor;
  for (const std::string& key : keys) {
    for (const Sequence at : {Sequence{0}, Sequence{1}, Sequence{2}, Sequence{254}, Sequence{255},
                              Sequence{256}, kMaxSequence - 1, kMaxSequence}) {
      KV_RETURN_IF_ERROR(CheckGet(memtable, reference, key, at));
      KV_RETURN_IF_ERROR(CheckSeek(cursor, Reference(&reference), key, at, 2, &random));
    }
    const std::string behind = key + '\0';
    KV_RETURN_IF_ERROR(CheckGet(memtable, reference, behind, kMaxSequence));
    KV_RETURN_IF_ERROR(CheckSeek(cursor, Reference(&reference), behind, kMaxSequence, 2, &random));
  }
  return CheckWalks(memtable, reference);
}

template <typename M>
absl::Status CheckLargeValue() {
  M memtable;
  std::string value(size_t{5} << 20, 'v');
  value.front() = 'f';
  value.back() = 'b';
  const size_t before = memtable.MemoryBytes();
  memtable.Insert({"large", value, 7});
  memtable.Insert({"small", "s", 8});
  Record found;
  if (!memtable.Get("large", kMaxSequence, &found) || found.value != value) {
    return Failure("a value of 5 MiB did not come back");
  }
  if (!memtable.Get("small", 8, &found) || found.value != "s") {
    return Failure("a small value behind a large one did not come back");
  }
  if (memtable.MemoryBytes() < before + value.size()) {
    return Failure("MemoryBytes does not count a value of 5 MiB");
  }
  return absl::OkStatus();
}

// How a history draws its keys.
struct KeyShape {
  std::string_view name;
  std::string prefix;
  uint64_t space;  // distinct keys
  bool decimal;    // digits, as YCSB has, else 8 random bytes
  bool ascending;  // one behind the other, with some strays
};

inline std::string DrawKey(const KeyShape& shape, uint64_t step, Random* random) {
  const uint64_t number =
      shape.ascending && (*random)() % 16 != 0 ? step : (*random)() % shape.space;
  if (shape.decimal) return shape.prefix + fmt::format("{:012}", number);
  // Scrambled, so that neighbours in number are not neighbours in order.
  const uint64_t scrambled = shape.ascending ? number : number * 0x9e3779b97f4a7c15;
  char bytes[8];
  StoreBig64(bytes, scrambled);
  // Some lose their tail, so that one is a prefix of another.
  return shape.prefix + std::string(bytes, scrambled % 5 == 0 ? scrambled % 8 : 8);
}

// A random history against the reference, with reads all along it.
template <typename M>
absl::Status CheckHistory(uint64_t seed, const KeyShape& shape, int inserts) {
  Random random(seed);
  M memtable;
  MemtableArchetype reference;
  std::string scratch;  // reused, so a memtable that keeps a view of it shows
  Sequence sequence = 0;
  for (int i = 0; i < inserts; ++i) {
    scratch = DrawKey(shape, static_cast<uint64_t>(i), &random);
    const std::string value(random() % 40, static_cast<char>('a' + i % 26));
    // Several keys may share a sequence number, one key may not have it twice.
    sequence += random() % 4;
    Record newest;
    if (reference.Get(scratch, kMaxSequence, &newest) && newest.sequence == sequence) ++sequence;
    const bool tombstone = random() % 8 == 0;
    const Record record{scratch, tombstone ? std::string_view() : value, sequence,
                        random() % 8 == 0 ? random() : kNeverExpires,
                        tombstone ? RecordKind::kTombstone : RecordKind::kValue};
    const size_t bytes = memtable.MemoryBytes();
    memtable.Insert(record);
    reference.Insert(record);
    if (memtable.MemoryBytes() < bytes) return Failure("MemoryBytes fell");
    KV_RETURN_IF_ERROR(CheckGet(memtable, reference, scratch, sequence));
    if (i % 4 == 0) {
      const std::string key = DrawKey(shape, random() % static_cast<uint64_t>(i + 2), &random);
      const Sequence at = random() % (sequence + 2);
      KV_RETURN_IF_ERROR(CheckGet(memtable, reference, key, at));
      KV_RETURN_IF_ERROR(CheckGet(memtable, reference, key, kMaxSequence));
      // Where a seek may sort all records, there are fewer of them, and longer walks.
      if (M::kOrdered || i % 64 == 0) {
        KV_RETURN_IF_ERROR(CheckSeek(memtable, reference, key, at, i % 64 == 0 ? 150 : 3, &random));
      }
    }
  }
  if (memtable.Entries() != static_cast<size_t>(inserts)) {
    return Failure("Entries is not the number inserted");
  }
  return CheckWalks(memtable, reference);
}

}  // namespace memtable_conformance

template <Memtable M>
absl::Status CheckMemtableSequential(uint64_t seed) {
  using memtable_conformance::KeyShape;
  KV_RETURN_IF_ERROR(memtable_conformance::CheckEmpty<M>());
  KV_RETURN_IF_ERROR(memtable_conformance::CheckBoundaries<M>(seed));
  KV_RETURN_IF_ERROR(memtable_conformance::CheckLargeValue<M>());
  const std::string shared = "tenant/0042/rows/";
  const KeyShape shapes[] = {
      {"few keys, many versions", "", 20, false, false},
      {"scattered keys", "", 1 << 20, false, false},
      {"scattered keys below a prefix", shared, 1 << 20, false, false},
      {"decimal keys", "user", 4000, true, false},
      {"ascending keys", "", 1 << 20, false, true},
      {"ascending decimal keys below a prefix", shared, 3000, true, true},
  };
  for (const KeyShape& shape : shapes) {
    absl::Status status = memtable_conformance::CheckHistory<M>(seed, shape, 8000);
    if (!status.ok()) {
      return absl::Status(status.code(), fmt::format("{} (seed {}): {}", shape.name, seed,
                                                     std::string_view(status.message().data(),
                                                                      status.message().size())));
    }
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_MEMTABLE_CONFORMANCE_SEQUENTIAL_H_
