"""The claims as data: what is run, what is held against what, and what the other side published.

An Experiment is one interleaved comparison; a Claim reads one figure out of it. A claim whose
systems are not in engines.bzl, the matrix or cases.cc is left out, so adding a composition
adds its rows. Counts are of every engine in engines.bzl: of the composition that is listed first.

Published figures: Orekvs (Rust), its performance report of 2026-01-28, on an Apple M2 Pro with 10
cores; AiKv (Rust), its benchmark report. Ours are measured on the machine at hand: ratios are held
against ratios, and times against times only where the other side published nothing else.
"""

MICRO = "//bench/claims:micro"


class Experiment:
    """Systems that run interleaved with the same flags."""

    def __init__(self, name, systems, workloads, threads=(1,), num="10k", value_size=None,
                 min_time="500ms", extra=(), micro=False):
        self.name = name
        self.systems = systems
        self.workloads = workloads
        self.threads = list(threads)
        self.num = num
        self.value_size = value_size
        self.min_time = min_time
        self.extra = list(extra)
        self.micro = micro


class Claim:
    """One figure. `kind` says which (judge.py): ratio, rate, nanos_per_batch or saving."""

    def __init__(self, title, experiment, kind, theirs, ours, against=None, workload=None,
                 threads=1, batch=1, conditions="", omits="", peer=None, explain=(),
                 value_size=None):
        self.title = title
        self.experiment = experiment
        self.kind = kind
        self.theirs = theirs
        self.ours = ours  # a system of the experiment
        self.against = against  # another, for ratios and savings
        self.workload = workload
        self.threads = threads
        self.batch = batch
        self.conditions = conditions
        self.omits = omits
        self.peer = peer  # the best other system of the experiment, quoted beside
        self.value_size = value_size  # where an explanation needs it
        self.explain = explain  # names of functions in judge.EXPLANATIONS, tried in order


_SINGLE = "lsm__bplus_tree__leveled__single__group"
_STRIPES_16 = "lsm__bplus_tree__leveled__hashed16__group"
_STRIPES_256 = "lsm__bplus_tree__leveled__hashed256__group"

_PREAD = "lsm_table__blocked_bloom__none__none__pread__absolute"
_PREAD_CACHED = "lsm_table__blocked_bloom__clock__none__pread__absolute"
_MAPPED = "lsm_table__blocked_bloom__none__none__mmap__absolute"

# The log without zstd and with it. Theirs is of 10 threads over 100 keys, and what the threads have
# pending is one block, as it is one record of ours where the commit policy groups. One put of 1 KB
# bears a table of codes alone, some six points: in their layout (24 bytes of time and lengths, key,
# value; zstd's level 3) such a block saves 19 %, and one of three puts 24 %.
_WAL_ALONE = ["lsm_wal__none", "lsm_wal__zstd"]
_WAL_GROUPED = ["lsm_leveled", "lsm_leveled_zstd"]

_COUNT_WORKLOADS = {"count_1_in_5": "20 %", "count_1_in_100": "1 %", "count_1_in_1000": "0.1 %",
                    "count_none": "0 %"}
# Counts a second, of 10,000 keys: {engine of engines.bzl: figures in the order above}.
_COUNT_THEIRS = {
    "memory": (11605, 12671, 27112, 24111),
    "log": (14885, 16711, 30651, 23853),
    "btree": (6099, 44763, 86356, 90181),
    "lsm": (4747, 130662, 1166181, 6106870),
}
# An engine of its own in all but the list: ordered, where the first of "memory" is not.
_COUNT_ALSO = ("memory_ordered",)
# What counts beside an engine in the same run, by the composition: the same kind of structure. An
# index of the log has no keys in it, so nothing of the standard kind is its peer.
_HASH_PEER, _ORDERED_PEER = "sharded_hash_map", "locked_ordered_map"
_COUNT_PEERS = {"memory": _HASH_PEER, "memory_ordered": _ORDERED_PEER, "btree": _ORDERED_PEER,
                "lsm_leveled": _ORDERED_PEER}
_MEMTABLE_THEIRS = {1: 2.48, 2: 5.78, 4: 7.33, 8: 6.07}
# Nanoseconds a batch.
_MSET_THEIRS = {10: 562, 100: 7500, 1000: 79000}
_MGET_THEIRS = {10: 310, 100: 3100, 1000: 41000}

_EXPERIMENTS = [
    Experiment("commit", ["lsm_leveled_every_write", "lsm_leveled"], ["overwrite"], threads=[10],
               num="100", value_size=20, min_time="1s"),
    Experiment("stripes", [_SINGLE, _STRIPES_16, _STRIPES_256], ["cas"], threads=[10], num="100",
               min_time="1s"),
    Experiment("memtables", ["locked_std_map", "locked_btree_map", "skip_list", "bplus_tree"],
               ["put_and_get"], threads=[1, 2, 4, 8], min_time="500ms", micro=True),
    # A small memtable, so that the records are in tables.
    Experiment("reading", [_PREAD, _PREAD_CACHED, _MAPPED], ["readrandom"], num="200k",
               extra=["--memtable_mb=1"]),
    Experiment("index", ["index_decoded", "index_kept"], ["table_get"], min_time="300ms",
               micro=True),
] + [
    Experiment("log of %s" % what, systems, [workload], threads=[threads], num="100",
               value_size=size, extra=["--value_text=alphanumeric"] + extra)
    for what, systems, workload, threads, size, extra in (
        ("20 B puts", _WAL_ALONE, "overwrite", 1, 20, []),
        ("1 KB puts by 10 threads", _WAL_GROUPED, "overwrite", 10, 1024, []),
        ("1 KB puts by 1 thread", _WAL_ALONE, "overwrite", 1, 1024, []),
        ("batches", _WAL_ALONE, "putbatch", 1, 20, ["--batch_size=100"]))
] + [
    Experiment("batches of %d" % batch, ["memory", _HASH_PEER],
               ["putbatch", "multireadrandom", "overwrite"], num="1k", value_size=16,
               min_time="300ms", extra=["--batch_size=%d" % batch])
    for batch in _MSET_THEIRS
]

_CLAIMS = [
    Claim("group commit against a sync for every write", "commit", "ratio", 4.4,
          ours="lsm_leveled", against="lsm_leveled_every_write", workload="overwrite", threads=10,
          conditions="10 threads put over 100 keys, 16 B keys, 20 B values, each durable",
          omits="a network in between; keys that differ between threads"),
    Claim("256 stripes against one, compare-and-set", "stripes", "ratio", 4.7, ours=_STRIPES_256,
          against=_SINGLE, workload="cas", threads=10,
          conditions="10 threads add 1 to 100 counters, 16 B keys, 8 B values, each durable",
          omits="failures of the expectation by other than other increments"),
    Claim("16 stripes against one, compare-and-set", "stripes", "ratio", None, ours=_STRIPES_16,
          against=_SINGLE, workload="cas", threads=10,
          conditions="10 threads add 1 to 100 counters, 16 B keys, 8 B values, each durable"),
] + [
    Claim("%s against a locked ordered map, %d + %d threads" % (label, threads, threads),
          "memtables", "ratio", theirs, ours=table, against="locked_std_map",
          workload="put_and_get", threads=threads, peer="locked_btree_map",
          conditions="10,000 keys a writer, 20 B keys, 20 B values; as many readers as writers",
          omits="a log, versions of a key, deletes, tables beyond the processor's caches",
          explain=["contention"])
    for table, label in (("skip_list", "skip list"), ("bplus_tree", "B+tree"))
    for threads, theirs in _MEMTABLE_THEIRS.items()
] + [
    Claim("mapped files against plain reads", "reading", "ratio", 2.65, ours=_MAPPED,
          against=_PREAD, workload="readrandom",
          conditions="200,000 records of 16 + 100 B in tables, page cache warm",
          omits="data beyond memory, the device"),
    Claim("plain reads with a block cache against those without", "reading", "ratio", None,
          ours=_PREAD_CACHED, against=_PREAD, workload="readrandom",
          conditions="200,000 records of 16 + 100 B in tables, page cache warm, all blocks in "
                     "the cache",
          omits="data beyond memory, the device"),
    Claim("an index that is kept against one decoded for each get", "index", "ratio", 36000,
          ours="index_kept", against="index_decoded", workload="table_get",
          conditions="one table of 10,000 records, 20 + 20 B, warm; a get each time",
          omits="many tables; compressed indexes", explain=["pointer"]),
] + [
    Claim("log bytes that zstd saves, " + what, "log of " + what, "saving", theirs,
          ours=systems[1], against=systems[0], workload=workload, threads=threads,
          conditions="random letters and digits, 100 keys of 16 B; " + record,
          omits="the time that it costs", explain=["entropy"], value_size=size)
    for what, systems, workload, threads, size, theirs, record in (
        ("20 B puts", _WAL_ALONE, "overwrite", 1, 20, 0.0, "a put a record"),
        ("1 KB puts by 10 threads", _WAL_GROUPED, "overwrite", 10, 1024, 0.24,
         "a group of durable puts a record"),
        ("1 KB puts by 1 thread", _WAL_ALONE, "overwrite", 1, 1024, None, "a put a record"),
        ("batches", _WAL_ALONE, "putbatch", 1, 20, 0.64, "100 puts a record"))
] + [
    Claim("%s of %d, memory" % (label, batch), "batches of %d" % batch, "nanos_per_batch",
          theirs[batch], ours="memory", workload=workload, batch=batch,
          conditions="1,000 keys of 16 B, values of 16 B, one thread, no protocol; "
                     "not the making of keys and values",
          omits="parsing and replies; more keys than the caches hold", peer=_HASH_PEER,
          explain=explain)
    for label, workload, theirs, explain in (
        ("batch put (MSET)", "putbatch", _MSET_THEIRS, ["beside_peer", "one_instant"]),
        ("MultiGet (MGET)", "multireadrandom", _MGET_THEIRS, ["beside_peer"]))
    for batch in theirs
]


def _counted(known):
    """{composition: engine}: which one stands for each engine in the rows of counts."""
    first = {}
    for name in known.compositions:
        first.setdefault(known.engines[name], name)
    found = {name: engine for engine, name in first.items()}
    found.update((name, known.engines[name]) for name in _COUNT_ALSO
                 if name in known.compositions)
    return found


def experiments(known):
    return _EXPERIMENTS + [
        # The gets are what counts over an index without keys are explained by.
        Experiment("count " + system, list(filter(None, [system, _COUNT_PEERS.get(system)])),
                   list(_COUNT_WORKLOADS) + (["readrandom"] if engine == "log" else []),
                   value_size=20)
        for system, engine in _counted(known).items()]


def claims(known):
    """All claims. An engine that they do not have is shown without a figure of theirs."""
    return _CLAIMS + [
        Claim("count of a prefix with %s of the keys, %s" % (share, system), "count " + system,
              "rate", _COUNT_THEIRS[engine][i] if engine in _COUNT_THEIRS else None, ours=system,
              workload=workload,
              conditions="10,000 keys of 12 B, values of 20 B, in memory (LSM: in the memtable; "
                         "log: in the page cache)",
              omits="data in tables or beyond the caches",
              peer=_COUNT_PEERS.get(system),
              explain=["keys_on_disk" if engine == "log" else "beside_peer"])
        for system, engine in _counted(known).items()
        for i, (workload, share) in enumerate(_COUNT_WORKLOADS.items())]
