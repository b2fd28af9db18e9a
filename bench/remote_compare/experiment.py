"""The runs of a comparison: data once for each server and kind of cell, then block after block."""

import time

from bench.compare import experiment
from bench.remote_compare import plans, runner

# An invalid run is made again so often before its place stays empty.
ATTEMPTS = 3
# Of a run that only loads or removes data.
_FEW_REQUESTS = 1000


class InMemory:
    """Stands for state.State where nothing is to be resumed."""

    def __init__(self):
        self.runs = {}

    def add(self, run):
        self.runs[run["key"]] = run


class Data:
    """Which data the servers hold; it is loaded before the first run that needs it."""

    def __init__(self, binary, urls, seed):
        self._binary = binary
        self._urls = urls
        self._seed = seed
        self._cell = None  # whose data is there

    def load(self, cell):
        if self._cell is not None and self._cell.data() == cell.data():
            return False
        self.clean_up()
        self._cell = cell
        self._each(cell, ["--keep"])
        return True

    def clean_up(self):
        """Removes what was loaded: a run that keeps nothing."""
        if self._cell is not None:
            self._each(self._cell, ["--preload=no"])
        self._cell = None

    def _each(self, cell, more):
        flags = cell.short(_FEW_REQUESTS).flags() + more + ["--seed=%d" % self._seed]
        for url in self._urls.values():
            # Whether these few requests are to be believed does not matter; a failure does.
            runner.run(self._binary, url, flags)


def key_of(cell, run):
    return "%s/%s" % (cell.name, run.key)


def _seed_of(seed, cell_number, run):
    # Both systems of a half get the same requests, every other run of the comparison others.
    return (seed * 1000 + cell_number) * 10_000 + 2 * run.block + run.half


def _run_valid(binary, url, flags):
    """A run, made again while it is invalid; `again` has the reasons of those that were left."""
    again = []
    while True:
        result = runner.run(binary, url, flags)
        if not result["invalid"] or len(again) + 1 == ATTEMPTS:
            return {**result, "again": again}
        again.append(result["invalid"])


def make_runs(binary, urls, plan, seed, kept, quiet=False, keep_data=False):
    """Makes every run of the plan that `kept` lacks; returns all of them, in order.

    `urls`: {system: URL}, the systems as in judge.py. `keep_data`: the servers are ours and end
    soon, so the last data need not be removed.
    """
    planned = plans.schedule_of(plan, list(urls), seed)
    numbers = {cell.name: number for number, cell in enumerate(plan.cells)}
    data = Data(binary, urls, seed)
    progress = experiment.ProgressLine(len(planned))
    try:
        for number, (cell, run) in enumerate(planned):
            key = key_of(cell, run)
            if key in kept.runs:
                continue
            if not quiet:
                progress.start(number, "%s, block %d, %s" % (cell.name, run.block + 1, run.system))
            data.load(cell)
            begin = time.monotonic()
            flags = cell.flags() + ["--preload=no", "--keep", "--seed=%d" % _seed_of(
                seed, numbers[cell.name], run)]
            result = _run_valid(binary, urls[run.system], flags)
            kept.add({**result, "key": key, "cell": cell.name, "block": run.block,
                      "half": run.half, "system": run.system})
            progress.made(time.monotonic() - begin)
    finally:
        if not quiet:
            progress.clear()
    if not keep_data:
        data.clean_up()
    return [kept.runs[key_of(cell, run)] for cell, run in planned]


def notes_of(runs, names):
    """Sentences on the runs that were left out; equal ones once, with their number."""
    counts = {}
    for run in runs:
        system = run["system"]
        where = "%s (%s) at %s" % (system.upper(), names[system], run["cell"])
        for reason in run["again"]:
            text = "invalid and made again, of %s: %s" % (where, reason)
            counts[text] = counts.get(text, 0) + 1
        if run["invalid"]:
            text = "invalid %d times and left out with the block, of %s: %s" % (
                ATTEMPTS, where, run["invalid"])
            counts[text] = counts.get(text, 0) + 1
    return ["%s %s" % ("a run was" if count == 1 else "%d runs were" % count, text)
            for text, count in counts.items()]
