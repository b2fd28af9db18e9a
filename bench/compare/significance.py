"""Statistics on throughputs: is one system faster than another, and by how much?

Plain functions on lists of numbers, no state. Sources: H. Mann and D. Whitney, "On a test of
whether one of two random variables is stochastically larger than the other" (1947); S. Holm, "A
simple sequentially rejective multiple test procedure" (1979); B. Efron, "Bootstrap methods"
(1979); T. Hesterberg, "What teachers should know about the bootstrap" (2015), section 3.2.
"""

import functools
import math
import random
import statistics

_NORMAL = statistics.NormalDist()
# Up to so many pairs, the null distribution of U is counted instead of approximated.
_EXACT_PAIRS = 900


def _ranks(values):
    """Ranks from 1, ties sharing their mean rank; and the sizes of the groups of ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    ties = []
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for position in range(begin, end):
            ranks[order[position]] = (begin + 1 + end) / 2
        ties.append(end - begin)
        begin = end
    return ranks, ties


# Every row of an experiment has samples of the same sizes.
@functools.lru_cache(maxsize=None)
def _exact_counts(n, m):
    """For each value of U, how many of the orders of two samples without ties have it."""
    # counts[j][s]: subsets of j ranks out of those seen so far, whose U is s.
    counts = [[0] * (n * m + 1) for _ in range(n + 1)]
    counts[0][0] = 1
    for rank in range(1, n + m + 1):
        for size in range(min(rank, n), 0, -1):
            # The size-th smallest of the first sample at this rank stands above rank - size others.
            step = rank - size
            if step > m:
                continue
            below, here = counts[size - 1], counts[size]
            for total in range(step, n * m + 1):
                here[total] += below[total - step]
    return counts[n]


def _exact_tail(u, n, m):
    """P(U <= u) under the null hypothesis, without ties."""
    return sum(_exact_counts(n, m)[: int(u) + 1]) / math.comb(n + m, n)


def mann_whitney(a, b):
    """Two-sided p value of the Mann-Whitney U test; 1 when either sample is empty.

    Exact where there are no ties and the samples are small; else the normal approximation with
    corrections for ties and continuity.
    """
    n, m = len(a), len(b)
    if n == 0 or m == 0:
        return 1.0
    ranks, ties = _ranks(list(a) + list(b))
    u = sum(ranks[:n]) - n * (n + 1) / 2
    u = min(u, n * m - u)
    if n * m <= _EXACT_PAIRS and max(ties) == 1:
        return min(1.0, 2 * _exact_tail(u, n, m))
    total = n + m
    correction = sum(t ** 3 - t for t in ties) / (total * (total - 1))
    variance = n * m / 12 * (total + 1 - correction)
    if variance <= 0:
        return 1.0
    z = (u - n * m / 2 + 0.5) / math.sqrt(variance)
    return min(1.0, 2 * _NORMAL.cdf(z))


def smallest_p(n, m):
    """The least p value that mann_whitney can give to samples of these sizes."""
    return 1.0 if n == 0 or m == 0 else min(1.0, 2 / math.comb(n + m, n))


def holm(p_values):
    """The p values corrected for their number; each at least the raw one, at most 1."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for position, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(order) - position)))
        corrected[index] = largest
    return corrected


def _student_cdf(t, degrees):
    """Student's distribution, whole degrees of freedom: the finite series."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    if degrees % 2 == 1:
        term, total = cosine, 0.0
        for k in range(1, (degrees - 1) // 2 + 1):
            total += term
            term *= cosine * cosine * 2 * k / (2 * k + 1)
        return 0.5 + (angle + math.sin(angle) * total) / math.pi
    term, total = 1.0, 0.0
    for k in range(1, degrees // 2 + 1):
        total += term
        term *= cosine * cosine * (2 * k - 1) / (2 * k)
    return 0.5 + math.sin(angle) * total / 2


def student_quantile(probability, degrees):
    """t with P(T <= t) = probability, by bisection."""
    low, high = -1e6, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        if _student_cdf(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@functools.lru_cache(maxsize=None)
def _level(confidence, blocks):
    """The lower tail to cut off the bootstrap distribution.

    A percentile interval of few blocks is too narrow. Hesterberg's expanded percentiles widen it
    as much as Student's t and the division by n - 1 do for a mean.
    """
    if blocks < 2:
        return 0.0
    t = student_quantile((1 + confidence) / 2, blocks - 1)
    return _NORMAL.cdf(-t * math.sqrt(blocks / (blocks - 1)))


def bootstrap_ratio(ours, baseline, seed, confidence=0.95, resamples=2000):
    """(ratio of medians, lower bound, upper bound), resampling whole blocks.

    Both arguments: a list of blocks, each the list of that block's throughputs (empty where a run
    is missing). The same blocks are drawn for both sides, so what a block does to both cancels.
    """
    ratio = statistics.median(_flat(ours)) / statistics.median(_flat(baseline))
    usable = [i for i in range(min(len(ours), len(baseline))) if ours[i] and baseline[i]]
    if len(usable) < 2:
        return ratio, 0.0, math.inf
    generator = random.Random("bootstrap %s" % seed)
    ratios = []
    for _ in range(resamples):
        drawn = generator.choices(usable, k=len(usable))
        above = _median([x for i in drawn for x in ours[i]])
        below = _median([x for i in drawn for x in baseline[i]])
        ratios.append(above / below)
    ratios.sort()
    cut = min(int(_level(confidence, len(usable)) * resamples), resamples // 2 - 1)
    return ratio, min(ratio, ratios[cut]), max(ratio, ratios[-1 - cut])


def noise_floor(blocks):
    """By how much, as a share, medians of so many runs of one system differ by chance alone.

    From the differences between a block's two runs of the system, which drift does not inflate;
    the 95 % bound on the ratio of two such medians. None when there are fewer than two pairs.
    """
    differences = [math.log(block[0] / block[1]) for block in blocks if len(block) == 2]
    if len(differences) < 2:
        return None
    deviation = math.sqrt(sum(d * d for d in differences) / len(differences) / 2)
    runs = sum(len(block) for block in blocks)
    # The median's standard deviation is sqrt(pi / 2) times the mean's.
    of_median = math.sqrt(math.pi / 2) * deviation / math.sqrt(runs)
    return math.expm1(_NORMAL.inv_cdf(0.975) * math.sqrt(2) * of_median)


def _median(values):
    values.sort()
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _flat(blocks):
    return [value for block in blocks for value in block]
