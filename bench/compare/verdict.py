"""What a row says: faster, slower, no difference, or inconclusive and what it would take to know.

    no difference   the interval of the ratio lies within 1 +- threshold
    faster, slower  the interval lies on one side of 1, and the corrected p value is under ALPHA
    inconclusive    neither; `more` is an estimate of the runs of each system still needed

Under MINIMUM_BLOCKS blocks every row is inconclusive: two cannot show how much blocks differ.
"""

import math
import statistics

from bench.compare import significance

ALPHA = 0.05
MINIMUM_BLOCKS = 3
DEFAULT_THRESHOLD = 0.03

FASTER = "faster"
SLOWER = "slower"
SAME = "no difference"
INCONCLUSIVE = "inconclusive"
BASELINE = "baseline"
NOT_RUN = "not run"


class Row:
    """One system at one workload, against the baseline."""

    def __init__(self, workload, threads, system):
        self.workload = workload
        self.threads = threads
        self.system = system
        self.blocks = []  # throughputs, by block; a missing or invalid run is left out
        self.figures = {}  # medians of the other figures
        self.reason = ""  # why there are no runs
        self.median = None
        self.ratio = self.low = self.high = self.p = self.noise = None
        self.threshold = DEFAULT_THRESHOLD
        self.verdict = NOT_RUN
        self.more = 0

    @property
    def runs(self):
        return [value for block in self.blocks for value in block]

    def summarise(self):
        """Sets what does not depend on another row. There is at least one run."""
        self.median = statistics.median(self.runs)
        self.noise = significance.noise_floor(self.blocks)


def _complete_blocks(row, baseline):
    return sum(1 for a, b in zip(row.blocks, baseline.blocks) if a and b)


def runs_needed(row, runs, comparisons):
    """Runs of each system that would settle the row, if the spread stays what it is."""
    # The corrected p value has to be able to fall under ALPHA.
    enough = 2 * MINIMUM_BLOCKS
    while significance.smallest_p(enough, enough) * comparisons >= ALPHA:
        enough += 2
    if not (row.low > 0 and math.isfinite(row.high)):
        return enough
    effect = abs(math.log(row.ratio))
    edge = math.log1p(row.threshold)
    width = (math.log(row.high) - math.log(row.low)) / 2
    # Either the interval has to leave 1 behind, or to fit inside the threshold.
    target = max(effect, edge - effect)
    estimate = math.ceil(runs * (width / target) ** 2)
    return max(enough, estimate + estimate % 2)


def judge(row, baseline, corrected_p, comparisons):
    """Sets verdict and `more` of a row whose ratio, interval and p value are known."""
    row.p = corrected_p
    low, high = 1 / (1 + row.threshold), 1 + row.threshold
    blocks = _complete_blocks(row, baseline)
    if blocks >= MINIMUM_BLOCKS:
        if low <= row.low and row.high <= high:
            row.verdict = SAME
            return
        if corrected_p < ALPHA and (row.low > 1 or row.high < 1):
            row.verdict = FASTER if row.low > 1 else SLOWER
            return
    row.verdict = INCONCLUSIVE
    runs = min(len(row.runs), len(baseline.runs))
    row.more = max(2, runs_needed(row, runs, comparisons) - runs)


def judge_all(rows, baseline_system, seed, threshold=DEFAULT_THRESHOLD):
    """Fills in every row's statistics and verdict. `threshold` None: each row's noise floor."""
    baselines = {(r.workload, r.threads): r for r in rows if r.system == baseline_system}
    compared = []
    for row in rows:
        if not row.runs:
            continue
        row.summarise()
        baseline = baselines.get((row.workload, row.threads))
        if row is baseline:
            row.verdict = BASELINE
        elif baseline is None or not baseline.runs:
            row.verdict = "no baseline"
        else:
            compared.append((row, baseline))
    judge_pairs(compared, seed, threshold)


def judge_pairs(compared, seed, threshold=DEFAULT_THRESHOLD):
    """Judges each (row, baseline), the p values corrected for the number of pairs."""
    raw = []
    for row, baseline in compared:
        floors = [f for f in (row.noise, significance.noise_floor(baseline.blocks)) if f]
        row.threshold = threshold if threshold is not None else max(
            floors, default=DEFAULT_THRESHOLD)
        row.ratio, row.low, row.high = significance.bootstrap_ratio(
            row.blocks, baseline.blocks, seed)
        raw.append(significance.mann_whitney(row.runs, baseline.runs))
    for (row, baseline), p in zip(compared, significance.holm(raw)):
        judge(row, baseline, p, len(compared))


def below_gate(rows, gate):
    """The rows that are credibly below `gate` times the baseline: their whole interval is."""
    return [r for r in rows if r.verdict == SLOWER and r.high < gate]
