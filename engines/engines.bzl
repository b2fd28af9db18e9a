"""The list of compositions. Nothing else lists them.

Of each entry `x`, with its header engines/compositions/x.h and its type kv::<type>, macros make
//bench:x (the benchmark), //engines/compositions:x_conformance_test, and, where it is durable,
:x_kill_test (a writer killed at random) and :x_crash_test (power cut on the simulated disk).
"""

COMPOSITIONS = [
    struct(name = "memory", type = "Memory", engine = "memory", durable = False),
    struct(name = "memory_ordered", type = "MemoryOrdered", engine = "memory", durable = False),
    struct(name = "lsm_leveled", type = "LsmLeveled", engine = "lsm", durable = True),
    struct(name = "lsm_leveled_skiplist", type = "LsmLeveledSkiplist", engine = "lsm", durable = True),
    struct(name = "lsm_leveled_every_write", type = "LsmLeveledEveryWrite", engine = "lsm", durable = True),
    struct(name = "lsm_leveled_unsynced", type = "LsmLeveledUnsynced", engine = "lsm", durable = True),
]
