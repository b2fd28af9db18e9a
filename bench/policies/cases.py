"""The cases: for each policy of each slot, a load or two at which it should be the best choice.

Add a policy to the matrix (../matrix/policies.bzl), and a line here: cases_test.py refuses a policy
without a case. What runs beside it are all policies that the matrix has for the slot.

A case that its policy does not win is a finding about the policy. Change the case when the load is
not the one that the policy's header promises, never because of the result.
"""


class Slot:
    """Where the policies of a slot are combined, and what else the combination has."""

    def __init__(self, name, engine, beside=None):
        self.name = name
        self.engine = engine  # of the matrix; None: the policies are compositions
        self.beside = {**DEFAULTS, **(beside or {})}  # {slot: policy}


class Case:
    """A policy's claim. `title` says the load, for the table."""

    def __init__(self, slot, policy, title, workloads, figure="throughput", threads=1, num="200k",
                 value_size=100, min_time=None, extra=(), beside=None, without=None, limit=None):
        self.slot = slot
        self.policy = policy
        self.title = title
        self.workloads = workloads.split(",")  # the last one is measured
        self.figure = figure  # a name of figures.FIGURES
        self.threads = threads
        self.num = num
        self.value_size = value_size
        self.min_time = min_time
        self.extra = list(extra)
        self.beside = beside or {}  # {slot: policy}, in place of the slot's own
        self.without = without or {}  # {sibling: why it is no choice at this load}
        # (figure, bound): who exceeds it at the measured load is no choice either.
        self.limit = limit


DEFAULTS = {
    "Memtable": "bplus_tree",
    "Compaction": "leveled",
    "Striping": "hashed256",
    "Commit": "none",
    "Filter": "blocked_bloom",
    "Cache": "none",
    "Compression": "none",
    "Reading": "mmap",
    "Values": "inline",
    "Expiry": "absolute",
    "Sharding": "hashed256",
}

SLOTS = [
    Slot("Engine", None),
    Slot("Memtable", "lsm"),
    Slot("Compaction", "lsm"),
    Slot("Striping", "lsm"),
    Slot("Commit", "lsm"),
    Slot("WalCompression", "lsm_wal"),
    Slot("Filter", "lsm_table"),
    Slot("Cache", "lsm_table", {"Compression": "zstd"}),
    Slot("Compression", "lsm_table", {"Cache": "clock"}),
    Slot("Reading", "lsm_table"),
    Slot("Values", "lsm_values"),
    Slot("Expiry", "lsm_table"),
    Slot("Sharding", "memory"),
]

# The compositions of slot "Engine": one for each engine.
ENGINES = ["memory", "memory_ordered", "lsm_leveled_unsynced", "log_unsynced", "btree_unsynced"]

_VOLATILE = dict.fromkeys(["memory", "memory_ordered"], "its writes are gone with the process")
_NOT_ON_RETURN = "a put that has returned may be lost"
_NEVER_SYNCED = "what may be lost is not bounded"
_DROPS = "drops data beyond its window"

# Everything in one memtable.
_IN_MEMTABLE = ["--memtable_mb=512"]
# Many flushes of few records, and more data than level 1 should have.
_SMALL_MEMTABLE = ["--memtable_mb=4"]
_CAS = {"num": "1k", "min_time": "1s", "threads": 10, "beside": {"Commit": "group"}}

CASES = [
    Case("Engine", "memory", "point reads of data that may be lost", "filluniquerandom,readrandom",
         min_time="1s"),
    Case("Engine", "memory", "updates and reads of data that may be lost (YCSB A)", "ycsb_a",
         min_time="1s"),
    Case("Engine", "memory_ordered", "scans beside inserts of data that may be lost (YCSB E)",
         "ycsb_e", min_time="1s"),
    Case("Engine", "lsm_leveled_unsynced", "random puts that outlive the process", "fillrandom",
         num="1M", without=_VOLATILE),
    Case("Engine", "log_unsynced", "random overwrites of 1 KB that outlive the process",
         "filluniquerandom,overwrite", num="200k", value_size=1000, without=_VOLATILE),
    Case("Engine", "btree_unsynced", "scans of 10 after random overwrites that outlive the process",
         "filluniquerandom,overwrite,seekrandom", num="500k", extra=["--reads=500k"],
         without=_VOLATILE),

    Case("Memtable", "bplus_tree", "scans of 10 among what is not flushed yet",
         "filluniquerandom,seekrandom", num="500k", min_time="1s", extra=_IN_MEMTABLE),
    Case("Memtable", "skip_list", "memory of records with random keys that are not flushed yet",
         "filluniquerandom", figure="memory", num="500k", value_size=20, extra=_IN_MEMTABLE),
    Case("Memtable", "hash", "point reads of what is not flushed yet",
         "filluniquerandom,readrandom", num="500k", min_time="1s", extra=_IN_MEMTABLE),
    Case("Memtable", "hash", "point reads of long keys that begin alike, not flushed yet",
         "fillpaths,readpaths", num="500k", min_time="1s", extra=_IN_MEMTABLE),
    Case("Memtable", "art", "point reads of what is not flushed yet, in stores that scan it",
         "filluniquerandom,readrandom", num="500k", min_time="1s", extra=_IN_MEMTABLE,
         without={"hash": "sorts the memtable for each scan"}),

    Case("Compaction", "leveled", "scans of 10 beside leftovers of random overwrites",
         "fillrandom,overwrite,seekrandom", num="500k", extra=_SMALL_MEMTABLE + ["--reads=100k"]),
    Case("Compaction", "tiered", "random overwrites, of stores below 6 bytes a live one",
         "filluniquerandom,overwrite", figure="write amplification", num="1M",
         extra=_SMALL_MEMTABLE + ["--reads=6M"], limit=("space", 6.0)),
    Case("Compaction", "lazy_leveled", "random overwrites, of stores below 2 bytes a live one",
         "filluniquerandom,overwrite", figure="write amplification", num="1M",
         extra=_SMALL_MEMTABLE + ["--reads=6M"], limit=("space", 2.0)),
    # 450 MB are put: who drops nothing exceeds the limit, whatever the speed of the fill.
    Case("Compaction", "fifo", "points of 1000 series that expire after 0.5 s, in 250 MB",
         "fillseries", figure="write amplification", num="3M", extra=_SMALL_MEMTABLE,
         limit=("disk", 250)),
    Case("Compaction", "none", "a first fill with random keys", "filluniquerandom", num="2M",
         extra=_SMALL_MEMTABLE, without={"fifo": _DROPS}),

    Case("Striping", "single", "batches of 10 puts, one thread", "filluniquerandom,putbatch",
         min_time="1s", extra=_IN_MEMTABLE + ["--batch_size=10"]),
    Case("Striping", "hashed16", "counters, compare-and-set by 4 threads, durable", "cas",
         **{**_CAS, "threads": 4}),
    Case("Striping", "hashed256", "counters, compare-and-set by 10 threads, durable", "cas",
         **_CAS),

    Case("Commit", "none", "random puts that may be lost", "overwrite", num="100k", threads=4,
         min_time="1s"),
    Case("Commit", "every_write", "durable puts of one thread", "overwrite", num="10k",
         min_time="1s", without={"none": _NEVER_SYNCED, "interval": _NOT_ON_RETURN}),
    Case("Commit", "group", "durable puts of 10 threads", "overwrite", num="10k", threads=10,
         min_time="1s", without={"none": _NEVER_SYNCED, "interval": _NOT_ON_RETURN}),
    Case("Commit", "pipelined", "durable batches of 1000 puts of 1 KB, 4 threads", "putbatch",
         num="20k", value_size=1000, threads=4, min_time="1s", extra=["--batch_size=1000"],
         without={"none": _NEVER_SYNCED, "interval": _NOT_ON_RETURN}),
    Case("Commit", "interval", "random puts of 4 threads, of which the last 100 ms may be lost",
         "overwrite", num="100k", threads=4, min_time="1s", without={"none": _NEVER_SYNCED}),

    Case("WalCompression", "none", "puts of 1 KB that may be lost", "overwrite", num="20k",
         value_size=1024, min_time="1s"),
    Case("WalCompression", "zstd", "bytes of the log at puts of 1 KB of letters and digits",
         "overwrite", figure="log bytes", num="20k", value_size=1024, min_time="500ms",
         extra=["--value_text=alphanumeric"]),

    Case("Filter", "none", "scans only: the files are smaller", "filluniquerandom,compact,readseq",
         figure="disk", num="500k", extra=["--reads=100k"]),
    Case("Filter", "blocked_bloom", "random overwrites of stores that are asked for absent keys",
         "fillrandom,overwrite", num="2M", value_size=20, extra=_SMALL_MEMTABLE,
         without={"none": "each get of an absent key searches every table"}),
    Case("Filter", "blocked_bloom", "gets of absent keys, several runs",
         "fillrandom,overwrite,readmissing", num="500k", extra=_SMALL_MEMTABLE),
    Case("Filter", "binary_fuse", "gets of absent keys, where a block is read and decompressed for "
         "each false positive", "filluniquerandom,compact,readmissing", num="500k", min_time="1s",
         beside={"Compression": "zstd", "Reading": "pread"}),

    Case("Cache", "none", "memory of a scan through compressed blocks",
         "filluniquerandom,compact,readseq", figure="memory", num="500k"),
    Case("Cache", "clock", "Zipf reads of compressed blocks that fit, 2 threads",
         "fillrandom,compact,ycsb_c", threads=2, num="50k", min_time="1s"),
    Case("Cache", "lru", "readers that follow each other through compressed blocks of a record",
         "filluniquerandom,compact,readfollowing", figure="hit ratio", num="20k", value_size=4000,
         extra=["--cache_mb=8", "--reads=200k"]),
    Case("Cache", "s3_fifo", "Zipf reads with scans between, of ten times the cache",
         "filluniquerandom,compact,readscans", figure="hit ratio", num="500k", min_time="1s",
         extra=["--cache_mb=8"]),

    Case("Compression", "none", "random reads of data that fits in memory",
         "filluniquerandom,compact,readrandom", num="500k", min_time="1s",
         extra=["--cache_mb=8"]),
    Case("Compression", "zstd", "random overwrites of 1 KB, of stores below 1 byte a live one",
         "fillrandom,overwrite", num="100k", value_size=1000, extra=_SMALL_MEMTABLE,
         limit=("space", 1.0)),
    Case("Compression", "zstd_dictionary", "bytes on disk of short values that resemble each other",
         "fillpaths,compact", figure="disk", num="500k", value_size=20,
         extra=["--value_text=alphanumeric"]),

    Case("Reading", "mmap", "random reads of data that fits in memory",
         "filluniquerandom,compact,readrandom", num="500k", min_time="1s"),
    Case("Reading", "pread", "resident memory after random reads of a large store",
         "filluniquerandom,compact,readrandom", figure="memory", num="2M",
         extra=["--cache_mb=8", "--reads=500k"], beside={"Cache": "clock"}),

    Case("Values", "inline", "scans of 10 among values of 1 KiB", "filluniquerandom,seekrandom",
         num="100k", value_size=1024, min_time="1s"),
    Case("Values", "separated", "random overwrites of 16 KB", "filluniquerandom,overwrite",
         figure="write amplification", num="10k", value_size=16384,
         extra=_SMALL_MEMTABLE + ["--reads=30k"]),

    Case("Expiry", "none", "scans of records that never expire",
         "filluniquerandom,compact,readseq", num="500k", value_size=20, min_time="1s"),
    Case("Expiry", "absolute", "points that expire after 0.5 s", "fillseries", num="500k"),

    Case("Sharding", "hashed1", "batches of 10 puts, one thread", "filluniquerandom,putbatch",
         num="1k", min_time="1s", extra=["--batch_size=10"]),
    Case("Sharding", "hashed16", "random puts by 4 threads, few processors",
         "filluniquerandom,overwrite", threads=4, num="50k", min_time="1s"),
    Case("Sharding", "hashed256", "updates and reads by 4 threads", "ycsb_a", threads=4, num="50k",
         min_time="1s"),
]
