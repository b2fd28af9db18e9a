"""The list of compositions. Nothing else lists them.

Of each entry `x`, with its header engines/compositions/x.h and its type kv::<type>, macros make
//bench:x (the benchmark), //engines/compositions:x_conformance_test, and, where it is durable,
:x_kill_test (a writer killed at random) and :x_crash_test (power cut on the simulated disk).
"""

def _composition(name, type, engine, durable = False):
    return struct(name = name, type = type, engine = engine, durable = durable)

def _lsm(name, type):
    return _composition(name = name, type = type, engine = "lsm", durable = True)

def _btree(name, type):
    return _composition(name = name, type = type, engine = "btree", durable = True)

def _log(name, type):
    return _composition(name = name, type = type, engine = "log", durable = True)

COMPOSITIONS = [
    _btree(name = "btree", type = "BtreeDurable"),
    _btree(name = "btree_unsynced", type = "BtreeUnsynced"),
    _composition(name = "memory", type = "Memory", engine = "memory"),
    _composition(name = "memory_ordered", type = "MemoryOrdered", engine = "memory"),
    _lsm(name = "lsm_leveled", type = "LsmLeveled"),
    _lsm(name = "lsm_leveled_skiplist", type = "LsmLeveledSkiplist"),
    _lsm(name = "lsm_leveled_hash", type = "LsmLeveledHash"),
    _lsm(name = "lsm_leveled_art", type = "LsmLeveledArt"),
    _lsm(name = "lsm_leveled_fuse", type = "LsmLeveledFuse"),
    _lsm(name = "lsm_leveled_every_write", type = "LsmLeveledEveryWrite"),
    _lsm(name = "lsm_leveled_unsynced", type = "LsmLeveledUnsynced"),
    _lsm(name = "lsm_leveled_pipelined", type = "LsmLeveledPipelined"),
    _lsm(name = "lsm_leveled_interval", type = "LsmLeveledInterval"),
    _lsm(name = "lsm_leveled_zstd", type = "LsmLeveledZstd"),
    _lsm(name = "lsm_leveled_pread", type = "LsmLeveledPread"),
    _lsm(name = "lsm_tiered", type = "LsmTiered"),
    _lsm(name = "lsm_lazy_leveled", type = "LsmLazyLeveled"),
    _lsm(name = "lsm_fifo", type = "LsmFifo"),
    _lsm(name = "lsm_append", type = "LsmAppend"),
    _lsm(name = "lsm_separated", type = "LsmSeparated"),
    _log(name = "log", type = "Log"),
    _log(name = "log_unsynced", type = "LogUnsynced"),
]
