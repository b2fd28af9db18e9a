"""What is measured of coordinators, and how fast they are to be, as data.

An Experiment is one interleaved comparison, of which the first system is the one that aims are set
for; an Aim is one figure of it. workloads.h says what each workload is.
"""

MICRO = "//bench/coord:micro"
OURS = "ring_slots"

_OTHERS_OF_OURS = ["bitmap_slots", "per_thread_rings", "locked"]
_PEERS = ["mutex_deque", "source_locked", "source_v1", "source_v2", "moodycamel", "tbb"]
_ALL = [OURS] + _OTHERS_OF_OURS + _PEERS
_QUEUES = [OURS, "ring_slots_adaptive", "adaptive", "per_thread_rings", "work_stealing", "ring",
           "growing_ring", "bitmap", "locked"]

THREADS = [1, 2, 4, 8]
# The source's benchmark: so many slots a thread.
_SLOTS = 10000


class Experiment:
    """Systems that run interleaved with the same flags."""

    def __init__(self, name, systems, workloads, threads=(1,), num="10k", min_time="100ms"):
        self.name = name
        self.systems = systems
        self.workloads = workloads
        self.threads = list(threads)
        self.num = num
        self.min_time = min_time


class Aim:
    """One figure of the first system of an experiment.

    kind: "times", throughput over that of `against`, at least `bound`; "nanos", nanoseconds an
    operation, at most `bound`; "p99", the 99th percentile of `against` over ours, at least `bound`.
    """

    def __init__(self, kind, bound, experiment, workload, threads=1, against=None):
        self.kind = kind
        self.bound = bound
        self.experiment = experiment
        self.workload = workload
        self.threads = threads
        self.against = against


_STEADY = ["steady", "duplicates_25", "duplicates_50", "duplicates_75", "batches", "hot_set",
           "reregistration", "one_worker"]

EXPERIMENTS = [
    Experiment("source", _ALL, ["source_cycle"], THREADS, min_time="200ms"),
    Experiment("calls", _ALL, ["register", "duplicate", "drain"]),
    Experiment("ends", [OURS] + _OTHERS_OF_OURS, ["finish"]),
    Experiment("steady", _ALL, _STEADY, THREADS),
    Experiment("queues", _QUEUES, ["steady", "batches", "reregistration", "one_worker"],
               THREADS),
    Experiment("wake", [OURS, "ring_slots_spin", "mutex_deque", "moodycamel_blocking"], ["wake"],
               num="2k"),
]


def _against_peers(experiment, workload):
    for threads in THREADS:
        # The reference, which promises the same, and what a program writes instead, with less.
        for mutex in ("locked", "mutex_deque"):
            yield Aim("times", 1 if threads == 1 else 3, experiment, workload, threads, mutex)
        yield Aim("times", 2, experiment, workload, threads, "source_v2")
        yield Aim("times", 1.5, experiment, workload, threads, "moodycamel")


AIMS = [
    # 80,000 slots by 8 threads in 2 ms.
    Aim("nanos", 2e6 / (8 * _SLOTS), "source", "source_cycle", 8),
    Aim("nanos", 10, "calls", "register"),
    Aim("nanos", 3, "calls", "duplicate"),
    Aim("nanos", 1, "calls", "drain"),
    Aim("p99", 1, "wake", "wake", against="mutex_deque"),
] + [
    aim for experiment, workloads in (("source", ["source_cycle"]), ("steady", _STEADY))
    for workload in workloads for aim in _against_peers(experiment, workload)]
