"""Statistics of paired blocks: is B faster than A where both ran in the same blocks, and how much?

A block is A B B A or B A A B, which of them is drawn by chance, and counts by its log ratio: the
mean logarithm of B's runs less that of A's. If A and B are equal, exchanging their names turns the
log ratio into its negative, and the draw has made both equally likely. So the signs are fair coins
whatever the noise is like: drift, a neighbour's work, heavy tails, runs that depend on each other.
The signed-rank test, its null distribution counted, keeps its error rate for all of them.

The Mann-Whitney test of bench/compare takes runs for independent. What differs from block to block
then widens both samples and hides 3 % that every single block shows; paired_test.py has both side
by side. Over a network and beside a server that matters more than in one process.

Plain functions on lists of numbers, no state. Sources: F. Wilcoxon, "Individual comparisons by
ranking methods" (1945); J. Hodges and E. Lehmann, "Estimates of location based on rank tests"
(1963); R. Fisher, "The design of experiments" (1935), section 21, for the argument above.
"""

import functools
import math
import statistics

_NORMAL = statistics.NormalDist()
# Up to so many blocks the null distribution is counted instead of approximated.
_EXACT_BLOCKS = 60
# Of the Hodges-Lehmann estimate over the mean, for normal noise: sqrt(pi / 3).
_SPREAD_OF_ESTIMATE = math.sqrt(math.pi / 3)
RUNS_OF_A_BLOCK = 2  # of each system


def log_ratios(ours, baseline):
    """The log ratio of each block that has all runs of both; a block with a hole is left out.

    Both arguments: a list of blocks, each the list of its positive values.
    """
    found = []
    for above, below in zip(ours, baseline):
        if len(above) == len(below) == RUNS_OF_A_BLOCK:
            found.append(statistics.fmean(map(math.log, above)) -
                         statistics.fmean(map(math.log, below)))
    return found


@functools.lru_cache(maxsize=256)
def _tails(doubled_ranks):
    """P(W <= w) for each w, where W adds up each of the ranks or not by a fair coin."""
    counts = [1] + [0] * sum(doubled_ranks)
    for rank in doubled_ranks:
        for total in range(len(counts) - 1, rank - 1, -1):
            counts[total] += counts[total - rank]
    tails = []
    below = 0
    for count in counts:
        below += count
        tails.append(below / 2 ** len(doubled_ranks))
    return tails


def _doubled_ranks(values):
    """Twice the rank of each value from 1 on; ties share their mean rank, so that it is whole."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0] * len(values)
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for position in range(begin, end):
            ranks[order[position]] = begin + 1 + end
        begin = end
    return ranks


def signed_rank(differences):
    """Two-sided p value of Wilcoxon's signed-rank test; 1 when there is nothing to rank.

    Zeros are left out, as Wilcoxon does. Exact, ties included, up to 60 differences; beyond, the
    normal approximation with corrections for ties and continuity.
    """
    kept = [d for d in differences if d != 0]
    if not kept:
        return 1.0
    ranks = _doubled_ranks([abs(d) for d in kept])
    positive = sum(rank for rank, d in zip(ranks, kept) if d > 0)
    lesser = min(positive, sum(ranks) - positive)
    if len(kept) <= _EXACT_BLOCKS:
        return min(1.0, 2 * _tails(tuple(sorted(ranks)))[lesser])
    # In single ranks: halves of sums, quarters of squares.
    variance = sum(rank * rank for rank in ranks) / 16
    z = (lesser / 2 - sum(ranks) / 4 + 0.5) / math.sqrt(variance)
    return min(1.0, 2 * _NORMAL.cdf(z))


def smallest_p(blocks):
    """The least p value that signed_rank can give to so many blocks."""
    return min(1.0, 2 / 2 ** blocks)


def blocks_for(p):
    """How many blocks signed_rank needs to be able to give less than `p`."""
    blocks = 1
    while smallest_p(blocks) >= p:
        blocks += 1
    return blocks


def estimate(differences, confidence=0.95):
    """(Hodges-Lehmann estimate, lower bound, upper bound) of the centre of at least one difference.

    The bounds are those that the signed-rank test does not refuse. Too few differences bound
    nothing: -inf, inf.
    """
    count = len(differences)
    walsh = sorted((differences[i] + differences[j]) / 2
                   for i in range(count) for j in range(i, count))
    centre = statistics.median(walsh)
    cut = _cut(count, (1 - confidence) / 2)
    if cut == 0:
        return centre, -math.inf, math.inf
    return centre, walsh[cut - 1], walsh[-cut]


@functools.lru_cache(maxsize=256)
def _cut(count, tail):
    """How many Walsh averages lie beyond each bound, the bound's own included."""
    if count > _EXACT_BLOCKS:
        mean = count * (count + 1) / 4
        deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
        return max(0, int(mean + _NORMAL.inv_cdf(tail) * deviation))
    # Of doubled ranks only even sums occur.
    probabilities = _tails(tuple(2 * rank for rank in range(1, count + 1)))[::2]
    return sum(1 for probability in probabilities if probability <= tail)


def chance_floor(*systems):
    """By how much, as a share, equal systems' ratio of so many blocks is off by chance alone.

    The 95 % bound of the estimate, from the differences between the two runs that each system has
    in a block; neither slow drift nor a few odd runs, which the estimate passes over as well,
    inflate it. None when there are fewer than two such pairs.
    """
    pairs = [abs(math.log(block[0] / block[1])) for blocks in systems for block in blocks
             if len(block) == RUNS_OF_A_BLOCK]
    if len(pairs) < 2:
        return None
    # Half of all normal deviations are within 0.674 of the standard deviation.
    of_run = statistics.median(pairs) / _NORMAL.inv_cdf(0.75) / math.sqrt(2)
    # A log ratio of a block is the difference of two means of two runs each: as wide as a run.
    blocks = max(1, len(pairs) // len(systems))
    return math.expm1(_NORMAL.inv_cdf(0.975) * of_run * _SPREAD_OF_ESTIMATE / math.sqrt(blocks))
