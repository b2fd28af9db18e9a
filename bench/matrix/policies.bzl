"""The policies of each slot that the matrix combines: the one list of them.

Of each engine of MATRIX, every combination of one policy for each slot is a bench binary
//bench/matrix:<engine>__<policy>__<policy>..., compiled when somebody asks for it. An engine with
many slots is several there: one for each group of slots that decide the same thing, with the first
policy of every other slot. To add a policy, add its line here and run

    python3 bench/matrix/pairwise.py

which writes covering.bzl anew: combinations of COMBINED, in which every pair of policies of two
slots meets that meets in no composition of //engines/compositions. The script reads this file as
Python, so here are only values.

A policy is its header and its type in namespace kv. `fixed` are the policies of the slots that do
not vary; it may name others, too.
"""

_STRIPING = {
    "hashed256": ("kv/striping/hashed.h", "HashedStripes<256>"),
    "hashed16": ("kv/striping/hashed.h", "HashedStripes<16>"),
    "single": ("kv/striping/single.h", "SingleStripe"),
}

_COMMIT = {
    "none": ("kv/commit/none.h", "NoCommit"),
    "every_write": ("kv/commit/every_write.h", "EveryWriteCommit"),
    "group": ("kv/commit/group.h", "GroupCommit<>"),
    "pipelined": ("kv/commit/pipelined.h", "PipelinedCommit"),
    "interval": ("kv/commit/interval.h", "IntervalCommit<>"),
}

_EXPIRY = {
    "absolute": ("kv/expiry/absolute.h", "AbsoluteExpiry"),
    "none": ("kv/expiry/none.h", "NoExpiry"),
}

_LSM = {
    # What happens to writes.
    "Memtable": {
        "bplus_tree": ("kv/memtable/bplus_tree.h", "BPlusTreeMemtable"),
        "skip_list": ("kv/memtable/skip_list.h", "SkipListMemtable"),
        "hash": ("kv/memtable/hash.h", "HashMemtable"),
        "art": ("kv/memtable/art.h", "ArtMemtable"),
    },
    "Compaction": {
        "leveled": ("kv/compaction/leveled.h", "LeveledCompaction<>"),
        "tiered": ("kv/compaction/tiered.h", "TieredCompaction<>"),
        "lazy_leveled": ("kv/compaction/lazy_leveled.h", "LazyLeveledCompaction<>"),
        "fifo": ("kv/compaction/fifo.h", "FifoCompaction<>"),
        "none": ("kv/compaction/none.h", "NoCompaction"),
    },
    "Striping": _STRIPING,
    "Commit": _COMMIT,
    "WalCompression": {
        "none": ("kv/compression/none.h", "NoCompression"),
        "zstd": ("kv/compression/zstd.h", "ZstdCompression<>"),
    },
    # What tables are, and how they are read.
    "Filter": {
        "blocked_bloom": ("kv/filter/blocked_bloom.h", "BlockedBloomFilter<10>"),
        "none": ("kv/filter/none.h", "NoFilter"),
        "binary_fuse": ("kv/filter/binary_fuse.h", "BinaryFuseFilter<8>"),
    },
    "Cache": {
        "none": ("kv/cache/none.h", "NoCache"),
        "clock": ("kv/cache/clock.h", "ClockCache"),
        "lru": ("kv/cache/lru.h", "LruCache"),
        "s3_fifo": ("kv/cache/s3_fifo.h", "S3FifoCache"),
    },
    "Compression": {
        "none": ("kv/compression/none.h", "NoCompression"),
        "zstd": ("kv/compression/zstd.h", "ZstdCompression<>"),
        "zstd_dictionary": (
            "kv/compression/zstd.h",
            "ZstdCompression<ZstdShape{.dictionary_bytes = 16 << 10}>",
        ),
    },
    "Reading": {
        "mmap": ("kv/reading/mmap.h", "MmapReading"),
        "pread": ("kv/reading/pread.h", "PreadReading"),
    },
    "Values": {
        "inline": ("kv/values/inline.h", "InlineValues"),
        "separated": ("kv/values/separated.h", "SeparatedValues<>"),
    },
    "Expiry": _EXPIRY,
}

# The slots of each group. The bytes of one group do not depend on the policies of another.
_LSM_GROUPS = {
    "lsm": ("Memtable", "Compaction", "Striping", "Commit"),
    "lsm_wal": ("WalCompression",),
    "lsm_table": ("Filter", "Cache", "Compression", "Reading", "Expiry"),
    "lsm_values": ("Values", "Compaction"),
}

_OTHERS = {
    "log": struct(
        header = "engines/log/engine.h",
        type = "LogStructured",
        slots = {
            "Commit": _COMMIT,
            "Expiry": _EXPIRY,
        },
        fixed = {
            "Merge": ("kv/merge/dead_ratio.h", "DeadRatioMerge<>"),
            "Striping": ("kv/striping/hashed.h", "HashedStripes<256>"),
        },
    ),
    "btree": struct(
        header = "engines/btree/engine.h",
        type = "Btree",
        slots = {
            "Commit": _COMMIT,
            "Expiry": _EXPIRY,
        },
        fixed = {
            "Pages": ("engines/btree/shape.h", "BtreePages<>"),
            "Striping": ("kv/striping/hashed.h", "HashedStripes<256>"),
        },
    ),
    "memory": struct(
        header = "engines/memory/hash_engine.h",
        type = "HashMemory",
        slots = {
            "Sharding": {
                "hashed1": ("engines/memory/sharding.h", "HashedShards<1>"),
                "hashed16": ("engines/memory/sharding.h", "HashedShards<16>"),
                "hashed256": ("engines/memory/sharding.h", "HashedShards<256>"),
            },
            "Expiry": _EXPIRY,
        },
        fixed = {},
    ),
    "memory_ordered": struct(
        header = "engines/memory/ordered_engine.h",
        type = "OrderedMemory",
        slots = {
            "Memtable": {
                "bplus_tree": ("kv/memtable/bplus_tree.h", "BPlusTreeMemtable"),
                "skip_list": ("kv/memtable/skip_list.h", "SkipListMemtable"),
                "art": ("kv/memtable/art.h", "ArtMemtable"),
            },
            "Expiry": _EXPIRY,
        },
        fixed = {},
    ),
}

MATRIX = dict({
    group: struct(
        header = "engines/lsm/engine.h",
        type = "Lsm",
        slots = {slot: _LSM[slot] for slot in slots},
        fixed = {slot: list(_LSM[slot].values())[0] for slot in _LSM if slot not in slots},
    )
    for group, slots in _LSM_GROUPS.items()
}, **_OTHERS)

COMBINED = dict({
    "lsm_all": struct(
        header = "engines/lsm/engine.h",
        type = "Lsm",
        slots = _LSM,
        fixed = {},
    ),
}, **_OTHERS)
