// Index: names one registration of a slot, as long as it lives.
//
// A slot is a place that is used again; its generation says by whom. Whoever still holds the Index
// of an earlier use is told so, and harms nobody. Generations begin at 1, so Index{} names nothing.
//
// Thread safety: a value.
#ifndef COORD_INDEX_H_
#define COORD_INDEX_H_

#include <cstdint>

namespace coord {

struct Index {
  uint32_t slot = 0;
  uint32_t generation = 0;

  friend bool operator==(const Index&, const Index&) = default;
};

static_assert(sizeof(Index) == sizeof(uint64_t));

}  // namespace coord

#endif  // COORD_INDEX_H_
