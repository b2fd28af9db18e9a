"""From an experiment's runs to a claim's outcome: our figure, its interval, pass or fail.

    ratio            throughput of `ours` over that of `against`; at least theirs passes
    rate             operations a second of `ours`; at least theirs passes
    nanos_per_batch  nanoseconds a batch of `ours`, less those in which the lab makes its keys and
                     values; at most theirs passes
    saving           share of the log's bytes that `ours` saves over `against`; at least theirs

A ratio is of two sides that met the same neighbours: the medians. A rate or a time is held against
one of another machine, which was quiet. Who shares a processor with us only ever slows a run, by
half where two threads share a core; so these are the upper quartile of the runs.

A claim that fails may have explanations, which are computed from the same runs, not asserted: one
returns None when the measurement does not bear it out. The first that does not stands.
"""

import math
import os
import random
import statistics

from bench.compare import significance

PASS, FAIL, EXPLAINED, SHOWN = "pass", "FAIL", "explained", "shown"


def net_of_making(figures):
    """What bench.compare.rows reads for nanos_per_batch: operations a second, without the time in
    which the lab makes their keys and values."""
    return 1e9 / (1e9 / figures["items_per_second"] - figures.get("gen_ns", 0.0))


class Results:
    """The rows of one experiment (bench.compare.rows), by system, workload and threads."""

    def __init__(self, rows):
        self._rows = {(row.system, row.workload, row.threads): row for row in rows}

    def row(self, system, workload, threads):
        return self._rows[system, workload, threads]

    def rate(self, system, workload, threads):
        return statistics.median(self.row(system, workload, threads).runs)

    def undisturbed(self, system, workload, threads):
        """The rate to hold against one of another machine."""
        return upper_quartile(self.row(system, workload, threads).runs)


class Outcome:
    def __init__(self, claim, ours, low, high, verdict, explanation="", peer=None, row=None):
        self.claim = claim
        self.ours = ours
        self.low = low
        self.high = high
        self.verdict = verdict
        self.explanation = explanation
        self.peer = peer
        self.row = row

    @property
    def undecided(self):
        """Whether more runs could turn the verdict: theirs lies within the interval of ours, or
        there is an explanation, which these runs did not bear out."""
        if self.verdict == FAIL and self.claim.explain:
            return True
        return self.verdict in (PASS, FAIL) and self.low < self.claim.theirs < self.high


def upper_quartile(runs):
    ordered = sorted(runs)
    return ordered[(3 * len(ordered)) // 4]


_RESAMPLES = 2000


def _quartile_and_interval(runs, nanos):
    """The upper quartile of rates with its 95 % bootstrap interval; as times of `nanos` / rate."""
    generator = random.Random(1)
    drawn = sorted(upper_quartile(generator.choices(runs, k=len(runs)))
                   for _ in range(_RESAMPLES))
    rates = (upper_quartile(runs), drawn[_RESAMPLES // 40], drawn[-_RESAMPLES // 40])
    if nanos is None:
        return rates
    middle, slow, fast = (nanos / rate for rate in rates)
    return middle, fast, slow


def _measure(claim, results):
    row = results.row(claim.ours, claim.workload, claim.threads)
    if claim.kind == "ratio":
        other = results.row(claim.against, claim.workload, claim.threads)
        return significance.bootstrap_ratio(row.blocks, other.blocks, seed=1)
    if claim.kind == "saving":
        other = results.row(claim.against, claim.workload, claim.threads)
        saved = 1 - row.figures["wal_bytes_per_op"] / other.figures["wal_bytes_per_op"]
        return saved, saved, saved
    return _quartile_and_interval(row.runs,
                                  claim.batch * 1e9 if claim.kind == "nanos_per_batch" else None)


def outcome_of(claim, results, cpus=None):
    ours, low, high = _measure(claim, results)
    row = results.row(claim.ours, claim.workload, claim.threads)
    peer = None
    if claim.peer is not None:
        peer = results.rate(claim.ours, claim.workload, claim.threads) / results.rate(
            claim.peer, claim.workload, claim.threads)
    if claim.theirs is None:
        return Outcome(claim, ours, low, high, SHOWN, peer=peer, row=row)
    passes = ours <= claim.theirs if claim.kind == "nanos_per_batch" else ours >= claim.theirs
    if passes:
        return Outcome(claim, ours, low, high, PASS, peer=peer, row=row)
    texts = (EXPLANATIONS[name](claim, results, cpus or os.cpu_count()) for name in claim.explain)
    text = next(filter(None, texts), None)
    return Outcome(claim, ours, low, high, EXPLAINED if text else FAIL, text or "", peer, row)


# How much slower an operation of the locked map became with more threads, on their 10 cores: its
# published milliseconds for 1, 2, 4 and 8 times the work.
_THEIR_MAP_MILLIS = {1: 5.47, 2: 18.65, 4: 41.01, 8: 76.75}


def contention(claim, results, cpus):
    """Their ratio at several threads is mostly their lock collapsing; does ours collapse less?"""
    return _cheaper_lock(claim, results, cpus) or _processor_time(claim, results, cpus)


def _cheaper_lock(claim, results, cpus):
    threads = claim.threads
    their_slowdown = _THEIR_MAP_MILLIS[threads] / threads / _THEIR_MAP_MILLIS[1]
    one = results.rate(claim.against, claim.workload, 1)
    here = results.rate(claim.against, claim.workload, threads)
    our_slowdown = one / here
    alone = results.rate(claim.ours, claim.workload, 1) / one
    if threads == 1 or cpus >= 10 or our_slowdown >= their_slowdown:
        return None
    # With the lock as cheap as here, their structure would have had this much less of a lead.
    comparable = claim.theirs * our_slowdown / their_slowdown
    measured = results.rate(claim.ours, claim.workload, threads) / here
    if measured < comparable:
        return None
    return ("on %d CPUs the locked map loses %.2fx from 1 to %d threads, on their 10 it lost "
            "%.2fx; with the lock as cheap as here their ratio would be %.2f. At 1 thread ours is "
            "%.2f" % (
                cpus, our_slowdown, threads, their_slowdown, comparable, alone))


_THEIR_CPUS = 10
_THEIR_OPERATIONS = 20000  # a thread pair: 10,000 puts and 10,000 gets


def _processor_time(claim, results, cpus):
    """Does our structure cost no more processor time than theirs, and the locked map less here?

    Processor time is wall time by as many processors as there are threads to use them. Holding the
    two against each other favours theirs where their processor is the faster one.
    """
    threads = claim.threads
    map_nanos = _THEIR_MAP_MILLIS[threads] * 1e6 / (_THEIR_OPERATIONS * threads)
    busy, their_busy = min(2 * threads, cpus), min(2 * threads, _THEIR_CPUS)
    ours = busy * 1e9 / results.undisturbed(claim.ours, claim.workload, threads)
    locked = busy * 1e9 / results.undisturbed(claim.against, claim.workload, threads)
    theirs, their_locked = their_busy * map_nanos / claim.theirs, their_busy * map_nanos
    if ours > theirs or locked >= their_locked:
        return None
    return ("an operation costs %.0f ns of processor time, with theirs it cost %.0f ns; what is "
            "held against it costs %.0f ns here, and there %.0f ns" % (
                ours, theirs, locked, their_locked))


def pointer(claim, results, cpus):
    """Theirs times the return of a pointer to the decoded index; ours times whole gets."""
    del cpus
    kept = 1e9 / results.undisturbed(claim.ours, claim.workload, claim.threads)
    decoded = 1e9 / results.undisturbed(claim.against, claim.workload, claim.threads)
    # Theirs: 18 us cold, 0.5 ns warm. The cold side compares: what one decoding costs.
    if decoded - kept > 18000 * 10:
        return None
    return ("theirs sets 18 us of decoding against 0.5 ns for the return of a pointer, with no "
            "search in it; here both sides find a record: %.0f ns with the index kept, %.0f ns "
            "with the table opened and its index decoded each time" % (kept, decoded))


# What reading one record where it lies may cost at most: two misses of the processor's caches.
_READ_NANOS = 100
_COUNTED_KEYS = 10000


def keys_on_disk(claim, results, cpus):
    """Does a count over an index without keys cost no more than a read of each record?

    It is held against gets of the same run, too: each searches the index and reads one record.
    """
    del cpus
    ours = 1e9 / results.undisturbed(claim.ours, claim.workload, claim.threads) / _COUNTED_KEYS
    get = 1e9 / results.undisturbed(claim.ours, "readrandom", claim.threads)
    if ours > min(_READ_NANOS, get):
        return None
    return ("theirs walks the keys themselves, all of them in memory, at %.1f ns each; this index "
            "keeps none, so a count reads each record where it lies, at %.1f ns each "
            "(a get of one takes %.0f ns)" % (1e9 / claim.theirs / _COUNTED_KEYS, ours, get))


# Bytes that a byte of random letters and digits holds, and no compressor takes away.
_ALPHANUMERIC_BYTES = math.log2(62) / 8
# What a compressed put may take for each byte that is random in its value: the rest is its key,
# which is random as well, its lengths, and its share of the table of codes.
_PACKED_PER_RANDOM = 4 / 3


def entropy(claim, results, cpus):
    """Would theirs take less than what is random in the values, and is ours near to that?"""
    del cpus
    raw, packed = (
        results.row(system, claim.workload, claim.threads).figures["wal_bytes_per_op"]
        for system in (claim.against, claim.ours))
    random_bytes = claim.value_size * _ALPHANUMERIC_BYTES
    possible = 1 - random_bytes / raw
    if claim.theirs <= possible or packed > random_bytes * _PACKED_PER_RANDOM:
        return None
    return ("a put takes %.1f bytes of this log without compression, of which the values' %.1f are "
            "random: no compressor saves more than %.1f %% here. With compression it takes %.1f. A "
            "put of theirs begins with 24 bytes of time and lengths, most of which are zeros" % (
                raw, random_bytes, 100 * possible, packed))


def beside_peer(claim, results, cpus):
    """Does ours do no less than its peer, which met the same machine in the same run?

    A peer is a structure of the standard kind behind locks, as theirs is. Where it does not reach
    their figure here, the machine is what differs.
    """
    del cpus
    ours, peer = (results.rate(system, claim.workload, claim.threads)
                  for system in (claim.ours, claim.peer))
    if ours < peer:
        return None
    nanos = claim.batch * 1e9
    theirs = claim.theirs if claim.kind == "nanos_per_batch" else nanos / claim.theirs
    return ("%s, which met the same machine in the same runs, takes %.0f ns for it, theirs took "
            "%.0f ns on their machine; ours takes %.0f ns" % (
                claim.peer, nanos / peer, theirs, nanos / ours))


# What one of their single sets takes; its batches of 10, 100 and 1,000 take 56, 75 and 79 for each.
_THEIR_SET_NANOS = 52


def one_instant(claim, results, cpus):
    """Do as many single puts of ours cost no more than their batch?"""
    del cpus
    put = 1e9 / results.undisturbed(claim.ours, "overwrite", claim.threads)
    if put * claim.batch > claim.theirs:
        return None
    return ("a key of their batch costs no less than a set alone, %d ns. %d single puts of ours "
            "take %.0f ns; that all of them show at one instant, to reads that never wait, is what "
            "the batch costs beyond that" % (_THEIR_SET_NANOS, claim.batch, put * claim.batch))


EXPLANATIONS = {"beside_peer": beside_peer, "contention": contention, "entropy": entropy,
                "keys_on_disk": keys_on_disk, "one_instant": one_instant, "pointer": pointer}
