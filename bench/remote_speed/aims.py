"""From runs to rows, and whether each reaches its aim.

A ratio is ours over redis-benchmark's, from the log ratios of blocks (bench/remote_compare/
paired.py). An aim is reached when the whole 95 % interval is on its side, missed when the whole
interval is on the other, and open in between: more blocks would settle it.
"""

import math
import statistics

from bench.remote_compare import paired
from bench.remote_speed.rivals import OURS, THEIRS

REACHED, MISSED, OPEN, NONE = "reached", "missed", "open", ""
# Of a core; the rest goes into what INFO counts late.
AT_ITS_LIMIT = 0.95

RATE_AIM = 1.3  # of redis-benchmark's requests a second, at the pipeline below
RATE_PIPELINE = 16
CPU_AIM = 1.0  # of redis-benchmark's processor time of a request, at most
P99_AIM_US = 50.0  # against a server that answers at once, one request at a time
# Under so many the signed-rank test bounds nothing (paired.py).
ENOUGH_BLOCKS = 6


class Aim:
    """A limit, from below or from above."""

    def __init__(self, limit, at_least):
        self.limit = limit
        self.at_least = at_least

    def text(self):
        return ("at least %g" if self.at_least else "at most %g") % self.limit

    def verdict(self, low, high):
        """Of what lies between `low` and `high`."""
        if (low >= self.limit) if self.at_least else (high <= self.limit):
            return REACHED
        if (high < self.limit) if self.at_least else (low > self.limit):
            return MISSED
        return OPEN


class Ratio:
    """A figure of ours over redis-benchmark's in one cell."""

    def __init__(self, runs, figure, blocks, aim=None):
        """`runs`: those of the cell, as rivals.run gives them, with their block and system."""
        self.figure = figure
        self.aim = aim
        self.medians = {}
        by_block = {system: [[] for _ in range(blocks)] for system in (OURS, THEIRS)}
        for run in runs:
            by_block[run["system"]][run["block"]].append(run[figure])
        for system, values in by_block.items():
            self.medians[system] = statistics.median(v for block in values for v in block)
        logs = paired.log_ratios(by_block[OURS], by_block[THEIRS])
        centre, low, high = paired.estimate(logs)
        self.ratio, self.low = math.exp(centre), math.exp(low)
        self.high = math.exp(high) if math.isfinite(high) else math.inf
        self.blocks = len(logs)

    @property
    def verdict(self):
        return self.aim.verdict(self.low, self.high) if self.aim else NONE

    def as_json(self):
        return {"figure": self.figure, "medians": self.medians, "ratio": self.ratio,
                "ratio_low": self.low, "ratio_high": _finite(self.high), "blocks": self.blocks,
                "aim": self.aim.text() if self.aim else None, "verdict": self.verdict}


class Row:
    """One cell against one server: both ratios, and what the server did meanwhile."""

    def __init__(self, name, cell, runs, blocks, aims_at_rate):
        self.name = name
        self.cell = cell
        rate_aim = Aim(RATE_AIM, True) if aims_at_rate else None
        self.rate = Ratio(runs, "rate", blocks, rate_aim)
        self.cpu = Ratio(runs, "cpu_ns", blocks, Aim(CPU_AIM, False))
        self.details = {}  # {system: {figure: median}}
        for system in (OURS, THEIRS):
            own = [run for run in runs if run["system"] == system]
            names = set.intersection(*(set(run) for run in own)) - {"system", "block"}
            self.details[system] = {
                figure: statistics.median(run[figure] for run in own) for figure in sorted(names)}

    @property
    def server_is_the_limit(self):
        """Whether the server worked without a rest, whoever drove it."""
        return all(found.get("server_share", 0) >= AT_ITS_LIMIT for found in self.details.values())

    def as_json(self):
        return {"name": self.name, "rate": self.rate.as_json(), "cpu": self.cpu.as_json(),
                "details": self.details, "server_is_the_limit": self.server_is_the_limit}


class Latency:
    """Our own latencies against a server that answers at once; medians of the runs."""

    def __init__(self, name, runs, has_aim):
        self.name = name
        self.figures = {figure: statistics.median(run[figure] for run in runs)
                        for figure in ("rate", "p50_us", "p99_us", "p999_us", "max_us", "cpu_ns",
                                       "spun_ns")}
        self.least = min(run["p99_us"] for run in runs)
        self.greatest = max(run["p99_us"] for run in runs)
        self.aim = Aim(P99_AIM_US, False) if has_aim else None

    @property
    def verdict(self):
        """By the median run: one disturbed run of a shared machine says nothing about us."""
        p99 = self.figures["p99_us"]
        return self.aim.verdict(p99, p99) if self.aim else NONE

    def as_json(self):
        return {"name": self.name, **self.figures, "p99_least_us": self.least,
                "p99_greatest_us": self.greatest, "aim": self.aim.text() if self.aim else None,
                "verdict": self.verdict}


def _finite(value):
    return value if math.isfinite(value) else None
