// Embeds a store of one's own composition. README.md shows the part between the markers.
#include <iostream>

// [README]
#include "engines/lsm/engine.h"
#include "kv/cache/clock.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/zstd.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

struct ArchiveParts {
  using Memtable = kv::BPlusTreeMemtable;
  using Compaction = kv::LeveledCompaction<kv::LeveledShape{.l0_trigger = 8}>;
  using Striping = kv::HashedStripes<64>;
  using Commit = kv::GroupCommit<>;
  using Filter = kv::BlockedBloomFilter<12>;
  using Cache = kv::ClockCache;
  using Compression = kv::ZstdCompression<kv::ZstdShape{.level = 3}>;
  using WalCompression = kv::ZstdCompression<>;
  using Reading = kv::MmapReading;
  using Values = kv::InlineValues;
  using Expiry = kv::AbsoluteExpiry;
};
using Archive = kv::Lsm<ArchiveParts>;

int main(int argc, char** argv) {
  auto store = Archive::Open({.directory = argc > 1 ? argv[1] : "archive"});
  if (!store.ok()) return std::cerr << store.status() << "\n", 1;
  if (auto put = (*store)->Put("stone", "cut"); !put.ok()) return std::cerr << put << "\n", 1;
  std::string value;
  if (auto get = (*store)->Get("stone", &value); !get.ok()) return std::cerr << get << "\n", 1;
  std::cout << "stone = " << value << "\n";
}
// [README]
