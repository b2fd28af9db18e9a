"""From finished runs to rows, and what a row says of B against A.

    no difference   the interval of the ratio lies within 1 +- threshold
    faster, slower  the interval lies on one side of 1, p after Holm's correction over all rows is
                    under 0.05, and the effect exceeds both the threshold and the noise floor
    inconclusive    none of these; with the runs that it would take, or with the floor it is under

The noise floor of a row is the larger of what chance does to so many runs, and by how much a second
server equal to A differed from A in the same blocks, where one ran (`--noise=aa`). Chance shrinks
with more runs; what two equal processes differ by, such as the placement of their memory, does not.
"""

import math
import statistics

from bench.compare import significance
from bench.compare.verdict import FASTER, INCONCLUSIVE, NOT_RUN, SAME, SLOWER
from bench.remote_compare import paired

_NORMAL = statistics.NormalDist()
ALPHA = 0.05
DEFAULT_THRESHOLD = 0.01
A, B, TWIN = "a", "b", "a2"  # TWIN: a second server equal to A

# With fewer, the 95 % interval has no ends.
MINIMUM_BLOCKS = paired.blocks_for(ALPHA)
# An estimate of runs beyond this is a way of saying never.
MOST_BLOCKS = 1000


class Figure:
    """A figure of a run that is compared."""

    def __init__(self, name, counter, higher_is_better, scale, unit, optional=False):
        self.name = name
        self.counter = counter  # in the JSON of //bench:remote
        self.higher_is_better = higher_is_better
        self.scale = scale  # of the counter, to be shown
        self.unit = unit
        self.optional = optional  # where the server may not tell


FIGURES = {figure.name: figure for figure in (
    Figure("throughput", "items_per_second", True, 1, "ops/s"),
    Figure("p50", "p50_ns", False, 1e-3, "us"),
    Figure("p99", "p99_ns", False, 1e-3, "us"),
    Figure("p999", "p999_ns", False, 1e-3, "us"),
    Figure("server_cpu", "server_cpu_ns_per_op", False, 1e-3, "us/op", optional=True),
)}
# What a service costs: how much a server does, how long the slow ones take, and the processor time
# of a request, which neither the client nor a queue has a part in.
DEFAULT_FIGURES = ("throughput", "p99", "server_cpu")


class Row:
    """One figure of one load of one cell, B against A."""

    def __init__(self, name, cell, load, figure):
        self.name = name
        self.cell = cell  # its name
        self.load = load
        self.figure = figure
        self.blocks = {}  # {system: [[value, value], ...]}; an invalid run leaves a hole
        self.medians = {}  # {system: value}
        self.ratio = self.low = self.high = None  # of B's figure over A's
        self.twin_ratio = self.twin_p = None  # of a second A over A
        self.raw_p = 1.0
        self.p = None  # corrected
        self.floor = None  # a share
        self.threshold = DEFAULT_THRESHOLD
        self.verdict = NOT_RUN
        self.more = 0  # runs of each system
        self.under_floor = False  # inconclusive since the effect is no larger than the noise

    @property
    def complete_blocks(self):
        return len(paired.log_ratios(self.blocks[B], self.blocks[A]))

    def worse(self):
        """(least, most) by which B is worse, as a factor: above 1 where it is."""
        if self.figure.higher_is_better:
            return 1 / self.high, 1 / self.low if self.low > 0 else math.inf
        return self.low, self.high


def rows_of(runs, cells, figures, blocks):
    """The rows of a comparison, cell by cell, in the order in which the runs name their loads."""
    rows = []
    for cell in cells:
        own = [run for run in runs if run["cell"] == cell.name]
        loads = list(dict.fromkeys(load for run in own for load in run["rows"]))
        for load in loads or [""]:
            name = cell.name if len(loads) < 2 else "%s: %s" % (cell.name, load)
            for figure in cell.figures(figures):
                row = Row(name, cell.name, load, FIGURES[figure])
                _take(row, own, blocks)
                if row.medians or not row.figure.optional:
                    rows.append(row)
    return rows


def untold(rows, cells, figures):
    """Names of the figures that are asked for and that no server tells."""
    return [name for name in figures if FIGURES[name].optional and
            any(name in cell.figures(figures) for cell in cells) and
            not any(row.figure.name == name for row in rows)]


def _take(row, runs, blocks):
    row.blocks = {system: [[] for _ in range(blocks)] for system in (A, B, TWIN)}
    for run in runs:
        value = run["rows"].get(row.load, {}).get(row.figure.counter, 0)
        if not run["invalid"] and value > 0:
            row.blocks[run["system"]][run["block"]].append(value)
    for system, found in row.blocks.items():
        values = [value for block in found for value in block]
        if values:
            row.medians[system] = statistics.median(values)


def judge_all(rows, threshold=DEFAULT_THRESHOLD):
    """Fills in every row's statistics and verdict. Rows without runs of both stay `not run`."""
    judged = []
    for row in rows:
        row.threshold = threshold
        if not (row.medians.get(A) and row.medians.get(B)):
            continue
        judged.append(row)
        _measure(row)
    for row, p in zip(judged, significance.holm([row.raw_p for row in judged])):
        row.p = p
        _judge(row, len(judged))
    twins = [row for row in rows if row.twin_p is not None]
    for row, p in zip(twins, significance.holm([row.twin_p for row in twins])):
        row.twin_p = p


def _measure(row):
    ratios = paired.log_ratios(row.blocks[B], row.blocks[A])
    if ratios:
        centre, low, high = paired.estimate(ratios)
        row.ratio, row.low, row.high = math.exp(centre), math.exp(low), math.exp(high)
        row.raw_p = paired.signed_rank(ratios)
    else:
        # No block is whole: the medians are shown, and nothing is said of them.
        row.ratio, row.low, row.high = row.medians[B] / row.medians[A], 0.0, math.inf
    row.floor = paired.chance_floor(row.blocks[A], row.blocks[B])
    twins = paired.log_ratios(row.blocks[TWIN], row.blocks[A])
    if twins:
        centre, _, _ = paired.estimate(twins)
        row.twin_ratio = math.exp(centre)
        row.twin_p = paired.signed_rank(twins)
        row.floor = max(row.floor or 0.0, math.expm1(abs(centre)))


def _judge(row, comparisons):
    edge = math.log1p(row.threshold)
    effect = abs(math.log(row.ratio))
    if row.low > 0 and -edge <= math.log(row.low) and math.log(row.high) <= edge:
        row.verdict = SAME
        return
    told = row.p < ALPHA and (row.low > 1 or row.high < 1)
    if told and effect > max(edge, math.log1p(row.floor or 0.0)):
        row.verdict = FASTER if (row.ratio > 1) == row.figure.higher_is_better else SLOWER
        return
    row.verdict = INCONCLUSIVE
    row.under_floor = told
    if not told:
        row.more = paired.RUNS_OF_A_BLOCK * max(
            1, _blocks_needed(row, comparisons) - row.complete_blocks)


def _blocks_needed(row, comparisons):
    """Blocks that would settle the row, if the spread stays what it is."""
    # The corrected p value has to be able to fall under ALPHA.
    enough = max(MINIMUM_BLOCKS, paired.blocks_for(ALPHA / comparisons))
    if not (row.low > 0 and math.isfinite(row.high)):
        return enough
    edge = math.log1p(row.threshold)
    effect = abs(math.log(row.ratio))
    width = (math.log(row.high) - math.log(row.low)) / 2
    # Either the interval has to leave 1 behind, at the level that Holm's correction asks for, or to
    # fit inside the threshold.
    stricter = _NORMAL.inv_cdf(1 - ALPHA / 2 / comparisons) / _NORMAL.inv_cdf(1 - ALPHA / 2)
    target = effect / stricter if effect > edge else max(edge - effect, edge / 4)
    return max(enough, min(MOST_BLOCKS, math.ceil(row.complete_blocks * (width / target) ** 2)))


def below_gate(rows, gate):
    """The rows in which B is credibly slower than `gate` times A: its whole interval is."""
    return [row for row in rows if row.verdict == SLOWER and row.worse()[0] > 1 / gate]


def told_apart_twins(rows):
    """The rows in which two servers equal to A were told apart, which should not happen."""
    return [row for row in rows if row.twin_p is not None and row.twin_p < ALPHA and
            abs(math.log(row.twin_ratio)) > math.log1p(row.threshold)]
